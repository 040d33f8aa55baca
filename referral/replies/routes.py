"""Where do supervisors keep the replies and macros?"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases.rules import Outcome
from referral.console.door import CheckedForm, Supervisor
from referral.console.pages import page
from referral.console.views import Views
from referral.errors import FormIncomplete
from referral.replies.offers import reads
from referral.replies.repository import ReplyRepository
from referral.replies.rules import (
    LOCALES,
    MAX_REPLY,
    MAX_TITLE,
    PLACEHOLDERS,
    Macro,
    Reply,
    Then,
    checked_macro,
    checked_reply,
)
from referral.replies.shipped import reviewed_by
from referral.services import ServicesIn, TransactionIn

router = APIRouter()


@router.get("/replies")
async def replies_page(
    services: ServicesIn, operator: Supervisor, session: TransactionIn, locale: str = ""
) -> Response:
    """All replies of one language, and the macros."""
    chosen = locale if locale in LOCALES else reads()
    kept = ReplyRepository(session)
    return page(
        services.pages,
        "replies.html",
        operator=operator,
        queue=await Views(session, privacy=services.privacy, now=services.clock()).queue(),
        locale=chosen,
        locales=LOCALES,
        replies=list((await kept.replies(chosen)).values()),
        read={slug: reply.text for slug, reply in (await kept.replies(reads())).items()},
        reads=reads(),
        macros=await kept.macros(),
        thens=tuple(Then),
        placeholders=PLACEHOLDERS,
        reviewed=reviewed_by(chosen),
        max_title=MAX_TITLE,
        max_reply=MAX_REPLY,
    )


@router.post("/replies")
async def put_reply(
    services: ServicesIn, operator: Supervisor, session: TransactionIn, form: CheckedForm
) -> Response:
    """A reply of our own, in place of one that is there or beside it; ``hide`` takes it out of use."""
    hidden = bool(form.get("hide"))
    reply = Reply(
        slug=_field(form, "slug").lower(),
        locale=_field(form, "locale"),
        title=_field(form, "title"),
        text=_field(form, "text").replace("\r\n", "\n"),
        template=form.get("template") == "yes",
    )
    kept = ReplyRepository(session)
    await kept.put_reply(checked_reply(reply), by=operator.operator, now=services.clock(), hidden=hidden)
    record(session, Act.REPLY_CHANGED, now=services.clock(), by=operator.operator)
    return RedirectResponse(f"/replies?locale={reply.locale}", status_code=303)


@router.post("/macros")
async def put_macro(
    services: ServicesIn, operator: Supervisor, session: TransactionIn, form: CheckedForm
) -> Response:
    """A macro of our own, in place of one that is there or beside it; ``hide`` takes it out of use."""
    kept = ReplyRepository(session)
    try:
        macro = Macro(
            slug=_field(form, "slug").lower(),
            title=_field(form, "title"),
            reply=_field(form, "reply") or None,
            then=Then(_field(form, "then")),
            outcome=Outcome(_field(form, "outcome")) if form.get("outcome") else None,
            code=_field(form, "code") or None,
        )
    except ValueError:
        raise FormIncomplete from None
    known = frozenset(await kept.replies(reads()))
    await kept.put_macro(
        checked_macro(macro, replies=known),
        by=operator.operator,
        now=services.clock(),
        hidden=bool(form.get("hide")),
    )
    record(session, Act.MACRO_CHANGED, now=services.clock(), by=operator.operator)
    return RedirectResponse("/replies#macros", status_code=303)


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    if not isinstance(value, str):
        raise FormIncomplete
    return value.strip()
