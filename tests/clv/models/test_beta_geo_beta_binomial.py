from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

import mpmath as mp
import numpy as np
import pandas as pd
import pytest

from clv.errors import BadSummary, NotEnoughData
from clv.models.beta_geo_beta_binomial import BetaGeoBetaBinomial, _Likelihood

NAMES = ("alpha", "beta", "gamma", "delta")
DATA = Path(__file__).parents[1] / "data"
HARD_CASES = DATA / "beta_geo_beta_binomial_hard_cases.csv"
CASE = (*NAMES, "x", "t_x", "n", "t", "rate")
ANSWERS = ("p_alive", "expected", "discounted", "dert")

TRUE = BetaGeoBetaBinomial(alpha=1.2, beta=0.75, gamma=0.66, delta=2.8)


@pytest.fixture(scope="module")
def donations() -> pd.DataFrame:
    return pd.read_csv(DATA / "donations.csv", comment="#")


@pytest.fixture(scope="module")
def model(donations: pd.DataFrame) -> BetaGeoBetaBinomial:
    return BetaGeoBetaBinomial.fit(donations, donations.customers)


def history(x: int, t_x: float, n: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [x], "recency": [t_x], "T": [n]})


def simulated(
    model: BetaGeoBetaBinomial, ages: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    rows, times = model.draw_histories(ages.astype(float), rng)
    last = np.zeros(len(ages))
    np.maximum.at(last, rows, times)
    x = np.bincount(rows, minlength=len(ages))
    return pd.DataFrame({"frequency": x, "recency": last, "T": ages})


# ------------------------------------------------------------------------------ published figures


def test_the_donations_give_our_estimate_to_six_digits(model: BetaGeoBetaBinomial) -> None:
    assert [round(getattr(model, name), 6) for name in NAMES] == [
        1.203522,
        0.749716,
        0.656718,
        2.783442,
    ]
    assert round(model.log_likelihood, 4) == -33225.5813


def test_the_donations_give_the_papers_printed_digits(model: BetaGeoBetaBinomial) -> None:
    assert [f"{getattr(model, name):.3f}" for name in NAMES] == ["1.204", "0.750", "0.657", "2.783"]
    assert f"{model.log_likelihood:.1f}" == "-33225.6"
    assert model.customers == 11_104


def test_the_estimate_agrees_with_what_others_found(model: BetaGeoBetaBinomial) -> None:
    theirs = [1.2035, 0.7497, 0.6567, 2.7835]
    assert [getattr(model, name) for name in NAMES] == pytest.approx(theirs, abs=1e-4)
    assert f"{model.log_likelihood:.3f}" == "-33225.581"


def test_p_alive_in_2002_is_as_in_the_papers_table_6(model: BetaGeoBetaBinomial) -> None:
    some = pd.concat([history(0, 0, 6), history(2, 4, 6), history(6, 6, 6)])
    assert [f"{value:.2f}" for value in model.p_alive(some)] == ["0.11", "0.59", "0.93"]


def test_donations_of_the_next_five_years_add_up_to_the_authors_figure(
    model: BetaGeoBetaBinomial, donations: pd.DataFrame
) -> None:
    """Their spreadsheet, brucehardie.com/notes/010, sheet Conditional Expectations (II)."""
    ahead = model.conditional_expected_purchases(5, donations) @ donations.customers
    assert f"{ahead:.1f}" == "12884.2"


# ------------------------------------------------------------------------------------ exact values


def exactly(
    parameters: tuple[float, ...], x: int, t_x: int, n: int, t: int, rate: float
) -> tuple[mp.mpf, ...]:
    """P(alive), purchases within t, the same discounted, and DERT: the paper's sums, 40 digits."""
    with mp.workdps(40):
        alpha, beta, gamma, delta = (mp.mpf(value) for value in parameters)
        z = mp.exp(-mp.mpf(rate))

        # Terms of the likelihood over B(alpha+x, beta+n-x) B(gamma, delta+n+1).
        gone, term = mp.mpf(0), gamma / (delta + n)
        for j in range(n, t_x - 1, -1):
            gone += term
            if j > t_x:
                term *= (alpha + beta + j - 1) / (beta + j - 1 - x)
                term *= (gamma + delta + j) / (delta + j - 1)
        alive = 1 / (1 + gone)
        there = n + 1 + delta
        plain, discounted, weight, faded = mp.mpf(0), mp.mpf(0), mp.mpf(1), z
        for k in range(t):
            plain += weight
            discounted += faded
            step = (there + k) / (gamma + there + k)
            weight *= step
            faded *= step * z
        endless = z * endless_sum(gamma, there, z)
        active = alive * (alpha + x) / (alpha + beta + n)
        return alive, active * plain, active * discounted, active * endless


def endless_sum(gamma: mp.mpf, there: mp.mpf, z: mp.mpf) -> mp.mpf:
    """2F1(1, there; gamma + there; z), term by term: mpmath's own loses its way."""
    bits = 240
    leaves, stays, later = (int(mp.ldexp(value, bits)) for value in (gamma, there, z))
    term, total = 1 << bits, 0
    while term > total >> 160:
        total += term
        term = (term * stays // (leaves + stays) * later) >> bits
        stays += 1 << bits
    return mp.ldexp(mp.mpf(total), -bits)


def hard_cases() -> Iterator[tuple[tuple[float, ...], int, int, int, int, float]]:
    """200 of them: the walls, one and near one, all or nothing taken, 50 years of days."""
    rng = np.random.default_rng(20100)
    corners = (1e-4, 0.5, 1.0, 1.0 + 1e-9, 7.0, 1e4)
    for number in range(200):
        free = 10 ** rng.uniform(-4, 4, 4)
        alpha, beta, gamma, delta = np.where(rng.random(4) < 0.5, free, rng.choice(corners, 4))
        if number % 10 == 0:
            beta = alpha
        n = int(10 ** rng.uniform(0, 4.2)) if number % 4 else int(rng.integers(0, 60))
        x = min((0, n, int(rng.integers(0, n + 1)), 10_000)[number % 4], n)
        wait = int((n - x) * rng.random() ** 3) if x else n
        t = int(10 ** rng.uniform(0, np.log10(18_250)))
        rate = float(rng.choice([np.log(1.1), np.log(1.1) / 52, np.log(1.1) / 365]))
        yield tuple(map(float, (alpha, beta, gamma, delta))), x, n - wait, n, t, rate


def write_hard_cases() -> None:
    with HARD_CASES.open("w", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([*CASE, *ANSWERS])
        for parameters, *rest in hard_cases():
            answers = (mp.nstr(value, 20) for value in exactly(parameters, *rest))
            lines.writerow([*map(repr, parameters), *map(repr, rest), *answers])


def stored_cases() -> list[dict[str, str]]:
    with HARD_CASES.open() as file:
        return list(csv.DictReader(file))


def test_the_stored_values_are_those_of_40_digit_arithmetic() -> None:
    stored = stored_cases()
    assert len(stored) == 200
    for case, (parameters, *rest) in zip(stored[:16], hard_cases(), strict=False):
        given = [float(case[name]) for name in CASE]
        # 10**x differs in its last digit from one processor to the next
        assert given == pytest.approx([*parameters, *rest], rel=1e-14)
        *discrete, rate = given[len(NAMES) :]
        answers = exactly(tuple(given[: len(NAMES)]), *map(int, discrete), rate)
        assert [case[name] for name in ANSWERS] == [mp.nstr(value, 20) for value in answers]


def test_200_hard_cases_agree_with_40_digits() -> None:
    for case in stored_cases():
        model = BetaGeoBetaBinomial(**{name: float(case[name]) for name in NAMES})
        customer = history(int(case["x"]), int(case["t_x"]), int(case["n"]))
        t, rate = int(case["t"]), float(case["rate"])
        found = [
            model.p_alive(customer)[0],
            model.conditional_expected_purchases(t, customer)[0],
            model.discounted_expected_purchases(t, customer, rate)[0],
            model.discounted_expected_residual_transactions(customer, rate)[0],
        ]
        exact = [float(case[name]) for name in ANSWERS]
        np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-290, err_msg=str(case))


@pytest.mark.parametrize("gamma", [0.3, 1.0, 4.0])
def test_new_customers_purchase_as_often_as_the_sum_over_opportunities_says(gamma: float) -> None:
    model = BetaGeoBetaBinomial(alpha=1.2, beta=0.7, gamma=gamma, delta=2.8)
    theta = [gamma / (gamma + 2.8 + j) for j in range(1000)]
    there = np.cumprod(1 - np.array(theta))
    exact = 1.2 / 1.9 * np.cumsum(there)
    found = model.expected_purchases([[1, 2, 6], [256, 257, 1000]])
    np.testing.assert_allclose(found, exact[[[0, 1, 5], [255, 256, 999]]], rtol=1e-12)


# --------------------------------------------------------------------------------------- behaviour


def test_part_of_an_opportunity_is_none(model: BetaGeoBetaBinomial) -> None:
    some = history(3, 4, 6)
    for ask in (
        lambda t: model.conditional_expected_purchases(t, some)[0],
        lambda t: float(model.expected_purchases(t)),
        lambda t: model.discounted_expected_purchases(t, some, 0.1)[0],
    ):
        assert ask(2.9) == ask(2)
        assert ask(3 - 1e-12) == ask(3) > ask(2)
        assert ask(0.5) == 0


def test_each_customer_may_have_a_horizon_of_their_own(model: BetaGeoBetaBinomial) -> None:
    some = pd.concat([history(3, 4, 6), history(3, 4, 6), history(1, 1, 6)])
    each = model.purchases_while_active(np.array([2.0, 300.0, 300.0]), some)
    assert each[0] == model.purchases_while_active(2, some)[0]
    assert each[1] == model.purchases_while_active(300, some)[1]


@pytest.mark.parametrize(
    ("customer", "column"),
    [
        (history(1, 1.5, 6), "recency"),
        (history(3, 2, 6), "recency"),
        (history(0, 2, 6), "recency"),
        (history(1, 7, 6), "T"),
        (history(1, 1, float("nan")), "T"),
    ],
)
def test_what_does_not_count_opportunities_is_refused(customer: pd.DataFrame, column: str) -> None:
    with pytest.raises(BadSummary) as refused:
        BetaGeoBetaBinomial.fit(pd.concat([customer] * 20))
    assert refused.value.column == column
    with pytest.raises(BadSummary):
        TRUE.p_alive(customer)


def test_a_handful_of_customers_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="customers=4"):
        BetaGeoBetaBinomial.fit(pd.concat([history(1, 1, 6)] * 4))


def test_weights_stand_for_as_many_customers(
    donations: pd.DataFrame, model: BetaGeoBetaBinomial
) -> None:
    each = donations.loc[donations.index.repeat(donations.customers)]
    single = BetaGeoBetaBinomial.fit(each.sample(frac=1, random_state=1))
    assert single.parameters == pytest.approx(model.parameters, rel=1e-8)


def test_customers_who_take_every_opportunity_stop_at_the_wall() -> None:
    alike = BetaGeoBetaBinomial.fit(pd.concat([history(8, 8, 8)] * 50))
    assert alike.at_wall
    assert alike.conditional_expected_purchases(8, history(8, 8, 8))[0] == pytest.approx(8, rel=0.1)


def test_the_gradient_and_the_hessian_are_those_of_the_value() -> None:
    """Customers of different ages, so that sums from n on are taken away."""
    some = simulated(TRUE, np.random.default_rng(5).integers(0, 30, 400), np.random.default_rng(6))
    columns = (some[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    likelihood = _Likelihood(*columns, np.linspace(1, 3, 400))
    point = np.array([0.9, 1.7, 0.4, 5.0])
    _, gradient, hessian = likelihood(point)
    for place in range(4):
        step = np.zeros(4)
        step[place] = point[place] * 1e-5
        up, down = likelihood(point + step), likelihood(point - step)
        width = 2 * step[place]
        assert (up[0] - down[0]) / width == pytest.approx(gradient[place], rel=1e-6, abs=1e-4)
        np.testing.assert_allclose((up[1] - down[1]) / width, hessian[place], rtol=1e-6, atol=1e-4)


def test_the_likelihood_is_the_papers_sum() -> None:
    some = simulated(TRUE, np.arange(1, 41), np.random.default_rng(3))
    point = (0.9, 1.7, 0.4, 5.0)
    alpha, beta, gamma, delta = point
    total = mp.mpf(0)
    for x, t_x, n in some.astype(int).itertuples(index=False):
        likelihood = mp.beta(alpha + x, beta + n - x) * mp.beta(gamma, delta + n)
        for j in range(t_x, n):
            likelihood += mp.beta(alpha + x, beta + j - x) * mp.beta(gamma + 1, delta + j)
        total += mp.log(likelihood / mp.beta(alpha, beta) / mp.beta(gamma, delta))
    columns = (some[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    value = _Likelihood(*columns, np.ones(len(some)))(np.array(point))[0]
    assert value == pytest.approx(float(total), rel=1e-12)


@pytest.mark.parametrize("walls", list(itertools.product([1e-4, 1e4], repeat=4)))
def test_the_likelihood_is_finite_at_the_walls(walls: tuple[float, ...]) -> None:
    x, t_x, n = np.array([[0, 0, 3], [0, 0, 400], [7, 7, 7], [300, 320, 400], [5, 5, 400]], float).T
    value, gradient, hessian = _Likelihood(x, t_x, n, np.ones(5))(np.array(walls))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert np.isfinite(hessian).all()


def test_two_years_of_days_are_fitted_too() -> None:
    """Up to 600 opportunities, up to 600 of them taken."""
    ages = np.random.default_rng(8).integers(400, 601, 300)
    seldom = BetaGeoBetaBinomial(alpha=0.5, beta=40, gamma=0.7, delta=300)
    keen = history(600, 600, 600)
    found = BetaGeoBetaBinomial.fit(
        pd.concat([simulated(seldom, ages, np.random.default_rng(9)), keen])
    )
    assert np.isfinite(found.log_likelihood)
    assert not found.at_wall


def test_the_parameters_of_simulated_populations_are_found_and_so_are_their_errors() -> None:
    rng = np.random.default_rng(2010)
    truth = np.log(TRUE.parameters)
    away = []
    for _ in range(30):
        found = BetaGeoBetaBinomial.fit(simulated(TRUE, rng.integers(6, 13, 4000), rng))
        error = np.sqrt(np.diag(np.array(found.log_covariance)))
        away.append((np.log(found.parameters) - truth) / error)
    mean, spread = np.mean(away, axis=0), np.std(away, axis=0)
    assert np.all(np.abs(mean) < 3 / np.sqrt(30))
    assert np.all((spread > 0.65) & (spread < 1.35))


def test_random_futures_agree_with_the_expected_ones() -> None:
    kinds = pd.concat([history(0, 0, 6), history(3, 4, 6), history(6, 6, 6)], ignore_index=True)
    many = kinds.loc[kinds.index.repeat(40_000)]
    drawn = TRUE.draw_purchases(20.7, many, np.random.default_rng(4)).reshape(3, -1)
    expected = TRUE.purchases_while_active(20, kinds)
    noise = drawn.std(axis=1) / np.sqrt(40_000)
    assert np.all(np.abs(drawn.mean(axis=1) - expected) < 4 * noise)
    assert drawn.max() <= 20


def test_random_histories_agree_with_new_customers_expectation() -> None:
    rows, times = TRUE.draw_histories(np.full(50_000, 12.4), np.random.default_rng(5))
    each = np.bincount(rows, minlength=50_000)
    assert abs(each.mean() - float(TRUE.expected_purchases(12))) < 4 * each.std() / np.sqrt(50_000)
    assert set(times) == set(range(1, 13))
    assert len(set(zip(rows, times, strict=True))) == len(rows)


def test_who_is_awaited_and_who_is_alive_follow_from_the_past(model: BetaGeoBetaBinomial) -> None:
    often, seldom = pd.concat([history(6, 6, 6)]), pd.concat([history(1, 6, 6)])
    assert model.expected_wait(often)[0] < model.expected_wait(seldom)[0]
    assert model.p_alive(history(2, 5, 6))[0] > model.p_alive(history(2, 3, 6))[0]
    assert model.p_alive(history(0, 0, 0))[0] == pytest.approx(
        model.delta / (model.gamma + model.delta), rel=1e-12
    )


def test_a_model_survives_json(model: BetaGeoBetaBinomial) -> None:
    assert BetaGeoBetaBinomial.from_json(model.to_json()) == model
