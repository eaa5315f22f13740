"""One customer explained: the sentence, the orders, and each score with the numbers behind it.

The sentence is the very one that the shop's admin sees on the customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.markup import escape

from connectors.schema import NO_CURRENCY
from connectors.terminal import Terminal

if TYPE_CHECKING:  # it takes a third of a start
    import pandas as pd

DAYS_A_YEAR = 365

Row = tuple[object, ...]


class Told(NamedTuple):
    """What is known of one customer.

    `score` is the latest one, `summary` the same person's purchases in numbers, `begins` the
    lowest predicted value of each tier, `moves` what would be predicted after other steps.
    """

    score: Mapping[str, Any]
    orders: pd.DataFrame
    summary: Mapping[str, Any]
    begins: Mapping[str, Decimal | None]
    moves: Sequence[Mapping[str, Any]]
    lifespan_years: Decimal
    margin: Decimal | None
    discount_rate: float


def explained(out: Terminal, told: Told) -> None:
    score = told.score
    out.tell("explained", escape(score["reason"]), **score)
    out.table(
        "order", "Orders", ("on", "number", "state", "refunded", "net value"), _bought(told.orders)
    )
    out.table("summary", "In numbers", ("what", "value"), _known(_summary(told)))
    unit = score["currency"] if score["currency"] != NO_CURRENCY else "amount"
    columns = ("score", unit, "how")
    out.table("score", "Scores", columns, [row for row in _scores(told) if row[1] is not None])
    out.table("fact", "Certainty and tier", ("what", "value"), _known(_facts(told)), whole=True)
    out.table("move", "What would move it", ("if", "predicted", "active", "tier"), _moves(told))


def _known(facts: Sequence[tuple[str, object]]) -> list[Row]:
    return [fact for fact in facts if fact[1] is not None]


def _bought(orders: pd.DataFrame) -> list[Row]:
    """An order a row; one that doesn't count has no value."""
    return [
        (
            order["ordered_at"].date(),
            order["order_number"],
            order["state"] if order["counts"] else f"{order['state']}, does not count",
            f"{order['refunded_total']:,.2f}",
            f"{order['net_value']:,.2f}",
        )
        for order in orders.to_dict("records")
    ]


def _summary(told: Told) -> list[tuple[str, object]]:
    summary = told.summary
    if not summary:
        return []
    gap = summary["recency"] / summary["frequency"] if summary["frequency"] else None
    return [
        ("orders", summary["orders"]),
        ("purchase days", summary["frequency"] + 1),
        ("first order", summary["first_order_on"]),
        ("last order", summary["last_order_on"]),
        ("days since", summary["days_since_last_order"]),
        ("days between purchases, on average", None if gap is None else f"{gap:,.0f}"),
        ("age in days", summary["T"]),
    ]


def _scores(told: Told) -> list[tuple[str, str | None, str]]:
    score = told.score
    return [
        ("historic", _amount(score["historic_net"]), _historic(told.summary)),
        ("formula", _amount(score["formula_clv"]), _formula(told)),
        ("margin", _amount(score["margin_clv"]), _margin(told)),
        ("predicted", _amount(score["predicted_clv"]), _predicted(told)),
        (
            "largest CAC",
            _amount(score["max_cac"]),
            f"a third of the {'margin CLV' if score['margin_clv'] is not None else 'formula'}, to"
            " win such a customer",
        ),
    ]


def _historic(summary: Mapping[str, Any]) -> str:
    if not summary:
        return "net value to date"
    return f"{summary['gross']:,.2f} ordered - {summary['refunds']:,.2f} refunded"


def _formula(told: Told) -> str:
    """The formula with its numbers; the first year counts as a whole one."""
    net, orders = told.score["historic_net"], told.score["orders"]
    age = max(told.summary.get("T", DAYS_A_YEAR), DAYS_A_YEAR)
    each, yearly = max(net, 0) / max(orders, 1), orders * DAYS_A_YEAR / age
    return f"{each:,.2f} an order x {yearly:,.2f} a year x {told.lifespan_years} years"


def _margin(told: Told) -> str:
    if told.margin is None:
        return "the formula on net value less what the goods cost"
    return f"the formula x {told.margin * 100:g}%"


def _predicted(told: Told) -> str:
    score, rate = told.score, told.discount_rate
    return (
        f"{score['expected_purchases']:,.2f} orders x {score['expected_spend']:,.2f} in "
        f"{score['horizon_days']} days" + (f", less {rate:.0%} a year" if rate else "")
    )


def _facts(told: Told) -> list[tuple[str, object]]:
    score = told.score
    bounds = score.get("clv_high") is not None
    return [
        ("likely still active", _formatted(score["p_alive"], ".0%")),
        ("orders, for 80 of 100 such", _range(score, "purchases", ".0f") if bounds else None),
        ("value, for 80 of 100 such", _range(score, "clv", ",.2f") if bounds else None),
        ("next order due", score["next_order_on"]),
        ("tier", score["tier"]),
        ("tier at the scoring before", score["previous_tier"]),
        ("tiers begin at", _begins(told.begins)),
        ("to the next tier", _missing(told)),
        ("model", score["model"]),
        ("as of", score["as_of"]),
    ]


def _begins(begins: Mapping[str, Decimal | None]) -> str | None:
    """`high 142.98, medium 42.86`: the last tier takes everybody else."""
    known = [f"{tier} {start:,.2f}" for tier, start in begins.items() if start is not None]
    return ", ".join(known) or None


def _missing(told: Told) -> str | None:
    """How much predicted value is missing to the tier above."""
    value = told.score["predicted_clv"]
    above = [(tier, start) for tier, start in told.begins.items() if start and start > value]
    if not above:
        return None
    tier, start = above[-1]
    return f"{start - value:,.2f} to {tier}"


def _moves(told: Told) -> list[Row]:
    return [
        (
            _step(move),
            f"{move['predicted_clv']:,.2f}",
            _formatted(move["p_alive"], ".0%"),
            move["tier"] if move["orders"] or move["silent_days"] else told.score["tier"],
        )
        for move in told.moves
    ]


def _step(move: Mapping[str, Any]) -> str:
    orders, silent = move["orders"], move["silent_days"]
    if orders:
        return f"{orders} more order" + ("s" if orders > 1 else "")
    return f"no order for {silent} days" if silent else "as it stands"


def _amount(value: Decimal | None) -> str | None:
    return _formatted(value, ",.2f")


def _range(score: Mapping[str, Any], name: str, form: str) -> str:
    return f"{score[f'{name}_low']:{form}} to {score[f'{name}_high']:{form}}"


def _formatted(value: float | Decimal | None, form: str) -> str | None:
    return None if value is None else format(value, form)
