"""Why a customer has this tier, in one plain sentence of at most 255 ASCII characters.

It stays on the customer until something changes, so it says dates, not how long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clv.forecast import SHOP_AVERAGE, TOO_LITTLE_DATA

Floats = NDArray[np.float64]

#: ISO 4217 for money of which nobody said what it is.
NO_CURRENCY = "XXX"

#: What a forecast without the models says of itself.
CAVEATS = {
    TOO_LITTLE_DATA: " by the shop's average (too little data for a model)",
    SHOP_AVERAGE: " by the shop's average (no model could be fitted)",
}


@dataclass(frozen=True)
class Facts:
    """What the sentences are made of, one value per customer each.

    Arrow arrays: `tier` texts, `orders` int64, `net` and `spend` decimals to the cent,
    `last_order_on` dates. `p_alive` is NaN where nothing is known.
    """

    tier: pa.Array
    orders: pa.Array
    net: pa.Array
    last_order_on: pa.Array
    purchases: Floats
    spend: pa.Array
    p_alive: Floats


def sentences(facts: Facts, *, currency: str, horizon_days: int, model: str) -> pa.Array:
    """One sentence per customer. Nothing in it says who the customer is."""
    unit = "" if currency == NO_CURRENCY else f"{currency} "
    once = pc.equal(facts.orders, 1)
    caveat = CAVEATS.get(model)
    certainty = _certainty(facts.p_alive, once) if caveat is None else caveat
    return _joined(
        facts.tier, ": ", _bought(facts, once, unit), "; ", _expected(facts, unit),
        f" in the next {horizon_days} days", certainty, ".",
    )  # fmt: skip


def _bought(facts: Facts, once: pa.Array, unit: str) -> pa.Array:
    last_on = facts.last_order_on.cast(pa.string())
    net = _joined(unit, facts.net.cast(pa.string()), " net, ")
    return pc.if_else(
        once,
        _joined("1 order worth ", net, "on ", last_on),
        _joined(facts.orders.cast(pa.string()), " orders worth ", net, "the last on ", last_on),
    )


def _expected(facts: Facts, unit: str) -> pa.Array:
    tenths = np.rint(facts.purchases * 10).astype(np.int64)
    whole, tenth = (pa.array(part).cast(pa.string()) for part in np.divmod(tenths, 10))
    more = _joined(whole, ".", tenth, " more orders of ")
    spend = _joined(more, "about ", unit, facts.spend.cast(pa.string()), " expected")
    free = _joined(more, "no net value expected")
    some = pc.if_else(pc.greater(facts.spend, pa.scalar(0, facts.spend.type)), spend, free)
    return pc.if_else(facts.purchases < 0.05, "hardly any more orders expected", some)


def _certainty(p_alive: Floats, once: pa.Array) -> pa.Array:
    percent = np.rint(np.nan_to_num(p_alive) * 100).astype(np.int64)
    likely = pa.array(np.arange(101)).cast(pa.string()).take(pa.array(percent))
    likely = pc.if_else(p_alive > 0.99, "over 99", pc.if_else(p_alive < 0.01, "under 1", likely))
    judged = _joined(", judged by ", pc.if_else(once, "one order", "one day of orders"), " only")
    return pc.if_else(np.isnan(p_alive), judged, _joined(", ", likely, "% likely still active"))


def _joined(*parts: Any) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")
