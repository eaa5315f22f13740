"""Rows that say the same, taken once: a million customers share some 300,000 histories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: The largest code: two of them multiplied by no more than this stay within 64 bits.
MOST_KINDS = 2**62
#: A table of all possible codes pays up to so many for each row.
TABLE = 4


def distinct(*values: Floats) -> tuple[tuple[Floats, ...], NDArray[np.intp]]:
    """The distinct rows of some columns, in no promised order, and each row's place among them."""
    codes, kinds = _combined([_coded(column) for column in values])
    if kinds <= TABLE * len(codes):
        places, many = _placed(codes, kinds)
    else:
        places, uniques = pd.factorize(codes)
        many = len(uniques)
    first = np.empty(many, dtype=np.intp)
    first[places[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return tuple(column[first] for column in values), places


def tallied(*values: Floats, weights: Floats | None = None) -> tuple[tuple[Floats, ...], Floats]:
    """The distinct rows of some columns and how many rows (or what weight) each stands for.

    Tallies add up: those of two batches, tallied again by their counts, are those of both.
    """
    columns = [_coded(column) for column in values]
    if weights is not None or _too_many(columns):
        rows, places = distinct(*values)
        return rows, np.bincount(places, weights, len(rows[0])).astype(np.float64)
    # Sorting is several times faster than hashing where no row's place is asked for.
    codes = np.sort(_combined(columns)[0])
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1])[: len(codes)])
    counts = np.diff(np.append(starts, len(codes))).astype(np.float64)
    return _decoded(codes[starts], columns), counts


@dataclass(frozen=True)
class _Coded:
    """A column as whole numbers below `kinds`: distances from `lowest`, or places in `uniques`."""

    codes: NDArray[np.int64]
    kinds: int
    lowest: int = 0
    uniques: Floats | None = None

    def value(self, codes: NDArray[np.int64]) -> Floats:
        if self.uniques is None:
            return (codes + self.lowest).astype(np.float64)
        return self.uniques[codes]


def _coded(column: Floats) -> _Coded:
    """Whole numbers by their distance from the lowest; others by their place among the distinct."""
    with np.errstate(invalid="ignore"):
        whole = column.astype(np.int64)
    if len(column) and np.array_equal(whole, column):
        lowest, highest = int(whole.min()), int(whole.max())
        if highest - lowest < MOST_KINDS:
            return _Coded(whole - lowest, highest - lowest + 1, lowest)
    codes, uniques = pd.factorize(column, use_na_sentinel=False)
    return _Coded(codes.astype(np.int64), max(len(uniques), 1), uniques=np.asarray(uniques))


def _too_many(columns: list[_Coded]) -> bool:
    kinds = 1
    for column in columns:
        kinds *= column.kinds
    return kinds >= MOST_KINDS


def _combined(columns: list[_Coded]) -> tuple[NDArray[np.int64], int]:
    """One code for all columns of a row, and how many codes there may be."""
    codes, kinds = columns[0].codes, columns[0].kinds
    for column in columns[1:]:
        if kinds * column.kinds >= MOST_KINDS:
            places, uniques = pd.factorize(codes)
            codes, kinds = places.astype(np.int64), len(uniques)
        codes, kinds = codes * column.kinds + column.codes, kinds * column.kinds
    return codes, kinds


def _decoded(codes: NDArray[np.int64], columns: list[_Coded]) -> tuple[Floats, ...]:
    values = []
    for column in reversed(columns[1:]):
        codes, code = np.divmod(codes, column.kinds)
        values.append(column.value(code))
    return (columns[0].value(codes), *reversed(values))


def _placed(codes: NDArray[np.int64], kinds: int) -> tuple[NDArray[np.intp], int]:
    """Each code's place among those that occur, and how many occur: by a table of all codes."""
    occurs = np.zeros(kinds, dtype=np.bool_)
    occurs[codes] = True
    places = np.cumsum(occurs) - 1
    return places[codes], int(places[-1]) + 1 if kinds else 0
