"""The message after a run, sent to a webhook on loopback: when, what, and what it may not cost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from started import Ended, Run

from connectors.config import Webhook, read_settings
from connectors.errors import ConfigurationError, ConnectorError, ShopUnavailable
from connectors.http import AnswerRefused, Retry, Trust, post
from connectors.notify import SETTING, payload, send
from connectors.redaction import of_nobody

pytestmark = pytest.mark.end_to_end

SECRET = "/services/T0/B0/c4nary"
ONCE = Retry(attempts=1, budget=2)


class Heard:
    """A webhook on loopback: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.sent: list[Any] = []
        self.url = ""

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = self.sent[-1]
        return found


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == SECRET
            heard.sent.append(json.loads(body))
            status = heard.answers.pop(0) if heard.answers else 200
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", heard.url.replace("services", "elsewhere"))
            self.end_headers()
            self.wfile.write(b"ok")  # as Slack says it: no JSON

        def log_message(self, *told: object) -> None:
            """Nothing on stderr."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    heard.url = f"http://127.0.0.1:{server.server_address[1]}{SECRET}"
    yield heard
    server.shutdown()
    server.server_close()


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, str]:
    """A shop that is a file, with customers who came back and some who stopped."""
    now = datetime.now(UTC).replace(hour=3)
    rows = [
        f"c{who},{(now - timedelta(days=30 * step + 40 * (who % 5))):%Y-%m-%dT%H:%M:%S},{50 + who}"
        for who in range(30)
        for step in range(1 + who % 6)
    ]
    header = "customer_id,ordered_at,net_value"
    (tmp_path / "orders.csv").write_text("\n".join([header, *rows]) + "\n")
    return {
        "CLV_SHOPS": "eu",
        "CLV_EU_PLATFORM": "file",
        "CLV_EU_PATH": "orders.csv",
        "CLV_EU_CURRENCY": "DKK",
        "CLV_EU_LOCALE": "da_DK",
        "CLV_MODEL": "mbg",
        "CLV_NOTIFY_PRIVATE": "yes",
    }


def ran(run: Run, shop: Mapping[str, str], heard: Heard, **more: str) -> Ended:
    return run({**shop, "CLV_NOTIFY_WEBHOOK": heard.url, **more}, "run", "--json")


def test_a_run_tells_how_it_went_and_what_to_do_with_the_money_in_it(
    run: Run, shop: dict[str, str], heard: Heard
) -> None:
    ended = ran(run, shop, heard)
    assert ended.code == 0, ended.err
    (told,) = heard.sent
    summary = ended.lines[-1]
    assert (told["run_id"], told["outcome"]) == (summary["run_id"], "done")
    (eu,) = told["shops"]
    assert eu["counts"] == summary["shops"]["eu"]
    assert eu["currency"] == "DKK"
    assert 1 <= len(eu["actions"]) <= 3
    assert all(float(one["money"]) > 0 and one["customers"] > 0 for one in eu["actions"])
    assert "kr." in told["text"]


def test_its_actions_are_the_reports(
    run: Run, shop: dict[str, str], heard: Heard, tmp_path: Path
) -> None:
    ran(run, shop, heard)
    assert run(shop, "report", "--lang", "da_DK").code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    texts = [one["text"] for one in heard.last["shops"][0]["actions"]]
    assert [text for text in texts if f"<h3>{text}</h3>" in page] == texts


def test_no_customer_is_in_it(run: Run, shop: dict[str, str], heard: Heard) -> None:
    ran(run, shop, heard)
    told = json.dumps(heard.last)
    assert not [who for who in range(30) if f"c{who}" in told]


def test_a_shop_that_fails_is_told_without_numbers(
    run: Run, shop: dict[str, str], heard: Heard, tmp_path: Path
) -> None:
    ran(run, shop, heard)
    ended = ran(run, shop, heard, CLV_EU_PATH="gone.csv")
    assert ended.code == 1
    assert heard.last["outcome"] == "failed"
    assert heard.last["exit_code"] == 1
    assert "gone.csv" in heard.last["shops"][0]["failure"]
    assert heard.last["shops"][0]["actions"] == []


def test_a_run_that_comes_to_no_shop_is_told_too(
    run: Run, shop: dict[str, str], heard: Heard, tmp_path: Path
) -> None:
    (tmp_path / "broken.duckdb").write_bytes(b"no store at all" * 500)
    ended = ran(run, shop, heard, CLV_STORE="broken.duckdb")
    assert ended.code == 16
    assert (heard.last["outcome"], heard.last["exit_code"]) == ("failed", 16)
    assert heard.last["failure"]


@pytest.mark.parametrize("answers", [[500, 500], [302], [404]])
def test_a_webhook_that_fails_is_a_warning_and_no_failure(
    answers: list[int], run: Run, shop: dict[str, str], heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("connectors.http.patience.Pace.sleep", lambda self, seconds: None)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    heard.answers = list(answers)
    ended = ran(run, shop, heard)
    assert ended.code == 0
    warnings = [line["warning"] for line in ended.events("warning")]
    assert [told for told in warnings if "message was not sent" in told]
    assert SECRET not in ended.out + ended.err
    assert ended.lines[-1]["event"] == "summary"
    assert len(heard.sent) == len(answers)


def test_the_address_is_in_no_error_and_no_log(
    run: Run, shop: dict[str, str], heard: Heard
) -> None:
    nobody = "http://127.0.0.1:9" + SECRET
    ended = run({**shop, "CLV_NOTIFY_WEBHOOK": nobody}, "notify", "--verbose", "--dry-run")
    with pytest.raises(ShopUnavailable) as caught:
        post(nobody, {}, setting=SETTING, trust=Trust(), retry=ONCE)
    told = ended.out + ended.err + str(caught.value) + repr(Webhook(nobody))
    assert "c4nary" not in told
    assert "the webhook can't be reached" in str(caught.value)


def test_notify_shows_the_message_and_sends_it_unless_told_not_to(
    run: Run, shop: dict[str, str], heard: Heard
) -> None:
    environment = {**shop, "CLV_NOTIFY_WEBHOOK": heard.url}
    assert run(shop, "run").code == 0
    shown = run(environment, "notify", "--dry-run")
    assert shown.code == 0
    assert "eu:" in shown.out
    assert heard.sent == []
    sent = run(environment, "notify", "--json")
    assert sent.code == 0, sent.err
    assert heard.sent == [sent.events("message")[0]["payload"]]
    assert run(shop, "notify").code == 1


def test_notify_tells_of_a_run_that_failed(run: Run, shop: dict[str, str], heard: Heard) -> None:
    run(shop, "run")
    run({**shop, "CLV_EU_PATH": "gone.csv"}, "run")
    told = run(shop, "notify", "--dry-run", "--json").events("message")[0]["payload"]
    assert told["outcome"] == "failed"
    assert "gone.csv" in told["shops"][0]["failure"]
    assert told["shops"][0]["actions"] == []


# ------------------------------------------------------------------------------------ the address


class Both:
    """A message in either form."""

    def plain(self) -> Mapping[str, Any]:
        return {"plain": 1}

    def slack(self) -> Mapping[str, Any]:
        return {"blocks": []}


def complaint(shop: Mapping[str, str], **more: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_settings({**shop, **more})
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "https://me:you@example.com/x",
        "ftp://example.com",
        "no-address",
    ],
)
def test_an_address_that_is_not_safe_is_refused_without_repeating_it(
    url: str, shop: dict[str, str]
) -> None:
    told = complaint(shop, CLV_NOTIFY_WEBHOOK=url)
    assert SETTING in told
    assert url not in told


def test_this_very_machine_has_to_be_allowed(shop: dict[str, str]) -> None:
    url = "http://127.0.0.1:8000/x"
    assert "CLV_NOTIFY_PRIVATE" in complaint(shop, CLV_NOTIFY_WEBHOOK=url, CLV_NOTIFY_PRIVATE="no")
    assert read_settings({**shop, "CLV_NOTIFY_WEBHOOK": url}).webhook == Webhook(url, True)


def test_a_name_that_leads_into_the_private_network_is_refused(
    monkeypatch: pytest.MonkeyPatch, heard: Heard
) -> None:
    port = int(heard.url.split(":")[2].partition("/")[0])
    led = [(2, 1, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *asked, **named: led)
    url = f"https://hooks.example.com:{port}{SECRET}"
    with pytest.raises(ConnectorError, match="private address") as caught:
        send(Both(), Webhook(url), None)
    assert heard.sent == []
    assert "c4nary" not in str(caught.value)


def test_a_redirect_is_not_followed(heard: Heard) -> None:
    heard.answers = [302]
    with pytest.raises(AnswerRefused, match="redirects"):
        post(heard.url, {}, setting=SETTING, trust=Trust(), retry=ONCE)
    assert len(heard.sent) == 1


def test_slack_gets_slacks_form_and_others_plain_json() -> None:
    for host, form in (
        ("hooks.slack.com", "blocks"),
        ("hooks.slack.com.evil.example", "plain"),
        ("hooks.example.com", "plain"),
    ):
        assert list(payload(Both(), Webhook(f"https://{host}/x"))) == [form]


def test_what_is_kept_of_an_error_names_no_customer() -> None:
    told = of_nobody("writing to customers 12, 15 and 17 moved more; 20 customers were left")
    assert told == "writing to customers [...] moved more; 20 customers were left"
    assert of_nobody("customer gid://shopify/Customer/1: no") == "customer [...]: no"
