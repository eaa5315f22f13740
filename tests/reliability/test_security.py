"""Checks 32 to 34, 38 to 40, 42 and 43: no credential gets out, and nobody gets in."""

from __future__ import annotations

import ast
import csv
import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors import plan as plans
from connectors.config import ShopSettings
from connectors.errors import ConfigurationError, ConnectorError
from connectors.export import export
from connectors.hints import Hints
from connectors.http import Retry
from connectors.http.reach import refused
from connectors.kept import keep
from connectors.sandbox import SHOPIFY_TOKEN
from connectors.serve.app import create_app
from connectors.serve.keeping import Keeper
from connectors.shopify.auth import checked_url
from connectors.store.scratch import Scratch
from tests import test_reach, test_serve, test_supply_chain
from tests.reliability.conftest import Told
from tests.reliability.forked import Commands
from tests.reliability.worlds import HASHER, START, shops
from tests.report import test_page
from tests.test_reach import Listening

ROOT = Path(__file__).resolve().parents[2]
#: Spark itself takes its own workers' answers in by pickle; they run our code anyway.
SPARKS_OWN = ROOT / "connectors" / "spark" / "partition.py"
SOURCES = [
    ROOT / "sync.py",
    *(path for room in ("connectors", "clv", "jobs") for path in (ROOT / room).rglob("*.py")),
]
SOURCES.remove(SPARKS_OWN)
TOKEN = "canary-token-of-nobody-at-all"

secured = test_reach.secured


# -------------------------------------------------------------------- 32 to 34: where requests go


@pytest.fixture
def foreign() -> Iterator[Listening]:
    """A host that isn't the shop, and keeps every byte that comes."""
    thread = Listening()
    thread.start()
    yield thread
    thread.socket.close()


@contextmanager
def redirecting(status: int, location: str) -> Iterator[str]:
    """A shop that sends everybody elsewhere."""

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def _told(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = _told  # noqa: N815  # the base class's names

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def leading_to(port: int) -> list[str]:
    return [
        f"http://127.0.0.1:{port}/x",
        f"http://localhost:{port}/x",
        f"https://127.0.0.1:{port}/x",
        f"//127.0.0.1:{port}/x",
    ]


def test_check_32_no_byte_of_a_token_leaves_by_a_redirect(
    told: Told, commands: Commands, tmp_path: Path, foreign: Listening
) -> None:
    statuses = (301, 302, 303, 307, 308) if told.full else (302, 307)
    tries = 0
    for status in statuses:
        for location in leading_to(foreign.port)[: told.often(2, 4)]:
            with redirecting(status, location) as url:
                for platform in ("magento", "shopify"):
                    shop = {"PLATFORM": platform, "URL": url, "TOKEN": TOKEN}
                    settings = {f"CLV_X_{key}": value for key, value in shop.items()}
                    ended = commands.run(tmp_path, {"CLV_SHOPS": "x", **settings}, "pull")
                    assert ended.code == 1, ended.err
                    tries += 1
    told("redirects to another host, scheme or port", tries, connections=int(foreign.met.is_set()),
         token_bytes=foreign.heard.count(TOKEN.encode()))  # fmt: skip


def test_check_32_no_byte_of_a_token_leaves_by_a_link(told: Told, foreign: Listening) -> None:
    tries = followed = 0
    with shops(2) as world:
        http = world.http("us", retry=Retry(attempts=1))
        home = world.sandbox.url.rpartition(":")[2]
        links = [*leading_to(foreign.port), f"http://localhost:{home}/us/admin/x",
                 f"https://127.0.0.1:{home}/us/admin/x", f"http://127.0.0.1:{home}@evil.example/x",
                 f"http://user@127.0.0.1:{foreign.port}/x", "ftp://127.0.0.1/x"]  # fmt: skip
        before = len(world.books.journal())
        for link in links:
            tries += 1
            with pytest.raises(ConnectorError):
                http.follow(link)
        followed = foreign.met.is_set() + len(world.books.journal()) - before
        for move in (
            lambda: http.download(f"http://127.0.0.1:{foreign.port}/f", list, largest=9),
            lambda: http.upload(f"http://127.0.0.1:{foreign.port}/f", {"key": "v"}, b"x"),
        ):  # elsewhere is where files lie, but our token has no business there
            tries += 1
            with pytest.raises(ConnectorError):
                move()
    leaked = foreign.heard.count(SHOPIFY_TOKEN.encode()) + foreign.heard.lower().count(b"x-shopify")
    told("next-page links and files elsewhere", tries, followed=followed, token_bytes=leaked)


HOSTS = (
    "https://evil.example", "https://shop.myshopify.com.evil.example",
    "https://evil.example/.myshopify.com", "https://evil.example#.myshopify.com",
    "https://evil.example?x=.myshopify.com", "https://shop.myshopify.com@evil.example",
    "https://shop.myshopify.com:443@evil.example", "https://myshopify.com",
    "https://.myshopify.com", "https://a.b.myshopify.com", "http://shop.myshopify.com",
    "https://shop.myshopify.com\n.evil.example", "https://shopmyshopify.com",
    "https://shop.myshopify.com\\@evil.example", "https://10.0.0.1", "https://169.254.169.254",
    "https://metadata.google.internal", "https://[::ffff:169.254.169.254]",
    "http://127.0.0.1.evil.example", "http://localhost.evil.example",
)  # fmt: skip
INNER = ("10.0.0.7", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1",
         "100.100.100.200", "::1", "fd00::7", "fe80::1", "::ffff:10.0.0.7", "0.0.0.0")  # fmt: skip  # noqa: S104


def test_check_33_a_shopify_token_goes_to_shopify_and_to_no_inner_address(
    told: Told, monkeypatch: pytest.MonkeyPatch, foreign: Listening
) -> None:
    from ipaddress import ip_address

    taken = 0
    for url in HOSTS:
        try:
            checked_url(ShopSettings("us", "shopify", url=url, token=TOKEN))
        except ConfigurationError:
            continue
        taken += 1
    inner = sum(not refused(ip_address(one), public=True, loopback=False) for one in INNER)
    test_reach.test_a_cloud_shop_whose_name_leads_to_a_private_address_hears_nothing(
        foreign, monkeypatch
    )
    told("addresses that are no Shopify's, or lead inside", len(HOSTS) + len(INNER) + 1,
         taken=taken, inner=inner, bytes_sent=len(foreign.heard))  # fmt: skip


def test_check_34_nothing_goes_in_clear_or_past_a_bad_certificate(
    told: Told, commands: Commands, tmp_path: Path, secured: Any
) -> None:
    in_clear = ("http://shop.example", "http://10.0.0.1", "http://127.0.0.1.evil.example")
    bad = f"https://127.0.0.1:{secured.server_port}"
    switches: list[dict[str, str]] = [
        {}, {"REQUESTS_CA_BUNDLE": ""}, {"CURL_CA_BUNDLE": ""}, {"PYTHONHTTPSVERIFY": "0"},
    ]  # fmt: skip
    taken = 0
    for url, switch in [*((url, {}) for url in in_clear), *((bad, one) for one in switches)]:
        shop = {"CLV_SHOPS": "x", "CLV_X_PLATFORM": "magento", "CLV_X_URL": url}
        settings = {**shop, "CLV_X_TOKEN": TOKEN, **switch}
        taken += commands.run(tmp_path, settings, "pull").code != 1
    off = re.compile(r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|disable_warnings")
    found = sum(bool(off.search(path.read_text("utf-8"))) for path in SOURCES)
    told("addresses in clear, bad certificates, switches", len(in_clear) + len(switches),
         taken=taken, requests=secured.met, switches_in_the_source=found)  # fmt: skip


# ----------------------------------------------------------------------------- 38: spreadsheets


def test_check_38_no_cell_is_run_by_a_spreadsheet(told: Told, tmp_path: Path) -> None:
    texts = [
        f"{start}{rest}"
        for start in ("=", "+", "-", "@", "\t", "\r", "\0", "\n")
        for rest in ("1+1", "HYPERLINK(1)", "SUM(A1)|calc", "", '"x', ",y")
    ] * told.often(1, 50)
    numbers = [Decimal(-n) / 100 for n in range(len(texts))]
    table = pa.table({"text": texts, "net": pa.array(numbers, pa.decimal128(18, 2))})
    export(table.to_reader(), tmp_path / "out.csv", "csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    live = sum(row[0][:1] in ("=", "+", "-", "@", "\t", "\r", "\0", "\n") for row in rows)
    kept = [Decimal(row[1]) for row in rows]
    told("hostile cells, and negative numbers beside them", len(texts), live=live,
         rows_lost=len(texts) - len(rows), numbers_changed=int(kept != numbers))  # fmt: skip


# -------------------------------------------------------------------------- 39, 40: pages, webhooks


def test_check_39_a_report_with_hostile_names_runs_nothing(told: Told) -> None:
    seen = test_page.Seen(test_page.hostile_page())
    scripts = sum(tag == "script" for tag, _ in seen.elements) - 2  # ours, and the data
    handlers = sum(name.startswith("on") for _, attrs in seen.elements for name in attrs)
    outside = sum(
        tag in ("img", "iframe", "object", "embed", "link", "form", "base")
        or bool(re.match(r"(?i)\s*(https?:|//|javascript:|data:text)", value or ""))
        for tag, attrs in seen.elements
        for name, value in attrs.items()
        if name in ("src", "href", "action", "srcset", "data")
    )
    policy = next((str(a["content"]) for _, a in seen.elements if a.get("http-equiv")), "")
    told("hostile names in a report", len(test_page.HOSTILE), scripts=scripts, handlers=handlers,
         requests=outside, without_policy=int("default-src 'none'" not in policy))  # fmt: skip


def test_check_40_a_webhook_is_heard_only_as_it_was_signed(told: Told, tmp_path: Path) -> None:
    forgeries = twice = unheard = 0
    times = told.often(20, 500)
    with Hints.open(tmp_path / "hints.sqlite") as hints:
        app = create_app([test_serve.US], test_serve.HASHER, hints, Keeper(hints, lambda: START))
        for number in range(times):
            good = test_serve.deleted(number)
            reserialised = replace(good, body=json.dumps(json.loads(good.body)).encode())
            bare = replace(good, headers={k: v for k, v in good.headers.items() if "Hmac" not in k})
            for wrong in (good.forged(), good.tampered(), reserialised, bare):
                forgeries += test_serve.asked(app, wrong) != 401
            assert hints.waiting() == number
            for delivery in (good, good, good.twin()):
                unheard += test_serve.asked(app, delivery) != 200
            twice += hints.waiting() - number - 1
    source = (ROOT / "connectors/shopify/webhooks.py").read_text("utf-8")
    told("webhooks: four forgeries, two replays of each", times, forgeries_taken=forgeries,
         unheard=unheard, replays_with_effect=twice,
         compared_in_steps=int("hmac.compare_digest(" not in source))  # fmt: skip


# ------------------------------------------------------------------------ 42, 43: files, supplies


def test_check_42_a_plan_that_was_touched_is_refused_and_nothing_is_unpickled(
    told: Told, tmp_path: Path
) -> None:
    from connectors.schema import Change

    changes = [Change("eu", str(n), {"tier": "low"}, {"tier": "high"}) for n in range(3)]
    kept = keep(Scratch(), changes)
    plan = plans.Plan("2026-11-29T00:00:00+00:00", {"eu": "x"}, {"+": 3}, {}, kept)
    path = tmp_path / "a.plan"
    plans.write_plan(plan, path, HASHER.seal)
    whole, taken = path.read_bytes(), 0
    places = range(0, len(whole), told.often(7, 1))
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            taken += plans.read_plan(path, HASHER.seal) != plan
        except (ConfigurationError, ConnectorError):
            continue
    told("plans with one bit turned; source files without pickle", len(places) + len(SOURCES),
         taken=taken, unpickling=sum(map(unpickles, SOURCES)))  # fmt: skip


def unpickles(path: Path) -> bool:
    """Whether a module takes in what can run code when it is read."""
    risky = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import) and any(
            one.name.split(".")[0] in risky for one in node.names
        ):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in risky:
            return True
        if isinstance(node, ast.Attribute) and node.attr in ("read_pickle", "to_pickle"):
            return True
    return False


def test_check_43_no_secret_lies_in_the_tree_and_everything_is_locked(told: Told) -> None:
    """Known vulnerabilities are `make audit`'s: the full figures ask for them, too."""
    texts = [
        path
        for folder in ("clv", "connectors", "tests", "docs", "benchmarks", "magento-module", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".gz"
    ] + [path for path in ROOT.iterdir() if path.is_file() and path.name != ".env"]
    secrets = sum(
        len(test_supply_chain.found_in(path.read_bytes().decode(errors="replace")))
        for path in texts
    )
    for lock in ("requirements.lock", "requirements-spark.lock"):
        test_supply_chain.test_every_locked_package_has_its_hashes(lock)
    vulnerable = 0
    if told.full:
        code, said = test_supply_chain.tool("audit").verdict(
            test_supply_chain.tool("audit").asked(ROOT / "requirements.lock")
        )
        vulnerable = len(said.splitlines()) if code else 0
        told(f"audit: {said.splitlines()[0]}"[:76], 1, vulnerabilities=vulnerable)
    told("files searched for secrets", len(texts), secrets=secrets)
