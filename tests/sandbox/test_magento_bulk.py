"""The asynchronous bulk API of the sandbox: accepted at once, done later, merged never."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox import MAGENTO_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.magento.setup import configure

HEADERS = {"authorization": f"Bearer {MAGENTO_TOKEN}", "content-type": "application/json"}
BULK = "/eu/rest/all/async/bulk/V1/customers/byCustomerId"
TAKEN = "A customer with the same email address already exists in an associated website."


@pytest.fixture
def send(ask: Any) -> Any:
    return lambda operations: ask(BULK, "PUT", HEADERS, operations)


@pytest.fixture
def look(ask: Any) -> Any:
    """What became of a bulk: operation id -> (status, message)."""

    def looked(bulk: str, how: str = "detailed-status") -> dict[int, tuple[int, str]]:
        answer = ask(f"/eu/rest/V1/bulk/{bulk}/{how}", headers=HEADERS).json()
        assert answer["operation_count"] == len(answer["operations_list"])
        return {
            one["id"]: (one["status"], one["result_message"]) for one in answer["operations_list"]
        }

    return looked


def person(books: Books, customer_id: int) -> dict[str, Any]:
    """All that the consumer needs of a customer."""
    row = books.customer("eu", customer_id)
    assert row
    return {
        "id": row["id"], "email": row["email"], "firstname": row["first_name"],
        "lastname": row["last_name"], "website_id": row["website_id"],
        "store_id": row["store_id"],
    }  # fmt: skip


def operation(customer: dict[str, Any], **values: str) -> dict[str, Any]:
    attributes = [{"attribute_code": code, "value": value} for code, value in values.items()]
    whole = {**customer, "custom_attributes": attributes}
    return {"customerId": customer.get("id", 1), "customer": whole}


def tier(books: Books, customer_id: int) -> str | None:
    values = books.values_of("eu", [customer_id])[customer_id]
    return next((one["value"] for one in values if one["name"] == "clv_tier"), None)


def test_nothing_happens_until_the_consumer_has_run(send: Any, look: Any, books: Books) -> None:
    answer = send([operation(person(books, n), clv_tier="high") for n in (1, 2, 3)])
    assert answer.status == 202
    told = answer.json()
    assert [(one["id"], one["status"]) for one in told["request_items"]] == [
        (0, "accepted"), (1, "accepted"), (2, "accepted")
    ]  # fmt: skip
    assert tier(books, 1) is None
    assert {status for status, _ in look(told["bulk_uuid"]).values()} == {4}
    assert tier(books, 1) == "high"
    assert {status for status, _ in look(told["bulk_uuid"]).values()} == {1}


def test_a_shop_without_a_consumer_leaves_everything_open(
    send: Any, look: Any, books: Books
) -> None:
    configure(books, "eu", bulk_after_polls=None)
    bulk = send([operation(person(books, 1), clv_tier="high")]).json()["bulk_uuid"]
    for _ in range(5):
        assert look(bulk, "status") == {0: (4, None)}
    assert tier(books, 1) is None


def test_each_row_that_lacks_something_fails_alone(send: Any, look: Any, books: Books) -> None:
    configure(books, "eu", bulk_after_polls=0)
    whole = person(books, 1)
    sent = [
        {"id": 2},
        {name: whole[name] for name in ("email", "firstname", "lastname")},
        {name: whole[name] for name in ("id", "email")},
        {**whole, "id": 99_999},
        whole,
    ]
    told = look(send([operation(one, clv_tier="high") for one in sent]).json()["bulk_uuid"])
    assert told[0] == (3, "The customer email is missing. Enter and try again.")
    assert told[1] == (3, TAKEN)
    assert told[2] == (3, '"First Name" is a required value.\n"Last Name" is a required value.')
    assert told[3][0] == 3
    assert told[4][0] == 1
    assert tier(books, 1) == "high"


def test_without_an_id_it_is_a_new_customer(send: Any, look: Any, books: Books) -> None:
    configure(books, "eu", bulk_after_polls=0)
    before = books.scalar("SELECT COUNT(*) FROM customers WHERE shop = 'eu'")
    fresh = {"email": "new@example.com", "firstname": "New", "lastname": "Comer"}
    assert look(send([operation(fresh)]).json()["bulk_uuid"])[0][0] == 1
    assert books.scalar("SELECT COUNT(*) FROM customers WHERE shop = 'eu'") == before + 1


def test_one_unknown_field_refuses_the_whole_bulk(send: Any, books: Books) -> None:
    configure(books, "eu", bulk_after_polls=0)
    sent = [operation(person(books, 1), clv_tier="high"), operation({"id": 2, "nosuch": 1})]
    assert send(sent).status == 400
    assert tier(books, 1) is None


@pytest.mark.parametrize(("version", "kept"), [("2.4.7-p3", True), ("2.4.8-p2", False)])
def test_2_4_8_forgets_a_date_of_birth_that_is_not_sent(
    version: str, kept: bool, send: Any, books: Books
) -> None:
    configure(books, "eu", version=version, bulk_after_polls=0)
    sql = "SELECT id FROM customers WHERE shop = 'eu' AND json_extract(extra, '$.dob') IS NOT NULL"
    born, other = (row["id"] for row in books.query(f"{sql} LIMIT 2"))
    dob = books.customer("eu", other)["extra"]["dob"]  # type: ignore[index]
    send([operation(person(books, born)), operation({**person(books, other), "dob": dob})])
    assert bool(books.customer("eu", born)["extra"]["dob"]) == kept  # type: ignore[index]
    assert books.customer("eu", other)["extra"]["dob"] == dob  # type: ignore[index]


def test_confirmation_and_website_that_are_not_sent_are_lost(
    send: Any, look: Any, books: Books
) -> None:
    configure(books, "eu", bulk_after_polls=0)
    sql = "UPDATE customers SET extra = json_set(extra, '$.confirmation', 'waits') WHERE id = 1"
    books.execute(sql)
    send([operation({**person(books, 1), "confirmation": "waits"})])
    assert books.customer("eu", 1)["extra"]["confirmation"] == "waits"  # type: ignore[index]
    send([operation(person(books, 1))])
    assert not books.customer("eu", 1)["extra"]["confirmation"]  # type: ignore[index]
    ours = books.scalar("SELECT id FROM customers WHERE shop = 'eu' AND website_id = 2")
    moved = person(books, ours)
    del moved["website_id"]
    told = look(send([operation(moved)]).json()["bulk_uuid"])
    assert told[0] == (3, TAKEN) or books.customer("eu", ours)["website_id"] == 1  # type: ignore[index]


def test_operations_end_as_they_are_told_to(send: Any, look: Any, books: Books) -> None:
    configure(books, "eu", bulk_after_polls=0, bulk_ends={"1": 2, "2": 5, "3": 3, "4": 4})
    sent = [operation(person(books, n), clv_tier="high") for n in (1, 2, 3, 4, 5)]
    bulk = send(sent).json()["bulk_uuid"]
    assert [status for status, _ in look(bulk).values()] != sorted(look(bulk))
    assert {id_: status for id_, (status, _) in look(bulk).items()} == {
        0: 2,
        1: 5,
        2: 3,
        3: 4,
        4: 1,
    }
    assert [tier(books, n) for n in (1, 2, 3, 4, 5)] == [None] * 4 + ["high"]
    configure(books, "eu", bulk_ends={})
    again = send(sent[:1]).json()["bulk_uuid"]
    assert look(again)[0][0] == 1


def test_the_list_of_operations_is_in_no_order(send: Any, ask: Any, books: Books) -> None:
    bulk = send([operation(person(books, 1)) for _ in range(9)]).json()["bulk_uuid"]
    answer = ask(f"/eu/rest/V1/bulk/{bulk}/status", headers=HEADERS).json()
    ids = [one["id"] for one in answer["operations_list"]]
    assert sorted(ids) == list(range(9)) != ids


def test_a_refusing_customer_fails_here_too(send: Any, look: Any, books: Books) -> None:
    configure(books, "eu", bulk_after_polls=0, refuse_percent=100)
    bulk = send([operation(person(books, 1), clv_tier="high")]).json()["bulk_uuid"]
    assert look(bulk)[0] == (3, '"Phone Number" is a required value.')


def test_counts_by_status_and_unknown_bulks(send: Any, ask: Any, books: Books) -> None:
    configure(books, "eu", bulk_after_polls=0, bulk_ends={"1": 3})
    bulk = send([operation(person(books, n)) for n in (1, 2, 3)]).json()["bulk_uuid"]
    path = f"/eu/rest/V1/bulk/{bulk}/operation-status"
    assert [ask(f"{path}/{n}", headers=HEADERS).json() for n in (1, 2, 3)] == [2, 0, 1]
    assert ask("/eu/rest/V1/bulk/none/status", headers=HEADERS).status == 404
