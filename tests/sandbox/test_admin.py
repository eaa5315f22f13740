"""The admin pages: what the shop's people see, and nothing that runs or is fetched."""

from __future__ import annotations

import re
from typing import Any

import pytest

from connectors.sandbox import admin
from connectors.sandbox.books import Books

HOSTILE = '<script>alert("1")</script>'


@pytest.fixture
def tiered(books: Books) -> Books:
    """Three customers of each shop with CLV fields."""
    for shop, prefix in (("eu", "clv_"), ("us", "clv.")):
        rows = books.query("SELECT id FROM customers WHERE shop = ? ORDER BY id LIMIT 3", (shop,))
        for row, tier, amount in zip(rows, ("low", "high", "new"), ("9.5", "100", ""), strict=True):
            fields = {
                "tier": tier,
                "predicted_12m": amount,
                "p_alive": "0.8123",
                "next_order_date": "2026-12-24 00:00:00",
                "reason": f"because {tier}",
            }
            for name, value in fields.items():
                if value:
                    books.set_value(shop, row["id"], prefix + name, "text", value)
    return books


def cells(html: str, kind: str) -> list[str]:
    return [
        re.sub("<[^>]*>", "", cell) for cell in re.findall(f'<td class="{kind}">(.*?)</td>', html)
    ]


def test_the_grid_shows_the_fields_as_people_read_them(tiered: Books) -> None:
    html = admin.grid(tiered, "eu", {}) or ""
    assert cells(html, "tier")[:3] == ["high", "low", "new"]
    assert cells(html, "money")[:3:2] == ["€100.00", "€9.50"]
    assert cells(html, "percent")[0] == "81%"
    assert cells(html, "date")[0] == "2026-12-24"
    assert "because high" in html


def test_it_sorts_by_a_column_both_ways(tiered: Books) -> None:
    down = cells(admin.grid(tiered, "eu", {"sort": "orders"}) or "", "number")[1::2]
    up = cells(admin.grid(tiered, "eu", {"sort": "orders", "dir": "asc"}) or "", "number")[1::2]
    assert [int(n) for n in down] == sorted(map(int, down), reverse=True)
    assert [int(n) for n in up] == sorted(map(int, up))
    assert down[0] != up[0]


def test_it_filters_by_tier(tiered: Books) -> None:
    html = admin.grid(tiered, "us", {"tier": "low"}) or ""
    assert cells(html, "tier") == ["low"]


def test_it_pages(books: Books) -> None:
    pages = [admin.grid(books, "eu", {"sort": "id", "dir": "asc", "page": str(n)}) or ""
             for n in (1, 2)]  # fmt: skip
    ids = [cells(page, "number")[::2] for page in pages]
    assert len(ids[0]) == admin.PAGE_SIZE
    total = books.scalar("SELECT COUNT(*) FROM customers WHERE shop = 'eu'")
    assert len(set(ids[0]) | set(ids[1])) == total


@pytest.mark.parametrize(
    "asked", [{"page": "0"}, {"page": "-1"}, {"page": "x"}, {"sort": "id; DROP"}, {"tier": "'"}]
)
def test_odd_questions_get_a_page_too(books: Books, asked: dict[str, str]) -> None:
    assert "<table>" in (admin.grid(books, "eu", asked) or "")


def test_shopify_customers_show_their_tags_in_order(tiered: Books) -> None:
    row = tiered.query("SELECT id FROM customers WHERE shop = 'us' ORDER BY id LIMIT 1")[0]
    tiered.execute("DELETE FROM customer_tags WHERE shop = 'us'")
    for tag in ("wholesale", "VIP", "clv:low"):
        tiered.add_tag("us", row["id"], tag)
    html = admin.grid(tiered, "us", {"tier": "low"}) or ""
    assert re.findall(r'<span class="chip tag">(.*?)</span>', html) == [
        "wholesale",
        "VIP",
        "clv:low",
    ]
    assert ">Tags" not in (admin.grid(tiered, "eu", {}) or "")


def test_hostile_names_tags_and_values_stay_text(books: Books) -> None:
    row = books.query("SELECT id FROM customers WHERE shop = 'us' ORDER BY id LIMIT 1")[0]
    books.execute("UPDATE customers SET first_name = ?, email = ?", (HOSTILE, HOSTILE))
    books.add_tag("us", row["id"], HOSTILE)
    for name in ("tier", "predicted_12m", "p_alive", "next_order_date", "reason"):
        books.set_value("us", row["id"], f"clv.{name}", "text", HOSTILE)
    pages = [
        admin.grid(books, "us", {}),
        admin.grid(books, "us", {"tier": HOSTILE}),
        admin.customer(books, "us", row["id"], {}),
        admin.snapshot(books, "us"),
    ]
    for page in pages:
        assert page
        assert "<script" not in page


def test_a_customers_page_shows_orders_and_attributes(tiered: Books) -> None:
    row = tiered.query(
        "SELECT customer_id FROM orders WHERE shop = 'eu' AND customer_id IS NOT NULL"
    )
    html = admin.customer(tiered, "eu", row[0]["customer_id"], {}) or ""
    assert "<h2>Orders</h2>" in html
    assert "€" in html


def test_a_snapshot_stands_alone(tiered: Books) -> None:
    html = admin.snapshot(tiered, "eu")
    assert "href=" not in html
    assert "src=" not in html
    assert "€100.00" in html


def test_pages_carry_a_policy_and_unknown_ones_are_404(ask: Any) -> None:
    assert ask("/").status == 200
    page = ask("/admin/us")
    assert (page.status, page.headers["content-security-policy"]) == (200, admin.POLICY)
    assert "default-src 'none'" in admin.POLICY
    assert ask("/admin/nowhere").status == 404
    assert ask("/admin/eu/customers/999999").status == 404


def test_nothing_is_fetched_from_elsewhere(tiered: Books) -> None:
    page = admin.grid(tiered, "eu", {}) or ""
    assert not re.search(r"https?://|@import|url\(", page)
