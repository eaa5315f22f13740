"""The Magento dialect of the sandbox: REST as Magento Open Source 2.4.7-p3 speaks it.

Below the shop's mount: /rest/V1/... and /rest/<store view or all>/V1/..., bulks below
/rest/[<store>/]async/bulk/V1/... Store scope filters nothing, as on the real server. Errors,
paging and validation follow recordings of one. As a Cloud Service (`Setup.accs`) it has /V1/...,
/V1/async/bulk/... and /ims/token/v3 instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.sandbox.books import Books, Row
from connectors.sandbox.magento import bulk, module, stock
from connectors.sandbox.magento.auth import Gate
from connectors.sandbox.magento.calls import Call, Endpoint
from connectors.sandbox.magento.errors import MAINTENANCE, MagentoError, no_route
from connectors.sandbox.magento.fields import keep
from connectors.sandbox.magento.ims import CloudGate
from connectors.sandbox.magento.setup import Setup, setup_of

_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
_ON_A_SERVER = re.compile(
    r"rest/(?:(?P<store>[^/]+)/)?(?P<bulk>async/bulk/)?V1(?P<path>/.*)", re.DOTALL
)
_IN_THE_CLOUD = re.compile(r"V1/(?P<bulk>async/bulk/)?(?P<path>.*)", re.DOTALL)


class Doors(NamedTuple):
    """Who may come in: to a server of one's own, and to the cloud."""

    server: Gate
    cloud: CloudGate


def routes(books: Books, shop: str) -> list[BaseRoute]:
    """The routes of one shop, to be mounted under its name."""
    doors = Doors(Gate(), CloudGate())

    async def rest(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, books, shop, doors, request, body)

    return [Route("/{path:path}", rest, methods=_METHODS)]


def _answer(books: Books, name: str, doors: Doors, request: Request, body: bytes) -> Response:
    if request.method not in ("GET", "POST", "PUT", "DELETE"):
        return _unsupported(request.method)
    shop = books.shop(name)
    if setup_of(shop).maintenance:
        return HTMLResponse(MAINTENANCE, 503)
    try:
        if setup_of(shop).accs and request.path_params["path"] == "ims/token/v3":
            return JSONResponse(doors.cloud.token(request.method, body))
        endpoint, ids = _admitted(shop, doors, request)
        answer = endpoint.answer(Call(books, shop, request, body, ids))
    except MagentoError as error:
        return _refusal(error)
    shown = keep(answer, request.query_params.get("fields", ""))
    return JSONResponse(shown, endpoint.status)


def _unsupported(method: str) -> Response:
    if method == "HEAD":
        return Response(status_code=405)
    return JSONResponse({"message": f"The {method} HTTP method is not supported."}, 405)


def _refusal(error: MagentoError) -> Response:
    if isinstance(error.body, str):
        return PlainTextResponse(error.body, error.status)
    return JSONResponse(error.body, error.status)


def _admitted(shop: Row, doors: Doors, request: Request) -> tuple[Endpoint, Mapping[str, str]]:
    """The endpoint that is asked for, once the door has opened."""
    setup = setup_of(shop)
    if setup.accs:
        doors.cloud.admit(request, setup)
    endpoint, ids = _found(request, shop)
    if not endpoint.resource:
        return endpoint, ids
    if setup.accs:
        doors.cloud.allow(endpoint.resource, setup)
    else:
        doors.server.admit(request, endpoint.resource, setup)
    return endpoint, ids


def _found(request: Request, shop: Row) -> tuple[Endpoint, Mapping[str, str]]:
    """The endpoint of a path. An unknown store is a 400, an unknown route or method a 404."""
    setup = setup_of(shop)
    asked = (_IN_THE_CLOUD if setup.accs else _ON_A_SERVER).fullmatch(request.path_params["path"])
    if asked is None:
        raise no_route()
    store = request.headers.get("store", "") if setup.accs else asked["store"]
    if store is not None and store not in _stores(shop):
        raise MagentoError(400, "Specified request cannot be processed.")
    path = "/" + asked["path"].removeprefix("/")
    for endpoint in _endpoints(setup):
        found = endpoint.path.fullmatch(path)
        if found and endpoint.method == request.method and endpoint.bulk == bool(asked["bulk"]):
            return endpoint, found.groupdict()
    raise no_route()


def _endpoints(setup: Setup) -> Sequence[Endpoint]:
    every = (*stock.ENDPOINTS, *bulk.ENDPOINTS)
    return (*every, *module.ENDPOINTS) if setup.module else every


def _stores(shop: Row) -> set[Any]:
    return {"all", *(view["code"] for view in shop["settings"]["store_views"])}
