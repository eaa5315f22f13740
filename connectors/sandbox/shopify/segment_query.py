"""The query language of segments, as far as refusing what can't be right.

https://help.shopify.com/en/manual/customers/customer-segmentation/create-customer-segments
(2026-11-21); the words were recorded (2025-01). Functions such as `anniversary()` are missing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MOST_CLAUSES = 10
_TOKEN = re.compile(
    r"""\s*(?P<token>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[()]|!=|>=|<=|[=<>]|[\w.:%+-]+|\S)"""
)
_ORDERED = {"SegmentFloatFilter", "SegmentIntegerFilter", "SegmentDateFilter"}
_VALUES = {
    "SegmentFloatFilter": r"-?\d+(\.\d+)?",
    "SegmentIntegerFilter": r"-?\d+",
    "SegmentBooleanFilter": r"true|false",
    "SegmentDateFilter": r"\d{4}-\d\d-\d\d|[+-]\d+[dwmy]|\w+_(days|months)_ago|today|yesterday",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What customers can be told apart by; `lists` holds several values at once."""

    name: str
    label: str
    kind: str
    lists: bool = False

    @property
    def operators(self) -> set[str]:
        """https://help.shopify.com/en/manual/customers/customer-segmentation/customer-segments"""
        if self.lists:
            return {"CONTAINS", "NOT CONTAINS", "IS NULL", "IS NOT NULL"}
        same = {"=", "!=", "IS NULL", "IS NOT NULL"}
        return same | {"<", "<=", ">", ">=", "BETWEEN"} if self.kind in _ORDERED else same

    def takes(self, value: str) -> bool:
        pattern = _VALUES.get(self.kind)
        if pattern is None:
            return value[:1] in "'\""
        return re.fullmatch(pattern, value, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    column: int

    @property
    def place(self) -> str:
        return f"Line 1 Column {self.column}: '{self.text}'"

    @property
    def word(self) -> str:
        return self.text.upper()


class Wrong(Exception):
    """Where a query can't be read, in Shopify's words."""

    def __init__(self, token: Token, told: str) -> None:
        super().__init__(f"{token.place} {told}")


def problems(query: str, filters: Mapping[str, Filter]) -> list[str]:
    """What is wrong with a query; nothing for a good one."""
    reader = _Reader(list(_tokens(query)), filters)
    try:
        reader.whole()
    except Wrong as wrong:
        return [str(wrong), *reader.unknown]
    if reader.clauses > MOST_CLAUSES:
        return [*reader.unknown, f"has more than {MOST_CLAUSES} clauses."]
    return reader.unknown


def _tokens(query: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(query.rstrip()):
        yield Token(found["token"], found.start("token"))


class _Reader:
    """Reads tokens from left to right; collects filters that nobody knows on the way."""

    def __init__(self, tokens: list[Token], filters: Mapping[str, Filter]) -> None:
        self._tokens = tokens
        self._filters = filters
        self._at = 0
        self.clauses = 0
        self.unknown: list[str] = []

    def whole(self) -> None:
        self._expression()
        if self._at < len(self._tokens):
            raise Wrong(self._next(), "is unexpected.")

    def _expression(self) -> None:
        self._term()
        while self._peek() in ("AND", "OR"):
            self._next()
            self._term()

    def _term(self) -> None:
        if self._peek() == "NOT":
            self._next()
        if self._peek() == "(":
            self._next()
            self._expression()
            self._expect(")")
            return
        self._clause()

    def _clause(self) -> None:
        self.clauses += 1
        name = self._next()
        found = self._filters.get(name.text)
        if found is None:
            self.unknown.append(
                f"Line 1 Column {name.column}: '{name.text}' filter cannot be found."
            )
        operator = self._next()
        words = self._operator(operator)
        if found and words not in found.operators:
            raise Wrong(operator, "is unexpected.")
        for _ in range({"IS NULL": 0, "IS NOT NULL": 0, "BETWEEN": 2}.get(words, 1)):
            value = self._next()
            if found and not found.takes(value.text):
                raise Wrong(value, "is unexpected.")
            if words == "BETWEEN" and self._peek() == "AND" and _ == 0:
                self._next()

    def _operator(self, first: Token) -> str:
        if first.word == "NOT":
            self._expect("CONTAINS")
            return "NOT CONTAINS"
        if first.word == "IS":
            negated = "NOT " if self._peek() == "NOT" and self._next() else ""
            self._expect("NULL")
            return f"IS {negated}NULL"
        if first.word in ("CONTAINS", "BETWEEN", "=", "!=", "<", "<=", ">", ">="):
            return first.word
        raise Wrong(first, "is unexpected.")

    def _expect(self, word: str) -> None:
        if (token := self._next()).word != word:
            raise Wrong(token, "is unexpected.")

    def _peek(self) -> str:
        return self._tokens[self._at].word if self._at < len(self._tokens) else ""

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            last = self._tokens[-1] if self._tokens else Token("", 0)
            raise Wrong(last, "is unexpected.")
        self._at += 1
        return self._tokens[self._at - 1]
