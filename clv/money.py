"""Money as whole cents, which add up exactly; from floats, Decimals or Arrow, and back."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CENTS = pa.decimal128(18, 2)
EXACT = pa.decimal128(38, 2)


def cents(column: pd.Series) -> Ints:
    """Whole cents, half to even; 0 where missing. The values are below a trillion."""
    if column.dtype.kind in "iuf":
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(np.rint(np.nan_to_num(numbers, nan=0.0) * 100), dtype=np.int64)
    values = arrow(column)
    if not pa.types.is_decimal(values.type):
        return cents(column.astype(np.float64))
    exact = pc.round(values, 2, round_mode="half_to_even").cast(EXACT)
    exact = pc.fill_null(exact, pa.scalar(Decimal("0.00"), EXACT))
    # 16 bytes each, the low ones first: below a trillion, the low 8 say it all.
    low = np.frombuffer(exact.buffers()[1], dtype=np.int64)[exact.offset * 2 :: 2]
    whole: Ints = low[: len(exact)].copy()
    return whole


def floats(column: pd.Series) -> Floats:
    """The values as floats, NaN where missing."""
    if isinstance(column.dtype, pd.ArrowDtype):
        numbers: Floats = arrow(column).cast(pa.float64()).to_numpy(zero_copy_only=False)
        return numbers
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def decimals(cents: Ints, known: Bools | None = None) -> pa.Array:
    """Cents as Arrow's decimals; null where not `known`."""
    words = np.empty((len(cents), 2), dtype=np.int64)
    words[:, 0], words[:, 1] = cents, cents >> 63
    valid = None if known is None else pa.array(known).buffers()[1]
    return pa.Array.from_buffers(CENTS, len(cents), [valid, pa.py_buffer(words)])


def text(cents: int) -> str:
    """`12.30`, without a currency."""
    return str(Decimal(int(cents)).scaleb(-2))


def arrow(column: pd.Series) -> pa.Array:
    """The column as one Arrow array, null where missing."""
    values = pa.array(column, from_pandas=True)
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
