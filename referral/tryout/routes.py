"""Which pages does an editor have? A conversation to try, drawings of the flows, the problems of the files.

All of them wait for the bot, and hold no connection to the database meanwhile: the desk needs those.
"""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData
from starlette.responses import JSONResponse, Response

from referral.console.door import EditorForm, SignedInEditor
from referral.console.pages import fragment, page
from referral.console.views import Queue, Views
from referral.database import transaction
from referral.errors import FormIncomplete, ReferralError
from referral.operators.access import SignedIn
from referral.services import Services, ServicesIn
from referral.tryout.schemas import Content

router = APIRouter(prefix="/tryout")


class _Asked(BaseModel):
    """A turn as the page sends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: For the bot, which knows what it means.
    turn: dict[str, Any]
    #: What the pressed button said.
    title: str = Field(default="", max_length=200)
    number: int = Field(default=1, ge=1, le=10_000)


@router.get("")
async def try_out_page(services: ServicesIn, operator: SignedInEditor) -> Response:
    """The conversation; what happens in it is sent piece by piece."""
    content, refusal = await _content(services)
    return await _page(services, operator, "tryout.html", content=content, refusal=refusal)


@router.post("/turns")
async def turn(services: ServicesIn, form: EditorForm) -> Response:
    """One turn: a piece of page with what was said and why, and what travels with the next turn."""
    asked = _asked(form)
    told = await services.tryout.turn(asked.turn)
    event = asked.turn.get("event")
    shown = fragment(
        services.pages,
        "_turn.html",
        turn=told,
        event=event if isinstance(event, dict) else {},
        title=asked.title,
        number=asked.number,
    )
    return JSONResponse(
        {
            "html": shown,
            "state": told.state,
            "offered": told.offered,
            "golden": told.golden,
            "timer_seconds": told.at.timer_seconds if told.at else None,
            "mode": told.mode,
        }
    )


@router.post("/golden")
async def golden(services: ServicesIn, form: EditorForm) -> Response:
    """The conversation as a file to be put into ``tests/golden``."""
    saved = await services.tryout.golden(_json(form, "golden"))
    headers = {"content-disposition": 'attachment; filename="golden.yaml"'}
    return Response(saved.yaml, media_type="application/yaml; charset=utf-8", headers=headers)


@router.get("/problems")
async def problems_page(services: ServicesIn, operator: SignedInEditor) -> Response:
    """Everything that ``./porchlight check`` says about the content files as they are now."""
    content, refusal = await _content(services)
    return await _page(services, operator, "tryout_problems.html", content=content, refusal=refusal)


@router.get("/flows")
async def drawing_page(
    services: ServicesIn,
    operator: SignedInEditor,
    flow: str = "welcome",
    locale: str = "en",
) -> Response:
    """What a flow looks like."""
    content, refusal = await _content(services)
    drawing = None
    if content is not None:
        try:
            drawing = await services.tryout.drawing(flow, locale=locale)
        except ReferralError as error:
            refusal = error
    return await _page(
        services,
        operator,
        "tryout_drawing.html",
        content=content,
        refusal=refusal,
        drawing=drawing,
        locale=locale,
    )


async def _page(
    services: Services,
    operator: SignedIn,
    template: str,
    *,
    content: Content | None,
    refusal: ReferralError | None,
    **more: object,
) -> Response:
    """A page that shows what the bot told, or the sentence that says why it did not."""
    return page(
        services.pages,
        template,
        status=refusal.http_status if refusal else 200,
        operator=operator,
        queue=await _queue(services, operator),
        content=content,
        refusal=refusal.sentence if refusal else None,
        **more,
    )


async def _content(services: Services) -> tuple[Content | None, ReferralError | None]:
    """What can be tried; or why not, for a page that says so instead of a bare error."""
    try:
        return await services.tryout.content(), None
    except ReferralError as error:
        return None, error


async def _queue(services: Services, operator: SignedIn) -> Queue | None:
    """Who waits, for those who would come to help; editors do not see it."""
    if not operator.helps:
        return None
    async with transaction(services.sessions) as session:
        return await Views(session, privacy=services.privacy, now=services.clock()).queue()


def _asked(form: FormData) -> _Asked:
    try:
        return _Asked.model_validate(_json(form, "asked"))
    except ValidationError:
        raise FormIncomplete from None


def _json(form: FormData, name: str) -> dict[str, Any]:
    value = form.get(name)
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FormIncomplete
    return found
