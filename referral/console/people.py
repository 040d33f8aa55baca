"""Which pages are about the people who work here: who is on, who may come in, who cannot just now?"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.responses import Response

from referral.cases.repository import CaseRepository
from referral.cases.rules import AWAY_AFTER
from referral.connectors.holders import HOLDERS
from referral.console.door import AccessIn, CheckedForm, Supervisor
from referral.console.forms import field, go_to
from referral.console.pages import page
from referral.console.views import Views
from referral.errors import FormIncomplete, OperatorBusy
from referral.operators.factor_repository import FactorRepository
from referral.operators.repository import OperatorRepository
from referral.operators.rules import COUNTRIES, LOCALES, VISITOR_ROLES, Role, email_of, skills_of
from referral.operators.throttle import Throttles
from referral.services import Services, ServicesIn, TransactionIn

router = APIRouter(prefix="/operators")

_PAGE = "/operators"


@router.get("")
async def operators_page(services: ServicesIn, operator: Supervisor, session: TransactionIn) -> Response:
    """Who works here."""
    return await _page(services, operator=operator, session=session)


@router.post("")
async def invite(
    services: ServicesIn, operator: Supervisor, session: TransactionIn, access: AccessIn, form: CheckedForm
) -> Response:
    """A one-time link for a new operator, or another one for somebody who cannot get in."""
    name = field(form, "name")
    if form.get("again"):
        secret = await access.invite_again(name, by=operator.operator)
    else:
        email = email_of(str(form.get("email", "")))
        secret = await access.invite(name, role=_role(form), email=email, by=operator.operator)
    link = f"{services.settings.console}/invitation/{secret}"
    return await _page(services, operator=operator, session=session, link=link, invited=name.strip().lower())


@router.post("/networks/lift")
async def lift_networks(access: AccessIn, operator: Supervisor, _: CheckedForm) -> Response:
    """Networks from which too many wrong passwords came may try again."""
    await access.lift_networks(by=operator.operator)
    return go_to(_PAGE)


@router.post("/{number}/disable")
async def disable(
    number: UUID, access: AccessIn, session: TransactionIn, operator: Supervisor, _: CheckedForm
) -> Response:
    """The operator cannot come in any more."""
    await access.disable(number, by=operator.operator)
    if await CaseRepository(session).holds_any(number):
        raise OperatorBusy
    return go_to(_PAGE)


@router.post("/{number}/sign-out")
async def sign_out_everywhere(
    number: UUID, access: AccessIn, operator: Supervisor, _: CheckedForm
) -> Response:
    """Somebody is signed out in every browser: a phone was lost, or a desk left open."""
    await access.sign_out_everywhere(number, by=operator.operator)
    return go_to(_PAGE)


@router.post("/{number}/reset")
async def reset_second_factor(
    number: UUID, access: AccessIn, operator: Supervisor, _: CheckedForm
) -> Response:
    """A phone is lost, and the paper too: the password alone counts, until they add another factor."""
    await access.reset_second_factor(number, by=operator.operator)
    return go_to(_PAGE)


@router.post("/{number}/lift")
async def lift(number: UUID, access: AccessIn, operator: Supervisor, _: CheckedForm) -> Response:
    """Somebody who typed too many wrong passwords may try again at once."""
    await access.lift(number, by=operator.operator)
    return go_to(_PAGE)


@router.post("/{number}/role")
async def give_role(
    number: UUID, access: AccessIn, session: TransactionIn, operator: Supervisor, form: CheckedForm
) -> Response:
    """Somebody gets other work, and the e-mail address by which they are known."""
    role = _role(form)
    if role not in (Role.OPERATOR, Role.SUPERVISOR) and await CaseRepository(session).holds_any(number):
        raise OperatorBusy
    await access.give_role(number, role, by=operator.operator)
    if "email" in form:
        await access.give_email(number, email_of(field(form, "email")), by=operator.operator)
    return go_to(_PAGE)


@router.post("/{number}/skills")
async def set_skills(number: UUID, access: AccessIn, operator: Supervisor, form: CheckedForm) -> Response:
    """Whom an operator can serve."""
    skills = skills_of(
        locales=map(str, form.getlist("locales")),
        countries=map(str, form.getlist("countries")),
        roles=map(str, form.getlist("roles")),
    )
    await access.set_skills(number, skills, by=operator.operator)
    return go_to(_PAGE)


async def _page(
    services: Services,
    *,
    operator: Supervisor,
    session: AsyncSession,
    link: str | None = None,
    invited: str | None = None,
) -> Response:
    views = Views(session, privacy=services.privacy, now=services.clock())
    throttles = Throttles(session, privacy=services.privacy, now=services.clock())
    everyone = await OperatorRepository(session).everyone()
    return page(
        services.pages,
        "operators.html",
        operator=operator,
        queue=await views.queue(),
        everyone=everyone,
        systems=HOLDERS,
        protected=await FactorRepository(session).protected(),
        held_back=await throttles.held_back([person.name for person in everyone]),
        networks_held_back=await throttles.networks_held_back(),
        by_email=services.provider is not None,
        link=link,
        invited=invited,
        roles=list(Role),
        skills={"locales": LOCALES, "countries": COUNTRIES, "roles": VISITOR_ROLES},
        on_since=services.clock() - AWAY_AFTER,
    )


def _role(form: FormData) -> Role:
    try:
        return Role(field(form, "role"))
    except ValueError:
        raise FormIncomplete("Please choose a role.") from None
