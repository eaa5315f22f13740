"""What the seasonal index is worth: fourth quarters forecast with it and without it.

python benchmarks/seasonal.py [customers] [seeds]

Simulated shops have two years of history up to September 30 and are asked for the 92 days behind
it. The real ones are read from ../shared/data where it is. Bias is forecast over actual purchases
less 1; `season` is the shape, `gain` Akaike's (above 0: keep the season).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from clv.errors import NotEnoughData
from clv.models.beta_geo import BetaGeoNBD
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.models.pareto_nbd import ParetoNBD
from clv.models.simulate import simulate
from clv.season.seasonal import Seasonal, SeasonalIndex
from clv.transactions import activity, purchase_days, summarise

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
AS_OF, HISTORY, HOLDOUT = date(2024, 9, 30), 730, 92
TRUTH = BetaGeoNBD(r=0.6, alpha=60.0, a=0.7, b=3.0)
MODELS = (BetaGeoNBD, ModifiedBetaGeoNBD, ParetoNBD)


def bump(day: int, width: int) -> np.ndarray:
    return np.exp(-0.5 * ((np.arange(365) - day) / width) ** 2)


SHAPES = {
    "Q4 peak": 1 + 1.6 * bump(340, 14) + 0.5 * bump(325, 30) - 0.5 * bump(364, 5),
    "summer dip": 1 - 0.5 * bump(205, 30),
    "mild": 1 + 0.15 * np.cos(2 * np.pi * (np.arange(365) - 330) / 365),
    "none": np.ones(365),
}


def shop(shape: str, growing: bool, customers: int, seed: int) -> pd.DataFrame:
    """History and holdout; the growing shop doubles its new customers each year."""
    days = HISTORY + HOLDOUT
    return simulate(
        TRUTH,
        customers,
        start=AS_OF - timedelta(days=HISTORY - 1),
        days=days,
        seed=seed,
        season=SeasonalIndex.of(SHAPES[shape]),
        acquisition=2 ** (np.arange(days) / 365 * growing),
    )


def figures(orders: pd.DataFrame, as_of: date, days: int, kind: type = BetaGeoNBD) -> dict:
    """Bias, mean absolute and root mean square error of both, over customers known on `as_of`."""
    summary = summarise(orders, as_of)
    bought = purchase_days(orders, as_of + timedelta(days=days))
    later = bought[bought.day > pd.Timestamp(as_of)].groupby("customer_id").size()
    actual = later.reindex(summary.index, fill_value=0).to_numpy(dtype=float)
    plain = kind.fit(summary)
    start = time.perf_counter()
    seasonal = Seasonal.fit(kind, summary, activity(purchase_days(orders, as_of)), as_of)
    found = {"seconds": time.perf_counter() - start, "gain": seasonal.gain}
    for name, model in (("plain", plain), ("seasonal", seasonal)):
        forecast = model.conditional_expected_purchases(days, summary)
        found[f"{name} bias"] = forecast.sum() / actual.sum() - 1
        found[f"{name} MAE"] = np.abs(forecast - actual).mean()
        found[f"{name} RMSE"] = np.sqrt(np.square(forecast - actual).mean())
    return found


def simulated(customers: int, seeds: int) -> None:
    rows = [
        {"season": shape, "growing": growing}
        | figures(shop(shape, growing, customers, s), AS_OF, HOLDOUT)
        for shape in SHAPES
        for growing in (False, True)
        for s in range(seeds)
    ]
    table = pd.DataFrame(rows)
    for name in ("plain", "seasonal"):
        table[f"{name} |bias|"] = table[f"{name} bias"].abs()
    means = table.groupby(["season", "growing"], sort=False).mean()
    means["ratio"] = means["seasonal |bias|"] / means["plain |bias|"]
    kept = table.assign(kept=table.gain > 0).groupby(["season", "growing"], sort=False).kept.sum()
    show(f"{customers:,} customers, means of {seeds} shops", means.assign(kept=kept))


def online_retail_ii() -> pd.DataFrame:
    years = ("Year_2009-2010.csv.gz", "Year_2010-2011.csv.gz")
    lines = pd.concat([pd.read_csv(DATA / name, dtype={"Invoice": str}) for name in years])
    return orders_of(lines.drop_duplicates(), "Customer ID", "Price", "Invoice")


def online_retail() -> pd.DataFrame:
    lines = pd.read_parquet(DATA / "online_retail.parquet")
    return orders_of(lines, "CustomerID", "UnitPrice", "InvoiceNo")


def orders_of(lines: pd.DataFrame, customer: str, price: str, invoice: str) -> pd.DataFrame:
    """Lines of known customers that are sold and not taken back."""
    sold = lines[customer].notna() & (lines.Quantity > 0) & (lines[price] > 0)
    lines = lines[sold & ~lines[invoice].astype(str).str.startswith("C")]
    return pd.DataFrame(
        {
            "customer_id": lines[customer].astype(float).astype(int),
            "ordered_at": pd.to_datetime(lines.InvoiceDate),
            "net_value": lines.Quantity * lines[price],
        }
    )


def real() -> Iterator[dict]:
    if not DATA.is_dir():
        return
    orders = online_retail_ii()
    for as_of, days in ((date(2011, 9, 30), 70), (date(2011, 8, 31), 100)):
        for kind in MODELS:
            shown = {"shop": "Online Retail II", "as of": as_of, "days": days, "model": kind.NAME}
            yield shown | figures(orders, as_of, days, kind)
    try:
        figures(online_retail(), date(2011, 9, 30), 70)
    except NotEnoughData as refusal:
        show(f"Online Retail, 13 months: {refusal}")


def show(title: str, table: pd.DataFrame | None = None) -> None:
    print(f"\n{title}")  # noqa: T201 -- the table
    if table is not None:
        print(table.round(3).to_string())  # noqa: T201 -- the table


if __name__ == "__main__":
    given = [int(number) for number in sys.argv[1:]]
    simulated(*given, *(20_000, 5)[len(given) :])
    show("Real shops", pd.DataFrame(list(real())))
