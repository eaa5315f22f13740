from __future__ import annotations

import numpy as np
import pytest

from clv.errors import ConvergenceError
from clv.numerics.newton import Floats, maximise, thinned


def gamma_like(n: float, total: float) -> object:
    """n log x - total x: highest at x = n / total."""

    def likelihood(parameters: Floats) -> tuple[float, Floats, Floats]:
        x = parameters
        return float((n * np.log(x) - total * x).sum()), n / x - total, np.diag(-n / x**2)

    return likelihood


def rising(parameters: Floats) -> tuple[float, Floats, Floats]:
    """-1 / x: no maximum, ever flatter."""
    x = parameters
    return float(-(1 / x).sum()), 1 / x**2, np.diag(-2 / x**3)


def broken(parameters: Floats) -> tuple[float, Floats, Floats]:
    return float("nan"), np.full(1, np.nan), np.full((1, 1), np.nan)


def test_the_summit_is_found_from_far_away() -> None:
    best = maximise(gamma_like(100, 25), [[0.001], [900.0]])
    assert best.parameters == pytest.approx([4.0], rel=1e-9)
    assert best.at_wall(["x"]) == ()


def test_the_covariance_is_that_of_the_curvature() -> None:
    best = maximise(gamma_like(100, 25), [[1.0]])
    assert best.log_covariance == ((pytest.approx(1 / 100, rel=1e-6),),)


def test_an_endless_rise_stops_at_the_wall() -> None:
    best = maximise(rising, [[1.0]])
    assert best.parameters == pytest.approx([1e4])
    assert best.at_wall(["x"]) == ("x",)


def test_the_other_parameters_go_on_along_the_wall() -> None:
    def both(parameters: Floats) -> tuple[float, Floats, Floats]:
        one, other = gamma_like(50, 10)(parameters[:1]), rising(parameters[1:])
        hessian = np.diag([one[2][0, 0], other[2][0, 0]])
        return one[0] + other[0], np.concatenate([one[1], other[1]]), hessian

    assert maximise(both, [[0.1, 0.1]]).parameters == pytest.approx([5.0, 1e4])


def test_a_summit_behind_the_wall_is_approached_along_it() -> None:
    """-(u - 20)^2 - 4 (v - u / 2)^2 in the logarithms u and v, with u stopped at ln 1e4."""

    def coupled(parameters: Floats) -> tuple[float, Floats, Floats]:
        u, v = np.log(parameters)
        by_log = np.array([-2 * (u - 20) + 4 * (v - u / 2), -8 * (v - u / 2)])
        curved = np.array([[-4.0, 4.0], [4.0, -8.0]]) - np.diag(by_log)
        value = -((u - 20) ** 2) - 4 * (v - u / 2) ** 2
        return float(value), by_log / parameters, curved / np.outer(parameters, parameters)

    for start in ([1.0, 1.0], [9999.0, 0.001], [0.001, 9999.0]):
        best = maximise(coupled, [start])
        assert best.parameters == pytest.approx([1e4, 1e2], rel=1e-6)


def test_a_curvature_without_summit_gives_no_covariance() -> None:
    def flat(parameters: Floats) -> tuple[float, Floats, Floats]:
        return 0.0, np.zeros(1), np.zeros((1, 1))

    assert maximise(flat, [[1.0]]).log_covariance is None


def test_a_likelihood_without_values_is_an_error_with_its_numbers() -> None:
    with pytest.raises(ConvergenceError, match=r"starts=2 steps=\d+"):
        maximise(broken, [[1.0], [2.0]])


def test_a_thinned_likelihood_is_made_for_many_rows_only() -> None:
    assert thinned(lambda column: len(column), np.ones(30_000)) is None
    assert thinned(lambda column: len(column), np.ones(100_000)) == 20_000
