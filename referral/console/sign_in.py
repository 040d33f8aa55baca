"""Which pages lead into the console: password, second step, passkey, account elsewhere, invitation?"""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import JSONResponse, Response

from referral.console.door import (
    AccessIn,
    CheckedForm,
    SignedInAtAll,
    access_of,
    caller_of,
    check_origin,
    come_in,
    cookie_of,
    delete_cookie,
    set_ticket,
    ticket_of,
)
from referral.console.forms import field, go_to
from referral.console.pages import page
from referral.database import transaction
from referral.errors import PasswordTooWeak, ProviderUnset, ReferralError, StepOver
from referral.operators.access import Arrived, SecondStep
from referral.operators.factors import Factors
from referral.operators.passkeys import Passkeys
from referral.operators.provider import Provider
from referral.services import Services, ServicesIn

router = APIRouter()


@router.get("/sign-in")
async def sign_in_page(services: ServicesIn) -> Response:
    """The door."""
    return _door(services)


@router.post("/sign-in")
async def sign_in(request: Request, services: ServicesIn) -> Response:
    """Come in with name and password."""
    check_origin(request)
    form = await request.form()
    name, password = field(form, "name"), field(form, "password", strip=False)
    caller = caller_of(request, services)
    async with services.passwords.turn(), transaction(services.sessions) as session:
        way = await access_of(services, session).sign_in(name, password, caller=caller)
    if isinstance(way, ReferralError):
        return _door(services, refusal=way, name=name)
    return _on(way, services=services)


@router.get("/sign-in/second")
async def second_step_page(request: Request, services: ServicesIn) -> Response:
    """The second step: what else you have."""
    return await _second_step(request, services)


@router.post("/sign-in/second")
async def second_step(request: Request, services: ServicesIn) -> Response:
    """A code of the app, or one from paper."""
    check_origin(request)
    code = field(await request.form(), "code")
    caller = caller_of(request, services)
    try:
        async with transaction(services.sessions) as session:
            access = access_of(services, session)
            way = await access.second_step(ticket_of(request, services), code, caller=caller)
    except StepOver as over:
        return _door(services, refusal=over)
    if isinstance(way, ReferralError):
        return await _second_step(request, services, refusal=way)
    return _on(way, services=services)


@router.post("/sign-in/passkey/offer")
async def offer_passkey(request: Request, services: ServicesIn) -> Response:
    """What the browser asks its passkeys."""
    check_origin(request)
    async with transaction(services.sessions) as session:
        offer = _passkeys(services, session).offer_sign_in()
    response = JSONResponse({"options": offer.options})
    set_ticket(response, offer.ticket, services=services)
    return response


@router.post("/sign-in/passkey")
async def sign_in_with_passkey(request: Request, services: ServicesIn) -> Response:
    """Come in with a passkey: it is something one has, and was unlocked by who one is or what one knows."""
    check_origin(request)
    answer = field(await request.form(), "answer")
    try:
        async with transaction(services.sessions) as session:
            operator = await _passkeys(services, session).whose(
                answer=answer, ticket=ticket_of(request, services)
            )
            if isinstance(operator, ReferralError):
                return _door(services, refusal=operator)
            caller = caller_of(request, services)
            arrived = await access_of(services, session).arrive(operator, caller=caller, second_factor=True)
    except StepOver as over:
        return _door(services, refusal=over)
    return _on(arrived, services=services)


@router.get("/sign-in/provider")
async def depart_to_provider(services: ServicesIn) -> Response:
    """Off to the organisation's own sign-in."""
    try:
        departure = await _provider(services).depart()
    except ReferralError as refusal:
        return _door(services, refusal=refusal)
    response = go_to(departure.address)
    set_ticket(response, departure.ticket, services=services, abroad=True)
    return response


@router.get("/sign-in/provider/back")
async def return_from_provider(request: Request, services: ServicesIn) -> Response:
    """Back from there."""
    caller = caller_of(request, services)
    try:
        account = await _provider(services).account(
            dict(request.query_params), ticket=ticket_of(request, services)
        )
        async with transaction(services.sessions) as session:
            way = await access_of(services, session).admit(account, caller=caller)
    except ReferralError as refusal:
        return _door(services, refusal=refusal)
    if isinstance(way, ReferralError):
        return _door(services, refusal=way)
    # The strict cookie is not sent on with a redirect that began at another site; from a page of ours it is.
    response = page(services.pages, "arrived.html", to=_target(way))
    return _equip(response, way, services=services)


@router.post("/sign-out")
async def sign_out(
    request: Request, services: ServicesIn, somebody: SignedInAtAll, access: AccessIn, _: CheckedForm
) -> Response:
    """Leave, in this browser."""
    await access.sign_out(cookie_of(request, services) or "", by=somebody.operator)
    response = go_to("/sign-in")
    delete_cookie(response, services=services)
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


@router.get("/invitation/{secret}")
async def invitation_page(secret: str, services: ServicesIn, access: AccessIn) -> Response:
    """The first time: choose a password. Looking at the page does not use the link up."""
    operator = await access.invited(secret)
    return page(services.pages, "invitation.html", name=operator.name, secret=secret, refusal=None)


@router.post("/invitation/{secret}")
async def accept_invitation(secret: str, request: Request, services: ServicesIn) -> Response:
    """The password is chosen, the link is used up, the operator is signed in."""
    check_origin(request)
    form = await request.form()
    password = field(form, "password", strip=False)
    caller = caller_of(request, services)
    try:
        if password != field(form, "again", strip=False):
            raise PasswordTooWeak("The two passwords are not the same.")
        async with services.passwords.turn(), transaction(services.sessions) as session:
            way = await access_of(services, session).accept(secret, password, caller=caller)
    except PasswordTooWeak as refusal:
        async with transaction(services.sessions) as session:
            operator = await access_of(services, session).invited(secret)
        return page(
            services.pages,
            "invitation.html",
            status=refusal.http_status,
            name=operator.name,
            secret=secret,
            refusal=refusal.sentence,
        )
    return _on(way, services=services)


def _door(services: Services, *, refusal: ReferralError | None = None, name: str = "") -> Response:
    return page(
        services.pages,
        "sign_in.html",
        status=refusal.http_status if refusal else 200,
        refusal=refusal.sentence if refusal else None,
        name=name,
        passkeys=services.relying is not None,
        provider=services.provider is not None,
        provider_name=services.settings.oidc_name,
    )


async def _second_step(
    request: Request, services: Services, *, refusal: ReferralError | None = None
) -> Response:
    try:
        async with transaction(services.sessions) as session:
            operator = await access_of(services, session).second_step_of(ticket_of(request, services))
            factors = Factors(session, privacy=services.privacy, now=services.clock())
            standing = await factors.standing(operator)
    except StepOver as over:
        return _door(services, refusal=over)
    return page(
        services.pages,
        "second_step.html",
        status=refusal.http_status if refusal else 200,
        refusal=refusal.sentence if refusal else None,
        standing=standing,
        passkeys=services.relying is not None,
    )


def _target(way: Arrived | SecondStep) -> str:
    return "/" if isinstance(way, Arrived) else "/sign-in/second"


def _equip(response: Response, way: Arrived | SecondStep, *, services: Services) -> Response:
    if isinstance(way, Arrived):
        return come_in(response, way, services=services)
    set_ticket(response, way.ticket, services=services)
    return response


def _on(way: Arrived | SecondStep, *, services: Services) -> Response:
    return _equip(go_to(_target(way)), way, services=services)


def _passkeys(services: Services, session: AsyncSession) -> Passkeys:
    return Passkeys(session, relying=services.relying, privacy=services.privacy, now=services.clock())


def _provider(services: Services) -> Provider:
    if services.provider is None:
        raise ProviderUnset
    return services.provider
