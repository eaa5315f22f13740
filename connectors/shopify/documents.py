"""The GraphQL documents that this project sends, all valid against Admin API 2026-10.

Their cost is counted on the safe side, as Shopify documents it: one point for each object, two and
the size for a connection, ten for each mutation, nothing for plain fields; a document may cost
1,000 at most (https://shopify.dev/docs/api/usage/limits, 2026-11-21). Metafields are asked for one
by one, because that is exact whatever else lives in the namespace.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.schema import FIELDS

API_VERSION = "2026-10"
NAMESPACE = "clv"
LARGEST_COST = 1000
MUTATION_COST = 10

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
  shop { currencyCode ianaTimezone }
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
