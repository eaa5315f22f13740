"""The CDNOW purchases: 23,570 customers who first bought in early 1997, and a tenth of them.

Fader, P. S. & Hardie, B. G. S., Notes on the CDNOW Master Data Set. Calibration ends on 1997-09-30,
the holdout 39 weeks later.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

CALIBRATION_ENDS = pd.Timestamp("1997-09-30")
HOLDOUT_DAYS = 273
FILES = {"sample": "cdnow_sample.txt", "full": "cdnow_master.txt"}


def purchase_days(folder: Path, which: str) -> pd.DataFrame:
    """customer_id, date, value of `sample` or `full`: the orders of a day added up."""
    (path,) = (p for p in folder.iterdir() if p.name.lower() == FILES[which])
    names = ["customer_id", "date", "cds", "value"]
    lines = pd.read_csv(path, sep=r"\s+", header=None, dtype=str)
    lines = lines[lines.iloc[:, -3].str.isdigit()].iloc[:, -4:].set_axis(names, axis=1)
    lines["date"] = pd.to_datetime(lines.date, format="%Y%m%d")
    lines["value"] = lines.value.astype(float)
    return lines.groupby(["customer_id", "date"], as_index=False).value.sum()


def calibration(days: pd.DataFrame) -> pd.DataFrame:
    """The summary at the end of the calibration: frequency, recency, T, monetary_value, net."""
    until = days[days.date <= CALIBRATION_ENDS]
    per = until.groupby("customer_id")
    dates = per.date.agg(["min", "max", "count"])
    repeat = until[until.date > per.date.transform("min")]
    return pd.DataFrame(
        {
            "frequency": dates["count"] - 1,
            "recency": (dates["max"] - dates["min"]).dt.days,
            "T": (CALIBRATION_ENDS - dates["min"]).dt.days,
            "monetary_value": repeat.groupby("customer_id").value.mean(),
            "net": per.value.sum(),
        }
    ).fillna({"monetary_value": 0.0})


def holdout(days: pd.DataFrame, customers: pd.Index) -> pd.DataFrame:
    """What each of `customers` did afterwards: purchases and spend."""
    after = days[days.date > CALIBRATION_ENDS].groupby("customer_id").value
    seen = pd.DataFrame({"purchases": after.size(), "spend": after.sum()})
    return seen.reindex(customers, fill_value=0)
