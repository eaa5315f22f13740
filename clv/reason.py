"""Why a customer has this tier, in one plain sentence of at most 255 ASCII characters.

It stays on the customer until something changes, so it says dates, not how long ago.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clv.forecast import SHOP_AVERAGE, TOO_LITTLE_DATA

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: ISO 4217 for money of which nobody said what it is.
NO_CURRENCY = "XXX"

#: Purchases too few for a figure, and an order that brings nothing, in words.
HARDLY = "hardly any more orders expected"
NOTHING = "no net value expected"
#: Percents of certainty that nobody gets to.
OVER, UNDER = 101, 102
#: A rule forecast them, and rules know nothing of who has left.
UNTOLD = -3

#: What a forecast without the models says of itself.
CAVEATS = {
    TOO_LITTLE_DATA: " by the shop's average (too little data for a model)",
    SHOP_AVERAGE: " by the shop's average (no model could be fitted)",
}


@dataclass(frozen=True)
class Facts:
    """What the sentences are made of, one value per customer each.

    Arrow arrays: `tier` texts, `orders` int64, `net` and `spend` decimals to the cent,
    `last_order_on` dates. `came_back` on a later day than the first. `p_alive` is NaN where nothing
    is known.
    """

    tier: pa.Array
    orders: pa.Array
    net: pa.Array
    last_order_on: pa.Array
    came_back: Bools
    purchases: Floats
    spend: pa.Array
    p_alive: Floats


def sentences(facts: Facts, *, currency: str, horizon_days: int, model: str) -> pa.Array:
    """One sentence per customer. Nothing in it says who the customer is.

    All but the money is shared by many: such parts are made once for each value that occurs.
    """
    unit = "" if currency == NO_CURRENCY else f"{currency} "
    orders = facts.orders.to_numpy(zero_copy_only=False)
    tenths = np.rint(facts.purchases * 10).astype(np.int64)
    worth = pc.greater(facts.spend, pa.scalar(0, facts.spend.type)).to_numpy(zero_copy_only=False)
    told = worth & (tenths > 0)
    spend = pc.if_else(told, facts.spend.cast(pa.string()), "")
    end = f" in the next {horizon_days} days{CAVEATS.get(model, '')}"
    certain = "" if model in CAVEATS else _certainty(facts.p_alive, orders == 1, facts.came_back)
    return pc.binary_join_element_wise(
        facts.tier, _counted(orders, unit), facts.net.cast(pa.string()),
        _last_on(facts.last_order_on, orders == 1), _expected(tenths, worth, unit),
        spend, pc.if_else(told, f" expected{end}", end), certain, ".", "",
    )  # fmt: skip


def _counted(orders: Ints, unit: str) -> pa.Array:
    def texts(orders: pa.Array) -> pa.Array:
        many = _joined(": ", orders.cast(pa.string()), f" orders worth {unit}")
        return pc.if_else(pc.equal(orders, 1), f": 1 order worth {unit}", many)

    return _shared(orders, texts)


def _last_on(days: pa.Array, once: Bools) -> pa.Array:
    def texts(codes: pa.Array) -> pa.Array:
        signed = codes.to_numpy()
        day = pa.array((signed >> 1).astype(np.int32)).cast(pa.date32()).cast(pa.string())
        words = pc.if_else(signed & 1 == 1, " net, on ", " net, the last on ")
        return _joined(words, day, "; ")

    numbers = days.cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.int64)
    return _shared(numbers * 2 + once, texts)


def _expected(tenths: Ints, worth: Bools, unit: str) -> pa.Array:
    """What stands before the money that an order will bring, and all of it where there is none."""

    def texts(codes: pa.Array) -> pa.Array:
        some, tenths = codes.to_numpy() & 1 == 1, codes.to_numpy() >> 1
        whole, tenth = (pa.array(part).cast(pa.string()) for part in np.divmod(tenths, 10))
        of = pc.if_else(some, f" more orders of about {unit}", f" more orders of {NOTHING}")
        return pc.if_else(tenths == 0, HARDLY, _joined(whole, ".", tenth, of))

    return _shared(tenths * 2 + worth, texts)


def _certainty(p_alive: Floats, once: Bools, came_back: Bools) -> pa.Array:
    """By the percent; where nothing is known of somebody who bought on one day alone, why."""
    known = ~np.isnan(p_alive)
    percent = np.rint(np.nan_to_num(p_alive) * 100).astype(np.int64)
    percent = np.select(
        (p_alive > 0.99, p_alive < 0.01, known, came_back), (OVER, UNDER, percent, UNTOLD), once - 2
    )

    def texts(codes: pa.Array) -> pa.Array:
        numbers = codes.to_numpy()
        likely = pc.if_else(numbers == OVER, "over 99", codes.cast(pa.string()))
        likely = pc.if_else(numbers == UNDER, "under 1", likely)
        judged = pc.if_else(numbers == -1, "one order", "one day of orders")
        judged = _joined(", judged by ", judged, " only")
        judged = pc.if_else(numbers == UNTOLD, "", judged)
        return pc.if_else(numbers < 0, judged, _joined(", ", likely, "% likely still active"))

    return _shared(percent, texts)


def _shared(codes: Ints, texts: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """The text of each code, made once for every one that occurs."""
    places, occurring = pd.factorize(codes)
    return texts(pa.array(occurring)).take(pa.array(places))


def _joined(*parts: Any) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")
