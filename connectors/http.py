"""The way to a shop: signed, patient, bounded. Only this module imports requests, only it sleeps.

What it promises: no credential leaves for another host, scheme or port; no request is sent in clear
except on loopback; certificates are always verified; a failure that may pass is tried again within
a budget of time, any other is told at once. A request may reach the shop twice (an answer can get
lost), so only such requests belong here as may be repeated.
"""

from __future__ import annotations

import json as jsonlib
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from ssl import SSLCertVerificationError
from typing import Any
from urllib.parse import quote, urlencode

from requests import PreparedRequest, Request, Response, Session
from requests.auth import AuthBase
from requests.exceptions import RequestException, SSLError
from requests.structures import CaseInsensitiveDict
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential
from urllib3.exceptions import HTTPError, NameResolutionError

from connectors.errors import (
    AuthenticationError,
    ConfigurationError,
    RequestRefused,
    ShopUnavailable,
)
from connectors.origin import checked_origin, origin_of

__all__ = ["Answer", "AnswerRefused", "AuthBase", "Http", "PreparedRequest", "Retry"]

log = logging.getLogger(__name__)

TIMEOUTS = (10, 90)  # seconds: to connect, and between two bytes
LARGEST_ANSWER = 256 * 2**20  # bytes, unpacked
CHUNK = 2**18
NAME_LOOKUPS = 2  # an unknown host is a typo far more often than a passing failure
REQUEST_IDS = ("x-request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the shop said. `headers` are looked up in any case; numbers in `data` are exact."""

    status: int
    headers: Mapping[str, str]
    data: Any


@dataclass(frozen=True, slots=True)
class Retry:
    """How patient to be: attempts in all; waits and the budget of one request in seconds.

    A wait that the shop asks for (Retry-After) is kept in full; one that doesn't fit into what is
    left of the budget ends the request instead, so the shop is never asked too early.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 60
    budget: float = 300


class AnswerRefused(RequestRefused):
    """A 4xx answer. `data` is as the shop sent it: keep that out of logs and messages."""

    def __init__(self, message: str, *, status: int, data: Any, **evidence: Any) -> None:
        self.status = status
        self.data = data
        super().__init__(message, status=status, **evidence)


class _Passing(Exception):
    """A failure that may pass. `after`: seconds that the shop asked to wait; `tries`: at most."""

    def __init__(
        self,
        told: str,
        *,
        mend: str = "Try again later.",
        after: float | None = None,
        tries: int | None = None,
        **evidence: object,
    ) -> None:
        super().__init__(told)
        self.told = told
        self.mend = mend
        self.after = after
        self.tries = tries
        self.evidence = evidence


class _Unsigned(AuthBase):
    """Adds nothing. Without it requests would take credentials from a .netrc."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


class Http:
    """One shop's door. `auth` signs every attempt anew.

    renew      gives fresh credential headers: asked once when a request gets a 401
    throttled  seconds to wait where a 2xx answer means "too fast" (GraphQL's THROTTLED), else None
    """

    def __init__(
        self,
        base_url: str,
        *,
        shop: str,
        auth: AuthBase | None = None,
        headers: Mapping[str, str] | None = None,
        retry: Retry = Retry(),
        sleep: Callable[[float], None] = time.sleep,
        renew: Callable[[], Mapping[str, str]] | None = None,
        throttled: Callable[[Answer], float | None] | None = None,
        denied_mend: str = "",
    ) -> None:
        self.shop = shop
        self._setting = f"CLV_{shop.upper()}_URL"
        self._base = base_url.rstrip("/")
        self._origin = checked_origin(self._base, self._setting)
        self._retry = retry
        self._sleep = sleep
        self._renew = renew
        self._throttled = throttled
        self._denied_mend = denied_mend or f"Check the credentials CLV_{shop.upper()}_*."
        self._session = _session(auth, headers or {}, proxies=self._origin.scheme == "https")

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
        attempts: int | None = None,
    ) -> Answer:
        """Ask for `path` (from the base URL on, with its leading slash), with a JSON body or none.

        `attempts` makes this one request less patient than the rest.
        Raises ShopUnavailable, AuthenticationError, AnswerRefused (4xx), ConfigurationError.
        """
        if not path.startswith("/"):
            raise ValueError(f"the path {path!r} lacks its leading slash")
        # a space as + breaks OAuth 1.0a signatures in Magento: always %20
        query = f"?{urlencode(params, quote_via=quote)}" if params else ""
        return self._asked(method, self._base + path + query, json, attempts)

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
        return self._asked("GET", url, None)

    def _asked(self, method: str, url: str, body: object, attempts: int | None = None) -> Answer:
        try:
            return self._patiently(method, url, body, attempts)
        except AuthenticationError as denied:
            if self._renew is None or denied.evidence["status"] != 401:
                raise
        self._renewed()
        return self._patiently(method, url, body, attempts)

    def _renewed(self) -> None:
        renew, self._renew = self._renew, None  # a 401 on the renewal itself must not renew again
        assert renew is not None  # noqa: S101  # tells the type checker
        try:
            self._session.headers.update(renew())
        finally:
            self._renew = renew

    def _patiently(self, method: str, url: str, body: object, attempts: int | None) -> Answer:
        patience = Retrying(
            retry=retry_if_exception_type(_Passing),
            wait=self._wait,
            stop=partial(self._exhausted, attempts or self._retry.attempts),
            before_sleep=self._tell,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return patience(self._attempt, method, url, body)
        except _Passing as last:
            raise ShopUnavailable(
                last.told, mend=last.mend, shop=self.shop, **last.evidence
            ) from None

    def _wait(self, state: RetryCallState) -> float:
        passing = _failure(state)
        if passing.after is not None:
            return max(passing.after, self._retry.first_wait)
        return wait_random_exponential(self._retry.first_wait, self._retry.longest_wait)(state)

    def _exhausted(self, attempts: int, state: RetryCallState) -> bool:
        spent = max(state.seconds_since_start or 0, state.idle_for)
        late = spent + state.upcoming_sleep > self._retry.budget
        return late or state.attempt_number >= min(attempts, _failure(state).tries or attempts)

    def _tell(self, state: RetryCallState) -> None:
        log.warning(
            "retry shop=%s attempt=%d wait_seconds=%.1f reason=%r status=%s",
            self.shop,
            state.attempt_number,
            state.upcoming_sleep,
            _failure(state).told,
            _failure(state).evidence.get("status"),
        )

    def _attempt(self, method: str, url: str, body: object) -> Answer:
        """One request, signed anew; a failure that may pass is a `_Passing`."""
        request = self._signed(method, url, body)
        settings = self._session.merge_environment_settings(request.url, {}, True, True, None)
        try:
            with self._session.send(
                request, timeout=TIMEOUTS, allow_redirects=False, **settings
            ) as response:
                raw = self._read(response)
        except SSLError as error:
            raise self._insecure(error) from None
        except (RequestException, HTTPError) as error:
            raise self._unreached(error) from None
        return self._judged(response.status_code, response.headers, raw)

    def _signed(self, method: str, url: str, body: object) -> PreparedRequest:
        try:
            request = self._session.prepare_request(Request(method, url, json=body))
        except (RequestException, UnicodeError):
            request = None  # requests' own message would quote the header
        if request is None or not all(_plain(value) for value in request.headers.values()):
            raise ConfigurationError(
                "the URL or a credential holds a character that can't be sent",
                mend=f"Check CLV_{self.shop.upper()}_* for spaces and line ends.",
                shop=self.shop,
            )
        return request

    def _read(self, response: Response) -> bytes:
        """The body, however slowly it drips, within the budget and the largest size."""
        ends_at = time.monotonic() + self._retry.budget
        body = bytearray()
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise RequestRefused(
                    f"the answer is larger than {LARGEST_ANSWER // 2**20} MB", shop=self.shop
                )
            if time.monotonic() > ends_at:
                raise _Passing("the shop answers too slowly", status=response.status_code)
        return bytes(body)

    def _judged(self, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        """Status to meaning. Evidence holds the request id for the shop's own support."""
        request_id = next((headers[name] for name in REQUEST_IDS if name in headers), None)
        if status == 429 or status >= 500:
            told = "the shop asks to slow down" if status == 429 else "the shop fails"
            after = _retry_after(headers) if status in (429, 503) else None
            raise _Passing(told, after=after, status=status, request_id=request_id)
        data = _parsed(raw)
        if status < 300:
            return self._accepted(Answer(status, CaseInsensitiveDict(headers), data), raw)
        if status < 400:
            raise self._redirected(headers.get("location", ""), status)
        if status in (401, 403):
            raise AuthenticationError(
                "the shop refuses the credentials or what they may do",
                mend=self._denied_mend,
                shop=self.shop,
                status=status,
                said=_said(data),
                request_id=request_id,
            )
        raise AnswerRefused(
            "the shop refused a request",
            status=status,
            data=data,
            shop=self.shop,
            said=_said(data),
            request_id=request_id,
        )

    def _accepted(self, answer: Answer, raw: bytes) -> Answer:
        if answer.data is None and answer.status != 204 and raw.strip() != b"null":
            raise _Passing("the answer is cut off or is not JSON", status=answer.status)
        after = self._throttled(answer) if self._throttled else None
        if after is not None:
            raise _Passing("the shop asks to slow down", after=after, status=answer.status)
        return answer

    def _redirected(self, location: str, status: int) -> ConfigurationError:
        origin = origin_of(location) if "//" in location else self._origin
        return ConfigurationError(
            "the shop redirects; redirects are not followed, so that no credential leaves",
            mend=f"Set {self._setting} to the address where the shop's API answers.",
            shop=self.shop,
            status=status,
            to=origin or "unreadable",
        )

    def _unreached(self, error: Exception) -> _Passing:
        if _caused_by(error, NameResolutionError):
            mend = f"Check {self._setting} for a typo, or the network."
            return _Passing(
                f"no host named {self._origin.host} is known", mend=mend, tries=NAME_LOOKUPS
            )
        mend = f"Check {self._setting} if this stays, else try again later."
        return _Passing("the shop can't be reached", mend=mend, reason=type(error).__name__)

    def _insecure(self, error: SSLError) -> ConfigurationError | _Passing:
        if not _caused_by(error, SSLCertVerificationError):
            return self._unreached(error)
        return ConfigurationError(
            f"the certificate of {self._origin.host} is not valid",
            mend="Mend the certificate; for an authority of your own set REQUESTS_CA_BUNDLE.",
            shop=self.shop,
        )


def _session(auth: AuthBase | None, headers: Mapping[str, str], *, proxies: bool) -> Session:
    session = Session()
    session.auth = auth or _Unsigned()
    session.trust_env = proxies  # what is sent in clear to loopback must not go to a proxy
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers.update({"User-Agent": "clv-sync", "Accept": "application/json", **headers})
    return session


def _plain(header: str | bytes) -> bool:
    text = header.decode("latin-1") if isinstance(header, bytes) else header
    return text.isascii() and text.isprintable()


def _failure(state: RetryCallState) -> _Passing:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _Passing)  # noqa: S101  # nothing else is retried
    return error


def _parsed(raw: bytes) -> Any:
    """JSON with exact numbers, or None where it isn't JSON (NaN and Infinity are none)."""
    try:
        return jsonlib.loads(raw, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> None:
    raise ValueError(name)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from Retry-After: a number, or a date against the shop's own clock."""
    asked = headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", asked):
        return float(asked)
    until = _instant(asked)
    now = _instant(headers.get("date", "")) or datetime.now(UTC)
    return max((until - now).total_seconds(), 0) if until else None


def _instant(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(data: Any) -> str | None:
    """The shop's own words, short, without its parameters and without anything like a person.

    Magento keeps the values apart from the template in `message`, so they can be left out.
    """
    said = (data.get("message") or data.get("errors")) if isinstance(data, dict) else None
    if not isinstance(said, str):
        return None
    masked = re.sub(r"\S+@\S+|\+?\d[\d ()/.-]{5,}\d", "[...]", " ".join(said.split()))
    return repr(masked[:200])


def _caused_by(error: object, kind: type[Exception]) -> bool:
    """Whether an error of this kind lies below: requests wraps urllib3's, in layers."""
    if isinstance(error, kind):
        return True
    below = (*error.args, getattr(error, "reason", None)) if isinstance(error, Exception) else ()
    return any(_caused_by(one, kind) for one in below)
