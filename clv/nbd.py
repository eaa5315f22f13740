"""NBD (first draft, so that others can import it: its owner completes or replaces this file)."""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv import columns as c
from clv.fitted import Fitted
from clv.purchases import Purchases, Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class NBD(Fitted, Purchases):
    """Customers never leave: purchases at a rate from Gamma(r, alpha)."""

    NAME: ClassVar[str] = "NBD"
    PARAMETERS: ClassVar[tuple[str, ...]] = ("r", "alpha")

    r: float
    alpha: float

    @property
    def time_scale(self) -> float:
        return self.alpha

    def leaving_known(self, summary: pd.DataFrame) -> NDArray[np.bool_]:
        return np.zeros(len(summary), dtype=np.bool_)

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        return np.ones(len(summary))

    def expected_purchases(self, t: ArrayLike) -> Floats:
        return np.asarray(t, dtype=np.float64) * (self.r / self.alpha)

    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        return np.asarray(t, dtype=np.float64) / self.expected_wait(summary)

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        x, T = (summary[name].to_numpy(dtype=np.float64) for name in (c.FREQUENCY, c.T))
        return np.asarray((self.alpha + T) / (self.r + x))

    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        x, T = (summary[name].to_numpy(dtype=np.float64) for name in (c.FREQUENCY, c.T))
        rate = rng.gamma(self.r + x) / (self.alpha + T)
        return rng.poisson(np.minimum(rate * t, 1e9)).astype(np.float64)

    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        many = rng.poisson(np.minimum(rng.gamma(self.r, 1 / self.alpha, len(ages)) * ages, 1e9))
        rows = np.repeat(np.arange(len(ages)), many)
        return rows, rng.random(len(rows)) * ages[rows]
