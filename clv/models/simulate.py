"""Shops that never were: transactions drawn from a model of purchases and one of spend."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv import columns as c
from clv.errors import BadSettings
from clv.models.gamma_gamma import GammaGamma
from clv.models.purchases import Purchases
from clv.season.index import SeasonalIndex, day_number

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NANOSECONDS_A_DAY = 86_400 * 10**9


def simulate(
    model: Purchases,
    customers: int,
    *,
    start: date,
    days: int,
    seed: int | np.random.Generator,
    spend: GammaGamma | None = None,
    season: SeasonalIndex | None = None,
    acquisition: ArrayLike | None = None,
) -> pd.DataFrame:
    """All purchases of `customers` new customers from `start` on, for `days` days.

    Columns customer_id (1 to `customers`), ordered_at (UTC), net_value (above 0, to the cent), in
    order of time. Customers come evenly over the period, or in proportion to `acquisition`, one
    weight for each day. `model` is fitted in days. With a `season` it rules operational time, so
    that a day before Christmas holds as many purchases as its factor says. Without `spend`, every
    purchase is worth 1. Raises BadSettings.
    """
    rng = np.random.default_rng(seed)
    first = _first_purchases(customers, _weights(acquisition, days), rng)
    who, at = _repeat_purchases(model, first, days, (season, day_number(start)), rng)
    who = np.concatenate([np.arange(customers), who])
    at = np.concatenate([first, at])
    order = np.argsort(at, kind="stable")
    who = who[order]
    return pd.DataFrame(
        {
            c.CUSTOMER_ID: who + 1,
            c.ORDERED_AT: _instants(at[order], start, days),
            c.NET_VALUE: _values(who, customers, spend, rng),
        }
    )


def _weights(acquisition: ArrayLike | None, days: int) -> Floats:
    """Each day's share of the new customers."""
    if days < 1:
        raise BadSettings("a simulation needs a day at least", days=days)
    weights = np.ones(days) if acquisition is None else np.asarray(acquisition, dtype=np.float64)
    if weights.shape != (days,) or not (np.all(weights >= 0) and 0 < weights.sum() < np.inf):
        raise BadSettings(
            "acquisition needs one weight of at least 0 for each day, and one above 0", days=days
        )
    shares: Floats = weights / weights.sum()
    return shares


def _first_purchases(customers: int, weights: Floats, rng: np.random.Generator) -> Floats:
    """When each customer comes, in days since the start."""
    day = rng.choice(len(weights), size=customers, p=weights)
    return np.sort(day + rng.random(customers))


def _repeat_purchases(
    model: Purchases,
    first: Floats,
    days: int,
    season: tuple[SeasonalIndex | None, int],
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], Floats]:
    """Who buys again, and when, in days since the start."""
    index, start = season
    if index is None:
        who, since = model.draw_histories(days - first, rng)
        return who, first[who] + since
    # The index takes a day's rate to hold until the day's end: midnight ends the day before.
    begins = index.running(start - 1 + first)
    who, since = model.draw_histories(index.running(start - 1 + days) - begins, rng)
    return who, index.calendar(begins[who] + since) - (start - 1)


def _instants(at: Floats, start: date, days: int) -> pd.DatetimeIndex:
    since = np.minimum((at * NANOSECONDS_A_DAY).astype(np.int64), days * NANOSECONDS_A_DAY - 1)
    return pd.DatetimeIndex(since + day_number(start) * NANOSECONDS_A_DAY, tz="UTC")


def _values(
    who: NDArray[np.intp], customers: int, spend: GammaGamma | None, rng: np.random.Generator
) -> Floats:
    """What each purchase is worth: a customer's own nu, then Gamma(p, nu); a cent at least."""
    if spend is None:
        return np.ones(len(who))
    nu = rng.gamma(spend.q, 1 / spend.v, customers)
    worth = rng.gamma(spend.p, size=len(who)) / np.maximum(nu[who], np.finfo(float).tiny)
    return np.maximum(np.round(worth, 2), 0.01)
