"""The pymc-marketing side, maximum a posteriori with its default priors, by its documentation."""

from __future__ import annotations

import logging
import sys
import warnings

from measure import DAYS, MONTHLY_RATE, MONTHS, Laps, report

warnings.filterwarnings("ignore")  # deprecations within pymc-marketing


def main(path: str, task: str) -> None:
    laps = Laps()
    with laps.lap("import"):
        import numpy as np
        import pandas as pd
        from pymc_marketing.clv import BetaGeoModel, GammaGammaModel, ParetoNBDModel
    logging.disable(logging.WARNING)
    summary = pd.DataFrame(dict(np.load(path)))
    summary.insert(0, "customer_id", np.arange(len(summary)))
    if task == "pareto":
        with laps.lap("fit"):
            pareto = fitted(ParetoNBDModel(), summary)
        report(laps, parameters(pareto, ("r", "alpha", "s", "beta")))
        return
    with laps.lap("fit"):
        buying = fitted(BetaGeoModel(), summary)
        returning = summary[(summary.frequency > 0) & (summary.monetary_value > 0)]
        spending = fitted(GammaGammaModel(), returning)
    with laps.lap("predict"):
        purchases = buying.expected_purchases(data=summary, future_t=DAYS)
        buying.expected_probability_alive(data=summary)
    with laps.lap("clv"):
        worth = spending.expected_customer_lifetime_value(
            buying, summary, future_t=MONTHS, discount_rate=MONTHLY_RATE, time_unit="D"
        )
    report(
        laps,
        parameters(buying, ("r", "alpha", "a", "b")) | parameters(spending, ("p", "q", "v")),
        purchases=float(purchases.sum()),
        clv=float(worth.sum()),
    )


def fitted(model: object, data: object) -> object:
    model.fit(data=data, method="map", progressbar=False)
    return model


def parameters(model: object, names: tuple[str, ...]) -> dict[str, float]:
    return {name: float(model.fit_result[name].mean()) for name in names}


if __name__ == "__main__":
    main(*sys.argv[1:3])
