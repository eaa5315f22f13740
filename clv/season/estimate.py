"""The season in a shop's daily activity: what was bought against what a plain model expects.

Repeat purchases of a cell (`clv.season.history`), five days of one year, are Poisson with mean

    A exp(f_bin + level + slope z),   z = -1 at the start of the history to 1 at its end

where A is what the model, fitted in operational time, expects in the cell at factor 1: a sum over
the customers of each day in the past. Level and slope take what isn't season: a model that ages
customers too fast or too slowly, customers who get better or worse. f is Gaussian around 0, and

    cov(f_i, f_j) = wide^2 exp(-2 sin^2(pi d) / WIDTH^2) + narrow^2 exp(-365 d / NARROW_DAYS)

at a distance of d years: slow seasons and sharp peaks. The scales, wide and narrow, are tried on a
grid and their seasons averaged by their marginal likelihoods, by Laplace's method (Rasmussen &
Williams 2006, Gaussian Processes for Machine Learning, sections 3.4 and 5.4). So a bin is drawn to
its neighbours and to 1 the more, the fewer purchases it has, and where no scales are much more
likely than none, the season is flat. Cells that scatter more than Poisson counts do (one year's
sale) count for less, by Pearson's dispersion.
"""

# ruff: noqa: N806 -- the papers' own letters

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import product
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv.models.purchases import Purchases
from clv.numerics.log_time import LogTime
from clv.season.history import BIN_DAYS, BINS, Activity, Cells
from clv.season.index import LEAP_DAY, SLOTS, SeasonalIndex

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Scales = tuple[float, float]

WIDTH, NARROW_DAYS = 0.7, 10.0
#: The scales of f that are tried, from no season to one of five times and a fifth, and usual ones.
SCALES = (0.0, 0.1, 0.2, 0.4, 0.8)
USUAL = (0.4, 0.2)
#: How far level and slope may be from 0, as standard deviations.
LEVEL, SLOPE = 3.0, 0.3
#: A season must be this much more likely than none, as a logarithm: twenty to one.
EVIDENCE = 3.0
#: Scales of less weight than this in a season are left out.
LIGHT = 0.01
#: Cells of fewer expected purchases say nothing.
SOME = 1e-6

#: Season and model take turns until no factor moves by more than this share.
STILL, TURNS = 0.005, 8
#: Customers from which a season is found; with more, every so-manieth.
ENOUGH = 20_000


class Plain(Protocol):
    """What can be made seasonal: a class of models, fitted values of which are Purchases."""

    def fit(self, summary: pd.DataFrame, weights: ArrayLike | None = None) -> Any:
        """The model of a summary."""


@dataclass(frozen=True)
class Season:
    """A season and how it was found.

    `scales` (wide, narrow) have `weights` in it. `parameters` is the effective number of
    parameters behind it, `dispersion` the variance of the cells over that of Poisson counts,
    `log_evidence` by how much its likeliest scales are likelier than none.
    """

    index: SeasonalIndex
    scales: tuple[Scales, ...]
    weights: tuple[float, ...]
    parameters: float
    dispersion: float
    log_evidence: float


def season_of(
    model_class: Plain,
    summary: pd.DataFrame,
    activity: Activity,
    as_of: date,
    weights: ArrayLike | None = None,
) -> Season:
    """The season of a shop, found in turn with the model.

    `summary` is as of `as_of`, the last day of `activity`. Raises what the model's `fit` does.
    """
    stride = max(len(summary) // ENOUGH, 1)
    some = summary.iloc[::stride]
    each = None if weights is None else np.asarray(weights, dtype=np.float64)[::stride]
    cells, season, index = Cells.of(activity), None, SeasonalIndex.flat()
    for _ in range(TURNS):
        model = model_class.fit(index.operational(some, as_of), each)
        season = estimate(expected_at_one(model, index, activity), cells, season)
        before, index = index, season.index
        if np.abs(np.log(index.factors) - np.log(before.factors)).max() < STILL:
            break
    return cast(Season, season)


def expected_at_one(model: Purchases, index: SeasonalIndex, activity: Activity) -> Floats:
    """Repeat purchases that a model, fitted in operational time, expects in each cell at factor 1.

    Those who first purchased on one day are a cohort; an expectation is looked up in LogTime.
    """
    starts = Cells.of(activity).starts
    ends = np.append(starts, len(activity.days))
    W = index.running(np.append(activity.first - 1, activity.days))
    time = LogTime(model.time_scale, float(W[-1] - W[0]))
    coefficients = time.coefficients(model.expected_purchases(time.moments))
    came = np.flatnonzero(activity.first_purchases)  # a shop of decades has many days without
    many, since = activity.first_purchases[came], W[came + 1]
    known = np.searchsorted(came, ends)
    until = [
        many[:upto] @ time.at(W[end] - since[:upto], coefficients)
        for end, upto in zip(ends, known, strict=True)
    ]
    return np.maximum(np.diff(until), 0.0) / index.at(activity.days[starts])


def estimate(expected: Floats, cells: Cells, found: Season | None = None) -> Season:
    """The season in the cells, by what is expected in them at factor 1.

    With the scales and the dispersion of a season `found` before, if there is one.
    """
    some = expected > SOME
    counts = _Counts(cells.purchases[some], expected[some], cells.bins[some], cells.z[some])
    if found is None:
        found = _scales(counts)
    scaled = counts.over(found.dispersion)
    fits = [scaled.fit(*scales) for scales in found.scales]
    many = np.array(found.weights) @ np.array([fit.parameters for fit in fits])
    return replace(found, index=_index(fits, found.weights), parameters=float(many))


def _scales(counts: _Counts) -> Season:
    """The scales of f and their weights, for counts as they scatter around a usual season."""
    dispersion = max(1.0, counts.scatter(counts.fit(*USUAL)))
    tried = [counts.over(dispersion).fit(*scales) for scales in product(SCALES, SCALES)]
    none, best = tried[0], max(tried, key=lambda fit: fit.evidence)
    if best.evidence < none.evidence + EVIDENCE:
        tried, best = [none], none
    weights = np.exp([fit.evidence - best.evidence for fit in tried])
    weights[weights < LIGHT * weights.sum()] = 0.0
    kept = np.flatnonzero(weights)
    return Season(
        index=SeasonalIndex.flat(),
        scales=tuple(tried[place].scales for place in kept),
        weights=tuple((weights[kept] / weights.sum()).tolist()),
        parameters=0.0,
        dispersion=dispersion,
        log_evidence=best.evidence - none.evidence,
    )


def _index(fits: list[_Fit], weights: tuple[float, ...]) -> SeasonalIndex:
    """The expectation of exp(f), each bin's factor for each of its days."""
    each = np.array([np.exp(fit.f + fit.variance / 2) for fit in fits])
    if np.all(each == 1):
        return SeasonalIndex.flat()
    usual = (np.array(weights) @ each)[np.arange(SLOTS - 1) // BIN_DAYS]
    return SeasonalIndex.of(np.insert(usual, LEAP_DAY, usual[LEAP_DAY]))


@dataclass(frozen=True)
class _Fit:
    """f around a mean of 0, its variance, the log of the marginal likelihood."""

    scales: Scales
    f: Floats
    variance: Floats
    means: Floats
    parameters: float
    evidence: float


@dataclass(frozen=True)
class _Counts:
    """Purchases by cell, the means they would have at factor 1, and the cells' bins and z."""

    y: Floats
    A: Floats
    bins: Ints
    z: Floats

    def over(self, dispersion: float) -> _Counts:
        """Counts of that many times less weight."""
        return replace(self, y=self.y / dispersion, A=self.A / dispersion)

    def scatter(self, fit: _Fit) -> float:
        """Pearson's dispersion."""
        free = max(len(self.y) - fit.parameters - 2, 1.0)
        return float(((self.y - fit.means) ** 2 / fit.means).sum() / free)

    def fit(self, wide: float, narrow: float) -> _Fit:
        """Newton's method on f, level and slope, and Laplace's approximation around them."""
        bins = BINS if wide or narrow else 0
        precision = np.diag(np.append(np.zeros(bins), [LEVEL**-2, SLOPE**-2]))
        if bins:
            precision[:bins, :bins] = _precision(wide, narrow)
        theta, means = self._summit(precision)
        information = self._information(means, bins)
        spread = np.linalg.inv(information + precision)
        centre = np.eye(bins) - 1 / max(bins, 1)
        f = np.zeros(BINS)
        f[:bins] = centre @ theta[:bins]
        variance = np.zeros(BINS)
        variance[:bins] = np.diag(centre @ spread[:bins, :bins] @ centre)
        log_det = np.linalg.slogdet(precision)[1] + np.linalg.slogdet(spread)[1]
        return _Fit(
            (wide, narrow),
            f,
            variance,
            means,
            max(float(np.trace(spread @ information)) - 2, 0.0) if bins else 0.0,
            self._height(theta, precision) + float(log_det) / 2,
        )

    def _eta(self, theta: Floats) -> Floats:
        """f + level + slope z of each cell; theta is f by bin (or none), level and slope."""
        f = theta[:-2][self.bins] if len(theta) > 2 else 0.0
        return np.asarray(f + theta[-2] + theta[-1] * self.z)

    def _gathered(self, values: Floats, bins: int) -> Floats:
        """The cells' values as theta sees them: summed by bin, in all, and weighed by z."""
        by_bin = np.bincount(self.bins, values, bins)[:bins] if bins else np.zeros(0)
        return np.append(by_bin, [values.sum(), values @ self.z])

    def _information(self, means: Floats, bins: int) -> Floats:
        """Each cell has one bin, so all but two rows and columns are a diagonal."""
        level, slope = self._gathered(means, bins), self._gathered(means * self.z, bins)
        information = np.diag(level)
        information[-2:, :] = level, slope
        information[:, -2:] = np.column_stack((level, slope))
        return information

    def _height(self, theta: Floats, precision: Floats) -> float:
        eta = self._eta(theta)
        return float(self.y @ eta - self.A @ np.exp(eta) - theta @ precision @ theta / 2)

    def _summit(self, precision: Floats) -> tuple[Floats, Floats]:
        """The most likely parameters, by steps halved until they rise, and the means there."""
        theta = np.zeros(len(precision))
        theta[-2] = np.clip(np.log((self.y.sum() + 1) / (self.A.sum() + 1)), -LEVEL, LEVEL)
        height, bins = self._height(theta, precision), len(precision) - 2
        for _ in range(100):
            means = self.A * np.exp(self._eta(theta))
            uphill = self._gathered(self.y - means, bins) - precision @ theta
            step = np.linalg.solve(self._information(means, bins) + precision, uphill)
            if uphill @ step < 1e-8:
                break
            step = step * min(1.0, 5.0 / float(np.abs(step).max()))
            while (higher := self._height(theta + step, precision)) < height:
                step = step / 2
            theta, height = theta + step, higher
        return theta, self.A * np.exp(self._eta(theta))


@cache
def _precision(wide: float, narrow: float) -> Floats:
    """The inverse covariance of f; the last term keeps it there where the season is smooth."""
    apart = np.abs(np.subtract.outer(np.arange(BINS), np.arange(BINS))) / BINS
    d = np.minimum(apart, 1 - apart)
    slow = np.exp(-2 * np.sin(np.pi * d) ** 2 / WIDTH**2)
    sharp = np.exp(-365 * d / NARROW_DAYS)
    covariance = wide**2 * slow + narrow**2 * sharp + 1e-8 * np.eye(BINS)
    return np.asarray(np.linalg.inv(covariance), dtype=np.float64)
