"""The real purchases behind the sandbox: CDNOW, 1997-01-01 to 1998-06-30 (data/SOURCES.md)."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from itertools import groupby
from operator import attrgetter
from typing import Literal

Who = Literal["sample", "full"]


@dataclass(frozen=True, slots=True)
class Purchase:
    """One order of one customer: CDs bought, and what they cost without tax and shipping."""

    customer: int
    on: date
    quantity: int
    value: Decimal


def purchases(who: Who = "sample") -> Iterator[Purchase]:
    """All purchases in order of customer and date: 6,919 in the sample, 69,659 in full."""
    packed = (files("connectors.sandbox") / "data" / "cdnow.csv.gz").read_bytes()
    for row in csv.DictReader(io.StringIO(gzip.decompress(packed).decode("ascii"))):
        if who == "full" or row["in_sample"] == "1":
            yield Purchase(
                int(row["customer_id"]),
                date.fromisoformat(row["date"]),
                int(row["quantity"]),
                Decimal(row["value"]),
            )


def histories(who: Who = "sample") -> list[list[Purchase]]:
    """The purchases, one list per customer."""
    return [list(group) for _, group in groupby(purchases(who), key=attrgetter("customer"))]
