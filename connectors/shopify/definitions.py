"""The definitions of our metafields: with them a customer's page in the admin shows our fields.

https://shopify.dev/docs/apps/build/custom-data/metafields/definitions (2026-11-23): a definition
holds a field to one type; at most 50 for one kind of owner can be pinned, which is what the page
shows by itself. In a namespace that isn't an app's own, merchants may see and edit every field, and
nothing else can be asked for. Shoppers get to see none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from connectors.errors import ConfigurationError, RequestRefused, ShopUnavailable
from connectors.http import Http
from connectors.schema import FIELDS, Kind
from connectors.shopify.documents import NAMESPACE
from connectors.shopify.graphql import ask

log = logging.getLogger(__name__)

#: Segments filter on number, date and text but not on the type `money`, so money is a number.
TYPES: Mapping[Kind, str] = {
    "money": "number_decimal",
    "number": "number_decimal",
    "date": "date",
    "text": "single_line_text_field",
}

DEFINITIONS = f"""
query Definitions {{
  metafieldDefinitions(first: 250, ownerType: CUSTOMER, namespace: "{NAMESPACE}") {{
    nodes {{ key type {{ name }} }}
  }}
}}
"""

CREATE_DEFINITION = """
mutation CreateDefinition($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) { userErrors { code message } }
}
"""

#: An answer that got lost on the way: the shop has it already.
THERE = "TAKEN"
NO_PIN_LEFT = "PINNED_LIMIT_REACHED"
#: Values are there already, of another type and without a definition.
OTHER_VALUES = "UNSTRUCTURED_ALREADY_EXISTS"


def missing_definitions(http: Http) -> list[str]:
    """Our fields that the shop has no definition for, as `clv.tier`.

    Raises ConfigurationError where one is there that holds its field to another type.
    """
    return [f"{NAMESPACE}.{field}" for field in _missing(http)]


def define(http: Http) -> None:
    """Creates the definitions that are missing, pinned; unpinned where no pin is left.

    What is there stays as the shop's owner has it. Raises ConfigurationError where a field is of
    another type: nothing could be written to it.
    """
    unpinned = [field for field in _missing(http) if not _created_with_pin(http, field)]
    if unpinned:
        log.warning(
            "definitions shop=%s unpinned=%s reason='no pin is left'; pin them in the admin: "
            "Settings > Custom data > Customers",
            http.shop,
            ",".join(unpinned),
        )


def _missing(http: Http) -> list[str]:
    found = ask(http, DEFINITIONS, {}).get("metafieldDefinitions")
    nodes = found.get("nodes") if isinstance(found, dict) else None
    if not isinstance(nodes, list):
        raise ShopUnavailable("the answer holds no definitions", shop=http.shop)
    types = {str(node["key"]): str(node["type"]["name"]) for node in nodes}
    for field, kind in FIELDS.items():
        if types.get(field, TYPES[kind]) != TYPES[kind]:
            raise _of_another_type(http.shop, field, types[field])
    return [field for field in FIELDS if field not in types]


def _created_with_pin(http: Http, field: str) -> bool:
    """Whether the definition is pinned: the shop may have no pin left for it."""
    codes = _created(http, field, pin=True)
    pinned = NO_PIN_LEFT not in codes
    if not pinned:
        codes = _created(http, field, pin=False)
    if OTHER_VALUES in codes:
        raise _of_another_type(http.shop, field, "something else")
    if codes - {THERE}:
        raise RequestRefused(
            f"the shop takes no definition of {NAMESPACE}.{field}",
            mend="Create it in the admin: Settings > Custom data > Customers, type "
            f"{TYPES[FIELDS[field]]}.",
            shop=http.shop,
            codes=",".join(sorted(codes)),
        )
    return pinned


def _created(http: Http, field: str, *, pin: bool) -> set[str]:
    """The codes of what the shop has against it; none where it took it."""
    definition: dict[str, Any] = {
        "name": f"CLV {field.replace('_', ' ')}",
        "namespace": NAMESPACE,
        "key": field,
        "ownerType": "CUSTOMER",
        "type": TYPES[FIELDS[field]],
        "access": {"storefront": "NONE"},
        "pin": pin,
    }
    payload = ask(http, CREATE_DEFINITION, {"definition": definition})
    errors = (payload.get("metafieldDefinitionCreate") or {}).get("userErrors") or ()
    return {str(error.get("code")) for error in errors}


def _of_another_type(shop: str, field: str, type_: str) -> ConfigurationError:
    return ConfigurationError(
        f"customers' metafield {NAMESPACE}.{field} is of another type than we write",
        mend=f"Delete its definition with its values in the admin (Settings > Custom data > "
        f"Customers > {NAMESPACE}.{field}); the next run creates it anew.",
        shop=shop,
        type=type_,
        wanted=TYPES[FIELDS[field]],
    )
