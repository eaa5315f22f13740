"""The last net: whatever is told to people or logs passes here, and no secret or e-mail comes out.

Nothing of ours puts such a thing into a message; a library's error, or a shop's answer, might.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from connectors.config import SECRETS

SHORTEST = 6  # a shorter "secret" is a word, and hiding words tells nothing

_MASKS = (
    (re.compile(r"[\w.+%'-]+@[\w-]+(\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"\bshp[a-z]{2}_[0-9A-Za-z]+"), "[token]"),
    (re.compile(r"(?i)\b(bearer|basic|oauth)\s+[\w.~+/=-]{8,}"), r"\1 [token]"),
    (
        re.compile(
            r"(?i)(token|secret|password|signature|hmac|client_id)([\"']?\s*[=:]\s*[\"']?)[^\s&\"',;}]+"
        ),
        r"\1\2[hidden]",
    ),
)

#: `customer 4711`, `customers 12, 15 and 17`; not `15 customers`.
_ID = r"[\w:/-]*\d\w*"
_CUSTOMERS = re.compile(rf"(?i)\b(customers?) {_ID}(?:(?:, | and ){_ID})*")


def secrets_of(environment: Mapping[str, str]) -> list[str]:
    """The secrets among our variables, the longest first: one may be a part of another."""
    found = {
        secret
        for name, value in environment.items()
        if name.startswith(("CLV_", "OTEL_EXPORTER_")) and name.endswith(SECRETS)
        for secret in _ways_to_say(name, value.strip())
    }
    return sorted((one for one in found if len(one) >= SHORTEST), key=len, reverse=True)


def _ways_to_say(name: str, value: str) -> Iterator[str]:
    """The value, and where only a part of it is the secret, that part for itself."""
    yield value
    if name.endswith("_WEBHOOK"):
        yield value.partition("://")[2].partition("/")[2]
    if name.endswith("_HEADERS"):
        yield from (pair.partition("=")[2].strip() for pair in value.split(","))


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets, and without what looks like a token or an e-mail."""
    for secret in secrets:
        text = text.replace(secret, "[hidden]")
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def of_nobody(text: str, secrets: Iterable[str] = ()) -> str:
    """The text as it may be kept, or told to others: without secrets, and without a customer."""
    return _CUSTOMERS.sub(r"\1 [...]", redacted(text, secrets))


class Redacting(logging.Formatter):
    """A log line as it may be read by anybody, its traceback too."""

    def __init__(self, form: str, secrets: Collection[str]) -> None:
        super().__init__(form)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record), self._secrets)
