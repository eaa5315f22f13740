"""What the sandbox's Magento keeps of its customers beside our values, and a rich set of them."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.server import Sandbox

WAYS = ("module", "put", "async")
SHOP = "eu"


def ids(sandbox: Sandbox) -> list[int]:
    rows = sandbox.books.query("SELECT id FROM customers WHERE shop = ? ORDER BY id", (SHOP,))
    return [row["id"] for row in rows]


def theirs(sandbox: Sandbox) -> list[dict[str, Any]]:
    """All that the books hold of customers but our values and the time of the last save."""
    people = sandbox.books.query("SELECT * FROM customers WHERE shop = ? ORDER BY id", (SHOP,))
    values = "SELECT * FROM customer_values WHERE shop = ? AND name NOT LIKE 'clv%' ORDER BY id"
    rows = [*people, *sandbox.books.query(values, (SHOP,))]
    return [_lasting(row) for row in rows]


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    """What is empty or no may be kept in more ways than one."""
    kept = {key: value for key, value in row.items() if key != "updated_at"}
    filled = {key: value for key, value in row.get("extra", {}).items() if value}
    return {**kept, "extra": filled}


def fitted_out(sandbox: Sandbox) -> None:
    """Birthdays, newsletters, groups and unconfirmed accounts, spread over the customers.

    The one with a bad old address gets a telephone.
    """
    fresh = []
    for row in sandbox.books.query("SELECT * FROM customers WHERE shop = ?", (SHOP,)):
        number = row["id"]
        extra = row["extra"] | {"newsletter": number % 3 == 0}
        extra |= {"dob": "1980-01-15"} if number % 2 else {}
        extra |= {"confirmation": "k3y"} if number % 50 == 7 else {}
        extra["addresses"] = [one | {"telephone": "1"} for one in extra["addresses"]]
        fresh.append(row | {"extra": extra, "group_id": 1 + number % 3})
    sandbox.books.execute("DELETE FROM customers WHERE shop = ?", (SHOP,))
    sandbox.books.insert("customers", fresh)
