"""How does the console try a conversation? A signed interface that keeps nothing and logs no word.

The state travels with each request, so there is nothing here to be stored, to be mixed up or to be erased.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from bot.nlu_client import NluClient
from bot.runtime import Runtime
from bot.signature import signed_by
from bot.tryout import golden
from bot.tryout.draft import Draft, Drafts
from bot.tryout.rehearsal import Rehearsal, TryOutInvalid, Wanted
from flows import diagram
from flows.model import ROLES
from flows.speech import known_locale

#: A tried conversation that is longer is no test that a person would read.
MAX_TURNS = 200
MAX_GOLDEN_NAME = 300


class Golden(BaseModel):
    """A tried conversation that is to become a test."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=MAX_GOLDEN_NAME)]
    given: dict[Literal["role", "country", "locale"], Annotated[str, Field(max_length=10)]]
    turns: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_TURNS)]


@asynccontextmanager
async def opened(runtime: Runtime) -> AsyncIterator[APIRouter]:
    """The routes, for as long as the block runs."""
    settings = runtime.settings
    drafts = Drafts(
        settings.content_dir,
        own_directory=settings.directory_dir,
        book=runtime.book,
        lexicon=runtime.lexicon,
        countries=settings.countries,
    )
    nlu = NluClient(settings.nlu_url, intents=runtime.book.intents)
    try:
        yield _router(runtime, drafts, nlu)
    finally:
        await nlu.close()


def _router(runtime: Runtime, drafts: Drafts, nlu: NluClient) -> APIRouter:
    settings = runtime.settings
    routes = APIRouter(prefix="/tryout/v1", route_class=signed_by(settings.service_secret))

    @routes.post("/turns")
    async def turn(wanted: Wanted) -> dict[str, Any]:
        rehearsal = Rehearsal(
            draft=await drafts.now(),
            nlu=nlu,
            threshold=settings.nlu_threshold,
            countries=settings.countries,
        )
        try:
            return await rehearsal.play(wanted)
        except TryOutInvalid as error:
            raise HTTPException(422, {"error": "cannot_be_tried", "detail": str(error)}) from error

    @routes.get("/content")
    async def content() -> dict[str, Any]:
        draft = await drafts.now()
        return _overview(draft) | {"countries": list(settings.countries)}

    @routes.get("/flows/{name}")
    async def drawing(name: str, locale: str = "en") -> dict[str, Any]:
        draft = await drafts.now()
        flow = draft.book.flows.get(name)
        if flow is None:
            raise HTTPException(404, {"error": "flow_unknown", "detail": f"There is no flow '{name}'."})
        spoken = known_locale(draft.book, locale)
        return {
            "name": name,
            "file": flow.file,
            "tree": diagram.tree(flow, draft.book.texts, locale=spoken),
            "mermaid": diagram.draw(flow, draft.book.texts, locale=spoken),
        }

    @routes.post("/goldens")
    async def save(wanted: Golden) -> dict[str, str]:
        given = {str(name): value for name, value in wanted.given.items()}
        return {"yaml": golden.document(name=wanted.name, given=given, turns=wanted.turns)}

    return routes


def _overview(draft: Draft) -> dict[str, Any]:
    book = draft.book
    return {
        "locales": list(book.locales),
        "roles": list(ROLES),
        "intents": sorted(book.intents),
        "flows": [
            {"name": flow.name, "file": flow.file, "intents": list(flow.intents)}
            for flow in sorted(book.flows.values(), key=lambda flow: flow.name)
        ],
        "problems": list(draft.problems),
        "readable": draft.readable,
        "live": draft.live,
    }
