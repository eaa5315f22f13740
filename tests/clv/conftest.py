"""The CDNOW customers, as the models and as the order store would summarise them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

CALIBRATION_ENDS = pd.Timestamp("1997-09-30")


@pytest.fixture(scope="session")
def cdnow() -> pd.DataFrame:
    """The 1/10 sample in days: frequency, recency, T, monetary_value, net."""
    return pd.read_csv(Path(__file__).parent / "data" / "cdnow_sample_summary.csv.gz")


@pytest.fixture(scope="session")
def cdnow_weeks(cdnow: pd.DataFrame) -> pd.DataFrame:
    """The same in weeks, unrounded: the unit of the paper."""
    return cdnow.assign(recency=cdnow.recency / 7, T=cdnow["T"] / 7)


@pytest.fixture(scope="session")
def summarise_cdnow(shared: Path) -> Callable[[str], pd.DataFrame]:
    """Summaries of the transactions themselves: of `sample` or `master`, in days."""

    def summarise(which: str) -> pd.DataFrame:
        names = ["id", "date", "cds", "value"]
        if which == "sample":
            names = ["master_id", *names]
        lines = pd.read_csv(
            shared / "data" / f"cdnow_{which}.txt",
            sep=r"\s+",
            skiprows=0 if which == "sample" else 1,
            names=names,
            parse_dates=["date"],
            date_format="%Y%m%d",
        )
        lines = lines[lines.date <= CALIBRATION_ENDS]
        days = lines.groupby(["id", "date"], as_index=False).value.sum()
        first = days.groupby("id").date.transform("min")
        per = days.groupby("id")
        dates = per.date.agg(["min", "max", "count"])
        return pd.DataFrame(
            {
                "frequency": dates["count"] - 1,
                "recency": (dates["max"] - dates["min"]).dt.days,
                "T": (CALIBRATION_ENDS - dates["min"]).dt.days,
                "monetary_value": days[days.date > first].groupby("id").value.mean(),
                "net": per.value.sum().round(2),
            }
        ).reset_index()

    return summarise


def as_stored(customers: pd.DataFrame, currency: str = "EUR") -> pd.DataFrame:
    """What the order store would say about these customers, one order a purchase day."""
    net = [Decimal(str(value)) for value in customers.net]
    return pd.DataFrame(
        {
            "shop": "eu",
            "person_key": [f"{number:08d}" for number in range(len(customers))],
            "customer_id": [str(number) for number in range(len(customers))],
            "currency": currency,
            "frequency": customers.frequency.to_numpy(),
            "recency": customers.recency.to_numpy(),
            "T": customers["T"].to_numpy(),
            "monetary_value": customers.monetary_value.to_numpy(),
            "days_since_last_order": (customers["T"] - customers.recency).to_numpy(),
            "first_order_on": None,
            "last_order_on": None,
            "orders": customers.frequency.to_numpy() + 1,
            "units": 1,
            "gross": net,
            "refunds": [Decimal(0)] * len(net),
            "net": net,
            "margin": None,
        }
    )


@pytest.fixture(scope="session")
def stored(cdnow: pd.DataFrame) -> pd.DataFrame:
    """The sample as the order store would summarise it."""
    return as_stored(cdnow)


@pytest.fixture(scope="session")
def people() -> Callable[[list[tuple[int, int, int, float]]], pd.DataFrame]:
    """Stored customers from (frequency, recency, T, net)."""

    def build(rows: list[tuple[int, int, int, float]]) -> pd.DataFrame:
        frame = pd.DataFrame(rows, columns=["frequency", "recency", "T", "net"])
        return as_stored(frame.assign(monetary_value=float("nan")))

    return build
