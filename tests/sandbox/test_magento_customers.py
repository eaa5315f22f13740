"""PUT /V1/customers/:id in the sandbox: merges, drops, cuts and refuses as 2.4.7-p3 does."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox import MAGENTO_TOKEN
from connectors.sandbox.books import Books

HEADERS = {"authorization": f"Bearer {MAGENTO_TOKEN}", "content-type": "application/json"}


@pytest.fixture
def someone(books: Books) -> int:
    """A customer with an address and an erp_number of the admin's."""
    rows = books.query(
        "SELECT customer_id FROM customer_values v JOIN customers c ON c.shop = v.shop AND "
        "c.id = v.customer_id WHERE v.name = 'erp_number' AND extra LIKE '%telephone%'"
    )
    return int(rows[0]["customer_id"])


@pytest.fixture
def put(ask: Any, someone: int) -> Any:
    def sent(customer: Any, customer_id: int = someone, **changed: Any) -> Any:
        path = f"/eu/rest/all/V1/customers/{customer_id}"
        return ask(path, "PUT", HEADERS, changed.get("body", {"customer": customer}))

    return sent


def attributes(answer: Any) -> dict[str, str]:
    rows = answer.json().get("custom_attributes", [])
    return {row["attribute_code"]: row["value"] for row in rows}


def custom(**values: Any) -> dict[str, Any]:
    return {"custom_attributes": [
        {"attribute_code": code, "value": value} for code, value in values.items()
    ]}  # fmt: skip


def test_only_what_is_sent_changes_and_updated_at_moves(ask: Any, put: Any, someone: int) -> None:
    path = f"/eu/rest/V1/customers/{someone}"
    before = ask(path, headers=HEADERS).json()
    after = put(custom(clv_tier="high")).json()
    assert after["updated_at"] == "2026-11-20 12:00:00"
    assert after["updated_at"] != before["updated_at"]
    kept = {k: v for k, v in before.items() if k not in ("updated_at", "custom_attributes")}
    assert {key: after[key] for key in kept} == kept
    assert ask(path, headers=HEADERS).json() == after
    erp = next(a for a in before["custom_attributes"] if a["attribute_code"] == "erp_number")
    assert erp in after["custom_attributes"]


@pytest.mark.parametrize(
    ("code", "value", "stored"),
    [
        ("clv_predicted_12m", "77.25", "77.2500"),
        ("clv_predicted_12m", 12.34, "12.3400"),
        ("clv_predicted_12m", "abc", "0.0000"),
        ("clv_next_order_date", "2026-12-01", "2026-12-01 00:00:00"),
        ("clv_next_order_date", "2026-12-01 15:30:00", "2026-12-01 00:00:00"),
        ("clv_reason", "x" * 300, "x" * 255),
        ("clv_reason", "Straße 😀 日本", "Straße ???? 日本"),
        ("clv_reason", '<b>A&B</b> "q"', '<b>A&B</b> "q"'),
        ("is_vip", "1", "1"),
        ("is_vip", 0, "0"),
    ],
)
def test_values_are_stored_as_magento_stores_them(
    put: Any, code: str, value: Any, stored: str
) -> None:
    answer = put(custom(**{code: value}))
    assert (answer.status, attributes(answer)[code]) == (200, stored)


def test_an_unknown_attribute_is_dropped_without_a_word(put: Any) -> None:
    answer = put(custom(nosuch="1"))
    assert (answer.status, "nosuch" in attributes(answer)) == (200, False)


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_value_removes_the_attribute(put: Any, nothing: str | None) -> None:
    assert "clv_tier" in attributes(put(custom(clv_tier="high")))
    assert "clv_tier" not in attributes(put(custom(clv_tier=nothing)))


def test_attributes_can_come_as_a_map(put: Any) -> None:
    assert attributes(put({"custom_attributes": {"clv_tier": "low"}}))["clv_tier"] == "low"


@pytest.mark.parametrize("value", [True, False, "Champion"])
def test_an_int_attribute_wants_an_int(put: Any, value: Any) -> None:
    answer = put(custom(is_vip=value))
    assert answer.status == 400
    assert 'The "int" type was expected' in answer.json()["message"]


def test_a_refused_put_changes_nothing(put: Any, ask: Any, someone: int) -> None:
    path = f"/eu/rest/V1/customers/{someone}"
    before = ask(path, headers=HEADERS).json()
    assert put(custom(clv_tier="high", is_vip=True)).status == 400
    assert ask(path, headers=HEADERS).json() == before


def test_a_stored_address_without_a_telephone_makes_every_put_fail(put: Any, books: Books) -> None:
    broken = next(
        row["id"]
        for row in books.query("SELECT * FROM customers WHERE shop = 'eu'")
        if any(not address["telephone"] for address in row["extra"]["addresses"])
    )
    answer = put(custom(clv_tier="high"), broken)
    assert (answer.status, answer.json()) == (
        400,
        {"message": '"Phone Number" is a required value.'},
    )


def test_an_empty_list_of_addresses_deletes_them(put: Any) -> None:
    answer = put({"addresses": []}).json()
    assert answer["addresses"] == []
    assert "default_billing" not in answer


def test_echoing_the_newsletter_flag_changes_it(put: Any) -> None:
    for flag in (False, True):
        answer = put({"extension_attributes": {"is_subscribed": flag}}).json()
        assert answer["extension_attributes"] == {"is_subscribed": flag}


def test_an_email_taken_in_the_website_is_refused(put: Any, books: Books, someone: int) -> None:
    own = books.customer("eu", someone)
    assert own is not None
    other = books.query(
        "SELECT email FROM customers WHERE shop = 'eu' AND website_id = ? AND id <> ?",
        (own["website_id"], someone),
    )[0]
    assert put({"email": other["email"].upper()}).status == 400
    assert put({"id": someone + 1}).status == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"customer":', "Decoding error."),
        ({"kunde": {}}, '"%fieldName" is required. Enter and try again.'),
        ({"customer": {"nosuchfield": 1}}, '"%fieldName" is not supported.'),
        ({"customer": {"lastname": ""}}, '"Last Name" is a required value.'),
    ],
)
def test_a_body_that_cannot_be_taken_is_a_400(put: Any, body: Any, message: str) -> None:
    answer = put(None, body=body)
    assert answer.status == 400
    assert answer.json()["message"].startswith(message)
