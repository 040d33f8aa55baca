"""Does the client ask the next model server when one fails, and leave the failed one in peace?"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.nlu_client import NluClient


class Server:
    """Answers as Rasa does, or fails when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append(said["text"])
                body = json.dumps(
                    {
                        "intent_ranking": [
                            {"name": "insults", "confidence": 0.9},
                            {"name": "invented", "confidence": 0.1},
                        ],
                        "parts": [[{"name": "threats", "confidence": 0.8}]],
                    }
                ).encode()
                self.send_response(500 if outer.broken else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def two() -> Iterator[tuple[Server, Server]]:
    servers = Server(), Server()
    yield servers
    for server in servers:
        server.stop()


async def test_several_servers_are_asked_in_turn(two: tuple[Server, Server]) -> None:
    client = NluClient(", ".join(server.url for server in two), intents={"insults", "threats"})

    for number in range(6):
        parsed = await client.parse(f"text {number}")

    await client.close()
    assert [len(server.asked) for server in two] == [3, 3]
    assert parsed is not None
    assert [guess.intent for guess in parsed.ranking] == ["insults"]
    assert [guess.intent for part in parsed.parts for guess in part] == ["threats"]


async def test_the_end_of_a_long_message_is_read_too(two: tuple[Server, Server]) -> None:
    first, _ = two
    client = NluClient(first.url, intents={"insults"})

    await client.parse("/" + "blah " * 300 + "my stepfather hits me \udcff")

    await client.close()
    assert first.asked[0].endswith("my stepfather hits me ?")


async def test_a_failed_server_is_passed_over_and_no_text_is_lost(two: tuple[Server, Server]) -> None:
    first, second = two
    second.broken = True
    client = NluClient(f"{first.url},{second.url}", intents={"insults"})

    parsed = [await client.parse(f"text {number}") for number in range(6)]

    await client.close()
    assert None not in parsed
    assert len(second.asked) == 1
    assert len(first.asked) == 6


async def test_servers_that_all_failed_are_asked_again_at_once(two: tuple[Server, Server]) -> None:
    for server in two:
        server.broken = True
    client = NluClient(",".join(server.url for server in two), intents={"insults"})
    assert await client.parse("one") is None

    for server in two:
        server.broken = False

    assert await client.parse("two") is not None
    await client.close()
