"""The time between purchases: who is overdue, when the next order is due, whom to win back.

A customer with few gaps says little about the usual one: the mean of n gaps is drawn to the shop's
mean with the weight of k gaps (credibility: Bühlmann, H. & Straub, E. (1970), Glaubwürdigkeit für
Schadensätze, Mitteilungen der Vereinigung schweizerischer Versicherungsmathematiker 70, 111-133),

    expected gap = (sum of gaps + k shop's mean) / (n + k),   k = s^2 / tau^2

with s^2 the variance of a customer's gaps and tau^2 that of the customers' means. The shop's mean
is that of its customers' means, each with the weight n / (n + k), since the plain mean of all gaps
is that of the few who buy most. Only gaps that have ended are seen, so expected gaps are somewhat
short, the more the younger the shop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import BadSettings
from clv.summary import money
from clv.transaction_rows import epoch_days, whole_day
from clv.transactions import AsOf

Floats = NDArray[np.float64]

#: The weight of the shop's mean is that of so many gaps, at least and at most.
LEAST_WEIGHT, MOST_WEIGHT = 0.5, 20.0
#: The same where nobody has two gaps, so that nothing tells.
USUAL_WEIGHT = 2.0
#: A next order further away, or of a customer less likely active, is no news.
WITHIN_DAYS = 3 * 365
LEAST_P_ALIVE = 0.1


@dataclass(frozen=True)
class WinBack:
    """Who is worth a letter. Raises BadSettings.

    Valuable: among the `top_share` of customers by value, with at least `least_purchases` purchase
    days. Slipping: silent for `overdue` times the expected gap or, where it is known, with
    `p_alive` at most this. Whoever has been silent `lost` times the expected gap is not written to.
    """

    top_share: float = 0.2
    least_purchases: int = 2
    overdue: float = 2.0
    p_alive: float = 0.5
    lost: float = 20.0

    def __post_init__(self) -> None:
        if not (0 < self.top_share <= 1 and 0 <= self.p_alive <= 1):
            raise BadSettings("shares lie between 0 and 1", **vars(self))
        if not 0 < self.overdue < self.lost:
            raise BadSettings("overdue must lie between 0 and lost", **vars(self))


def purchase_gaps(days: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """How regularly each customer buys, by customer_id. `days` as `purchase_days` gives them.

    gaps (number), mean_gap_days, median_gap_days, last_gap_days (NaN without a gap),
    days_since_last_order, expected_gap_days, overdue_factor = days since over the expected gap
    (both NaN while nobody in the shop has a gap), last_order_on. Raises BadSettings.
    """
    day = days[c.DAY].to_numpy().astype("datetime64[D]").astype(np.int64)
    starts = np.flatnonzero(~days[c.CUSTOMER_ID].duplicated().to_numpy())
    ends = np.append(starts, len(day))[1:]
    last = day[ends - 1]
    if len(day) and last.max() > whole_day(as_of):
        raise BadSettings("there are purchases after as_of", as_of=str(as_of))
    n = (ends - starts - 1).astype(np.float64)
    total = (last - day[starts]).astype(np.float64)
    gap = np.diff(day, prepend=0).astype(np.float64)
    gap[starts] = np.nan
    who = np.repeat(np.arange(len(starts)), ends - starts)
    expected = expected_gaps(gap, who, n, total)
    since = (whole_day(as_of) - last).astype(np.float64)
    return pd.DataFrame(
        {
            "gaps": n.astype(np.int64),
            "mean_gap_days": _over(total, n),
            "median_gap_days": _medians(gap, who, starts, n),
            "last_gap_days": gap[ends - 1],
            c.DAYS_SINCE_LAST_ORDER: since.astype(np.int64),
            "expected_gap_days": expected,
            "overdue_factor": since / expected,
            c.LAST_ORDER_ON: days[c.DAY].to_numpy()[ends - 1],
        },
        index=pd.Index(days[c.CUSTOMER_ID].iloc[starts], name=c.CUSTOMER_ID),
    )


def expected_gaps(gap: Floats, who: NDArray[np.intp], n: Floats, total: Floats) -> Floats:
    """Each customer's mean gap drawn to the shop's. `gap` by purchase day, NaN for first ones."""
    some = n > 0
    if not some.any():
        return np.full(len(n), np.nan)
    k = _weight(gap, who, n, total)
    shop = float((total[some] / (n[some] + k)).sum() / (n[some] / (n[some] + k)).sum())
    return (total + k * shop) / (n + k)


def _weight(gap: Floats, who: NDArray[np.intp], n: Floats, total: Floats) -> float:
    """k: how many gaps the shop's mean is worth."""
    some = n > 0
    gaps, customers = float(n.sum()), int(some.sum())
    if gaps == customers:
        return USUAL_WEIGHT
    mean = _over(total, n)
    within = float(np.nansum((gap - mean[who]) ** 2)) / (gaps - customers)
    spread = float(n[some] @ (mean[some] - total.sum() / gaps) ** 2) - (customers - 1) * within
    between = spread / max(gaps - float(n @ n) / gaps, 1e-9)
    if between <= 0:
        return MOST_WEIGHT
    return float(np.clip(within / between, LEAST_WEIGHT, MOST_WEIGHT))


def _over(total: Floats, n: Floats) -> Floats:
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _medians(gap: Floats, who: NDArray[np.intp], starts: NDArray[np.intp], n: Floats) -> Floats:
    """The median of each customer's `n` gaps: sorted, first days last since theirs is NaN."""
    ordered = gap[np.lexsort((gap, who))]
    many = n.astype(np.intp)
    low, high = starts + np.maximum(many - 1, 0) // 2, starts + many // 2
    medians: Floats = (ordered[low] + ordered[high]) / 2
    return medians


def next_order_on(gaps: pd.DataFrame, as_of: AsOf, p_alive: pd.Series | None = None) -> pd.Series:
    """The day on which each customer's next order is due, never before `as_of`; NaT when never.

    The last order plus the expected gap and, when that day has passed, `as_of`: overdue is due
    now. Never: no gap is known, it is more than three years away, or `p_alive` (by customer_id;
    NaN says nothing) is below LEAST_P_ALIVE. `gaps` as `purchase_gaps` gives them.
    """
    expected = gaps["expected_gap_days"].to_numpy()
    wait = np.maximum(np.ceil(expected - gaps[c.DAYS_SINCE_LAST_ORDER].to_numpy()), 0)
    never = ~(wait <= WITHIN_DAYS)
    if p_alive is not None:
        never |= (p_alive.reindex(gaps.index) < LEAST_P_ALIVE).to_numpy()
    day = whole_day(as_of) + np.where(never, 0, wait).astype(np.int64)
    due = np.where(never, np.datetime64("NaT", "ns"), epoch_days(day))
    return pd.Series(due, index=gaps.index, name=c.NEXT_ORDER_ON)


def win_back(
    gaps: pd.DataFrame,
    value: pd.Series,
    rule: WinBack | None = None,
    p_alive: pd.Series | None = None,
) -> pd.Series:
    """Who is valuable and slipping, by customer_id. `gaps` as `purchase_gaps` gives them.

    `value` by customer_id: what customers brought so far, since what the models expect of somebody
    who is leaving is low by nature. Customers without value are never flagged.
    """
    rule = rule or WinBack()
    worth = pd.Series(money(value.to_frame("value"), "value"), index=value.index)
    worth = worth.reindex(gaps.index)
    from_here = worth[worth > 0].quantile(1 - rule.top_share)
    valuable = (worth >= from_here) & (gaps["gaps"] + 1 >= rule.least_purchases)
    silence = gaps["overdue_factor"]
    slipping = silence >= rule.overdue
    if p_alive is not None:
        slipping |= p_alive.reindex(gaps.index) <= rule.p_alive
    return (valuable & slipping & ~(silence >= rule.lost)).rename("win_back")
