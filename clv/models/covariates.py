"""What is known of customers from the start: models whose parameters differ by their covariates.

Fader, P. S. & Hardie, B. G. S. (2007), Incorporating Time-Invariant Covariates into the Pareto/NBD
and BG/NBD Models, brucehardie.com/notes/019.

Covariates are columns with a few levels (first channel, category, coupon, country). z tells a
customer's level of each column: 0 is the most common one. Then

    alpha = alpha_0 exp(-purchasing' z)  they purchase exp(purchasing) times as often
    a = a_0 exp(leaving' z)              BG/NBD, MBG/NBD: the odds a / b of leaving after a purchase
    beta = beta_0 exp(-leaving' z)       Pareto/NBD: they leave exp(leaving) times as fast

The note gives b a coefficient of its own, which is 0 here: if a and b moved together, the chance to
leave would stay as it is, and apart they are hardly told from each other.

The coefficients have a weak prior, normal around no effect with standard deviation PRIOR. It has no
unit, and holds back what a handful of customers can't tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from clv.errors import NotEnoughData
from clv.models.covariate_likelihood import BASE, Combined, Plain, dummies, kind_of, most_likely
from clv.models.fitted import Fitted
from clv.models.levels import Levels
from clv.models.purchases import Purchases, Rows
from clv.numerics.grouping import distinct

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PURCHASING, LEAVING = "purchasing", "leaving"


class LikelihoodRatio(NamedTuple):
    """Twice the gain over the plain model; `p_value`: how often as much comes of no effect."""

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True)
class Covariates:
    """A plain model and columns: something with a `fit`, where a model's class is asked for."""

    model_class: type[Plain]
    columns: tuple[str, ...]

    def fit(self, summary: pd.DataFrame, weights: ArrayLike | None = None) -> WithCovariates:
        """WithCovariates.fit of the two."""
        return WithCovariates.fit(self.model_class, summary, self.columns, weights)


@dataclass(frozen=True, kw_only=True)
class WithCovariates(Fitted, Purchases):
    """A model fitted with covariates. Every summary asked about needs their columns, too.

    `baseline` has the plain parameters of customers at the first of all `levels`; `purchasing` and
    `leaving` have the coefficients of the other levels, column by column. `combinations` are those
    seen, as places among the levels, with their shares of the customers: a new customer is one of
    them. `log_covariance` belongs to the logs of the baseline and to the coefficients, the prior's
    curvature in it. `log_likelihood` is without the prior.
    """

    PARAMETERS: ClassVar[tuple[str, ...]] = ()

    model: str
    baseline: tuple[float, ...]
    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    purchasing: tuple[float, ...]
    leaving: tuple[float, ...]
    combinations: tuple[tuple[tuple[int, ...], float], ...]
    plain_log_likelihood: float = 0.0

    @classmethod
    def fit(
        cls,
        model_class: type[Plain],
        summary: pd.DataFrame,
        columns: Sequence[str],
        weights: ArrayLike | None = None,
    ) -> Self:
        """The most likely parameters and coefficients; `weights` counts customers per row.

        Raises NotEnoughData where no column has two levels with enough customers, BadSummary where
        a column is missing, BadSettings for a model that takes no covariates, ConvergenceError.
        """
        kind_of(model_class.NAME)
        each = np.ones(len(summary)) if weights is None else np.asarray(weights, dtype=np.float64)
        levels = [Levels.found(summary, column, each) for column in columns]
        if all(len(level.names) < 2 for level in levels):
            raise NotEnoughData(
                "no covariate has two levels with enough customers", columns=",".join(columns)
            )
        plain = model_class.fit(summary, weights)
        return cls(**most_likely(plain, Combined.of(summary, levels, each), levels))._named()

    @property
    def NAME(self) -> str:  # type: ignore[override]  # noqa: N802 -- as every model
        return f"{self.model} with covariates"

    # ------------------------------------------------------------------------- what was estimated

    @property
    def parameters(self) -> Floats:
        """The baseline's, then exp of the coefficients: as `names`."""
        return np.append(self.baseline, np.exp([*self.purchasing, *self.leaving]))

    @property
    def names(self) -> tuple[str, ...]:
        """The baseline's parameters and the coefficients, as `leaving channel=email`."""
        others = [
            f"{column}={name}"
            for column, names in zip(self.columns, self.levels, strict=True)
            for name in names[1:]
        ]
        parts = [f"{part} {other}" for part in (PURCHASING, LEAVING) for other in others]
        return (*kind_of(self.model).model.PARAMETERS, *parts)

    @property
    def coefficients(self) -> dict[str, float]:
        """By name; exp of them multiplies the purchase rate or the odds or rate of leaving."""
        return dict(zip(self.names[BASE:], (*self.purchasing, *self.leaving), strict=True))

    @property
    def standard_errors(self) -> dict[str, float | None]:
        """Of the baseline's parameters in their own units, and of the coefficients."""
        if self.log_covariance is None:
            return dict.fromkeys(self.names)
        scale = np.append(self.baseline, np.ones(len(self.names) - BASE))
        errors = scale * np.sqrt(np.diag(self.log_covariance))
        return {name: float(e) or None for name, e in zip(self.names, errors, strict=True)}

    @property
    def likelihood_ratio(self) -> LikelihoodRatio:
        """The test against the plain model, with a degree of freedom for each coefficient."""
        statistic = max(2 * (self.log_likelihood - self.plain_log_likelihood), 0.0)
        degrees = len(self.names) - BASE
        return LikelihoodRatio(statistic, degrees, float(chdtrc(degrees, statistic)))

    def with_parameters(self, values: Floats) -> Self:
        """The same model with other parameters, in the order of `names`."""
        purchasing, leaving = np.split(np.log(values[BASE:]), 2)
        return replace(
            self,
            baseline=tuple(map(float, values[:BASE])),
            purchasing=tuple(map(float, purchasing)),
            leaving=tuple(map(float, leaving)),
        )

    def as_dict(self) -> dict[str, Any]:
        """The fields, the coefficients, their errors and the test, as plain JSON values."""
        fields = super().as_dict()
        named = {
            "model": self.NAME,
            "coefficients": self.coefficients,
            "likelihood_ratio": self.likelihood_ratio._asdict(),
        }
        return {**fields, **named}

    # ---------------------------------------------------------------------------- what is foreseen

    @property
    def FUTURE(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802
        """The covariates are among the columns on which the future depends."""
        return (*kind_of(self.model).model.FUTURE, *self.columns)

    @property
    def time_scale(self) -> float:
        """The baseline's."""
        return self._plain([0] * len(self.columns)).time_scale

    def of(self, levels: Mapping[str, object]) -> Purchases:
        """The plain model of customers with these levels; the first one of columns left out."""
        given = {
            column: [levels.get(column, names[0])]
            for column, names in zip(self.columns, self.levels, strict=True)
        }
        return self._plain(self._places(pd.DataFrame(given))[0])

    def p_alive(self, summary: pd.DataFrame) -> Floats:
        """The probability of being still active."""
        return self._each(summary, lambda model, some, _: model.p_alive(some))

    def leaving_known(self, summary: pd.DataFrame) -> Bools:
        """As the plain model has it."""
        known = self._each(summary, lambda model, some, _: model.leaving_known(some).astype(float))
        return known > 0

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Repeat purchases within `t` (any shape) of a new customer, one like those fitted.

        For one whose levels are known: `of(levels).expected_purchases(t)`.
        """
        parts = [
            share * self._plain(places).expected_purchases(t) for places, share in self.combinations
        ]
        return np.asarray(np.sum(parts, axis=0))

    def purchases_while_active(self, t: ArrayLike, summary: pd.DataFrame) -> Floats:
        """Expected purchases within the next `t` (one for all or one each) of active customers."""
        horizon = np.broadcast_to(np.asarray(t, dtype=np.float64), len(summary))
        return self._each(
            summary, lambda model, some, rows: model.purchases_while_active(horizon[rows], some)
        )

    def conditional_expected_purchases(self, t: float, summary: pd.DataFrame) -> Floats:
        """Purchases within the next `t`, by what each customer did so far."""
        return self._each(
            summary, lambda model, some, _: model.conditional_expected_purchases(t, some)
        )

    def discounted_expected_purchases(
        self, t: float, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """Purchases within the next `t`, each times exp(-discount_rate * time until then)."""
        return self._each(
            summary,
            lambda model, some, _: model.discounted_expected_purchases(t, some, discount_rate),
        )

    def discounted_expected_residual_transactions(
        self, summary: pd.DataFrame, discount_rate: float
    ) -> Floats:
        """DERT: all purchases to come, each times exp(-discount_rate * time until then)."""
        return self._each(
            summary,
            lambda model, some, _: model.discounted_expected_residual_transactions(
                some, discount_rate
            ),
        )

    def expected_wait(self, summary: pd.DataFrame) -> Floats:
        """Time to the next purchase of a customer who is active."""
        return self._each(summary, lambda model, some, _: model.expected_wait(some))

    def draw_purchases(self, t: float, summary: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """One random future each: the purchases within the next `t` of customers active now."""
        return self._each(summary, lambda model, some, _: model.draw_purchases(t, some, rng))

    def draw_histories(self, ages: Floats, rng: np.random.Generator) -> tuple[Rows, Floats]:
        """Random new customers whose levels are those of the customers fitted."""
        shares = np.array([share for _, share in self.combinations])
        which = rng.choice(len(shares), len(ages), p=shares / shares.sum())
        rows, times = [], []
        for number, (places, _) in enumerate(self.combinations):
            own = np.flatnonzero(which == number)
            drawn, at = self._plain(places).draw_histories(ages[own], rng)
            rows.append(own[drawn])
            times.append(at)
        return np.concatenate(rows), np.concatenate(times)

    # ------------------------------------------------------------------------------ by combination

    def _named(self) -> Self:
        """With names instead of numbers where a wall has stopped a parameter."""
        return replace(self, at_wall=tuple(self.names[int(place)] for place in self.at_wall))

    def _places(self, summary: pd.DataFrame) -> NDArray[np.intp]:
        """Each row's place among the levels of every column."""
        each = zip(self.columns, self.levels, strict=True)
        return np.stack([Levels(name, own).places(summary) for name, own in each], axis=1)

    def _plain(self, places: Sequence[int] | NDArray[np.intp]) -> Purchases:
        """The plain model of a combination."""
        kind = kind_of(self.model)
        sizes = [len(names) for names in self.levels]
        z = dummies(np.array([places], dtype=np.intp), sizes)[0]
        values = np.exp(kind.matrix(z) @ np.log(self.parameters))
        fields: dict[str, Any] = dict(zip(kind.model.PARAMETERS, map(float, values), strict=True))
        return kind.model(**fields)

    def _each(
        self, summary: pd.DataFrame, ask: Callable[[Purchases, pd.DataFrame, Rows], Floats]
    ) -> Floats:
        """One value a row, each from the model of its combination."""
        answers = np.empty(len(summary))
        if not len(summary):
            return answers
        kinds, which = distinct(*self._places(summary).T.astype(np.float64))
        order = np.argsort(which, kind="stable")
        ends = np.cumsum(np.bincount(which, minlength=len(kinds[0])))
        for places, rows in zip(zip(*kinds, strict=True), np.split(order, ends[:-1]), strict=True):
            answers[rows] = ask(self._plain(places), summary.iloc[rows], rows)
        return answers

    def _futures(self, summary: pd.DataFrame) -> tuple[pd.DataFrame, Rows]:
        """The kinds of customers whose futures differ, and which kind each row is of."""
        plain = kind_of(self.model).model.FUTURE
        places = self._places(summary).T.astype(np.float64)
        values = [summary[name].to_numpy(dtype=np.float64) for name in plain]
        kinds, rows = distinct(*values, *places)
        futures = dict(zip(plain, kinds, strict=False))
        for column, names, own in zip(self.columns, self.levels, kinds[len(plain) :], strict=True):
            futures[column] = np.array(names, dtype=object)[own.astype(np.intp)]
        return pd.DataFrame(futures), rows
