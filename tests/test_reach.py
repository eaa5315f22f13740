"""Whom a connection may reach, and whose certificates are believed: against real sockets."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
import responses

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError, RequestRefused
from connectors.http import Http, Retry, Trust
from connectors.http.reach import refused

pytestmark = pytest.mark.end_to_end

CANARY = "token-canary-4711"
ONCE = Retry(attempts=1)


class Listening(threading.Thread):
    """Takes connections on loopback and keeps every byte that comes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.heard = b""
        self.met = threading.Event()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.met.set()
            with connection:
                connection.settimeout(2)
                try:
                    while chunk := connection.recv(4096):
                        self.heard += chunk
                except OSError:
                    continue


@pytest.fixture
def listening() -> Iterator[Listening]:
    thread = Listening()
    thread.start()
    yield thread
    thread.socket.close()


@contextmanager
def leading(monkeypatch: pytest.MonkeyPatch, port: int) -> Iterator[None]:
    """Every name leads to loopback, as a rebound or poisoned name would."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    with monkeypatch.context() as patched:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            patched.delenv(name, raising=False)
        patched.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        yield


def test_a_cloud_shop_whose_name_leads_to_a_private_address_hears_nothing(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://toys.myshopify.com"
    door = Http(url, shop="us", headers={"X": CANARY}, retry=ONCE, trust=Trust(public=True))
    with leading(monkeypatch, listening.port), pytest.raises(ConfigurationError, match="private"):
        door.get("/x")
    assert listening.met.wait(5)
    assert listening.heard == b""


@pytest.mark.parametrize("way", ["download", "upload"])
def test_a_file_at_a_private_address_is_not_asked_for(
    listening: Listening, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    door = Http("https://toys.myshopify.com", shop="us", retry=ONCE, trust=Trust(public=True))
    file = "https://storage.googleapis.com/file"
    moves = {
        "download": lambda: door.download(file, list, largest=100),
        "upload": lambda: door.upload(file, {}, b"x"),
    }
    with leading(monkeypatch, listening.port), pytest.raises(ConfigurationError, match="private"):
        moves[way]()
    assert listening.heard == b""


def test_loopback_that_is_named_as_such_is_reached_and_nothing_else_under_its_name(
    listening: Listening,
) -> None:
    assert not refused(ip_address("127.0.0.1"), public=True, loopback=True)
    assert refused(ip_address("10.0.0.1"), public=False, loopback=True)


@pytest.mark.parametrize(
    ("address", "cloud", "own"),
    [
        ("93.184.216.34", False, False),
        ("2606:2800:220:1::1", False, False),
        ("10.0.0.7", True, False),
        ("192.168.1.10", True, False),
        ("127.0.0.1", True, False),
        ("fd00::7", True, False),
        ("100.100.100.200", True, False),
        ("::ffff:10.0.0.7", True, False),
        ("169.254.169.254", True, True),
        ("::ffff:169.254.169.254", True, True),
        ("fe80::1", True, True),
        ("168.63.129.16", True, True),
        ("0.0.0.0", True, True),  # noqa: S104
        ("224.0.0.1", True, True),
    ],
)
def test_which_addresses_are_refused(address: str, cloud: bool, own: bool) -> None:
    assert refused(ip_address(address), public=True, loopback=False) is cloud
    assert refused(ip_address(address), public=False, loopback=False) is own


def test_shopify_and_adobes_cloud_are_in_the_cloud_and_a_magento_of_ones_own_is_not() -> None:
    shopify = ShopSettings("a", "shopify")
    adobe = ShopSettings("a", "magento", ims_org="x@AdobeOrg")
    own = ShopSettings("a", "magento")
    assert [Trust.of(one).public for one in (shopify, adobe, own)] == [True, True, False]


# ----------------------------------------------------------------------------------- certificates


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.met += 1  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def secured(certificate: Path) -> Iterator[http.server.HTTPServer]:
    """A server with a certificate that nobody but its own file vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = http.server.HTTPServer(("127.0.0.1", 0), Quiet)
    server.met = 0  # type: ignore[attr-defined]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"REQUESTS_CA_BUNDLE": ""},
        {"CURL_CA_BUNDLE": ""},
        {"PYTHONHTTPSVERIFY": "0"},
        {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "SSL_CERT_FILE": "/dev/null"},
        {"GIT_SSL_NO_VERIFY": "1", "NODE_TLS_REJECT_UNAUTHORIZED": "0"},
    ],
)
def test_a_bad_certificate_fails_whatever_the_environment_says(
    secured: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    door = Http(f"https://127.0.0.1:{secured.server_port}", shop="eu", retry=ONCE)
    with pytest.raises(ConfigurationError, match="certificate"):
        door.get("/x")
    assert secured.met == 0  # type: ignore[attr-defined]


def test_a_bundle_of_ones_own_is_believed(
    secured: http.server.HTTPServer, certificate: Path
) -> None:
    url = f"https://127.0.0.1:{secured.server_port}"
    assert Http(url, shop="eu", retry=ONCE, trust=Trust(bundle=certificate)).get("/x").data == {}


@pytest.mark.parametrize("by", ["setting", "environment"])
def test_a_bundle_that_is_not_there_is_one_clear_error(
    by: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.pem"
    if by == "environment":
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(gone))
    trust = Trust(bundle=gone if by == "setting" else None)
    with pytest.raises(ConfigurationError, match=r"gone\.pem.*CLV_CA_BUNDLE"):
        Http("https://shop.example", shop="eu", retry=ONCE, trust=trust).get("/x")


def test_a_bundle_that_holds_no_certificate_is_one_clear_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    with pytest.raises(ConfigurationError, match=r"empty\.pem.*CLV_CA_BUNDLE"):
        Http("https://shop.example", shop="eu", trust=Trust(bundle=empty)).get("/x")


# ------------------------------------------------------------------------------------ depth


def test_an_answer_nested_too_deeply_is_told_at_once() -> None:
    with responses.RequestsMock() as shop:
        shop.get("https://shop.example/x", body="[" * 100_000 + "]" * 100_000)
        with pytest.raises(RequestRefused, match="nested too deeply"):
            Http("https://shop.example", shop="eu").get("/x")
        assert len(shop.calls) == 1
