"""docs/reference.md's commands, options and settings, as the program itself knows them.

`python .ci/reference.py` writes them anew between their marks; a test says where the page differs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import typer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import sync  # noqa: E402 -- found by the line above
from connectors.config import KEYS, SHOP_DEFAULTS, SHOP_KEYS, WAYS_IN  # noqa: E402

PAGE = ROOT / "docs" / "reference.md"
#: What a value is called, by the option's type.
CALLED = {"str": "TEXT", "int": "NUMBER", "Path": "PATH", "date": "YYYY-MM-DD"}
#: The shops of .env.example stand for any of their platform.
PLATFORMS = {"EU": "Magento", "US": "Shopify", "X": "file"}
ANY_SHOP = re.compile(rf"CLV_({'|'.join(PLATFORMS)})_")


# -------------------------------------------------------------------------------------- commands


def commands() -> str:
    """The global options, then every command with its own."""
    group: Any = typer.main.get_command(sync.app)
    first = "\n".join(["### For every command", "", *_table(group.params)])
    return "\n\n".join([first, *(_command(name, one) for name, one in group.commands.items())])


def _command(name: str, command: Any) -> str:
    arguments = " ".join(_argument(one) for one in command.params if _is_argument(one))
    rows = _table(command.params)
    told = [f"### {name}", "", command.help, "", f"`{f'clv-sync {name} {arguments}'.strip()}`"]
    return "\n".join([*told, *(["", *rows] if rows else [])])


def _is_argument(param: Any) -> bool:
    return not param.opts[0].startswith("-")


def _argument(param: Any) -> str:
    name = (param.metavar or param.name).upper()
    return name if param.required else f"[{name}]"


def _table(params: Sequence[Any]) -> list[str]:
    rows = [f"| `{_shown(one)}` | {_meaning(one)} |" for one in params]
    return ["| argument or option | meaning |", "|---|---|", *rows] if rows else []


def _shown(param: Any) -> str:
    if _is_argument(param):
        return _argument(param)
    kind = param.type_descriptor.annotation
    name = "/".join(param.opts)
    return name if kind is bool else f"{name} {_value(kind)}"


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _value(kind: Any) -> str:
    if _is_enum(kind):
        return "|".join(str(one.value) for one in kind).replace("|", "\\|")
    named = re.findall(r"date|Path|int|str", str(kind))
    return CALLED[named[0]]


def _meaning(param: Any) -> str:
    default = param.default.value if isinstance(param.default, Enum) else param.default
    shown = default is not None and default is not False and "default" not in (param.help or "")
    kind = param.type_descriptor.annotation
    of = f"One of {', '.join(kind)}." if _is_argument(param) and _is_enum(kind) else ""
    needed = "Needed." if param.required and not _is_argument(param) else ""
    parts = [param.help or "", of, needed]
    return " ".join(part for part in (*parts, f"Default `{default}`." if shown else "") if part)


# -------------------------------------------------------------------------------------- settings


def settings() -> str:
    """Every variable with default and meaning; the meanings are those of .env.example."""
    told = told_in((ROOT / ".env.example").read_text(encoding="utf-8"))
    general = [f"| `{key}` | {_code(KEYS[key])} | {_prose(told[key].meaning)} |" for key in KEYS]
    ways = {key for ways in WAYS_IN.values() for way in ways for key in way} | {"PLATFORM"}
    shops = [
        f"| `CLV_<SHOP>_{key}` | {told[key].platforms} | {_code(SHOP_DEFAULTS.get(key, ''))} "
        f"| {_prose(where if key in ways else told[key].meaning)} |"
        for key, where in SHOP_KEYS.items()
    ]
    return "\n".join(
        [
            *("### Of all shops together", "", "| variable | default | meaning |", "|---|---|---|"),
            *(*general, "", "### Of one shop", ""),
            *("| variable | of | default | meaning |", "|---|---|---|---|", *shops),
        ]
    )


class Told(NamedTuple):
    """What .env.example says of a variable, and the platforms under which it stands there."""

    meaning: str
    platforms: str


def told_in(example: str) -> dict[str, Told]:
    """Each variable with the comment above it, which those right below it share."""
    meanings: dict[str, str] = {}
    platforms: dict[str, list[str]] = {}
    comment: list[str] = []
    goes_on = False
    for line in example.splitlines():
        name, is_set, _ = line.removeprefix("# ").partition("=")
        is_set = is_set if re.fullmatch(r"(CLV|OTEL)_\w+", name) else ""
        if is_set:
            shop = ANY_SHOP.match(name)
            key = ANY_SHOP.sub("", name)
            meanings.setdefault(key, " ".join(comment).partition(" For example")[0])
            platforms.setdefault(key, []).append(PLATFORMS[shop[1]] if shop else "")
        elif line.startswith("# ---") or not line.startswith("#"):
            comment = []
        else:
            comment = [*(comment if not goes_on else ()), line[1:].strip()]
        goes_on = bool(is_set)
    return {key: Told(told, _of(told, platforms[key])) for key, told in meanings.items()}


def _of(told: str, platforms: Sequence[str]) -> str:
    each = list(dict.fromkeys(platforms))
    return "any" if "(any shop)" in told or len(each) == len(PLATFORMS) else ", ".join(each)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _prose(text: str) -> str:
    """A sentence for a cell: names of variables as code, so that no `<` is taken for HTML."""
    told = re.sub(r"\bCLV_[A-Z_<>]+(?:\.\.\.)?", r"`\g<0>`", text).replace("|", "\\|")
    told = told[:1].upper() + told[1:]
    return told if told.endswith((".", "`")) else f"{told}."


# ------------------------------------------------------------------------------------------ page


def written(page: str) -> str:
    """The page with what stands between its marks made anew."""
    for mark, made in (("commands", commands()), ("settings", settings())):
        start, end = f"<!-- {mark}: python .ci/reference.py -->", f"<!-- end of {mark} -->"
        head, found, rest = page.partition(start)
        if not found or end not in rest:
            raise SystemExit(f"docs/reference.md lacks the marks of {mark}")
        page = f"{head}{start}\n\n{made}\n\n{end}{rest.partition(end)[2]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
