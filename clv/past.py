"""What is known of a shop on a day: the ground that every forecast stands on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd


@dataclass(frozen=True)
class Past:
    """A shop's customers as known at the end of `as_of`, in one currency.

    `summary`   a row per customer: frequency, recency, T (days), monetary_value, net, orders
    `days`      a row per customer and purchase day: customer_id, day, value (`clv.transactions`);
                customer_id is the summary's index. None: only the summary is known
    `activity`  a row per calendar day: first_purchases, repeat_purchases; None: not known
    """

    summary: pd.DataFrame
    as_of: date
    days: pd.DataFrame | None = None
    activity: pd.DataFrame | None = None
