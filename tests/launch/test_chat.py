"""A document that the bot gives to somebody in a terminal becomes a file there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.launch.chat import Conversation, Message
from tests.fakes.server import serving

_SAID = [
    {"text": "Here it is.", "choices": [], "document": None},
    {"text": "My plan (PDF)", "choices": [], "document": {"name": "plan.pdf", "address": "/documents/a.pdf"}},
    {
        "text": "My plan (PDF)",
        "choices": [],
        "document": {"name": "../plan.pdf", "address": "/documents/a.pdf"},
    },
    {
        "text": "My plan (PDF)",
        "choices": [],
        "document": {"name": "plan.pdf", "address": "/documents/gone.pdf"},
    },
]


async def _events(request: Request) -> Response:
    async def stream() -> AsyncIterator[str]:
        for number, message in enumerate(_SAID):
            yield f"id: {number}\ndata: {json.dumps(message)}\n\n"
        await asyncio.sleep(60)

    return StreamingResponse(stream(), media_type="text/event-stream")


async def _document(request: Request) -> Response:
    if request.path_params["name"] == "a.pdf":
        return Response(b"%PDF-1.7")
    return PlainTextResponse("There is no document behind this link any more.\n", status_code=404)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a bot that has just said all of it."""
    app = Starlette(
        routes=[Route("/chat/v1/events", _events), Route("/documents/{name}", _document)],
    )
    async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client


async def test_documents_are_put_beside_each_other_and_told(http: httpx.AsyncClient, tmp_path: Path) -> None:
    shown: list[Message] = []
    complete = asyncio.Event()

    def show(message: Message) -> None:
        shown.append(message)
        if len(shown) == len(_SAID):
            complete.set()

    listening = asyncio.create_task(Conversation(http, show, folder=tmp_path, token="x").listen())
    await asyncio.wait_for(complete.wait(), 10)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)

    assert [message.get("file") for message in shown] == [
        None,
        str(tmp_path / "plan.pdf"),
        str(tmp_path / "plan-2.pdf"),
        None,
    ]
    assert (tmp_path / "plan-2.pdf").read_bytes() == b"%PDF-1.7"
    assert shown[3]["text"] == "My plan (PDF): There is no document behind this link any more."
