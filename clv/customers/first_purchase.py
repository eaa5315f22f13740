"""What customers brought by how they came: first channel, product, category, coupon, country.

A group's mean is drawn to the shop's, the more the fewer customers it has, so that two lucky
customers don't lead the table. With s^2 the variance between customers and tau^2 that between
groups (DerSimonian, R. & Laird, N. (1986), Meta-analysis in Clinical Trials, Controlled Clinical
Trials 7, 177-188), the mean of n customers counts with the weight

    w = n tau^2 / (n tau^2 + s^2),   variance of the drawn mean = w s^2 / n
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.summary import money
from clv.transaction_rows import instants, read, require_column
from clv.transactions import AsOf

Floats = NDArray[np.float64]

#: 95% of a normal distribution lie within so many standard deviations.
Z = 1.959963984540054
#: Groups of fewer customers stand at the end of the table, whatever they brought.
LEAST_CUSTOMERS = 30


def first_of(transactions: pd.DataFrame, column: str, as_of: AsOf) -> pd.Series:
    """Each customer's `column` at the first purchase, by customer_id; missing stays missing.

    Of the lines of one instant the one that says something counts, then the most valuable, then
    the first by name. Raises BadTransactions, BadSettings.
    """
    require_column(transactions, column)
    rows = read(transactions, as_of)
    early = np.flatnonzero(rows.is_purchase & (rows.day == rows.first_day[rows.who]))
    said = transactions[column].iloc[rows.places[early]]
    when = instants(transactions[c.ORDERED_AT].iloc[rows.places[early]])
    name = pd.factorize(said.astype(str), sort=True)[0]
    order = np.lexsort((name, -rows.value[early], said.isna(), when, rows.who[early]))
    who = rows.who[early][order]
    first = np.flatnonzero(np.diff(who, prepend=-1))
    index = rows.customers[who[first]].rename(c.CUSTOMER_ID)
    return said.iloc[order[first]].set_axis(index)


def value_by(label: pd.Series, summary: pd.DataFrame, value: str = c.NET) -> pd.DataFrame:
    """What each group of customers is worth, best first.

    `label` by customer_id, as `first_of` gives it; `summary` by customer_id with frequency and
    `value` (net, or a predicted one). Customers without a label are a group of their own (index
    NaN). Columns: customers, repeat_rate with a 95% interval (Wilson, E. B. (1927), JASA 22,
    209-212), total, mean, median, and the drawn mean with its 95% interval. Groups of fewer than
    LEAST_CUSTOMERS come last.
    """
    worth = pd.Series(money(summary, value), index=summary.index)
    back = pd.Series(summary[c.FREQUENCY].to_numpy() > 0, index=summary.index)
    groups = label.reindex(summary.index)
    by = worth.groupby(groups, dropna=False)
    mean, repeat_rate = by.mean(), back.groupby(groups, dropna=False).mean()
    n = by.size().to_numpy().astype(np.float64)
    low, high = wilson(repeat_rate.to_numpy().astype(np.float64), n)
    drawn = drawn_means(mean.to_numpy().astype(np.float64), n, worth.to_numpy().astype(np.float64))
    table = pd.DataFrame(
        {
            "customers": by.size(),
            "repeat_rate": repeat_rate,
            "repeat_rate_low": low,
            "repeat_rate_high": high,
            "total": by.sum().round(6),
            "mean": mean,
            "median": by.median(),
            "drawn_mean": drawn.mean,
            "drawn_mean_low": drawn.mean - Z * drawn.standard_error,
            "drawn_mean_high": drawn.mean + Z * drawn.standard_error,
        }
    )
    return table.iloc[np.lexsort((-drawn.mean, n < LEAST_CUSTOMERS))]


@dataclass(frozen=True)
class Drawn:
    """Means of groups drawn to the mean of all, and how uncertain they are."""

    mean: Floats
    standard_error: Floats


def drawn_means(means: Floats, n: Floats, all_values: Floats) -> Drawn:
    """The groups' `means` of `n` customers each, drawn to the mean of `all_values`.

    s^2 is the variance of all customers: with that of the groups alone, a group that happens to
    agree would look certain. One group, or groups that differ no more than chance makes them,
    all get the shop's mean.
    """
    if not len(means):
        return Drawn(means, means)
    overall, s2 = float(all_values.mean()), float(all_values.var())
    spread = float(n @ (means - overall) ** 2) - (len(n) - 1) * s2
    tau2 = max(spread, 0.0) / max(float(n.sum() - n @ n / n.sum()), 1.0)
    if s2 == 0:
        return Drawn(means, np.zeros_like(means))
    weight = n * tau2 / (n * tau2 + s2)
    # Where the groups show no difference, the mean of all is as certain as all customers make it.
    variance = np.maximum(weight * s2 / n, s2 / n.sum())
    return Drawn(overall + weight * (means - overall), np.sqrt(variance))


def wilson(share: Floats, n: Floats) -> tuple[Floats, Floats]:
    """The 95% interval of a share seen in `n` customers: never outside 0 to 1."""
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return np.clip(centre - reach, 0, 1), np.clip(centre + reach, 0, 1)
