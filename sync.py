"""clv-sync: pull a shop's orders, score its customers, write the scores back.

The command line, and nothing else: it reads the environment and the clock, and hands frames and
numbers from `connectors` to `clv` and back.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import pandas as pd
import typer
from dotenv import dotenv_values

import clv
from connectors import doctor as doctors
from connectors import plan as plans
from connectors import pull as pulls
from connectors import news, writeback
from connectors.config import Settings, ShopSettings, read_settings
from connectors.errors import ConfigurationError, ConnectorError, StalePlan
from connectors.export import export as write_export
from connectors.identity import EmailHasher, load_hasher
from connectors.platform import Platform
from connectors.pull import Pulled, Watch
from connectors.registry import open_shop
from connectors.schema import Change, Shown, normal
from connectors.store import Store
from connectors.terminal import Terminal

#: Which column of a score stands in which field of the customer.
SCORE_OF_FIELD = {
    "tier": "tier",
    "predicted_12m": "predicted_clv",
    "historic_net": "historic_net",
    "currency": "currency",
    "p_alive": "p_alive",
    "next_order_date": "next_order_on",
    "reason": "reason",
    "model": "model",
    "scored_at": "as_of",
}

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Score every customer's lifetime value and show it where the shop's people work.",
)


# ------------------------------------------------------------------------------------- a session


@dataclass(slots=True)
class Options:
    """What was said before the command's name."""

    shops: list[str]
    terminal: Terminal


@dataclass(slots=True)
class Session:
    """What one command works with, from its first line to its last."""

    settings: Settings
    shops: Sequence[ShopSettings]
    terminal: Terminal
    store: Store
    hasher: EmailHasher
    run_id: str
    now: datetime
    exit_code: int = 0

    def open(self, shop: ShopSettings) -> Platform:
        return open_shop(shop, self.hasher)

    def worse(self, exit_code: int) -> None:
        """Remember that something needs a look; a failure outranks rejected rows."""
        if self.exit_code in (0, 3) and exit_code:
            self.exit_code = exit_code if exit_code != 3 or not self.exit_code else self.exit_code

    @contextmanager
    def watch(self, label: str) -> Iterator[Watch]:
        with self.terminal.progress(label) as advance:
            yield Watch(advance, lambda: bool(_asked_to_stop))


_asked_to_stop: list[int] = []


def _stop_softly(number: int, frame: FrameType | None) -> None:
    """The first signal lets the page or batch at hand be finished, the second ends at once."""
    if _asked_to_stop:
        sys.exit(130)
    _asked_to_stop.append(number)


@contextmanager
def session(options: Options, command: str, settings: Settings) -> Iterator[Session]:
    """The store opened and locked, the run entered in its history, whatever happens closed."""
    now = datetime.now(UTC)
    shops = [settings.shop(name) for name in options.shops] or settings.shops
    hasher = load_hasher(settings.email_key, settings.store.parent)
    with Store.open(settings.store, now=now, memory_mb=settings.memory_mb) as store:
        store.pin("e-mail key", hasher.fingerprint)
        run_id = store.start_run(command, [shop.shop for shop in shops], now)
        at = Session(settings, shops, options.terminal, store, hasher, run_id, now)
        try:
            yield at
        except BaseException as error:
            store.finish_run(run_id, f"failed: {type(error).__name__}", {}, datetime.now(UTC))
            raise
        store.finish_run(run_id, f"exit {at.exit_code}", {}, datetime.now(UTC))
    if at.exit_code:
        raise typer.Exit(at.exit_code)


def each_shop(at: Session, job: Callable[[Session, ShopSettings], None]) -> None:
    """The job for every shop; one that fails doesn't stop the others."""
    for shop in at.shops:
        try:
            job(at, shop)
        except (ConnectorError, clv.ClvError) as error:
            at.terminal.error(f"{shop.shop}: {error}", shop=shop.shop)
            at.worse(getattr(error, "exit_code", 1))
            if at.exit_code == 130:
                return


def environment() -> Mapping[str, str]:
    """What the process was given, over what `.env` says."""
    from_file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return {**from_file, **os.environ}


# ------------------------------------------------------------------------------------------ jobs


def pull_shop(
    at: Session, shop: ShopSettings, since: datetime | None = None
) -> Mapping[str, Shown]:
    """Customers and orders into the store; what the customers show comes back."""
    platform = at.open(shop)
    begun = time.monotonic()
    with at.watch(f"{shop.shop}: customers") as watch:
        customers = pulls.pull_customers(platform, at.store, at.now, watch)
    with at.watch(f"{shop.shop}: orders") as watch:
        orders = pulls.pull_orders(platform, at.store, at.now, since, watch)
    news.pulled(at.terminal, shop.shop, customers, orders, time.monotonic() - begun)
    quarantined = at.store.rejects(shop.shop)
    if len(quarantined):
        news.quarantined(at.terminal, shop.shop, quarantined)
        at.worse(3)
    return customers.shown


def score_shop(at: Session, shop: ShopSettings, as_of: date) -> None:
    """Summary, scores, tiers; kept under this run."""
    currency = scoring_currency(at, shop)
    summary = at.store.summary(shop.shop, as_of=as_of, rule=at.settings.value, currency=currency)
    earlier = at.store.latest_scores(shop.shop)
    tiers = dict(zip(earlier["person_key"], earlier["tier"], strict=True)) if len(earlier) else {}
    scored = clv.score(summary, score_settings(at.settings), as_of=as_of, previous_tiers=tiers)
    at.store.save_scores(at.run_id, scored.frame)
    news.scored(at.terminal, shop.shop, scored.frame, scored.card)
    left_out = at.store.excluded(shop.shop, as_of=as_of, currency=currency)
    news.excluded(at.terminal, shop.shop, left_out)


def scoring_currency(at: Session, shop: ShopSettings) -> str | None:
    """The one currency that the shop is scored in; several need a word from the owner."""
    found = at.store.currencies(shop.shop)
    if shop.currency or len(found) < 2:
        return shop.currency
    counts = ", ".join(f"{code} {orders:,}" for code, orders in found.items())
    raise ConfigurationError(
        f"orders in {len(found)} currencies ({counts})",
        mend=f"Set CLV_{shop.shop.upper()}_CURRENCY to the one to score.",
    )


def score_settings(settings: Settings) -> clv.ScoreSettings:
    return clv.ScoreSettings(
        horizon_days=settings.horizon_days,
        discount_per_year=settings.discount_rate,
        margin=settings.margin,
        cac=settings.cac,
        lifespan_years=settings.lifespan_years,
        tiers=settings.tiers,
        new_days=settings.new_days,
    )


def plan_shop(
    at: Session, shop: ShopSettings, shown: Mapping[str, Shown] | None = None
) -> tuple[list[Change], Mapping[str, int]]:
    """What would change, against what the customers show now."""
    platform = at.open(shop)
    if shown is None:
        with at.watch(f"{shop.shop}: customers") as watch:
            shown = pulls.pull_customers(platform, at.store, at.now, watch).shown
    scored = fields_of(at.store.latest_scores(shop.shop))
    tolerance = at.settings.tolerance
    changes, counts = plans.draw(shop.shop, shown, scored, platform.shows, tolerance)
    news.planned(at.terminal, shop.shop, changes, counts)
    return changes, counts


def fields_of(scores: pd.DataFrame) -> dict[str, Shown]:
    """The fields of every registered customer with a score, by customer id."""
    registered = scores[scores["customer_id"].notna()] if len(scores) else scores
    fields: dict[str, dict[str, str]] = {str(key): {} for key in registered.get("customer_id", ())}
    for field, column in SCORE_OF_FIELD.items():
        for shown, value in zip(fields.values(), registered.get(column, ()), strict=True):
            if not pd.isna(value):
                shown[field] = normal(field, value)
    return dict(fields)


def write_shop(at: Session, shop: ShopSettings, changes: Sequence[Change]) -> None:
    """The changes into the shop, read back and journalled."""
    with at.watch(f"{shop.shop}: writing") as watch:
        counts, refused = writeback.write(at.open(shop), at.store, at.run_id, changes, watch)
    news.written(at.terminal, shop.shop, at.run_id, counts, refused)
    if refused:
        at.worse(3)


# -------------------------------------------------------------------------------------- commands

As = Annotated  # shorter lines below


@app.callback()
def globals_(
    context: typer.Context,
    shop: As[list[str] | None, typer.Option(help="Only this shop (repeatable).")] = None,
    json: As[bool, typer.Option(help="JSON lines on stdout, the last one a summary.")] = False,
    quiet: As[bool, typer.Option(help="Only errors and the summary.")] = False,
) -> None:
    context.obj = Options(shop or [], Terminal(json=json, quiet=quiet))


@app.command()
def doctor(context: typer.Context) -> None:
    """Look at credentials, rights, attributes, clock and store: one line each, with the mend."""
    with session(context.obj, "doctor", read_settings(environment())) as at:
        for shop, finding in doctors.examine(at.shops, at.open, at.store, at.now):
            at.terminal.finding(shop, finding)
            at.worse({"fail": 1}.get(finding.status, 0))


Since = As[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Orders placed from this day on.")
]
AsOf = As[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Score as of this day.")]
MaxChanges = As[int | None, typer.Option(min=0, help="Write nothing if more would change.")]
Yes = As[bool, typer.Option("--yes", help="Don't ask.")]


def day(given: datetime | None, now: datetime) -> date:
    return (given or now).date()


@app.command()
def backfill(
    context: typer.Context,
    since: Since = None,
    full_refresh: As[bool, typer.Option(help="Forget the cursors and read all anew.")] = False,
) -> None:
    """Pull the whole history and score it. Goes on where an earlier one was cut off."""
    with session(context.obj, "backfill", read_settings(environment())) as at:

        def job(at: Session, shop: ShopSettings) -> None:
            if full_refresh:
                at.store.forget_cursor(shop.shop, "orders")
            pull_shop(at, shop, since.replace(tzinfo=UTC) if since else None)
            score_shop(at, shop, at.now.date())

        each_shop(at, job)
        conclude(at, "backfill")


@app.command()
def pull(context: typer.Context) -> None:
    """Pull what is new or changed."""
    with session(context.obj, "pull", read_settings(environment())) as at:
        each_shop(at, lambda at, shop: void(pull_shop(at, shop)))
        conclude(at, "pull")


@app.command()
def score(context: typer.Context, as_of: AsOf = None) -> None:
    """Score every customer from what the store holds."""
    with session(context.obj, "score", read_settings(environment())) as at:
        each_shop(at, lambda at, shop: score_shop(at, shop, day(as_of, at.now)))
        conclude(at, "score")


@app.command()
def plan(
    context: typer.Context,
    out: As[Path | None, typer.Option(help="Keep the plan in this file, for `apply FILE`.")] = None,
    detailed_exitcode: As[bool, typer.Option(help="2 where changes are pending.")] = False,
) -> None:
    """Show what would change on every customer. Writes nothing to the shop."""
    with session(context.obj, "plan", read_settings(environment())) as at:
        drawn = draw(at)
        if out:
            plans.write_plan(drawn, out)
        conclude(at, "plan", changes=len(drawn.changes), file=str(out) if out else None)
        if detailed_exitcode and drawn.changes:
            at.worse(2)


def draw(at: Session) -> plans.Plan:
    """The plan of all the session's shops, with the ground it stands on."""
    changes: list[Change] = []
    counts: Counter[str] = Counter()

    def job(at: Session, shop: ShopSettings) -> None:
        more, counted = plan_shop(at, shop)
        changes.extend(more)
        counts.update(counted)

    each_shop(at, job)
    based_on = {shop.shop: at.store.standing(shop.shop) for shop in at.shops}
    return plans.Plan(at.now.isoformat(), based_on, counts, changes)


@app.command()
def apply(
    context: typer.Context,
    file: As[Path | None, typer.Argument(help="A plan made by `plan --out`.")] = None,
    yes: Yes = False,
    dry_run: As[bool, typer.Option(help="Say what would be written, write nothing.")] = False,
    max_changes: MaxChanges = None,
) -> None:
    """Write the plan: only the differences, only our own fields, read back row by row."""
    with session(context.obj, "apply", read_settings(environment())) as at:
        drawn = standing_plan(at, file) if file else draw(at)
        limit = at.settings.max_changes if max_changes is None else max_changes
        writeback.guard(drawn.changes, limit)
        if drawn.changes and not dry_run:
            agree(at, f"Write to {len(drawn.changes):,} customers?", yes or file is not None)
            each_shop(at, lambda at, shop: write_shop(at, shop, drawn.of(shop.shop)))
        conclude(at, "apply", changes=len(drawn.changes), dry_run=dry_run)


def standing_plan(at: Session, file: Path) -> plans.Plan:
    """The plan in `file`; StalePlan where a shop was scored or written to since it was made."""
    drawn = plans.read_plan(file)
    for shop, standing in drawn.based_on.items():
        at.settings.shop(shop)
        if at.store.standing(shop) != standing:
            raise StalePlan(
                f"{shop} was scored or written to since {file} was made", mend="Plan anew."
            )
    return drawn


def agree(at: Session, question: str, agreed: bool) -> None:
    """Goes on when a person says yes; a program has to say --yes beforehand."""
    if agreed:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is here to ask", mend="Look at `plan`, then add --yes.")
    typer.confirm(question, abort=True, err=True)


@app.command()
def undo(
    context: typer.Context,
    run_id: As[str | None, typer.Argument(help="The run to take back; none lists them.")] = None,
    yes: Yes = False,
) -> None:
    """Give every customer back what they showed before a run."""
    with session(context.obj, "undo", read_settings(environment())) as at:
        if run_id is None:
            writes = at.store.write_runs()
            columns = ("run", "command", "started", "customers", "applied")
            at.terminal.table("run", "Runs that wrote", columns, writes)
            return conclude(at, "undo", runs=len(writes))
        changes = writeback.undoing(at.store, run_id)
        agree(at, f"Take {len(changes):,} customers back?", yes)
        drawn = plans.Plan(at.now.isoformat(), {}, {}, changes)
        each_shop(at, lambda at, shop: write_shop(at, shop, drawn.of(shop.shop)))
        conclude(at, "undo", changes=len(changes))


@app.command()
def run(context: typer.Context, max_changes: MaxChanges = None) -> None:
    """The scheduled job: pull, score, plan, and apply under --max-changes."""
    with session(context.obj, "run", read_settings(environment())) as at:
        limit = at.settings.max_changes if max_changes is None else max_changes
        each_shop(at, lambda at, shop: whole_job(at, shop, limit))
        conclude(at, "run")


def whole_job(at: Session, shop: ShopSettings, max_changes: int | None) -> None:
    shown = pull_shop(at, shop)
    score_shop(at, shop, at.now.date())
    changes, _ = plan_shop(at, shop, shown)
    writeback.guard(changes, max_changes)
    if changes:
        write_shop(at, shop, changes)


@app.command()
def explain(
    context: typer.Context,
    customer: As[str, typer.Argument(help="Their id in the shop, or their e-mail.")],
) -> None:
    """One customer: the sentence, the numbers, the orders behind them."""
    with session(context.obj, "explain", read_settings(environment())) as at:
        found = 0
        for shop in at.shops:
            for score in at.store.score_of(shop.shop, person_keys(at, shop, customer)):
                orders = at.store.orders_of(shop.shop, score["person_key"], at.settings.value)
                news.explained(at.terminal, score, orders)
                found += 1
        if not found:
            raise ConfigurationError(
                "no score for that customer", mend="`score` first; use the shop's customer id."
            )
        conclude(at, "explain", found=found)


def person_keys(at: Session, shop: ShopSettings, customer: str) -> list[str]:
    """The keys under which somebody may stand; a clear e-mail goes no further than here."""
    if "@" not in customer:
        return [customer]
    websites = ["", *at.store.websites(shop.shop)]
    hashed = [at.hasher.person_key(customer, website) for website in websites]
    return at.store.persons(shop.shop, [key for key in hashed if key])


class Format(StrEnum):
    csv = "csv"
    parquet = "parquet"


class Customers(StrEnum):
    sample = "sample"
    full = "full"


class What(StrEnum):
    orders = "orders"
    order_lines = "order_lines"
    refunds = "refunds"
    customers = "customers"
    summary = "summary"
    scores = "scores"


@app.command()
def export(
    context: typer.Context,
    what: As[What, typer.Argument()],
    out: As[Path, typer.Option(help="The file to write, 0600.")],
    format: As[Format, typer.Option()] = Format.csv,
    as_of: AsOf = None,
) -> None:
    """Write a table of the store to a file."""
    with session(context.obj, "export", read_settings(environment())) as at:
        reader = at.store.reader(
            what.value,
            shops=[shop.shop for shop in at.shops],
            rule=at.settings.value,
            as_of=day(as_of, at.now),
        )
        rows = write_export(reader, out, format.value)
        conclude(at, "export", what=what.value, rows=rows, file=str(out))


def conclude(at: Session, command: str, **facts: object) -> None:
    """The summary line."""
    told = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
    state = "done" if not at.exit_code else f"ended with exit code {at.exit_code}"
    at.terminal.summary(
        f"{command} {state}" + (f": {told}" if told else ""),
        command=command,
        run_id=at.run_id,
        exit_code=at.exit_code,
        **facts,
    )


# ---------------------------------------------------------------------------- sandbox and the demo

Folder = As[Path, typer.Option(help="Where the practice shops and their scores are kept.")]
PRACTICE = Path(".clv/demo")


@app.command()
def sandbox(
    port: As[int, typer.Option(min=0, max=65535)] = 8321,
    customers: As[Customers, typer.Option(help="2,357 or all 23,570.")] = Customers.sample,
    folder: Folder = PRACTICE,
) -> None:
    """Run the practice shops on loopback until Ctrl-C."""
    with practice.open_shops(folder, customers.value, today(), port) as shops:
        Terminal().summary(practice.welcome(shops.url))
        while not _asked_to_stop:
            time.sleep(0.2)


@app.command()
def demo(
    context: typer.Context,
    customers: As[Customers, typer.Option(help="2,357 or all 23,570.")] = Customers.sample,
    folder: Folder = PRACTICE,
) -> None:
    """The main job on two practice shops with real purchases: look, pull, score, plan, apply."""
    with practice.open_shops(folder, customers.value, today(), 0) as shops:
        settings = read_settings(shops.environment)
        with session(context.obj, "demo", settings) as at:
            for shop, finding in doctors.examine(at.shops, at.open, at.store, at.now):
                at.terminal.finding(shop, finding)
            each_shop(at, lambda at, shop: whole_job(at, shop, None))
            conclude(at, "demo")
        pages = shops.save_admin_pages()
    context.obj.terminal.summary(practice.where_to_look(pages))


def today() -> date:
    return datetime.now(UTC).date()


def main() -> NoReturn:
    """Run the command; every failure that a reader can mend is one line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop_softly)
    arguments = globals_first(sys.argv[1:])
    terminal = Terminal(json="--json" in arguments)
    try:
        code = app(arguments, standalone_mode=False)
    except (ConnectorError, clv.ClvError) as error:
        terminal.error(str(error), exit_code=getattr(error, "exit_code", 1))
        code = getattr(error, "exit_code", 1)
    except click.ClickException as error:
        terminal.error(error.format_message(), exit_code=error.exit_code)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


def globals_first(arguments: Sequence[str]) -> list[str]:
    """`plan --json` means `--json plan`: the global options may stand anywhere."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--shop":
            front += [argument, *[value for value in [next(waiting, None)] if value is not None]]
        elif argument in ("--json", "--quiet") or argument.startswith("--shop="):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


if __name__ == "__main__":
    main()
