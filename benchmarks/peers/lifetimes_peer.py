"""The lifetimes side, by its own documentation: Gamma-Gamma on returning customers only."""

from __future__ import annotations

import sys
import warnings

from measure import DAYS, MONTHLY_RATE, MONTHS, Laps, report

warnings.filterwarnings("ignore")  # numpy's, of overflows on the way to the maximum


def main(path: str, task: str) -> None:
    laps = Laps()
    with laps.lap("import"):
        import numpy as np
        import pandas as pd
        from lifetimes import BetaGeoFitter, GammaGammaFitter, ParetoNBDFitter
    summary = pd.DataFrame(dict(np.load(path)))
    history = (summary.frequency, summary.recency, summary["T"])
    if task == "pareto":
        with laps.lap("fit"):
            pareto = ParetoNBDFitter().fit(*history)
        report(laps, pareto.params_)
        return
    with laps.lap("fit"):
        buying = BetaGeoFitter().fit(*history)
        returning = summary[(summary.frequency > 0) & (summary.monetary_value > 0)]
        spending = GammaGammaFitter().fit(returning.frequency, returning.monetary_value)
    with laps.lap("predict"):
        purchases = buying.conditional_expected_number_of_purchases_up_to_time(DAYS, *history)
        buying.conditional_probability_alive(*history)
    with laps.lap("clv"):
        worth = spending.customer_lifetime_value(
            buying, *history, summary.monetary_value, MONTHS, MONTHLY_RATE, freq="D"
        )
    report(
        laps,
        {**buying.params_, **spending.params_},
        purchases=np.nansum(purchases),
        clv=np.nansum(worth),
        holes=int(np.isnan(purchases).sum()),
    )


if __name__ == "__main__":
    main(*sys.argv[1:3])
