"""What commands take: each argument and option once, and how a line of them is read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from connectors.errors import ConfigurationError

GLOBAL_FLAGS = ("--json", "--quiet", "--verbose", "--non-interactive")


class Format(StrEnum):
    csv = "csv"
    parquet = "parquet"


class Table(StrEnum):
    orders = "orders"
    order_lines = "order_lines"
    refunds = "refunds"
    customers = "customers"
    summary = "summary"
    scores = "scores"


class Customers(StrEnum):
    sample = "sample"
    full = "full"


def _flag(name: str, help: str) -> Any:
    """A switch; it takes no value, so none is shown."""
    return typer.Option(name, metavar="", help=help)


# ------------------------------------------------------------------------------ for every command

Shop: TypeAlias = Annotated[list[str] | None, typer.Option(help="Only this shop (repeatable).")]
Json: TypeAlias = Annotated[bool, _flag("--json", "JSON lines, the last a summary.")]
Quiet: TypeAlias = Annotated[bool, _flag("--quiet", "Only errors and the summary.")]
Verbose: TypeAlias = Annotated[bool, _flag("--verbose", "A log on stderr.")]
NonInteractive: TypeAlias = Annotated[bool, _flag("--non-interactive", "Never ask.")]


# ------------------------------------------------------------------------------------- when, how


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day like 2026-01-31") from None


def _on(help: str) -> Any:
    """An option that takes a day."""
    return typer.Option(parser=_day, metavar="YYYY-MM-DD", help=help)


Since: TypeAlias = Annotated[date | None, _on("Only orders placed from this day on.")]
AsOf: TypeAlias = Annotated[date | None, _on("As of the end of this day; default today.")]
Model: TypeAlias = Annotated[
    str | None, typer.Option(help="`auto`, or a model's key (see `backtest`); default CLV_MODEL.")
]
Full: TypeAlias = Annotated[bool, _flag("--full-refresh", "Forget the cursors, read all anew.")]
EveryOrder: TypeAlias = Annotated[
    bool, _flag("--every-order", "Read also months again that agree.")
]
Forget: TypeAlias = Annotated[
    bool, _flag("--forget", "Let orders go that the shop has no more, even many.")
]


# ----------------------------------------------------------------------------------------- writes

Yes: TypeAlias = Annotated[bool, _flag("--yes", "Don't ask.")]
DryRun: TypeAlias = Annotated[bool, _flag("--dry-run", "Write nothing.")]
Limit: TypeAlias = Annotated[
    int | None, typer.Option("--max-changes", min=0, help="Write nothing if more would change.")
]
AllowDrift: TypeAlias = Annotated[
    bool, _flag("--allow-drift", "Write however far the shop as a whole moves.")
]
PlanFile: TypeAlias = Annotated[Path | None, typer.Argument(help="A plan made by `plan --out`.")]
PlanOut: TypeAlias = Annotated[Path | None, typer.Option(help="Keep it, for `apply FILE`.")]
DetailedExitcode: TypeAlias = Annotated[
    bool, _flag("--detailed-exitcode", "2 where changes are pending.")
]
RunId: TypeAlias = Annotated[
    str | None, typer.Argument(help="The run; without it they are listed.")
]


# ------------------------------------------------------------------------------ runs and messages

AllShops: TypeAlias = Annotated[
    bool, _flag("--all", "All shops, as without --shop; refused beside it.")
]
Jobs: TypeAlias = Annotated[int, typer.Option(min=1, help="So many shops side by side.")]
ShowOnly: TypeAlias = Annotated[bool, _flag("--dry-run", "Show it, send nothing.")]
Last: TypeAlias = Annotated[int, typer.Option(min=1, help="How many runs to show.")]
OfCommand: TypeAlias = Annotated[
    str | None, typer.Option(help="Only those of one command, like `run`.")
]


# ----------------------------------------------------------------------------------- files, people

PageOut: TypeAlias = Annotated[
    Path, typer.Option(help="The file; of several shops each gets its name before the ending.")
]
Language: TypeAlias = Annotated[
    str | None, typer.Option(help="en, sv, da, nb or pl, also sv_SE; default CLV_..._LOCALE.")
]
MembersOut: TypeAlias = Annotated[
    Path | None, typer.Option(help="A CSV of who is in which segment.")
]
What: TypeAlias = Annotated[Table, typer.Argument(metavar="TABLE", help="Which table.")]
TableOut: TypeAlias = Annotated[Path, typer.Option(help="The file to write, for your eyes only.")]
FileFormat: TypeAlias = Annotated[Format, typer.Option(help="How to write it.")]
SubjectOut: TypeAlias = Annotated[
    Path, typer.Option(help="The JSON file to write, for your eyes only.")
]
Who: TypeAlias = Annotated[str, typer.Argument(help="Their id in the shop, or their e-mail.")]
WhoIfAny: TypeAlias = Annotated[
    str | None, typer.Argument(help="Their id in the shop, or their e-mail.")
]
WhoOrShop: TypeAlias = Annotated[
    str | None, typer.Argument(help="Their id or e-mail; without, the one --shop itself.")
]
Everything: TypeAlias = Annotated[
    bool, _flag("--everything", "All of the one --shop, not one customer.")
]
KeepInShop: TypeAlias = Annotated[
    bool, _flag("--keep-in-shop", "Leave our fields on the customer in the shop.")
]


# ---------------------------------------------------------------------------- servers and practice

Host: TypeAlias = Annotated[str, typer.Option(help="The address to listen on.")]
Port: TypeAlias = Annotated[
    int, typer.Option(min=0, max=65535, help="The port to listen on; 0: a free one.")
]
Sample: TypeAlias = Annotated[Customers, typer.Option(help="2,357 customers, or all 23,570.")]
Folder: TypeAlias = Annotated[Path, typer.Option(help="Where the practice shops are kept.")]


# ----------------------------------------------------------------------------------------- reading


def day_of(as_of: date | None, now: datetime) -> date:
    """The day to score as of, today unless one is given."""
    return _come(as_of or now.date(), now, "--as-of")


def begin_of(since: date | None, now: datetime) -> datetime | None:
    """The first moment of that day, in UTC as the shops' instants are."""
    if since is None:
        return None
    return datetime.combine(_come(since, now, "--since"), time(), UTC)


def _come(day: date, now: datetime, option: str) -> date:
    """The day; ConfigurationError where it is in the future, of which nothing is known."""
    if day > now.date():
        raise ConfigurationError(f"{day} is yet to come", mend=f"Give {option} a past day.")
    return day


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


def program() -> str:
    """How this command was called, for a hint that can be typed as it stands."""
    called = Path(sys.argv[0])
    parts = [Path(sys.executable), called] if called.suffix == ".py" else [called]
    here = Path.cwd()
    told = [part.relative_to(here) if part.is_relative_to(here) else part for part in parts]
    return " ".join(map(str, told))
