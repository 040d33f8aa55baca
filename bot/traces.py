"""Where the time of a message goes, for a collector that speaks OpenTelemetry; never a word of anybody.

Spans carry names of our own and values from closed lists. What an exception says stays out of them, since it
may quote a visitor, and so does the pseudonym: whoever keeps the traces needs not know who came back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

#: An end of the process waits no longer for a collector that does not answer.
_EXPORT_SECONDS = 2

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("porchlight")


def send_traces(url: str, *, service: str) -> None:
    """Send the spans of this process to the collector at ``url``; where it is empty, nothing is recorded."""
    if not url:
        return
    provider = TracerProvider(resource=Resource({"service.name": service}))
    exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


@contextmanager
def span(name: str, *, after: str | None = None, **known: str | int | bool) -> Iterator[Span]:
    """Measure what happens in the block; ``after`` is what ``here`` said where it began."""
    began = _PROPAGATOR.extract({"traceparent": after}) if after else None
    with _TRACER.start_as_current_span(
        name, context=began, attributes=known, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def here() -> str | None:
    """The current span as W3C's ``traceparent``; None where nothing is recorded."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


def carried() -> dict[str, str]:
    """The header with which a request of ours tells where it belongs; empty where nothing is recorded."""
    current = here()
    return {"traceparent": current} if current else {}
