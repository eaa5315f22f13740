"""Discounted purchases of regular buyers against 40-digit arithmetic.

`data/regular_discounted.csv` holds what `exactly_endless` says of the 200 hard cases of MBG/CNBD-k,
and what `exactly_within` says of those whose stages can be added up; both come from `write`.
"""

# ruff: noqa: N806 -- the papers' own letters

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import mpmath as mp
import numpy as np
import pandas as pd
import pytest

from clv.models.mbg_cnbd_k import MBGCNBDk
from tests.clv.models.test_dropout import (
    RATE,
    Case,
    Shares,
    customer,
    exactly_so_far,
    fitted_as,
    hard_cases,
    stored_cases,
)

STORED = Path(__file__).parents[1] / "data" / "regular_discounted.csv"
SEED = 2


def shares_of(case: Case) -> Shares:
    """How likely an active customer has passed which stages."""
    passed = exactly_so_far(case)[2]
    return [share / sum(passed) for share in passed]


def exactly_endless(case: Case, rate: float) -> mp.mpf:
    """All purchases to come of an active customer: the mean, over the rate, of a geometric series.

    Given lambda, stage m is reached for phi^m of today's money, and purchase n is made with
    E[(1-p)^(n-1)]: a sum that is 2F1. Over ln lambda by the trapezoidal rule.
    """
    with mp.workdps(40):
        shares, k = shares_of(case), case.k
        r, alpha, a, b, d = map(mp.mpf, (*case[2:6], rate))
        R, A, beta = r + k * case.x, alpha + case.T, b + case.x + 1
        step = min(mp.mpf("0.12"), 1 / (3 * mp.sqrt(R + k)))

        def at(v: mp.mpf) -> mp.mpf:
            rate_now = mp.exp(v) / A
            phi = rate_now / (rate_now + d)
            weighed = mp.fsum(
                share * mp.exp((R + j) * v - mp.exp(v) - mp.loggamma(R + j)) * phi ** (k - j)
                for j, share in enumerate(shares)
            )
            return weighed * _geometric(phi**k, a, beta)

        return _summed(at, mp.log(R + k), step)


def _geometric(y: mp.mpf, a: mp.mpf, beta: mp.mpf) -> mp.mpf:
    """E[1 / (1 - (1-p) y)] as its series; near y = 1, where that is long, as mpmath's 2F1.

    Which is no way elsewhere: its 2F1(1, 4519; 6273; 0.9) is 1e150, with 160 digits as well.
    """
    if y > mp.mpf("0.98"):
        return mp.hyp2f1(1, beta, a + beta, y)
    term, total, n = mp.mpf(1), mp.mpf(1), 0
    while term > mp.mpf(10) ** -30 * total:
        term *= y * (beta + n) / (a + beta + n)
        total, n = total + term, n + 1
    return total


def _summed(at: mp.mpf, peak: mp.mpf, step: mp.mpf) -> mp.mpf:
    total, largest = mp.mpf(0), mp.mpf(0)
    for way in (step, -step):
        v = peak if way > 0 else peak + way
        while True:
            term = at(v)
            total, largest = total + term, max(largest, abs(term))
            if abs(term) < mp.mpf(10) ** -18 * largest:
                break
            v += way
    return total * step


def exactly_within(case: Case, rate: float) -> mp.mpf:
    """The integral over time of exp(-rate s) times the density of all purchases, stage by stage."""
    with mp.workdps(40):
        shares, k, t = shares_of(case), case.k, mp.mpf(case.t)
        r, alpha, a, b, d = map(mp.mpf, (*case[2:6], rate))
        R, A, beta = r + k * case.x, alpha + case.T, b + case.x + 1
        wait = A * min(k / R, 1)
        panels = int(mp.ceil(2 * mp.log(1 + t / wait)))
        ends = [wait * mp.expm1(mp.log(1 + t / wait) * n / panels) for n in range(panels + 1)]

        def at(s: mp.mpf) -> mp.mpf:
            there = mp.fsum(
                share * _density(s, k - j, k, (R + j, A), (a, beta))
                for j, share in enumerate(shares)
            )
            return mp.exp(-d * s) * there

        return mp.quad(at, ends, method="gauss-legendre", maxdegree=3)


def _density(
    s: mp.mpf, first: int, k: int, rate: tuple[mp.mpf, mp.mpf], leaving: tuple[mp.mpf, mp.mpf]
) -> mp.mpf:
    """Of purchases at s, made at stages `first`, `first` + k and so on of those still there."""
    (R, A), (a, beta) = rate, leaving
    z = s / (A + s)
    term, stage = R * (1 - z) ** (R + 1) / A, 1
    total, stays, made = mp.mpf(0), mp.mpf(1), 0
    while True:
        if stage == first + made * k:
            total += stays * term
            stays *= (beta + made) / (a + beta + made)
            made += 1
            if made and stage > R * z / (1 - z) and term < mp.mpf(10) ** -25 * total:
                return total
        term *= (R + stage) * z / stage
        stage += 1


def few(case: Case) -> bool:
    """So that all stages can be added up within seconds."""
    R, A = case.r + case.k * case.x, case.alpha + case.T
    return case.t < 10 * A and R * case.t < 150 * A


def answered(case: Case) -> tuple[str, str]:
    within = mp.nstr(exactly_within(case, RATE), 20) if few(case) else ""
    return within, mp.nstr(exactly_endless(case, RATE), 20)


def write() -> None:
    """The data file, anew. It takes half an hour."""
    cases = hard_cases("MBG/CNBD-k", SEED)
    with ProcessPoolExecutor() as pool:
        answers = pd.DataFrame(list(pool.map(answered, cases)), columns=["discounted", "residual"])
    pd.concat([pd.DataFrame(cases), answers], axis=1).to_csv(STORED, index=False)


@pytest.fixture(scope="module")
def stored() -> pd.DataFrame:
    return pd.read_csv(STORED)


def test_what_is_stored_is_what_the_definition_says(stored: pd.DataFrame) -> None:
    cases = hard_cases("MBG/CNBD-k", SEED)
    assert [case for case, _ in stored_cases(stored, "MBG/CNBD-k")] == cases
    assert [not np.isnan(within) for within in stored.discounted] == [few(case) for case in cases]
    for number in (3, 41):
        within, residual = (float(answer) for answer in answered(cases[number]))
        assert within == pytest.approx(stored.discounted[number], rel=1e-15)
        assert residual == pytest.approx(stored.residual[number], rel=1e-15)


def test_all_purchases_to_come_are_exact_on_200_hard_cases(stored: pd.DataFrame) -> None:
    for case, row in stored_cases(stored, "MBG/CNBD-k"):
        fitted, one = fitted_as(case), customer(case)
        ahead = fitted.discounted_expected_residual_transactions(one, RATE)[0]
        exact = fitted.p_alive(one)[0] * row.residual
        assert ahead == pytest.approx(exact, rel=1e-8, abs=1e-300), case


def test_those_within_a_horizon_are_exact_where_all_stages_can_be_added_up(
    stored: pd.DataFrame,
) -> None:
    some = stored[stored.discounted.notna()]
    assert len(some) > 80
    for case, row in stored_cases(some, "MBG/CNBD-k"):
        fitted, one = fitted_as(case), customer(case)
        ahead = fitted.discounted_expected_purchases(case.t, one, RATE)[0]
        exact = fitted.p_alive(one)[0] * row.discounted
        assert ahead == pytest.approx(exact, rel=1e-8, abs=1e-300), case


@pytest.mark.parametrize(
    "number",
    [*range(0, 200, 21), *(pytest.param(n, marks=pytest.mark.thorough) for n in range(7, 200, 21))],
)
def test_a_long_horizon_comes_to_all_purchases_to_come(number: int) -> None:
    """Two ways that share nothing: over time in panels, and over rates without time."""
    case = hard_cases("MBG/CNBD-k", SEED)[number]
    fitted, one = fitted_as(case), customer(case)
    # Beyond exp(-39.9) of discount nothing counts; the horizon still counts as one with an end.
    ahead = fitted.discounted_expected_purchases(39.9 / RATE, one, RATE)[0]
    endless = fitted.discounted_expected_residual_transactions(one, RATE)[0]
    assert ahead == pytest.approx(endless, rel=1e-8, abs=1e-300)


def test_a_customer_gets_the_same_alone_and_among_others() -> None:
    """Nodes are shared by who has the same x, or the same T."""
    model, rng = MBGCNBDk(k=3, r=1.33, alpha=19.7, a=0.42, b=0.79), np.random.default_rng(2)
    T = rng.integers(1, 700, 60).astype(float)
    x = rng.integers(0, 30, 60)
    shop = pd.DataFrame({"frequency": x, "recency": np.where(x, T * rng.random(60), 0), "T": T})
    for answer in (
        lambda some: model.discounted_expected_purchases(365, some, RATE),
        lambda some: model.discounted_expected_residual_transactions(some, RATE),
    ):
        alone = [answer(shop.iloc[[row]])[0] for row in range(60)]
        np.testing.assert_allclose(answer(shop), alone, rtol=1e-10)
