"""Where a command's time goes, as OpenTelemetry spans; the only module that knows OpenTelemetry.

Off unless a collector is named: then nothing is imported, and a span costs a look at a variable.
One trace a command. Stages nest as they are opened, by one thread; requests hang on the innermost
stage, whichever thread sends them. A span tells names of shops and stages, counts, a host and a
status: never a path, a query, a header or a body, in which tokens and people may stand.

The collector is asked behind our back, by a thread of its own, from a queue that drops what is too
much; the end waits `END_SECONDS` for it. So a collector that hangs or is gone costs no more.
https://opentelemetry.io/docs/specs/otel/protocol/exporter/ (read 2026-11-29)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, SpanKind

#: How long the collector may take for one batch, and for all that is left at the end.
SEND_SECONDS = 5
END_SECONDS = 2

P = ParamSpec("P")
T = TypeVar("T")
Fact = str | int
#: Adds facts to a span.
Tell = Callable[..., None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collector:
    """Where spans go: the address before `/v1/traces`, and what is sent along."""

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    bundle: Path | None = None


class _Trace:
    """The spans of one command. The stack of open stages is the main thread's alone."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import trace

        self._api = trace
        self._tracer = provider.get_tracer("clv-sync")
        self._open: list[tuple[Span, dict[str, Fact]]] = []

    @contextmanager
    def stage(self, name: str, facts: Mapping[str, Fact]) -> Iterator[Tell]:
        """A stage of a shop's stage is that shop's, too."""
        above = self._open[-1][1] if self._open else {}
        facts = {**above, **facts}
        with self._span(name, self._api.SpanKind.INTERNAL, _ours(facts)) as span:
            self._open.append((span, {"shop": facts["shop"]} if "shop" in facts else {}))
            try:
                yield lambda **more: span.set_attributes(_ours(more))
            finally:
                self._open.pop()

    @contextmanager
    def request(self, method: str, host: str, shop: str) -> Iterator[Tell]:
        facts = {"http.request.method": method, "server.address": host, "clv.shop": shop}
        with self._span(method, self._api.SpanKind.CLIENT, facts) as span:

            def answered(status: int) -> None:
                span.set_attribute("http.response.status_code", status)
                if status >= 400:
                    span.set_status(self._api.StatusCode.ERROR)

            yield answered

    def note(self, facts: Mapping[str, Fact]) -> None:
        for span, _ in self._open[-1:]:
            span.set_attributes(_ours(facts))

    @contextmanager
    def _span(self, name: str, kind: SpanKind, facts: Mapping[str, Fact]) -> Iterator[Span]:
        """A span below the innermost stage. Of a failure its kind is told, never its words."""
        under = self._api.set_span_in_context(self._open[-1][0]) if self._open else None
        span = self._tracer.start_span(name, under, kind, facts)
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(self._api.StatusCode.ERROR)
            raise
        finally:
            span.end()


def _ours(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    return {f"clv.{name}": fact for name, fact in facts.items()}


_trace: _Trace | None = None
_NOBODY: AbstractContextManager[Tell] = nullcontext(lambda *told, **facts: None)


def stage(name: str, **facts: Fact) -> AbstractContextManager[Tell]:
    """A part of the command, as a span; what it gives takes more facts."""
    return _trace.stage(name, facts) if _trace else _NOBODY


def request(method: str, host: str, shop: str) -> AbstractContextManager[Tell]:
    """One request that is sent to a host; what it gives takes the status of the answer."""
    return _trace.request(method, host, shop) if _trace else _NOBODY


def note(**facts: Fact) -> None:
    """Counts of the stage at hand."""
    if _trace:
        _trace.note(facts)


def staged(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A function that is a stage of its own whenever it is called."""

    def decorated(do: Callable[P, T]) -> Callable[P, T]:
        @wraps(do)
        def in_stage(*given: P.args, **named: P.kwargs) -> T:
            with stage(name):
                return do(*given, **named)

        return in_stage

    return decorated


@contextmanager
def traced(collector: Collector | None, command: str, run_id: str) -> Iterator[Tell]:
    """A trace of the command for the collector; nothing where there is none."""
    if collector is None:
        yield lambda **facts: None
        return
    with _sent_to(*_in_batches(collector)), stage(command, command=command, run_id=run_id) as tell:
        yield tell


def installed() -> bool:
    """Whether the extra is there whose libraries tell a collector."""
    from importlib.util import find_spec

    return find_spec("opentelemetry") is not None and all(
        find_spec(f"opentelemetry.{name}") for name in ("sdk", "exporter")
    )


@contextmanager
def _sent_to(processor: SpanProcessor, exporter: SpanExporter) -> Iterator[None]:
    """Spans go to the exporter, which has `END_SECONDS` for those that are left at the end."""
    from opentelemetry.sdk.trace import TracerProvider

    global _trace
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(processor)
    _trace = _Trace(provider)
    try:
        yield
    finally:
        _trace = None
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(END_SECONDS)
        if ending.is_alive():
            log.warning("the collector does not answer in time: spans are lost")
            exporter.shutdown()  # it must not try on


def _in_batches(collector: Collector) -> tuple[SpanProcessor, SpanExporter]:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(
        endpoint=f"{collector.endpoint.rstrip('/')}/v1/traces",
        headers=collector.headers,
        timeout=SEND_SECONDS,
        certificate_file=str(collector.bundle) if collector.bundle else None,
    )
    return BatchSpanProcessor(exporter), exporter


def _resource() -> Resource:
    """Who tells: `clv-sync`, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say so."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource

    told = Resource.create()
    named = not str(told.attributes[SERVICE_NAME]).startswith("unknown_service")
    return told if named else told.merge(Resource({SERVICE_NAME: "clv-sync"}))
