"""Pictures as SVG, drawn by Vega-Lite without a browser and without a network.

A picture has no script and no style of its own: its few colours stand for roles, and the page's
style gives each role a colour for light, dark and paper. Nothing that a shop or a customer wrote
is ever drawn: names stand in tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import vl_convert
from markupsafe import Markup

from connectors.report.spoken import Spoken

#: Role -> the colour that stands for it in a picture.
ROLES: Mapping[str, str] = {
    "ink": "#101010",
    "faint": "#202020",
    "first": "#303030",
    "second": "#404040",
    "third": "#505050",
}
WIDTH, HEIGHT = 620, 240

Spec = dict[str, Any]

CONFIG: Spec = {
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": ROLES["ink"],
        "titleColor": ROLES["ink"],
        "gridColor": ROLES["faint"],
        "domainColor": ROLES["faint"],
        "tickColor": ROLES["faint"],
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 10,
        "labelPadding": 6,
    },
    "axisX": {"grid": False},
    "legend": {
        "labelColor": ROLES["ink"],
        "labelFontSize": 12,
        "title": None,
        "orient": "top",
        "symbolType": "square",
    },
}


def drawn(spec: Spec, spoken: Spoken) -> Markup:
    """The picture of a specification, for a page of that locale."""
    whole = {"width": WIDTH, "height": HEIGHT, "config": CONFIG, **spec}
    svg = vl_convert.vegalite_to_svg(whole, format_locale=spoken.d3(), allowed_base_urls=[])
    return Markup(svg)  # noqa: S704  no text in it comes from a shop


def _x(field: str, title: str, kind: str = "quantitative", **more: Any) -> Spec:
    return {"field": field, "type": kind, "title": title, **more}


def _values(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Spec:
    return {"values": [dict(zip(columns, row, strict=True)) for row in rows]}


def _percents(title: str, field: str) -> Spec:
    axis = {"format": "%", "tickCount": 5}
    return _x(field, title, axis=axis, scale={"domain": [0, 1]})


def concentration(points: Sequence[Sequence[float]], titles: tuple[str, str]) -> Spec:
    """Share of value by share of customers, the best first; even sharing as a dashed line."""
    x, y = _percents(titles[0], "customers"), _percents(titles[1], "value")
    even = {"x": {**x, "field": "x"}, "y": {**y, "field": "y"}}
    return {
        "layer": [
            {
                "data": _values(("x", "y"), [(0, 0), (1, 1)]),
                "mark": {"type": "line", "color": ROLES["third"], "strokeDash": [4, 4]},
                "encoding": even,
            },
            {
                "data": _values(("customers", "value"), points),
                "mark": {"type": "area", "color": ROLES["first"], "opacity": 0.15, "line": False},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": _values(("customers", "value"), points),
                "mark": {"type": "line", "color": ROLES["first"], "strokeWidth": 2.5},
                "encoding": {"x": x, "y": y},
            },
        ]
    }


def bars(rows: Sequence[tuple[str, float]], titles: tuple[str, str], **axis: Any) -> Spec:
    """One bar for each label, in the order given."""
    return {
        "data": _values(("label", "value"), rows),
        "mark": {"type": "bar", "color": ROLES["first"]},
        "encoding": {
            "x": _x("label", titles[0], "ordinal", sort=None, axis={"labelAngle": 0, **axis}),
            "y": _x("value", titles[1], axis={"tickCount": 5}),
        },
    }


def stacked(rows: Sequence[tuple[str, str, float]], names: Sequence[str], title: str) -> Spec:
    """Bars by label, each of the parts that `names` lists."""
    colours = {"domain": list(names), "range": [ROLES["first"], ROLES["second"]]}
    order = {name: place for place, name in enumerate(names)}
    return {
        "data": _values(
            ("label", "part", "value", "place"), [(*row, order[row[1]]) for row in rows]
        ),
        "mark": {"type": "bar"},
        "encoding": {
            "x": _x("label", "", "ordinal", sort=None, axis={"labelAngle": -45}),
            "y": _x("value", title, axis={"tickCount": 5, "format": ",.0f"}),
            "color": {"field": "part", "type": "nominal", "scale": colours},
            "order": {"field": "place", "type": "quantitative"},
        },
    }


def curve(points: Sequence[Sequence[float]], titles: tuple[str, str], level: float | None) -> Spec:
    """A rising line, and a level that it may cross."""
    x = _x("x", titles[0], axis={"tickCount": 8})
    y = _x("y", titles[1], axis={"tickCount": 5, "format": ",.0f"})
    line: Spec = {
        "data": _values(("x", "y"), points),
        "mark": {"type": "line", "color": ROLES["first"], "strokeWidth": 2.5},
        "encoding": {"x": x, "y": y},
    }
    rule: Spec = {
        "data": {"values": [{"y": level}]},
        "mark": {"type": "rule", "color": ROLES["second"], "strokeDash": [4, 4], "size": 2},
        "encoding": {"y": y},
    }
    return {"layer": [line] if level is None else [line, rule]}


def against(rows: Sequence[tuple[float, float]], titles: tuple[str, str]) -> Spec:
    """Points of expected against actual; on the dashed line they agree."""
    end = max((max(row) for row in rows), default=1.0) * 1.05
    scale = {"domain": [0, end]}
    x = _x("x", titles[0], scale=scale, axis={"tickCount": 6})
    y = _x("y", titles[1], scale=scale, axis={"tickCount": 6})
    return {
        "width": 320,
        "height": 320,
        "layer": [
            {
                "data": _values(("x", "y"), [(0, 0), (end, end)]),
                "mark": {"type": "line", "color": ROLES["third"], "strokeDash": [4, 4]},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": _values(("x", "y"), rows),
                "mark": {"type": "point", "filled": True, "size": 70, "color": ROLES["first"]},
                "encoding": {"x": x, "y": y},
            },
        ],
    }
