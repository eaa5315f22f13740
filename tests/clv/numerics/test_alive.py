"""The expectation against its definition, integrated densely in extended precision."""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import hyp2f1

from clv.numerics.alive import _by_integral, _by_series, purchases_while_alive

#: R = r + x, A = alpha + T, a, beta = b + x, t: easy ones, poles, heaps of orders, long horizons.
HARD = [
    (0.24, 35.0, 0.79, 2.43, 52.0),
    (26.24, 35.4, 0.79, 28.43, 52.0),
    (0.24, 4.4, 0.79, 2.43, 2600.0),
    (0.24, 4.4, 1.0, 2.43, 52.0),
    (3.24, 40.0, 1.0, 5.0, 365.0),
    (3.24, 40.0, 1 + 1e-9, 5.0, 365.0),
    (0.5, 30.0, 0.3, 0.7, 100.0),
    (0.5, 30.0, 0.3, 0.6, 18250.0),
    (10000.24, 3600.0, 0.79, 10002.4, 365.0),
    (10000.24, 3600.0, 0.79, 10002.4, 18250.0),
    (10000.24, 10000.0, 50.0, 10002.4, 18250.0),
    (0.01, 5.0, 0.01, 0.01, 365.0),
    (0.01, 5.0, 0.01, 300.0, 18250.0),
    (100.0, 10.0, 0.5, 2.0, 100.0),
    (100.0, 10.0, 5.0, 2.0, 1000.0),
    (500.0, 5000.0, 200.0, 800.0, 5000.0),
    (500.0, 50.0, 200.0, 800.0, 5000.0),
    (5.0, 5.0, 200.0, 800.0, 20000.0),
    (0.001, 1.0, 30.0, 0.05, 500.0),
    (0.2, 3.0, 0.02, 40.0, 36500.0),
    (2.0, 300.0, 1e-3, 1.0, 365.0),
    (1e4, 3e6, 0.8, 2.4, 365.0),
    (1.0, 30.0, 1e4, 1e4, 365.0),
    (1.0, 30.0, 0.8, 1e4, 18250.0),
]


def by_definition(R: float, A: float, a: float, beta: float, t: float) -> float:
    """E over p ~ Beta(a, beta) of (1 - (1 + p t / A)^-R) / p, in 80-bit floats."""
    width = np.longdouble(min(1.0, float(np.sqrt(1 / a + 1 / beta))))
    u = np.linspace(-16, 16, 40_001).astype(np.longdouble)
    y = np.log(np.longdouble(a) / np.longdouble(beta)) + width * np.sinh(u)
    log_p, log_q = -np.logaddexp(0, -y), -np.logaddexp(0, y)
    log_weight = np.longdouble(a) * log_p + np.longdouble(beta) * log_q
    weight = np.exp(log_weight - log_weight.max()) * np.cosh(u)
    p, horizon = np.exp(log_p), np.longdouble(t) / np.longdouble(A)
    tiny = p * horizon < 1e-22
    within = -np.expm1(-R * np.log1p(p * horizon)) / np.where(tiny, 1, p)
    return float((weight * np.where(tiny, R * horizon, within)).sum() / weight.sum())


def ours(R: float, A: float, a: float, beta: float, t: float) -> float:
    one = np.ones(1)
    return float(purchases_while_alive(t * one, R * one, A * one, a, beta * one)[0])


@pytest.mark.parametrize("case", HARD)
def test_the_expectation_is_that_of_its_definition(case: tuple[float, ...]) -> None:
    assert ours(*case) == pytest.approx(by_definition(*case), rel=1e-9)


def test_the_expectation_is_the_papers_equation_where_that_can_be_computed() -> None:
    for r, alpha, a, b, x, T, t in [
        (0.24, 4.41, 0.79, 2.43, 2, 30.0, 52.0),
        (0.24, 4.41, 0.79, 2.43, 26, 31.0, 52.0),
        (1.5, 10.0, 2.2, 3.0, 0, 20.0, 39.0),
        (0.6, 8.0, 0.4, 1.1, 5, 60.0, 10.0),
    ]:
        z = t / (alpha + T + t)
        F = hyp2f1(r + x, b + x, a + b + x - 1, z)
        paper = (a + b + x - 1) / (a - 1) * (1 - (1 - z) ** (r + x) * F)
        assert ours(r + x, alpha + T, a, b + x, t) == pytest.approx(paper, rel=1e-10)


def test_series_and_integral_meet_where_both_are_good() -> None:
    rng = np.random.default_rng(7)
    R, A, t = rng.uniform(0.1, 30, 300), rng.uniform(5, 400, 300), rng.uniform(1, 400, 300)
    beta = rng.uniform(0.2, 40, 300)
    for a in (0.05, 0.8, 1.0, 3.0):
        series, error = _by_series(t / (A + t), R, a, beta)
        good = error <= 1e-10 * series
        assert good.mean() > 0.8
        integral = _by_integral(t / A, R, a, beta)
        np.testing.assert_allclose(series[good], integral[good], rtol=1e-9)


def test_a_thousand_rows_are_answered_like_each_alone() -> None:
    rng = np.random.default_rng(8)
    R, A, t = rng.uniform(0.1, 300, 3000), rng.uniform(1, 40, 3000), rng.uniform(1, 9000, 3000)
    beta = rng.uniform(0.2, 40, 3000)
    together = purchases_while_alive(t, R, A, 0.8, beta)
    for row in (0, 1234, 2999):
        alone = ours(float(R[row]), float(A[row]), 0.8, float(beta[row]), float(t[row]))
        assert together[row] == pytest.approx(alone, rel=1e-9)


def test_no_time_brings_nothing() -> None:
    assert ours(3.0, 30.0, 0.8, 4.0, 0.0) == 0.0
