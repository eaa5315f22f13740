from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import RequestRefused, ShopUnavailable
from connectors.http import Http, Retry
from connectors.magento.search import Filter, Keyset, criteria
from connectors.magento.walk import HASTY, MOST_BROKEN, Batch, again

from .conftest import BASE, FakeMagento, Reply, ok, refused

PATH = "/rest/all/V1/orders"
KEY = "searchCriteria[filter_groups][{}][filters][0][value]"


@pytest.fixture
def http() -> Http:
    return Http(BASE, shop="eu", retry=Retry(attempts=3), sleep=lambda seconds: None)


def rows(ids: Any) -> list[dict[str, Any]]:
    return [{"entity_id": one} for one in ids]


def ids_of(batches: list[Batch]) -> list[int]:
    return [row["entity_id"] for batch in batches for row in batch.rows]


def broken_on(magento: FakeMagento, *broken: int, status: int = 500) -> None:
    """The shop fails on every page that holds one of these ids."""

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        items = magento.answer(path, query)["items"]
        hit = any(row["entity_id"] in broken for row in items)
        return refused(status, "Internal Error.") if hit else None

    magento.rules.append(rule)


def test_filters_become_groups_that_must_all_hold_ids_ascending() -> None:
    assert criteria([Filter("entity_id", "gt", "5"), Filter("state", "in", "a,b")], 100) == [
        ("searchCriteria[filter_groups][0][filters][0][field]", "entity_id"),
        ("searchCriteria[filter_groups][0][filters][0][value]", "5"),
        ("searchCriteria[filter_groups][0][filters][0][condition_type]", "gt"),
        ("searchCriteria[filter_groups][1][filters][0][field]", "state"),
        ("searchCriteria[filter_groups][1][filters][0][value]", "a,b"),
        ("searchCriteria[filter_groups][1][filters][0][condition_type]", "in"),
        ("searchCriteria[sortOrders][0][field]", "entity_id"),
        ("searchCriteria[sortOrders][0][direction]", "ASC"),
        ("searchCriteria[pageSize]", "100"),
    ]


def test_all_rows_come_once_in_pages_and_the_last_page_is_known(
    magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows(range(1, 501, 2))
    batches = list(Keyset(http, PATH).batches())
    assert ids_of(batches) == list(range(1, 501, 2))
    assert [len(batch.rows) for batch in batches] == [100, 100, 50]
    assert len(magento.asked) == 3


def test_it_goes_on_behind_any_id(magento: FakeMagento, http: Http) -> None:
    magento.orders = rows(range(1, 8))
    for after in range(8):
        found = ids_of(list(Keyset(http, PATH, size=2).batches(after)))
        assert found == list(range(after + 1, 8))


def test_it_reads_a_range_and_no_further(magento: FakeMagento, http: Http) -> None:
    magento.orders = rows([3, 5, 8, 13, 21, 34])
    found = ids_of(list(Keyset(http, PATH, size=2).batches(after=3, to=21)))
    assert found == [5, 8, 13, 21]
    assert list(Keyset(http, PATH).batches(after=21, to=21)) == []


def test_what_a_row_is_wanted_for_is_said_and_the_rest_stays_in_the_shop(
    magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows([1])
    list(Keyset(http, PATH, fields="entity_id,items[sku]").batches())
    assert magento.asked[0][2]["fields"] == "items[entity_id,items[sku]],total_count"


def test_an_empty_page_under_a_list_of_fields_is_null(magento: FakeMagento, http: Http) -> None:
    """PHP makes `null` of an empty list there (FieldsFilter::applyFilter)."""
    magento.rules.append(lambda *_: ok({"items": None, "total_count": 0}))
    assert list(Keyset(http, PATH, fields="entity_id").batches()) == []


def test_an_index_counts_and_knows_where_the_ids_are(magento: FakeMagento, http: Http) -> None:
    magento.orders = rows([3, 5, 8, 13, 21])
    index = Keyset(http, PATH)
    assert index.extent().highest == 21
    assert (index.count(0, 21), index.count(3, 13), index.count(21, 99)) == (5, 3, 0)
    assert [index.nth(number, 3, 21) for number in (1, 2, 4, 5)] == [5, 8, 21, None]


def test_an_index_over_no_rows_or_a_broken_one_can_not_tell(
    magento: FakeMagento, http: Http
) -> None:
    index = Keyset(http, PATH)
    assert (index.extent(), index.count(0, 9)) == ((None, 0), 0)
    magento.orders = rows([3, 5, 8])
    broken_on(magento, 5, 8)
    assert (index.extent().highest, index.nth(2, 0, 9), index.nth(1, 0, 9)) == (None, None, 3)
    assert index.count(0, 9) == 3  # no row is loaded for it


def test_an_empty_shop_gives_nothing(magento: FakeMagento, http: Http) -> None:
    assert list(Keyset(http, PATH).batches()) == []


def test_rows_that_are_inserted_and_removed_meanwhile_shift_nothing(
    magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows(range(1, 31))
    seen: list[int] = []
    for batch in Keyset(http, PATH, size=10).batches():
        seen += ids_of([batch])
        magento.orders = [row for row in magento.orders if row["entity_id"] != batch.last - 5]
        magento.orders += rows([len(seen) + 1000])
    assert seen[:30] == list(range(1, 31))


def test_a_page_that_is_silently_shorter_than_asked_for_is_not_the_last(
    magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows(range(1, 61))

    def rule(method: str, path: str, query: dict[str, str]) -> Reply:
        return ok(magento.answer(path, {**query, "searchCriteria[pageSize]": "20"}))

    magento.rules.append(rule)
    assert ids_of(list(Keyset(http, PATH).batches())) == list(range(1, 61))


def test_the_shops_own_page_limit_is_taken(magento: FakeMagento, http: Http) -> None:
    magento.orders = rows(range(1, 51))

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        if int(query["searchCriteria[pageSize]"]) <= 20:
            return None
        body = '{"message": "Maximum SearchCriteria pageSize is %max", "parameters": {"max": 20}}'
        return 400, {}, body

    magento.rules.append(rule)
    assert ids_of(list(Keyset(http, PATH).batches())) == list(range(1, 51))


@pytest.mark.parametrize("ignored", ["gt", "sort", "everything"])
def test_a_shop_that_ignores_the_page_is_found_out_within_two_pages(
    ignored: str, magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows(range(1, 31))

    def rule(method: str, path: str, query: dict[str, str]) -> Reply:
        page = magento.answer(path, {**query, KEY.format(0): "0"} if ignored != "sort" else query)
        return ok({**page, "items": page["items"][:: -1 if ignored == "sort" else 1]})

    magento.rules.append(rule)
    with pytest.raises(RequestRefused, match="repeats a page"):
        list(Keyset(http, PATH, size=10).batches())
    assert len(magento.asked) <= 2


@pytest.mark.parametrize("answer", [[], {"message": "hello"}, {"items": "none"}, 7, "x"])
def test_an_answer_that_is_no_search_result_is_no_empty_shop(
    answer: Any, magento: FakeMagento, http: Http
) -> None:
    magento.rules.append(lambda method, path, query: ok(answer))
    with pytest.raises(RequestRefused, match="no search result"):
        list(Keyset(http, PATH).batches())


def test_rows_without_any_id_can_not_loop(magento: FakeMagento, http: Http) -> None:
    magento.rules.append(lambda *_: ok({"items": [{}, "x"], "total_count": 1000}))
    with pytest.raises(RequestRefused):
        list(Keyset(http, PATH).batches())


@pytest.mark.parametrize(
    "broken", [[1], [50], [100], [77], [7, 8], [1, 100], [3, 30, 90], [99, 100]], ids=str
)
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_row_that_breaks_its_page_is_named_and_all_others_come(
    broken: list[int], status: int, magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows(range(1, 101))
    broken_on(magento, *broken, status=status)
    batches = list(Keyset(http, PATH, size=32).batches())
    assert ids_of(batches) == [one for one in range(1, 101) if one not in broken]
    assert [batch.broken for batch in batches if batch.broken] == [str(one) for one in broken]


def test_a_broken_row_is_found_in_sparse_ids_too(magento: FakeMagento, http: Http) -> None:
    magento.orders = rows([5, 70_001, 840_254, 840_255])
    broken_on(magento, 840_254)
    batches = list(Keyset(http, PATH).batches())
    assert ids_of(batches) == [5, 70_001, 840_255]
    assert [batch.broken for batch in batches if batch.broken] == ["840254"]


def test_a_shop_that_is_down_is_not_a_shop_of_broken_rows(magento: FakeMagento, http: Http) -> None:
    magento.orders = rows(range(1, 101))
    magento.rules.append(lambda *_: refused(500, "Internal Error."))
    seen: list[Batch] = []
    with pytest.raises(ShopUnavailable):
        seen.extend(Keyset(http, PATH).batches())
    assert seen == []


def test_a_shop_that_fails_on_every_row_is_a_broken_shop(magento: FakeMagento, http: Http) -> None:
    magento.orders = rows(range(1, 101))
    broken_on(magento, *range(1, 101))
    seen: list[Batch] = []
    with pytest.raises(ShopUnavailable):
        seen.extend(Keyset(http, PATH).batches())
    assert len(seen) <= MOST_BROKEN


def test_maintenance_is_not_searched_for_broken_rows(magento: FakeMagento, http: Http) -> None:
    magento.rules.append(lambda *_: (503, {}, "<html>maintenance</html>"))
    with pytest.raises(ShopUnavailable):
        list(Keyset(http, PATH).batches())
    assert len(magento.asked) == 3


ABOVE, BELOW = KEY.format(0), KEY.format(1)


@pytest.mark.parametrize("failures", range(1, 12))
def test_a_shop_that_recovers_at_any_moment_loses_nothing(
    failures: int, magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows(range(1, 11))
    left = [True] * failures

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        empty = "gt" in query.values() and "lteq" in query.values() and query[BELOW] == query[ABOVE]
        return refused(500, "Internal Error.") if left and not empty and left.pop() else None

    magento.rules.append(rule)
    batches = list(Keyset(http, PATH, size=4).batches())
    assert ids_of(batches) == list(range(1, 11))
    assert not any(batch.broken for batch in batches)


def test_a_shop_that_is_too_slow_for_large_pages_is_asked_for_smaller_ones(
    magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows(range(1, 1001))
    failures = []

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        if len(magento.answer(path, query)["items"]) <= 30:
            return None
        failures.append(query["searchCriteria[pageSize]"])
        return refused(504, "Gateway Time-out")

    magento.rules.append(rule)
    search = Keyset(http, PATH)
    assert ids_of(list(search.batches())) == list(range(1, 1001))
    assert search.size == 25
    assert len(failures) <= 3 + 2 + 3  # 100, 50, and 50 again: then no more


def test_one_broken_row_makes_no_smaller_pages(magento: FakeMagento, http: Http) -> None:
    magento.orders = rows(range(1, 501))
    broken_on(magento, 130)
    search = Keyset(http, PATH)
    list(search.batches())
    assert search.size == 100


@pytest.mark.parametrize("top", [10, 11, 16, 40])
def test_a_broken_row_at_the_end_of_a_range_is_found(
    top: int, magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows([1, 5, top, top + 1])
    broken_on(magento, top)
    batches = list(Keyset(http, PATH).batches(to=top))
    assert ids_of(batches) == [1, 5]
    assert [batch.broken for batch in batches if batch.broken] == [str(top)]


def test_a_failing_page_that_turns_out_empty_ends_the_range(
    magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows([50])
    left = [
        True
    ] * 19  # 3 attempts at 100 rows, 2 at each of 50, 25, 12, 6, 3 and 1, and 4 to spare

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        empty = query[BELOW] == query[ABOVE]
        return refused(500, "Internal Error.") if left and not empty and left.pop() else None

    magento.rules.append(rule)
    batches = list(Keyset(http, PATH).batches(after=10, to=40))
    assert ids_of(batches) == []
    assert not any(batch.broken for batch in batches)


def test_a_row_that_was_broken_is_asked_for_alone_and_in_haste(
    magento: FakeMagento, http: Http
) -> None:
    magento.orders = rows([7, 8, 9])
    broken_on(magento, 8)
    search = Keyset(http, PATH)
    assert again(search, 8) == Batch((), 8, broken="8")
    assert len(magento.asked) == HASTY
    magento.rules.clear()
    assert again(search, 8) == Batch([{"entity_id": 8}], 8)
    magento.orders = rows([7, 9])
    assert again(search, 8) == Batch((), 8)
