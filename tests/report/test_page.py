from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from reported import HOSTILE, cdnow, hostile_page, known_of, material_of, order_rows

from clv.report import Known, report
from connectors.report import LANGUAGES, Spoken, page
from connectors.report.page import shade


class Seen(HTMLParser):
    """Elements with their attributes, and the text of styles and scripts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] in ("script", "style") and self.cdata_elem:
            self.raw.append((self.elements[-1][1].get("type") or self.elements[-1][0], data))
        else:
            self.text += data

    def of(self, kind: str) -> str:
        return "".join(text for known, text in self.raw if known == kind)


@cache
def told() -> tuple[Known, Mapping[str, Any]]:
    known = known_of(cdnow(), date(1998, 6, 30), before={"run": date(1998, 6, 20)})
    return known, report(known)


@cache
def html_of(language: str = "en") -> str:
    known, numbers = told()
    return page(numbers, material_of(known), Spoken.of(language, "EUR"))


@pytest.fixture(scope="module")
def html() -> str:
    return html_of()


@pytest.fixture(scope="module")
def hostile() -> str:
    return hostile_page()


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_lets_our_style_and_our_script_run_and_nothing_else(html: str) -> None:
    seen = Seen(html)
    meta = next(a for tag, a in seen.elements if a.get("http-equiv"))
    policy = str(meta["content"])
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest(seen.of('style'))}'" in policy
    assert f"script-src 'sha256-{digest(seen.of('script'))}'" in policy
    assert "unsafe" not in policy
    head = html[: html.index("http-equiv")]
    assert "<script" not in head
    assert "<style" not in head


@pytest.mark.parametrize("which", ["html", "hostile"])
def test_nothing_in_the_page_points_out_or_runs_by_itself(
    which: str, request: pytest.FixtureRequest
) -> None:
    seen = Seen(request.getfixturevalue(which))
    tags = [tag for tag, _ in seen.elements]
    assert tags.count("script") == 2
    assert not set(tags) & {"img", "link", "iframe", "object", "embed", "form", "base", "image"}
    for _, attributes in seen.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "xlink:href", "action"):
            assert str(attributes.get(name, "#")).startswith("#")


def test_hostile_names_are_shown_as_they_are(hostile: str) -> None:
    seen = Seen(hostile)
    for name in HOSTILE:
        assert name in seen.text
    data = json.loads(seen.of("application/json"))
    assert {
        name for name in HOSTILE if any(id_.startswith(name) for id_ in data["rows"]["customer"])
    } == set(HOSTILE)


def test_the_rows_of_the_script_are_those_of_the_scores(html: str) -> None:
    data = json.loads(Seen(html).of("application/json"))
    assert len(data["rows"]["customer"]) == 2357
    assert {len(column) for column in data["rows"].values()} == {2357}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_page_whose_sections_are_named(language: str) -> None:
    seen = Seen(html_of(language))
    ids = {attributes["id"] for tag, attributes in seen.elements if tag == "section"}
    links = {str(a["href"])[1:] for tag, a in seen.elements if tag == "a"}
    assert links <= ids
    assert ("html", {"lang": language}) in seen.elements
    assert not re.search(r"\{\w+\}", seen.text)


def test_money_and_days_are_written_as_in_the_shops_country() -> None:
    swedish = Spoken.of("sv-SE", "SEK")
    assert swedish.tag == "sv-SE"
    assert swedish.money(Decimal("1234.5"), cents=True) == "1\u00a0234,50\u00a0kr"
    assert swedish.money(1234.5) in ("1\u00a0234\u00a0kr", "1\u00a0235\u00a0kr")
    assert swedish.day(date(2026, 11, 29)) == "29 nov. 2026"
    assert Spoken.of("en_US", "USD").money(Decimal("-1234.5"), cents=True) == "-$1,234.50"
    assert Spoken.of("pl", "PLN").percent(0.256, 1) == "25,6%"
    assert Spoken.of("en", "EUR").percent(-0.001) == "0%"
    assert Spoken.of("en", "EUR").number(-0.4) == "0"
    assert Spoken.of("no", "NOK").tag == "nb-NO"
    assert Spoken.of("da_DK", "DKK").number(1234567.891, 2) == "1.234.567,89"


def test_a_cell_is_as_dark_as_its_share_of_the_highest() -> None:
    assert [shade(value, 0.5) for value in (None, 0.0, 0.24, 0.5, 1.0)] == [
        "s0",
        "s0",
        "s4",
        "s9",
        "s9",
    ]
    assert shade(0.1, 0) == "s0"


def test_a_shop_with_one_order_has_a_page() -> None:
    known = known_of(order_rows(("one", "2026-09-01", 10.0)), date(2026, 10, 1))
    assert "one" in page(report(known), material_of(known), Spoken.of("en", "EUR"))


@pytest.mark.parametrize(
    ("language", "title", "names"),
    [
        ("en", "First country", ("Sweden", "Germany")),
        ("sv", "Första land", ("Sverige", "Tyskland")),
        ("da", "Første land", ("Sverige", "Tyskland")),
        ("nb", "Første land", ("Sverige", "Tyskland")),
        ("pl", "Pierwszy kraj", ("Szwecja", "Niemcy")),
    ],
)
def test_countries_have_their_names_in_the_reports_language(
    language: str, title: str, names: tuple[str, str]
) -> None:
    text = Seen(html_of(language)).text
    told = text[text.index(title) :]
    assert all(name in told for name in (*names, "XX"))


@pytest.mark.parametrize(
    ("before", "afterwards", "told"),
    [
        ({"run": date(1998, 6, 20)}, (), "too little was known to score anybody"),
        ({"quarter": date(1998, 3, 31)}, (), ""),
        ({"quarter": date(1998, 3, 31)}, ("quarter",), "worked out today"),
    ],
)
def test_movement_since_a_quarter_ago_says_where_it_comes_from(
    before: dict[str, date], afterwards: tuple[str, ...], told: str
) -> None:
    known = known_of(cdnow().head(2000), date(1998, 6, 30), before=before)
    material = material_of(known, afterwards=afterwards)
    text = Seen(page(report(known), material, Spoken.of("en", "EUR"))).text
    notes = ("too little was known to score anybody", "worked out today")
    assert [note for note in notes if note in text] == ([told] if told else [])
