"""Customers by their ids, whole, as the stock search gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from connectors.http import AnswerRefused, Http
from connectors.magento.api import Api
from connectors.magento.push.task import Row
from connectors.magento.search import Filter, Keyset

IDS_A_REQUEST = 100  # more of them make an address that web servers refuse as too long


def customers(http: Http, api: Api, ids: Sequence[str]) -> dict[str, Row]:
    """By id; who is not in the shop any more is absent."""
    found: dict[str, Row] = {}
    for start in range(0, len(ids), IDS_A_REQUEST):
        wanted = [Filter("entity_id", "in", ",".join(ids[start : start + IDS_A_REQUEST]))]
        search = Keyset(http, api.path("customers/search"), filters=wanted, id_field="id")
        for batch in search.batches():
            found |= {str(row.get("id")): row for row in batch.rows if isinstance(row, Mapping)}
    return found


def customer(http: Http, api: Api, customer_id: str) -> Row:
    """One customer with all that the shop tells of them: a search leaves some of it out.

    Empty where they have left the shop.
    """
    try:
        data = http.get(api.path(f"customers/{customer_id}")).data
    except AnswerRefused as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            raise
        return {}
    return data if isinstance(data, Mapping) else {}
