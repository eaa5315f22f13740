from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv.choice.backtest import Backtest, backtest
from clv.choice.baselines import Hiatus
from clv.choice.candidates import CANDIDATES
from clv.choice.origins import History, known_at
from clv.choice.trials import Entry
from clv.models.beta_geo import BetaGeoNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.simulate import simulate
from clv.past import Past

module = sys.modules["clv.choice.backtest"]
START, DAYS = date(2023, 1, 1), 540
AS_OF = START + timedelta(days=DAYS - 1)
SPEND = GammaGamma(p=6.0, q=4.0, v=15.0, robust_mean=30.0)
PLAIN = [CANDIDATES[key] for key in ("bg", "mbg", "average", "repeat-rate", "hiatus")]


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    truth = BetaGeoNBD(r=0.5, alpha=40.0, a=0.8, b=2.5)
    return simulate(truth, 900, start=START, days=DAYS, seed=4, spend=SPEND)


@pytest.fixture(scope="module")
def tested(shop: pd.DataFrame) -> Backtest:
    return backtest(shop, AS_OF, horizon_days=90, candidates=PLAIN)


@pytest.fixture(scope="session")
def cdnow_orders(shared: Path) -> pd.DataFrame:
    names = ["customer_id", "ordered_at", "cds", "net_value"]
    path = shared / "data" / "cdnow_master.txt"
    lines = pd.read_csv(path, sep=r"\s+", skiprows=1, names=names, dtype={"ordered_at": str})
    return lines.assign(ordered_at=pd.to_datetime(lines.ordered_at, format="%Y%m%d"))


@pytest.fixture(scope="session")
def cdnow_tested(cdnow_orders: pd.DataFrame) -> Backtest:
    keys = ("bg", "mbg", "pareto", "average", "repeat-rate", "formula")
    thirteen = Entry("hiatus", "hiatus", lambda past, days: Hiatus(silence_days=13), "baseline")
    return backtest(
        cdnow_orders,
        "1998-06-30",
        horizon_days=273,
        origins=[date(1997, 9, 30)],
        candidates=[*(CANDIDATES[key] for key in keys), thirteen],
    )


#: MAE, RMSE, bias of purchases and of spend, rank, top tenth and Gini of spend. Spend by
#: Gamma-Gamma on all orders; the hiatus of 13 days is the nearest to the published useless rule.
ROWS = {
    "bg": (".819", "1.733", "-14.3", "-19.0", ".442", "52.4", ".709"),
    "mbg": (".795", "1.740", "-19.1", "-23.2", ".445", "52.5", ".714"),
    "pareto": (".794", "1.726", "-12.9", "-16.8", ".452", "52.4", ".720"),
    "repeat-rate": (".911", "1.936", "+23.6", "+20.8", ".485", "50.4", ".679"),
    "formula": ("1.909", "2.660", "+191.6", "+165.6", ".439", "49.9", ".698"),
    "hiatus": (".803", "2.119", "-70.6", "-69.5", ".254", "27.5", ".219"),
}


@pytest.mark.parametrize("key", ROWS)
def test_the_accuracy_on_cdnow_is_pinned(cdnow_tested: Backtest, key: str) -> None:
    m = cdnow_tested.origins[0].trial(key).metrics
    assert m is not None
    shown = (
        *(f"{value:.3f}".removeprefix("0") for value in (m.mae, m.rmse)),
        *(f"{100 * value:+.1f}" for value in (m.bias_purchases, m.bias_spend)),
        f"{m.rank_correlation:.3f}".removeprefix("0"),
        f"{100 * m.top_decile_spend:.1f}",
        f"{m.gini_spend:.3f}".removeprefix("0"),
    )
    assert shown == ROWS[key]


def test_pareto_on_cdnow_is_pinned_to_six_digits(cdnow_tested: Backtest) -> None:
    m = cdnow_tested.origins[0].trial("pareto").metrics
    assert m is not None
    assert (m.mae, m.rmse, m.gini_spend) == pytest.approx((0.793766, 1.726153, 0.719548), abs=2e-6)


def test_the_holdout_is_the_published_one(cdnow_tested: Backtest) -> None:
    actual = cdnow_tested.origins[0].actual
    assert actual.purchases.sum() == 19684
    assert actual.spend.sum() == pytest.approx(776961.13)
    assert len(actual.spend) == 23570


def later_rows(shop: pd.DataFrame, origin: date) -> pd.DataFrame:
    """Orders, refunds and new customers from the day after the origin on."""
    known = shop.customer_id.unique()
    when = pd.Timestamp(origin, tz="UTC") + pd.Timedelta(days=1)
    who = [*known, *(known[-1] + 1 + np.arange(50))]
    value = np.where(np.arange(len(who)) % 3 == 0, -400.0, 5000.0)
    return pd.DataFrame({"customer_id": who, "ordered_at": when, "net_value": value})


def assert_no_leak(shop: pd.DataFrame) -> None:
    """Rows after the earliest origin change nothing that was known or forecast there."""
    origin = AS_OF - timedelta(days=180)
    changed = pd.concat([shop, later_rows(shop, origin)])
    one, other = (
        backtest(frame, AS_OF, horizon_days=90, candidates=PLAIN, origins=[origin]).origins[0]
        for frame in (shop, changed)
    )
    assert one.actual.spend.tolist() != other.actual.spend.tolist()
    pd.testing.assert_frame_equal(one.past.summary, other.past.summary)
    pd.testing.assert_frame_equal(one.past.days, other.past.days)
    pd.testing.assert_frame_equal(one.past.activity, other.past.activity)
    for trial in one.trials:
        again = other.trial(trial.entry.key)
        assert trial.predictor == again.predictor
        assert trial.purchases.tolist() == again.purchases.tolist()
        assert trial.spend.tolist() == again.spend.tolist()


def test_a_row_after_the_origin_changes_nothing_at_the_origin(shop: pd.DataFrame) -> None:
    assert_no_leak(shop)


def test_a_planted_leak_of_one_day_is_found(
    shop: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaky(history: History, origin: date) -> Past:
        return replace(known_at(history, origin + timedelta(days=1)), as_of=origin)

    monkeypatch.setattr(module, "known_at", leaky)
    with pytest.raises(AssertionError):
        assert_no_leak(shop)


def test_rows_after_as_of_change_nothing_at_all(shop: pd.DataFrame, tested: Backtest) -> None:
    changed = pd.concat([shop, later_rows(shop, AS_OF)])
    assert backtest(changed, AS_OF, horizon_days=90, candidates=PLAIN).card() == tested.card()


def test_no_candidate_is_asked_after_what_came_is_known(
    shop: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    came_after = module.came_after

    def noted(*args: object) -> object:
        asked.append("what came")
        return came_after(*args)  # type: ignore[arg-type]

    def fit(past: Past, horizon_days: int) -> object:
        asked.append("forecast")
        return CANDIDATES["average"].fit(past, horizon_days)

    monkeypatch.setattr(module, "came_after", noted)
    only = Entry("only", "only", fit)  # type: ignore[arg-type]
    backtest(shop, AS_OF, horizon_days=90, candidates=[only], origins=[date(2024, 1, 1)])
    assert asked == ["forecast", "what came"]


def test_the_same_rows_in_any_order_give_the_same_card(
    shop: pd.DataFrame, tested: Backtest
) -> None:
    shuffled = shop.sample(frac=1, random_state=1)
    again = backtest(shuffled, AS_OF, horizon_days=90, candidates=PLAIN)
    assert json.dumps(again.card()) == json.dumps(tested.card())


def test_figures_stand_in_table_text_and_card(tested: Backtest) -> None:
    table = tested.table()
    assert len(table) == len(tested.origins) * len(PLAIN)
    assert {"origin", "candidate", "mae", "gini_spend", "calibration_error"} <= set(table.columns)
    card = tested.card()
    assert json.loads(json.dumps(card, allow_nan=False)) == card
    assert [origin["as_of"] for origin in card["origins"]] == sorted(
        (origin["as_of"] for origin in card["origins"]), reverse=True
    )
    for entry in PLAIN:
        assert tested.text().count(f"\n{entry.name} ") == len(tested.origins)


def test_calibration_can_be_looked_at_by_tenths(tested: Backtest) -> None:
    table = tested.origins[0].calibration("bg")
    assert table.customers.sum() == len(tested.origins[0].past.summary)
    assert table.expected.is_monotonic_increasing


def test_a_sample_is_said_on_the_card(shop: pd.DataFrame) -> None:
    small = backtest(shop, AS_OF, horizon_days=90, candidates=PLAIN[2:], most_customers=300)
    assert small.history.customers < 400
    assert f"{small.history.customers} of 900 customers" in small.card()["notes"][0]


def test_a_shop_too_young_for_origins_has_a_card_all_the_same(shop: pd.DataFrame) -> None:
    young = backtest(shop, START + timedelta(days=9), candidates=PLAIN)
    assert young.origins == ()
    assert "too few" in young.card()["notes"][0]
    assert young.text() == ""
    assert young.table().empty
