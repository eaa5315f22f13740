"""The GraphQL schema that the sandbox serves, cut out of Shopify's own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from graphql import GraphQLSchema, build_schema

PARTS = ("shopify", "orders", "bulk", "marketing")


@cache
def schema() -> GraphQLSchema:
    folder = files("connectors.sandbox.shopify")
    texts = (folder.joinpath(f"{part}.graphql").read_text(encoding="utf-8") for part in PARTS)
    return build_schema("\n".join(texts))
