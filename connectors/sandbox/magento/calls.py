"""What an endpoint of the Magento dialect is given, and how it says which requests are its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from starlette.requests import Request

from connectors.sandbox.books import Books, Row
from connectors.sandbox.magento.errors import MagentoError
from connectors.sandbox.magento.setup import Setup, setup_of


class Call(NamedTuple):
    """One request as the endpoints see it."""

    books: Books
    shop: Row
    request: Request
    body: bytes
    ids: Mapping[str, str]

    @property
    def setup(self) -> Setup:
        return setup_of(self.shop)

    @property
    def name(self) -> str:
        """The shop's, as the books have it."""
        return str(self.shop["shop"])

    def payload(self) -> Any:
        """The body as JSON. Raises MagentoError (400)."""
        if not self.request.headers.get("content-type"):
            raise MagentoError(400, "Content-Type header is empty.")
        try:
            return json.loads(self.body)
        except ValueError:
            raise MagentoError(400, "Decoding error.") from None


class Endpoint(NamedTuple):
    """A route. `bulk` ones lie below `async/bulk`."""

    method: str
    path: re.Pattern[str]
    resource: str | None
    """The right it needs; None for those open to everyone."""
    answer: Callable[[Call], Any]
    bulk: bool = False
    status: int = 200


def endpoint(method: str, path: str, resource: str | None, answer: Any) -> Endpoint:
    """`:id` in a path is a number, `:name` anything up to the next slash."""
    pattern = re.sub(r":(\w+)", _placeholder, re.escape(path))
    return Endpoint(method, re.compile(pattern), resource, answer)


def _placeholder(found: re.Match[str]) -> str:
    return r"(?P<id>\d+)" if found[1] == "id" else f"(?P<{found[1]}>[^/]+)"
