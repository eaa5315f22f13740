"""Spans of a command: what they tell, what they never tell, and what a bad collector costs."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from started import ROOT, Run, bare, called_in

from connectors import tracing
from connectors.errors import ShopUnavailable
from connectors.sandbox.books import Books
from connectors.sandbox.server import serve

memory = pytest.importorskip(
    "opentelemetry.sdk.trace.export.in_memory_span_exporter", reason="the extra otel is missing"
)
CUSTOMERS = 25  # of each shop
FilledBooks = Callable[[Path, int, date], Books]
NOBODY = "http://127.0.0.1:9"


def in_memory(patch: pytest.MonkeyPatch) -> Any:
    """What would go to the collector."""
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    exporter = memory.InMemorySpanExporter()
    both = SimpleSpanProcessor(exporter), exporter
    patch.setattr(tracing, "_in_batches", lambda collector: both)
    return exporter


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Any:
    return in_memory(monkeypatch)


@pytest.fixture
def orders(tmp_path: Path) -> dict[str, str]:
    """A shop that is a file: nothing is asked over a network."""
    day = datetime.now(UTC).date().isoformat()
    rows = "".join(f"c{n % 4},{day}T0{n}:00:00,{n}.50\n" for n in range(8))
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,net_value\n" + rows)
    return {
        "CLV_SHOPS": "x",
        "CLV_X_PLATFORM": "file",
        "CLV_X_PATH": "orders.csv",
        "CLV_MODEL": "mbg",
    }


def test_without_a_collector_nothing_of_opentelemetry_is_loaded(
    tmp_path: Path, orders: Mapping[str, str]
) -> None:
    told = (
        "import sys; sys.argv = ['sync.py', '--quiet', 'run']\n"
        "import sync\ntry: sync.main()\n"
        "finally: print([m for m in sys.modules if m.startswith('opentelemetry')], file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", told],
        env={**bare(), **orders, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (0, "[]"), ended.stderr


@dataclass(frozen=True, slots=True)
class Traced:
    """A run of two practice shops: its summary, its spans, and what must not be in them."""

    summary: Mapping[str, Any]
    spans: Sequence[Any]
    canaries: set[str]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, filled_books: FilledBooks) -> Traced:
    folder = tmp_path_factory.mktemp("traced")
    books = filled_books(folder / "shops.sqlite", CUSTOMERS, datetime.now(UTC).date())
    with serve(books) as sandbox, pytest.MonkeyPatch.context() as patch:
        exporter = in_memory(patch)
        environment = {**sandbox.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": NOBODY}
        ended = called_in(folder)({**environment, "CLV_MODEL": "mbg"}, "run", "--json")
        assert ended.code == 0, ended.err
        people = books.query("SELECT email, first_name, last_name FROM customers")
        secret = ("TOKEN", "SECRET", "KEY")
        canaries = {str(value) for person in people for value in person.values()}
        canaries |= {value for name, value in environment.items() if name.endswith(secret)}
    books.close()
    return Traced(ended.lines[-1], exporter.get_finished_spans(), canaries)


def test_a_run_is_one_trace_of_shops_and_their_stages(traced: Traced) -> None:
    assert len({span.context.trace_id for span in traced.spans}) == 1
    (root,) = [span for span in traced.spans if span.parent is None]
    run_id = traced.summary["run_id"]
    assert root.attributes == {"clv.command": "run", "clv.run_id": run_id, "clv.exit_code": 0}
    assert root.resource.attributes["service.name"] == "clv-sync"
    below = children(traced.spans)
    assert below["run", "shop"] == 2
    assert {below["shop", stage] for stage in ("pull", "score", "plan", "apply")} == {2}


def test_requests_and_pages_stand_below_their_stage_with_status_and_counts(traced: Traced) -> None:
    below = children(traced.spans)
    assert below["pull", "GET"] + below["pull", "POST"] > 4
    assert below["apply", "PUT"] + below["apply", "POST"] > 0
    for shop in ("eu", "us"):
        orders = traced.summary["shops"][shop]["orders"]
        (pull,) = (span for span in traced.spans if is_of(span, "pull", shop))
        pages = [span for span in traced.spans if is_of(span, "page", shop)]
        assert pull.attributes["clv.orders"] == orders > 0
        assert sum(page.attributes["clv.orders"] for page in pages) == orders
    asked = [span for span in traced.spans if span.name in ("GET", "POST", "PUT")]
    assert {span.attributes["http.response.status_code"] for span in asked} <= {200, 404}
    assert {span.attributes["server.address"] for span in asked} == {"127.0.0.1"}


def children(spans: Sequence[Any]) -> Counter[tuple[str, str]]:
    names = {span.context.span_id: span.name for span in spans}
    return Counter((names[span.parent.span_id], span.name) for span in spans if span.parent)


def is_of(span: Any, name: str, shop: str) -> bool:
    return span.name == name and span.attributes.get("clv.shop") == shop


def test_no_span_tells_a_secret_a_person_a_path_or_a_query(traced: Traced) -> None:
    told = " ".join(span.to_json() for span in traced.spans)
    assert "clv.orders" in told
    assert len(traced.canaries) > CUSTOMERS
    ways = {"@", "?", "/rest", "/admin", "graphql", "searchCriteria", "http://"}
    assert [canary for canary in {*traced.canaries, *ways} if canary in told] == []


def test_of_a_failure_its_kind_is_told_and_never_its_words(kept: Any) -> None:
    collector = tracing.Collector(NOBODY)
    with (
        pytest.raises(ShopUnavailable),
        tracing.traced(collector, "run", "1"),
        tracing.stage("shop", shop="eu"),
    ):
        raise ShopUnavailable("token shpat_1 of anna@example.com", mend="Wait.")
    shop, command = kept.get_finished_spans()
    assert shop.attributes == {"clv.shop": "eu", "error.type": "ShopUnavailable"}
    assert not shop.status.is_ok
    assert not command.status.is_ok
    assert (shop.status.description, shop.events) == (None, ())


def test_requests_of_other_threads_hang_on_the_open_stage(kept: Any) -> None:
    def ask() -> None:
        with tracing.request("GET", "shop.example.com", "eu") as tell:
            tell(503)

    with tracing.traced(tracing.Collector(NOBODY), "pull", "1"), tracing.stage("pull", shop="eu"):
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    *asked, pull, command = kept.get_finished_spans()
    assert [span.parent.span_id for span in asked] == [pull.context.span_id] * 3
    assert pull.parent.span_id == command.context.span_id
    assert not any(span.status.is_ok for span in asked)


def test_one_command_tells_nothing_of_another(kept: Any) -> None:
    with tracing.traced(tracing.Collector(NOBODY), "pull", "1"):
        pass
    with tracing.stage("score"):
        tracing.note(orders=1)
    assert [span.name for span in kept.get_finished_spans()] == ["pull"]


# ---------------------------------------------------------------------------- a collector's answer


@contextmanager
def collecting(answer: int = 200, hangs: bool = False) -> Iterator[tuple[str, list[Any]]]:
    """A collector on loopback: its address, and what it was sent."""
    sent: list[Any] = []
    let_go = threading.Event()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            sent.append((self.path, dict(self.headers), body))
            if hangs:
                let_go.wait(30)
            with suppress(OSError):  # nobody waits any more
                self.send_response(answer)
                self.end_headers()

        def log_message(self, *told: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", sent
    finally:
        let_go.set()
        server.shutdown()
        server.server_close()


@pytest.mark.end_to_end
def test_a_collector_on_loopback_gets_the_spans_and_its_key(
    run: Run, orders: Mapping[str, str]
) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with collecting() as (url, sent):
        ended = run(
            {**orders, "OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_HEADERS": "k=v%201"},
            "run",
            "--json",
        )
    assert ended.code == 0, ended.err
    assert {path for path, _, _ in sent} == {"/v1/traces"}
    assert {headers["k"] for _, headers, _ in sent} == {"v 1"}
    names = [
        span.name
        for _, _, body in sent
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert {"run", "shop", "pull", "page", "score", "plan", "apply"} == set(names)


@pytest.mark.end_to_end
@pytest.mark.parametrize("trouble", ["gone", "hangs", "fails"])
def test_a_bad_collector_fails_nothing_and_holds_the_end_for_a_moment_only(
    trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "END_SECONDS", 0.3)
    with collecting(503, hangs=trouble == "hangs") as (url, _):
        if trouble == "gone":
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with tracing.traced(tracing.Collector(url), "run", "1"):
            for _ in range(5_000):  # more than the queue holds
                with tracing.stage("page"):
                    pass
            ending = time.monotonic()
        assert time.monotonic() - ending < 3  # it hangs for 30 seconds
    for thread in threading.enumerate():
        if thread.name.startswith("OtelBatch"):
            thread.join(5)
            assert not thread.is_alive()


@pytest.mark.end_to_end
def test_without_its_libraries_a_run_goes_on_and_says_so(
    run: Run, orders: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "installed", lambda: False)
    ended = run({**orders, "OTEL_EXPORTER_OTLP_ENDPOINT": NOBODY}, "run", "--json")
    assert ended.code == 0
    assert "clv-sync[otel]" in ended.events("warning")[0]["warning"]
