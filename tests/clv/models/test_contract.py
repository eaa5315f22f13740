"""What holds for every model of purchases, whichever it is."""

# ruff: noqa: N803 -- the papers' own letters

from __future__ import annotations

import json
from typing import TypeAlias

import numpy as np
import pandas as pd
import pytest

from clv.errors import NotEnoughData
from clv.models.beta_geo import BetaGeoNBD
from clv.models.mbg_cnbd_k import MBGCNBDk
from clv.models.modified_beta_geo import ModifiedBetaGeoNBD
from clv.models.nbd import NBD
from clv.models.pareto_nbd import ParetoNBD

Model: TypeAlias = BetaGeoNBD | ModifiedBetaGeoNBD | MBGCNBDk | ParetoNBD | NBD
MODELS: list[type[Model]] = [BetaGeoNBD, ModifiedBetaGeoNBD, MBGCNBDk, ParetoNBD, NBD]

every_model = pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.NAME)


def history(x: int, t_x: float, T: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [x], "recency": [t_x], "T": [T]})


@every_model
def test_a_model_survives_json(kind: type[Model], cdnow: pd.DataFrame) -> None:
    model = kind.fit(cdnow)
    assert kind.from_json(model.to_json()) == model
    assert json.loads(model.to_json())["alpha"] == model.alpha


@every_model
def test_too_few_customers_are_refused_with_their_number(kind: type[Model]) -> None:
    with pytest.raises(NotEnoughData, match=f"{kind.NAME} needs.*customers=4 repeaters=4"):
        kind.fit(pd.concat([history(2, 30, 60)] * 4))


@every_model
def test_a_shop_of_one_time_buyers_is_refused(kind: type[Model]) -> None:
    with pytest.raises(NotEnoughData, match=f"{kind.NAME} needs.*repeaters=0"):
        kind.fit(pd.concat([history(0, 0, 60)] * 500))


@every_model
def test_customers_who_are_all_alike_stop_at_the_wall(kind: type[Model]) -> None:
    model = kind.fit(pd.concat([history(10, 100, 105)] * 50))
    assert model.at_wall
    assert np.isfinite(model.log_likelihood)
    ahead = model.conditional_expected_purchases(105, history(10, 100, 105))[0]
    assert ahead == pytest.approx(10, rel=0.1)
