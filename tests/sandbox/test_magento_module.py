"""Our module's routes in the sandbox: the same rows as the stock routes, and values in batches."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from connectors.identity import EmailHasher
from connectors.magento.parse import (
    StoreView,
    parse_customer,
    parse_lines,
    parse_order,
    parse_refund,
)
from connectors.sandbox import MAGENTO_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.ledger import ledger
from connectors.sandbox.magento.scenes import rename_attributes
from connectors.sandbox.magento.setup import configure

HEADERS = {"authorization": f"Bearer {MAGENTO_TOKEN}", "content-type": "application/json"}
CLV = "/eu/rest/all/V1/clv"
KEY = "an e-mail key that a shop set"
HASHER = EmailHasher(KEY.encode())
VIEWS = {str(n): StoreView(f"view{n}", "2" if n == 4 else "1") for n in range(1, 5)}
ALL = "?searchCriteria[pageSize]=0&searchCriteria[sortOrders][0][field]=entity_id"
ALL += "&searchCriteria[sortOrders][0][direction]=ASC"


@pytest.fixture
def get(ask: Any, books: Books) -> Any:
    configure(books, "eu", module=True)
    return lambda path: ask(path, headers=HEADERS)


def stock(get: Any, path: str) -> list[Any]:
    answer = get(f"/eu/rest/all/V1/{path}{ALL}")
    found: list[Any] = json.loads(answer.text, parse_float=Decimal)["items"]
    return found


def walked(get: Any, path: str, limit: int, more: str = "") -> list[Any]:
    """All rows of a lean route, page by page."""
    rows: list[Any] = []
    last, on = 0, True
    while on:
        page = get(f"{CLV}/{path}?after={last}&limit={limit}{more}").json()
        assert len(page["items"]) <= limit
        rows += page["items"]
        last, on = page["last"], page["more"]
    return rows


def test_without_the_module_there_are_no_such_routes(ask: Any) -> None:
    for path in ("module", "orders?after=0&limit=1", "creditmemos", "customers", "orders/months"):
        answer = ask(f"{CLV}/{path}", headers=HEADERS)
        assert answer.status == 404
        assert answer.json() == {"message": "Request does not match any route."}


def test_the_module_tells_what_it_can_and_which_key_it_has(get: Any, books: Books) -> None:
    told = get(f"{CLV}/module").json()
    assert told["email_key_fingerprint"] == ""
    assert (told["max_limit"], told["max_rows"]) == (5000, 1000)
    assert "clv_tier" in told["attributes"]
    assert "erp_number" not in told["attributes"]
    configure(books, "eu", email_key=KEY)
    assert get(f"{CLV}/module").json()["email_key_fingerprint"] == HASHER.fingerprint


@pytest.mark.parametrize("version", ["2.4.7", "2.4.8"])
@pytest.mark.parametrize("key", ["", KEY])
def test_lean_orders_read_as_the_stock_ones_do(
    version: str, key: str, get: Any, books: Books
) -> None:
    configure(books, "eu", version=version, email_key=key)
    # the accounts of the second website are gone; their orders are theirs by e-mail alone
    store = "json_extract(body, '$.store_id')"
    books.execute(f"UPDATE orders SET customer_id = NULL WHERE shop = 'eu' AND {store} = 4")  # noqa: S608
    whole, lean = stock(get, "orders"), walked(get, "orders", 50)
    assert len(whole) == len(lean) > 100
    for theirs, ours in zip(whole, lean, strict=True):
        restored = {**ours, "customer_email": theirs["customer_email"]}
        assert parse_order(restored, "eu", VIEWS, HASHER) == parse_order(
            theirs, "eu", VIEWS, HASHER
        )
        assert parse_lines(ours, "eu") == parse_lines(theirs, "eu")
        if key and "customer_id" not in theirs:
            website = VIEWS[str(theirs["store_id"])].website
            known = HASHER.person_key(theirs["customer_email"], website)
            assert ours["customer_email_key"] == known


def test_lean_rows_name_and_place_nobody(get: Any, books: Books) -> None:
    configure(books, "eu", email_key=KEY)
    for path in ("orders", "creditmemos", "customers"):
        text = get(f"{CLV}/{path}?after=0&limit=5000").text
        for word in ("name", "address", "telephone", "street", "@", "remote_ip", "protect_code"):
            assert word not in text


def test_an_account_s_e_mail_is_left_out_and_a_guest_s_is_there(get: Any) -> None:
    rows = walked(get, "orders", 5000)
    assert {"customer_id" in row for row in rows} == {True, False}
    assert all(("customer_id" in row) != ("customer_email" in row) for row in rows)


def test_lean_credit_memos_read_as_the_stock_ones_do(get: Any) -> None:
    whole, lean = stock(get, "creditmemos"), walked(get, "creditmemos", 3)
    assert len(whole) > 5
    assert [parse_refund(row, "eu") for row in lean] == [parse_refund(row, "eu") for row in whole]


@pytest.mark.parametrize("key", ["", KEY])
def test_lean_customers_read_as_the_stock_ones_do(key: str, get: Any, books: Books) -> None:
    configure(books, "eu", email_key=key)
    books.set_value("eu", 1, "clv_tier", "varchar", "high")
    whole, lean = stock(get, "customers/search"), walked(get, "customers", 20)
    assert lean[0]["custom_attributes"] == [{"attribute_code": "clv_tier", "value": "high"}]
    restored = [{**ours, "email": row["email"]} for row, ours in zip(whole, lean, strict=True)]
    assert [parse_customer(row, "eu", HASHER) for row in restored] == [
        parse_customer(row, "eu", HASHER) for row in whole
    ]
    keys = {row.get("email_key") for row in lean}
    expected = {HASHER.person_key(row["email"], str(row["website_id"])) for row in whole}
    assert keys == (expected if key else {None})


def test_bounds_hold_and_the_frame_says_whether_more_rows_follow(get: Any) -> None:
    rows = walked(get, "orders", 5000)
    ids = [row["entity_id"] for row in rows]
    page = get(f"{CLV}/orders?after={ids[3]}&limit=2&to={ids[6]}").json()
    assert [row["entity_id"] for row in page["items"]] == ids[4:6]
    assert (page["last"], page["more"]) == (ids[5], True)
    page = get(f"{CLV}/orders?after={ids[5]}&limit=2&to={ids[6]}").json()
    assert (page["last"], page["more"]) == (ids[6], False)
    page = get(f"{CLV}/orders?after={ids[-1]}&limit=2").json()
    assert (page["items"], page["last"], page["more"]) == ([], ids[-1], False)


def test_windows_are_inclusive(get: Any) -> None:
    rows = walked(get, "orders", 5000)
    at = rows[10]["updated_at"]
    found = walked(get, "orders", 2, f"&updated_from={at}&updated_to={at}".replace(" ", "%20"))
    assert [row["entity_id"] for row in found] == [
        row["entity_id"] for row in rows if row["updated_at"] == at
    ]


@pytest.mark.parametrize(
    "asked",
    ["limit=0", "limit=5001", "limit=", "limit=x", "limit=5&after=-1", "limit=5&to=x",
     "limit=5&updated_from=yesterday", "limit=5&created_from=2026-02-30%2000:00:00"],
)  # fmt: skip
def test_garbage_is_refused(asked: str, get: Any) -> None:
    assert get(f"{CLV}/orders?{asked}").status == 400


def test_the_months_add_up_to_the_books(get: Any, books: Books) -> None:
    months = get(f"{CLV}/orders/months").json()
    whole = ledger(books, "eu").every
    assert sum(month["orders"] for month in months) == whole.orders
    assert {month["base_grand_total"] == month["base_total_value"] for month in months} == {True}
    assert round(sum(float(m["base_grand_total"]) for m in months), 2) == float(whole.total)
    back = sum(float(m["base_total_refunded"]) for m in months)
    assert round(back, 2) == float(whole.refunded_total)
    assert {month["base_currency_code"] for month in months} == {"EUR"}


# ------------------------------------------------------------------------------------- writing


@pytest.fixture
def write(get: Any, ask: Any) -> Any:
    return lambda rows: ask(f"{CLV}/customers", "POST", HEADERS, {"rows": rows})


def row(customer_id: int, **values: str) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "values": [{"code": code, "value": value} for code, value in values.items()],
    }


def test_values_are_written_without_moving_anything_else(
    get: Any, write: Any, books: Books
) -> None:
    before = books.customer("eu", 1)
    sent = row(1, clv_tier="high", clv_p_alive="0.8125", clv_scored_at="2026-11-22")
    assert write([sent]).json() == [{"customer_id": 1, "status": "written", "reason": ""}]
    assert books.customer("eu", 1) == before
    shown = get("/eu/rest/all/V1/customers/1").json()["custom_attributes"]
    values = {one["attribute_code"]: one["value"] for one in shown}
    assert values["clv_p_alive"] == "0.8125"
    assert values["clv_scored_at"] == "2026-11-22 00:00:00"
    assert write([sent]).json()[0]["status"] == "unchanged"
    assert write([row(1, clv_tier="")]).json()[0]["status"] == "written"
    assert write([row(1, clv_tier="")]).json()[0]["status"] == "unchanged"


def test_a_bad_row_is_named_and_the_others_are_written(write: Any) -> None:
    bad = [
        row(1, clv_p_alive="abc"), row(1, clv_scored_at="2026-02-30"), row(1, clv_tier="x" * 256),
        row(1, erp_number="mine"), row(99999, clv_tier="high"),
    ]  # fmt: skip
    answer = write([*bad, row(2, clv_tier="high")]).json()
    assert [one["status"] for one in answer] == ["rejected"] * 5 + ["written"]
    assert all(one["reason"] for one in answer[:5])


@pytest.mark.parametrize(
    "rows",
    [[], None, [row(1)] * 1001, [{"customer_id": "1", "values": []}], [{"customer_id": 1}], [7]],
)
def test_a_batch_has_one_to_a_thousand_whole_rows(rows: Any, write: Any) -> None:
    assert write(rows).status == 400


def test_a_share_of_customers_refuses_and_always_the_same_ones(write: Any, books: Books) -> None:
    setup = configure(books, "eu", refuse_percent=20)
    ids = [one["id"] for one in books.query("SELECT id FROM customers WHERE shop = 'eu'")]
    answer = write([row(i, clv_tier="high") for i in ids]).json()
    refused = {one["customer_id"] for one in answer if one["status"] == "rejected"}
    assert refused == {i for i in ids if setup.refuses(i)}
    assert 5 <= 100 * len(refused) / len(ids) <= 35


def test_writing_needs_a_right_of_its_own(write: Any, get: Any, books: Books) -> None:
    configure(books, "eu", resources=["Magento_Customer::customer"])
    answer = write([row(1, clv_tier="high")])
    assert answer.status == 401
    assert answer.json()["parameters"] == {"resources": "ClvSync_CustomerClv::write"}
    assert get(f"{CLV}/customers?limit=1").status == 200


def test_attributes_may_have_another_prefix(write: Any, get: Any, books: Books) -> None:
    rename_attributes(books, "eu", "acme_")
    assert "acme_tier" in get(f"{CLV}/module").json()["attributes"]
    assert write([row(1, acme_tier="high")]).json()[0]["status"] == "written"
    assert write([row(1, clv_tier="high")]).json()[0]["status"] == "rejected"
