"""A message after a run, to a webhook: Slack's blocks for Slack, plain JSON for anybody else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from connectors.config import Webhook
from connectors.http import Trust, post
from connectors.origin import origin_of

SETTING = "CLV_NOTIFY_WEBHOOK"
#: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (read 2026-11-29)
SLACK = ("hooks.slack.com", "hooks.slack-gov.com")


class Sayable(Protocol):
    """A message in both forms."""

    def plain(self) -> Mapping[str, Any]: ...

    def slack(self) -> Mapping[str, Any]: ...


def payload(message: Sayable, webhook: Webhook | None) -> Mapping[str, Any]:
    """What is sent there."""
    origin = origin_of(webhook.url) if webhook else None
    return message.slack() if origin and origin.host in SLACK else message.plain()


def send(message: Sayable, webhook: Webhook, bundle: Path | None) -> None:
    """Raises ShopUnavailable, AnswerRefused, ConfigurationError: never with the address in it."""
    trust = Trust(public=not webhook.private, bundle=bundle)
    post(webhook.url, payload(message, webhook), setting=SETTING, trust=trust)
