"""Scores in the few types that a store keeps, whichever the scorer gave them in."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc


def plain(batch: pa.Table, run: Mapping[str, object]) -> pa.Table:
    """A batch of scores in the store's own types, behind columns that say of which run it is."""
    whole = {name: pa.repeat(pa.scalar(value), batch.num_rows) for name, value in run.items()}
    return pa.table(whole | {name: _plain(batch[name]) for name in batch.column_names})


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same values in one of the store's own types."""
    kind = values.type
    if pa.types.is_null(kind):
        return values.cast(pa.string())
    if pa.types.is_dictionary(kind):
        return values.cast(kind.value_type)
    if pa.types.is_timestamp(kind):  # from any zone to UTC, and the zone left out
        return values.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    if pa.types.is_decimal(kind):
        rounded = pc.round(values, 4) if kind.scale > 4 else values
        return rounded.cast(pa.decimal128(18, 4))
    if pa.types.is_integer(kind):
        return values.cast(pa.int64())
    return values.cast(pa.float64()) if pa.types.is_floating(kind) else values
