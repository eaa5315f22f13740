"""clv-sync: pull a shop's orders, score its customers, write the scores back.

The command line, and nothing else: it reads the environment and the clock; what a command does to
a shop stands in `jobs`.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, TracebackType
from typing import NoReturn

import typer
from dotenv import dotenv_values
from typer.exceptions import Abort, TyperException

from connectors import arguments as given
from connectors import doctor as doctors
from connectors import (
    drift,
    erased,
    extras,
    history,
    leaving,
    made_files,
    news,
    stopping,
    writeback,
)
from connectors import export as exports
from connectors import plan as plans
from connectors import session as sessions
from connectors.config import Settings, ShopSettings, read_settings
from connectors.errors import ConfigurationError, ConnectorError
from connectors.redaction import Redacting, redacted, secrets_of
from connectors.session import Session
from connectors.terminal import Terminal
from jobs import explaining, notifying, planning, reporting, scoring, segmenting
from jobs import shop as shops
from jobs.abreast import abreast, left_behind
from jobs.each import each_shop
from jobs.engine import clv

PRACTICE = Path(".clv/demo")

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Score every customer's lifetime value and show it where the shop's people work.",
)


# ------------------------------------------------------------------------------------ the outside


@dataclass(slots=True)
class Options:
    """What was said for every command."""

    shops: Sequence[str]
    terminal: Terminal
    may_ask: bool


def environment() -> Mapping[str, str]:
    """What the process was given, over what `.env` says."""
    try:
        from_file = dotenv_values(".env")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            ".env can't be read", mend="Check its rights, and save it as UTF-8."
        ) from error
    written = {name: value for name, value in from_file.items() if value is not None}
    return {**written, **os.environ}


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
            settings, options.shops, command, options.terminal, now, stopping.asked
        ) as at,
    ):
        yield at
    if at.exit_code:
        raise typer.Exit(at.exit_code)


# -------------------------------------------------------------------------------------- commands


@app.callback()
def globals_(
    context: typer.Context,
    shop: given.Shop = None,
    json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
    non_interactive: given.NonInteractive = False,
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
        counts = doctors.look(at)
        at.conclude("doctor", **counts)


@app.command()
def backfill(
    context: typer.Context,
    since: given.Since = None,
    full_refresh: given.Full = False,
    as_of: given.AsOf = None,
) -> None:
    """Pull the whole history and score it. Goes on where an earlier one was cut off."""

    with session(context, "backfill") as at:
        begin, day = given.begin_of(since, at.now), given.day_of(as_of, at.now)

        def job(at: Session, shop: ShopSettings) -> None:
            if full_refresh:
                at.store.forget_cursor(shop.shop, "orders")
            shops.pull(at, shop, begin)
            scoring.score_shop(at, shop, day)

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
    since: given.Since = None,
    every_order: given.EveryOrder = False,
    forget: given.Forget = False,
) -> None:
    """Compare every month with the shop's own counts; name and mend each difference."""
    with session(context, "reconcile") as at:
        begin = given.begin_of(since, at.now)
        each_shop(at, lambda at, shop: shops.reconcile(at, shop, begin, every_order, forget))
        at.conclude("reconcile")


@app.command()
def score(context: typer.Context, as_of: given.AsOf = None, model: given.Model = None) -> None:
    """Score every customer from what the store holds; --as-of: from what was known that day."""
    with session(context, "score") as at:
        day = given.day_of(as_of, at.now)
        each_shop(at, lambda at, shop: scoring.score_shop(at, shop, day, model))
        at.conclude("score", as_of=day.isoformat())


@app.command()
def backtest(context: typer.Context, as_of: given.AsOf = None) -> None:
    """Try every model on the shop's own past, and choose the one that forecast it best."""
    with session(context, "backtest") as at:
        day = given.day_of(as_of, at.now)
        each_shop(at, lambda at, shop: scoring.backtest_shop(at, shop, day))
        at.conclude("backtest", as_of=day.isoformat())


@app.command()
def plan(
    context: typer.Context,
    out: given.PlanOut = None,
    detailed_exitcode: given.DetailedExitcode = False,
) -> None:
    """Show what would change on every customer. Writes nothing to the shop."""
    with session(context, "plan") as at:
        drawn = planning.draw(at)
        if out:
            at.store.note_file(out, made_files.PLAN, at.now)
            plans.write_plan(drawn, out, at.hasher.seal)
        at.worse(2 if detailed_exitcode and drawn.changes else 0)
        at.conclude("plan", changes=len(drawn.changes), file=str(out) if out else None)


@app.command()
def apply(
    context: typer.Context,
    file: given.PlanFile = None,
    yes: given.Yes = False,
    dry_run: given.DryRun = False,
    max_changes: given.Limit = None,
    allow_drift: given.AllowDrift = False,
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
def undo(context: typer.Context, run: given.RunId = None, yes: given.Yes = False) -> None:
    """Give every customer back what they showed before a run."""
    with session(context, "undo") as at:
        if run is None:
            runs = at.store.write_runs()
            news.wrote(at.terminal, runs)
            return at.conclude("undo", runs=len(runs))
        taken_back = shops.taken_back(at, run)
        agree(context, f"Take {len(taken_back):,} customers back?", yes)
        each_shop(at, lambda at, shop: shops.write(at, shop, taken_back.of(shop.shop)))
        at.conclude("undo", changes=len(taken_back))


@app.command()
def run(
    context: typer.Context,
    max_changes: given.Limit = None,
    every: given.AllShops = False,
    jobs: given.Jobs = 1,
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
def notify(context: typer.Context, dry_run: given.ShowOnly = False) -> None:
    """Send the message about the last run: how it went, and what to do with the money in it."""
    with session(context, "notify") as at:
        message = notifying.of_the_last_run(at)
        notifying.show(at, message)
        if not dry_run:
            notifying.send(at, message)
        at.conclude("notify", dry_run=dry_run or None)


@app.command()
def state(context: typer.Context, last: given.Last = 10, only: given.OfCommand = None) -> None:
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
def explain(context: typer.Context, customer: given.Who) -> None:
    """One customer: the sentence, the numbers, the orders behind them."""
    with session(context, "explain") as at:
        at.conclude("explain", found=explaining.explain(at, customer))


@app.command()
def report(
    context: typer.Context,
    out: given.PageOut = Path("report.html"),
    lang: given.Language = None,
) -> None:
    """What to do this week, and what the scores say of the shop: one page to open in a browser."""
    with session(context, "report") as at:
        each_shop(at, lambda at, shop: reporting.report_shop(at, shop, out, lang))
        at.conclude("report")


@app.command()
def segments(context: typer.Context, out: given.MembersOut = None) -> None:
    """Who is loyal, new and promising, at risk: by your rules, with queries to paste."""
    with session(context, "segments") as at:
        rules = segmenting.rules_of(at.settings)
        each_shop(at, lambda at, shop: segmenting.segment_shop(at, shop, rules, out))
        at.conclude("segments", file=str(out) if out else None)


@app.command()
def export(
    context: typer.Context,
    what: given.What,
    out: given.TableOut,
    format: given.FileFormat = given.Format.csv,
    as_of: given.AsOf = None,
) -> None:
    """Write a table of the store to a file."""
    with session(context, "export") as at:
        names, day = [shop.shop for shop in at.shops], given.day_of(as_of, at.now)
        rows = at.store.reader(what.value, shops=names, as_of=day, rule=at.settings.value)
        at.store.note_file(out, made_files.EXPORT, at.now)
        count = exports.export(rows, out, format.value)
        at.conclude("export", what=what.value, rows=count, file=str(out))


@app.command("subject-export")
def subject_export(context: typer.Context, customer: given.Who, out: given.SubjectOut) -> None:
    """All that is known of one person, for them to read."""
    with session(context, "subject-export") as at:
        rows = leaving.subject_export(at, customer, out)
        at.conclude("subject-export", rows=rows, file=str(out))


@app.command()
def erase(
    context: typer.Context,
    customer: given.WhoIfAny = None,
    everything: given.Everything = False,
    keep_in_shop: given.KeepInShop = False,
    yes: given.Yes = False,
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
            leaving.nothing_asked(yes or keep_in_shop)
            so_far = leaving.erasures(at)
            erased.erased_so_far(at.terminal, so_far)
            return at.conclude("erase", erasures=len(so_far))
        at.conclude("erase")


@app.command()
def readmit(context: typer.Context, customer: given.WhoOrShop = None) -> None:
    """Let somebody, or a shop, in again who was erased; `backfill --full-refresh` reads them."""
    with session(context, "readmit") as at:
        lifted = leaving.readmit(at, context.obj.shops, customer)
        at.conclude("readmit", lifted=lifted)


@app.command()
def serve(context: typer.Context, host: given.Host = "127.0.0.1", port: given.Port = 8322) -> None:
    """Take Shopify's webhooks in until Ctrl-C; the next `run` or `pull` acts on them."""
    server = extras.needed("connectors.serve.server", "`serve`", "serve")
    options: Options = context.obj
    terminal = options.terminal

    def listens(url: str) -> None:
        terminal.tell("listening", f"Listening for webhooks on {url}; Ctrl-C ends it.", url=url)

    server.serve(read_settings(environment()), options.shops, (host, port), now, listens)
    terminal.summary("serve done", command="serve", exit_code=0)


def practice_shops() -> ModuleType:
    return extras.needed("connectors.sandbox.practice", "the practice shops", "sandbox")


@app.command()
def sandbox(
    port: given.Port = 8321,
    customers: given.Sample = given.Customers.sample,
    folder: given.Folder = PRACTICE,
) -> None:
    """Run the practice shops on loopback until Ctrl-C."""
    with practice_shops().opened(folder, customers.value, now().date(), port) as both:
        Terminal().summary(both.welcome())
        while not stopping.asked():
            time.sleep(0.2)


@app.command()
def demo(
    context: typer.Context,
    customers: given.Sample = given.Customers.sample,
    folder: given.Folder = PRACTICE,
) -> None:
    """The main job on two practice shops with real purchases, from doctor to apply."""
    with (
        practice_shops().opened(folder, customers.value, now().date(), 0) as both,
        session(context, "demo", read_settings(both.environment)) as at,
    ):
        doctors.look(at)
        each_shop(at, lambda at, shop: planning.whole_job(at, shop, None))
        pages = both.save_pages()
        at.terminal.tell("look", both.where_to_look(pages, given.program()), pages=pages)
        each_shop(at, lambda at, shop: reporting.report_shop(at, shop, folder / "report.html"))
        at.conclude("demo")


# ------------------------------------------------------------------------------------------- main


def _defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody foresaw shows as it is, but for secrets and people."""
    told = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(redacted(told, secrets()))


def main() -> NoReturn:
    """Run the command; every failure that a reader can mend is one line."""
    stopping.heed()
    arguments = given.globals_first(sys.argv[1:])
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
        stopping.drained()
    if left_behind():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # a shop that hangs would be waited for
    sys.exit(code)


if __name__ == "__main__":
    main()
