"""What a status and a body mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from requests.structures import CaseInsensitiveDict

from connectors.errors import AuthenticationError, ConfigurationError, RequestRefused
from connectors.http.patience import Passing
from connectors.origin import Origin, origin_of

REQUEST_IDS = ("x-request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the shop said. `headers` are looked up in any case; numbers in `data` are exact."""

    status: int
    headers: Mapping[str, str]
    data: Any


class AnswerRefused(RequestRefused):
    """A 4xx answer. `data` is as the shop sent it: keep that out of logs and messages."""

    def __init__(self, message: str, *, status: int, data: Any, **evidence: Any) -> None:
        self.status = status
        self.data = data
        super().__init__(message, status=status, **evidence)


class AnswerDenied(AuthenticationError):
    """A 401 or 403. `answer` is as the shop sent it: keep that out of logs and messages."""

    def __init__(self, answer: Answer, **evidence: Any) -> None:
        self.answer = answer
        told = "the shop refuses the credentials or what they may do"
        super().__init__(told, status=answer.status, **evidence)


@dataclass(frozen=True, slots=True)
class Judge:
    """Status to meaning, for one shop. Evidence holds the request id for the shop's own support.

    throttled  seconds to wait where a 2xx answer means "too fast" (GraphQL's THROTTLED), else None
    """

    shop: str
    setting: str
    origin: Origin
    denied_mend: str
    throttled: Callable[[Answer], float | None] | None

    def __call__(self, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        request_id = next((headers[name] for name in REQUEST_IDS if name in headers), None)
        if may_pass(status):
            told = "the shop asks to slow down" if status == 429 else "the shop fails"
            after = retry_after(headers) if status in (429, 503) else None
            raise Passing(told, after=after, status=status, request_id=request_id)
        answer = Answer(status, CaseInsensitiveDict(headers), _parsed(raw))
        if status < 300:
            return self._accepted(answer, raw)
        if status < 400:
            raise self._redirected(headers.get("location", ""), status)
        facts = {"shop": self.shop, "said": _said(answer.data), "request_id": request_id}
        if status in (401, 403):
            raise AnswerDenied(answer, mend=self.denied_mend, **facts)
        raise AnswerRefused("the shop refused a request", status=status, data=answer.data, **facts)

    def _accepted(self, answer: Answer, raw: bytes) -> Answer:
        if answer.data is None and answer.status != 204 and raw.strip() != b"null":
            raise Passing("the answer is cut off or is not JSON", status=answer.status)
        after = self.throttled(answer) if self.throttled else None
        if after is not None:
            raise Passing("the shop asks to slow down", after=after, status=answer.status)
        return answer

    def _redirected(self, location: str, status: int) -> ConfigurationError:
        origin = origin_of(location) if "//" in location else self.origin
        return ConfigurationError(
            "the shop redirects; redirects are not followed, so that no credential leaves",
            mend=f"Set {self.setting} to the address where the shop's API answers.",
            shop=self.shop,
            status=status,
            to=origin or "unreadable",
        )


def _parsed(raw: bytes) -> Any:
    """JSON with exact numbers, or None where it isn't JSON (NaN and Infinity are none)."""
    try:
        with suppress(msgspec.DecodeError, ValueError, ArithmeticError):
            return _quickly(raw)
        with suppress(ValueError, ArithmeticError):  # UTF-16, half a surrogate pair
            return json.loads(raw, parse_float=Decimal, parse_constant=_no_number)
    except RecursionError:  # asked again, it would be as deep
        raise RequestRefused("the answer is nested too deeply to be read") from None
    return None


#: A third of json's time, to the same values.
_quickly = msgspec.json.Decoder(float_hook=Decimal).decode


def _no_number(name: str) -> None:
    raise ValueError(name)


def may_pass(status: int) -> bool:
    """Whether the same may succeed later: too much, too slow, or a failure of the server's own.

    A 408 says that our request didn't get there in time: a broken upload does at Google's storage,
    which Shopify's files are laid down at (https://cloud.google.com/storage/docs/retry-strategy,
    2026-11-29), and so do proxies before a shop.
    """
    return status in (408, 429) or status >= 500


def retry_after(headers: Mapping[str, str]) -> float | None:
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
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(data: Any) -> str | None:
    """The shop's own words, without its parameters.

    Magento keeps the values apart from the template in `message`, so they can be left out.
    """
    said = (data.get("message") or data.get("errors")) if isinstance(data, dict) else None
    return masked(said) if isinstance(said, str) else None


def masked(text: str) -> str:
    """Somebody's words, short and quoted, without anything like an e-mail or a telephone."""
    hidden = re.sub(r"\S+@\S+|\+?\d[\d ()/.-]{5,}\d", "[...]", " ".join(text.split()))
    return repr(hidden[:200])
