"""Checks 23 and 24: what isn't ours stays as it is, whichever way is written."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import requests

from connectors.sandbox import MAGENTO_TOKEN
from connectors.sandbox.magento.setup import configure
from connectors.sandbox.shopify.scenes import tag_everybody
from connectors.schema import TAG, Change
from tests.reliability.applying import WAYS, Scored, Shop
from tests.reliability.conftest import Told
from tests.reliability.worlds import shops
from tests.test_sync import foreign, lasting

# ------------------------------------------------------------------------- 23, 24: what isn't ours


@pytest.mark.parametrize("way", ["module", "put", "files"])
def test_check_23_what_admins_noted_stays_on_every_customer(told: Told, way: str) -> None:
    own = WAYS[way]
    with shops(told.often(60, 11_500)) as world:
        books = world.books
        tag_everybody(books, "us", 4)
        for row in books.query("SELECT id FROM customers WHERE shop = 'eu'"):
            books.set_value("eu", row["id"], "erp_number", "varchar", f"ERP-{row['id']}")
        if own.module:
            configure(books, "eu", module=True)
        platform = world.platform(own.shop, write=own.settings.get("CLV_EU_WRITE", "auto"))
        shown: dict[str, Any] = {}
        for page in platform.pull_customers(None, world.clock()):
            shown |= page.shown
        before = noted(books, own.shop)
        changes = [
            Change(own.shop, who, today, target(who, own.shop)) for who, today in shown.items()
        ]
        outcomes = list(platform.push(changes))
        after = noted(books, own.shop)
    refused = Counter(one.status for one in outcomes)["rejected"]
    assert refused <= 1  # the one with an old broken address
    assert len(changes) >= told.often(50, 10_000)
    told(
        f"customers with the admin's own notes ({way})", len(changes), altered=apart(before, after)
    )


def target(customer: str, shop: str) -> dict[str, str]:
    tier = ("high", "medium", "low")[int(customer) % 3]
    return {"tier": tier, "reason": "Bought."} | ({TAG: f"clv-{tier}"} if shop == "us" else {})


def noted(books: Any, shop: str) -> set[str]:
    """Everything about customers that isn't ours, as text."""
    found: set[str] = set()
    for table in ("customers", "customer_values", "customer_tags"):
        rows = books.query(f"SELECT * FROM {table} WHERE shop = ?", (shop,))  # noqa: S608
        found |= {str(row) for row in foreign({table: list(map(lasting, rows))})[table]}
    return found


def apart(before: set[str], after: set[str]) -> int:
    return len(before ^ after)


@pytest.mark.parametrize("way", ["put", "async", "module"])
def test_check_24_a_magento_customer_is_byte_for_byte_the_same_but_for_ours(
    told: Told, scored: Scored, way: str
) -> None:
    with scored.copied(way) as shop:
        before = bytes_of(shop)
        ended = shop.apply().wait()
        after = bytes_of(shop)
        assert shop.mutations()
    altered = sum(after[one] != whole for one, whole in before.items())
    told(f"customers as Magento tells of them ({way})", len(before), altered=altered,
         runs_failed=int(ended.code != 0))  # fmt: skip


def bytes_of(shop: Shop) -> dict[int, bytes]:
    """Each customer as the shop sends it, without our attributes and the time of the last save."""
    found = {}
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {MAGENTO_TOKEN}"
        for row in shop.books.query("SELECT id FROM customers WHERE shop = 'eu'"):
            url = f"{shop.sandbox.url}/eu/rest/all/V1/customers/{row['id']}"
            told = session.get(url, timeout=10).json()
            told.pop("updated_at")
            own = [
                one
                for one in told.pop("custom_attributes", ())
                if not one["attribute_code"].startswith("clv_")
            ]
            found[row["id"]] = json.dumps([told, own]).encode()
    return found
