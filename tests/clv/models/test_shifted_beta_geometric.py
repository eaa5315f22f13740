# ruff: noqa: N803, N806 -- the papers' own letters

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
from clv.models.shifted_beta_geometric import ShiftedBetaGeometric, _Likelihood

DATA = Path(__file__).parents[1] / "data"
HARD_CASES = DATA / "shifted_beta_geometric_hard_cases.csv"
CASE = ("alpha", "beta", "T", "t", "rate")
ANSWERS = ("survival", "expected", "discounted", "derl")

TRUE = ShiftedBetaGeometric(alpha=0.7, beta=1.2)


@pytest.fixture(scope="module")
def survivors() -> pd.DataFrame:
    """Per cent of new customers left after each year: the paper's Table 1."""
    return pd.read_csv(DATA / "retention.csv", comment="#")


def cohort(survivors: pd.Series, years: int) -> pd.DataFrame:
    """A thousand customers who began together, seen for some years."""
    there = (survivors * 10).round().to_numpy()[: years + 1]
    made = np.arange(years + 1)
    customers = np.append(there[:-1] - there[1:], there[-1])
    return pd.DataFrame({"frequency": made, "T": years, "customers": customers})


def fitted(survivors: pd.Series, years: int = 7) -> ShiftedBetaGeometric:
    some = cohort(survivors, years)
    return ShiftedBetaGeometric.fit(some, some.customers)


def customer(x: int, T: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [x], "T": [T]})


def simulated(
    model: ShiftedBetaGeometric, ages: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    rows, _ = model.draw_histories(ages.astype(float), rng)
    return pd.DataFrame({"frequency": np.bincount(rows, minlength=len(ages)), "T": ages})


# ------------------------------------------------------------------------------ published figures


def test_the_high_end_segment_is_as_in_the_paper(survivors: pd.DataFrame) -> None:
    model = fitted(survivors.high_end)
    assert (f"{model.alpha:.3f}", f"{model.beta:.3f}") == ("0.668", "3.806")
    assert f"{model.log_likelihood:.1f}" == "-1611.2"
    assert [round(value, 6) for value in model.parameters] == [0.668088, 3.806095]
    assert round(model.log_likelihood, 4) == -1611.1581


def test_the_regular_segment_is_as_in_the_paper(survivors: pd.DataFrame) -> None:
    model = fitted(survivors.regular)
    assert (f"{model.alpha:.3f}", f"{model.beta:.3f}") == ("0.704", "1.182")
    assert f"{model.log_likelihood:.1f}" == "-1680.3"
    assert [round(value, 6) for value in model.parameters] == [0.704077, 1.182043]
    assert round(model.log_likelihood, 4) == -1680.2652


@pytest.mark.parametrize("segment", ["high_end", "regular"])
def test_five_years_ahead_survival_is_close_to_what_came(
    survivors: pd.DataFrame, segment: str
) -> None:
    """From 7 years of 12. The paper's figures show no line further off than 2 in a hundred."""
    ahead = 100 * fitted(survivors[segment]).survival(np.arange(8, 13))
    assert np.all(np.abs(ahead - survivors[segment][8:]) < 2)


def test_retention_rates_rise_as_the_papers_equation_says(survivors: pd.DataFrame) -> None:
    model = fitted(survivors.regular)
    rates = model.retention_rate([1, 2, 7, 12])
    assert [f"{rate:.3f}" for rate in rates] == ["0.627", "0.756", "0.911", "0.945"]
    share = model.survival(np.arange(13))
    np.testing.assert_allclose(share[1:] / share[:-1], model.retention_rate(np.arange(1, 13)))
    assert share[0] == 1


# ------------------------------------------------------------------------------------ exact values


def exactly(alpha: float, beta: float, T: int, t: int, rate: float) -> tuple[mp.mpf, ...]:
    """S(t), renewals within t of who made T, the same discounted, and DERL: sums of 40 digits."""
    with mp.workdps(40):
        leaves, first, z = mp.mpf(alpha), mp.mpf(beta), mp.exp(-mp.mpf(rate))

        def shares(made: int) -> Iterator[mp.mpf]:
            share = mp.mpf(1)
            for k in itertools.count(made):
                share *= (first + k) / (leaves + first + k)
                yield share

        *_, survival = itertools.islice(shares(0), t)
        plain, discounted, faded = mp.mpf(0), mp.mpf(0), z
        for share in itertools.islice(shares(T), t):
            plain += share
            discounted += share * faded
            faded *= z
        return survival, plain, discounted, endless(leaves, first + T, z)


def endless(leaves: mp.mpf, stayed: mp.mpf, z: mp.mpf) -> mp.mpf:
    """The sum over k >= 0 of S(T+1+k) / S(T) z^k, term by term on whole numbers."""
    bits = 240
    leave, stay, later = (int(mp.ldexp(value, bits)) for value in (leaves, stayed, z))
    term, total = (stay << bits) // (leave + stay), 0
    while term > total >> 160:
        total += term
        stay += 1 << bits
        term = (term * stay // (leave + stay) * later) >> bits
    return mp.ldexp(mp.mpf(total), -bits)


def hard_cases() -> Iterator[tuple[float, float, int, int, float]]:
    """200 of them: the walls, one and near one, alpha = beta, 50 years of days."""
    rng = np.random.default_rng(2007)
    corners = (1e-4, 0.5, 1.0, 1.0 + 1e-9, 7.0, 1e4)
    for number in range(200):
        free = 10 ** rng.uniform(-4, 4, 2)
        alpha, beta = np.where(rng.random(2) < 0.5, free, rng.choice(corners, 2))
        beta = alpha if number % 10 == 0 else beta
        T = int(rng.choice([0, 1, int(rng.integers(2, 60)), 10_000]))
        t = int(10 ** rng.uniform(0, np.log10(18_250)))
        rate = float(rng.choice([np.log(1.1), np.log(1.1) / 52, np.log(1.1) / 365]))
        yield float(alpha), float(beta), T, t, rate


def write_hard_cases() -> None:
    with HARD_CASES.open("w", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([*CASE, *ANSWERS])
        for case in hard_cases():
            answers = (mp.nstr(value, 20) for value in exactly(*case))
            lines.writerow([*map(repr, case), *answers])


def stored_cases() -> list[dict[str, str]]:
    with HARD_CASES.open() as file:
        return list(csv.DictReader(file))


def test_the_stored_values_are_those_of_40_digit_arithmetic() -> None:
    stored = stored_cases()
    assert len(stored) == 200
    for case, drawn in zip(stored[:8], hard_cases(), strict=False):
        alpha, beta, T, t, rate = (float(case[name]) for name in CASE)
        # 10**x differs in its last digit from one processor to the next
        assert (alpha, beta, T, t, rate) == pytest.approx(drawn, rel=1e-14)
        answers = exactly(alpha, beta, int(T), int(t), rate)
        assert [case[name] for name in ANSWERS] == [mp.nstr(value, 20) for value in answers]


def test_200_hard_cases_agree_with_40_digits() -> None:
    for case in stored_cases():
        model = ShiftedBetaGeometric(alpha=float(case["alpha"]), beta=float(case["beta"]))
        some = customer(int(case["T"]), int(case["T"]))
        t, rate = int(case["t"]), float(case["rate"])
        found = [
            float(model.survival(t)),
            model.conditional_expected_purchases(t, some)[0],
            model.discounted_expected_purchases(t, some, rate)[0],
            model.discounted_expected_residual_lifetime(some, rate)[0],
        ]
        exact = [float(case[name]) for name in ANSWERS]
        np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-290, err_msg=str(case))
        due = model.discounted_expected_residual_transactions(some, rate)[0] * np.exp(rate)
        assert due == pytest.approx(exact[3], rel=1e-9)


def test_a_new_customer_renews_as_often_as_survival_adds_up_to() -> None:
    made = np.cumsum(TRUE.survival(np.arange(1, 401)))
    found = TRUE.expected_purchases([[1, 7], [256, 400]])
    np.testing.assert_allclose(found, made[[[0, 6], [255, 399]]], rtol=1e-11)


# --------------------------------------------------------------------------------------- behaviour


def test_who_missed_a_renewal_has_left() -> None:
    some = pd.concat([customer(3, 4), customer(4, 4), customer(0, 0)])
    assert TRUE.p_alive(some).tolist() == [0, 1, 1]
    for answer in (
        TRUE.conditional_expected_purchases(5, some),
        TRUE.expected_residual_lifetime(some, 5),
        TRUE.discounted_expected_residual_lifetime(some, 0.1),
        TRUE.discounted_expected_residual_transactions(some, 0.1),
    ):
        assert answer[0] == 0
        assert answer[1] > answer[2] > 0


def test_part_of_a_period_brings_no_renewal() -> None:
    some = customer(4, 4)
    assert TRUE.conditional_expected_purchases(0.9, some)[0] == 0
    assert TRUE.conditional_expected_purchases(2.9, some) == TRUE.expected_residual_lifetime(
        some, 2
    )
    assert TRUE.survival(1.5) == TRUE.survival(1)


@pytest.mark.parametrize(
    ("some", "column"),
    [(customer(5, 4), "frequency"), (customer(1, 2.5), "T"), (customer(-1, 2), "frequency")],
)
def test_what_does_not_count_renewals_is_refused(some: pd.DataFrame, column: str) -> None:
    with pytest.raises(BadSummary) as refused:
        ShiftedBetaGeometric.fit(pd.concat([some] * 20))
    assert refused.value.column == column


def test_a_handful_of_customers_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="customers=4"):
        ShiftedBetaGeometric.fit(pd.concat([customer(1, 2)] * 4))


def test_customers_of_whom_nobody_leaves_stop_at_the_wall() -> None:
    model = ShiftedBetaGeometric.fit(pd.concat([customer(4, 4)] * 50))
    assert model.at_wall
    assert model.conditional_expected_purchases(4, customer(4, 4))[0] == pytest.approx(4, rel=0.01)


def test_the_gradient_and_the_hessian_are_those_of_the_value(survivors: pd.DataFrame) -> None:
    some = cohort(survivors.regular, 7)
    likelihood = _Likelihood(*(some[name].to_numpy(float) for name in some))
    point = np.array([0.4, 3.0])
    _, gradient, hessian = likelihood(point)
    for place in range(2):
        step = np.zeros(2)
        step[place] = point[place] * 1e-5
        up, down = likelihood(point + step), likelihood(point - step)
        width = 2 * step[place]
        assert (up[0] - down[0]) / width == pytest.approx(gradient[place], rel=1e-6)
        np.testing.assert_allclose((up[1] - down[1]) / width, hessian[place], rtol=1e-6)


def test_the_parameters_of_simulated_populations_are_found_and_so_are_their_errors() -> None:
    """Customers who began at different times: half of them are seen for three renewals or fewer."""
    rng = np.random.default_rng(2007)
    away = []
    for _ in range(40):
        found = ShiftedBetaGeometric.fit(simulated(TRUE, rng.integers(1, 8, 5000), rng))
        error = np.sqrt(np.diag(np.array(found.log_covariance)))
        away.append((np.log(found.parameters) - np.log(TRUE.parameters)) / error)
    mean, spread = np.mean(away, axis=0), np.std(away, axis=0)
    assert np.all(np.abs(mean) < 3 / np.sqrt(40))
    assert np.all((spread > 0.7) & (spread < 1.3))


def test_random_futures_agree_with_the_expected_ones() -> None:
    kinds = pd.concat([customer(0, 0), customer(5, 5)], ignore_index=True)
    many = kinds.loc[kinds.index.repeat(50_000)]
    drawn = TRUE.draw_purchases(9.5, many, np.random.default_rng(4)).reshape(2, -1)
    noise = drawn.std(axis=1) / np.sqrt(50_000)
    assert np.all(np.abs(drawn.mean(axis=1) - TRUE.purchases_while_active(9, kinds)) < 4 * noise)


def test_random_histories_survive_as_they_should() -> None:
    rows, times = TRUE.draw_histories(np.full(50_000, 6.0), np.random.default_rng(5))
    there = np.bincount(times.astype(int), minlength=7)[1:] / 50_000
    np.testing.assert_allclose(there, TRUE.survival(np.arange(1, 7)), atol=0.01)
    assert len(rows) == len(times)


def test_the_next_renewal_is_a_period_away() -> None:
    assert TRUE.expected_wait(customer(3, 3)).tolist() == [1.0]


def test_a_model_survives_json(survivors: pd.DataFrame) -> None:
    model = fitted(survivors.regular)
    assert ShiftedBetaGeometric.from_json(model.to_json()) == model
