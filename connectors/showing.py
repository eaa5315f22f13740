"""What all customers of a shop show today, however many: in a file, as columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

import pyarrow as pa

from connectors.schema import Shown
from connectors.store.scratch import Scratch

#: `shown` is JSON. A customer may be told twice: what was told last holds, in the first's place.
COLUMNS = pa.schema([("place", pa.int64()), ("shown_id", pa.string()), ("shown", pa.string())])

_text = json.JSONEncoder(separators=(",", ":")).encode


class Showing:
    """Is added to page by page: a stream of Arrow's, in a file that is made for the first page."""

    def __init__(self, scratch: Callable[[], Scratch] = Scratch) -> None:
        self._make = scratch
        self._scratch: Scratch | None = None
        self._rows = 0

    def add(self, shown: Mapping[str, Shown]) -> None:
        if self._scratch is None:
            self._scratch = self._make()
            self._scratch.write(COLUMNS.serialize().to_pybytes())
        end = self._rows + len(shown)
        texts = [_text(dict(fields)) for fields in shown.values()]
        rows = pa.record_batch([range(self._rows, end), list(shown), texts], schema=COLUMNS)
        self._scratch.write(rows.serialize().to_pybytes())
        self._rows = end

    def __bool__(self) -> bool:
        return self._rows > 0

    def __iter__(self) -> Iterator[str]:
        """The customers, by id."""
        for batch in self.reader():
            yield from batch["shown_id"].to_pylist()

    def reader(self) -> pa.RecordBatchReader:
        """All that was added, from the first page on; one at a time."""
        if self._scratch is None:
            return pa.RecordBatchReader.from_batches(COLUMNS, [])
        return pa.ipc.open_stream(self._scratch.opened())


def shown_in(batch: pa.RecordBatch) -> dict[str, Shown]:
    """What the customers of a batch show, by id."""
    ids, texts = (batch[name].drop_null().to_pylist() for name in ("shown_id", "shown"))
    return dict(zip(ids, json.loads(f"[{','.join(texts)}]"), strict=True))
