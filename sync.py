"""clv-sync: pull a shop's orders, score its customers, write the scores back.

The command line, and nothing else: it reads the environment and the clock; what a command does to
a shop stands in `jobs`.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from types import FrameType, TracebackType
from typing import Annotated, NoReturn, TypeAlias

import typer
from dotenv import dotenv_values
from typer.exceptions import Abort, TyperException

from connectors import doctor as doctors
from connectors import drift, explained, history, leaving, made_files, news, privacy, writeback
from connectors import export as exports
from connectors import plan as plans
from connectors import session as sessions
from connectors.config import Settings, ShopSettings, read_settings
from connectors.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectorError,
    Interrupted,
)
from connectors.kept import keep
from connectors.redaction import Redacting, redacted, secrets_of
from connectors.session import Session
from connectors.terminal import Terminal
from jobs import explaining, notifying, planning, reporting, scoring, segmenting
from jobs import shop as shops
from jobs.abreast import abreast, left_behind
from jobs.each import each_shop
from jobs.engine import clv

GLOBAL_FLAGS = ("--json", "--quiet", "--verbose", "--non-interactive")
PRACTICE = Path(".clv/demo")

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Score every customer's lifetime value and show it where the shop's people work.",
)


# ------------------------------------------------------------------------------- words of commands


class Format(StrEnum):
    csv = "csv"
    parquet = "parquet"


class What(StrEnum):
    orders = "orders"
    order_lines = "order_lines"
    refunds = "refunds"
    customers = "customers"
    summary = "summary"
    scores = "scores"


class Customers(StrEnum):
    sample = "sample"
    full = "full"


def _day(help: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help=help
    )
    return option


Since: TypeAlias = Annotated[datetime | None, _day("Only orders placed from this day on.")]
AsOf: TypeAlias = Annotated[datetime | None, _day("As of the end of this day; default today.")]
Model: TypeAlias = Annotated[
    str | None, typer.Option(help="`auto`, or a model's key (see `backtest`); default CLV_MODEL.")
]
Full: TypeAlias = Annotated[bool, typer.Option(help="Forget the cursors, read all anew.")]
Limit: TypeAlias = Annotated[
    int | None, typer.Option("--max-changes", min=0, help="Write nothing if more would change.")
]
Who: TypeAlias = Annotated[str, typer.Argument(help="Their id in the shop, or their e-mail.")]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Don't ask.")]
Sample: TypeAlias = Annotated[Customers, typer.Option(help="2,357 customers, or all 23,570.")]
Port: TypeAlias = Annotated[
    int, typer.Option(min=0, max=65535, help="The port to listen on; 0: a free one.")
]
Folder: TypeAlias = Annotated[Path, typer.Option(help="Where the practice shops are kept.")]


# ------------------------------------------------------------------------------------ the outside


@dataclass(slots=True)
class Options:
    """What was said for every command."""

    shops: Sequence[str]
    terminal: Terminal
    may_ask: bool


_asked_to_stop: list[int] = []

#: How long the page or batch at hand may take, once somebody wants to stop.
DRAIN_SECONDS = 2


def _stop_softly(number: int, frame: FrameType | None) -> None:
    """The first signal lets the page or batch at hand be finished, the second ends at once."""
    if _asked_to_stop:
        os._exit(130)  # no clean-up: it waits for workers, and what is committed is safe anyway
    _asked_to_stop.append(number)
    signal.setitimer(signal.ITIMER_REAL, DRAIN_SECONDS)


def _stop_now(number: int, frame: FrameType | None) -> None:
    """What hangs or waits for the shop is given up: its page comes again the next time."""
    raise Interrupted("stopped where asked to; all so far is kept", mend="Run it again.")


def environment() -> Mapping[str, str]:
    """What the process was given, over what `.env` says."""
    try:
        from_file = dotenv_values(".env")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(".env can't be read", mend="Look at it; it is UTF-8.") from error
    given = {name: value for name, value in from_file.items() if value is not None}
    return {**given, **os.environ}


def secrets() -> list[str]:
    """What must be told to nobody; an unreadable `.env` is the command's to complain of."""
    try:
        return secrets_of(environment())
    except ConfigurationError:
        return secrets_of(os.environ)


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def session(
    context: typer.Context, command: str, settings: Settings | None = None
) -> Iterator[Session]:
    """The command's session; a failure that it remembered becomes the exit code."""
    options: Options = context.obj
    settings = segmenting.with_segment_tags(settings or read_settings(environment()))
    with (
        notifying.of_failures(settings, command, options.terminal),
        sessions.opened(
            settings, options.shops, command, options.terminal, now, lambda: bool(_asked_to_stop)
        ) as at,
    ):
        yield at
    if at.exit_code:
        raise typer.Exit(at.exit_code)


# -------------------------------------------------------------------------------------- commands


@app.callback()
def globals_(
    context: typer.Context,
    shop: Annotated[list[str] | None, typer.Option(help="Only this shop (repeatable).")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines, the last a summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only errors and the summary.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="A log on stderr.")] = False,
    non_interactive: Annotated[bool, typer.Option("--non-interactive", help="Never ask.")] = False,
) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(Redacting("%(levelname)s %(name)s %(message)s", secrets()))
    level = logging.INFO if verbose else logging.CRITICAL
    logging.basicConfig(level=level, handlers=[handler])
    may_ask = sys.stdin.isatty() and not non_interactive
    terminal = Terminal(json=json, quiet=quiet, hidden=secrets())
    context.obj = Options(shop or [], terminal, may_ask)


@app.command()
def doctor(context: typer.Context) -> None:
    """Look at credentials, rights, attributes, clock and store: one line each, with the mend."""
    with session(context, "doctor") as at:
        counts = look(at)
        at.conclude("doctor", **counts)


def look(at: Session) -> Counter[str]:
    """All findings told, counted by status; a failed one is the session's failure."""
    counts: Counter[str] = Counter(ok=0, warn=0, fail=0)
    for shop, finding in doctors.examine(at.shops, at.open, at.store, at.now):
        at.terminal.finding(shop, finding)
        counts[finding.status] += 1
        if finding.status == "fail":
            at.worse(AuthenticationError.exit_code if finding.name == "credentials" else 1)
    return counts


@app.command()
def backfill(
    context: typer.Context, since: Since = None, full_refresh: Full = False, as_of: AsOf = None
) -> None:
    """Pull the whole history and score it. Goes on where an earlier one was cut off."""

    def job(at: Session, shop: ShopSettings) -> None:
        if full_refresh:
            at.store.forget_cursor(shop.shop, "orders")
        shops.pull(at, shop, since.replace(tzinfo=UTC) if since else None)
        scoring.score_shop(at, shop, day_of(at, as_of))

    with session(context, "backfill") as at:
        each_shop(at, job)
        at.conclude("backfill")


@app.command()
def pull(context: typer.Context) -> None:
    """Pull what is new or changed."""
    with session(context, "pull") as at:
        each_shop(at, shops.pull)
        at.conclude("pull")


@app.command()
def reconcile(
    context: typer.Context,
    since: Since = None,
    every_order: Annotated[
        bool, typer.Option("--every-order", help="Read also months again that agree.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Let orders go that the shop has no more, even many.")
    ] = False,
) -> None:
    """Compare every month with the shop's own counts; name and mend each difference."""
    begin = since.replace(tzinfo=UTC) if since else None
    with session(context, "reconcile") as at:
        each_shop(at, lambda at, shop: shops.reconcile(at, shop, begin, every_order, forget))
        at.conclude("reconcile")


@app.command()
def score(context: typer.Context, as_of: AsOf = None, model: Model = None) -> None:
    """Score every customer from what the store holds; --as-of: from what was known that day."""
    with session(context, "score") as at:
        day = day_of(at, as_of)
        each_shop(at, lambda at, shop: scoring.score_shop(at, shop, day, model))
        at.conclude("score", as_of=day.isoformat())


@app.command()
def backtest(context: typer.Context, as_of: AsOf = None) -> None:
    """Try every model on the shop's own past, and choose the one that forecast it best."""
    with session(context, "backtest") as at:
        day = day_of(at, as_of)
        each_shop(at, lambda at, shop: scoring.backtest_shop(at, shop, day))
        at.conclude("backtest", as_of=day.isoformat())


def day_of(at: Session, as_of: datetime | None) -> date:
    """The day to score as of; the future can't be known yet."""
    day = (as_of or at.now).date()
    if day > at.now.date():
        raise ConfigurationError(f"{day} is yet to come", mend="Give --as-of a past day.")
    return day


@app.command()
def plan(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Keep it, for `apply FILE`.")] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="2 where changes are pending.")
    ] = False,
) -> None:
    """Show what would change on every customer. Writes nothing to the shop."""
    with session(context, "plan") as at:
        drawn = planning.draw(at)
        if out:
            at.store.note_file(out, "plan", at.now)
            plans.write_plan(drawn, out, at.hasher.seal)
        at.worse(2 if detailed_exitcode and drawn.changes else 0)
        at.conclude("plan", changes=len(drawn.changes), file=str(out) if out else None)


@app.command()
def apply(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A plan made by `plan --out`.")] = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    max_changes: Limit = None,
    allow_drift: Annotated[
        bool, typer.Option("--allow-drift", help="Write however far the shop as a whole moves.")
    ] = False,
) -> None:
    """Write the plan: only the differences, only our own fields, read back row by row."""
    with session(context, "apply") as at:
        drawn = shops.standing_plan(at, file) if file else planning.draw(at)
        writeback.guard(drawn.changes, limit(at, max_changes))
        for shop, found in drawn.drift.items() if not allow_drift else ():
            drift.guard(shop, found, at.settings.drift)
        if drawn.changes and not dry_run:
            question = f"Write to {len(drawn.changes):,} customers?"
            agree(context, question, yes or file is not None)
            each_shop(at, lambda at, shop: shops.write(at, shop, drawn.changes.of(shop.shop)))
        at.conclude("apply", changes=len(drawn.changes), dry_run=dry_run or None)


def limit(at: Session, max_changes: int | None) -> int | None:
    return at.settings.max_changes if max_changes is None else max_changes


def agree(context: typer.Context, question: str, agreed: bool) -> None:
    """Goes on when a person says yes; a program has to say --yes beforehand."""
    if agreed:
        return
    if not context.obj.may_ask:
        raise ConfigurationError("nobody is here to ask", mend="Look at `plan`, then add --yes.")
    typer.confirm(question, abort=True, err=True)


@app.command()
def undo(
    context: typer.Context,
    run: Annotated[str | None, typer.Argument(help="The run; without it they are listed.")] = None,
    yes: Yes = False,
) -> None:
    """Give every customer back what they showed before a run."""
    with session(context, "undo") as at:
        if run is None:
            news.wrote(at.terminal, at.store.write_runs())
            return at.conclude("undo")
        taken_back = keep(at.store.scratch(), writeback.undoing(at.store, run))
        for name in taken_back.shops:
            at.settings.shop(name)  # one that is no longer configured must not be passed over
        agree(context, f"Take {len(taken_back):,} customers back?", yes)
        each_shop(at, lambda at, shop: shops.write(at, shop, taken_back.of(shop.shop)))
        at.conclude("undo", changes=len(taken_back))


@app.command()
def run(
    context: typer.Context,
    max_changes: Limit = None,
    every: Annotated[
        bool, typer.Option("--all", help="All shops, as without --shop; refused beside it.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="So many shops side by side.")] = 1,
) -> None:
    """The scheduled job: pull, score, plan, and apply under --max-changes."""
    if every and context.obj.shops:
        raise ConfigurationError("--all is every shop", mend="Leave out --shop, or --all.")

    def job(at: Session, shop: ShopSettings) -> None:
        planning.whole_job(at, shop, limit(at, max_changes))

    with session(context, "run") as at:
        each_shop(at, job) if jobs == 1 else abreast(at, job, jobs)
        notifying.tell(at)
        at.conclude("run")


@app.command()
def notify(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it, send nothing.")] = False,
) -> None:
    """Send the message about the last run: how it went, and what to do with the money in it."""
    with session(context, "notify") as at:
        message = notifying.of_the_last_run(at)
        notifying.show(at, message)
        if not dry_run:
            notifying.send(at, message)
        at.conclude("notify", dry_run=dry_run or None)


@app.command()
def state(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=1, help="How many runs to show.")] = 10,
    only: Annotated[str | None, typer.Option(help="Only those of one command, like `run`.")] = None,
) -> None:
    """How the last runs went and why some failed, and what the store holds of each shop."""
    with session(context, "state") as at:
        *earlier, _ = at.store.runs()  # the last is this very command
        wanted = [run for run in earlier if only in (None, run.command)]
        history.history(at.terminal, wanted[-last:])
        history.schedule(at.terminal, at.store.runs(sessions.SCHEDULED), at.now)
        for shop in at.shops:
            at.count(shop.shop, **at.store.counts(shop.shop))
            at.count(shop.shop, put_aside=len(at.store.rejects(shop.shop)))
        at.conclude("state", runs=len(earlier))


@app.command()
def explain(
    context: typer.Context,
    customer: Who,
) -> None:
    """One customer: the sentence, the numbers, the orders behind them."""
    with session(context, "explain") as at:
        found = 0
        for shop in at.shops:
            for score in at.store.score_of(shop.shop, explaining.person_keys(at, shop, customer)):
                explained.explained(at.terminal, explaining.told_of(at, shop, score))
                found += 1
        if not found:
            raise ConfigurationError(
                "no score for that customer", mend="`score` first; use the shop's customer id."
            )
        at.conclude("explain", found=found)


@app.command()
def report(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(help="The file; of several shops each gets its name before the ending.")
    ] = Path("report.html"),
    lang: Annotated[
        str | None, typer.Option(help="en, sv, da, nb or pl, also sv_SE; default CLV_..._LOCALE.")
    ] = None,
) -> None:
    """What to do this week, and what the scores say of the shop: one page to open in a browser."""
    with session(context, "report") as at:
        each_shop(at, lambda at, shop: reporting.report_shop(at, shop, out, lang))
        at.conclude("report")


@app.command()
def segments(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="A CSV of who is in which segment.")] = None,
) -> None:
    """Who is loyal, new and promising, at risk: by your rules, with queries to paste."""
    with session(context, "segments") as at:
        rules = segmenting.rules_of(at.settings)
        each_shop(at, lambda at, shop: segmenting.segment_shop(at, shop, rules, out))
        at.conclude("segments", file=str(out) if out else None)


@app.command()
def export(
    context: typer.Context,
    what: Annotated[What, typer.Argument(metavar="TABLE", help="Which table.")],
    out: Annotated[Path, typer.Option(help="The file to write, for your eyes only.")],
    format: Annotated[Format, typer.Option(help="How to write it.")] = Format.csv,
    as_of: AsOf = None,
) -> None:
    """Write a table of the store to a file."""
    with session(context, "export") as at:
        names, day = [shop.shop for shop in at.shops], (as_of or at.now).date()
        rows = at.store.reader(what.value, shops=names, as_of=day, rule=at.settings.value)
        at.store.note_file(out, made_files.EXPORT, at.now)
        count = exports.export(rows, out, format.value)
        at.conclude("export", what=what.value, rows=count, file=str(out))


@app.command("subject-export")
def subject_export(
    context: typer.Context,
    customer: Who,
    out: Annotated[Path, typer.Option(help="The JSON file to write, for your eyes only.")],
) -> None:
    """All that is known of one person, for them to read."""
    with session(context, "subject-export") as at:
        told = [
            privacy.subject_export(at.store, at.hasher, shop.shop, customer, at=at.now)
            for shop in leaving.shops_of(at, customer)
        ]
        at.store.note_file(out, "subject-export", at.now)
        leaving.keep(told, out)
        at.conclude("subject-export", rows=sum(map(privacy.known_rows, told)), file=str(out))


@app.command()
def erase(
    context: typer.Context,
    customer: Annotated[
        str | None, typer.Argument(help="Their id in the shop, or their e-mail.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="All of the one --shop, not one customer.")
    ] = False,
    keep_in_shop: Annotated[
        bool, typer.Option("--keep-in-shop", help="Leave our fields on the customer in the shop.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Erase one person, or a shop, down to the last byte; without either, list the erasures."""
    with session(context, "erase") as at:
        if everything:
            shop = leaving.the_one_shop(at, context.obj.shops, customer)
            agree(context, f"Erase all that is known of {shop.shop}?", yes)
            leaving.erase_shop(at, shop)
        elif customer:
            for shop in leaving.shops_of(at, customer):
                agree(context, leaving.question(at, shop, customer), yes)
            each_shop(at, lambda at, shop: leaving.erase(at, shop, customer, keep_in_shop))
        else:
            news.erased_so_far(at.terminal, leaving.erasures(at))
        at.conclude("erase")


@app.command()
def readmit(
    context: typer.Context,
    customer: Annotated[
        str | None, typer.Argument(help="Their id or e-mail; without, the one --shop itself.")
    ] = None,
) -> None:
    """Let somebody, or a shop, in again who was erased; `backfill --full-refresh` reads them."""
    with session(context, "readmit") as at:
        if customer:
            shops = leaving.shops_of(at, customer)
        else:
            shops = [leaving.the_one_shop(at, context.obj.shops)]
        named = [customer] if customer else []
        lifted = sum(privacy.readmit(at.store, at.hasher, s.shop, *named) for s in shops)
        at.conclude("readmit", lifted=lifted)


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Port = 8322,
) -> None:
    """Take Shopify's webhooks in until Ctrl-C; the next `run` or `pull` acts on them."""
    try:
        from connectors.serve import server  # an extra: its libraries may not be there
    except ModuleNotFoundError as error:
        told = f"`serve` needs {error.name}"
        raise ConfigurationError(
            told, mend="Install the extra: pip install 'clv-sync[serve]'."
        ) from None
    options: Options = context.obj
    terminal = options.terminal

    def listens(url: str) -> None:
        terminal.tell("listening", f"Listening for webhooks on {url}; Ctrl-C ends it.", url=url)

    server.serve(read_settings(environment()), options.shops, (host, port), now, listens)
    terminal.summary("serve done", command="serve", exit_code=0)


@app.command()
def sandbox(
    port: Port = 8321,
    customers: Sample = Customers.sample,
    folder: Folder = PRACTICE,
) -> None:
    """Run the practice shops on loopback until Ctrl-C."""
    from connectors.sandbox import practice  # an extra: its libraries may not be there

    with practice.opened(folder, customers.value, now().date(), port) as both:
        Terminal().summary(both.welcome())
        while not _asked_to_stop:
            time.sleep(0.2)


@app.command()
def demo(
    context: typer.Context, customers: Sample = Customers.sample, folder: Folder = PRACTICE
) -> None:
    """The main job on two practice shops with real purchases, from doctor to apply."""
    from connectors.sandbox import practice

    with (
        practice.opened(folder, customers.value, now().date(), 0) as both,
        session(context, "demo", read_settings(both.environment)) as at,
    ):
        look(at)
        each_shop(at, lambda at, shop: planning.whole_job(at, shop, None))
        pages = both.save_pages()
        at.terminal.tell("look", both.where_to_look(pages, program()), pages=pages)
        each_shop(at, lambda at, shop: reporting.report_shop(at, shop, folder / "report.html"))
        at.conclude("demo")


# ------------------------------------------------------------------------------------------- main


def program() -> str:
    """How this command was called, for a hint that can be typed as it stands."""
    called = Path(sys.argv[0])
    parts = [Path(sys.executable), called] if called.suffix == ".py" else [called]
    here = Path.cwd()
    told = [part.relative_to(here) if part.is_relative_to(here) else part for part in parts]
    return " ".join(map(str, told))


def _defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody foresaw shows as it is, but for secrets and people."""
    told = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(redacted(told, secrets()))


def main() -> NoReturn:
    """Run the command; every failure that a reader can mend is one line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop_softly)
    signal.signal(signal.SIGALRM, _stop_now)
    arguments = globals_first(sys.argv[1:])
    terminal = Terminal(json="--json" in arguments, hidden=secrets())
    sys.excepthook = _defect
    try:
        code = app(arguments, standalone_mode=False) or 0
    except (Abort, KeyboardInterrupt):
        sys.exit(130)
    except (ConnectorError, clv.errors.ClvError, TyperException) as error:
        code = getattr(error, "exit_code", 1)
        told = error.format_message() if isinstance(error, TyperException) else str(error)
        if told:  # asked for nothing, it has shown its help
            terminal.error(told, exit_code=code)
        if terminal.json:
            terminal.summary("", exit_code=code)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # what is left takes as long as it takes
    if left_behind():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # a shop that hangs would be waited for
    sys.exit(code)


def globals_first(arguments: Sequence[str]) -> list[str]:
    """`plan --json` means `--json plan`: the global options may stand anywhere."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--shop":
            front += [argument, *(value for value in [next(waiting, None)] if value is not None)]
        elif argument in GLOBAL_FLAGS or argument.startswith("--shop="):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


if __name__ == "__main__":
    main()
