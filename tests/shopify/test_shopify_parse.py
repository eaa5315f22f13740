from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import PayloadError
from connectors.identity import EmailHasher
from connectors.schema import Order, net_value
from connectors.shopify.parse import ORDER_FIELDS, parse_order, parse_orders

HASHER = EmailHasher(b"a key of sixteen bytes or more")
PAYLOADS = Path(__file__).resolve().parents[1] / "payloads" / "shopify"
CENT = Decimal("0.01")

#: Samples that contradict themselves or were cut: each with the field that shows it.
FLAWED = {
    "order_samples.json orders.json?fields=created_at": "currency",  # asked for four fields only
    "order_samples.json orders/450789469.json?fields=id": "currency",  # asked for four fields only
    "order.json": "total_price",  # three lines of 199.00, but a subtotal of 398.00
    "orders.json": "line_items",  # its lines, shipping and refunds were cut out
}


def parsed(payload: Any) -> Order:
    return parse_order("toys", payload, HASHER)[0]


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def samples(folder: Path) -> Iterator[tuple[str, Any]]:
    """Every order in the recorded samples, by file (and the question it answers)."""
    for record in load(folder / "shopify-api-ruby_rest_2026_07" / "order_samples.json"):
        body, asked = record["response"], record["url"].partition("/2026-07/")[2]
        orders = body.get("orders", []) + ([body["order"]] if "order" in body else [])
        for order in orders:
            yield f"order_samples.json {asked.partition('%2C')[0]}", order
    yield "order.json", load(folder / "shopify_python_api" / "order.json")["order"]
    for order in load(folder / "shopify_python_api" / "orders.json")["orders"]:
        yield "orders.json", order


def test_every_recorded_order_adds_up_to_its_total_but_for_the_flawed_ones(shared: Path) -> None:
    rejected, read = {}, 0
    for name, payload in samples(shared / "payloads" / "shopify"):
        try:
            order = parsed(payload)
        except PayloadError as error:
            rejected[name] = error.field
            continue
        read += 1
        assert order.total_value == Decimal(payload["total_price"])
        assert order.goods_value == Decimal(payload["total_line_items_price"])
        assert order.tax_value == Decimal(payload["total_tax"])
    assert rejected == FLAWED
    assert read == 29


def test_the_recorded_refund_of_two_lines_is_read_from_its_sets() -> None:
    order, lines, refunds = parse_order(
        "toys", load(PAYLOADS / "orders.json")["partly_refunded"], HASHER
    )
    assert order.goods_value == Decimal("597.00")
    assert order.discount_value == Decimal("10.00")
    assert order.refunded_value == Decimal("195.66") + Decimal("195.67")
    assert order.refunded_total == Decimal("209.00")
    assert [line.net_value for line in lines] == [
        Decimal("195.66"),
        Decimal("195.67"),
        Decimal("195.67"),
    ]
    assert refunds[0].refunded_tax == Decimal("7.96")


def test_the_recorded_discrepancy_brings_rows_and_money_together() -> None:
    """Rows of 199.64, of which 89.64 was kept: two payments of 10 and 100 went back."""
    payload = load(PAYLOADS / "orders.json")["cancelled_with_discrepancy"]
    order, _, (refund,) = parse_order("toys", payload, HASHER)
    assert order.state == "cancelled"
    assert refund.refunded_total == Decimal("110.00")
    assert refund.refunded_value + refund.refunded_tax == refund.refunded_total


def test_prices_without_tax_are_goods_and_the_tax_comes_on_top(make: Any) -> None:
    order = parsed(make.order())
    assert (order.goods_value, order.discount_value) == (Decimal(120), Decimal(12))
    assert (order.tax_value, order.shipping_value) == (Decimal("22.60"), Decimal(5))
    assert order.total_value == Decimal("135.60")


def test_tax_is_taken_out_of_prices_that_hold_it(make: Any) -> None:
    """24.00 holds 20% tax: 20.00 before and 18.00 after a discount of 10%."""
    order, (line,), _ = parse_order("toys", make.taxed_order(), HASHER)
    assert (order.goods_value, order.discount_value) == (Decimal(20), Decimal(2))
    assert (order.tax_value, order.shipping_value) == (Decimal("4.60"), Decimal(5))
    assert order.total_value == Decimal("27.60")
    assert line.net_value == Decimal(18)


def test_free_shipping_lowers_the_shipping_not_the_goods(make: Any) -> None:
    order = parsed(
        make.order(
            **make.money("total_price", "144.00"),
            **make.money("total_tax", "24.00"),
            **make.money("total_discounts", "5.00"),
            line_items=[make.line(1, "120.00", tax="24.00")],
            shipping_lines=[make.shipping("5.00", off="5.00")],
        )
    )
    assert (order.discount_value, order.shipping_value) == (Decimal(0), Decimal(0))
    assert net_value(order) == Decimal(120)


def test_a_tip_is_another_charge_not_goods(make: Any) -> None:
    tip = make.line(9, "4.00") | {"tip_payment_gateway": "shopify_payments"}
    base = make.order()
    order, lines, _ = parse_order(
        "toys",
        base
        | make.money("total_price", "139.60")
        | {"total_tip_received": "4.00", "line_items": [*base["line_items"], tip]},
        HASHER,
    )
    assert (order.goods_value, order.shipping_value) == (Decimal(120), Decimal(9))
    assert len(lines) == 2


def test_duties_and_fees_are_other_charges(make: Any) -> None:
    order = parsed(
        make.order(
            **make.money("total_price", "146.60"),
            original_total_duties_set=make.bag("10.00"),
            original_total_additional_fees_set=make.bag("1.00"),
        )
    )
    assert order.shipping_value == Decimal(16)


def test_a_discount_that_names_no_lines_is_spread_over_them(make: Any) -> None:
    lines = [make.line(1, "50.00", 2, tax="18.00"), make.line(2, "20.00", tax="3.60")]
    order, parts, _ = parse_order("toys", make.order(line_items=lines), HASHER)
    assert order.discount_value == Decimal(12)
    assert [part.net_value for part in parts] == [Decimal(90), Decimal(18)]


def test_a_discount_is_taken_off_once_where_lines_and_order_both_name_it(make: Any) -> None:
    order = parsed(make.order())
    assert order.discount_value == Decimal(12)


def test_an_order_whose_parts_miss_the_total_by_a_cent_is_refused(make: Any) -> None:
    with pytest.raises(PayloadError) as caught:
        parsed(make.order(**make.money("total_price", "135.61")))
    assert caught.value.field == "total_price"


def test_cents_of_conversion_between_currencies_go_to_the_other_charges(make: Any) -> None:
    payload = make.order(presentment_currency="USD", **make.money("total_price", "135.62"))
    order = parsed(payload)
    assert order.shipping_value == Decimal("5.02")
    assert order.goods_value == Decimal(120)


def test_an_amount_in_another_currency_than_the_orders_is_refused(make: Any) -> None:
    with pytest.raises(PayloadError) as caught:
        parsed(make.order(total_tax_set=make.bag("22.60", currency="USD")))
    assert caught.value.field == "total_tax_set.shop_money.currency_code"


@pytest.mark.parametrize(
    ("status", "shipped", "state"),
    [
        ("paid", None, "paid"),
        ("paid", "partial", "paid"),
        ("paid", "fulfilled", "complete"),
        ("partially_refunded", "fulfilled", "complete"),
        ("refunded", "fulfilled", "refunded"),
        ("voided", None, "cancelled"),
        ("pending", "fulfilled", "open"),
        ("authorized", None, "open"),
        ("partially_paid", None, "open"),
        ("expired", None, "open"),
        (None, None, "open"),
    ],
)
def test_the_state_follows_payment_and_shipping(
    make: Any, status: str | None, shipped: str | None, state: str
) -> None:
    order = parsed(make.order(financial_status=status, fulfillment_status=shipped))
    assert order.state == state


def test_an_unknown_financial_status_is_refused_not_guessed(make: Any) -> None:
    with pytest.raises(PayloadError, match="financial_status"):
        parsed(make.order(financial_status="half_paid"))


def test_a_cancelled_order_is_cancelled_whatever_was_paid(make: Any) -> None:
    order = parsed(make.order(cancelled_at="2026-03-03T00:00:00Z"))
    assert order.state == "cancelled"
    assert net_value(order) == 0


def test_a_customer_is_named_by_id_and_a_guest_by_the_hash_of_the_email(make: Any) -> None:
    known, guest = parsed(make.order()), parsed(make.order(customer=None, email=" Ada@Example.org"))
    assert (known.customer_id, known.person_key, known.is_guest) == ("77", "77", False)
    assert (guest.customer_id, guest.is_guest) == (None, True)
    assert guest.person_key == HASHER.person_key("ada@example.org")
    missing = make.order(email=None)
    del missing["customer"]
    assert parsed(missing).person_key is None


def test_nothing_of_a_person_is_kept(make: Any) -> None:
    canary = "canary-person@example.org"
    payload = make.order(
        email=canary,
        customer={"id": 5, "email": canary, "first_name": canary},
        billing_address={"name": canary},
        note=canary,
    )
    assert canary not in repr(parse_order("toys", payload, HASHER))
    broken = parse_orders("toys", [payload | {"total_tax": canary, "total_tax_set": None}], HASHER)
    assert broken.rejects
    assert canary not in repr(broken)


def test_an_imported_order_was_placed_when_it_was_processed(make: Any) -> None:
    order = parsed(make.order(processed_at="2019-05-01T00:00:00+02:00"))
    assert order.ordered_at == datetime(2019, 4, 30, 22, tzinfo=UTC)


def test_an_order_placed_before_since_is_left_out(make: Any) -> None:
    old = make.order(id=1, processed_at="2019-05-01T00:00:00+02:00")
    since = datetime(2026, 1, 1, tzinfo=UTC)
    kept = parse_orders("toys", [old, make.order(id=2)], HASHER, since)
    assert [order.order_id for order in kept.orders] == ["2"]
    assert {line.order_id for line in kept.lines} == {"2"}


def test_a_bad_order_is_put_aside_by_id_and_field_and_the_others_go_on(make: Any) -> None:
    bad = make.order(id=5)
    bad["line_items"][1]["price_set"] = {"shop_money": {"amount": "a lot"}}
    page = parse_orders("toys", [make.order(id=4), bad, "nonsense", make.order(id=6)], HASHER)
    assert [order.order_id for order in page.orders] == ["4", "6"]
    assert [(reject.row_id, reject.field) for reject in page.rejects] == [
        ("5", "line_items[1].price_set.shop_money.currency_code"),
        ("row 2", "order"),
    ]


NEEDED = [
    "id name created_at updated_at test currency taxes_included financial_status line_items",
    "shipping_lines refunds total_price total_tax total_discounts",
]


@pytest.mark.parametrize("key", " ".join(NEEDED).split())
def test_an_order_that_lacks_a_needed_field_is_never_a_silent_zero(make: Any, key: str) -> None:
    payload = make.order(processed_at=None)
    payload.pop(key)
    payload.pop(f"{key}_set", None)
    page = parse_orders("toys", [payload], HASHER)
    assert not page.orders
    assert page.rejects[0].field == key


def test_what_is_read_is_what_is_asked_for(make: Any) -> None:
    assert set(make.order()) <= set(ORDER_FIELDS.split(","))


def a_rich_order(make: Any) -> dict[str, Any]:
    refund = make.refund(
        refund_line_items=[make.refunded_line("90.00", "18.00")],
        order_adjustments=[make.adjustment("shipping_refund", "-5.00", "-1.00")],
        transactions=[make.paid("114.00")],
    )
    payload: dict[str, Any] = make.order(refunds=[refund], financial_status="partially_refunded")
    return payload


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values inside."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(child, (*path, key))


def mutated(payload: Any, path: tuple[Any, ...], junk: Any) -> Any:
    payload = copy.deepcopy(payload)
    parent = payload
    for key in path[:-1]:
        parent = parent[key]
    if junk is GONE and isinstance(parent, dict):
        del parent[path[-1]]
    else:
        parent[path[-1]] = None if junk is GONE else junk
    return payload


GONE = object()
JUNK = [GONE, None, True, "x", "", {}, {"amount": None}, -7, "NaN", "1e999999", "2026-13-45"]
AMOUNTS = [
    f"{name}_value" for name in ("goods", "discount", "tax", "shipping", "total", "refunded")
] + ["refunded_total", "refunded_shipping"]


def test_no_single_broken_value_changes_an_amount_without_a_reject(make: Any) -> None:
    """Every value of an order, replaced by every junk: a reject, or the very same amounts."""
    base = a_rich_order(make)
    right = parsed(base)
    accepted = rejected = 0
    for path in places(base):
        signed = "order_adjustments" in path  # where -7 is no junk
        for junk in (junk for junk in JUNK if not (signed and junk == -7)):
            page = parse_orders("toys", [mutated(base, path, junk)], HASHER)
            assert len(page.orders) + len(page.rejects) == 1, (path, junk)
            rejected += len(page.rejects)
            for order in page.orders:
                accepted += 1
                for name in AMOUNTS:
                    assert getattr(order, name) == getattr(right, name), (path, junk, name)
    assert accepted > 200
    assert rejected > 500


def json_values() -> st.SearchStrategy[Any]:
    numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
    leaves = st.none() | st.booleans() | numbers | st.text(max_size=20)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=6,
    )


JSON = json_values()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_payload_whatever_is_in_it_breaks_the_page(make: Any, data: st.DataObject) -> None:
    payload: Any = a_rich_order(make)
    for _ in range(data.draw(st.integers(1, 3))):
        paths = list(places(payload))
        if paths:
            payload = mutated(payload, data.draw(st.sampled_from(paths)), data.draw(JSON))
    page = parse_orders("toys", [payload, make.order(id=2)], HASHER)
    assert len(page.orders) + len(page.rejects) == 2
    assert page.orders[-1].order_id == "2"


# ---------------------------------------------------------------------------------- the country


@pytest.mark.parametrize(
    ("shipping", "billing", "country"),
    [
        ({"country_code": "SE"}, {"country_code": "DE"}, "SE"),
        ({"country_code": None}, {"country_code": "DE"}, "DE"),
        (None, {"country_code": "DE"}, "DE"),
        ({"country_code": "ZZ"}, None, None),  # Shopify doesn't know it either
        ({"country": "Sweden"}, None, None),
        (None, None, None),
    ],
)
def test_where_an_order_was_sent_goes_before_where_it_was_billed(
    make: Any, shipping: Any, billing: Any, country: str | None
) -> None:
    assert parsed(make.order(shipping_address=shipping, billing_address=billing)).country == country


def test_a_recorded_order_tells_its_country() -> None:
    assert parsed(load(PAYLOADS / "orders.json")["partly_refunded"]).country == "US"


def test_an_address_that_is_none_is_named(make: Any) -> None:
    for odd, field in ((7, "shipping_address"), ({"country_code": 7}, "country_code")):
        with pytest.raises(PayloadError, match=field):
            parsed(make.order(shipping_address=odd))
