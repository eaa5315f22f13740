"""What happens in a Shopify shop while nobody looks: orders go, people become one, tags pile up."""

from __future__ import annotations

from connectors.sandbox.books import Books


def delete_order(books: Books, shop: str, order_id: int) -> None:
    """An order and its refunds are gone, without a trace in any list."""
    with books.transaction():
        books.execute("DELETE FROM refunds WHERE shop = ? AND order_id = ?", (shop, order_id))
        books.execute("DELETE FROM orders WHERE shop = ? AND id = ?", (shop, order_id))


def merge_customers(books: Books, shop: str, kept: int, gone: int) -> None:
    """One of two customers is left, with the orders and tags of both."""
    tags = books.tags_of(shop, [gone])[gone]
    with books.transaction():
        sql = "UPDATE orders SET customer_id = ?, updated_at = ? WHERE shop = ? AND customer_id = ?"
        books.execute(sql, (kept, books.now(), shop, gone))
        for tag in tags:
            books.add_tag(shop, kept, tag)
        for table in ("customer_tags", "customer_values"):
            sql = f"DELETE FROM {table} WHERE shop = ? AND customer_id = ?"  # noqa: S608  our own names
            books.execute(sql, (shop, gone))
        books.execute("DELETE FROM customers WHERE shop = ? AND id = ?", (shop, gone))
        books.touch_customer(shop, kept)


def tag_everybody(books: Books, shop: str, most: int) -> None:
    """The admin's own tags: from none up to `most` a customer, the same ones every time."""
    rows = books.query("SELECT id FROM customers WHERE shop = ? ORDER BY id", (shop,))
    with books.transaction():
        books.insert(
            "customer_tags",
            (
                {"shop": shop, "customer_id": row["id"], "tag": f"Admin tag {row['id']}-{n}"}
                for place, row in enumerate(rows)
                for n in range(place % (most + 1))
            ),
        )


def age_orders(books: Books, shop: str, days: int) -> None:
    """Everything happened `days` earlier."""
    back = f"-{days} days"
    for table in ("orders", "refunds"):
        books.execute(
            f"UPDATE {table} SET created_at = datetime(created_at, ?), "  # noqa: S608  our own names
            "updated_at = datetime(updated_at, ?) WHERE shop = ?",
            (back, back, shop),
        )
