"""The season of a shop: by how much each day of the year speeds up or slows down buying.

An active customer buys at lambda s(d) on calendar day d. With W(d) the running sum of s, purchases
are what a plain model says in operational time W: a year is 365 operational days long, but a day
before Christmas may be three and a day in summer half a one. Days are counted from 1970-01-01; the
rate s(d) holds from the end of day d - 1 to the end of day d, as in a summary whose `T` counts the
days behind the first.
"""

# ruff: noqa: N806 -- the papers' own letters

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache, cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv import columns as c
from clv.errors import BadSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Days of a leap year, and the place of February 29 among them.
SLOTS, LEAP_DAY = 366, 59
#: The calendar repeats itself after 400 years.
CYCLE = 146_097


@dataclass(frozen=True)
class SeasonalIndex:
    """s by day of the year: 366 factors above zero, January 1 to December 31 of a leap year.

    Their mean without February 29 is 1. `SeasonalIndex.of` takes factors of any mean.
    """

    factors: tuple[float, ...]

    def __post_init__(self) -> None:
        factors = np.asarray(self.factors)
        if factors.shape != (SLOTS,) or not np.all((factors > 0) & np.isfinite(factors)):
            raise BadSettings("a season needs 366 factors above zero", factors=len(self.factors))

    @classmethod
    def of(cls, factors: Sequence[float] | Floats) -> Self:
        """An index of 365 or 366 factors, scaled to a mean of 1; raises BadSettings.

        Without a factor of its own, February 29 takes the mean of its neighbours.
        """
        values = np.asarray(factors, dtype=np.float64)
        if len(values) == SLOTS - 1:
            values = np.insert(values, LEAP_DAY, values[LEAP_DAY - 1 : LEAP_DAY + 1].mean())
        if len(values) != SLOTS:
            return cls(tuple(values.tolist()))
        usual = np.delete(values, LEAP_DAY)
        return cls(tuple((values / usual.mean()).tolist()))

    @classmethod
    def flat(cls) -> Self:
        """No season: every day counts as one."""
        return cls((1.0,) * SLOTS)

    @property
    def is_flat(self) -> bool:
        return len(set(self.factors)) == 1

    def at(self, days: ArrayLike) -> Floats:
        """s of some days."""
        factors: Floats = np.asarray(self.factors)[slots(days)]
        return factors

    def running(self, days: ArrayLike) -> Floats:
        """W at the end of some days, whole or not (any shape): 0 at 1970-01-01."""
        cycles, rest = np.divmod(np.asarray(days, dtype=np.float64), CYCLE)
        whole = np.minimum(rest.astype(np.int64), CYCLE - 1)
        W = self._table
        within = W[whole] + (rest - whole) * (W[whole + 1] - W[whole])
        total: Floats = within + cycles * W[CYCLE]
        return total

    def calendar(self, running: ArrayLike) -> Floats:
        """The days at whose end W comes to `running`: the inverse of `running`."""
        W = self._table
        cycles, rest = np.divmod(np.asarray(running, dtype=np.float64), W[CYCLE])
        whole = np.minimum(np.searchsorted(W, rest, side="right") - 1, CYCLE - 1)
        days = whole + (rest - W[whole]) / (W[whole + 1] - W[whole])
        total: Floats = days + cycles * CYCLE
        return total

    def horizon(self, as_of: date, t: ArrayLike) -> Floats:
        """Operational time in the next `t` days (any shape): W(as_of + t) - W(as_of)."""
        now = day_number(as_of)
        return self.running(now + np.asarray(t, dtype=np.float64)) - self.running(now)

    def operational(self, summary: pd.DataFrame, as_of: date) -> pd.DataFrame:
        """The summary with `T`, and `recency` where it has one, in operational days.

        The first purchase was `T` days before `as_of`, the last `recency` days after it. A column
        `log_waits` is left out: no summary can tell what it would be.
        """
        age = summary[c.T].to_numpy(dtype=np.float64)
        first = day_number(as_of) - age
        start = self.running(first)
        measured = {c.T: self.running(day_number(as_of)) - start}
        if c.RECENCY in summary.columns:
            recency = summary[c.RECENCY].to_numpy(dtype=np.float64)
            # Rounding is monotone, so that the last purchase never comes after the scoring day.
            measured[c.RECENCY] = self.running(first + recency) - start
        return summary.drop(columns=c.LOG_WAITS, errors="ignore").assign(**measured)

    def to_json(self) -> str:
        """The factors as JSON text, to the last digit."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The index that `to_json` wrote."""
        return cls(tuple(json.loads(text)["factors"]))

    @cached_property
    def _table(self) -> Floats:
        """W at the end of each day of one cycle of the calendar, from 1970-01-01 on."""
        daily = self.at(np.arange(1, CYCLE + 1))
        return np.concatenate([[0.0], np.cumsum(daily)])


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def slots(days: ArrayLike) -> Ints:
    """The place of some whole days within a leap year, 0 to 365."""
    places: Ints = _slots_of_cycle()[np.asarray(days, dtype=np.int64) % CYCLE]
    return places


@cache
def _slots_of_cycle() -> Ints:
    """The places of all days of a cycle of the calendar, from 1970-01-01 on."""
    when = np.arange(CYCLE).astype("datetime64[D]")
    year = when.astype("datetime64[Y]")
    ordinal = (when - year.astype("datetime64[D]")).astype(np.int64)
    length = ((year + 1).astype("datetime64[D]") - year.astype("datetime64[D]")).astype(np.int64)
    places: Ints = ordinal + ((length < SLOTS) & (ordinal >= LEAP_DAY))
    return places
