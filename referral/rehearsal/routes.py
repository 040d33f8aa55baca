"""How does somebody begin to practise at the console, and where do they see how it went?"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from referral.console.door import CheckedForm, SignedInOperator
from referral.console.pages import page
from referral.console.views import Views
from referral.errors import VisitorsFirst
from referral.operators.access import Access
from referral.rehearsal.children import Children, rehearsing
from referral.rehearsal.repository import RehearsalRepository
from referral.services import ServicesIn, TransactionIn

router = APIRouter(prefix="/practice")


@router.get("")
async def practice_page(services: ServicesIn, operator: SignedInOperator, session: TransactionIn) -> Response:
    """What practising is, and how my last rehearsals went."""
    views = Views(session, privacy=services.privacy, now=services.clock())
    children = Children(
        services.sessions,
        privacy=services.privacy,
        clock=services.clock,
        clocks=services.settings.clocks,
    )
    async with rehearsing(services.sessions) as practice:
        closed = await RehearsalRepository(practice).closed_by(operator.operator)
        judged = [await children.judge(case, session=practice) for case in closed]
    return page(
        services.pages,
        "practice.html",
        operator=operator,
        queue=await views.queue(),
        judged=judged,
    )


@router.post("")
async def practise(
    services: ServicesIn, operator: SignedInOperator, session: TransactionIn, form: CheckedForm
) -> Response:
    """Begin to practise in this browser, or go back to the visitors."""
    access = Access(session, passwords=services.passwords, privacy=services.privacy, now=services.clock())
    begins = form.get("practise") == "yes"
    if (
        begins
        and not operator.rehearses
        and await RehearsalRepository(session).holds_visitor(operator.operator)
    ):
        raise VisitorsFirst
    await access.rehearse(operator, begins=begins)
    return RedirectResponse("/", status_code=303)
