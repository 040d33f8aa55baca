"""A collector for OpenTelemetry on this machine: takes what the processes send, and shows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A span as it was sent."""

    trace: str
    service: str
    name: str


@dataclass(slots=True)
class Collector:
    """What was sent so far."""

    url: str
    bodies: list[bytes] = field(default_factory=list)

    def spans(self) -> list[Seen]:
        """Every span, in the order in which they came."""
        return [span for body in list(self.bodies) for span in _spans(body)]

    def traces(self) -> dict[str, set[tuple[str, str]]]:
        """Every trace: which service has which spans in it."""
        found: dict[str, set[tuple[str, str]]] = {}
        for span in self.spans():
            found.setdefault(span.trace, set()).add((span.service, span.name))
        return found


@contextmanager
def running_collector() -> Iterator[Collector]:
    """A collector on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # The library's name.
            collector.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # The library's name.
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


def sending_traces_to(collector: Collector) -> dict[str, str]:
    """Settings with which processes send their traces there, and do not keep them for long."""
    return {"PORCHLIGHT_TRACES_URL": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}


def _spans(body: bytes) -> Iterator[Seen]:
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Seen(trace=span.trace_id.hex(), service=names["service.name"], name=span.name)
