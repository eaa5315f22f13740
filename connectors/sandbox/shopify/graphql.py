"""The sandbox's GraphQL: the used part of the real schema, its errors, costs and throttling.

`shopify.graphql` beside this file is cut out of Shopify's own schema, so whatever isn't used here
is refused as an unknown field. The words of refusals are as recorded (2025-01 to 2026-04), those of
MAX_COST_EXCEEDED as reported by users (https://github.com/Shopify/shopify-app-js/issues/577).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    is_nullable_type,
    parse,
    validate,
)

from connectors.sandbox.books import Books
from connectors.sandbox.shopify.cost import LARGEST, Cost
from connectors.sandbox.shopify.limits import Bucket, plan_of
from connectors.sandbox.shopify.money import Json
from connectors.sandbox.shopify.root import Around, Root
from connectors.sandbox.shopify.rules import RULES
from connectors.sandbox.shopify.schema import schema
from connectors.sandbox.shopify.setup import setup_of

HARMLESS = {"bulkOperationRunQuery", "bulkOperationCancel", "stagedUploadsCreate"}
BROKEN = "Internal error. Looks like something went wrong on our end."
LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"
TOO_DEAR = (
    "Query cost is {cost}, which exceeds the single query max cost limit ({most}).\n\n"
    "See https://shopify.dev/concepts/about-apis/rate-limits for more information on how the\n"
    "cost of a query is calculated.\n\n"
    "To query larger amounts of data with fewer limits, bulk operations should be used instead.\n"
    "See https://shopify.dev/api/usage/bulk-operations/queries for usage details.\n"
)


class GraphQL:
    """Answers the documents of one shop's app."""

    def __init__(self, books: Books, shop: str, bucket: Bucket) -> None:
        self._books = books
        self._shop = shop
        self._bucket = bucket
        self._rng = Random(250)  # noqa: S311  which tags get lost, not a secret
        self._dice = Random(500)  # noqa: S311  which calls go wrong

    def answer(self, asked: Mapping[str, Any], base: str) -> Json:
        """The body of the 200 that answers `{"query": ..., "variables": ...}` at `base`."""
        try:
            query, name = str(asked.get("query") or ""), asked.get("operationName")
            document, operation, errors = _read(query, name)
        except GraphQLError as error:
            return {"errors": [error.formatted]}
        if errors:
            return {"errors": [error.formatted for error in errors]}
        variables = asked.get("variables") or {}
        cost = Cost(schema(), document, variables)
        requested = cost.of(operation)
        if requested > LARGEST:
            return {"errors": [_too_dear(requested)]}
        setup = setup_of(self._books.shop(self._shop))
        if requested > self._available() or self._dice.random() < setup.throttled:
            told = {"code": "THROTTLED", "documentation": LIMITS_PAGE}
            throttled = {"message": "Throttled", "extensions": told}
            return {"errors": [throttled], "extensions": {"cost": self._status(requested, None)}}
        result, searches = self._run(document, operation, variables, base)
        if self._dice.random() < setup.partial:
            result = mishap(result, operation)
        actual = cost.of(operation, result.data)
        self._bucket.pour(min(actual, requested))
        extensions = {"cost": self._status(requested, actual)}
        return _body(result) | {
            "extensions": extensions | ({"search": searches} if searches else {})
        }

    def _run(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: Json, base: str
    ) -> tuple[ExecutionResult, list[Json]]:
        """A document that writes is one transaction."""
        root = Root(self._books, self._shop, Around(self._rng, base, self._inner))

        def run() -> ExecutionResult:
            name = operation.name.value if operation.name else None
            return execute_sync(
                schema(), document, root.fields(), None, variables, operation_name=name
            )

        if operation.operation is not OperationType.MUTATION:
            return run(), root.searches
        with self._books.transaction():
            return run(), root.searches

    def _inner(self, document: DocumentNode, variables: Json) -> ExecutionResult:
        """A document that a bulk operation runs: no cost, no transaction of its own."""
        root = Root(self._books, self._shop, Around(self._rng, "", self._inner))
        return execute_sync(schema(), document, root.fields(), None, variables)

    def _available(self) -> float:
        plan = plan_of(self._books.shop(self._shop)["settings"])
        return plan.graphql_bucket - self._bucket.level(plan.graphql_restore)

    def _status(self, requested: int, actual: int | None) -> Json:
        plan = plan_of(self._books.shop(self._shop)["settings"])
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": plan.graphql_bucket,
                "currentlyAvailable": int(self._available()),
                "restoreRate": plan.graphql_restore,
            },
        }


@lru_cache(maxsize=128)
def _read(
    query: str, name: str | None
) -> tuple[DocumentNode, OperationDefinitionNode, list[GraphQLError]]:
    """The document, the operation that is meant, and what is wrong. Raises GraphQLError."""
    document = parse(query)
    operation = get_operation_ast(document, name)
    if operation is None:
        raise GraphQLError("An operation name is required")
    return document, operation, validate(schema(), document, RULES)


def _too_dear(cost: int) -> Json:
    told = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": LARGEST}
    return {
        "message": TOO_DEAR.format(cost=cost, most=LARGEST),
        "extensions": {**told, "documentation": LIMITS_PAGE},
    }


def _body(result: ExecutionResult) -> Json:
    errors = [error.formatted for error in result.errors or ()]
    if not errors:
        return {"data": result.data}
    if result.data is None and not any("path" in error for error in errors):
        coded = [{**error, "extensions": {"code": "INVALID_VARIABLE"}} for error in errors]
        return {"errors": coded}
    return {"errors": errors, "data": result.data}


def mishap(result: ExecutionResult, operation: OperationDefinitionNode) -> ExecutionResult:
    """The first root field got lost on the shop's side, whatever it did."""
    first = cast(FieldNode, operation.selection_set.selections[0])
    name = (first.alias or first.name).value
    kind = schema().get_root_type(operation.operation)
    nullable = kind is not None and is_nullable_type(kind.fields[first.name.value].type)
    told = GraphQLError(BROKEN, path=[name], extensions={"code": "INTERNAL_SERVER_ERROR"})
    data = {**(result.data or {}), name: None} if nullable else None
    return ExecutionResult(data, [told])


def changes(query: str) -> bool:
    """Whether a document asks for a change of the shop: running a bulk query is none."""
    try:
        operation = get_operation_ast(parse(query))
    except GraphQLError:
        return False
    if operation is None or operation.operation is not OperationType.MUTATION:
        return False
    names = {one.name.value for one in operation.selection_set.selections if hasattr(one, "name")}
    return not names <= HARMLESS
