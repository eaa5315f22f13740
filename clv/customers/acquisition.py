"""What winning a customer costs per channel, whether it pays, and when.

CAC = spend on a channel in a period / customers whose first purchase fell into it. A customer
should be worth three times that. The value of customers by age is Nelson's mean cumulative
function, in which everybody counts for as long as they were seen, so that young customers don't
look poor (Nelson, W. (1988), Graphical Analysis of System Repair Data, Journal of Quality
Technology 20, 24-35):

    M(d) = sum over ages u <= d of (value that came at age u) / (customers seen to age u)
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import BadSettings
from clv.formula import CLV_PER_CAC
from clv.summary import money
from clv.transaction_rows import NEVER, amounts, read, whole_day
from clv.transactions import AsOf

Floats = NDArray[np.float64]

#: A curve ends where fewer customers than this are old enough.
LEAST_CUSTOMERS = 10

WORTH_IT, THIN, LOSS, UNKNOWN = "worth it", "below three times CAC", "loses money", "unknown"


def cac_by_channel(
    spend: Mapping[str, Decimal | float],
    channel: pd.Series,
    first_order_on: pd.Series,
    *,
    start: AsOf,
    end: AsOf,
) -> pd.DataFrame:
    """CAC of each channel from `start` to `end`, both included, by channel.

    `spend` of the period by channel; `channel` and `first_order_on` by customer_id, as `first_of`
    and `summarise` give them. Columns spend (NaN where not told: unknown, not free),
    new_customers, cac (NaN without spend told or without customers). Customers without a channel
    stand under NaN. Raises BadSettings.
    """
    _require_spend(spend)
    if whole_day(start) > whole_day(end):
        raise BadSettings("the period ends before it starts", start=str(start), end=str(end))
    day = first_order_on.to_numpy().astype("datetime64[D]").astype(np.int64)
    new = (day >= whole_day(start)) & (day <= whole_day(end))
    won = channel.reindex(first_order_on.index)[new].value_counts(dropna=False)
    table = pd.DataFrame(index=_union(spend, won), columns=[])
    table["spend"] = [float(spend.get(name, np.nan)) for name in table.index]
    table["new_customers"] = [int(won.get(name, 0)) for name in table.index]
    customers = table["new_customers"].to_numpy(dtype=np.float64)
    table["cac"] = table["spend"] / np.where(customers > 0, customers, np.nan)
    return table


def _union(spend: Mapping[str, Decimal | float], won: pd.Series) -> pd.Index:
    """All channels, those that were paid for first."""
    others = [name for name in won.index if name not in spend]
    return pd.Index([*spend, *others], dtype=object, name=c.CHANNEL)


def _require_spend(spend: Mapping[str, Decimal | float]) -> None:
    for name, amount in spend.items():
        if not 0 <= amount < float("inf"):
            raise BadSettings("spend is an amount of 0 or more", channel=name, spend=amount)


def clv_per_cac(clv: pd.Series, channel: pd.Series, cac: pd.Series) -> pd.DataFrame:
    """The 3x rule by channel: customers, mean clv, cac, ratio, max_cac and a verdict.

    `clv` (at margin, or the ratio flatters) and `channel` by customer_id, `cac` by channel. The
    verdict is `worth it` from a ratio of 3 on, `below three times CAC`, `loses money` below 1, or
    `unknown` where CAC is. Customers that cost nothing have no ratio and are worth it.
    """
    worth = pd.Series(money(clv.to_frame("clv"), "clv"), index=clv.index)
    by = worth.groupby(channel.reindex(clv.index), dropna=False)
    table = pd.DataFrame({"customers": by.count(), "mean_clv": by.mean()})
    mean = table["mean_clv"].to_numpy(dtype=np.float64)
    cost = cac.reindex(table.index).to_numpy(dtype=np.float64, na_value=np.nan)
    table["cac"] = cost
    table["ratio"] = mean / np.where(cost > 0, cost, np.nan)
    table["max_cac"] = np.maximum(mean, 0) / CLV_PER_CAC
    table["verdict"] = np.select(
        [np.isnan(cost) | np.isnan(mean), mean >= CLV_PER_CAC * cost, mean >= cost],
        [UNKNOWN, WORTH_IT, THIN],
        LOSS,
    )
    return table


def value_by_age(
    transactions: pd.DataFrame,
    as_of: AsOf,
    *,
    group: pd.Series | None = None,
    value: str = c.NET_VALUE,
) -> pd.DataFrame:
    """M(d): cumulative value per customer by days since the first purchase, a column per group.

    `group` by customer_id, such as the first channel; None: one column, `all`. `value` names the
    column added up, such as a margin; missing amounts add nothing. NaN where fewer than
    LEAST_CUSTOMERS were seen that long. Raises BadTransactions, BadSettings.
    """
    rows = read(transactions, as_of)
    amount = amounts(transactions, rows, value)
    born = rows.first_day
    buyers = born < NEVER
    oldest = whole_day(as_of) - born
    labels = pd.Series("all", index=rows.customers) if group is None else group
    codes, names = pd.factorize(labels.reindex(rows.customers), sort=True)
    size = int(oldest[buyers].max()) + 1 if buyers.any() else 0
    curves = {}
    for code, name in enumerate(names):
        member = buyers & (codes == code)
        kept = member[rows.who]
        age = np.maximum(rows.day[kept] - born[rows.who[kept]], 0)
        curves[name] = _mean_cumulative(age, amount[kept], oldest[member], size)
    return pd.DataFrame(curves, index=pd.RangeIndex(size, name="age_days"))


def _mean_cumulative(
    age: NDArray[np.int64], amount: Floats, oldest: NDArray[np.int64], size: int
) -> Floats:
    """M(d) for d from 0 to `size` - 1. `oldest`: how long each customer was seen."""
    seen = np.bincount(oldest, minlength=size)[::-1].cumsum()[::-1].astype(np.float64)
    came = np.bincount(age, amount, size).astype(np.float64)
    mean = np.cumsum(came / np.maximum(seen, 1))
    return np.where(seen >= LEAST_CUSTOMERS, mean, np.nan)


def payback_days(curve: pd.DataFrame, cac: pd.Series) -> pd.Series:
    """The first age in days at which a channel's customers have paid for themselves.

    `curve` as `value_by_age` gives it, by channel and best at margin; `cac` by channel. NaN where
    that isn't seen (yet) or CAC is unknown.
    """
    cost = cac.reindex(curve.columns).to_numpy(dtype=np.float64, na_value=np.nan)
    paid = curve.to_numpy(dtype=np.float64) >= cost
    first = paid.argmax(axis=0) if len(paid) else np.zeros(len(cost))
    days = np.where(paid.any(axis=0), first, np.nan)
    return pd.Series(days, index=curve.columns.rename(c.CHANNEL), name="payback_days")
