"""A message to somebody who is no shop: JSON, behind the same walls, without any credential."""

from __future__ import annotations

import time
from collections.abc import Callable

from requests import Response

from connectors.errors import ConfigurationError
from connectors.http.answers import AnswerRefused, may_pass, retry_after
from connectors.http.patience import Passing, Patience, Retry
from connectors.http.reach import Trust
from connectors.http.wire import Message, Unsigned, Wire
from connectors.origin import origin_of

#: Nobody waits for a message: twice, within half a minute.
BRIEF = Retry(attempts=2, first_wait=1, longest_wait=5, budget=10, run_budget=10)


def post(
    url: str,
    content: object,
    *,
    setting: str,
    trust: Trust,
    retry: Retry = BRIEF,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Sends it; the answer isn't read. The address may be a secret: no error repeats its path.

    setting  the variable that names `url`
    Raises ShopUnavailable, AnswerRefused, ConfigurationError.
    """
    origin = origin_of(url)
    if origin is None:
        raise ConfigurationError("the address is no plain URL", mend=f"Check {setting}.")
    name = setting.removeprefix("CLV_").lower()
    wire = Wire(name, setting, origin, budget=retry.budget, trust=trust, named="the webhook")
    request = wire.signed(Message("POST", url, json=content), Unsigned(), {})
    Patience(name, retry, sleep)(lambda: wire.received(request, _judge), None)


def _judge(answer: Response) -> None:
    status = answer.status_code
    if may_pass(status):
        told = "the webhook can't take a message just now"
        raise Passing(told, after=retry_after(answer.headers), status=status)
    if not 200 <= status < 300:
        moved = 300 <= status < 400
        told = "the webhook redirects, which is not followed" if moved else "the webhook refuses"
        raise AnswerRefused(told, status=status, data=None)
