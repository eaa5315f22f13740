"""One bulk operation: begun, asked about, given up.

https://shopify.dev/docs/api/usage/bulk-operations/queries (2026-11-23): five at once for an app and
a shop, connections by `edges` and `node`, five of them at most, none inside a list, so what is in
an order's refunds has to be asked for apart.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from connectors.errors import AuthenticationError, RequestRefused, ShopUnavailable
from connectors.http import AnswerDenied, Http
from connectors.shopify.documents import LINE_FRAGMENT, ORDER_FRAGMENT, SHIPPING_FRAGMENT
from connectors.shopify.graphql import ask

AT_ONCE = 5

#: A bulk query takes no variables: SEARCH is put in as it is.
ORDERS_IN_BULK = f"""
query OrdersInBulk {{
  orders(query: "SEARCH") {{
    edges {{
      node {{
        __typename {ORDER_FRAGMENT}
        line_items: lineItems {{ edges {{ node {{ {LINE_FRAGMENT} }} }} }}
        shipping_lines: shippingLines {{ edges {{ node {{ {SHIPPING_FRAGMENT} }} }} }}
      }}
    }}
  }}
}}
"""

RUN_QUERY = """
mutation RunQuery($query: String!) {
  bulkOperationRunQuery(query: $query) {
    bulkOperation { id }
    userErrors { code }
  }
}
"""

OPERATION = """
query Operation($id: ID!) {
  bulkOperation(id: $id) {
    id query status errorCode objectCount rootObjectCount fileSize url
  }
}
"""

CANCEL = """
mutation Cancel($id: ID!) {
  bulkOperationCancel(id: $id) { userErrors { field } }
}
"""

GOING_ON = frozenset({"CREATED", "RUNNING", "CANCELING"})
FULL = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})

#: No order has lines and shippings of so many bytes, on the average.
AMPLE_BYTES = 2**16


class BulkRefused(Exception):
    """The shop doesn't let this app work in bulk. `code` is its own word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Operation(NamedTuple):
    """What the shop tells of an operation. `url` is empty where nothing was found.

    `objects` counts orders and their rows, `orders` the orders alone; both grow while it goes on.
    """

    status: str
    error: str
    objects: int
    orders: int
    size: int
    url: str
    query: str = ""

    def asks_for(self, search: str) -> bool:
        """Whether it reads just these orders, and of each what this version asks for."""
        return self.query.split() == _query(search).split()

    @property
    def goes_on(self) -> bool:
        return self.status in GOING_ON

    @property
    def largest(self) -> int:
        """How many bytes its result may have."""
        return self.size or self.objects * AMPLE_BYTES


def begin(http: Http, search: str) -> str | None:
    """The id of a new operation; None where as many go on as the shop bears. Or BulkRefused."""
    payload = _asked(http, RUN_QUERY, {"query": _query(search)}).get("bulkOperationRunQuery") or {}
    codes = {str(error.get("code")) for error in payload.get("userErrors") or ()}
    if codes & FULL:
        return None
    if codes:
        raise BulkRefused(",".join(sorted(codes)))
    operation_id = (payload.get("bulkOperation") or {}).get("id")
    if not isinstance(operation_id, str):
        raise ShopUnavailable("the answer names no bulk operation", shop=http.shop)
    return operation_id


def asked_about(http: Http, operation_id: str) -> Operation | None:
    """How an operation stands; None where the shop knows it no more. Or BulkRefused."""
    found = _asked(http, OPERATION, {"id": operation_id}).get("bulkOperation")
    if not isinstance(found, dict):
        return None
    operation = Operation(
        status=str(found.get("status")),
        error=str(found.get("errorCode") or ""),
        objects=_count(http, found, "objectCount"),
        orders=_count(http, found, "rootObjectCount"),
        size=_count(http, found, "fileSize"),
        url=str(found.get("url") or ""),
        query=str(found.get("query")),
    )
    if operation.error == "ACCESS_DENIED":
        raise BulkRefused(operation.error)
    return operation


def give_up(http: Http, operation_id: str) -> None:
    """Asks the shop to stop. Whether it has ended by itself meanwhile makes no difference."""
    _asked(http, CANCEL, {"id": operation_id})


def _query(search: str) -> str:
    return ORDERS_IN_BULK.replace("SEARCH", search)


def _asked(http: Http, document: str, variables: dict[str, Any]) -> dict[str, Any]:
    try:
        return ask(http, document, variables)
    except AnswerDenied:
        raise  # the token itself is refused: no other way is open, either
    except (AuthenticationError, RequestRefused) as error:
        raise BulkRefused(str(error.evidence.get("codes", "refused"))) from None


def _count(http: Http, found: dict[str, Any], key: str) -> int:
    """A number of up to 64 bits, which comes as text; 0 where it is null."""
    text = str(found.get(key) or 0)
    if not (text.isascii() and text.isdigit()):
        raise ShopUnavailable(f"the shop's {key} is no number", shop=http.shop)
    return int(text)
