"""Segments by rules over what is known of each customer: the first rule that fits names them.

A rule is a name and conditions (column, operator, value) that must all hold. The columns are those
of the scores and

    abc, rfm         ABC class by net value to date, RFM segment
    win_back         valuable and slipping (`clv.customers.purchase_gaps`)
    overdue          days since the last order over the customer's own rhythm
    value_rank       share of customers who are predicted less, 0 to 1

A condition on what nobody knows (no p_alive, say) does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from clv import columns as c
from clv.errors import BadSettings
from clv.report.known import Known, exact, floats

NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
REST = "rest"

OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "in": lambda column, value: column.isin(value),
}
NUMBERS = (
    *(c.HISTORIC_NET, c.FORMULA_CLV, c.MARGIN_CLV, c.PREDICTED_CLV, c.P_ALIVE, c.CLV_LOW),
    *(c.CLV_HIGH, c.EXPECTED_PURCHASES, c.EXPECTED_SPEND, c.ORDERS, c.DAYS_SINCE_LAST_ORDER),
    *("overdue", "value_rank"),
)
TEXTS = (c.TIER, c.PREVIOUS_TIER, "abc", "rfm")
FLAGS = ("win_back",)

Condition = tuple[str, str, Any]


@dataclass(frozen=True)
class Rule:
    """Who is in a segment: all of `where` must hold. Raises BadSettings."""

    name: str
    where: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name in (REST, "ignore"):
            raise BadSettings("no name for a segment: letters, digits, -", segment=self.name)
        if not self.where:
            raise BadSettings("a segment needs a condition", segment=self.name)
        for condition in self.where:
            _require(self.name, condition)


def ready(known: Known) -> tuple[Rule, ...]:
    """Questions worth asking any shop, with this shop's own numbers: for queries to paste."""
    net = known.column(c.HISTORIC_NET)
    top = round(float(net[net > 0].quantile(1 - known.rule.top_share)), 2) if (net > 0).any() else 0
    best = known.settings.tiers.ranked[0]
    return (
        *(Rule(f"tier-{tier}", ((c.TIER, "=", tier),)) for tier in known.settings.tiers.names),
        Rule("valuable-and-slipping", ((c.HISTORIC_NET, ">=", top), (c.P_ALIVE, "<", 0.5))),
        Rule("was-in-the-best-tier", ((c.PREVIOUS_TIER, "=", best), (c.P_ALIVE, "<", 0.9))),
    )


def rules_of(tables: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Rules as a file tells them: `name`, and `where` as a list of triples. Raises BadSettings."""
    rules = []
    for table in tables:
        where = table.get("where")
        unknown = set(table) - {"name", "where"}
        if unknown or not isinstance(where, list) or not all(_is_triple(one) for one in where):
            raise BadSettings(
                'a segment has a name and `where`, triples like ["orders", ">=", 4]',
                segment=table.get("name"),
            )
        rules.append(Rule(str(table.get("name")), tuple((one[0], one[1], one[2]) for one in where)))
    names = [rule.name for rule in rules]
    if not names or len(set(names)) < len(names):
        raise BadSettings("segments need names that differ", names=names)
    return tuple(rules)


def _is_triple(condition: object) -> bool:
    return isinstance(condition, list) and len(condition) == 3


def _require(segment: str, condition: Condition) -> None:
    """The column is known, and the operator and the value are of its kind."""
    column, operator, value = condition
    several = isinstance(value, list | tuple)
    values = value if several else [value]
    kind, operators = _kind(column)
    fine = all(isinstance(one, kind) and isinstance(one, bool) == (kind is bool) for one in values)
    if not fine or operator not in operators or several != (operator == "in"):
        known = ", ".join((*NUMBERS, *TEXTS, *FLAGS))
        raise BadSettings(
            f"no such condition; the columns are {known}", segment=segment, condition=condition
        )


def _kind(column: str) -> tuple[Any, Sequence[str]]:
    """What a column's values are, and what may be asked of them."""
    if column in NUMBERS:
        return (int, float), tuple(OPERATORS)
    if column in TEXTS:
        return str, ("=", "!=", "in")
    return bool, ("=", "!=") if column in FLAGS else ()


#: In this order: whoever is worth winning back is told so first.
DEFAULT = (
    Rule("win-back", (("win_back", "=", True),)),
    Rule("loyal", ((c.ORDERS, ">=", 4), (c.P_ALIVE, ">=", 0.6))),
    Rule(
        "new-and-promising",
        ((c.ORDERS, "=", 1), (c.DAYS_SINCE_LAST_ORDER, "<=", 60), ("value_rank", ">=", 0.5)),
    ),
    Rule("lost", ((c.P_ALIVE, "<", 0.1),)),
    Rule("at-risk", ((c.ORDERS, ">=", 2), (c.P_ALIVE, "<", 0.5))),
)


def facts(known: Known) -> pd.DataFrame:
    """What rules may look at, by person key."""
    people = known.people
    frame = pd.DataFrame({name: floats(people[name]) for name in NUMBERS if name in people.columns})
    frame[c.TIER] = people[c.TIER]
    frame[c.PREVIOUS_TIER] = people[c.PREVIOUS_TIER]
    frame["abc"] = known.segments["abc_class"]
    frame["rfm"] = known.segments["rfm"]
    frame["win_back"] = known.win_back
    frame["overdue"] = known.gaps["overdue_factor"].reindex(people.index)
    frame["value_rank"] = frame[c.PREDICTED_CLV].rank(pct=True) - 1 / max(len(frame), 1)
    return frame


def segment_of(facts: pd.DataFrame, rules: Sequence[Rule] = DEFAULT) -> pd.Series:
    """The name of the first rule that fits each customer, `rest` where none does."""
    held = [_holds(facts, rule) for rule in rules]
    names = [rule.name for rule in rules]
    found = np.select(held, names, REST) if held else np.full(len(facts), REST)
    return pd.Series(found, index=facts.index, name="segment", dtype=object)


def _holds(facts: pd.DataFrame, rule: Rule) -> Any:
    held = np.ones(len(facts), dtype=bool)
    for column, operator, value in rule.where:
        known = facts[column].notna()
        held &= (OPERATORS[operator](facts[column], value) & known).to_numpy(dtype=bool)
    return held


def totals(known: Known, label: pd.Series, order: Sequence[str]) -> list[dict[str, Any]]:
    """Customers and money of each group, in the order given; money to the cent."""
    found = [*order, *sorted(set(label.dropna()) - set(order))]
    return [_total(name, known.people[(label == name).to_numpy()]) for name in found]


def _total(name: str, people: pd.DataFrame) -> dict[str, Any]:
    money: tuple[Decimal, Decimal] = (exact(people[c.HISTORIC_NET]), exact(people[c.PREDICTED_CLV]))
    return {"name": name, "customers": len(people), "net": money[0], "predicted": money[1]}
