"""What is asked for of each row: the fields that `parse.py` and `shown.py` read, and no other.

So names, addresses and payments never leave the shop.
https://developer.adobe.com/commerce/webapi/rest/use-rest/retrieve-filtered-responses/ (read
2026-11-23): any character but letters, digits, `_`, `[`, `]` and `,` empties the answer.
"""

from __future__ import annotations

from connectors.magento.parse import CHARGES, PAYMENTS, PAYMENTS_REFUNDED


def _list(*names: str) -> str:
    return ",".join(names)


_ITEM = _list(
    *("item_id", "parent_item_id", "sku", "product_id", "product_type", "qty_ordered"),
    *("base_row_total", "base_row_total_incl_tax", "base_tax_amount", "base_discount_amount"),
    *("base_discount_tax_compensation_amount", "base_cost"),
)

#: Of addresses nothing but the country.
_DELIVERED = "shipping_assignments[shipping[address[country_id]]]"

ORDER = _list(
    *("entity_id", "increment_id", "state", "store_id", "created_at", "updated_at"),
    *("customer_id", "customer_is_guest", "customer_email", "coupon_code"),
    *("base_currency_code", "base_grand_total", "base_subtotal", "base_discount_amount"),
    *("base_discount_tax_compensation_amount", "base_shipping_discount_tax_compensation_amnt"),
    *("base_tax_amount", "base_shipping_amount", "base_total_paid"),
    *("base_subtotal_invoiced", "base_discount_invoiced"),
    "base_discount_tax_compensation_invoiced",
    *("base_total_canceled", "base_shipping_canceled"),
    *("base_total_refunded", "base_subtotal_refunded", "base_discount_refunded"),
    *("base_discount_tax_compensation_refunded", "base_tax_refunded", "base_shipping_refunded"),
    *("base_adjustment_positive", "base_adjustment_negative"),
    f"extension_attributes[{_list(*PAYMENTS, *PAYMENTS_REFUNDED, *CHARGES, _DELIVERED)}]",
    "billing_address[country_id]",
    f"items[{_ITEM}]",
)

MEMO = _list(
    *("entity_id", "order_id", "created_at", "base_currency_code", "base_grand_total"),
    *("base_subtotal", "base_discount_amount", "base_discount_tax_compensation_amount"),
    *("base_tax_amount", "base_shipping_amount"),
    *("base_adjustment_positive", "base_adjustment_negative"),
    f"extension_attributes[{_list(*PAYMENTS)}]",
)

CUSTOMER = _list(
    *("id", "website_id", "group_id", "created_at", "updated_at", "email"),
    "custom_attributes[attribute_code,value]",
)
