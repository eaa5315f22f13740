"""The sandbox shop that speaks Shopify: REST and GraphQL behind one token.

Errors and headers are as recorded or documented (https://shopify.dev/docs/api/usage/response-codes,
.../usage/versioning, 2026-11-21). A version that is no longer served falls forward to the oldest
one that is; the answer's `X-Shopify-API-Version` tells which.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from math import ceil
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify import storage
from connectors.sandbox.shopify.graphql import GraphQL
from connectors.sandbox.shopify.limits import Bucket, allows, plan_of, scopes_of
from connectors.sandbox.shopify.money import Json, Pen, pen_of
from connectors.sandbox.shopify.payments import transactions
from connectors.sandbox.shopify.render import refunds_json
from connectors.sandbox.shopify.rest import Orders, Refusal, kept
from connectors.sandbox.shopify.root import domain_of
from connectors.sandbox.shopify.setup import Setup, setup_of
from connectors.sandbox.shopify.tokens import Tokens

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
METHODS = ["GET", "POST", "PUT", "DELETE"]
UNKNOWN_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105
API = "/admin/api/{version}"
Endpoint = Callable[[Request], Awaitable[Response]]


def routes(books: Books, shop: str, clock: Callable[[], float] = time.monotonic) -> list[BaseRoute]:
    """The routes of one shop, to be mounted under its name. `clock` drives limits and tokens."""
    front = Shopfront(books, shop, clock)
    return [
        Route("/admin/oauth/access_token", front.grant, methods=["POST"]),
        Route("/admin/oauth/access_scopes.json", front.rest(front.scopes)),
        Route(f"{API}/shop.json", front.rest(front.shop)),
        Route(f"{API}/orders.json", front.rest(front.orders)),
        Route(f"{API}/orders/count.json", front.rest(front.count)),
        Route(f"{API}/orders/{{order_id:int}}.json", front.rest(front.order)),
        Route(f"{API}/orders/{{order_id:int}}/refunds.json", front.rest(front.refunds)),
        Route(f"{API}/orders/{{order_id:int}}/transactions.json", front.rest(front.transactions)),
        Route(f"{API}/graphql.json", front.graphql, methods=["POST"]),
        *storage.routes(books, shop),
        Route("/admin/{rest:path}", front.rest(front.nothing), methods=METHODS),
    ]


class Shopfront:
    """One shop's doors: tokens, limits, and what is asked behind them."""

    def __init__(self, books: Books, shop: str, clock: Callable[[], float]) -> None:
        self._books = books
        self._name = shop
        self._calls = Bucket(clock)
        self._graphql = GraphQL(books, shop, Bucket(clock))
        self._tokens = Tokens(clock)

    @property
    def _setup(self) -> Setup:
        return setup_of(self._books.shop(self._name))

    @property
    def _settings(self) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self._books.shop(self._name)["settings"]
        return settings

    # -------------------------------------------------------------- doors

    async def grant(self, request: Request) -> Response:
        """A token for client credentials or a refresh token; JSON and forms are taken."""
        return self._tokens.grant(_fields(await request.body()), self._setup)

    def rest(self, answer: Callable[[Request], Response]) -> Endpoint:
        """`answer` behind the token and the call limit, with Shopify's headers."""

        async def endpoint(request: Request) -> Response:
            used = 0
            try:
                self._let_in(request)
                used = self._count_call()
                response = answer(request)
            except Refusal as refusal:
                response = JSONResponse({"errors": refusal.errors}, refusal.status)
                response.headers.update(refusal.headers)
            bucket = plan_of(self._settings).rest_bucket
            response.headers["X-Shopify-Shop-Api-Call-Limit"] = f"{used}/{bucket}"
            return self._signed(request, response)

        return endpoint

    async def graphql(self, request: Request) -> Response:
        try:
            self._let_in(request)
            asked = _json(await request.body())
        except Refusal as refusal:
            return self._signed(request, JSONResponse({"errors": refusal.errors}, refusal.status))
        return self._signed(request, JSONResponse(self._graphql.answer(asked, _base(request))))

    def _signed(self, request: Request, response: Response) -> Response:
        version = request.path_params.get("version")
        if version:
            answering = self._setup.served_version or served(version)
            response.headers["X-Shopify-API-Version"] = answering
        response.headers["X-Request-Id"] = str(uuid.uuid4())
        return response

    def _let_in(self, request: Request) -> None:
        if not self._tokens.admits(request.headers.get("X-Shopify-Access-Token", ""), self._setup):
            raise Refusal(401, UNKNOWN_TOKEN)

    def _count_call(self) -> int:
        """How full the bucket is with this call. Raises Refusal where it has no room."""
        plan = plan_of(self._settings)
        if self._calls.level(plan.rest_leak) + 1 > plan.rest_bucket:
            told = f"Exceeded {plan.rest_leak:g} calls per second for api client. "
            told += "Reduce request rates to resume uninterrupted service."
            raise Refusal(429, told, {"Retry-After": "2.0"})
        self._calls.pour(1)
        return ceil(self._calls.level(plan.rest_leak))

    # -------------------------------------------------------------- what is asked

    def scopes(self, _: Request) -> Response:
        handles = scopes_of(self._settings)
        return JSONResponse({"access_scopes": [{"handle": handle} for handle in handles]})

    def shop(self, _: Request) -> Response:
        return JSONResponse({"shop": shop_json(self._books, self._name)})

    def orders(self, request: Request) -> Response:
        params = _params(request)
        page = self._orders().page(params)
        response = JSONResponse({"orders": page.orders})
        links = [_link(request, rel, params, info) for rel, info in page.links.items()]
        if links:
            response.headers["Link"] = ", ".join(links)
        return response

    def count(self, request: Request) -> Response:
        return JSONResponse({"count": self._orders().count(_params(request))})

    def order(self, request: Request) -> Response:
        orders = self._orders()
        (order,) = orders.rendered([orders.one(request.path_params["order_id"])])
        return JSONResponse({"order": kept(_params(request).get("fields"))(order)})

    def refunds(self, request: Request) -> Response:
        return JSONResponse({"refunds": refunds_json(*self._with_refunds(request))})

    def transactions(self, request: Request) -> Response:
        return JSONResponse({"transactions": transactions(*self._with_refunds(request))})

    def _with_refunds(self, request: Request) -> tuple[Row, list[Row], Pen]:
        order = self._orders().one(request.path_params["order_id"])
        found = self._books.refunds_of(self._name, [order["id"]])[order["id"]]
        return order, found, pen_of(self._books.shop(self._name))

    def nothing(self, _: Request) -> Response:
        raise Refusal(404, "Not Found")

    def _orders(self) -> Orders:
        scopes = scopes_of(self._settings)
        if not allows(scopes, "read_orders"):
            told = "[API] This action requires merchant approval for read_orders scope."
            raise Refusal(403, told)
        return Orders(self._books, self._name, scopes)


def shop_json(books: Books, shop: str) -> Json:
    """https://shopify.dev/docs/api/admin-rest/latest/resources/shop, the part that has meaning."""
    row = books.shop(shop)
    domain = domain_of(row)
    zone = pen_of(row).zone.key
    return {
        "id": 1,
        "name": row["settings"].get("name", shop),
        "email": "owner@example.com",
        "domain": domain,
        "myshopify_domain": domain,
        "currency": row["currency"],
        "iana_timezone": zone,
        "timezone": f"(GMT-05:00) {zone}",
        "plan_name": row["settings"].get("plan", "shopify_plus"),
        "taxes_included": bool(row["prices_include_tax"]),
        "primary_locale": "en",
    }


def served(asked: str) -> str:
    """The version that answers: the one asked for, or the oldest that is still served."""
    return asked if asked in VERSIONS else VERSIONS[0]


def _base(request: Request) -> str:
    """Where this shop is reached, with a slash at the end."""
    return str(request.url.replace(path=f"{request.scope['root_path']}/", query=""))


def _params(request: Request) -> dict[str, str]:
    """The query's parameters; `ids[]=1` counts as `ids=1`."""
    return {name.removesuffix("[]"): text for name, text in request.query_params.items()}


def _link(request: Request, rel: str, params: Mapping[str, str], page_info: str) -> str:
    beside = {name: params[name] for name in ("limit", "fields") if name in params}
    url = request.url.replace(query="").include_query_params(**beside, page_info=page_info)
    return f'<{url}>; rel="{rel}"'


def _fields(body: bytes) -> Mapping[str, str]:
    """A form or a JSON object; nothing where it is neither."""
    try:
        return _json(body)
    except Refusal:
        return dict(parse_qsl(body.decode("utf-8", "replace")))


def _json(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        raise Refusal(400, "Bad Request") from None
    if not isinstance(asked, dict):
        raise Refusal(400, "Bad Request")
    return asked
