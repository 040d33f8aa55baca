"""What may the helpline's desk ask about the bot? Sums of how the flows are used, and how the bot is doing.

Signed, since both say how a helpline is used, though neither says anything of a visitor.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Query

from bot.nlu_client import served_model
from bot.runtime import Runtime
from bot.signature import signed_by
from bot.tally.sums import between
from flows.model import AskNode, Book, CollectNode
from flows.texts import FALLBACK_LOCALE

#: Somebody waits for the page on which this stands.
_TIMEOUT = httpx.Timeout(2, connect=1)
#: So much of a question tells which one it is.
_LONGEST_QUESTION = 120
#: So many hexadecimal digits tell two versions of the content apart.
_DIGITS = 12

_FILLED_IN = re.compile(r"\{[^{}]*\}")

Month = Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


@asynccontextmanager
async def opened(runtime: Runtime) -> AsyncIterator[APIRouter]:
    """The routes, for as long as the block runs."""
    content = await asyncio.to_thread(_version, runtime.settings.content_dir)
    async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False) as http:
        yield _router(runtime, http=http, content=content)


def _router(runtime: Runtime, *, http: httpx.AsyncClient, content: str) -> APIRouter:
    settings = runtime.settings
    routes = APIRouter(prefix="/oversight/v1", route_class=signed_by(settings.service_secret))

    @routes.get("/sums")
    async def sums(first: Month, last: Month) -> dict[str, Any]:
        found = await between(runtime.store, first=first, last=last)
        places = {(item.mark.flow, item.mark.node) for item in found if item.mark.node}
        return {
            "sums": [
                {
                    "what": item.mark.what,
                    "flow": item.mark.flow,
                    "node": item.mark.node,
                    "locale": item.mark.locale,
                    "number": item.number,
                }
                for item in found
            ],
            "questions": [
                {"flow": flow, "node": node, "text": _question(runtime.book, flow=flow, node=node)}
                for flow, node in sorted(places)
            ],
        }

    @routes.get("/condition")
    async def condition() -> dict[str, Any]:
        waiting = await runtime.store.unfinished()
        return {
            "waiting": {
                "messages": waiting.messages,
                "oldest_message_seconds": waiting.oldest_message,
                "parked": waiting.parked,
                "deliveries": dict(waiting.deliveries),
                "oldest_delivery_seconds": waiting.oldest_delivery,
            },
            "models": await asyncio.gather(*(_model(http, url) for url in settings.nlu_url.split(","))),
            "channels": ["web", *runtime.channels],
            "content": content,
            "locales": list(runtime.book.locales),
            "countries": list(settings.countries),
            "retention_days": settings.retention_days,
        }

    return routes


async def _model(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Whether a model server answers, and with which model."""
    model = await served_model(http, url)
    return {"answers": model is not None, "model": model or ""}


def _question(book: Book, *, flow: str, node: str) -> str:
    """The first words of a question as children read it; empty where it is no longer asked."""
    found = book.flows[flow].nodes.get(node) if flow in book.flows else None
    match found:
        case AskNode(ask=key) | CollectNode(collect=key):
            text = book.texts.find(key, flow=flow, locale=FALLBACK_LOCALE)
            return _first_words(text.text) if text else ""
        case _:
            return ""


def _first_words(text: str) -> str:
    """The beginning of a text without its marks and without what is filled in for each visitor."""
    line = _FILLED_IN.sub("…", text.replace("**", "")).split("\n", 1)[0]
    return textwrap.shorten(line, _LONGEST_QUESTION, placeholder=" …")


def _version(folder: Path) -> str:
    """A short name for exactly this content."""
    read = hashlib.sha256()
    for file in sorted(folder.rglob("*.yaml")):
        read.update(str(file.relative_to(folder)).encode())
        read.update(file.read_bytes())
    return read.hexdigest()[:_DIGITS]
