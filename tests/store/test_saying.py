"""What is said once for all is, with its own put in, what would be said of each."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.store import saying, summary, tables
from connectors.store.reading import Asked

ASKED = [
    Asked("eu", date(2026, 6, 30), "net", None),
    Asked("eu", date(2026, 6, 30), "net", "EUR"),
    Asked("o'neill", date(1998, 1, 2), "gross", "SEK"),
]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.shop)
@pytest.mark.parametrize("with_traits", [False, True])
def test_each_asking_has_its_own_shop_day_and_currency(asked: Asked, with_traits: bool) -> None:
    like = saying.any_like(asked)
    standing = summary.valued(tables.stored("standing_"), **asked._asdict())
    alone = standing if with_traits else standing.drop(*summary.PASSED_ON)
    assert saying.of(asked, saying.valued(like, with_traits)) == tables.sql(alone)
    whole = summary.summary(tables.standing(), **asked._asdict())
    assert saying.of(asked, saying.whole_summary(like)) == tables.sql(whole)
    later = tables.refunds_after(tables.stored(), asked.as_of)
    assert saying.of(asked, saying.refunds_after(like)) == tables.sql(later)


def test_it_reads_the_table_that_is_staged_for_it() -> None:
    for asked in ASKED:
        said = saying.of(asked, saying.told(saying.any_like(asked), True), "staged.people_4711")
        assert said.count("staged.people_4711") == 1
        assert '"staged"' not in said


def test_nothing_that_stands_for_any_is_left() -> None:
    for asked in ASKED:
        like = saying.any_like(asked)
        of_any = (saying.whole_summary, saying.refunds_after, saying.traits_of_sample)
        of_all = (saying.persons, saying.first_orders, saying.traits, saying.superseded)
        for said in (
            *(saying.valued(like, True), saying.told(like, True), saying.excluded(like)),
            *(say(like) for say in of_any),
            *(say() for say in (*of_all, saying.purchase_days, saying.currencies)),
        ):
            own = saying.of(asked, said, "staged.here")
            assert saying.SHOP not in own
            assert saying.CURRENCY not in own
            assert "MAKE_DATE(1, 1, 1)" not in own
