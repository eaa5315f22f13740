"""When money comes: new against returning by month, the season, and how soon a category returns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from clv import columns as c
from clv.customers.seasons import category_gaps, monthly_value, season
from clv.report.known import Known, figure, figures

#: The latest months that a chart shows.
MOST_MONTHS = 24
MOST_CATEGORIES = 12


def months(known: Known) -> list[dict[str, Any]]:
    """Value and customers of each month, new and returning; the month of `as_of` may be open."""
    found = monthly_value(known.orders, known.as_of).tail(MOST_MONTHS)
    return [
        {"month": pd.Timestamp(day).date(), **{str(n): figure(v) for n, v in row.items()}}
        for day, row in zip(found.index, found.to_dict("records"), strict=True)
    ]


def season_of(known: Known) -> list[float | None]:
    """January to December against the mean month; None where there is too little history."""
    return figures(season(known.orders, known.as_of))


def categories(known: Known) -> list[dict[str, Any]]:
    """How soon each category is bought again."""
    if c.CATEGORY not in known.lines.columns or known.lines[c.CATEGORY].isna().all():
        return []
    found = category_gaps(known.lines, known.as_of).head(MOST_CATEGORIES)
    return [
        {"category": name, **{str(n): figure(v) for n, v in row.items()}}
        for name, row in zip(found.index, found.to_dict("records"), strict=True)
    ]
