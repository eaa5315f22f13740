"""Pareto/NBD against the literature, against 40-digit arithmetic, and against its own customers.

`data/pareto_nbd_hard_cases.csv` was written by `write_hard_cases` below, whose expectations are the
papers' own expressions (two 2F1) and know nothing of how `clv` computes them.
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.models.pareto_nbd import ParetoNBD, _Likelihood
from clv.numerics.lapse import Known, Silence

NAMES = ("r", "alpha", "s", "beta")
HARD = Path(__file__).parents[1] / "data" / "pareto_nbd_hard_cases.csv"

#: Customer 1516 of the sample, in weeks.
BEST = pd.DataFrame({"frequency": [26], "recency": [30 + 6 / 7], "T": [31.0]})


@pytest.fixture(scope="module")
def weekly(cdnow_weeks: pd.DataFrame) -> ParetoNBD:
    return ParetoNBD.fit(cdnow_weeks)


@pytest.fixture(scope="module")
def daily(cdnow: pd.DataFrame) -> ParetoNBD:
    return ParetoNBD.fit(cdnow)


def history(x: int, t_x: float, T: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [x], "recency": [t_x], "T": [T]})


def values(model: ParetoNBD) -> list[float]:
    return [getattr(model, name) for name in NAMES]


def likelihood_of(summary: pd.DataFrame) -> _Likelihood:
    columns = (summary[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    return _Likelihood(*columns, np.ones(len(summary)))


# ---------------------------------------------------------------------------- published figures


def test_the_sample_gives_our_estimate_to_six_digits(weekly: ParetoNBD) -> None:
    assert [round(value, 6) for value in values(weekly)] == [
        0.553277,
        10.577683,
        0.60624,
        11.668735,
    ]
    assert round(weekly.log_likelihood, 4) == -9594.9762


def test_the_sample_gives_the_papers_printed_digits(weekly: ParetoNBD) -> None:
    assert [f"{value:.3f}" for value in values(weekly)] == ["0.553", "10.578", "0.606", "11.669"]
    assert f"{weekly.log_likelihood:.1f}" == "-9595.0"


def test_the_sample_agrees_with_what_others_found_on_exact_days(
    weekly: ParetoNBD, cdnow_weeks: pd.DataFrame
) -> None:
    """Their optimiser stopped some 1e-4 short of the maximum: ours is not below theirs."""
    theirs = [0.5532, 10.5776, 0.6062, 11.669]
    assert values(weekly) == pytest.approx(theirs, rel=2e-4)
    assert f"{weekly.log_likelihood:.3f}" == "-9594.976"
    assert weekly.log_likelihood > likelihood_of(cdnow_weeks)(np.array(theirs))[0]


def test_standard_errors_are_those_of_the_observed_information(weekly: ParetoNBD) -> None:
    errors = [round(weekly.standard_errors[name] or 0, 3) for name in NAMES]
    assert errors == [0.048, 0.843, 0.187, 6.211]


def test_customer_1516_is_foreseen_as_published(weekly: ParetoNBD) -> None:
    assert f"{weekly.expected_purchases(52):.4f}" == "1.4734"
    assert f"{weekly.conditional_expected_purchases(52, BEST)[0]:.4f}" == "25.4552"
    assert f"{weekly.p_alive(BEST)[0]:.5f}" == "0.99787"
    dert = weekly.discounted_expected_residual_transactions(BEST, np.log(1.15) / 52)
    assert f"{dert[0]:.3f}" == "86.258"


def test_the_holdout_is_foreseen_as_published(
    weekly: ParetoNBD, cdnow_weeks: pd.DataFrame, shared: Path
) -> None:
    """Fader, Hardie & Lee (2005): 1,882 purchases in 39 weeks; table 3 has the correlation."""
    lines = pd.read_csv(
        shared / "data" / "cdnow_sample.txt",
        sep=r"\s+",
        names=["master_id", "id", "date", "cds", "value"],
    )
    later = lines[lines.date > 19970930].drop_duplicates(["id", "date"])
    made = later.groupby("id").size().reindex(cdnow_weeks.id, fill_value=0)
    ahead = weekly.conditional_expected_purchases(39, cdnow_weeks)
    assert made.sum() == 1882
    assert f"{ahead.sum():.1f}" == "1665.5"
    assert f"{np.corrcoef(ahead, made)[0, 1]:.3f}" == "0.630"


def test_all_cdnow_customers_give_the_published_estimate(
    summarise_cdnow: Callable[[str], pd.DataFrame],
) -> None:
    full = summarise_cdnow("master")
    model = ParetoNBD.fit(full.assign(recency=full.recency / 7, T=full["T"] / 7))
    assert [round(value, 6) for value in values(model)] == [0.59742, 11.585658, 0.522186, 8.827759]
    published = [f"{values(model)[k]:.{digits}f}" for k, digits in enumerate((5, 4, 5, 4))]
    assert published == ["0.59742", "11.5857", "0.52219", "8.8278"]
    assert f"{model.log_likelihood:.4f}" == "-95415.1186"


# ------------------------------------------------------------------------------- exact arithmetic


def exact_p_alive(case: dict[str, float], digits: int = 60) -> mp.mpf:
    """By the papers' two 2F1; they cancel each other: hence more digits than are believed."""
    with mp.workdps(digits):
        r, alpha, s, beta, x, t_x, T = (mp.mpf(case[name]) for name in COLUMNS[:7])
        R, low, high = r + x, min(alpha, beta), max(alpha, beta)

        def term(y: mp.mpf) -> mp.mpf:
            b, z = s + 1 if alpha >= beta else R, (high - low) / (high + y)
            return mp.hyp2f1(R + s, b, R + s + 1, z, maxprec=100_000) / (high + y) ** (R + s)

        active = (alpha + T) ** -R * (beta + T) ** -s
        return active / (active + s / (R + s) * (term(t_x) - term(T)))


def exactly(case: dict[str, float], digits: int = 60) -> dict[str, mp.mpf]:
    """P(alive) and expectations of one customer, by the papers' expressions.

    The discounted time is integrated piece by piece instead of taken from Tricomi's function, which
    mpmath can't evaluate everywhere.
    """
    with mp.workdps(digits):
        r, alpha, s, beta, x, _, T, t, rate = (mp.mpf(case[name]) for name in COLUMNS)
        p_alive = exact_p_alive(case, digits)
        often, B = p_alive * (r + x) / (alpha + T), beta + T
        time = B * mp.log1p(t / B) if s == 1 else B / (s - 1) * (1 - (B / (B + t)) ** (s - 1))
        return {
            "p_alive": p_alive,
            "expected": often * time,
            "discounted": often * discounted_time(B, s, rate, t),
            "dert": often * discounted_time(B, s, rate, 200 / rate),
        }


COLUMNS = ("r", "alpha", "s", "beta", "x", "t_x", "T", "t", "rate")


def discounted_time(B: mp.mpf, s: mp.mpf, rate: mp.mpf, t: mp.mpf) -> mp.mpf:
    """The integral of exp(-rate y) ((B) / (B+y))^s for y to t, in pieces that grow with y."""
    with mp.workdps(30):
        edges, width = [mp.mpf(0)], 1 / (s / B + rate)
        while edges[-1] + width < t:
            edges.append(edges[-1] + width)
            width *= mp.mpf("1.6")
        return mp.quad(lambda y: mp.exp(-rate * y - s * mp.log1p(y / B)), [*edges, t])


def hard_cases(many: int = 200, seed: int = 7) -> list[dict[str, float]]:
    """Parameters between the walls of a shop of 300 days' mean age, and customers of all sorts."""
    rng = np.random.default_rng(seed)
    return [hard_case(1.5 if number % 2 else 4.0, rng) for number in range(many)]


def hard_case(wide: float, rng: np.random.Generator) -> dict[str, float]:
    r, s = 10 ** rng.uniform(-wide, wide, 2)
    alpha, beta = 300 * 10 ** rng.uniform(-wide, wide, 2)
    if rng.random() < 0.2:
        beta = alpha
    if rng.random() < 0.15:
        s = rng.choice([1, 1 + 1e-9, 1 - 1e-12, 1 + 1e-5])
    x = int(rng.choice([0, 0, 1, 2, 7, 40, 500, 10_000]))
    T = max(x, int(rng.integers(1, 20_001 if rng.random() < 0.5 else 400)))
    silence = int(rng.integers(0, T - x + 1))
    if rng.random() < 0.6:  # of such a length that P(alive) is neither 0 nor 1
        silence = round(min(T - x, rng.exponential() * 3 * (alpha + T) / (r + x)), 3)
    if not x:
        silence = T
    elif rng.random() < 0.15:
        silence = 0
    t = int(rng.choice([1, 30, 365, 3650, 18_250]))
    rate = np.log1p(rng.choice([0.01, 0.1, 0.15, 1.0])) / 365
    numbers = (r, alpha, s, beta, x, T - silence, T, t, rate)
    return {name: float(value) for name, value in zip(COLUMNS, numbers, strict=True)}


def write_hard_cases() -> None:
    """Recompute the file: some minutes."""
    rows = [
        {name: repr(value) for name, value in case.items()}
        | {name: mp.nstr(value, 40) for name, value in exactly(case).items()}
        for case in hard_cases()
    ]
    pd.DataFrame(rows).to_csv(HARD, index=False, lineterminator="\n")


@pytest.fixture(scope="module")
def hard() -> pd.DataFrame:
    return pd.read_csv(HARD, dtype=str)


@pytest.fixture(scope="module")
def answers(hard: pd.DataFrame) -> pd.DataFrame:
    """What the models say, one row per case."""
    return pd.DataFrame(
        [answer(case) for case in hard[[*COLUMNS]].astype(float).to_dict("records")]
    )


def answer(case: dict[str, float]) -> dict[str, float]:
    model = ParetoNBD(**{name: case[name] for name in NAMES})
    customer = history(int(case["x"]), case["t_x"], case["T"])
    discounted = model.discounted_expected_purchases(case["t"], customer, case["rate"])
    return {
        "p_alive": model.p_alive(customer)[0],
        "expected": model.conditional_expected_purchases(case["t"], customer)[0],
        "discounted": discounted[0],
        "dert": model.discounted_expected_residual_transactions(customer, case["rate"])[0],
    }


def relative_errors(found: pd.Series, true: pd.Series) -> np.ndarray:
    """Of each case; what is below the smallest floating-point numbers counts as zero."""
    pairs = [(mp.mpf(one), mp.mpf(other)) for one, other in zip(found, true, strict=True)]
    return np.array([float(abs(f - t) / t) if max(f, t) > 1e-290 else 0.0 for f, t in pairs])


@pytest.mark.parametrize("what", ["p_alive", "expected", "discounted", "dert"])
def test_hard_cases_agree_with_forty_digit_arithmetic(
    hard: pd.DataFrame, answers: pd.DataFrame, what: str
) -> None:
    assert len(hard) == 200
    assert relative_errors(answers[what], hard[what]).max() < 1e-11


def test_hard_cases_are_hard(hard: pd.DataFrame) -> None:
    case = hard[[*COLUMNS, "p_alive"]].astype(float)
    assert (case.x == 10_000).sum() >= 10
    assert ((case.t_x == case["T"]) & (case.x > 0)).sum() >= 10
    assert (case.alpha == case.beta).sum() >= 20
    assert (np.abs(case.s - 1) < 1e-4).sum() >= 10
    assert (np.abs(np.log10(case.alpha / case.beta)) > 3).sum() >= 20
    assert case.p_alive.between(0.01, 0.99).sum() >= 50


@pytest.mark.parametrize("place", [3, 54, 105, 156])
def test_the_file_of_hard_cases_is_what_the_papers_say(hard: pd.DataFrame, place: int) -> None:
    case = hard_cases()[place]
    stored = hard.loc[place]
    assert {name: repr(value) for name, value in case.items()} == dict(stored[[*COLUMNS]])
    with mp.workdps(90):
        for name, value in exactly(case, digits=90).items():
            believed = 1e-25 if name in ("discounted", "dert") else 1e-39
            assert abs(value / mp.mpf(stored[name]) - 1) < believed, name


@pytest.mark.parametrize(
    "known",
    [
        Known(0.55, 10.6, 0.6, 11.7),
        Known(0.3, 5.0, 2.0, 5.0),
        Known(2.0, 1e-6, 0.4, 100.0),
        Known(0.01, 100.0, 50.0, 1e-6),
        Known(1e4, 3e4, 1e-4, 1e-2),
    ],
)
def test_the_likelihood_is_that_of_the_papers(known: Known) -> None:
    with mp.workdps(50):
        for x, t_x, T in [(0, 0.0, 30.0), (3, 20.0, 30.0), (9, 30.0, 30.0), (2, 2.0, 30.0)]:
            r, alpha, s, beta = (mp.mpf(value) for value in known)
            case = dict(zip(COLUMNS[:7], (*known, x, t_x, T), strict=True))
            active = (alpha + T) ** -(r + x) * (beta + T) ** -s / exact_p_alive(case)
            true = mp.log(mp.rf(r, x) * alpha**r * beta**s * active)
            value = likelihood_of(history(x, t_x, T))(np.array(known))[0]
            assert value == pytest.approx(float(true), rel=1e-10, abs=1e-10)


# ------------------------------------------------------------------------------------ the fit


@pytest.mark.parametrize(
    "point",
    [
        (0.3, 25.0, 0.9, 60.0),
        (0.7, 70.0, 0.6, 70.0),
        (2.0, 70.0, 0.6, 20.0),
        (0.05, 0.5, 30.0, 9000.0),
        (50.0, 9000.0, 0.02, 0.5),
    ],
)
def test_the_gradient_and_the_hessian_are_those_of_the_value(
    cdnow: pd.DataFrame, point: tuple[float, ...]
) -> None:
    likelihood, at = likelihood_of(cdnow), np.array(point)
    _, gradient, hessian = likelihood(at)
    np.testing.assert_array_equal(hessian, hessian.T)
    for place in range(4):
        step = np.zeros(4)
        step[place] = at[place] * 1e-5
        up, down = likelihood(at + step), likelihood(at - step)
        width = 2 * step[place]
        assert (up[0] - down[0]) / width == pytest.approx(gradient[place], rel=1e-5, abs=1e-4)
        np.testing.assert_allclose((up[1] - down[1]) / width, hessian[place], rtol=1e-5, atol=1e-3)


def test_nothing_is_expected_to_change_when_alpha_passes_beta(cdnow: pd.DataFrame) -> None:
    """The integral changes its variable there."""
    likelihood = likelihood_of(cdnow)
    below, at, above = (
        likelihood(np.array([0.7, 70.0, 0.6, 70.0 * ratio])) for ratio in (1 - 1e-9, 1, 1 + 1e-9)
    )
    for one in (below, above):
        for mine, other in zip(one, at, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-6)


def test_days_and_weeks_give_the_same_forecast(
    daily: ParetoNBD, weekly: ParetoNBD, cdnow: pd.DataFrame, cdnow_weeks: pd.DataFrame
) -> None:
    by_days = daily.conditional_expected_purchases(364, cdnow)
    by_weeks = weekly.conditional_expected_purchases(52, cdnow_weeks)
    np.testing.assert_allclose(by_days, by_weeks, rtol=1e-8)
    assert daily.alpha == pytest.approx(7 * weekly.alpha, rel=1e-8)
    assert daily.beta == pytest.approx(7 * weekly.beta, rel=1e-8)


def test_weights_stand_for_as_many_customers(cdnow: pd.DataFrame, daily: ParetoNBD) -> None:
    counted = cdnow.groupby(["frequency", "recency", "T"]).size().reset_index(name="n")
    model = ParetoNBD.fit(counted, weights=counted.n)
    assert model.customers == 2357
    assert values(model) == pytest.approx(values(daily), rel=1e-8)


def test_the_order_of_the_rows_does_not_matter(cdnow: pd.DataFrame, daily: ParetoNBD) -> None:
    shuffled = ParetoNBD.fit(cdnow.sample(frac=1, random_state=1))
    assert values(shuffled) == pytest.approx(values(daily), rel=1e-8)


def test_a_large_shop_is_started_on_a_sample_and_ends_at_the_same_maximum(
    cdnow: pd.DataFrame, daily: ParetoNBD
) -> None:
    """Forty times the same customers, a little apart so that they don't fall into groups."""
    copies = [cdnow.assign(T=cdnow["T"] + part * 1e-7) for part in range(40)]
    model = ParetoNBD.fit(pd.concat(copies))
    assert model.customers == 40 * 2357
    assert values(model) == pytest.approx(values(daily), rel=1e-5)


def test_customers_in_small_blocks_are_the_same_customers(
    cdnow: pd.DataFrame, daily: ParetoNBD, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = daily.p_alive(cdnow)
    dert = daily.discounted_expected_residual_transactions(cdnow, 1e-4)
    value = likelihood_of(cdnow)(np.array(values(daily)))[0]
    monkeypatch.setattr("clv.models.pareto_nbd.BLOCK", 7)
    monkeypatch.setattr("clv.numerics.lapse.BLOCK", 100)
    np.testing.assert_allclose(daily.p_alive(cdnow), alive, rtol=1e-13)
    np.testing.assert_allclose(
        daily.discounted_expected_residual_transactions(cdnow, 1e-4), dert, rtol=1e-13
    )
    assert likelihood_of(cdnow)(np.array(values(daily)))[0] == pytest.approx(value, rel=1e-13)


def test_customers_who_all_bought_on_the_last_day_never_lapse() -> None:
    model = ParetoNBD.fit(pd.concat([history(x, 90, 90) for x in range(1, 30)]))
    assert "s" in model.at_wall
    assert np.isfinite(model.log_likelihood)
    assert model.p_alive(history(3, 90, 90))[0] == 1.0


# --------------------------------------------------------------------------------- simulation


def population(truth: ParetoNBD, many: int, rng: np.random.Generator) -> pd.DataFrame:
    """Histories in exact times, of customers who came over 600 days."""
    ages = rng.uniform(100, 700, many)
    rows, times = truth.draw_histories(ages, rng)
    last = np.zeros(many)
    np.maximum.at(last, rows, times)
    return pd.DataFrame(
        {"frequency": np.bincount(rows, minlength=many), "recency": last, "T": ages}
    )


TRUTH = ParetoNBD(r=1.2, alpha=60.0, s=1.5, beta=250.0)


def test_simulated_populations_give_their_parameters_back_as_surely_as_reported() -> None:
    rng = np.random.default_rng(11)
    models = [ParetoNBD.fit(population(TRUTH, 2000, rng)) for _ in range(24)]
    errors = np.array([np.log(model.parameters / TRUTH.parameters) for model in models])
    reported = np.array([np.sqrt(np.diag(np.array(model.log_covariance))) for model in models])
    standard = errors / reported
    assert np.abs(standard.mean(axis=0)).max() < 3 / np.sqrt(len(models))
    # The spread of 24 standard normal numbers is within .6 and 1.4 in 99 of 100 cases.
    assert np.all((standard.std(axis=0) > 0.6) & (standard.std(axis=0) < 1.4))


def test_simulated_customers_buy_and_lapse_as_expected() -> None:
    rng = np.random.default_rng(5)
    many = 200_000
    rows, times = TRUTH.draw_histories(np.full(many, 365.0), rng)
    counts = np.bincount(rows, minlength=many)
    error = counts.std() / np.sqrt(many)
    assert counts.mean() == pytest.approx(float(TRUTH.expected_purchases(365)), abs=4 * error)
    early = float(TRUTH.expected_purchases(90))
    assert (times <= 90).sum() / many == pytest.approx(early, abs=4 * np.sqrt(early / many) * 2)
    assert times.min() >= 0
    assert times.max() <= 365


def test_random_futures_average_to_the_expectation() -> None:
    rng = np.random.default_rng(6)
    many = 100_000
    for customer in (history(0, 0, 200), history(12, 180, 200)):
        copies = customer.loc[np.zeros(many, dtype=int)]
        drawn = TRUTH.draw_purchases(365, copies, rng)
        expected = TRUTH.purchases_while_active(365, customer)[0]
        assert drawn.mean() == pytest.approx(expected, abs=4 * drawn.std() / np.sqrt(many))


def test_random_futures_are_finite_under_the_wildest_parameters() -> None:
    rng = np.random.default_rng(7)
    wild = ParetoNBD(r=1e-4, alpha=1e-2, s=1e-4, beta=1e-2)
    drawn = wild.draw_purchases(18_250, pd.concat([history(0, 0, 0)] * 5000), rng)
    assert np.all(np.isfinite(drawn))
    assert np.all(drawn >= 0)


# ---------------------------------------------------------------------------- what it answers


def test_one_time_buyers_may_have_lapsed(daily: ParetoNBD) -> None:
    young, old = daily.p_alive(pd.concat([history(0, 0, 10), history(0, 0, 5000)]))
    assert old < 0.1 < 0.9 < young < 1
    assert daily.leaving_known(history(0, 0, 10)).all()


def test_a_customer_who_bought_today_is_alive(daily: ParetoNBD) -> None:
    assert daily.p_alive(history(4, 60, 60))[0] == 1.0
    assert daily.p_alive(history(0, 0, 0))[0] == 1.0


def test_nothing_is_bought_in_no_time(daily: ParetoNBD) -> None:
    assert daily.expected_purchases(0) == 0
    assert daily.conditional_expected_purchases(0, history(3, 20, 60))[0] == 0


def test_new_customers_are_foreseen_for_any_shape_of_times(weekly: ParetoNBD) -> None:
    ahead = weekly.expected_purchases([[0.0, 39.0], [52.0, 520.0]])
    assert ahead.shape == (2, 2)
    assert ahead[1, 0] == pytest.approx(float(weekly.expected_purchases(52)))
    new = weekly.conditional_expected_purchases(39, history(0, 0, 0))[0]
    assert ahead[0, 1] == pytest.approx(new, rel=1e-12)


def test_horizons_may_differ_by_customer(daily: ParetoNBD) -> None:
    both = pd.concat([history(3, 20, 60), history(1, 50, 90)])
    together = daily.purchases_while_active([30.0, 365.0], both)
    apart = [daily.purchases_while_active(t, both)[k] for k, t in enumerate((30, 365))]
    np.testing.assert_allclose(together, apart, rtol=1e-14)


def test_discounting_agrees_with_a_sum_over_days(daily: ParetoNBD) -> None:
    customer, rate = history(5, 200, 250), np.log(1.1) / 365
    until = [daily.conditional_expected_purchases(day, customer)[0] for day in range(201)]
    by_day = np.diff(until) @ np.exp(-rate * (np.arange(200) + 0.5))
    discounted = daily.discounted_expected_purchases(200, customer, rate)[0]
    assert discounted == pytest.approx(by_day, rel=1e-7)


def test_discounting_at_nothing_is_no_discounting(daily: ParetoNBD, cdnow: pd.DataFrame) -> None:
    np.testing.assert_allclose(
        daily.discounted_expected_purchases(365, cdnow, 0.0),
        daily.conditional_expected_purchases(365, cdnow),
        rtol=1e-14,
    )


def test_a_customer_who_buys_often_is_awaited_sooner(daily: ParetoNBD) -> None:
    often, seldom = daily.expected_wait(pd.concat([history(20, 200, 205), history(1, 200, 205)]))
    assert often == pytest.approx((daily.alpha + 205) / (daily.r + 20))
    assert often < seldom


parameter = st.floats(-4, 4).map(lambda power: 10.0**power)


@st.composite
def histories(draw: st.DrawFn) -> pd.DataFrame:
    T = draw(st.integers(0, 20_000))
    x = draw(st.integers(0, min(T, 10_000)))
    return history(x, draw(st.integers(x, T)) if x else 0, T)


@settings(max_examples=100, deadline=None)
@given(parameter, parameter, parameter, parameter, histories(), st.integers(1, 18_250))
def test_forecasts_are_finite_not_negative_and_rise_with_time(
    r: float, alpha: float, s: float, beta: float, customer: pd.DataFrame, t: int
) -> None:
    model = ParetoNBD(r=r, alpha=alpha * 300, s=s, beta=beta * 300)
    alive = model.p_alive(customer)[0]
    assert 0 <= alive <= 1
    sooner, later = (model.conditional_expected_purchases(h, customer)[0] for h in (t, 2 * t))
    assert 0 <= sooner <= later * (1 + 1e-9) < np.inf
    discounted = model.discounted_expected_purchases(t, customer, 0.1 / 365)[0]
    assert 0 <= discounted <= sooner * (1 + 1e-9)
    rest = model.discounted_expected_residual_transactions(customer, 0.1 / 365)[0]
    assert discounted * (1 - 1e-9) <= rest < np.inf


@settings(max_examples=60, deadline=None)
@given(histories(), st.floats(0.01, 1000), st.integers(1, 5000))
def test_the_unit_of_time_does_not_change_a_forecast(
    customer: pd.DataFrame, unit: float, t: int
) -> None:
    model = ParetoNBD(r=0.55, alpha=74.0, s=0.61, beta=82.0)
    scaled = ParetoNBD(r=0.55, alpha=74.0 / unit, s=0.61, beta=82.0 / unit)
    rescaled = customer.assign(recency=customer.recency / unit, T=customer["T"] / unit)
    np.testing.assert_allclose(
        scaled.conditional_expected_purchases(t / unit, rescaled),
        model.conditional_expected_purchases(t, customer),
        rtol=1e-9,
    )


def test_every_silent_customer_is_integrated_once(cdnow: pd.DataFrame) -> None:
    x, t_x, T = (cdnow[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    for known in (Known(0.55, 74.0, 0.6, 82.0), Known(5.0, 1e6, 9.0, 0.1)):
        lapses = list(Silence.since(known, x, t_x, T).lapses())
        rows = np.sort(np.concatenate([some.rows for some in lapses]))
        np.testing.assert_array_equal(rows, np.flatnonzero(t_x < T))
        for some in lapses:
            np.testing.assert_allclose(some.chance.sum(axis=0), 1, rtol=1e-12)
