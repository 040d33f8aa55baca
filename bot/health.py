"""How is this process? Alive, ready, and its figures for Prometheus; the same for web and worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from bot.migrate import is_behind
from bot.nlu_client import served_model
from bot.runtime import Runtime
from bot.store import DATABASE_DOWN

#: Whoever asks whether we are ready asks again in seconds; a database or a model that thinks longer is not.
_PATIENCE_SECONDS = 2.0
#: A message that waits longer has been late for a frightened child.
_LATE_SECONDS = 60.0


def router(runtime: Runtime) -> APIRouter:
    """``/healthz``, ``/readyz`` and ``/metrics``."""
    routes = APIRouter()

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        # Our statement may hang where the database does, so nobody waits for it.
        asking = asyncio.create_task(_missing(runtime))
        done, _ = await asyncio.wait({asking}, timeout=_PATIENCE_SECONDS)
        if not done:
            asking.add_done_callback(lambda late: late.cancelled() or late.exception())
        missing = asking.result() if done else ["database"]
        if missing:
            return JSONResponse({"status": "down", "missing": missing, "degraded": []}, status_code=503)
        degraded = await _degraded(runtime)
        return JSONResponse(
            {"status": "degraded" if degraded else "ready", "missing": [], "degraded": degraded}
        )

    @routes.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        await runtime.store.count_open()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _missing(runtime: Runtime) -> list[str]:
    """What nothing can be done without."""
    if not await runtime.store.alive():
        return ["database"]
    try:
        behind = is_behind(await runtime.store.revision())
    except SQLAlchemyError:
        behind = True  # There are no tables at all.
    return ["migrations"] if behind else []


async def _degraded(runtime: Runtime) -> list[str]:
    """What does not work as it should, while visitors are answered all the same."""
    found = []
    try:
        queue, waiting = await runtime.store.queue(), await runtime.store.unfinished()
    except DATABASE_DOWN:
        return ["database"]
    if not queue.workers:
        found.append("no worker")
    if waiting.oldest_message > _LATE_SECONDS:
        found.append("answers are late")
    urls = runtime.settings.nlu_url.split(",")
    async with httpx.AsyncClient(timeout=_PATIENCE_SECONDS, trust_env=False) as http:
        answers = await asyncio.gather(*(served_model(http, url) for url in urls))
    if not any(answers):
        found.append("no model")
    elif not all(answers):
        found.append("some models")
    return found


class _Beside(uvicorn.Server):
    """A server that leaves the signals to the process that it is a part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def listen(runtime: Runtime, *, at: str) -> None:
    """Tell at ``host:port`` how this process is, until cancelled."""
    host, _, port = at.rpartition(":")
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(router(runtime))
    config = uvicorn.Config(
        app, host=host, port=int(port), log_config=None, access_log=False, lifespan="off", ws="none"
    )
    await _Beside(config).serve()
