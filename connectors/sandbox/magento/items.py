"""Order items as Magento 2.4.7-p3 renders them.

Configurables and bundles repeat as children with `parent_item_id`. `row_total` is not what the
database holds: the line's discount is taken off it, and off `row_total_incl_tax` (seen live).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from connectors.sandbox.basket import NOTHING, cents, share
from connectors.sandbox.bodies import Line, OrderBody
from connectors.sandbox.books import Row
from connectors.sandbox.magento.money import LineSums, Pairs, number

PAID = ("paid", "complete", "refunded")
_BACK = ("net", "discount", "discount_tax", "tax")
Back = Mapping[int, Mapping[str, Decimal]]
"""What went back of a line: line id -> quantity, net, discount, discount_tax, tax."""


class Setting(NamedTuple):
    """What an item needs to know of its order."""

    row: Row
    body: OrderBody
    back: Back
    shown: str = "2.4.7"
    """Whose row totals: a version's, which are odd over REST, or the "database"'s."""

    @property
    def refunded(self) -> bool:
        return bool(Decimal(self.body["refunded"]["total"]))


def given_back(body: OrderBody, refunds: list[Row]) -> Back:
    """Sums over the refunds of an order by line id; a bundle's parts share what their box had."""
    back: dict[int, dict[str, Decimal]] = {}
    for part in (part for refund in refunds for part in refund["body"]["lines"]):
        sums = back.setdefault(part["line_id"], {})
        for name in ("quantity", *_BACK):
            sums[name] = sums.get(name, NOTHING) + Decimal(part[name])
    for line in body["lines"]:
        if line["children"] and line["id"] in back:
            back.update(_of_children(line, back[line["id"]]))
    return back


def _of_children(line: Line, sums: Mapping[str, Decimal]) -> dict[int, dict[str, Decimal]]:
    children = line["children"]
    weights = [Decimal(child["net"]) for child in children]
    shares = {
        name: share(sums[name], weights) if line["kind"] == "bundle" else [NOTHING] * len(children)
        for name in _BACK
    }
    return {
        child["id"]: {"quantity": sums["quantity"], **{k: shares[k][n] for k in _BACK}}
        for n, child in enumerate(children)
    }


def items(setting: Setting) -> Iterator[dict[str, Any]]:
    """All items of an order, each child behind its parent."""
    for line in setting.body["lines"]:
        parent = _item(setting, line, line["kind"])
        if setting.body["coupon"]:
            parent["applied_rule_ids"] = "1"
        yield parent
        for child in line["children"]:
            rendered = _child(setting, child, bundle=line["kind"] == "bundle")
            yield {**rendered, "parent_item_id": line["id"], "parent_item": parent}


def _item(setting: Setting, line: Line, kind: str) -> dict[str, Any]:
    """An item with amounts: top-level, or a bundle's part."""
    pairs = Pairs(setting.body["rate"])
    sums = LineSums([line])
    if kind == "bundle":  # the discount stands on the parts only
        sums.discount, sums.inside = NOTHING, NOTHING
    quantity = line["quantity"]
    incl = sums.net + Decimal(line["tax"]) + sums.inside
    pairs.put(
        price=cents(sums.net / quantity),
        price_incl_tax=cents(LineSums([line]).with_tax / quantity),
        original_price=Decimal(line["unit_price"]),
        row_total=_row_total(setting, sums, quantity),
        row_total_incl_tax=incl if setting.shown == "database" else incl - sums.taken_off,
        tax_amount=sums.tax,
        discount_amount=sums.taken_off,
    )
    if kind != "bundle":
        pairs.put(discount_tax_compensation_amount=sums.inside)
    pairs.put(**_invoiced(setting, sums, kind), **_went_back(setting, line, kind))
    plain = _plain(setting, line, kind)
    plain["discount_percent"] = 10 if setting.body["coupon"] and sums.discount else 0
    if kind != "bundle":
        plain["tax_percent"] = number(Decimal(line["tax_percent"]))
        if setting.body["state"] in PAID:
            plain["weee_tax_applied"] = "[]"
    if kind in ("simple", "virtual"):
        plain["base_cost"] = number(Decimal(line["cost"]))  # a set's cost stands on its parts
    return {**pairs.fields, **plain}


def _row_total(setting: Setting, sums: LineSums, quantity: int) -> Decimal:
    """2.4.7 takes the line's discount off, 2.4.8 does so from the price of one (both seen live)."""
    if setting.shown == "database":
        return sums.net
    whole = cents(sums.net / quantity) if setting.shown == "2.4.8" else sums.net
    return whole - sums.taken_off


def _child(setting: Setting, line: Line, *, bundle: bool) -> dict[str, Any]:
    """A bundle's part carries amounts; a configurable's chosen variant is all zeros."""
    if bundle:
        return _item(setting, line, "simple")
    pairs = Pairs(setting.body["rate"])
    pairs.put(
        price=NOTHING, row_total=NOTHING, row_total_incl_tax=NOTHING, tax_amount=NOTHING,
        discount_amount=NOTHING, **_invoiced(setting, LineSums([]), "simple"),
        **_went_back(setting, line, "simple"),
    )  # fmt: skip
    plain = {**_plain(setting, line, "simple"), "tax_percent": 0, "discount_percent": 0}
    return {**pairs.fields, "original_price": 0, **plain}


def _invoiced(setting: Setting, sums: LineSums, kind: str) -> dict[str, Decimal]:
    """Present from the start for rows, tax and discount; the compensation once it is invoiced."""
    paid = setting.body["state"] in PAID and kind != "bundle"
    fields = {
        "row_invoiced": sums.net if paid else NOTHING,
        "tax_invoiced": sums.tax if paid else NOTHING,
        "discount_invoiced": sums.taken_off if paid else NOTHING,
    }
    if setting.body["state"] in PAID:
        fields["discount_tax_compensation_invoiced"] = sums.inside if paid else NOTHING
    return fields


def _went_back(setting: Setting, line: Line, kind: str) -> dict[str, Decimal]:
    back = setting.back.get(line["id"], {})
    of = {name: NOTHING if kind == "bundle" else back.get(name, NOTHING) for name in _BACK}
    fields = {"amount_refunded": of["net"]}
    if line["id"] in setting.back:
        fields |= {
            "tax_refunded": of["tax"],
            "discount_refunded": of["discount"] + of["discount_tax"],
            "discount_tax_compensation_refunded": of["discount_tax"],
        }
    return fields


def _plain(setting: Setting, line: Line, kind: str) -> dict[str, Any]:
    """Everything about an item that is not an amount."""
    row, body, quantity = setting.row, setting.body, line["quantity"]
    virtual = line["kind"] == "virtual"
    state = body["state"]
    shipped = state in ("complete", "refunded") and not virtual
    plain = {
        "created_at": row["created_at"], "updated_at": row["updated_at"], "free_shipping": 0,
        "is_qty_decimal": 0, "is_virtual": int(virtual), "item_id": line["id"],
        "name": line["name"], "no_discount": 0, "order_id": row["id"],
        "product_id": line["product_id"], "product_type": kind,
        "qty_canceled": quantity if state == "cancelled" else 0,
        "qty_invoiced": quantity if state in PAID else 0, "qty_ordered": quantity,
        "qty_refunded": int(setting.back.get(line["id"], {}).get("quantity", 0)),
        "qty_shipped": quantity if shipped else 0, "quote_item_id": line["id"] + 10,
        "row_weight": 0 if virtual else quantity, "sku": line["sku"],
        "store_id": body["store_id"], "extension_attributes": {"itemized_taxes": []},
    }  # fmt: skip
    if not virtual:
        plain["weight"] = 1
    return plain | _cancelled_and_chosen(setting, line, kind)


def _cancelled_and_chosen(setting: Setting, line: Line, kind: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if setting.body["state"] == "cancelled":
        fields |= {
            "tax_canceled": number(Decimal(line["tax"])),
            "discount_tax_compensation_canceled": 0,
        }
    if kind == "configurable":
        chosen = {"configurable_item_options": [{"option_id": "93", "option_value": 9}]}
        fields["product_option"] = {"extension_attributes": chosen}
    if kind == "bundle":
        parts = [{"option_id": n, "option_qty": 1, "option_selections": [n]}
                 for n in range(1, len(line["children"]) + 1)]  # fmt: skip
        fields["product_option"] = {"extension_attributes": {"bundle_options": parts}}
    return fields
