"""Rows that say the same, taken once: a million customers share some 300,000 histories."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def distinct(*values: Floats) -> tuple[tuple[Floats, ...], NDArray[np.intp]]:
    """The distinct rows of some columns, in no promised order, and each row's place among them."""
    codes, kinds = _coded(values[0])
    for column in values[1:]:
        more, many = _coded(column)
        if kinds * many >= 2**62:
            codes, kinds = _packed(codes)
        codes, kinds = codes * many + more, kinds * many
    places, uniques = pd.factorize(codes)
    first = np.empty(len(uniques), dtype=np.intp)
    first[places[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return tuple(column[first] for column in values), places


def _coded(column: Floats) -> tuple[NDArray[np.int64], int]:
    """Whole numbers that tell the values apart, and how many there may be."""
    whole = column.astype(np.int64)
    if len(column) and np.array_equal(whole, column):
        codes = whole - whole.min()
        return codes, int(codes.max()) + 1
    return _packed(column)


def _packed(column: NDArray[np.generic]) -> tuple[NDArray[np.int64], int]:
    codes, uniques = pd.factorize(column)
    return codes.astype(np.int64), len(uniques) + 1
