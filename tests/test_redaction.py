"""What a library or a shop lets slip stays out of logs and errors."""

from __future__ import annotations

import io
import logging

import pytest

from connectors.redaction import Redacting, redacted, secrets_of

TOKEN = "canary-token-0123456789"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("user jane.o'neil+x@mail.example.co.uk failed", "user [e-mail] failed"),
        ("X-Shopify-Access-Token: shpat_0123abc", "X-Shopify-Access-Token: [hidden]"),
        ("sent shpss_0123abc away", "sent [token] away"),
        ("Authorization: Bearer eyJhbGciOi.x-y_z", "Authorization: Bearer [token]"),
        ("GET /admin?access_token=abc&page=2", "GET /admin?access_token=[hidden]&page=2"),
        ('{"client_secret": "s3cr3t", "a": 1}', '{"client_secret": "[hidden]", "a": 1}'),
        ("order 4711 of customer 12: total 12.50", "order 4711 of customer 12: total 12.50"),
        ("read_orders@2026-11 is fine", "read_orders@2026-11 is fine"),
    ],
)
def test_what_looks_like_a_secret_or_a_person_is_masked(said: str, left: str) -> None:
    assert redacted(said) == left


def test_the_owners_own_secrets_are_hidden_wherever_they_stand() -> None:
    environment = {
        "CLV_EU_TOKEN": TOKEN,
        "CLV_EU_CONSUMER_SECRET": TOKEN + "-and-more",
        "CLV_US_TOKEN": "short",
        "CLV_EU_URL": "https://shop.example.com",
        "PATH": "/usr/bin",
    }
    secrets = secrets_of(environment)
    assert secrets == [TOKEN + "-and-more", TOKEN]
    assert redacted(f"a{TOKEN}-and-moreb{TOKEN}c", secrets) == "a[hidden]b[hidden]c"


def test_of_a_webhook_the_path_is_hidden_and_of_headers_each_value() -> None:
    environment = {
        "CLV_NOTIFY_WEBHOOK": "https://hooks.slack.com/services/T0/B0/canary",
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=another-canary,x-team=our-very-own",
    }
    secrets = secrets_of(environment)
    told = redacted("POST /services/T0/B0/canary HTTP/1.1 another-canary our-very-own", secrets)
    assert told == "POST /[hidden] HTTP/1.1 [hidden] [hidden]"


def test_a_log_line_and_its_traceback_are_masked() -> None:
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(Redacting("%(message)s", [TOKEN]))
    log = logging.Logger("test")
    log.addHandler(handler)
    try:
        raise ValueError(f"{TOKEN} of jane@example.com")
    except ValueError:
        log.exception("failed for %s", "jane@example.com")
    assert "ValueError" in told.getvalue()
    assert TOKEN not in told.getvalue()
    assert "jane" not in told.getvalue().replace('"failed for %s", "jane@example.com"', "")
