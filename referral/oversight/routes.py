"""Which pages tell a supervisor how everything is doing and what is in force?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from referral.connectors.repository import LetterRepository
from referral.console.door import CheckedForm, PatientSupervisor, Supervisor
from referral.console.pages import page
from referral.console.views import Views
from referral.errors import BotMisunderstood, BotUnreachable, FormIncomplete, PolicyInvalid
from referral.events.repository import EventRepository
from referral.operators.access import SignedIn
from referral.oversight.inforce import sections
from referral.oversight.parts import Seen, parts
from referral.oversight.schemas import Condition
from referral.pager.repository import PageRepository
from referral.pager.rules import Channel
from referral.policy.repository import PolicyRepository
from referral.policy.rules import BOUNDS, Rule
from referral.services import Services, ServicesIn, TransactionIn

router = APIRouter()

#: So many changes stand below what is in force.
_CHANGES = 20


async def _condition(services: ServicesIn, _: PatientSupervisor) -> Condition | None:
    try:
        return await services.oversight.condition()
    except (BotUnreachable, BotMisunderstood):
        return None


ConditionIn = Annotated[Condition | None, Depends(_condition)]


@router.get("/status")
async def status_page(
    services: ServicesIn, operator: PatientSupervisor, condition: ConditionIn, session: TransactionIn
) -> Response:
    """Who waits, and which parts are up."""
    now = services.clock()
    queue = await Views(session, privacy=services.privacy, now=now).queue()
    return page(
        services.pages,
        "status.html",
        operator=operator,
        queue=queue,
        parts=parts(await _seen(services, session), condition),
        clocks=services.policy.clocks,
        now=now,
    )


@router.get("/settings")
async def settings_page(
    services: ServicesIn,
    operator: PatientSupervisor,
    condition: ConditionIn,
    session: TransactionIn,
    saved: str = "",
) -> Response:
    """What is in force, and where it is changed."""
    await services.policy.refresh(session)
    return await _settings(services, session, operator=operator, condition=condition, saved=saved)


@router.post("/settings")
async def change_settings(
    services: ServicesIn, operator: Supervisor, session: TransactionIn, form: CheckedForm
) -> Response:
    """Set what can be set while the desk runs."""
    try:
        changed = await services.policy.change(
            session, _wanted(form), by=operator.operator, now=services.clock()
        )
    except PolicyInvalid as refusal:
        given = {rule: str(form.get(rule, "")) for rule in Rule}
        return await _settings(
            services,
            session,
            operator=operator,
            condition=None,
            given=given,
            refusal=refusal.sentence,
            status=refusal.http_status,
        )
    if changed:
        # Those who read this page next, here, see what they saved; everywhere else it takes a second.
        await services.policy.refresh(session)
    return RedirectResponse(f"/settings?saved={'yes' if changed else 'no'}", status_code=303)


async def _settings(
    services: Services,
    session: AsyncSession,
    *,
    operator: SignedIn,
    condition: Condition | None,
    given: dict[Rule, str] | None = None,
    refusal: str | None = None,
    saved: str = "",
    status: int = 200,
) -> Response:
    views = Views(session, privacy=services.privacy, now=services.clock())
    connections = await LetterRepository(session).connections()
    return page(
        services.pages,
        "settings.html",
        status=status,
        operator=operator,
        queue=await views.queue(),
        values=given or services.policy.now.values,
        in_force=services.policy.now.values,
        defaults=services.policy.defaults,
        bounds=BOUNDS,
        refusal=refusal,
        saved=saved,
        changes=await PolicyRepository(session).newest(limit=_CHANGES),
        sections=sections(
            services.settings,
            condition=condition,
            connections=sum(connection.ended_at is None for connection in connections),
        ),
    )


async def _seen(services: Services, session: AsyncSession) -> Seen:
    events, oldest = await EventRepository(session).pending()
    letters = await LetterRepository(session).counts()
    return Seen(
        now=services.clock(),
        events=events,
        oldest_event=oldest,
        listening=services.changes.listening,
        pages=await PageRepository(session).open_pages(),
        pagers=_pagers(services),
        letters=sum(waiting for waiting, _ in letters.values()),
        letters_parked=sum(parked for _, parked in letters.values()),
    )


def _pagers(services: Services) -> list[Channel]:
    settings = services.settings
    given = {
        Channel.WEBHOOK: settings.pager_webhook_url,
        Channel.TELEGRAM: settings.pager_telegram_token,
        Channel.EMAIL: settings.pager_smtp_url,
    }
    return [channel for channel, setting in given.items() if setting]


def _wanted(form: FormData) -> dict[Rule, int]:
    try:
        return {rule: int(str(form[rule])) for rule in Rule}
    except (KeyError, ValueError):
        raise FormIncomplete("Every field needs a whole number.") from None
