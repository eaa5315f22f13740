"""The mathematics that the models with a chance to leave share, against 40-digit arithmetic.

`data/hard_dropout.csv` holds what `exact` says of 200 hard cases of each model, and
`data/hard_dropout_discounted.csv` what `exactly_discounted` says of some; both come from `write`,
and a few of their rows are computed again here.
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import mpmath as mp
import numpy as np
import pandas as pd
import pytest

from clv.models.beta_geo import BetaGeoNBD
from clv.models.dropout import Habit, Known, Likelihood, probability_alive
from clv.models.mbg_cnbd_k import MBGCNBDk
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.models.purchases import Purchases

DATA = Path(__file__).parents[1] / "data"
#: A tenth a year, by days.
RATE = 0.1 / 365
Shares = list[mp.mpf]
Pair = tuple[mp.mpf, mp.mpf]

HABITS = {"BG/NBD": Habit(0), "MBG/NBD": Habit(1), "MBG/CNBD-k": Habit(1)}


class Case(NamedTuple):
    model: str
    k: int
    r: float
    alpha: float
    a: float
    b: float
    x: int
    t_x: int
    T: int
    t: int


def hard_cases(model: str, seed: int) -> list[Case]:
    """Parameters up to the walls and histories to 10,000 purchases, horizons to 50 years."""
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(200):
        width = (2, 4)[number % 2]
        r, alpha, a, b = (float(f"{10**power:.6g}") for power in rng.uniform(-width, width, 4))
        a = {0: 1.0, 1: 1 + 1e-9}.get(number % 10, a)
        alpha = b if number % 10 == 3 else alpha
        x = int(rng.choice([0, 0, 1, 2, 7, 26, 365, 3000, 10_000]))
        T = max(x, int(rng.choice([0, 1, 30, 365, 3650, 18_250])))
        t_x = int(rng.choice([T, x, rng.integers(x, T + 1)])) if x else 0
        t = int(rng.choice([1, 30, 365, 3650, 18_250]))
        k = 2 + number % 11 if model == "MBG/CNBD-k" else 1
        cases.append(Case(model, k, r, alpha, a, b, x, t_x, T, t))
    return cases


def exact(case: Case) -> tuple[mp.mpf, mp.mpf, mp.mpf]:
    """The log-likelihood, P(alive) and purchases of a customer, in 100 digits."""
    with mp.workdps(100):
        r, alpha, a, b, T, t = map(mp.mpf, (*case[2:6], *case[8:]))
        log_likelihood, alive, passed = exactly_so_far(case)
        R, n = r + case.k * case.x, case.x + HABITS[case.model].at_first
        if case.k == 1:
            return log_likelihood, alive, alive * exactly_ahead(R, alpha + T, a, b + n, t)
        few = t < 10 * (alpha + T) and R * t < 300 * (alpha + T)
        way = exactly_ahead_by_stages if few else exactly_ahead_by_leaving
        ahead = way([share / sum(passed) for share in passed], (R, alpha + T), (a, b + n), t)
        return log_likelihood, alive, alive * ahead


def exactly_so_far(case: Case) -> tuple[mp.mpf, mp.mpf, Shares]:
    """The log-likelihood, P(alive), and in proportion how likely which stages have passed.

    Both ways to be silent, as the definition has them.
    """
    with mp.workdps(100):
        r, alpha, a, b, t_x, T = map(mp.mpf, (*case[2:6], *case[7:9]))
        k, x, n = case.k, case.x, case.x + HABITS[case.model].at_first
        R, S = r + k * x, T - t_x
        passed = [mp.rf(R, j) * (S / (alpha + T)) ** j / mp.factorial(j) for j in range(k)]
        active = mp.beta(a, b + n) / mp.beta(a, b) * (alpha + T) ** -R * sum(passed)
        gone = mp.beta(a + 1, b + n - 1) / mp.beta(a, b) * (alpha + t_x) ** -R if n else mp.mpf(0)
        log_likelihood = mp.log(mp.rf(r, k * x) * alpha**r * (active + gone))
        return log_likelihood, active / (active + gone), passed


def exactly_ahead(R: mp.mpf, A: mp.mpf, a: mp.mpf, beta: mp.mpf, t: mp.mpf) -> mp.mpf:
    """The paper's equation 10; at its pole, a = 1, from 45 digits beside it."""
    a = a if abs(a - 1) > mp.mpf(10) ** -45 else 1 + mp.mpf(10) ** -45
    z, C = t / (A + t), a + beta - 1
    return C / (a - 1) * (1 - (1 - z) ** R * mp.hyp2f1(R, beta, C, z))


def exactly_ahead_by_stages(shares: Shares, rate: Pair, leaving: Pair, t: mp.mpf) -> mp.mpf:
    """The sum of what follows j stages, as likely as their shares. Takes long for long horizons."""
    R, A = rate
    return sum(
        share * _ahead_of_stage(len(shares), j, (R + j, A), leaving, t)
        for j, share in enumerate(shares)
    )


def _ahead_of_stage(k: int, j: int, rate: Pair, leaving: Pair, t: mp.mpf) -> mp.mpf:
    """Sum over m of P(at least m k - j stages within t) times E[(1-p)^(m-1)]."""
    (R, A), (a, beta) = rate, leaving
    z = t / (A + t)
    chance, stages = (1 - z) ** R, 0
    fewer, total, stays, purchase = chance, mp.mpf(0), mp.mpf(1), 1
    while True:
        while stages < purchase * k - j - 1:
            chance *= (R + stages) * z / (stages + 1)
            stages += 1
            fewer += chance
        if 1 - fewer < mp.mpf(10) ** -75 and stages > R * z / (1 - z):
            return total
        total += stays * (1 - fewer)
        stays *= (beta + purchase - 1) / (a + beta + purchase - 1)
        purchase += 1


def exactly_ahead_by_leaving(shares: Shares, rate: Pair, leaving: Pair, t: mp.mpf) -> mp.mpf:
    """E[M] less the integral of what leaving with probability p takes off it, over y = logit p.

    By the trapezoidal rule: the integrand is smooth and dies away like p^(a+1) and (1-p)^beta.
    """
    with mp.workdps(180):
        (R, A), (a, beta) = rate, leaving
        odds, shares = t / A, [share / sum(shares) for share in shares]
        tiny = mp.mpf(10) ** -40
        most = _made((tiny, 1 - tiny), shares, R, odds)
        peak = mp.log((a + 1) / beta)
        step = min(mp.mpf("0.06"), mp.sqrt(1 / (a + 1) + 1 / beta) / 3)

        def fall(y: mp.mpf) -> mp.mpf:
            p, q = 1 / (1 + mp.exp(-y)), 1 / (1 + mp.exp(y))
            weight = mp.exp(a * mp.log(p) + beta * mp.log(q)) / mp.beta(a, beta)
            return weight * (_made((p, q), shares, R, odds) - most)

        total, largest = mp.mpf(0), mp.mpf(0)
        for way in (step, -step):
            y = peak if way > 0 else peak + way
            while True:
                term = fall(y)
                total, largest = total + term, max(largest, abs(term))
                if abs(term) < mp.mpf(10) ** -24 * largest:
                    break
                y += way
        return most + total * step


def _made(leaves: Pair, shares: Shares, R: mp.mpf, odds: mp.mpf) -> mp.mpf:
    """(1 - E[q^M]) / p of M possible purchases: those made until the customer leaves.

    q^floor(n/k) of n stages is the sum over the k-th roots w of q of p w / (k q (1-w)) w^n.
    """
    (p, q), k = leaves, len(shares)
    root, stays = mp.root(q, k), mp.mpf(0)
    for turn in range(k // 2 + 1):
        w = root * mp.expjpi(mp.mpf(2 * turn) / k)
        Y = 1 + (1 - w) * odds
        passed = mp.fdot((share, (w / Y) ** j) for j, share in enumerate(shares))
        part = mp.re(p * w / (k * q * (1 - w)) * mp.exp(-R * mp.log(Y)) * passed)
        stays += part if turn in (0, mp.mpf(k) / 2) else 2 * part
    return (1 - stays) / p


def exactly_discounted(case: Case, rate: float) -> mp.mpf:
    """The integral of exp(-rate s) times the expected rate of purchases at s, on ln s."""
    with mp.workdps(30):
        r, alpha, a, b, T, t, d = map(mp.mpf, (*case[2:6], case.T, case.t, rate))
        n = case.x + HABITS[case.model].at_first
        R, A = r + case.x, alpha + T

        def at(v: mp.mpf) -> mp.mpf:
            s = mp.exp(v)
            return s * mp.exp(-d * s) * R / A * mp.hyp2f1(R + 1, a, a + b + n, -s / A)

        last = mp.log(min(t, 60 / d))
        return mp.quad(at, [last - 5 * step for step in range(10, -1, -1)], maxdegree=6)


def rows(cases: list[Case]) -> pd.DataFrame:
    digits = [[mp.nstr(value, 20) for value in exact(case)] for case in cases]
    answers = pd.DataFrame(digits, columns=["log_likelihood", "p_alive", "purchases"])
    return pd.concat([pd.DataFrame(cases), answers], axis=1)


def discounted_rows(cases: list[Case]) -> pd.DataFrame:
    """To the horizon, and all to come (DERT): 1,000,000 days are endless."""
    pairs = [(case, case._replace(t=1_000_000)) for case in cases]
    digits = [[mp.nstr(exactly_discounted(case, RATE), 20) for case in pair] for pair in pairs]
    answers = pd.DataFrame(digits, columns=["discounted", "residual"])
    return pd.concat([pd.DataFrame(cases), answers], axis=1)


def write() -> None:
    """The data files, anew. It takes half an hour."""
    every = [hard_cases(model, seed) for seed, model in enumerate(HABITS)]
    pd.concat([rows(cases) for cases in every]).to_csv(DATA / "hard_dropout.csv", index=False)
    pd.concat([discounted_rows(some(cases)) for cases in every[:2]]).to_csv(
        DATA / "hard_dropout_discounted.csv", index=False
    )


def some(cases: list[Case]) -> list[Case]:
    """Those whose discounted purchases are stored."""
    # Beyond, the exact integral was not done after some minutes.
    return [case for case in cases if case.x <= 26 and case.a < 5000][:14]


@pytest.fixture(scope="module")
def hard() -> pd.DataFrame:
    return pd.read_csv(DATA / "hard_dropout.csv")


MODELS = {model.NAME: model for model in (BetaGeoNBD, ModifiedBetaGeoNBD)}


def fitted_as(case: Case) -> BetaGeoNBD | ModifiedBetaGeoNBD | MBGCNBDk:
    parameters = {"r": case.r, "alpha": case.alpha, "a": case.a, "b": case.b}
    if case.model in MODELS:
        return MODELS[case.model](**parameters)
    return MBGCNBDk(k=case.k, **parameters)


def customer(case: Case) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [case.x], "recency": [case.t_x], "T": [case.T]})


def stored_cases(hard: pd.DataFrame, model: str) -> list[tuple[Case, pd.Series]]:
    of_model = hard[hard.model == model]
    names = list(Case._fields)
    return [(Case(*row[names]), row) for _, row in of_model.iterrows()]


def habit_of(case: Case) -> Habit:
    return Habit(HABITS[case.model].at_first, case.k)


def known_of(case: Case) -> Known:
    return Known(case.r, case.alpha, case.a, case.b)


@pytest.mark.parametrize("model", HABITS)
def test_what_is_stored_is_what_the_definition_says(hard: pd.DataFrame, model: str) -> None:
    cases = hard_cases(model, list(HABITS).index(model))
    stored = stored_cases(hard, model)
    assert [case for case, _ in stored] == cases
    names = ["log_likelihood", "p_alive", "purchases"]
    quick = [(case, row) for case, row in stored if case.x < 10 and case.k < 5][:6]
    for case, row in quick:
        again = [float(value) for value in exact(case)]
        np.testing.assert_allclose(again, row[names].to_numpy(float), rtol=1e-15)


@pytest.mark.parametrize("model", HABITS)
def test_p_alive_is_exact_on_200_hard_cases(hard: pd.DataFrame, model: str) -> None:
    for case, row in stored_cases(hard, model):
        alive = fitted_as(case).p_alive(customer(case))[0]
        assert alive == pytest.approx(row.p_alive, rel=1e-8, abs=1e-300), case


@pytest.mark.parametrize("model", HABITS)
def test_the_likelihood_is_exact_on_200_hard_cases(hard: pd.DataFrame, model: str) -> None:
    """To 1e-10 of its largest term: ln G, or (r + k x) ln T."""
    for case, row in stored_cases(hard, model):
        one = (np.array([float(value)]) for value in (case.x, case.t_x, case.T, 1))
        value = Likelihood(habit_of(case), *one)(np.array(known_of(case)))[0]
        assert value == pytest.approx(row.log_likelihood, rel=1e-10, abs=1e-8), case


@pytest.mark.parametrize("model", HABITS)
def test_conditional_expectations_are_exact_on_200_hard_cases(
    hard: pd.DataFrame, model: str
) -> None:
    for case, row in stored_cases(hard, model):
        ahead = fitted_as(case).conditional_expected_purchases(case.t, customer(case))[0]
        assert 0 <= ahead < np.inf, case
        assert ahead == pytest.approx(row.purchases, rel=1e-8, abs=1e-300), case


def test_what_is_exact_by_stages_is_so_by_leaving_too() -> None:
    """Two ways to the same figure: by how many stages pass, and by who leaves."""
    shares = [mp.mpf(1) / 2, mp.mpf(1) / 4, mp.mpf(1) / 4]
    for a in ("0.3", "2.5"):
        way = shares, (mp.mpf(5), mp.mpf(40)), (mp.mpf(a), mp.mpf(3)), mp.mpf(20)
        with mp.workdps(100):
            apart = exactly_ahead_by_stages(*way) / exactly_ahead_by_leaving(*way) - 1
        assert abs(apart) < 1e-20


@pytest.fixture(scope="module")
def discounted() -> pd.DataFrame:
    return pd.read_csv(DATA / "hard_dropout_discounted.csv")


@pytest.mark.parametrize("model", MODELS)
def test_what_is_stored_of_discounted_purchases_is_their_integral(
    discounted: pd.DataFrame, model: str
) -> None:
    cases = some(hard_cases(model, list(HABITS).index(model)))
    stored = stored_cases(discounted, model)
    assert [case for case, _ in stored] == cases
    for case, row in stored[2:3]:
        assert float(exactly_discounted(case, RATE)) == pytest.approx(row.discounted, rel=1e-15)


@pytest.mark.parametrize("model", MODELS)
def test_discounted_purchases_are_exact_on_hard_cases(
    discounted: pd.DataFrame, hard: pd.DataFrame, model: str
) -> None:
    """The expected rate itself integrated, not the expectation by parts."""
    p_alive = {case: float(row.p_alive) for case, row in stored_cases(hard, model)}
    for case, row in stored_cases(discounted, model):
        fitted, alive, one = fitted_as(case), p_alive[case], customer(case)
        ahead = fitted.discounted_expected_purchases(case.t, one, RATE)[0]
        residual = fitted.discounted_expected_residual_transactions(one, RATE)[0]
        assert ahead == pytest.approx(alive * row.discounted, rel=1e-8), case
        assert residual == pytest.approx(alive * row.residual, rel=1e-8), case


@pytest.mark.parametrize("habit", [Habit(0), Habit(1), Habit(1, 2), Habit(1, 5)])
def test_the_gradient_and_the_hessian_are_those_of_the_value(
    habit: Habit, cdnow: pd.DataFrame
) -> None:
    columns = (cdnow[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    likelihood = Likelihood(habit, *columns, np.ones(len(cdnow)))
    point = np.array([0.3, 25.0, 0.9, 2.0])
    _, gradient, hessian = likelihood(point)
    for place in range(4):
        step = np.zeros(4)
        step[place] = point[place] * 1e-5
        up, down = likelihood(point + step), likelihood(point - step)
        width = 2 * step[place]
        assert (up[0] - down[0]) / width == pytest.approx(gradient[place], rel=1e-5, abs=1e-4)
        np.testing.assert_allclose((up[1] - down[1]) / width, hessian[place], rtol=1e-5, atol=1e-3)


def test_customers_of_many_blocks_are_answered_like_each_alone(cdnow: pd.DataFrame) -> None:
    known, habit = Known(0.3, 25.0, 0.9, 2.0), Habit(1, 2)
    history = tuple(
        np.tile(cdnow[name].to_numpy(float), 8) for name in ("frequency", "recency", "T")
    )
    together = probability_alive(known, habit, history)
    for row in (0, 8191, 8192, 18_855):
        alone = probability_alive(known, habit, tuple(column[[row]] for column in history))
        assert together[row] == alone[0]


def young_shop(model: Purchases, seed: int) -> pd.DataFrame:
    """500 customers of less than 90 days, by days."""
    rng = np.random.default_rng(seed)
    ages = rng.integers(1, 90, 500).astype(float)
    rows, times = model.draw_histories(ages, rng)
    days = pd.DataFrame({"row": rows, "day": np.minimum(np.ceil(times), ages[rows])})
    by_row = days.drop_duplicates().groupby("row").day
    columns = {"frequency": by_row.size(), "recency": by_row.max()}
    return pd.DataFrame(columns).reindex(range(500), fill_value=0.0).assign(T=ages)


@pytest.mark.parametrize(
    ("model", "seed"),
    [
        (ModifiedBetaGeoNBD(r=7.0, alpha=3200.0, a=0.03, b=0.24), 13),
        (ModifiedBetaGeoNBD(r=7.0, alpha=3200.0, a=0.03, b=0.24), 22),
        (MBGCNBDk(k=3, r=4.5, alpha=950.0, a=1.3, b=3.0), 12),
        (MBGCNBDk(k=3, r=4.5, alpha=950.0, a=1.3, b=3.0), 18),
        (MBGCNBDk(k=4, r=4.0, alpha=200.0, a=1.8, b=0.15), 7),
        (MBGCNBDk(k=4, r=4.0, alpha=200.0, a=1.8, b=0.15), 37),
    ],
)
def test_a_dozen_who_came_back_are_fitted_at_the_walls(
    model: ModifiedBetaGeoNBD | MBGCNBDk, seed: int
) -> None:
    """Next to nothing is known: the likelihood is flat, and its rise lost in rounding."""
    found = type(model).fit(young_shop(model, seed))
    assert found.at_wall
    assert np.isfinite(found.log_likelihood)
