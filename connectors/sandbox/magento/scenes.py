"""What some shops look like, made of the practice shop: ids far apart, other attribute codes."""

from __future__ import annotations

from connectors.sandbox.books import Books
from connectors.sandbox.magento.setup import configure, setup_of


def spread_ids(books: Books, shop: str, every: int) -> None:
    """Multiply all order ids: 21,590 orders over 840,254 ids were seen on one real shop."""
    with books.transaction():
        for sign in (-every, -1):  # by way of negative ids, so that none is taken twice
            books.execute("UPDATE orders SET id = id * ? WHERE shop = ?", (sign, shop))
            books.execute("UPDATE refunds SET order_id = order_id * ? WHERE shop = ?", (sign, shop))


def rename_attributes(books: Books, shop: str, prefix: str) -> None:
    """The module's attributes under another prefix, and the module told so."""
    old = setup_of(books.shop(shop)).attribute_prefix
    for table in ("definitions", "customer_values"):
        books.execute(
            f"UPDATE {table} SET name = ? || substr(name, ?) "  # noqa: S608  our own names
            "WHERE shop = ? AND substr(name, 1, ?) = ?",
            (prefix, len(old) + 1, shop, len(old), old),
        )
    configure(books, shop, attribute_prefix=prefix)


def drop_attribute(books: Books, shop: str, code: str) -> None:
    """One attribute and its values less."""
    books.execute("DELETE FROM definitions WHERE shop = ? AND name = ?", (shop, code))
    books.execute("DELETE FROM customer_values WHERE shop = ? AND name = ?", (shop, code))
