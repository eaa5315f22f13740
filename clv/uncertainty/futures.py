"""What customers may do within a horizon: drawn once per kind of customer, looked up from then on.

What an active customer will purchase depends on a few columns only (`Purchases.FUTURE`), and what
those purchases are worth, over v + x m_x, on x alone: with nu ~ Gamma(p x + q, v + x m_x) the value
of n purchases is Gamma(p n, nu). So a million customers share some thousand kinds once columns
within three percent of each other are taken together, far below what chance adds. Every kind gets
its futures from many models, as the data allow them, so that chance, what is unknown about the
customer and what is unknown about the parameters are all in them.

Customers who have left purchase nothing: with the probability p to be active, the share of futures
up to y is 1 - p + p F(y). So p needs no draws, and a quantile is a look into the sorted draws.
"""

# ruff: noqa: N806 -- the papers' own letters

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.models.gamma_gamma import GammaGamma
from clv.models.purchases import Purchases
from clv.uncertainty.plausible import Plausible

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Keys = NDArray[np.uint64]

#: Frequencies above EXACT, and times, are taken together within a factor exp(STEP).
EXACT, STEP = 32, 0.03
#: Silence, in a customer's own mean gaps, is taken together in so many steps of ln(1 + 2 s), up to
#: so many gaps: it tells less the longer it lasts.
PARTS, GAPS = 10, 6
#: Draws of a kind from each model, and of all kinds together (a few seconds, some 100 MB).
FEWEST, MOST, ALL_DRAWS = 2, 16, 3_000_000
#: A probability to be active that is as good as none.
SURELY_GONE = 1e-30
#: No customer brings this many times what they and the prior brought.
MOST_RATIO = 1e9


class Wanted(NamedTuple):
    """How likely the intervals shall be.

    An interval ends with the first value that brings its probability to `level`. Or with the value
    before, if that brings it to `least` and, with a share `tightness` of what the next would add,
    to the level: so that probabilities are above the level at tightness 0, and below at 1.
    """

    level: float
    tightness: float
    least: float


@dataclass(frozen=True, eq=False)
class Table:
    """Sorted draws, a row per kind, with how many of its row are below each, and up to it."""

    draws: NDArray[np.float32]
    below: NDArray[np.int16]
    upto: NDArray[np.int16]

    @classmethod
    def of(cls, draws: Floats) -> Self:
        """The table of some draws in any order."""
        ordered = np.sort(draws.astype(np.float32), axis=1)
        kinds, many = ordered.shape
        place = np.arange(many, dtype=np.int16)
        steps = ordered[:, 1:] != ordered[:, :-1]
        edge = np.ones((kinds, 1), dtype=np.bool_)
        starts = np.where(np.hstack([edge, steps]), place, np.int16(0))
        ends = np.where(np.hstack([steps, edge]), place + np.int16(1), np.int16(many))
        below = np.maximum.accumulate(starts, axis=1)
        upto = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
        return cls(ordered, below, upto)

    @property
    def many(self) -> int:
        """Draws per kind."""
        return int(self.draws.shape[1])

    @classmethod
    def joined(cls, tables: Sequence[Table], order: Rows) -> Self:
        """The rows of several tables with as many draws, in another order."""
        parts = zip(*(vars(table).values() for table in tables), strict=True)
        return cls(*(np.concatenate(part)[order] for part in parts))

    def bounds(self, rows: Rows, active: Floats, wanted: Wanted) -> tuple[Floats, Floats]:
        """The interval of each customer: at most half of what it leaves out lies below it.

        `rows` are places in the table, `active` the probabilities to be active. Where zero is
        likely enough the interval starts there and all that is left out lies above.
        """
        active = np.maximum(active, SURELY_GONE)
        gone = 1 - active
        share = ((1 - wanted.level) / 2 - gone) / active
        place = np.clip(share * self.many, 0, self.many - 1).astype(np.intp)
        low = np.where(share < 0, 0.0, self.draws[rows, place])
        missed = np.where(low > 0, gone + active * self.below[rows, place] / self.many, 0.0)
        share = (wanted.level + missed - gone) / active
        least = (wanted.least + missed - gone) / active
        return low, self._upper(rows, share, least, wanted.tightness)

    def probability(self, rows: Rows, active: Floats, low: Floats, high: Floats) -> Floats:
        """How likely it is to end between `low` and `high`, both included."""
        below = np.where(low > 0, self.below_value(rows, active, low), 0.0)
        return self.upto_value(rows, active, high) - below

    def upto_value(self, rows: Rows, active: Floats, values: Floats) -> Floats:
        """How likely a value each is not exceeded, by customers active with a probability."""
        return 1 - active + active * self._share(rows, values, below=False)

    def below_value(self, rows: Rows, active: Floats, values: Floats) -> Floats:
        """How likely less than a value each is; values are above 0."""
        return 1 - active + active * self._share(rows, values, below=True)

    def _upper(self, rows: Rows, share: Floats, least: Floats, tightness: float) -> Floats:
        """The value up to which `share` of the active come, or the one before."""
        place = np.clip(np.ceil(share * self.many) - 1, 0, self.many - 1).astype(np.intp)
        below = self.below[rows, place].astype(np.float64)
        lower = np.where(below > 0, self.draws[rows, np.maximum(below - 1, 0).astype(np.intp)], 0.0)
        added = tightness * (self.upto[rows, place] - below)
        enough = (below + added >= share * self.many) & (below >= least * self.many)
        upper = np.where(enough, lower, self.draws[rows, place])
        return np.where(share <= 0, 0.0, upper)

    def _share(self, rows: Rows, values: Floats, *, below: bool) -> Floats:
        """The share of a row's draws below a value each, or up to it: by bisection."""
        limit = values.astype(np.float32)
        first, last = np.zeros(len(rows), dtype=np.intp), np.full(len(rows), self.many)
        for _ in range(self.many.bit_length()):
            middle = np.minimum((first + last) // 2, self.many - 1)
            found = self.draws[rows, middle]
            counts = ((found < limit) if below else (found <= limit)) & (first < last)
            first = np.where(counts, middle + 1, first)
            last = np.where(counts, last, np.minimum(middle, last))
        return first / self.many


@dataclass(frozen=True, eq=False)
class Kinds:
    """Different kinds of customers in order of their keys: the columns of their futures."""

    keys: Keys
    columns: pd.DataFrame

    @classmethod
    def of(cls, columns: pd.DataFrame, each: Keys) -> Self:
        """The kinds among some customers, by their rounded columns and keys."""
        first = ~pd.Series(each).duplicated().to_numpy()
        order = np.argsort(each[first])
        return cls(each[first][order], columns[first].iloc[order].reset_index(drop=True))

    @classmethod
    def together(cls, parts: Sequence[Kinds]) -> Self:
        """The kinds of several parts of a shop, one at least."""
        keys = np.concatenate([part.keys for part in parts])
        return cls.of(pd.concat([part.columns for part in parts]), keys)

    def only(self, which: NDArray[np.bool_]) -> Kinds:
        return Kinds(self.keys[which], self.columns[which].reset_index(drop=True))


@dataclass(frozen=True, eq=False)
class Futures:
    """Per kind of customer: purchases, and their value over what the customer and the prior spent.

    `keys` are sorted; the tables have a row for each.
    """

    keys: Keys
    purchases: Table
    ratios: Table

    def places(self, each: Keys) -> tuple[Rows, NDArray[np.bool_]]:
        """The row of each key, and whether it is there at all."""
        rows = np.minimum(np.searchsorted(self.keys, each), len(self.keys) - 1)
        return rows, self.keys[rows] == each

    def including(self, models: Plausible, kinds: Kinds, days: int, seed: int) -> Futures:
        """These and other kinds, each drawn from a seed of its own.

        So what a customer gets depends on nobody else, whichever batch they come in.
        """
        each = self.purchases.many // len(models.drawn)
        found = [self]
        for key in kinds.keys:
            rng = np.random.default_rng([seed, int(key)])
            found.append(drawn(models, kinds.only(kinds.keys == key), days, rng, each))
        keys = np.concatenate([part.keys for part in found])
        order = np.argsort(keys)
        return Futures(
            keys[order],
            Table.joined([part.purchases for part in found], order),
            Table.joined([part.ratios for part in found], order),
        )


def rounded(buying: Purchases, summary: pd.DataFrame, days: int) -> tuple[pd.DataFrame, Keys]:
    """The columns of the future, alike values made the same, and a key of each row."""
    columns = _rounded(buying, summary, days)
    return columns, np.asarray(pd.util.hash_pandas_object(columns, index=False), dtype=np.uint64)


def drawn(
    models: Plausible, kinds: Kinds, days: int, rng: np.random.Generator, each: int = 0
) -> Futures:
    """Random futures of every kind, `each` from every model (0: as many as are to be had)."""
    each = each or _draws_each(len(models.drawn) * len(kinds.keys))
    many = kinds.columns.loc[np.repeat(np.arange(len(kinds.columns)), each)]
    paid = many[c.FREQUENCY].to_numpy() + 1
    drawn = []
    for model in models.drawn:
        purchases = model.buying.draw_purchases(days, many, rng)
        ratios = _draw_ratios(model.spending, models.best.spending, paid, purchases, rng)
        drawn.append((purchases.reshape(-1, each), ratios.reshape(-1, each)))
    tables = (Table.of(np.concatenate(parts, axis=1)) for parts in zip(*drawn, strict=True))
    return Futures(kinds.keys, *tables)


def _draws_each(kinds_and_models: int) -> int:
    return int(np.clip(ALL_DRAWS // max(kinds_and_models, 1), FEWEST, MOST))


def _draw_ratios(
    spending: GammaGamma,
    best: GammaGamma,
    paid: Floats,
    purchases: Floats,
    rng: np.random.Generator,
) -> Floats:
    """The value of some purchases over v + x m_x by the best model: Gamma(p n) / Gamma(p x + q).

    Where this model's v is another one, customers are taken to have spent as most do.
    """
    p, q = spending.p, spending.q
    own = np.maximum(rng.standard_gamma(p * paid + q), np.finfo(float).tiny)
    with np.errstate(over="ignore"):
        ratios = rng.standard_gamma(p * purchases) / own
    spent = paid * best.robust_mean
    shift = (spending.v + spent) / np.maximum(best.v + spent, np.finfo(float).tiny)
    return np.asarray(np.minimum(ratios * shift, MOST_RATIO))


def _rounded(buying: Purchases, summary: pd.DataFrame, days: int) -> pd.DataFrame:
    """The columns of the future, with alike values made the same."""
    columns = {name: summary[name].to_numpy() for name in (c.FREQUENCY, c.T, *buying.FUTURE)}
    x, T = (columns[name].astype(np.float64) for name in (c.FREQUENCY, c.T))
    # What matters of an age is its share of the scale on which rates are learned, and the horizon.
    scale = min(buying.time_scale, days / 30)
    rough = np.rint(np.exp(np.rint(np.log(np.maximum(x, 1)) / STEP) * STEP))
    columns[c.FREQUENCY] = np.where(x <= EXACT, x, rough)
    columns[c.T] = scale * np.expm1(np.rint(np.log1p(T / scale) / STEP) * STEP)
    if c.RECENCY in columns:
        gap = (scale + T) / (1 + x)
        silence = np.minimum((T - columns[c.RECENCY]) / gap, GAPS)
        silence = np.expm1(np.rint(PARTS * np.log1p(2 * silence)) / PARTS) / 2
        gap = (scale + columns[c.T]) / (1 + columns[c.FREQUENCY])
        recency = np.maximum(columns[c.T] - silence * gap, 0)
        columns[c.RECENCY] = np.where(x > 0, recency, 0.0)
    return pd.DataFrame(columns)
