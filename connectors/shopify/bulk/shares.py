"""A share of a result becomes rows: the quick way what is as usual, with care all else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from connectors.errors import PayloadError
from connectors.identity import EmailHasher
from connectors.shopify.bulk.families import Family, by_kind, families
from connectors.shopify.bulk.refunded import Refunded, Wanted
from connectors.shopify.bulk.usual import Unusual, Usual, joined, read
from connectors.shopify.nodes import Children, Node, order_payload, refund_ids, refunds_of
from connectors.shopify.parse import Parsed, parse_orders


def read_share(
    share: bytes, refunded: Refunded, hasher: EmailHasher, since: datetime | None
) -> Parsed:
    """The orders of a share, placed at or after `since`. Raises Unsound."""
    try:
        usual = joined(share)
    except Unusual:
        whole = list(families(share))
        refunds = refunded.of(_wanted(node) for node, _ in whole)
        return parse_orders(refunded.shop, _payloads(whole, refunds), hasher, since)
    refunds = refunded.of(one.wanted for one in usual if one.order.refunds)
    parsed, unusual = _at_a_glance(refunded.shop, hasher, usual, refunds, since)
    if unusual:
        payloads = _payloads(families(share, unusual), refunds)
        parsed.extend(parse_orders(refunded.shop, payloads, hasher, since))
    return parsed


def _at_a_glance(
    shop: str,
    hasher: EmailHasher,
    usual: Sequence[Usual],
    refunds: Mapping[str, Node],
    since: datetime | None,
) -> tuple[Parsed, set[str]]:
    """The rows of orders that are as usual, and the numbers of the others."""
    parsed, unusual = Parsed(), set[str]()
    for one in usual:
        told = one.order.refunds
        back = [refunds.get(refund.id) for refund in told] if told else ()
        try:
            order, lines, gone_back = read(shop, one, back, hasher)
        except (Unusual, PayloadError, ArithmeticError, ValueError):
            unusual.add(one.number)
            continue
        if since is None or order.ordered_at >= since:
            parsed.add(order, lines, gone_back)
    return parsed, unusual


def _wanted(node: Mapping[str, Node]) -> Wanted:
    here = node.get("presentment_currency") == node.get("currency")
    return Wanted(str(node["id"]).rpartition("/")[2], refund_ids(node), here)


def _payloads(found: Iterable[Family], refunds: Mapping[str, Node]) -> Iterator[Node]:
    """Orders as REST has them."""
    for node, children in found:
        yield order_payload(node, Children(*by_kind(children), refunds_of(node, refunds)))
