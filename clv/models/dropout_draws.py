"""Random customers who may leave after each purchase: histories, and the future of active ones."""

# ruff: noqa: N803 -- the papers' own letters

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clv.models.dropout import Habit, Known

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

#: More than anybody does within a horizon; keeps chance from overflowing.
MOST_EVENTS = 1e9


def random_histories(
    known: Known, habit: Habit, ages: Floats, rng: np.random.Generator
) -> tuple[Rows, Floats]:
    """Repeat purchases (row, time) of new customers of these ages."""
    rate = rng.gamma(known.r, 1 / known.alpha, len(ages))
    leaves = rng.beta(known.a, known.b, len(ages))
    active, last = np.arange(len(ages)), np.zeros(len(ages))
    if habit.at_first:
        active, last = _stay(active, last, leaves, rng)
    rows, times = [active[:0]], [last[:0]]
    while len(active):
        with np.errstate(divide="ignore"):
            at = last + rng.standard_gamma(habit.stages, len(active)) / rate[active]
        within = at <= ages[active]
        active, last = active[within], at[within]
        rows.append(active)
        times.append(last)
        active, last = _stay(active, last, leaves, rng)
    return np.concatenate(rows), np.concatenate(times)


def _stay(
    active: Rows, last: Floats, leaves: Floats, rng: np.random.Generator
) -> tuple[Rows, Floats]:
    stays = rng.random(len(active)) >= leaves[active]
    return active[stays], last[stays]


def random_events(t: float, R: Floats, A: Floats, rng: np.random.Generator) -> Floats:
    """Events within `t` at rates of Gamma(R, A)."""
    rate = rng.gamma(R) / A
    return rng.poisson(np.minimum(rate * t, MOST_EVENTS)).astype(np.float64)


def until_leaving(wanted: Floats, a: float, beta: Floats, rng: np.random.Generator) -> Floats:
    """The purchases made of those wanted: up to the one after which the customer leaves."""
    leaves = np.maximum(rng.beta(a, beta), np.finfo(float).tiny)
    return np.minimum(wanted, rng.geometric(leaves)).astype(np.float64)
