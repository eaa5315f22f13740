"""searchCriteria in the Magento sandbox: what it finds, in which order, on which page."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from connectors.sandbox import MAGENTO_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.magento.fields import keep

HEADERS = {"authorization": f"Bearer {MAGENTO_TOKEN}"}
NO_LIMITS = "searchCriteria[pageSize]=0"


def criterion(group: int, n: int, field: str, value: str, condition: str = "eq") -> str:
    head = f"searchCriteria[filter_groups][{group}][filters][{n}]"
    return f"{head}[field]={field}&{head}[value]={value}&{head}[condition_type]={condition}"


def sort(field: str, direction: str = "") -> str:
    head = "searchCriteria[sortOrders][0]"
    return f"{head}[field]={field}" + (f"&{head}[direction]={direction}" if direction else "")


@pytest.fixture
def found(told: Any) -> Any:
    def rows(*parts: str, path: str = "orders", store: str = "all") -> list[dict[str, Any]]:
        query = "&".join(parts or (NO_LIMITS,))
        items: list[dict[str, Any]] = told(f"/eu/rest/{store}/V1/{path}?{query}")["items"]
        return items

    return rows


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row.get("entity_id", row.get("id")) for row in rows]


def test_filters_of_a_group_are_or_and_groups_are_and(found: Any) -> None:
    either = found(
        criterion(0, 0, "status", "closed"),
        criterion(0, 1, "status", "canceled"),
        criterion(1, 0, "store_id", "1"),
    )
    every = found()
    expected = [o for o in every if o["status"] in ("closed", "canceled") and o["store_id"] == 1]
    assert expected
    assert ids(either) == ids(expected)


@pytest.mark.parametrize(
    ("condition", "keeps"),
    [
        ("gt", lambda a, b: a > b), ("gteq", lambda a, b: a >= b), ("lt", lambda a, b: a < b),
        ("lteq", lambda a, b: a <= b), ("eq", lambda a, b: a == b), ("neq", lambda a, b: a != b),
        ("from", lambda a, b: a >= b), ("to", lambda a, b: a <= b),
    ],
)  # fmt: skip
def test_conditions_compare_ids(found: Any, condition: str, keeps: Any) -> None:
    every = ids(found())
    middle = every[len(every) // 2]
    kept = found(criterion(0, 0, "entity_id", str(middle), condition))
    assert ids(kept) == [one for one in every if keeps(one, middle)]


def test_lists_nulls_and_patterns(found: Any) -> None:
    every = found()
    some = ids(every)[3:6]
    listed = ",".join(map(str, some))
    assert ids(found(criterion(0, 0, "entity_id", listed, "in"))) == some
    others = found(criterion(0, 0, "entity_id", listed, "nin"))
    assert set(ids(others)) == set(ids(every)) - set(some)
    guests = found(criterion(0, 0, "customer_id", "1", "null"))
    assert ids(guests) == [o["entity_id"] for o in every if "customer_id" not in o]
    known = found(criterion(0, 0, "customer_id", "1", "notnull"))
    assert len(known) + len(guests) == len(every)
    like = found(criterion(0, 0, "customer_email", "customer0000%25", "like"))
    assert ids(like) == [
        o["entity_id"] for o in every if o["customer_email"].lower().startswith("customer0000")
    ]


def test_emails_are_compared_without_case(found: Any) -> None:
    email = found()[0]["customer_email"]
    loud = found(criterion(0, 0, "customer_email", email.upper()))
    assert ids(loud) == ids(found(criterion(0, 0, "customer_email", email)))
    assert loud


def test_no_order_is_ascending_and_a_sort_without_direction_descends(found: Any) -> None:
    assert ids(found()) == sorted(ids(found()))
    assert ids(found(sort("entity_id"))) == sorted(ids(found()), reverse=True)
    assert ids(found(sort("entity_id", "ASC"))) == sorted(ids(found()))


def test_a_garbage_date_finds_everything_and_offsets_are_ignored(found: Any) -> None:
    assert len(found(criterion(0, 0, "updated_at", "notadate", "gteq"))) == len(found())
    plain = found(criterion(0, 0, "updated_at", "2026-06-01 12:00:00", "gteq"))
    shifted = found(criterion(0, 0, "updated_at", "2026-06-01T12:00:00%2B05:00", "gteq"))
    assert ids(plain) == ids(shifted)
    assert 0 < len(plain) < len(found())


def test_a_store_filters_nothing(found: Any) -> None:
    assert ids(found(store="ws")) == ids(found(store="all"))
    assert len({order["store_id"] for order in found(store="ws")}) > 1


def test_pages_cover_everything_once_and_end_empty(found: Any) -> None:
    paged: list[int] = []
    for page in range(1, 100):
        size = "searchCriteria[pageSize]=7"
        part = found(size, f"searchCriteria[currentPage]={page}", sort("entity_id", "ASC"))
        if not part:
            break
        paged += ids(part)
    assert paged == ids(found())


def test_customers_can_be_found_by_a_custom_attribute(found: Any, books: Books) -> None:
    values = books.query("SELECT * FROM customer_values WHERE name = 'erp_number' LIMIT 1")
    match = criterion(0, 0, "erp_number", values[0]["value"])
    assert ids(found(match, path="customers/search")) == [values[0]["customer_id"]]


def test_credit_memos_are_found_by_order(found: Any) -> None:
    memo = found(path="creditmemos")[0]
    own = found(criterion(0, 0, "order_id", str(memo["order_id"])), path="creditmemos")
    assert memo["entity_id"] in ids(own)
    assert {row["order_id"] for row in own} == {memo["order_id"]}


def test_ids_are_sparse_with_one_wide_gap(found: Any) -> None:
    every = ids(found())
    gaps = [b - a for a, b in pairwise(every)]
    assert min(gaps) >= 1
    assert max(gaps) > 20_000


def test_fields_cut_what_was_not_asked_for(found: Any, ask: Any) -> None:
    rows = found("searchCriteria[pageSize]=2", "fields=items[entity_id,items[sku]]")
    assert [set(row) for row in rows] == [{"entity_id", "items"}] * 2
    assert {key for row in rows for item in row["items"] for key in item} == {"sku"}
    spaced = ask(
        "/eu/rest/V1/orders?searchCriteria[pageSize]=1&fields=items[entity_id],%20total_count",
        headers=HEADERS,
    )
    assert (spaced.status, spaced.json()) == (200, [])


def test_fields_reach_into_lists_and_objects() -> None:
    answer = {"a": [{"b": 1, "c": {"d": 2, "e": 3}}], "f": 4}
    assert keep(answer, "a[c[d]],f") == {"a": [{"c": {"d": 2}}], "f": 4}
    assert keep(answer, "nosuch") == {}
    assert keep(answer, "") == answer
