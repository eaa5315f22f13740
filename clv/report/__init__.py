"""The report's numbers: frames in, plain values out (numbers, Decimals, dates, texts, None).

known      what is known of one shop on one day
value      headline, concentration, distribution, tiers
movement   who changed tier since an earlier scoring, and why
slipping   valuable customers who have gone quiet, and the money at risk
actions    what to do on Monday, by the money in it
ages       cohorts, value by age, payback
origins    value by how customers came; what winning one may cost
seasons    new against returning, season, how soon a category is bought again
customers  a row of each customer

Nothing here knows a language, a currency sign or a page.
"""

from __future__ import annotations

from typing import Any

from clv.report import actions, ages, customers, movement, origins, seasons, slipping, value
from clv.report.known import Known

__all__ = ["Known", "report", "to_do"]


def to_do(known: Known) -> list[dict[str, Any]]:
    """The actions alone, the most money first. Raises BadTransactions, BadSettings."""
    return actions.actions(known, slipping.slipping(known))


def report(known: Known) -> dict[str, Any]:
    """All sections by name. Raises BadTransactions, BadSettings."""
    slips = slipping.slipping(known)
    moved = {name: movement.movement(known, before) for name, before in known.before.items()}
    return {
        "as_of": known.as_of,
        "currency": known.currency,
        "horizon_days": known.settings.horizon_days,
        "headline": value.headline(known),
        "actions": actions.actions(known, slips),
        "concentration": value.concentration(known),
        "distribution": value.distribution(known),
        "tiers": value.tiers(known),
        "movement": moved,
        "slipping": slips,
        "cohorts": ages.cohort_tables(known),
        "ages": ages.by_age(known),
        "origins": origins.by_origin(known),
        "cac": origins.cac(known),
        "months": seasons.months(known),
        "season": seasons.season_of(known),
        "categories": seasons.categories(known),
        "customers": customers.rows(known),
    }
