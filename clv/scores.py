"""A shop's customers scored: from transactions in one call, or from the store's summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from clv import columns as c
from clv.card import Totals, model_card
from clv.choice.averaged import Averaged, averaged
from clv.choice.candidates import CANDIDATES
from clv.choice.choosing import Choice, by_backtest
from clv.choice.hindsight import with_calibration
from clv.choice.origins import TRAITS
from clv.choice.trials import Entry
from clv.crowd import Crowd
from clv.customers.first_purchase import first_of
from clv.errors import BadSettings, NamedModelFails
from clv.forecast import Candidate, Predictor, by_models, models_of, predictor
from clv.models.beta_geo import BetaGeoNBD
from clv.past import Past
from clv.scorer import EPOCH, Scorer
from clv.settings import ScoreSettings
from clv.summary import checked
from clv.transaction_rows import currency_of, whole_day
from clv.transactions import activity, left_out, purchase_days, summarise, transactions_of
from clv.uncertainty.calibration import Calibration

#: The model that is chosen by the shop's own past.
AUTO = "auto"
#: What a score of transactions says of each customer: money in floats, to the cent.
OF_TRANSACTIONS = [n for n in c.SCORES if n not in (c.SHOP, c.PERSON_KEY, c.CUSTOMER_ID)]
AS_FLOATS = (
    *(c.HISTORIC_NET, c.FORMULA_CLV, c.MARGIN_CLV, c.MAX_CAC),
    *(c.PREDICTED_CLV, c.EXPECTED_SPEND, c.CLV_LOW, c.CLV_HIGH),
)


def score(
    transactions: pd.DataFrame,
    as_of: date | str | pd.Timestamp,
    horizon_days: int = 365,
    *,
    settings: ScoreSettings | None = None,
    model: str = AUTO,
) -> pd.DataFrame:
    """Every customer's lifetime value from one row per order, in one call.

    `transactions` has customer_id, ordered_at and net_value, in one currency (`clv.transactions`).
    Index customer_id; `columns.SCORES` without the ids, money in floats to the cent, None for what
    nobody knows. `attrs["card"]` is the model card; its `left_out` counts rows that are no
    purchases. `horizon_days` stands above the settings' own. `model` is a key of
    `clv.choice.candidates.CANDIDATES`; `auto` takes what forecast this shop best.

    Raises BadTransactions, BadSettings, NamedModelFails.
    """
    settings = replace(settings or ScoreSettings(), horizon_days=horizon_days)
    summary = summarise(transactions, as_of)
    days = purchase_days(transactions, as_of)
    for name in set(TRAITS).intersection(transactions.columns):
        summary[name] = first_of(transactions, name, as_of)
    past = Past(summary, EPOCH + timedelta(days=whole_day(as_of)), days, activity(days))
    people = checked(_as_stored(summary, currency_of(transactions, as_of)))
    scored = _scored(people, fitted(past, settings, model), past.as_of, settings)
    card = scored.card | {"left_out": left_out(transactions, as_of)}
    frame = scored.frame[OF_TRANSACTIONS].set_axis(summary.index)
    known = [name for name in AS_FLOATS if frame[name].notna().all()]
    frame = frame.astype(dict.fromkeys(known, np.float64))
    frame.attrs["card"] = card
    return frame


def candidate_of(key: str) -> Candidate:
    """The candidate of that key, or for AUTO the one that looks for the best one itself.

    Raises BadSettings.
    """
    return by_backtest(with_coverage=True) if key == AUTO else _entry(key).fit


def _entry(key: str) -> Entry:
    if key not in CANDIDATES:
        known = ", ".join((AUTO, *CANDIDATES))
        raise BadSettings(f"no model is called {key!r}; there are {known}")
    return CANDIDATES[key]


@dataclass(frozen=True)
class Scored:
    """`frame` has `columns.SCORES`, in order of person_key; `card` is plain JSON.

    The card says which models were used, their parameters with errors, what the data were, the
    tiers with their lowest values, totals, and the warnings.
    """

    frame: pd.DataFrame
    card: dict[str, Any]
    warnings: tuple[str, ...]


def score_summary(
    summary: pd.DataFrame,
    settings: ScoreSettings,
    *,
    as_of: date,
    candidate: Candidate | None = None,
) -> Scored:
    """Score one shop's customers in one currency, by the order store's summary alone.

    A column `previous_tier` says what they show today. With too little data the predicted value
    falls back to the shop's average: column `model`, `reason`, card and warnings say so.
    Raises BadSummary.
    """
    people = checked(summary)
    by = candidate or by_models(BetaGeoNBD.fit)
    found = predictor(Past(people, as_of), settings.horizon_days, settings.needs, by)
    return _scored(people, found, as_of, settings)


def past_of(days: pd.DataFrame, as_of: date, traits: pd.DataFrame | None = None) -> Past:
    """What purchase days (customer_id, day, value) say about a shop.

    `traits`, indexed by customer_id: channel, category, coupon, country of the first order.
    """
    summary = summarise(transactions_of(days), as_of)
    if traits is not None:
        summary = summary.join(traits.loc[:, traits.notna().any()])
    return Past(summary, as_of, days, activity(days))


def looks_at_traits(predictor: Predictor) -> bool:
    """Whether it tells customers apart by more than what they bought when."""
    chosen = predictor.predictor if isinstance(predictor, Choice) else predictor
    if isinstance(chosen, Averaged):
        return any(looks_at_traits(one) for one in chosen.members)
    models = models_of(chosen)
    return models is not None and not set(TRAITS).isdisjoint(models.buying.FUTURE)


def fitted(past: Past, settings: ScoreSettings, model: str = AUTO) -> Predictor:
    """The model of that key, or the one that forecast this shop best.

    A shop too small for models gets its average. Raises BadSettings, NamedModelFails.
    """
    named = "" if model == AUTO else model
    return predictor(past, settings.horizon_days, settings.needs, candidate_of(model), named)


def refitted(past: Past, settings: ScoreSettings, parts: Mapping[str, float]) -> Predictor:
    """The model that a choice was made of, or the mean of its parts: keys with their weights.

    Raises BadSettings, NamedModelFails.
    """
    if len(parts) == 1:
        return fitted(past, settings, *parts)
    mean = averaged([_entry(key) for key in parts], list(parts.values()))
    return predictor(past, settings.horizon_days, settings.needs, mean.fit, mean.name)


def kept(
    past: Past, settings: ScoreSettings, parts: Mapping[str, float], known: Calibration
) -> Predictor:
    """What this shop's past has chosen before (`refitted`); chosen anew where it no longer fits.

    `known` is what the backtest that chose it has found about its intervals.
    """
    try:
        found = refitted(past, settings, parts)
    except NamedModelFails:
        return fitted(past, settings)
    models = models_of(found)
    return found if models is None or models.is_average else with_calibration(found, known)


def crowd_of(predictor: Predictor, settings: ScoreSettings, batch: pa.RecordBatch) -> Crowd:
    """What a batch of the order store's numbers adds to what a scorer has to know of all."""
    return Crowd.of(predictor, batch.to_pandas(), settings)


def scored_batch(scorer: Scorer, batch: pa.RecordBatch) -> tuple[pa.Table, Totals]:
    """The scores of a batch of the order store's summary, and what they come to."""
    table = scorer.score(people(batch))
    return table, Totals.of(table, scorer.settings)


def people(batch: pa.RecordBatch) -> pd.DataFrame:
    """A batch of the order store's summary as a scorer takes it: checked, money still exact.

    Raises BadSummary.
    """
    return checked(batch.to_pandas(types_mapper=_exact))


def _exact(kind: pa.DataType) -> pd.ArrowDtype | None:
    return pd.ArrowDtype(kind) if pa.types.is_decimal(kind) else None


def _scored(
    people: pd.DataFrame, predictor: Predictor, as_of: date, settings: ScoreSettings
) -> Scored:
    scorer = Scorer.of(predictor, people, as_of, settings)
    table = scorer.score(people)
    card = model_card(scorer, Totals.of(table, settings))
    return Scored(_frame(table), card, predictor.warnings)


def _as_stored(summary: pd.DataFrame, currency: str) -> pd.DataFrame:
    """The summary as the order store gives it. Its rows are sorted by their customers already."""
    people = summary.reset_index(drop=True)
    return people.assign(
        **{
            c.SHOP: "",
            c.PERSON_KEY: np.arange(len(people)),
            c.CUSTOMER_ID: None,
            c.CURRENCY: currency,
            c.DAYS_SINCE_LAST_ORDER: people[c.T] - people[c.RECENCY],
            c.MARGIN: None,
        }
    )


def _frame(table: pa.Table) -> pd.DataFrame:
    """The table with Decimals and dates as Python knows them, and None for what is absent."""
    return pd.DataFrame({name: _column(table[name]) for name in table.column_names})


def _column(values: pa.ChunkedArray) -> Any:
    kind = values.type
    if not values.null_count and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return values.to_numpy()
    return pd.Series(values.to_pylist(), dtype=object)
