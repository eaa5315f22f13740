"""What a shop's admin sees: customers with their tags, attributes and CLV fields. Plain HTML.

Nothing is fetched from anywhere, nothing is scripted, everything from the books is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from html import escape
from typing import Any, NamedTuple
from urllib.parse import urlencode

from connectors.sandbox.admin_style import STYLE
from connectors.sandbox.books import Books, Row

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
PAGE_SIZE = 50
SNAPSHOT_SIZE = 200
_SYMBOLS = {"EUR": "€", "USD": "$"}
_OWN = {"magento": "clv_", "shopify": "clv."}
_PLATFORMS = {"magento": "Magento", "shopify": "Shopify"}


class Column(NamedTuple):
    """A column of the grid: heading, how it sorts, how its cells look."""

    heading: str
    sql: str
    kind: str = "text"


_FIELDS = {
    "tier": Column("CLV tier", "tier", "tier"),
    "predicted_12m": Column("Predicted, 12 months", "CAST(predicted_12m AS REAL)", "money"),
    "historic_net": Column("Historic net", "CAST(historic_net AS REAL)", "money"),
    "p_alive": Column("P(alive)", "CAST(p_alive AS REAL)", "percent"),
    "next_order_date": Column("Next order", "next_order_date", "date"),
    "reason": Column("Why", "reason", "small"),
}
COLUMNS = {
    "id": Column("ID", "id", "number"),
    "name": Column("Name", "last_name, first_name"),
    "email": Column("E-mail", "email", "small"),
    "orders": Column("Orders", "orders", "number"),
    "tags": Column("Tags", "tags", "tags"),
    **_FIELDS,
}


class View(NamedTuple):
    """Which part of the grid is asked for."""

    sort: str
    descending: bool
    tier: str
    page: int
    size: int
    links: bool


def index(books: Books) -> str:
    """The shops of the sandbox."""
    rows = "".join(
        f'<li><a href="/admin/{escape(row["shop"])}">{escape(_name(row))}</a>'
        f' <span class="muted">{_PLATFORMS[row["platform"]]}, {escape(row["currency"])}</span></li>'
        for row in books.shops()
    )
    return _document("Sandbox shops", f"<main><h1>Sandbox shops</h1><ul>{rows}</ul></main>")


def missing() -> str:
    return _document("Not found", "<main><h1>There is no such page</h1></main>")


def grid(books: Books, shop: str, asked: Mapping[str, str]) -> str | None:
    """The customer grid. `asked`: sort, dir (asc, desc), tier, page. None for an unknown shop."""
    row = _shop(books, shop)
    if row is None:
        return None
    sort = asked.get("sort", "")
    page = asked.get("page", "1")
    view = View(
        sort if sort in COLUMNS else "predicted_12m",
        asked.get("dir", "desc") != "asc",
        asked.get("tier", ""),
        max(int(page), 1) if page.isdecimal() and len(page) < 9 else 1,
        PAGE_SIZE,
        links=True,
    )
    return _grid(books, row, view)


def snapshot(books: Books, shop: str) -> str:
    """The grid's first customers by predicted value as one file without links."""
    view = View("predicted_12m", True, "", 1, SNAPSHOT_SIZE, links=False)
    return _grid(books, books.shop(shop), view)


def customer(books: Books, shop: str, id: int, asked: Mapping[str, str]) -> str | None:
    """One customer's page; None if there is none."""
    row = _shop(books, shop)
    found = books.customer(shop, id) if row else None
    if row is None or found is None:
        return None
    values = [
        f"<tr><th>{escape(value['name'])}</th><td>{escape(value['value'])}</td></tr>"
        for value in books.values_of(shop, [id])[id]
    ]
    tags = "".join(map(_chip, books.tags_of(shop, [id])[id])) or '<span class="muted">none</span>'
    name = escape(f"{found['first_name']} {found['last_name']}")
    body = (
        f'{_bar(row)}<main><p><a href="/admin/{escape(shop)}">All customers</a></p>'
        f"<h1>{name}</h1><p class=muted>{escape(found['email'])} · customer {found['id']} · "
        f"since {escape(found['created_at'][:10])}</p>"
        f"<h2>Tags</h2><p>{tags}</p><h2>Attributes</h2>"
        f"<table class=pairs>{''.join(values)}</table>"
        f"<h2>Orders</h2>{_orders(books, row, id)}</main>"
    )
    return _document(f"{found['first_name']} {found['last_name']}", body)


def _orders(books: Books, shop: Row, customer_id: int) -> str:
    rows = books.query(
        "SELECT * FROM orders WHERE shop = ? AND customer_id = ? ORDER BY created_at DESC",
        (shop["shop"], customer_id),
    )
    cells = "".join(
        f"<tr><td>{escape(row['number'])}</td><td>{escape(row['created_at'][:16])}</td>"
        f"<td>{escape(row['body']['state'])}</td>"
        f'<td class="number">{_money(row["body"]["total"], shop["currency"])}</td></tr>'
        for row in rows
    )
    heading = "<tr><th>Number</th><th>Placed</th><th>State</th><th class=number>Total</th></tr>"
    return f"<table><thead>{heading}</thead><tbody>{cells}</tbody></table>"


def _shop(books: Books, shop: str) -> Row | None:
    return next((row for row in books.shops() if row["shop"] == shop), None)


# ----------------------------------------------------------------------------------- the grid


def _grid(books: Books, shop: Row, view: View) -> str:
    tiers = _tiers(books, shop)
    rows = _rows(books, shop, view)
    total = tiers.get(view.tier, 0) if view.tier else sum(tiers.values())
    names = [name for name in COLUMNS if name != "tags" or shop["platform"] == "shopify"]
    head = "".join(_heading(shop, view, name) for name in names)
    body = "".join(
        "<tr>" + "".join(_cell(shop, view, name, row) for name in names) + "</tr>" for row in rows
    )
    return _document(
        f"Customers, {_name(shop)}",
        f"{_bar(shop)}<main><h1>Customers <span class=muted>{total:,}</span></h1>"
        f"{_filters(shop, view, tiers)}<div class=scroll><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{_pager(shop, view, total)}</main>",
    )


def _source(shop: Row) -> tuple[str, list[object]]:
    """A SELECT with one row per customer, our fields beside it, and its values."""
    prefix = shop["settings"].get("attribute_prefix", _OWN[shop["platform"]])
    own = [f"{prefix}{name}" for name in _FIELDS]
    joins = "".join(
        f" LEFT JOIN customer_values v{n} ON v{n}.shop = c.shop "
        f"AND v{n}.customer_id = c.id AND v{n}.name = ?"
        for n in range(len(own))
    )
    shown = ", ".join(f"v{n}.value AS {name}" for n, name in enumerate(_FIELDS))
    return (
        f"SELECT c.*, {shown}, (SELECT COUNT(*) FROM orders o WHERE o.shop = c.shop "  # noqa: S608
        "AND o.customer_id = c.id) AS orders, (SELECT group_concat(tag, '\n') FROM "
        "(SELECT tag FROM customer_tags t WHERE t.shop = c.shop AND t.customer_id = c.id "
        f"ORDER BY t.id)) AS tags FROM customers c{joins} WHERE c.shop = ?",
        [*own, shop["shop"]],
    )


def _rows(books: Books, shop: Row, view: View) -> list[Row]:
    source, values = _source(shop)
    condition = "WHERE tier = ?" if view.tier else ""
    given = [*values, *([view.tier] if view.tier else [])]
    direction = "DESC" if view.descending else "ASC"
    keys = COLUMNS[view.sort].sql.split(", ")
    order = ", ".join(f"{key} {direction} NULLS LAST" for key in keys)
    return books.query(
        f"SELECT * FROM ({source}) {condition} ORDER BY {order}, id LIMIT ? OFFSET ?",  # noqa: S608
        [*given, view.size, (view.page - 1) * view.size],
    )


def _tiers(books: Books, shop: Row) -> dict[str, int]:
    """How many customers each tier has; '' for those without."""
    source, values = _source(shop)
    rows = books.query(
        f"SELECT coalesce(tier, '') AS tier, COUNT(*) AS n FROM ({source}) GROUP BY 1 ORDER BY 1",  # noqa: S608
        values,
    )
    return {row["tier"]: row["n"] for row in rows}


def _link(shop: Row, view: View, **changed: Any) -> str:
    asked = {"sort": view.sort, "dir": "desc" if view.descending else "asc", "tier": view.tier}
    query = urlencode({key: value for key, value in {**asked, **changed}.items() if value})
    return escape(f"/admin/{shop['shop']}?{query}")


def _heading(shop: Row, view: View, name: str) -> str:
    column, here = COLUMNS[name], name == view.sort
    arrow = (" ↓" if view.descending else " ↑") if here else ""
    text = f"{escape(column.heading)}{arrow}"
    if view.links:
        turned = "asc" if here and view.descending else "desc"
        text = f'<a href="{_link(shop, view, sort=name, dir=turned)}">{text}</a>'
    return f'<th class="{column.kind}">{text}</th>'


def _filters(shop: Row, view: View, tiers: Mapping[str, int]) -> str:
    chips = []
    for tier, count in [("", sum(tiers.values())), *((t, n) for t, n in tiers.items() if t)]:
        text = f"{escape(tier) or 'all'} <b>{count:,}</b>"
        classes = f"chip {_tier_class(tier)}{' here' if tier == view.tier else ''}"
        if view.links:
            chips.append(f'<a class="{classes}" href="{_link(shop, view, tier=tier)}">{text}</a>')
        else:
            chips.append(f'<span class="{classes}">{text}</span>')
    return f"<p>{''.join(chips)}</p>"


def _pager(shop: Row, view: View, total: int) -> str:
    pages = max(-(-total // view.size), 1)
    if not view.links:
        shown = min(view.size, total)
        return f"<p class=muted>The first {shown:,} of {total:,} by predicted value.</p>"
    back = f'<a href="{_link(shop, view, page=view.page - 1)}">← back</a>' if view.page > 1 else ""
    on = f'<a href="{_link(shop, view, page=view.page + 1)}">on →</a>' if view.page < pages else ""
    return f"<p class=pager>{back} <span class=muted>page {view.page} of {pages:,}</span> {on}</p>"


# ------------------------------------------------------------------------------------- the cells


def _cell(shop: Row, view: View, name: str, row: Row) -> str:
    kind = COLUMNS[name].kind
    if name == "name":
        text = escape(f"{row['first_name']} {row['last_name']}")
        if view.links:
            text = f'<a href="/admin/{escape(shop["shop"])}/customers/{row["id"]}">{text}</a>'
        return f"<td>{text}</td>"
    value = row[name]
    shown = "" if value is None else _shown(kind, str(value), shop["currency"])
    return f'<td class="{kind}">{shown}</td>'


def _shown(kind: str, value: str, currency: str) -> str:
    if kind == "money":
        return _money(value, currency)
    if kind == "percent":
        share = _decimal(value)
        return escape(value) if share is None else f"{share * 100:.0f}%"
    if kind == "tier":
        return f'<span class="chip {_tier_class(value)}">{escape(value)}</span>'
    if kind == "tags":
        return "".join(map(_chip, value.split("\n")))
    return escape(value[:10] if kind == "date" else value)


def _chip(tag: str) -> str:
    return f'<span class="chip tag">{escape(tag)}</span>'


def _money(value: str, currency: str) -> str:
    amount = _decimal(value)
    return escape(value) if amount is None else f"{_SYMBOLS.get(currency, '')}{amount:,.2f}"


def _decimal(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _tier_class(tier: str) -> str:
    return tier if tier in ("high", "medium", "low", "new") else "plain"


def _name(shop: Row) -> str:
    return str(shop["settings"].get("name", shop["shop"]))


def _bar(shop: Row) -> str:
    platform = _PLATFORMS[shop["platform"]]
    return (
        f'<header class="{shop["platform"]}"><b>{escape(_name(shop))}</b>'
        f"<span>{platform} sandbox · {escape(shop['currency'])}</span></header>"
    )


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
