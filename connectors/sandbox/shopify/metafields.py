"""The sandbox's stored values as Shopify's metafields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.sandbox.books import Row
from connectors.sandbox.shopify.money import Json, gid, utc
from connectors.sandbox.shopify.pages import listed
from connectors.sandbox.shopify.values import digest_of, namespace_of


def metafield(value: Row, created_at: str) -> Json:
    """A stored value, whose name is `namespace.key`."""
    namespace, _, key = value["name"].rpartition(".")
    return {
        "__typename": "Metafield",
        "id": gid("Metafield", value["id"]),
        "legacyResourceId": str(value["id"]),
        "namespace": namespace,
        "key": key,
        "type": value["type"],
        "value": value["value"],
        "compareDigest": digest_of(value),
        "createdAt": utc(created_at),
        "updatedAt": utc(value["updated_at"]),
        "ownerType": "CUSTOMER",
        "_id": value["id"],
    }


def one_metafield(
    metafields: Sequence[Json], _: Any, key: str, namespace: str | None = None
) -> Json | None:
    wanted = namespace_of(namespace)
    named = (m for m in metafields if (m["namespace"], m["key"]) == (wanted, key))
    return next(named, None)


def some_metafields(metafields: Sequence[Json], _: Any, **arguments: Any) -> Json:
    """Those of a namespace, or those of `keys` (`namespace.key`), by id."""
    namespace, keys = arguments.get("namespace"), arguments.get("keys")
    found = [
        m
        for m in sorted(metafields, key=lambda m: int(m["_id"]))
        if (namespace is None or m["namespace"] == namespace_of(namespace))
        and (keys is None or f"{m['namespace']}.{m['key']}" in keys)
    ]
    return listed(found, arguments)
