"""The likelihood of a model whose parameters differ by combinations of levels.

It is the sum of the plain model's over the combinations that occur, each with its own parameters.
Their logarithms are linear in the logarithms of the baseline and in the coefficients, so gradient
and Hessian follow from the plain model's by one matrix for each combination.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv.errors import BadSettings
from clv.models import dropout, pareto_nbd
from clv.models.beta_geo import HABIT as AFTER_REPEATS
from clv.models.beta_geo import BetaGeoNBD
from clv.models.histories import Histories, history
from clv.models.levels import Levels
from clv.models.modified_beta_geo import HABIT as AFTER_ANY
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.models.pareto_nbd import ParetoNBD
from clv.numerics.grouping import distinct
from clv.numerics.newton import Likelihood, maximise

Floats = NDArray[np.float64]
Plain = BetaGeoNBD | ModifiedBetaGeoNBD | ParetoNBD
Slopes = tuple[float, Floats, Floats]

#: Parameters of every plain model, and which of them says how slowly customers purchase.
BASE, SLOWNESS = 4, 1
#: Standard deviation of a coefficient's prior: e^2, a factor of seven, is no surprise.
PRIOR = 2.0


@dataclass(frozen=True)
class Kind:
    """A plain model: its likelihood, which parameters are times, and which one tells of leaving.

    `leaving` is that one's place, `sign` the one with which it rises with leaving.
    """

    model: type[Plain]
    likelihood: Callable[..., Likelihood]
    times: tuple[int, ...]
    leaving: int
    sign: int

    def matrix(self, z: Floats) -> Floats:
        """What each log-parameter takes from the baseline's logs and from the coefficients."""
        matrix = np.zeros((BASE, BASE + 2 * len(z)))
        matrix[:, :BASE] = np.eye(BASE)
        purchasing, leaving = np.split(matrix[:, BASE:], 2, axis=1)
        purchasing[SLOWNESS] = -z
        leaving[self.leaving] = self.sign * z
        return matrix

    def in_units_of(self, unit: float, parameters: Floats) -> Floats:
        """The parameters for times in another unit."""
        scaled = parameters.copy()
        scaled[list(self.times)] /= unit
        return scaled


_KINDS = (
    Kind(BetaGeoNBD, partial(dropout.Likelihood, AFTER_REPEATS), (1,), leaving=2, sign=1),
    Kind(ModifiedBetaGeoNBD, partial(dropout.Likelihood, AFTER_ANY), (1,), leaving=2, sign=1),
    Kind(ParetoNBD, pareto_nbd._Likelihood, (1, 3), leaving=3, sign=-1),
)


def kind_of(name: str) -> Kind:
    """The kind of a plain model by its name. Raises BadSettings if it takes no covariates."""
    for kind in _KINDS:
        if name == kind.model.NAME:
            return kind
    known = ", ".join(kind.model.NAME for kind in _KINDS)
    raise BadSettings("this model takes no covariates", model=name, known=known)


def dummies(places: NDArray[np.intp], sizes: Sequence[int]) -> Floats:
    """z of each row of places: a column for every level but the first ones."""
    columns = [
        places[:, [column]] == np.arange(1, size) for column, size in enumerate(sizes) if size > 1
    ]
    return np.concatenate([np.zeros((len(places), 0)), *columns], axis=1)


class Combined(NamedTuple):
    """The combinations of levels that occur: places among the levels, and their histories."""

    places: NDArray[np.intp]
    histories: list[Histories]

    @classmethod
    def of(cls, summary: pd.DataFrame, levels: Sequence[Levels], weights: Floats) -> Combined:
        places = np.stack([level.places(summary) for level in levels], axis=1)
        kinds, of_row = distinct(*places.T.astype(np.float64))
        rows, groups = distinct(*history(summary), of_row.astype(np.float64))
        counts = np.bincount(groups, weights, len(rows[0]))
        *past, which = rows
        order = np.argsort(which, kind="stable")
        cuts = np.searchsorted(which[order], np.arange(1, len(kinds[0])))
        parts = zip(*(np.split(column[order], cuts) for column in (*past, counts)), strict=True)
        return cls(np.stack(kinds, axis=1).astype(np.intp), [Histories(*part) for part in parts])

    @property
    def shares(self) -> Floats:
        customers = np.array([part.counts.sum() for part in self.histories])
        return np.asarray(customers / customers.sum())

    @property
    def together(self) -> Histories:
        return Histories(
            *(np.concatenate(columns) for columns in zip(*self.histories, strict=True))
        )


class Joint:
    """Value, gradient and Hessian by the baseline's parameters and by exp(coefficients).

    A coefficient stands beside the log-parameters of the baseline as the log of what it multiplies,
    within the same walls. The prior is in it: see `prior`.
    """

    def __init__(self, kind: Kind, z: Floats, histories: Sequence[Histories]) -> None:
        self.parts = [
            (kind.matrix(each), kind.likelihood(*part))
            for each, part in zip(z, histories, strict=True)
        ]
        self.many = BASE + 2 * z.shape[1]

    def __call__(self, parameters: Floats) -> Slopes:
        logs = np.log(parameters)
        value, gradient, hessian = prior(logs)
        for matrix, likelihood in self.parts:
            own = np.exp(matrix @ logs)
            more, slope, curve = likelihood(own)
            by_log = slope * own
            value += more
            gradient += matrix.T @ by_log
            hessian += matrix.T @ (curve * np.outer(own, own) + np.diag(by_log)) @ matrix
        scaled = (hessian - np.diag(gradient)) / np.outer(parameters, parameters)
        return value, gradient / parameters, scaled


def prior(logs: Floats) -> Slopes:
    """Log-density of the coefficients' prior, without its constant, and its derivatives."""
    coefficients = np.append(np.zeros(BASE), logs[BASE:])
    weight = np.append(np.zeros(BASE), np.full(len(logs) - BASE, PRIOR**-2))
    value = -float(weight @ coefficients**2) / 2
    return value, -weight * coefficients, -np.diag(weight)


def most_likely(plain: Plain, data: Combined, levels: Sequence[Levels]) -> dict[str, Any]:
    """The fields of the model: up from the plain one and no effects. Raises ConvergenceError."""
    kind, all_of_them = kind_of(plain.NAME), data.together
    # Times in units of the mean age: the walls then mean the same under days and weeks.
    unit = all_of_them.mean_age
    z = dummies(data.places, [len(level.names) for level in levels])
    joint = Joint(kind, z, [part.in_units_of(unit) for part in data.histories])
    start = np.append(kind.in_units_of(unit, plain.parameters), np.ones(joint.many - BASE))
    best = maximise(joint, [start.tolist()])
    logs = np.log(best.parameters)
    purchasing, leaving = np.split(logs[BASE:], 2)
    return {
        "model": plain.NAME,
        "baseline": tuple(kind.in_units_of(1 / unit, best.parameters[:BASE]).tolist()),
        "columns": tuple(level.column for level in levels),
        "levels": tuple(level.names for level in levels),
        "purchasing": tuple(purchasing.tolist()),
        "leaving": tuple(leaving.tolist()),
        "combinations": tuple(
            (tuple(places), share)
            for places, share in zip(data.places.tolist(), data.shares.tolist(), strict=True)
        ),
        "plain_log_likelihood": plain.log_likelihood,
        "log_likelihood": best.log_likelihood
        - prior(logs)[0]
        - all_of_them.purchases * float(np.log(unit)),
        "customers": plain.customers,
        "log_covariance": best.log_covariance,
        "at_wall": best.at_wall([str(place) for place in range(joint.many)]),
    }
