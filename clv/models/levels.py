"""What a column says about customers, as a few levels: the common answers, and the rest as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import BadSummary

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

#: Where nothing is said, and where what is said is rare or new.
UNKNOWN, OTHER = "unknown", "other"
#: A level of its own needs so many customers, and so many of them who came back.
MIN_CUSTOMERS, MIN_REPEATERS = 50, 10


@dataclass(frozen=True)
class Levels:
    """The levels of a column, the most common first: the one that others are compared with.

    Rare levels are pooled as `other`, missing values are `unknown`; where even those are too few
    they belong to the first level, and so does what was never seen if there is no `other`.
    """

    column: str
    names: tuple[str, ...]

    @classmethod
    def found(cls, summary: pd.DataFrame, column: str, weights: Floats) -> Levels:
        """The levels with enough customers, by how common they are and then by name."""
        places, texts = _texts(summary, column)
        many = np.bincount(places, weights, len(texts))
        came_back = np.bincount(places, weights * (summary[c.FREQUENCY] > 0), len(texts))
        enough = (many >= MIN_CUSTOMERS) & (came_back >= MIN_REPEATERS)
        kept = {text: float(n) for text, n, own in zip(texts, many, enough, strict=True) if own}
        rare, rare_back = float(many[~enough].sum()), float(came_back[~enough].sum())
        if rare and (OTHER in kept or (rare >= MIN_CUSTOMERS and rare_back >= MIN_REPEATERS)):
            kept[OTHER] = kept.get(OTHER, 0.0) + rare
        names = sorted(kept, key=lambda text: (-kept[text], text))
        return cls(column, tuple(names or [OTHER]))

    def places(self, summary: pd.DataFrame) -> Places:
        """Each row's place among the levels. Raises BadSummary where the column is missing."""
        rows, texts = _texts(summary, self.column)
        at = {name: place for place, name in enumerate(self.names)}
        return np.array([at.get(text, at.get(OTHER, 0)) for text in texts], dtype=np.intp)[rows]


def _texts(summary: pd.DataFrame, column: str) -> tuple[Places, Sequence[str]]:
    """Each row's place among the column's different texts."""
    if column not in summary.columns:
        raise BadSummary("the summary lacks a covariate", column=column, rows=len(summary))
    places, uniques = pd.factorize(summary[column])
    texts = [_text(value) for value in uniques]
    # Two values may read the same (1 and 1.0, unknown and missing): they are one level.
    names = pd.Index(dict.fromkeys([*texts, UNKNOWN]))
    return names.get_indexer(pd.Index([*texts, UNKNOWN]))[places], list(names)


def _text(value: object) -> str:
    """As it reads: a whole number is the same with and without its decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or UNKNOWN
