"""Takes in what happens at the helpline: a case taken, words of the operator, an end."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError

from bot.messages import MAX_TEXT, InboxDown, clean
from bot.problem import refusal
from bot.signature import signed_by
from bot.store import Store
from bot.traces import span


class _File(BaseModel):
    id: UUID
    title: Annotated[str, Field(max_length=200)]
    form: Literal["pdf", "png"]


class _Case(BaseModel):
    case: UUID
    message: UUID | None = None
    text: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    #: What the operator gave: one of our documents, or a file of their own.
    document: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")] | None = None
    file: _File | None = None
    #: Whether the visitor may be asked how the talk was.
    rate: bool = False


class _Event(BaseModel):
    kind: Annotated[
        Literal["case.taken", "case.message", "case.returned", "case.closed", "case.writing"],
        Field(alias="type"),
    ]
    data: _Case


def router(*, store: Store, secret: str) -> APIRouter:
    """``POST /referral/events``: 202 once on disk, 401, 410 when the conversation was erased, 422, 503."""
    routes = APIRouter(route_class=signed_by(secret))

    @routes.post(
        "/referral/events",
        status_code=202,
        responses={410: refusal("The conversation was erased.")},
    )
    async def receive(request: Request) -> JSONResponse:
        try:
            event = _Event.model_validate_json(await request.body())
        except ValidationError as error:
            raise HTTPException(
                422, {"error": "unreadable", "detail": "This is no event of a case."}
            ) from error
        with span("accept", after=request.headers.get("traceparent"), kind=event.kind):
            return await _keep(store, event, number=request.headers["webhook-id"])

    return routes


def _gift(told: _Case) -> dict[str, dict[str, str]]:
    if told.document:
        return {"gift": {"document": told.document}}
    if told.file:
        return {
            "gift": {
                "number": str(told.file.id),
                "title": clean(told.file.title),
                "form": told.file.form,
            }
        }
    return {}


async def _keep(store: Store, event: _Event, *, number: str) -> JSONResponse:
    conversation = await store.conversation_of(event.data.case)
    if conversation is None:
        return JSONResponse({"error": "gone", "detail": "This conversation was erased."}, status_code=410)
    if event.kind == "case.writing":
        # Only an open page can show it, and only now.
        await store.tell_page(conversation, "writing")
        return JSONResponse({"accepted": number}, status_code=202)
    if event.kind == "case.closed":
        await store.case_closed(event.data.case)
    try:
        known = await store.accept_for(
            conversation,
            update=f"referral {number}",
            event={
                "kind": event.kind,
                "text": clean(event.data.text),
                "rate": event.data.rate,
                **_gift(event.data),
            },
        )
    except InboxDown:
        return JSONResponse(
            {"error": "out_of_order", "detail": "Send it again."},
            status_code=503,
            headers={"retry-after": "5"},
        )
    if not known:
        return JSONResponse({"error": "gone", "detail": "This conversation was erased."}, status_code=410)
    return JSONResponse({"accepted": number}, status_code=202)
