from __future__ import annotations

import numpy as np
import pytest

from clv.numerics.log_time import LogTime

HORIZONS = np.array([0.0, 0.01, 1.0, 30.0, 365.0, 18_262.0])


@pytest.mark.parametrize("scale", [0.5, 40.0, 3_000.0, 1e7])
@pytest.mark.parametrize("power", [-0.9, 0.3, 1.0])
def test_a_power_law_is_told_by_its_values_at_the_moments(scale: float, power: float) -> None:
    time = LogTime(scale, HORIZONS[-1])
    coefficients = time.coefficients((1 + time.moments / scale) ** power)
    expected = (1 + HORIZONS / scale) ** power
    assert time.at(HORIZONS, coefficients) == pytest.approx(expected, rel=1e-9)


def test_the_basis_times_the_coefficients_is_the_value() -> None:
    time = LogTime(20.0, HORIZONS[-1])
    coefficients = time.coefficients(np.log1p(time.moments))
    assert time.basis(HORIZONS) @ coefficients == pytest.approx(time.at(HORIZONS, coefficients))


def test_many_functions_are_taken_at_once() -> None:
    time = LogTime(20.0, 100.0)
    both = np.stack([time.moments, time.moments**0.5], axis=1)
    together = time.coefficients(both)
    assert together[:, 0] == pytest.approx(time.coefficients(both[:, 0]), abs=1e-12)
    assert together[:, 1] == pytest.approx(time.coefficients(both[:, 1]), abs=1e-12)


def test_moments_stay_within_the_horizon_and_a_horizon_of_nothing_works() -> None:
    assert LogTime(20.0, 100.0).moments.max() <= 100
    time = LogTime(20.0, 0.0)
    assert time.at(np.zeros(2), time.coefficients(time.moments + 3)) == pytest.approx(3.0)
