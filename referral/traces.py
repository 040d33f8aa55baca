"""Where the time of a request goes, for a collector that speaks OpenTelemetry; never a word of anybody.

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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: An end of the process waits no longer for a collector that does not answer.
_EXPORT_SECONDS = 2

#: Only the bot, whose requests are signed, says where its requests belong.
_OF_THE_BOT = "/v1/"
#: Pages that stay open, and what monitoring asks again and again.
_NOT_MEASURED = ("/stream", "/healthz", "/readyz", "/metrics")

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


class TracedRequests:
    """Measures every request by its route; its address may hold a one-time link."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith(_NOT_MEASURED):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"]) if scope["path"].startswith(_OF_THE_BOT) else {}
        with span("request", after=headers.get(b"traceparent", b"").decode("latin-1")) as measured:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    measured.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, noted)
            if path := getattr(scope.get("route"), "path", None):
                measured.set_attributes({"http.request.method": scope["method"], "http.route": path})
