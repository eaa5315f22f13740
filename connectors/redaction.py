"""The last net: whatever is told to people or logs passes here, and no secret or e-mail comes out.

Nothing of ours puts such a thing into a message; a library's error, or a shop's answer, might.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Mapping

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


def secrets_of(environment: Mapping[str, str]) -> list[str]:
    """The secrets among our variables, the longest first: one may be a part of another."""
    found = {
        value.strip()
        for name, value in environment.items()
        if name.startswith("CLV_") and name.endswith(SECRETS)
    }
    return sorted((one for one in found if len(one) >= SHORTEST), key=len, reverse=True)


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets, and without what looks like a token or an e-mail."""
    for secret in secrets:
        text = text.replace(secret, "[hidden]")
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


class Redacting(logging.Formatter):
    """A log line as it may be read by anybody, its traceback too."""

    def __init__(self, form: str, secrets: Collection[str]) -> None:
        super().__init__(form)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record), self._secrets)
