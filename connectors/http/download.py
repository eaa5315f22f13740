"""A file that a shop laid down at another host, as Shopify does with what it worked out in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from requests import Response

from connectors.errors import RequestRefused
from connectors.http.answers import AnswerRefused, may_pass, retry_after
from connectors.http.patience import Passing
from connectors.http.reach import Trust
from connectors.http.wire import USUAL, Message, Unsigned, Wire
from connectors.origin import Origin, is_loopback, origin_of

SLOWEST = 2**17  # bytes a second: a file may take longer than an answer, the larger the longer

T = TypeVar("T")


class Download:
    """One file, to be fetched without any credential: nobody there has a right to ours.

    home     where the shop is
    largest  how many bytes the file may have, unpacked
    budget   seconds for one attempt, beside those that so many bytes take
    """

    def __init__(
        self,
        shop: str,
        home: Origin,
        url: str,
        *,
        largest: int,
        budget: float,
        trust: Trust = USUAL,
    ) -> None:
        origin = safe_origin(shop, home, url)
        self._shop = shop
        self._largest = largest
        longest = budget + largest / SLOWEST
        self._wire = Wire(shop, "the network", origin, budget=longest, trust=trust)
        self._request = self._wire.signed(Message("GET", url), Unsigned(), {})

    def read(self, read: Callable[[Iterator[bytes]], T]) -> T:
        """What `read` makes of it, in one attempt. Raises Passing, AnswerRefused."""
        return self._wire.received(self._request, lambda answer: read(self._judged(answer)))

    def _judged(self, answer: Response) -> Iterator[bytes]:
        status = answer.status_code
        if may_pass(status):
            after = retry_after(answer.headers)
            raise Passing("the file can't be fetched just now", after=after, status=status)
        if status != 200:
            told = "the file is gone or is not for us" if status >= 400 else "the file has moved"
            raise AnswerRefused(told, status=status, data=None, shop=self._shop)
        return self._wire.pieces(answer, self._largest)


def safe_origin(shop: str, home: Origin, url: str) -> Origin:
    """Where a file may lie: behind https, or on this very machine where the shop is, too."""
    origin = origin_of(url)
    both_here = origin is not None and is_loopback(origin.host) and is_loopback(home.host)
    if origin is None or not (origin.scheme == "https" or both_here):
        raise RequestRefused(
            "a file's address is not safe; nothing was asked of it",
            shop=shop,
            to=origin or "unreadable",
        )
    return origin
