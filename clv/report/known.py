"""What is known of one shop on one day: the frames that the report's numbers come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.customers.purchase_gaps import WinBack, purchase_gaps, win_back
from clv.customers.segments import abc_classes, rfm_scores, rfm_segments
from clv.settings import ScoreSettings
from clv.transactions import purchase_days, summarise

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Known:
    """One shop, in one currency.

    `scores` has `columns.SCORES`, a row per person. `orders` has a row per purchase: customer_id
    (the person key), ordered_at, net_value, order_id, and where known channel, coupon, country,
    store_view; `lines` a row per order line: the same with product and category. `before`: earlier
    scores, by what they are called. `cards`: the tiers' lowest values come from the last one.
    """

    as_of: date
    scores: pd.DataFrame
    orders: pd.DataFrame
    lines: pd.DataFrame
    before: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    settings: ScoreSettings = field(default_factory=ScoreSettings)
    rule: WinBack = field(default_factory=WinBack)

    @cached_property
    def people(self) -> pd.DataFrame:
        """The scores by person key."""
        return self.scores.set_index(c.PERSON_KEY)

    @property
    def currency(self) -> str:
        return str(self.scores[c.CURRENCY].iloc[0]) if len(self.scores) else ""

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Frequency, recency, T and net of those who have a score, by person key."""
        found = summarise(self.orders, self.as_of)
        return found[found.index.isin(self.people.index)]

    @cached_property
    def days(self) -> pd.DataFrame:
        return purchase_days(self.orders, self.as_of)

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """How regularly each customer buys, by person key."""
        return purchase_gaps(self.days, self.as_of)

    @cached_property
    def win_back(self) -> pd.Series:
        """Who is valuable and slipping, by person key."""
        worth = self.column(c.HISTORIC_NET)
        flagged = win_back(self.gaps, worth, self.rule, self.column(c.P_ALIVE))
        return flagged.reindex(self.people.index, fill_value=False)

    @cached_property
    def segments(self) -> pd.DataFrame:
        """ABC class and RFM segment of each person."""
        people = self.people.index
        rfm = rfm_segments(rfm_scores(self.summary)).reindex(people)
        return pd.DataFrame({"abc_class": abc_classes(self.column(c.HISTORIC_NET)), "rfm": rfm})

    def column(self, name: str) -> pd.Series:
        """A column of the scores as floats, NaN where nobody knows; by person key."""
        return floats(self.people[name])


def floats(column: pd.Series) -> pd.Series:
    """Numbers or Decimals as floats, by the same index."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(values, index=column.index, name=column.name)


def exact(column: pd.Series) -> Decimal:
    """The sum of a money column, to the cent. Decimals add up exactly."""
    return sum((value for value in column if not pd.isna(value)), Decimal(0)).quantize(
        Decimal("0.01")
    )


def figure(value: Any) -> Any:
    """A number as plain Python has it: None for NaN."""
    if value is None or pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def figures(values: Any) -> list[Any]:
    return [figure(value) for value in values]
