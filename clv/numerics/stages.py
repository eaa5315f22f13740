"""The stages of a regular wait: how many a silence may hide, and what the rest of it brings.

A wait between purchases is Erlang-k: it has k stages, each exponential at the customer's rate
lambda. Platzer & Reutterer (2016), Ticking Away the Moments, Marketing Science 35(5), 779-799;
Reutterer, Platzer & Schroeder (2021), Leveraging purchase regularity for predicting customer
behavior the easy way, International Journal of Research in Marketing 38(1), 194-215.

After a silence s, as a share of alpha + T, an active customer has passed j < k stages with weight
(R)_j / j! s^j, where lambda ~ Gamma(R, alpha + t_x) before the silence; the weights add up to Q.
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def unseen(k: int, R: Floats, s: Floats) -> Floats:
    """The weights of j = 0 to k - 1 stages passed, along a first axis."""
    weights = np.ones((k, len(R)))
    for j in range(1, k):
        weights[j] = weights[j - 1] * (R + (j - 1)) / j * s
    return weights


def log_unseen(k: int, R: Floats, s: Floats) -> Floats:
    """ln Q; 0 where waits have one stage."""
    return np.log(unseen(k, R, s).sum(axis=0)) if k > 1 else np.zeros_like(R)


class Unseen(NamedTuple):
    """ln Q with its slopes (2, rows) and curvature (2, 2, rows) by R and alpha."""

    log_sum: Floats
    slopes: Floats
    curvature: Floats

    @classmethod
    def of(cls, k: int, R: Floats, silence: Floats, late: Floats) -> Self:
        """For silences in time; `late` is 1 / (alpha + T)."""
        weights = unseen(k, R, silence * late)
        Q = weights.sum(axis=0)
        # Of each weight: d ln / d R = h, d2 ln / d R2 = -g, and it goes with (alpha + T)^-j.
        h, g = np.zeros_like(R), np.zeros_like(R)
        by_R, by_RR, by_age, by_R_age, by_age2 = (np.zeros_like(R) for _ in range(5))
        for j in range(1, k):
            step = 1 / (R + (j - 1))
            h, g = h + step, g + step**2
            share = weights[j] / Q
            by_R += share * h
            by_RR += share * (h**2 - g)
            by_age -= share * j
            by_R_age -= share * h * j
            by_age2 += share * (j * (j + 1))
        mixed = (by_R_age - by_R * by_age) * late
        curvature = np.array([[by_RR - by_R**2, mixed], [mixed, (by_age2 - by_age**2) * late**2]])
        return cls(np.log(Q), np.stack([by_R, by_age * late]), curvature)
