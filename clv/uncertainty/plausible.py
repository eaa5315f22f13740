"""A shop's models as its data allow them: the best ones, and others that could be true as well.

Two ways to them that must agree. By the Hessian: log-parameters from the normal distribution
around the estimate, at the price of a random number. By the weighted bootstrap: the models fitted
again to customers with random weights (Newton & Raftery 1994, Approximate Bayesian Inference with
the Weighted Likelihood Bootstrap, JRSS B 56(1)), which trusts the likelihood's shape less and
costs a fit each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from clv.forecast import ByModels, all_purchases
from clv.models.gamma_gamma import GammaGamma

MANY = 64


@dataclass(frozen=True)
class Plausible:
    """The models of a shop: `best` fits the data best, each of `drawn` could be the true one."""

    best: ByModels
    drawn: tuple[ByModels, ...]


def by_hessian(best: ByModels, seed: int, many: int = MANY) -> Plausible:
    """`many` pairs around the estimates. Models without a covariance are taken to be certain."""
    rng = np.random.default_rng(seed)
    buying = _around(best.buying, many, rng)
    spending = _around(best.spending, many, rng)
    return Plausible(best, _pairs(best, buying, spending))


def by_bootstrap(
    best: ByModels, summary: pd.DataFrame, seed: int, many: int = MANY, fit: Any = None
) -> Plausible:
    """`many` pairs fitted to customers with random weights. Raises what fitting raises.

    `fit(summary, weights)` stands in for the model's own.
    """
    rng = np.random.default_rng(seed)
    fit = fit or type(best.buying).fit  # type: ignore[attr-defined]
    spend = all_purchases(summary)
    n = len(summary)
    buying = [fit(summary, weights=rng.standard_exponential(n)) for _ in range(many)]
    spending = [GammaGamma.fit(spend, weights=rng.standard_exponential(n)) for _ in range(many)]
    return Plausible(best, _pairs(best, buying, spending))


def _around(model: Any, many: int, rng: np.random.Generator) -> Sequence[Any]:
    models: Sequence[Any] = model.drawn(many, rng) if hasattr(model, "drawn") else [model] * many
    return models


def _pairs(
    best: ByModels, buying: Sequence[Any], spending: Sequence[GammaGamma]
) -> tuple[ByModels, ...]:
    both = zip(buying, spending, strict=True)
    return tuple(replace(best, buying=buys, spending=spends) for buys, spends in both)
