"""Which pictures the page has, from the numbers; each stands beside a table that says the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from connectors.material import Material
from connectors.report import charts, quality
from connectors.report.spoken import Spoken


def drawn(told: Mapping[str, Any], material: Material, spoken: Spoken) -> dict[str, Markup]:
    """The pictures by name; those without anything to show are left out."""
    specs = {
        "concentration": _concentration(told, spoken),
        "distribution": _distribution(told, spoken),
        "months": _months(told, spoken),
        "ages": _ages(told, spoken),
        "season": _season(told, spoken),
        "calibration": _calibration(material, spoken),
    }
    return {name: charts.drawn(spec, spoken) for name, spec in specs.items() if spec}


def _concentration(told: Mapping[str, Any], spoken: Spoken) -> charts.Spec | None:
    points = told["concentration"]["curve"]
    titles = (spoken.text("share_of_customers"), spoken.text("share_of_value"))
    return charts.concentration(points, titles) if len(points) > 1 else None


def class_name(row: Mapping[str, Any], spoken: Spoken) -> str:
    """`nothing`, `10 to 20`, `above 500`: a class of value in words."""
    above, up_to = row["above"], row["up_to"]
    if up_to == 0:
        return spoken.text("nothing")
    digits = 1 if min(above or up_to, up_to) < 1 else 0
    if up_to == float("inf"):
        return spoken.text("above", above=spoken.number(above, digits))
    if above <= 0:
        return spoken.text("up_to", to=spoken.number(up_to, digits))
    ends = (spoken.number(end, digits) for end in (above, up_to))
    return spoken.text("from_to", **dict(zip(("above", "to"), ends, strict=True)))


def _distribution(told: Mapping[str, Any], spoken: Spoken) -> charts.Spec:
    rows = [(class_name(row, spoken), row["customers"]) for row in told["distribution"]]
    titles = (spoken.text("predicted") + f", {spoken.currency}", spoken.text("customers"))
    return charts.bars(rows, titles, labelAngle=-30)


def _months(told: Mapping[str, Any], spoken: Spoken) -> charts.Spec | None:
    names = [spoken.text("new_value"), spoken.text("returning_value")]
    rows = [
        (spoken.month(row["month"]), name, row[key])
        for row in told["months"]
        for name, key in zip(names, ("new_value", "returning_value"), strict=True)
    ]
    title = spoken.text("value") + f", {spoken.currency}"
    return charts.stacked(rows, names, title) if rows else None


def _ages(told: Mapping[str, Any], spoken: Spoken) -> charts.Spec | None:
    ages = told["ages"]
    titles = (spoken.text("age_days"), spoken.text("per_customer", currency=spoken.currency))
    level = None if ages["cac"] is None else float(ages["cac"])
    return charts.curve(ages["curve"], titles, level) if ages["curve"] else None


def _season(told: Mapping[str, Any], spoken: Spoken) -> charts.Spec | None:
    if any(value is None for value in told["season"]):
        return None
    rows = [(spoken.month_name(n), value) for n, value in enumerate(told["season"], start=1)]
    return charts.bars(rows, ("", spoken.text("against_mean")))


def _calibration(material: Material, spoken: Spoken) -> charts.Spec | None:
    tenths = quality.tenths(material.choice) if material.choice else []
    titles = (spoken.text("expected"), spoken.text("came"))
    return (
        charts.against([(one["expected"], one["actual"]) for one in tenths], titles)
        if tenths
        else None
    )
