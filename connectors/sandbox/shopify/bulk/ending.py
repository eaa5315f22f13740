"""How an operation ends: what its file holds, and what is told about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from connectors.sandbox.shopify.bulk.lines import ROOTS_A_PAGE, Family
from connectors.sandbox.shopify.money import Json
from connectors.sandbox.shopify.setup import End

Part = TypeVar("Part")
FAILURES = {"FAILED": "INTERNAL_SERVER_ERROR", "TIMEOUT": "TIMEOUT"}
EMPTY_HANDED: dict[str, Json] = {
    "ACCESS_DENIED": {"status": "FAILED", "error": "ACCESS_DENIED"},
    "CANCELED": {"status": "CANCELED"},
    "EXPIRED": {"status": "EXPIRED"},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The file (empty: there is none) and what the operation tells of itself."""

    content: str
    about: Json


def reached(end: End, whole: Sequence[Part]) -> Sequence[Part]:
    """How much an operation gets done until it ends so."""
    if end in EMPTY_HANDED:
        return []
    return whole[: len(whole) // 2] if end in FAILURES else whole


def of(end: End, found: Sequence[Family], *, grouped: bool, seed: int | None) -> Outcome:
    """An operation's end with what it has got done."""
    if end in EMPTY_HANDED:
        return Outcome("", EMPTY_HANDED[end])
    lines = [_text(line) for line in _ordered(found, grouped, seed)]
    content = "".join(lines)
    about: Json = {"objects": len(lines), "roots": len(found), "bytes": len(content.encode())}
    if end in FAILURES:
        return Outcome(content, {**about, "status": "FAILED", "error": FAILURES[end]})
    if end == "MISCOUNTED":
        about["objects"] += 1
    return Outcome(_left(end, lines), {**about, "status": "COMPLETED"})


def _left(end: End, lines: Sequence[str]) -> str:
    """What of the lines is in the file."""
    if end == "SHORT":
        lines = lines[: -(len(lines) // 10 or 1)]
    content = "".join(lines)
    return content[: -(len(lines[-1]) // 2)] if end == "CUT" and lines else content


def _ordered(found: Sequence[Family], grouped: bool, seed: int | None) -> list[Json]:
    """Children right behind their parent; or behind all parents near them; or anywhere."""
    if grouped:
        return [line for family in found for line in (family.root, *family.children)]
    lines: list[Json] = []
    for start in range(0, len(found), ROOTS_A_PAGE):
        near = found[start : start + ROOTS_A_PAGE]
        lines += [family.root for family in near]
        lines += [child for family in near for child in family.children]
    if seed is not None:
        Random(seed).shuffle(lines)  # noqa: S311  dice, not secrets
    return lines


def _text(line: Json) -> str:
    """With slashes escaped, as recorded."""
    return json.dumps(line, separators=(",", ":")).replace("/", "\\/") + "\n"
