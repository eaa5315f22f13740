"""The GraphQL documents that this project sends, all valid against Admin API 2026-10.

Their cost is counted on the safe side, as Shopify documents it: one point for each object, two and
the size for a connection, ten for each mutation, nothing for plain fields; a document may cost
1,000 at most (https://shopify.dev/docs/api/usage/limits, 2026-11-21). Money is nothing, too: so the
recorded answers count it. Metafields are asked for one by one, because that is exact whatever else
lives in the namespace.

Orders are asked for in the words of the REST API: every field is given the name that it has there,
so that one parser reads both (`nodes.py` tells what is left to do). Only `id` keeps its own form:
a bulk operation takes no other name for it (recorded 2026-04).
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.schema import FIELDS

API_VERSION = "2026-10"
NAMESPACE = "clv"
LARGEST_COST = 1000
MUTATION_COST = 10
LARGEST_INPUT = 250  # values of a list that is given

#: A customer, the e-mail's object and one metafield for each field.
CUSTOMER_COST = 2 + len(FIELDS)

#: Customers a page: 2 + 80 * 12 = 962 points.
CUSTOMERS_A_PAGE = 80

#: Changes a push: at worst set, delete, add a tag, remove one: 24 * 4 * 10 = 960 points.
CHANGES_A_PUSH = 24

_METAFIELDS = " ".join(
    f'{name}: metafield(namespace: "{NAMESPACE}", key: "{name}") {{ value compareDigest }}'
    for name in FIELDS
)

SHOP = """
query Shop {
  shop { currencyCode ianaTimezone myshopifyDomain plan { publicDisplayName } }
  currentAppInstallation { accessScopes { handle } }
}
"""

CUSTOMERS = f"""
query Customers($first: Int!, $after: String) {{
  customers(first: $first, after: $after, sortKey: ID) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{
      id createdAt updatedAt tags
      defaultEmailAddress {{ emailAddress }}
      {_METAFIELDS}
    }}
  }}
}}
"""

SHOWN = f"""
query Shown($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Customer {{ id tags {_METAFIELDS} }} }}
}}
"""

# ------------------------------------------------------------------------------------- orders

_MONEY = "{ shop_money: shopMoney { amount currency_code: currencyCode } }"

_CHARGES = f"""
  discount_allocations: discountAllocations {{ amount_set: allocatedAmountSet {_MONEY} }}
  tax_lines: taxLines {{ price_set: priceSet {_MONEY} }}
"""

#: What an order's address is called in answers. It is the shipping address, else the billing one;
#: of either nothing but the country is asked for.
ADDRESS = "shipping_address"

#: What is read of an order, but for its lines and what its refunds hold.
ORDER_FRAGMENT = f"""
  id name test email customer {{ id }}
  {ADDRESS}: displayAddress {{ country_code: countryCodeV2 }}
  created_at: createdAt processed_at: processedAt updated_at: updatedAt cancelled_at: cancelledAt
  source_name: sourceName discount_codes: discountCodes
  currency: currencyCode presentment_currency: presentmentCurrencyCode
  taxes_included: taxesIncluded duties_included: dutiesIncluded
  financial_status: displayFinancialStatus fulfillment_status: displayFulfillmentStatus
  total_price_set: totalPriceSet {_MONEY}
  total_tax_set: totalTaxSet {_MONEY}
  total_discounts_set: totalDiscountsSet {_MONEY}
  total_tip_received_set: totalTipReceivedSet {_MONEY}
  original_total_duties_set: originalTotalDutiesSet {_MONEY}
  original_total_additional_fees_set: originalTotalAdditionalFeesSet {_MONEY}
  current_total_additional_fees_set: currentTotalAdditionalFeesSet {_MONEY}
  refunds {{ id }}
"""

#: One of an order's `lineItems`. Its product would need the scope `read_products`.
LINE_FRAGMENT = f"""
  __typename id sku quantity requires_shipping: requiresShipping
  price_set: originalUnitPriceSet {_MONEY}
  total_discount_set: totalDiscountSet {_MONEY}
  {_CHARGES}
"""

#: One of an order's `shippingLines`.
SHIPPING_FRAGMENT = f"""
  __typename id is_removed: isRemoved
  price_set: originalPriceSet {_MONEY}
  discounted_price_set: discountedPriceSet {_MONEY}
  {_CHARGES}
"""

_PAGE_INFO = "pageInfo { hasNextPage endCursor }"

#: A refund and all that it holds, `first` of each kind, behind the cursors where they are given.
REFUND_FRAGMENT = f"""
  id created_at: createdAt processed_at: processedAt
  returned_duties: duties {{ amount_set: amountSet {_MONEY} }}
  refund_line_items: refundLineItems(first: $first, after: $refund_line_items) {{
    {_PAGE_INFO}
    nodes {{ subtotal_set: subtotalSet {_MONEY} total_tax_set: totalTaxSet {_MONEY} }}
  }}
  refund_shipping_lines: refundShippingLines(first: $first, after: $refund_shipping_lines) {{
    {_PAGE_INFO}
    nodes {{
      subtotal_amount_set: subtotalAmountSet {_MONEY}
      tax_amount_set: taxAmountSet {_MONEY}
    }}
  }}
  order_adjustments: orderAdjustments(first: $first, after: $order_adjustments) {{
    {_PAGE_INFO}
    nodes {{ amount_set: amountSet {_MONEY} tax_amount_set: taxAmountSet {_MONEY} }}
  }}
  transactions(first: $first, after: $transactions) {{
    {_PAGE_INFO}
    nodes {{ kind status amount_set: amountSet {_MONEY} }}
  }}
"""

#: Lines and shippings of an order that come with it; the others are asked for by themselves.
LINES_AT_ONCE = 10
SHIPPINGS_AT_ONCE = 2

#: The order, its customer, its address and its refunds' list; a line with its two lists, a shipping
#: with its.
ORDER_COST = 4 + (2 + 3 * LINES_AT_ONCE) + (2 + 3 * SHIPPINGS_AT_ONCE)

#: Orders a page to begin with: 2 + 22 * 44 = 970 points, and 2 for what the app may.
ORDERS_A_PAGE = (LARGEST_COST - 4) // ORDER_COST

#: Of one order: 1 + 2 + 3 * 250 + 2 + 3 * 50 = 905 points.
MORE_LINES = 250
MORE_SHIPPINGS = 50

#: Refunds at once, with so many rows of each kind: 20 * (2 + 4 * (2 + 9)) = 920 points.
REFUNDS_AT_ONCE = 20
ROWS_AT_ONCE = 9

#: Of one refund: 2 + 4 * (2 + 240) = 970 points.
MORE_ROWS = 240


def _children(lines: int, shippings: int) -> str:
    """An order's lines and shippings, behind the cursors where they are given."""
    return f"""
      line_items: lineItems(first: {lines}, after: $line_items) {{
        {_PAGE_INFO}
        nodes {{ {LINE_FRAGMENT} }}
      }}
      shipping_lines: shippingLines(first: {shippings}, after: $shipping_lines) {{
        {_PAGE_INFO}
        nodes {{ {SHIPPING_FRAGMENT} }}
      }}
    """


_CURSORS = "$line_items: String, $shipping_lines: String"
_WITH_CHILDREN = f"{ORDER_FRAGMENT} {_children(LINES_AT_ONCE, SHIPPINGS_AT_ONCE)}"

ORDERS = f"""
query Orders(
  $first: Int!, $search: String!, $sort: OrderSortKeys!, $after: String, {_CURSORS}
) {{
  currentAppInstallation {{ accessScopes {{ handle }} }}
  orders(first: $first, query: $search, sortKey: $sort, after: $after) {{
    {_PAGE_INFO}
    nodes {{ {_WITH_CHILDREN} }}
  }}
}}
"""

ORDERS_BY_ID = f"""
query OrdersById($ids: [ID!]!, {_CURSORS}) {{
  nodes(ids: $ids) {{ ... on Order {{ {_WITH_CHILDREN} }} }}
}}
"""

#: What follows of long orders.
MORE_OF_ORDERS = f"""
query MoreOfOrders($ids: [ID!]!, {_CURSORS}) {{
  nodes(ids: $ids) {{ ... on Order {{ id {_children(MORE_LINES, MORE_SHIPPINGS)} }} }}
}}
"""

#: Refunds, or what follows of one.
REFUNDS = f"""
query Refunds(
  $ids: [ID!]!, $first: Int!, $refund_line_items: String, $refund_shipping_lines: String,
  $order_adjustments: String, $transactions: String
) {{
  nodes(ids: $ids) {{ ... on Refund {{ {REFUND_FRAGMENT} }} }}
}}
"""

#: Exact, however many there are.
ORDERS_COUNT = """
query OrdersCount($search: String!) {
  ordersCount(query: $search, limit: null) { count precision }
}
"""

#: Counts at once: 10 points each.
COUNTS_AT_ONCE = 16


def counting(searches: int) -> str:
    """One document for many counts: `c0` of the search `s0`, `c1` of `s1`, and so on."""
    names = range(searches)
    variables = ", ".join(f"$s{n}: String!" for n in names)
    counts = (
        f"  c{n}: ordersCount(query: $s{n}, limit: null) {{ count precision }}" for n in names
    )
    return f"query OrdersCounts({variables}) {{\n" + "\n".join(counts) + "\n}\n"


#: One write each: GraphQL type of its variable, and the call. `$x` becomes the write's own name.
_WRITES = {
    "set": (
        "$x: [MetafieldsSetInput!]!",
        "metafieldsSet(metafields: $x) { userErrors { code message } }",
    ),
    "delete": (
        "$x: [MetafieldIdentifierInput!]!",
        "metafieldsDelete(metafields: $x) { userErrors { message } }",
    ),
    "remove": (
        "$x: ID!, $xTags: [String!]!",
        "tagsRemove(id: $x, tags: $xTags) { userErrors { message } }",
    ),
    "add": (
        "$x: ID!, $xTags: [String!]!",
        "tagsAdd(id: $x, tags: $xTags) { userErrors { message } }",
    ),
}


def writing(names: Iterable[str]) -> str:
    """One document for many writes, each under its own name: `set3`, `add3`, `remove0`.

    They run one after the other in this order; a refusal of one leaves the others alone.
    """
    variables, calls = [], []
    for name in names:
        declared, call = _WRITES[name.rstrip("0123456789")]
        variables.append(declared.replace("$x", f"${name}"))
        calls.append(f"  {name}: {call.replace('$x', f'${name}')}")
    return f"mutation Write({', '.join(variables)}) {{\n" + "\n".join(calls) + "\n}\n"
