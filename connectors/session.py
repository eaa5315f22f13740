"""What one command works with, from its first line to its last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors import metrics, tracing
from connectors.config import Settings, ShopSettings
from connectors.errors import ConfigurationError, ConnectorError, StoreError
from connectors.identity import EmailHasher, load_hasher
from connectors.platform import Platform
from connectors.pull import Watch
from connectors.registry import open_shop
from connectors.store import Store
from connectors.terminal import Terminal
from connectors.turns import Turns

#: The command whose going is told as metrics.
SCHEDULED = "run"


@dataclass(slots=True)
class Session:
    """The open store, the shops at hand, the terminal, and how it ends: `exit_code`.

    Where shops go side by side, `alone` keeps all others out of the store meanwhile, and one shop
    is `scoring` at a time: it takes the memory that there is, and what it staged must stand.
    """

    settings: Settings
    shops: Sequence[ShopSettings]
    terminal: Terminal
    store: Store
    hasher: EmailHasher
    run_id: str
    now: datetime
    stopping: Callable[[], bool]
    exit_code: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    tally: dict[str, dict[str, int]] = field(default_factory=dict)
    handed_out: list[str] = field(default_factory=list)
    alone: AbstractContextManager[object] = field(default_factory=nullcontext)
    scoring: AbstractContextManager[object] = field(default_factory=nullcontext)

    def part(
        self, shop: ShopSettings, turns: Turns, scoring: AbstractContextManager[object]
    ) -> Session:
        """The session of one of several shops that go side by side; it is a thread's own."""
        return replace(
            self,
            shops=[shop],
            terminal=self.terminal.of(shop.shop),
            store=turns.of(self.store),
            exit_code=0,
            tally={},
            handed_out=[],
            alone=turns,
            scoring=scoring,
        )

    def open(self, shop: ShopSettings) -> Platform:
        """The shop on its platform. Tags written under other tier names are still ours."""
        tags = shop.tags | self.store.tags_written(shop.shop)
        return open_shop(replace(shop, tags=tags), self.hasher)

    def worse(self, exit_code: int) -> None:
        """Remember the first failure; rejected rows (3) give way to any other."""
        if self.exit_code in (0, 3):
            self.exit_code = exit_code or self.exit_code

    def failed(self, shop: str, error: Exception) -> None:
        """The shop's job has failed: told, kept for the history, and the session's exit code."""
        self.terminal.error(f"{shop}: {error}", shop=shop)
        self.failures[shop] = self.terminal.of_nobody(str(error))
        self.worse(getattr(error, "exit_code", 1))

    def count(self, shop: str, **counts: int) -> None:
        """What was done to a shop, for the summary and the history of runs."""
        self.tally.setdefault(shop, {}).update(counts)
        tracing.note(**counts)

    @contextmanager
    def watch(self, label: str) -> Iterator[Watch]:
        """A progress bar, and the wish to stop."""
        with self.terminal.progress(label) as advance:
            yield Watch(advance, self.stopping)

    def conclude(self, command: str, **facts: object) -> None:
        """The tally of each shop, and the summary line."""
        if self.handed_out:
            facts["data_requests"] = self.handed_out
        columns = list(dict.fromkeys(name for counts in self.tally.values() for name in counts))
        rows = [
            (shop, *(f"{counts.get(name, 0):,}" for name in columns))
            for shop, counts in self.tally.items()
        ]
        if not self.terminal.json:
            self.terminal.table("tally", "", ("shop", *columns), rows)
        told = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
        state = f"ended with exit code {self.exit_code}" if self.exit_code else "done"
        self.terminal.summary(
            f"{command} {state}" + (f": {told}" if told else ""),
            command=command,
            run_id=self.run_id,
            exit_code=self.exit_code,
            shops=self.tally,
            **facts,
        )


@contextmanager
def opened(
    settings: Settings,
    names: Sequence[str],
    command: str,
    terminal: Terminal,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool],
) -> Iterator[Session]:
    """The store opened and locked, the run entered in its history with how it ended.

    `names`: the shops to work on, all of them where empty.
    """
    now = clock()
    shops = [settings.shop(name) for name in names] or settings.shops
    hasher = load_hasher(settings.email_key, settings.store.parent, settings.email_hashes)
    with _store(settings, now, hasher) as store:
        store.pin("e-mail key", hasher.fingerprint)
        run_id = store.start_run(command, [shop.shop for shop in shops], now)
        session = Session(settings, shops, terminal, store, hasher, run_id, now, stopping)

        def ended(status: str) -> None:
            counts = _flat(session.tally)
            store.finish_run(run_id, status, counts, clock(), session.failures)
            if settings.metrics and command == SCHEDULED:
                metrics.write(settings.metrics, store.runs(SCHEDULED))

        with tracing.traced(_collector(settings, terminal), command, run_id) as tell:
            try:
                yield session
            except StoreError:
                raise  # the history can't be written either
            except BaseException as error:
                if isinstance(error, ConnectorError):
                    session.failures[""] = terminal.of_nobody(str(error))
                with suppress(ConfigurationError):  # metrics that fail, too, must not hide this
                    ended(type(error).__name__)
                raise
            tell(exit_code=session.exit_code)
            ended(f"exit {session.exit_code}")


def _collector(settings: Settings, terminal: Terminal) -> tracing.Collector | None:
    """Who is to be told of spans. Somebody else may have named them for the whole machine: that
    the libraries are not there stops nobody."""
    if settings.collector and not tracing.installed():
        told = "spans are off: OpenTelemetry is not installed (pip install 'clv-sync[otel]')"
        terminal.warning(told)
        return None
    return settings.collector


def _store(settings: Settings, now: datetime, hasher: EmailHasher) -> AbstractContextManager[Store]:
    """The store that the settings name."""
    memory = settings.memory_mb
    if settings.spark is None:
        return Store.open(settings.store, now=now, memory_mb=memory, hasher=hasher)
    from connectors.spark.store import SparkStore

    return SparkStore.on(settings.spark, now=now, memory_mb=memory, hasher=hasher)


def _flat(tally: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {f"{shop}.{name}": n for shop, counts in tally.items() for name, n in counts.items()}
