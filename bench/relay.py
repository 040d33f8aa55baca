"""How long an operator's words take to reach the child."""

from __future__ import annotations

import asyncio
import re
import time
from uuid import uuid4

import httpx

from bench.load import PATIENCE_SECONDS, Unanswered, Visitor

_PASSWORD = "only for measuring " + uuid4().hex


async def relay_seconds(visitor: Visitor, *, console: str, invitation: str, messages: int) -> list[float]:
    """The seconds from the operator's request to the child's page, for each of so many messages."""
    await visitor.ask({"payload": "i:talk_to_human"})
    await visitor.ask({"payload": "n:handover:offer:yes"})
    await visitor.ask({"payload": "n:handover:others:no"})
    async with httpx.AsyncClient(base_url=console, headers={"origin": console}, trust_env=False) as http:
        fields = {"password": _PASSWORD, "again": _PASSWORD}
        await _post(http, httpx.URL(invitation).path, fields)
        token = await _form_token(http)
        case = await _take_next(http, token)
        waits = []
        for number in range(messages):
            words = f"message {number}"
            began = time.perf_counter()
            sent = {"form_token": token, "entry": str(uuid4()), "words": words}
            await asyncio.gather(_post(http, f"{case}/messages", sent), _read(visitor, words))
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)
    return waits


async def _take_next(http: httpx.AsyncClient, token: str) -> str:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        answer = await _post(http, "/take-next", {"form_token": token})
        if "/cases/" in (place := str(answer.headers.get("location", ""))):
            return place
        await asyncio.sleep(0.1)
    raise Unanswered


async def _form_token(http: httpx.AsyncClient) -> str:
    page = (await http.get("/", headers={"accept": "text/html"})).text
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    if found is None:
        raise ConnectionError("the console did not let the operator in")
    return found[1]


async def _post(http: httpx.AsyncClient, path: str, fields: dict[str, str]) -> httpx.Response:
    answer = await http.post(path, data=fields, headers={"accept": "text/html"})
    if answer.is_error:
        raise ConnectionError(f"the console answered {answer.status_code}")
    return answer


async def _read(visitor: Visitor, words: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await visitor.heard.get())["text"] != words:
                pass
    except TimeoutError as error:
        raise Unanswered from error
