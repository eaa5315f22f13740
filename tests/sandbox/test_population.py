"""The sandbox's customers are CDNOW's: their purchases to the cent, everything else made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest

from connectors.sandbox import cdnow
from connectors.sandbox.books import TABLES, Books
from connectors.sandbox.ledger import ledger
from connectors.sandbox.population import populate

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def sample() -> Iterator[Books]:
    books = Books(":memory:")
    populate(books, today=TODAY)
    yield books
    books.close()


@lru_cache(4)  # of books that stay as they are
def orders(books: Books, shop: str) -> list[dict[str, Any]]:
    return books.query("SELECT * FROM orders WHERE shop = ? ORDER BY id", (shop,))


def money(*amounts: str) -> Decimal:
    return sum(map(Decimal, amounts), Decimal(0))


def test_the_data_are_the_published_ones() -> None:
    full = list(cdnow.purchases("full"))
    sample = list(cdnow.purchases("sample"))
    assert (len(full), len({p.customer for p in full})) == (69_659, 23_570)
    assert (len(sample), len({p.customer for p in sample})) == (6_919, 2_357)
    assert sum(p.value for p in full) == Decimal("2500315.63")


def test_the_net_goods_of_both_shops_are_what_cdnow_sold(sample: Books) -> None:
    both = [ledger(sample, shop).counted for shop in ("eu", "us")]
    assert sum(sums.orders for sums in both) == 6_919
    assert sum(s.goods - s.discount for s in both) == sum(p.value for p in cdnow.purchases())
    assert sum(sums.units for sums in both) == sum(p.quantity for p in cdnow.purchases())


def test_every_customer_is_worth_what_they_paid_before_refunds(sample: Books) -> None:
    histories = cdnow.histories()
    for n, shop in enumerate(("eu", "us")):
        expected = Counter(sum(p.value for p in h) for h in histories[n::2])
        people = ledger(sample, shop).people.values()
        assert Counter(s.goods - s.discount for s in people) == expected


def test_the_last_purchase_was_yesterday_and_nothing_is_later(sample: Books) -> None:
    for shop in ("eu", "us"):
        rows = orders(sample, shop)
        assert max(max(row["created_at"], row["updated_at"]) for row in rows) < "2026-11-20"
    latest = sample.scalar("SELECT max(created_at) FROM orders")
    assert latest.startswith("2026-11-19")


@pytest.mark.parametrize("shop", ["eu", "us"])
def test_every_order_adds_up_to_the_cent(sample: Books, shop: str) -> None:
    for row in orders(sample, shop):
        body = row["body"]
        parts = [*body["lines"], body["shipping"]]
        paid = (money(p["net"], p["tax"]) - money(p["discount"]) for p in parts)
        assert sum(paid) == Decimal(body["total"])
        back = body["refunded"]
        assert money(back["goods"], back["tax"], back["shipping"], back["adjustment"]) - Decimal(
            back["discount"]
        ) == Decimal(back["total"])
        assert Decimal(back["total"]) <= Decimal(body["total"])


@pytest.mark.parametrize("shop", ["eu", "us"])
def test_refunds_add_up_to_what_their_orders_say(sample: Books, shop: str) -> None:
    refunds = sample.query("SELECT * FROM refunds WHERE shop = ?", (shop,))
    totals: Counter[int] = Counter()
    for refund in refunds:
        totals[refund["order_id"]] += Decimal(refund["body"]["total"])  # type: ignore[assignment]
    refunded = {
        row["id"]: Decimal(row["body"]["refunded"]["total"]) for row in orders(sample, shop)
    }
    assert dict(totals) == {key: value for key, value in refunded.items() if value}


def test_prices_without_tax_times_quantity_are_the_row(sample: Books) -> None:
    for row in orders(sample, "us"):
        for line in row["body"]["lines"]:
            assert Decimal(line["unit_price"]) * line["quantity"] == Decimal(line["net"])


def test_the_parts_of_a_bundle_add_up_to_it(sample: Books) -> None:
    bundles = [
        line
        for row in orders(sample, "eu")
        for line in row["body"]["lines"]
        if line["kind"] == "bundle"
    ]
    assert bundles
    for line in bundles:
        for part in ("net", "discount", "discount_tax", "tax"):
            assert money(*(child[part] for child in line["children"])) == Decimal(line[part])


def test_the_same_arguments_give_the_same_books() -> None:
    dumps = []
    for _ in range(2):
        books = Books(":memory:")
        populate(books, today=TODAY, limit=30)
        dumps.append([books.query(f"SELECT * FROM {table}") for table in TABLES])  # noqa: S608
        books.close()
    assert dumps[0] == dumps[1]


def test_another_seed_gives_other_books_with_the_same_purchases(books: Books) -> None:
    before, lines = ledger(books, "us").counted, lines_of(books)
    populate(books, today=TODAY, limit=60, seed=2)
    after = ledger(books, "us").counted
    assert (before.orders, before.units) == (after.orders, after.units)
    assert lines != lines_of(books)


def lines_of(books: Books) -> list[Any]:
    rows = books.query("SELECT body FROM orders WHERE shop = 'us' ORDER BY id")
    return [row["body"]["lines"] for row in rows]


@pytest.mark.parametrize("shop", ["eu", "us"])
def test_even_a_small_population_shows_every_sort_of_trouble(books: Books, shop: str) -> None:
    found = ledger(books, shop)
    lines = [line for row in orders(books, shop) for line in row["body"]["lines"]]
    assert {line["kind"] for line in lines} == {"simple", "configurable", "bundle", "virtual"}
    assert set(found.states) >= {"complete", "cancelled", "open", "refunded"}
    assert found.refunds >= 5
    assert found.guests
    assert bool(found.tests) == (shop == "us")
    assert any(row["body"]["coupon"] for row in orders(books, shop))
    assert any(who.startswith("guest:") for who in found.people)


def test_some_guests_have_an_account_and_type_their_email_with_capitals(sample: Books) -> None:
    accounts = {row["email"] for row in sample.query("SELECT email FROM customers")}
    guests = {row["body"]["email"] for row in orders(sample, "eu") if row["body"]["guest"]}
    assert guests & accounts
    assert any(email.lower() in accounts and email not in accounts for email in guests)
    assert any(email.lower() not in accounts for email in guests)


def test_an_email_can_stand_in_two_websites_of_one_shop(sample: Books) -> None:
    rows = sample.query("SELECT email, website_id FROM customers WHERE shop = 'eu'")
    per_email = Counter(row["email"] for row in rows)
    assert max(per_email.values()) == 2
    assert len({(row["email"], row["website_id"]) for row in rows}) == len(rows)


def test_admins_keep_their_own_tags_and_attributes(books: Books) -> None:
    values = books.query("SELECT shop, name FROM customer_values")
    assert {(v["shop"], v["name"]) for v in values} == {
        ("eu", "erp_number"),
        ("eu", "is_vip"),
        ("us", "custom.erp_number"),
        ("us", "custom.is_vip"),
    }
    assert books.scalar("SELECT COUNT(*) FROM customer_tags WHERE tag = 'Très fidèle'")


def test_someone_with_a_broken_address_never_bought_anything(books: Books) -> None:
    rows = books.query("SELECT * FROM customers WHERE shop = 'eu'")
    broken = [r for r in rows if any(not a["telephone"] for a in r["extra"]["addresses"])]
    assert len(broken) == 1
    bought = "SELECT COUNT(*) FROM orders WHERE shop = 'eu' AND customer_id = ?"
    assert books.scalar(bought, (broken[0]["id"],)) == 0
