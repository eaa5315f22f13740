"""How good a forecast was, once it is known what customers did.

e  expected purchases of a customer within the horizon   n  the purchases that came
v  expected spend within the horizon, not discounted     y  the spend that came

All customers count, the silent ones too. Every figure is independent of the order of the rows:
customers of one prediction share what falls to them together.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Groups of a calibration table: deciles.
GROUPS = 10
#: The customers whose share of all spend is looked at: the best tenth.
TOP = 10


class Actual(NamedTuple):
    """What came after the origin, one value per customer; spend is net of the refunds till then."""

    purchases: Floats
    spend: Floats


@dataclass(frozen=True)
class Metrics:
    """One forecast against what came. NaN where a figure has no meaning, as when nothing came.

    `mae`, `rmse`         of purchases, per customer
    `bias_purchases`      sum e / sum n - 1; `bias_spend` the same of v and y
    `rank_correlation`    Spearman's, of e and n
    `top_decile_spend`    share of all spend that the tenth of highest v brought
    `gini_spend`          of y ordered by v, as a share of the Gini of y ordered by itself
    `calibration_error`   sum of |e - n| over tenths of customers by e, as a share of sum n
    """

    customers: int
    mae: float
    rmse: float
    bias_purchases: float
    bias_spend: float
    rank_correlation: float
    top_decile_spend: float
    gini_spend: float
    calibration_error: float

    def as_dict(self) -> dict[str, float | int | None]:
        """Plain JSON values: None where a figure has no meaning."""
        return {name: value if value == value else None for name, value in asdict(self).items()}


def measured(purchases: Floats, spend: Floats, actual: Actual) -> Metrics:
    """All figures of one forecast: expected purchases and undiscounted spend per customer."""
    n, y = actual
    return Metrics(
        customers=len(n),
        mae=mean_absolute_error(purchases, n),
        rmse=root_mean_squared_error(purchases, n),
        bias_purchases=bias(purchases, n),
        bias_spend=bias(spend, y),
        rank_correlation=rank_correlation(purchases, n),
        top_decile_spend=top_share(spend, y),
        gini_spend=normalised_gini(spend, y),
        calibration_error=calibration_error(purchases, n),
    )


def mean_absolute_error(e: Floats, n: Floats) -> float:
    """It rewards the median: on its own it likes forecasts of nothing best, where most buy none."""
    return float(np.abs(e - n).mean()) if len(n) else float("nan")


def root_mean_squared_error(e: Floats, n: Floats) -> float:
    """It rewards the expected value, which is what a forecast states."""
    return float(np.sqrt(np.square(e - n).mean())) if len(n) else float("nan")


def bias(expected: Floats, came: Floats) -> float:
    """How much the total is too high, as a share of what came: -0.13 is 13% too low."""
    total = float(came.sum())
    return float(expected.sum()) / total - 1 if total > 0 else float("nan")


def rank_correlation(e: Floats, n: Floats) -> float:
    """Spearman's: Pearson's of the ranks, ties at their mean rank."""
    ranks = [pd.Series(values).rank().to_numpy(dtype=np.float64) for values in (e, n)]
    a, b = (rank - rank.mean() if len(rank) else rank for rank in ranks)
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 0 else float("nan")


def top_share(v: Floats, y: Floats, *, one_in: int = TOP) -> float:
    """The share of all spend that the customers of highest v brought, one in `one_in`."""
    total, many = float(y.sum()), max(len(v) // one_in, 1)
    if not total > 0:
        return float("nan")
    last = np.partition(v, len(v) - many)[len(v) - many]
    above, at = v > last, v == last
    places = (many - int(above.sum())) / int(at.sum())
    return float(y[above].sum() + places * y[at].sum()) / total


def normalised_gini(v: Floats, y: Floats) -> float:
    """How well v orders customers by what they spent: 1 as y itself would, 0 as by lot."""
    best = gini(y, y)
    return gini(v, y) / best if best > 0 else float("nan")


def gini(v: Floats, y: Floats) -> float:
    """Twice the area between the gains curve of y, highest v first, and the diagonal."""
    total = float(y.sum())
    if not total > 0:
        return float("nan")
    groups, rows = np.unique(-v, return_inverse=True)
    spent, many = (np.bincount(rows, w, minlength=len(groups)) for w in (y, np.ones_like(y)))
    gains = np.append(0.0, np.cumsum(spent)) / total
    share = np.append(0.0, np.cumsum(many)) / len(y)
    return float(2 * np.trapezoid(gains, share) - 1)


def calibration(e: Floats, n: Floats, groups: int = GROUPS) -> pd.DataFrame:
    """Expected against actual purchases: a row per tenth of customers, lowest e first.

    Columns customers, expected, actual (means per customer). Customers of one e stay together, so
    there may be fewer groups.
    """
    rank = pd.Series(e).rank().to_numpy(dtype=np.float64)
    tenth = np.ceil(rank * groups / max(len(e), 1)).astype(np.int64)
    table = pd.DataFrame({"group": tenth, "expected": e, "actual": n}).groupby("group")
    means: pd.DataFrame = table.mean()
    means.insert(0, "customers", table.size())
    return means.reset_index(drop=True)


def calibration_error(e: Floats, n: Floats, groups: int = GROUPS) -> float:
    """How far the tenths' totals are off, as a share of all purchases; at least |bias|."""
    total = float(n.sum())
    if not total > 0:
        return float("nan")
    table = calibration(e, n, groups)
    off = table["customers"] * (table["expected"] - table["actual"]).abs()
    return float(off.sum()) / total
