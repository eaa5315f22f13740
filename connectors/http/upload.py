"""A file that a shop wants laid down at another host, as Shopify does for its work in bulk."""

from __future__ import annotations

from collections.abc import Mapping

from requests import Response

from connectors.http.answers import AnswerRefused, may_pass, retry_after
from connectors.http.download import safe_origin
from connectors.http.patience import Passing
from connectors.http.reach import Trust
from connectors.http.wire import USUAL, Message, Unsigned, Wire
from connectors.origin import Origin


class Upload:
    """One file behind the fields of a form, to be posted without any credential of ours.

    Whoever holds the form may lay down the file: the shop signed it. Sent twice, the second file
    takes the place of the first.
    """

    def __init__(
        self,
        shop: str,
        home: Origin,
        url: str,
        form: Mapping[str, str],
        content: bytes,
        trust: Trust = USUAL,
    ) -> None:
        self._shop = shop
        origin = safe_origin(shop, home, url)
        self._wire = Wire(shop, "the network", origin, budget=60, trust=trust)
        message = Message("POST", url, form=form, file=content)
        self._request = self._wire.signed(message, Unsigned(), {})

    def send(self) -> None:
        """One attempt. Raises Passing, AnswerRefused."""
        self._wire.received(self._request, self._judge)

    def _judge(self, answer: Response) -> None:
        status = answer.status_code
        if may_pass(status):
            after = retry_after(answer.headers)
            raise Passing("the file can't be laid down just now", after=after, status=status)
        if not 200 <= status < 300:
            told = "the shop's storage refuses a file"
            raise AnswerRefused(told, status=status, data=None, shop=self._shop)
