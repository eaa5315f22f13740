"""What a scorer knows of all customers, put together from parts of them in any number."""

from __future__ import annotations

from functools import partial, reduce
from operator import add

import numpy as np
import pandas as pd
import pytest

from clv import Crowd
from clv.crowd import BLOCK, Data
from clv.forecast import ByModels, by_models
from clv.models.beta_geo import BetaGeoNBD
from clv.past import Past
from clv.scorer import EPOCH, Scorer
from clv.settings import ScoreSettings
from clv.summary import every

SETTINGS = ScoreSettings()


@pytest.fixture(scope="module")
def people(cdnow: pd.DataFrame) -> pd.DataFrame:
    return cdnow.assign(orders=cdnow.frequency + 1, person_key=cdnow.index.astype(str))


@pytest.fixture(scope="module")
def fitted(people: pd.DataFrame) -> ByModels:
    found = by_models(BetaGeoNBD.fit)(Past(people, EPOCH), 365)
    assert isinstance(found, ByModels)
    return found


@pytest.mark.parametrize("rows", [1, 100, 1_000])
def test_parts_add_up_to_the_whole(people: pd.DataFrame, fitted: ByModels, rows: int) -> None:
    some = people.iloc[:150] if rows == 1 else people
    whole = Crowd.of(fitted, some, SETTINGS)
    parts = (some.iloc[start : start + rows] for start in range(0, len(some), rows))
    together = reduce(add, (Crowd.of(fitted, part, SETTINGS) for part in parts))
    assert together.data == whole.data == Data.of(some)
    np.testing.assert_array_equal(together.cents, whole.cents)
    np.testing.assert_array_equal(together.customers, whole.customers)
    assert whole.kinds
    assert together.kinds
    np.testing.assert_array_equal(together.kinds.keys, whole.kinds.keys)
    pd.testing.assert_frame_equal(together.kinds.columns, whole.kinds.columns)
    assert whole.cuts(SETTINGS.tiers) == together.cuts(SETTINGS.tiers)


def test_a_scorer_that_met_nobody_twice_scores_as_one_that_met_all_at_once(
    people: pd.DataFrame, fitted: ByModels
) -> None:
    whole = Scorer.of(fitted, people, EPOCH, SETTINGS)
    crowd = Crowd.of(fitted, people[::2], SETTINGS) + Crowd.of(fitted, people[1::2], SETTINGS)
    parted = Scorer.knowing(crowd, partial(every, people), fitted, EPOCH, SETTINGS)
    assert (parted.cuts, parted.data) == (whole.cuts, whole.data)
    assert parted.intervals
    assert whole.intervals
    assert parted.intervals.nominal == whole.intervals.nominal
    assert parted.settling
    assert whole.settling
    np.testing.assert_array_equal(parted.settling.limits, whole.settling.limits)


def test_nobody_is_a_crowd_as_well(people: pd.DataFrame, fitted: ByModels) -> None:
    nobody = Crowd.of(fitted, people.iloc[:0], SETTINGS)
    whole = Crowd.of(fitted, people, SETTINGS)
    assert (nobody + whole).data == whole.data
    assert (nobody + whole).cuts(SETTINGS.tiers) == whole.cuts(SETTINGS.tiers)


def test_new_customers_take_no_share(people: pd.DataFrame, fitted: ByModels) -> None:
    new = people[people.orders == 1].assign(T=3)
    assert Crowd.of(fitted, new, SETTINGS).customers.sum() == 0
    assert Crowd.of(fitted, people, SETTINGS).customers.sum() <= len(people) < BLOCK


@pytest.mark.parametrize(
    ("of", "many", "found"), [(10, 3, [0, 4, 8]), (3, 5, [0, 1, 2]), (0, 5, [])]
)
def test_some_are_evenly_spread(of: int, many: int, found: list[int]) -> None:
    assert every(pd.DataFrame({"n": range(of)}), many)["n"].tolist() == found
