"""What report and segments read of the store: frames for the numbers, totals for the bridge."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.errors import ConfigurationError
from connectors.schema import Rule
from connectors.store import Store
from connectors.store.mending import MonthTotals

if TYPE_CHECKING:  # it takes a third of a start
    import pandas as pd

#: Scorings that movement is told against: name, and from how many days back to how many.
QUARTER = "quarter"
EARLIER: Mapping[str, tuple[int, int | None]] = {QUARTER: (91, 122), "run": (1, None)}
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Material:
    """One shop's latest scores, the purchases behind them, and what doesn't count.

    `card` is that of the scores, `choice` the last backtest that chose a model. `before` are
    earlier scores by what they are called; those in `afterwards` were worked out today.
    """

    shop: str
    as_of: date
    currency: str
    scores: pd.DataFrame
    orders: pd.DataFrame
    lines: pd.DataFrame
    before: Mapping[str, pd.DataFrame]
    card: Mapping[str, Any]
    choice: Mapping[str, Any] | None
    months: Sequence[MonthTotals]
    unscored: Decimal
    excluded: Mapping[str, int]
    rejected: int
    afterwards: Collection[str] = ()

    @property
    def quarter_ago(self) -> date:
        """The nearest day that counts as a quarter ago."""
        return self.as_of - timedelta(days=EARLIER[QUARTER][0])


def read(store: Store, shop: str, rule: Rule, now: datetime) -> Material:
    """Raises ConfigurationError where nothing is scored yet."""
    scores = store.latest_scores(shop)
    if scores.empty:
        raise ConfigurationError("no customer is scored yet", mend="Run `backfill` first.")
    as_of, currency = scores["as_of"].iloc[0], str(scores["currency"].iloc[0])
    asked: dict[str, Any] = {"as_of": as_of, "rule": rule, "currency": currency}
    return Material(
        shop=shop,
        as_of=as_of,
        currency=currency,
        scores=scores,
        orders=store.purchases(shop, **asked),
        lines=store.purchase_lines(shop, **asked),
        before=before(store, shop, as_of),
        card=_card_of(store, shop, str(scores["run_id"].iloc[0])),
        choice=latest_choice([card.card for card in store.cards(shop)]),
        months=store.months(shop, BEGINNING, now + timedelta(days=1), rule),
        unscored=store.net_of_unscored(shop, **asked),
        excluded=store.excluded(shop, as_of=as_of, currency=currency),
        rejected=len(store.rejects(shop)),
    )


def _card_of(store: Store, shop: str, run_id: str) -> Mapping[str, Any]:
    """What the scores rest on; empty where no card was kept."""
    found = [card.card for card in store.cards(shop) if card.run_id == run_id]
    return found[-1] if found else {}


def before(store: Store, shop: str, as_of: date) -> dict[str, pd.DataFrame]:
    """The scorings to compare with, where there are any; the same one isn't told twice."""
    found: dict[str, pd.DataFrame] = {}
    for name, (least, most) in EARLIER.items():
        scores = store.scores_until(shop, as_of - timedelta(days=least))
        told = {frame["run_id"].iloc[0] for frame in found.values()}
        if scores.empty or scores["run_id"].iloc[0] in told:
            continue
        if most is None or (as_of - scores["as_of"].iloc[0]).days <= most:
            found[name] = scores
    return dict(sorted(found.items(), key=lambda one: one[0] == QUARTER))


def latest_choice(cards: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The last backtest that chose a model; scorings in between keep to it."""
    chosen = [card["choice"] for card in cards if card.get("choice")]
    return chosen[-1] if chosen else None
