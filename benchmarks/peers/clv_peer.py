"""Our own side, by the same rules as the others. See `measure.py`."""

from __future__ import annotations

import math
import sys

from measure import DAYS, MONTHLY_RATE, Laps, report


def main(path: str, task: str) -> None:
    laps = Laps()
    with laps.lap("import"):
        import numpy as np
        import pandas as pd

        from clv import BetaGeoNBD, GammaGamma
        from clv.models.pareto_nbd import ParetoNBD
    summary = pd.DataFrame(dict(np.load(path)))
    if task == "pareto":
        with laps.lap("fit"):
            pareto = ParetoNBD.fit(summary)
        report(laps, of(pareto))
        return
    with laps.lap("fit"):
        buying = BetaGeoNBD.fit(summary)
        spending = GammaGamma.fit(summary)
    with laps.lap("predict"):
        purchases = buying.conditional_expected_purchases(DAYS, summary)
        buying.p_alive(summary)
    with laps.lap("clv"):
        daily = math.log1p(MONTHLY_RATE) / 30
        discounted = buying.discounted_expected_purchases(DAYS, summary, daily)
        worth = discounted * spending.expected_spend(summary)
    report(
        laps,
        {**of(buying), **of(spending)},
        purchases=purchases.sum(),
        clv=worth.sum(),
    )


def of(model: object) -> dict[str, float]:
    return {name: getattr(model, name) for name in type(model).PARAMETERS}


if __name__ == "__main__":
    main(*sys.argv[1:3])
