"""What customers show: our metafields and our tags, as Shopify keeps them and in normal form."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from connectors.errors import PayloadError, ShopUnavailable
from connectors.http import Http
from connectors.identity import EmailHasher
from connectors.platform import Cursor, Page, Reject
from connectors.schema import FIELDS, LEFT_ALONE, TAG, Customer, Shown, as_shown
from connectors.shopify.documents import CUSTOMERS, CUSTOMERS_A_PAGE
from connectors.shopify.graphql import ask
from connectors.shopify.reading import Part

GID = "gid://shopify/Customer/"

#: A customer whom the shop's owner tags so is left as is.
IGNORE_TAG = "clv-ignore"


def shown_by(node: Mapping[str, Any], ours: Collection[str]) -> Shown:
    """Our fields and tags on a customer. A value that isn't of its field's kind stays as it is.

    `ours`: the tags that we write, in lower case; Shopify ignores the case of tags.
    """
    shown = {
        name: as_shown(name, metafield["value"])
        for name in FIELDS
        if isinstance(metafield := node.get(name), dict) and metafield.get("value") is not None
    }
    tags = sorted({tag.lower() for tag in tags_of(node) if tag.lower() in ours})
    return {**shown, TAG: ",".join(tags)} if tags else shown


def tags_of(node: Mapping[str, Any]) -> list[str]:
    tags = node.get("tags")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise PayloadError("tags is no list of texts", field="tags")
    return tags


def is_left_alone(tags: Collection[str]) -> bool:
    return any(tag.lower() == IGNORE_TAG for tag in tags)


def pull_customers(
    http: Http, hasher: EmailHasher, ours: Collection[str], cursor: Cursor | None
) -> Iterator[Page]:
    """All customers by id, from behind `cursor`; the last page's cursor starts anew."""
    after = str(cursor["after"]) if cursor else ""
    while True:
        variables = {"first": CUSTOMERS_A_PAGE, "after": after or None}
        found = ask(http, CUSTOMERS, variables).get("customers")
        nodes, following = _page_of(http.shop, found)
        if following and following == after:
            raise ShopUnavailable("the pages of customers go round", shop=http.shop)
        after = following
        yield _parsed(http.shop, nodes, hasher, ours, after)
        if not after:
            return


def _page_of(shop: str, found: Any) -> tuple[list[Any], str]:
    """The nodes and the cursor behind them, empty on the last page."""
    try:
        info, nodes = found["pageInfo"], found["nodes"]
        following = info["endCursor"] if info["hasNextPage"] else ""
    except (TypeError, KeyError):
        following = nodes = None
    if not isinstance(nodes, list) or not isinstance(following, str):
        raise ShopUnavailable("the answer holds no page of customers", shop=shop)
    return nodes, following


def _parsed(
    shop: str, nodes: list[Any], hasher: EmailHasher, ours: Collection[str], after: str
) -> Page:
    customers: list[Customer] = []
    rejects: list[Reject] = []
    shown: dict[str, Shown] = {}
    for place, node in enumerate(nodes):
        try:
            customer = parse_customer(shop, node, hasher)
            left_alone = is_left_alone(tags_of(node))
            shown[customer.customer_id] = (
                {LEFT_ALONE: IGNORE_TAG} if left_alone else shown_by(node, ours)
            )
            customers.append(customer)
        except PayloadError as error:
            row_id = _row_id(node) or f"row {place}"
            rejects.append(Reject(shop, "customers", row_id, error.field, error.message))
    return Page({"after": after}, customers=customers, rejects=rejects, shown=shown)


def _row_id(node: object) -> str | None:
    try:
        return _customer_id(Part(node)) if isinstance(node, dict) else None
    except PayloadError:
        return None


def parse_customer(shop: str, node: object, hasher: EmailHasher) -> Customer:
    """One customer; the e-mail is hashed here and goes no further."""
    if not isinstance(node, dict):
        raise PayloadError("the customer is no object", field="customer")
    part = Part(node)
    email = part.part("defaultEmailAddress")
    return Customer(
        shop=shop,
        customer_id=_customer_id(part),
        email_key=hasher.person_key(email.text("emailAddress")) if email else None,
        website=None,
        group=None,
        created_at=part.instant("createdAt"),
        updated_at=part.instant("updatedAt"),
    )


def _customer_id(part: Part) -> str:
    number = part.needed("id").removeprefix(GID)
    if not (number.isascii() and number.isdigit()):
        raise part.wrong("id", "is no customer's id")
    return number
