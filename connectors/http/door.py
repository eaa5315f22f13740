"""One shop's door: addresses, credentials and their renewal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote, urlencode

from requests import PreparedRequest
from requests.auth import AuthBase

from connectors.errors import RequestRefused
from connectors.http.answers import Answer, AnswerDenied, Judge
from connectors.http.download import Download
from connectors.http.patience import Pace, Passing, Patience, Retry
from connectors.http.reach import Trust
from connectors.http.upload import Upload
from connectors.http.wire import USUAL, Message, Unsigned, Wire
from connectors.origin import checked_origin, origin_of

PATIENT = Retry()

T = TypeVar("T")


class Http:
    """One shop's door, for any number of threads. `auth` signs every attempt anew.

    renew      gives fresh credential headers: asked once for a request that gets a 401, and once
               for all threads whose requests were signed before
    renewable  which denials that can mend; every 401 unless said otherwise
    throttled  seconds to wait where a 2xx answer means "too fast" (GraphQL's THROTTLED), else None
    pause      seconds to leave the shop alone after an answer, so that it won't get there
    setting    the variable that names `base_url`
    trust      whom to believe on the other side
    """

    def __init__(
        self,
        base_url: str,
        *,
        shop: str,
        auth: AuthBase | None = None,
        headers: Mapping[str, str] | None = None,
        retry: Retry = PATIENT,
        sleep: Callable[[float], None] = time.sleep,
        renew: Callable[[], Mapping[str, str]] | None = None,
        renewable: Callable[[AnswerDenied], bool] = lambda denied: denied.answer.status == 401,
        throttled: Callable[[Answer], float | None] | None = None,
        pause: Callable[[Answer], float] = lambda answer: 0.0,
        denied_mend: str = "",
        setting: str = "",
        trust: Trust = USUAL,
    ) -> None:
        self.shop = shop
        self._setting = setting or f"CLV_{shop.upper()}_URL"
        self._base = base_url.rstrip("/")
        self._origin = checked_origin(self._base, self._setting)
        self._credentials = _Credentials(auth or Unsigned(), headers or {}, renew)
        self._renewable = renewable
        self._pace = Pace(sleep)
        self._patience = Patience(shop, retry, self._pace.sleep)
        self._pause = pause
        self._trust = trust
        self._wire = Wire(shop, self._setting, self._origin, budget=retry.budget, trust=trust)
        mend = denied_mend or f"Check the credentials CLV_{shop.upper()}_*."
        self._judge = Judge(shop, self._setting, self._origin, mend, throttled)

    def get(
        self, path: str, *, params: Sequence[tuple[str, str]] = (), attempts: int | None = None
    ) -> Answer:
        return self.request("GET", path, params=params, attempts=attempts)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        json: object = None,
        form: Mapping[str, str] | None = None,
        attempts: int | None = None,
    ) -> Answer:
        """Ask for `path` (from the base URL on, with its leading slash), with one body or none.

        `attempts` makes this one request less patient than the rest.
        Raises ShopUnavailable, AnswerDenied (401, 403), AnswerRefused (4xx), ConfigurationError.
        """
        if not path.startswith("/"):
            raise ValueError(f"the path {path!r} lacks its leading slash")
        # a space as + breaks OAuth 1.0a signatures in Magento: always %20
        query = f"?{urlencode(params, quote_via=quote)}" if params else ""
        return self._asked(Message(method, self._base + path + query, json, form), attempts)

    def follow(self, url: str) -> Answer:
        """Get a next-page link, if it leads to the very host, scheme and port of this shop."""
        origin = origin_of(url)
        if origin != self._origin:
            raise RequestRefused(
                "a next-page link leads away from the shop; it was not followed",
                mend=f"If the shop has moved, set {self._setting}.",
                shop=self.shop,
                link=origin or "unreadable",
            )
        return self._asked(Message("GET", url))

    def download(self, url: str, read: Callable[[Iterator[bytes]], T], *, largest: int) -> T:
        """What `read` makes of a file that the shop laid down elsewhere, piece by piece.

        It is fetched without any credential, over https (in clear from loopback to loopback alone);
        `read` begins anew with each attempt. Raises ShopUnavailable, AnswerRefused (the file is
        gone), RequestRefused where it has more than `largest` bytes, unpacked, or lies elsewhere
        than an address may lead.
        """
        budget = self._patience.retry.budget
        file = Download(
            self.shop, self._origin, url, largest=largest, budget=budget, trust=self._trust
        )
        return self._patience(lambda: file.read(read), None)

    def upload(self, url: str, form: Mapping[str, str], content: bytes) -> None:
        """Lay down a file where the shop wants it, behind the fields of a form, in their order.

        It goes there without any credential, over the same ways as a download; the answer isn't
        read. Raises ShopUnavailable, AnswerRefused, RequestRefused.
        """
        file = Upload(self.shop, self._origin, url, form, content, self._trust)
        self._patience(file.send, None)

    def wait(self, seconds: float) -> None:
        """Leave the shop alone for a while, where it works on something that we asked for."""
        self._patience.sleep(seconds)

    def _asked(self, message: Message, attempts: int | None = None) -> Answer:
        issue = self._credentials.issue
        try:
            return self._patience(lambda: self._attempt(message), attempts)
        except AnswerDenied as denied:
            if not (self._renewable(denied) and self._credentials.renewed(issue)):
                raise
        return self._patience(lambda: self._attempt(message), attempts)

    def _attempt(self, message: Message) -> Answer:
        request = self._signed(message)
        try:
            answer = self._judge(*self._wire.sent(request))
        except Passing as passing:
            self._pace.hold(passing.after or 0)
            raise
        self._pace.hold(self._pause(answer))
        return answer

    def _signed(self, message: Message) -> PreparedRequest:
        """To be sent at once; signing waits where another thread renews the credentials."""
        while True:
            self._pace.keep(self._patience.retry.budget)
            request = self._credentials.sign(self._wire, message)
            if not self._pace.left():
                return request


class _Credentials:
    """Who we are to the shop. One thread at a time signs or renews; the others then use the new.

    `issue` counts the renewals: whoever was denied with an older issue need not renew again.
    """

    def __init__(
        self,
        auth: AuthBase,
        headers: Mapping[str, str],
        renew: Callable[[], Mapping[str, str]] | None,
    ) -> None:
        self._auth = auth
        self._headers = dict(headers)
        self._renew = renew
        self._lock = threading.RLock()
        self._renewing = False
        self.issue = 0

    def sign(self, wire: Wire, message: Message) -> PreparedRequest:
        with self._lock:
            return wire.signed(message, self._auth, self._headers)

    def renewed(self, issue: int) -> bool:
        """Whether there are newer credentials than those of `issue`."""
        with self._lock:
            if self._renew is None or self._renewing:
                return False  # a 401 on the renewal itself must not renew again
            if issue == self.issue:
                self._renewing = True
                try:
                    self._headers.update(self._renew())
                finally:
                    self._renewing = False
                self.issue += 1
            return True
