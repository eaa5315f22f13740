"""Log-likelihoods of anybody's parameters, straight from the papers: a judge who takes no side.

Fader, Hardie & Lee (2005), Marketing Science 24(2); Schmittlein, Morrison & Colombo (1987),
Management Science 33(1), in the form of Fader & Hardie (2005), A Note on Deriving the Pareto/NBD
Model. Times in days. Plain sums: good for data like CDNOW, not for hard cases.
"""

# ruff: noqa: N803, N806 -- the papers' own letters

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import betaln, gammaln, hyp2f1


def log_likelihood(task: str, parameters: Mapping[str, float], summary: pd.DataFrame) -> float:
    """Of `bg` or `pareto`, over all customers of the summary."""
    x, t_x, T = (summary[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency", "T"))
    # In units of the mean age, so that no power over- or underflows.
    unit = float(T.mean())
    scaled = {n: v / unit if n in ("alpha", "beta") else v for n, v in parameters.items()}
    of_model = beta_geo if task == "bg" else pareto
    return float(of_model(scaled, x, t_x / unit, T / unit).sum() - x.sum() * np.log(unit))


def beta_geo(p: Mapping[str, float], x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
    r, alpha, a, b = (p[name] for name in ("r", "alpha", "a", "b"))
    with np.errstate(divide="ignore", invalid="ignore"):
        gone = np.log(a) - np.log(b + x - 1) - (r + x) * np.log(alpha + t_x)
    active = -(r + x) * np.log(alpha + T)
    silent = np.where(x > 0, np.logaddexp(active, gone), active)
    purchases = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    return purchases + betaln(a, b + x) - betaln(a, b) + silent


def pareto(p: Mapping[str, float], x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
    r, alpha, s, beta = (p[name] for name in ("r", "alpha", "s", "beta"))
    all_of = r + s + x
    larger, second = max(alpha, beta), s + 1 if alpha >= beta else r + x

    def until(t: np.ndarray) -> np.ndarray:
        z = abs(alpha - beta) / (larger + t)
        return hyp2f1(all_of, second, all_of + 1, z) / (larger + t) ** all_of

    active = (alpha + T) ** -(r + x) * (beta + T) ** -s
    gone = s / all_of * (until(t_x) - until(T))
    purchases = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return purchases + np.log(active + gone)
