from __future__ import annotations

import copy
import json
import re
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors import pull as pulls
from connectors.errors import ConfigurationError
from connectors.identity import EmailHasher
from connectors.magento import MagentoShop
from connectors.platform import Page
from connectors.pull import Watch
from connectors.sandbox.magento.fields import keep
from connectors.showing import shown_in
from connectors.store import Store

from .conftest import MEMO, NOW, FakeMagento, Reply, numbered, ok, recorded
from .pulling import stamp


def test_nothing_personal_is_asked_for_and_all_that_is_read_is(
    magento: FakeMagento, shop: MagentoShop
) -> None:
    """Rows cut down to the fields that we name are read as the whole ones are."""

    def rule(method: str, path: str, query: dict[str, str]) -> Reply | None:
        if "fields" not in query:
            return None
        return ok(keep(json.loads(ok(magento.answer(path, query))[2]), query["fields"]))

    magento.orders = recorded("orders.json")["items"]
    magento.creditmemos = recorded("creditmemos.json")["items"]
    magento.customers = recorded("customers.json")["items"]
    whole = [replace(page, cursor={}) for page in pulled(shop)]
    magento.asked.clear()
    magento.rules.append(rule)
    assert [replace(page, cursor={}) for page in pulled(shop)] == whole
    asked = [query["fields"] for _, path, query in magento.asked if "store" not in path]
    told = " ".join(asked).replace("address[country_id]", "")
    for personal in (
        "firstname",
        "lastname",
        "address",
        "street",
        "city",
        "telephone",
        "remote_ip",
        "payment",
        "dob",
    ):
        assert personal not in told
    assert all(re.fullmatch(r"[\w\[\],]+", fields) for fields in asked)


def pulled(shop: MagentoShop) -> list[Page]:
    return [*shop.pull_orders(None, NOW), *shop.pull_customers(None, NOW)]


# ------------------------------------------------------------------------------------- currencies


@pytest.fixture
def converting(tmp_path: Path, hasher: EmailHasher, shop: MagentoShop) -> MagentoShop:
    rates = tmp_path / "rates.csv"
    rates.write_text("currency,from,rate\nUSD,2026-11-01,0.5\nUSD,2026-11-22,0.25\n")
    settings = replace(shop._settings, currency="EUR", rates=str(rates))
    return MagentoShop(settings, hasher, shop._http)


def test_orders_and_refunds_of_another_website_are_converted_at_the_orders_day(
    magento: FakeMagento, shop: MagentoShop, converting: MagentoShop, order: dict[str, Any]
) -> None:
    dollars = {"base_currency_code": "USD", "created_at": "2026-11-03 10:00:00"}
    magento.orders = [*numbered(order, [1]), *numbered(order, [2], **dollars)]
    memo = {**MEMO, "created_at": "2026-11-22 10:00:00"}
    magento.creditmemos = [
        {**memo, "entity_id": 1, "order_id": 1},
        {**memo, "entity_id": 2, "order_id": 2, "base_currency_code": "USD"},
        {**memo, "entity_id": 3, "order_id": 99, "base_currency_code": "USD"},
    ]
    apart, pages = pulled(shop), pulled(converting)
    assert {one.currency for page in apart for one in page.orders} == {"EUR", "USD"}
    euro, dollar = (one for page in pages for one in page.orders)
    assert {euro.currency, dollar.currency} == {"EUR"}
    assert dollar.total_value * 2 == euro.total_value
    in_euro, in_dollar, orphan = (one for page in pages for one in page.refunds)
    assert in_dollar.refunded_total * 2 == in_euro.refunded_total
    assert orphan.refunded_total * 4 == in_euro.refunded_total  # its order is gone: its own day
    lines: dict[str, Decimal] = defaultdict(Decimal)
    for one in (line for page in pages for line in page.lines):
        lines[one.order_id] += one.net_value
    assert lines["2"] == dollar.goods_value - dollar.discount_value


def test_a_rate_that_is_missing_stops_the_pull_and_names_the_file(
    magento: FakeMagento, converting: MagentoShop, order: dict[str, Any]
) -> None:
    magento.orders = numbered(order, [1], base_currency_code="GBP")
    with pytest.raises(ConfigurationError, match="CLV_EU_RATES"):
        pulled(converting)


# ------------------------------------------------------------------------------------- customers


def customer(number: int, **attributes: str) -> dict[str, Any]:
    raw = copy.deepcopy(recorded("customers.json")["items"][0])
    values = [{"attribute_code": code, "value": value} for code, value in attributes.items()]
    return {**raw, "id": number, "custom_attributes": values}


def test_customers_come_with_what_they_show_in_the_schemas_own_form(
    magento: FakeMagento, shop: MagentoShop
) -> None:
    magento.customers = [
        customer(
            1,
            clv_tier="high",
            clv_predicted_12m="77.2500",
            clv_p_alive="0.9",
            clv_next_order_date="2026-11-22 00:00:00",
            clv_score="12",
            erp_number="E-1",
            clv_reason="",
        ),
        customer(2),
        {key: value for key, value in customer(3).items() if key != "custom_attributes"},
    ]
    first, last = shop.pull_customers(None, NOW)
    assert first.shown == {
        "1": {
            "tier": "high",
            "predicted_12m": "77.25",
            "p_alive": "0.9000",
            "next_order_date": "2026-11-22",
        },
        "2": {},
        "3": {},
    }
    assert [one.customer_id for one in first.customers] == ["1", "2", "3"]
    assert first.expected == 3
    assert last == Page({})


def test_a_value_that_does_not_fit_stays_as_it_is(magento: FakeMagento, shop: MagentoShop) -> None:
    magento.customers = [customer(1, clv_predicted_12m="lots", clv_scored_at="soon")]
    page = next(shop.pull_customers(None, NOW))
    assert page.shown == {"1": {"predicted_12m": "lots", "scored_at": "soon"}}


def test_a_scan_of_customers_resumes_and_starts_anew_when_finished(
    magento: FakeMagento, shop: MagentoShop
) -> None:
    magento.customers = [customer(one) for one in range(1, 251)]
    whole = list(shop.pull_customers(None, NOW))
    for cut in range(1, 3):
        rest = list(shop.pull_customers(whole[cut - 1].cursor, NOW))
        assert sum(len(page.customers) for page in [*whole[:cut], *rest]) == 250
    assert list(shop.pull_customers(whole[-1].cursor, NOW)) == whole


@pytest.mark.usefixtures("in_small_ranges")
def test_customers_are_read_in_ranges_too(magento: FakeMagento, shop: MagentoShop) -> None:
    magento.customers = [customer(one) for one in range(1, 900, 3)]
    pages = list(shop.pull_customers(None, NOW))
    found = [int(one.customer_id) for page in pages for one in page.customers]
    assert sorted(found) == list(range(1, 900, 3))
    assert pages[0].expected == 300


def test_our_own_write_back_brings_nothing_new_at_the_next_run(
    magento: FakeMagento, shop: MagentoShop, tmp_path: Path
) -> None:
    """Every PUT moves a customer's `updated_at`; what they are stays the same."""
    magento.customers = [customer(one) for one in range(1, 41)]
    with Store.open(tmp_path / "store.duckdb", now=NOW) as store:
        first = pulls.pull_customers(shop, store, NOW, Watch())
        assert first.changed == 40
        asked = magento.paths()
        for row in magento.customers:  # as a PUT leaves it
            row["custom_attributes"] = [{"attribute_code": "clv_tier", "value": "high"}]
            row["updated_at"] = stamp(NOW)
        magento.asked.clear()
        second = pulls.pull_customers(shop, store, NOW + timedelta(hours=1), Watch())
        assert magento.paths() == asked[1:]  # the module is looked for once
        orders = pulls.pull_orders(shop, store, NOW + timedelta(hours=1), None, Watch())
    assert (second.customers, second.changed) == (40, 0)
    shown = {who: told for batch in second.shown.reader() for who, told in shown_in(batch).items()}
    assert shown == {str(one): {"tier": "high"} for one in range(1, 41)}
    assert (orders.orders, orders.changed) == (0, 0)


def test_a_bad_customer_is_put_aside_and_named(magento: FakeMagento, shop: MagentoShop) -> None:
    magento.customers = [customer(1), {**customer(2), "website_id": "main"}]
    page = next(shop.pull_customers(None, NOW))
    assert [one.customer_id for one in page.customers] == ["1"]
    assert set(page.shown) == {"1"}
    assert [(one.stream, one.row_id, one.field) for one in page.rejects] == [
        ("customers", "2", "website_id")
    ]
