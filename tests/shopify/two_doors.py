"""A small shop that serves the same orders at both of its doors: REST as they are, GraphQL by
graphql-core and the excerpt of Shopify's schema, so that every field stands under its real name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import responses
from graphql import GraphQLSchema, build_schema, execute_sync, parse, validate
from requests import PreparedRequest

from connectors.platform import Page

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
API = "https://toys.myshopify.com/admin/api/2026-10"
REFUND_LISTS = {
    "refundLineItems": "refund_line_items",
    "refundShippingLines": "refund_shipping_lines",
    "orderAdjustments": "order_adjustments",
    "transactions": "transactions",
}


def instant(minutes: float) -> str:
    """That many minutes before NOW, as the shop writes it."""
    return (NOW - timedelta(minutes=minutes)).isoformat()


def ids(pages: Iterable[Page]) -> list[str]:
    return [order.order_id for page in pages for order in page.orders]


@cache
def schema() -> GraphQLSchema:
    path = Path(__file__).with_name("admin_2026-10.graphql")
    return build_schema(path.read_text(encoding="utf-8"))


# ------------------------------------------------------------------ REST's payloads as objects


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def bag(both: Any) -> Any:
    """GraphQL writes 15.0 where REST writes 15.00."""
    if not isinstance(both, dict):
        return both
    return {camel(side): _money(one) for side, one in both.items()}


def _money(one: Any) -> Any:
    if not isinstance(one, dict):
        return one
    amount = one.get("amount")
    if isinstance(amount, str) and re.fullmatch(r"-?\d+\.\d+", amount):
        amount = re.sub(r"0+$", "", amount)
        amount += "0" if amount.endswith(".") else ""
    return {"amount": amount, "currencyCode": one.get("currency_code")}


def order_object(order: dict[str, Any], size: int = 250) -> dict[str, Any]:
    """An order as GraphQL has it; `size` is the largest page of its lists that is served."""
    status, shipped = order["financial_status"], order["fulfillment_status"]
    customer, tip = order.get("customer"), order["total_tip_received"]
    shop_currency = order["currency"]
    return {
        "__typename": "Order",
        "id": gid("Order", order["id"]),
        "name": order["name"],
        "email": order["email"],
        "test": order["test"],
        "customer": customer and {"id": gid("Customer", customer["id"])},
        "displayAddress": _display_address(order),
        "createdAt": order["created_at"],
        "processedAt": order["processed_at"] or order["created_at"],
        "updatedAt": order["updated_at"],
        "cancelledAt": order["cancelled_at"],
        "sourceName": order["source_name"],
        "discountCodes": [code["code"] for code in order["discount_codes"]],
        "currencyCode": shop_currency,
        "presentmentCurrencyCode": order["presentment_currency"],
        "taxesIncluded": order["taxes_included"],
        "dutiesIncluded": order["duties_included"],
        "displayFinancialStatus": status and status.upper(),
        "displayFulfillmentStatus": (shipped or "unfulfilled").upper(),
        "totalPriceSet": bag(order["total_price_set"]),
        "totalTaxSet": bag(order["total_tax_set"]),
        "totalDiscountsSet": bag(order["total_discounts_set"]),
        "totalTipReceivedSet": bag({"shop_money": {"amount": tip, "currency_code": shop_currency}}),
        "originalTotalDutiesSet": bag(order["original_total_duties_set"]),
        "originalTotalAdditionalFeesSet": bag(order["original_total_additional_fees_set"]),
        "currentTotalAdditionalFeesSet": bag(order.get("current_total_additional_fees_set")),
        "lineItems": listed([_line(line) for line in order["line_items"]], size),
        "shippingLines": listed([_shipping(line) for line in order["shipping_lines"]], size),
        "refunds": [
            refund_object(refund, order["taxes_included"], size) for refund in order["refunds"]
        ],
    }


def _display_address(order: dict[str, Any]) -> dict[str, Any] | None:
    """The shipping address, else the billing one."""
    shown = order.get("shipping_address") or order.get("billing_address")
    return shown and {"countryCodeV2": shown["country_code"]}


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", line["id"]),
        "sku": line["sku"],
        "quantity": line["quantity"],
        "requiresShipping": line.get("requires_shipping", True),
        "originalUnitPriceSet": bag(line["price_set"]),
        "totalDiscountSet": bag(line["total_discount_set"]),
        **_charges(line),
    }


def _shipping(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "__typename": "ShippingLine",
        "id": gid("ShippingLine", line["id"]),
        "isRemoved": line["is_removed"],
        "originalPriceSet": bag(line["price_set"]),
        "discountedPriceSet": bag(line["discounted_price_set"]),
        **_charges(line),
    }


def _charges(line: dict[str, Any]) -> dict[str, Any]:
    off, taxes = line["discount_allocations"], line["tax_lines"]
    return {
        "discountAllocations": [{"allocatedAmountSet": bag(one["amount_set"])} for one in off],
        "taxLines": [{"priceSet": bag(one["price_set"])} for one in taxes],
    }


def refund_object(refund: dict[str, Any], included: bool, size: int = 250) -> dict[str, Any]:
    """Adjustments say no kind, shipping is none of them, duties are listed, fees unnamed."""
    shipped = [one for one in refund["order_adjustments"] if one["kind"] == "shipping_refund"]
    parts = {
        **refund,
        "order_adjustments": [one for one in refund["order_adjustments"] if one not in shipped],
        "refund_shipping_lines": refund["refund_shipping_lines"]
        or [_refunded_shipping(one, included) for one in shipped],
    }
    duties = refund.get("total_duties_set")
    return {
        "__typename": "Refund",
        "id": gid("Refund", refund["id"]),
        "createdAt": refund["created_at"],
        "processedAt": refund["processed_at"],
        "duties": [{"amountSet": bag(duties)}] if duties else [],
        **{
            name: listed([_row(row) for row in parts[key]], size)
            for name, key in REFUND_LISTS.items()
        },
    }


def _refunded_shipping(adjustment: dict[str, Any], included: bool) -> dict[str, Any]:
    """GraphQL's row for what an adjustment said: without the minus, the tax in it if in prices."""
    amounts = [
        -Decimal(adjustment[key]["shop_money"]["amount"])
        for key in ("amount_set", "tax_amount_set")
    ]
    currency = adjustment["amount_set"]["shop_money"]["currency_code"]
    subtotal, tax = (sum(amounts) if included else amounts[0]), amounts[1]
    return {
        "subtotal_amount_set": {"shop_money": {"amount": str(subtotal), "currency_code": currency}},
        "tax_amount_set": {"shop_money": {"amount": str(tax), "currency_code": currency}},
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    sets = {camel(key): bag(value) for key, value in row.items() if key.endswith("_set")}
    if "status" in row:
        here = {"amount": row["amount"], "currency_code": row["currency"]}
        sets["amountSet"] = bag(row.get("graphql") or {"shop_money": here})
        sets |= {"kind": row["kind"].upper(), "status": row["status"].upper()}
    return sets


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def listed(rows: Sequence[Any], size: int) -> Callable[..., Any]:
    """A connection; its cursors are places."""

    def resolve(_: Any, first: int, after: str | None = None) -> Any:
        begin = int(after) if after else 0
        end = begin + min(first, size)
        some = list(rows[begin:end])
        more = end < len(rows)
        info = {"hasNextPage": more, "endCursor": str(begin + len(some)) if some else None}
        return {"nodes": some, "pageInfo": info}

    return resolve


def answered(document: str, variables: dict[str, Any], root: Any) -> dict[str, Any]:
    """What graphql-core says to a document."""
    parsed = parse(document)
    assert validate(schema(), parsed) == []
    result = execute_sync(schema(), parsed, root, None, variables)
    assert not result.errors, result.errors
    assert result.data is not None
    return result.data


# ------------------------------------------------------------------ the shop


class Shop:
    """Orders behind REST with keyset pages and behind GraphQL's search, as Shopify has them.

    `largest` is the largest page that is served; `fat` lets a larger one fail, on either side.
    """

    def __init__(self, web: responses.RequestsMock, orders: list[dict[str, Any]]) -> None:
        self.orders = orders
        self.asked: list[dict[str, Any]] = []
        self.largest = 250
        self.inner = 250
        self.fat = False
        self.cost: dict[str, Any] = {}
        self.links: dict[str, dict[str, Any]] = {}
        self.scopes = ["read_orders", "read_all_orders", "read_customers"]
        self.between: Callable[[], None] | None = None
        web.add_callback(responses.GET, f"{API}/orders.json", callback=self._rest)
        web.add_callback(responses.GET, f"{API}/orders/count.json", callback=self._rest_count)
        web.add_callback(responses.POST, f"{API}/graphql.json", callback=self._graphql)
        scopes = f"{API.partition('/admin')[0]}/admin/oauth/access_scopes.json"
        web.add_callback(responses.GET, scopes, callback=self._rest_scopes)

    # ---------------------------------------------------------------- REST

    def _rest_count(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps({"count": len(self.orders)})

    def _rest_scopes(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps({"access_scopes": [{"handle": one} for one in self.scopes]})

    def _rest(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked: dict[str, Any] = dict(parse_qsl(urlsplit(request.url or "").query))
        self.asked.append(asked)
        limit = int(asked["limit"])
        if self.fat and limit > self.largest:
            return 500, {}, "<html>Internal Server Error</html>"
        if self.between:
            self.between()
        if "page_info" in asked:
            if set(asked) - {"page_info", "limit", "fields"}:
                return 400, {}, json.dumps({"errors": {"status": "cannot be passed"}})
            state = self.links[asked["page_info"]]
        else:
            state = {"filters": asked, "behind": None}
        return self._rest_page(state, min(limit, self.largest))

    def _rest_page(self, state: Any, limit: int) -> tuple[int, dict[str, str], str]:
        filters, behind = state["filters"], state["behind"]
        by_update = filters.get("order") == "updated_at asc"
        key = (lambda row: (row["updated_at"], row["id"])) if by_update else (lambda row: row["id"])
        rows = sorted(self.orders, key=key)
        rows = [row for row in rows if row["id"] > int(filters.get("since_id", 0))]
        rows = [row for row in rows if row["updated_at"] >= filters.get("updated_at_min", "")]
        rows = [row for row in rows if row["created_at"] >= filters.get("created_at_min", "")]
        rows = [row for row in rows if behind is None or key(row) > behind]
        headers = {}
        if rows[limit:]:
            token = f"t{len(self.links)}"
            self.links[token] = {"filters": filters, "behind": key(rows[limit - 1])}
            link = f"{API}/orders.json?limit={limit}&page_info={token}"
            headers["Link"] = f'<{API}/orders.json?limit=1&page_info=x>; rel="previous", '
            headers["Link"] += f'<{link}>; rel="next"'
        return 200, headers, json.dumps({"orders": rows[:limit]})

    # ---------------------------------------------------------------- GraphQL

    def _graphql(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked = json.loads(request.body or "{}")
        self.asked.append(asked["variables"])
        if self.fat and asked["variables"].get("first", 0) > self.largest:
            errors = [{"message": "oh", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]
            return 200, {}, json.dumps({"errors": errors})
        if self.between and "search" in asked["variables"]:
            self.between()
        data = answered(asked["query"], asked["variables"], self._root())
        return 200, {}, json.dumps({"data": data, "extensions": {"cost": self.cost}})

    def _root(self) -> Any:
        return {
            "orders": self._found,
            "ordersCount": lambda _, query, limit: {
                "count": len(self._searched(query)),
                "precision": "EXACT",
            },
            "nodes": lambda _, ids: self._named(ids),
            "currentAppInstallation": {
                "accessScopes": [{"handle": scope} for scope in self.scopes]
            },
        }

    def _named(self, ids: Sequence[str]) -> list[Any]:
        objects = [order_object(order, self.inner) for order in self.orders]
        by_id = {one["id"]: one for one in objects}
        by_id |= {refund["id"]: refund for one in objects for refund in one["refunds"]}
        return [by_id.get(one) for one in ids]

    def _found(
        self,
        _: Any,
        first: int,
        query: str,
        sortKey: str,  # noqa: N803  the API's own name
        after: str | None = None,
    ) -> Any:
        by_update = sortKey == "UPDATED_AT"
        key = (lambda row: [row["updated_at"], row["id"]]) if by_update else (lambda r: [r["id"]])
        rows = sorted(self._searched(query), key=key)
        rows = [row for row in rows if not after or key(row) > json.loads(after)]
        some = rows[: min(first, self.largest)]
        info = {
            "hasNextPage": len(some) < len(rows),
            "endCursor": json.dumps(key(some[-1])) if some else None,
        }
        return {"nodes": [order_object(row, self.inner) for row in some], "pageInfo": info}

    def _searched(self, query: str) -> list[dict[str, Any]]:
        rows = self.orders
        for name, sign, value in re.findall(r"(\w+):(>=|<)'?([^' ]+)'?", query):
            rows = [row for row in rows if _holds(row, name, sign, value)]
        return rows


def _holds(row: dict[str, Any], name: str, sign: str, value: str) -> bool:
    if name == "id":
        return bool(row["id"] >= int(value))
    placed = row["processed_at"] or row["created_at"]
    given = {"updated_at": row["updated_at"], "processed_at": placed}[name]
    bare = value.replace("Z", "+00:00")
    return bool(given >= bare if sign == ">=" else given < bare)
