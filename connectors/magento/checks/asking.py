"""One look at a route: an answer or an error, never an exception; and what a refusal says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import ConnectorError
from connectors.http import Answer, AnswerDenied, AnswerRefused, Http
from connectors.platform import Finding

ATTEMPTS = 2  # a doctor is impatient: what fails twice is worth a line

Seen = Answer | ConnectorError


def look(
    http: Http,
    path: str,
    params: Sequence[tuple[str, str]] = (),
    *,
    method: str = "GET",
    json: object = None,
) -> Seen:
    try:
        return http.request(method, path, params=params, json=json, attempts=ATTEMPTS)
    except ConnectorError as error:
        return error


def is_down(seen: Seen) -> bool:
    """No look can succeed: no answer at all, maintenance, a redirect, a bad certificate."""
    if isinstance(seen, Answer):
        return False
    status = seen.evidence.get("status")
    return not isinstance(status, int) or status < 400 or status == 503


def status_of(seen: Seen) -> int | None:
    status = seen.status if isinstance(seen, Answer) else seen.evidence.get("status")
    return status if isinstance(status, int) else None


def message_of(seen: Seen) -> str:
    """What Magento says, as a template without its values."""
    return str(_body(seen).get("message", ""))


def parameters_of(seen: Seen) -> Mapping[str, Any]:
    """The values of Magento's message: resource names and limits, but ids and e-mails as well."""
    parameters = _body(seen).get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _body(seen: Seen) -> Mapping[str, Any]:
    data = None
    if isinstance(seen, AnswerDenied):
        data = seen.answer.data
    elif isinstance(seen, AnswerRefused):
        data = seen.data
    return data if isinstance(data, dict) else {}


def failed(name: str, error: ConnectorError) -> Finding:
    said, status = error.evidence.get("said"), error.evidence.get("status")
    detail = ", ".join(str(part) for part in (error.message, said, status) if part)
    return Finding(name, "fail", detail, error.mend or "Look into the shop's var/log.")
