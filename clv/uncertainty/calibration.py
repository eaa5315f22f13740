"""Levels that a shop's own past has corrected: how much further the intervals must reach.

A model that isn't quite the truth, or a season it doesn't know, makes intervals that hold fewer
customers than they say. A backtest shows by how much, if one looks at ranks rather than counts:
where in its own predictive distribution each outcome came, a place drawn at random within the
probability of the count that came (the randomised probability integral transform: Czado, Gneiting &
Held 2009, Predictive Model Assessment for Count Data, Biometrics 65(4), 1254-1261). Such ranks are
uniform where the models are right, however many customers buy nothing.

So of each origin it is asked which level would have held the wanted share of customers, and of what
was missing that part is believed which the number of customers carries. The shop gets the highest
of these levels: an interval should have held at every origin. It is never made narrower: that one
quiet season was foreseen too carefully proves nothing for the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]

#: A shortfall of so many standard errors is chance; of a larger one 1 - (NOISE errors / it)^2 is
#: believed (James & Stein's shrinkage).
NOISE = 2.0
#: An interval leaves out no less than this share of what it was asked to.
LEAST_TAIL = 0.25
#: Levels that are tried between the one wanted and the highest.
STEPS = 61

Pairs = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Calibration:
    """By measure, pairs of a level asked for and the one that is taken instead, in order.

    Levels in between are moved in between (as log odds), those outside as the nearest. Without
    pairs levels are taken as they are.
    """

    purchases: Pairs = ()
    clv: Pairs = ()

    def level(self, measure: str, asked: float) -> float:
        """The level to take for a measure, `purchases` or `clv`."""
        pairs: Pairs = getattr(self, measure)
        if not pairs:
            return asked
        known, taken = logit(np.array(pairs)).T
        return float(expit(logit(asked) + np.interp(logit(asked), known, taken - known)))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {name: [list(pair) for pair in pairs] for name, pairs in asdict(self).items()}

    @classmethod
    def from_dict(cls, known: Mapping[str, Sequence[Sequence[float]]]) -> Self:
        """What `as_dict` gave."""
        pairs = {name: tuple((a, b) for a, b in levels) for name, levels in known.items()}
        return cls(**pairs)


UNCHANGED = Calibration()


@dataclass(frozen=True, eq=False)
class Ranks:
    """Where outcomes came in their predictive distributions, one per customer.

    `below` is the probability of less than came, `upto` of no more, `nothing` of nothing at all.
    """

    below: Floats
    upto: Floats
    nothing: Floats

    def inside(self, level: float) -> Floats:
        """How much of each outcome lies within an interval that holds exactly `level`.

        Intervals are as elsewhere: half of what is left out lies below, or nothing of it where
        they start at 0. A count that lies across a bound is inside by its share.
        """
        tail = (1 - level) / 2
        from_zero = self.nothing >= tail
        low, high = np.where(from_zero, 0.0, tail), np.where(from_zero, level, 1 - tail)
        width = self.upto - self.below
        within = np.minimum(self.upto, high) - np.maximum(self.below, low)
        whole = (self.below >= low) & (self.upto <= high)
        shares = np.divide(within, width, out=whole.astype(np.float64), where=width > 0)
        inside: Floats = np.clip(shares, 0.0, 1.0)
        return inside

    def coverage(self, level: float) -> float:
        """The share of customers inside, with counts across a bound by their share."""
        return float(self.inside(level).mean())


def calibration(seen: Sequence[Mapping[str, Ranks]], levels: Sequence[float]) -> Calibration:
    """From the ranks of some origins, by measure. UNCHANGED where the levels held."""
    asked = sorted(levels)
    return Calibration(
        **{
            measure: _pairs(asked, [origin[measure] for origin in seen])
            for measure in asdict(UNCHANGED)
        }
    )


def _pairs(asked: Sequence[float], seen: Sequence[Ranks]) -> Pairs:
    some = [ranks for ranks in seen if len(ranks.below)]
    taken = [max((_enough(ranks, level) for ranks in some), default=level) for level in asked]
    if taken == list(asked):
        return ()
    rising = np.maximum.accumulate(taken).tolist()
    return tuple(zip(asked, rising, strict=True))


def _enough(ranks: Ranks, level: float) -> float:
    """The level that would have held as many as `level` says, as far as it is beyond chance."""
    missing = level - ranks.coverage(level)
    chance = NOISE * float(np.sqrt(level * (1 - level) / len(ranks.below)))
    if missing <= chance:
        return level
    tried = np.linspace(level, 1 - LEAST_TAIL * (1 - level), STEPS)
    held = np.maximum.accumulate([ranks.coverage(one) for one in tried])
    needed = tried[min(int(np.searchsorted(held, level)), STEPS - 1)]
    believed = 1 - (chance / missing) ** 2
    return float(expit(logit(level) + believed * (logit(needed) - logit(level))))
