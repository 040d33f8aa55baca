"""Which page is about how I sign in: my browsers, my second factors, my password?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import JSONResponse, Response

from referral.console.door import (
    AccessIn,
    CheckedForm,
    SignedInAtAll,
    SignedInJustNow,
    access_of,
    set_cookie,
    set_ticket,
    ticket_of,
)
from referral.console.forms import field, go_to
from referral.console.pages import page
from referral.errors import CodeWrong, PasswordTooWeak, ReferralError
from referral.operators.access import Renewed, SignedIn
from referral.operators.factors import Factors
from referral.operators.passkeys import Passkeys
from referral.operators.repository import OperatorRepository
from referral.services import Services, ServicesIn, TransactionIn

router = APIRouter(prefix="/account")

_PAGE = "/account"


async def _factors(services: ServicesIn, session: TransactionIn) -> Factors:
    return Factors(session, privacy=services.privacy, now=services.clock())


async def _passkeys(services: ServicesIn, session: TransactionIn) -> Passkeys:
    return Passkeys(session, relying=services.relying, privacy=services.privacy, now=services.clock())


FactorsIn = Annotated[Factors, Depends(_factors)]
PasskeysIn = Annotated[Passkeys, Depends(_passkeys)]


@router.get("")
async def account_page(services: ServicesIn, somebody: SignedInAtAll, session: TransactionIn) -> Response:
    """Where I am signed in, and how I can."""
    return await _page(services, somebody=somebody, session=session)


@router.post("/sessions/others/end")
async def end_others(access: AccessIn, somebody: SignedInAtAll, _: CheckedForm) -> Response:
    """Sign me out everywhere but here."""
    await access.end_others(somebody)
    return go_to(_PAGE)


@router.post("/sessions/{number}/end")
async def end_one(number: UUID, access: AccessIn, somebody: SignedInAtAll, _: CheckedForm) -> Response:
    """Sign me out in one browser."""
    await access.end_one(somebody, number)
    return go_to(_PAGE)


@router.post("/password")
async def change_password(
    services: ServicesIn,
    access: AccessIn,
    somebody: SignedInAtAll,
    session: TransactionIn,
    form: CheckedForm,
) -> Response:
    """Another password; every other browser is signed out."""
    current, new = field(form, "current", strip=False), field(form, "password", strip=False)
    try:
        if new != field(form, "again", strip=False):
            raise PasswordTooWeak("The two passwords are not the same.")
        async with services.passwords.turn():
            done = await access.change_password(somebody, current, new)
    except PasswordTooWeak as weak:
        return await _page(services, somebody=somebody, session=session, refusal=weak)
    if isinstance(done, ReferralError):
        return await _page(services, somebody=somebody, session=session, refusal=done)
    return _renewed(go_to(_PAGE), done, services=services)


@router.post("/app")
async def begin_app(factors: FactorsIn, somebody: SignedInJustNow, _: CheckedForm) -> Response:
    """A secret for an authenticator app."""
    await factors.begin(somebody.operator)
    return go_to("/account/app")


@router.get("/app")
async def app_page(services: ServicesIn, factors: FactorsIn, somebody: SignedInJustNow) -> Response:
    """The secret as a drawing for the app's camera, until a code has shown that the app has it."""
    setup = await factors.setup(somebody.operator, name=somebody.name)
    return page(services.pages, "app.html", operator=somebody, queue=None, setup=setup, refusal=None)


@router.post("/app/confirm")
async def confirm_app(
    services: ServicesIn,
    factors: FactorsIn,
    access: AccessIn,
    somebody: SignedInJustNow,
    form: CheckedForm,
) -> Response:
    """The app is in use from now on."""
    try:
        codes = await factors.confirm(somebody.operator, field(form, "code"))
    except CodeWrong as wrong:
        setup = await factors.setup(somebody.operator, name=somebody.name)
        return page(
            services.pages,
            "app.html",
            status=wrong.http_status,
            operator=somebody,
            queue=None,
            setup=setup,
            refusal=wrong.sentence,
        )
    done = await access.renew(somebody, second_factor=True)
    return _renewed(_codes(services, done.somebody, codes), done, services=services)


@router.post("/app/remove")
async def remove_app(
    services: ServicesIn, factors: FactorsIn, somebody: SignedInJustNow, _: CheckedForm
) -> Response:
    """The app does not count any more."""
    demanded = services.settings.policy.demands_second_factor(somebody.role)
    await factors.remove_authenticator(somebody.operator, demanded=demanded)
    return go_to(_PAGE)


@router.post("/recovery-codes")
async def new_recovery_codes(
    services: ServicesIn, factors: FactorsIn, somebody: SignedInJustNow, _: CheckedForm
) -> Response:
    """Ten new codes; the old ones are void."""
    return _codes(services, somebody, await factors.new_recovery_codes(somebody.operator))


@router.post("/passkeys/offer")
async def offer_passkey(
    services: ServicesIn, somebody: SignedInJustNow, _: CheckedForm, passkeys: PasskeysIn
) -> Response:
    """What the browser asks of a new passkey."""
    offer = await passkeys.offer_new(somebody.operator, name=somebody.name)
    response = JSONResponse({"options": offer.options})
    set_ticket(response, offer.ticket, services=services)
    return response


@router.post("/passkeys")
async def add_passkey(
    request: Request,
    services: ServicesIn,
    somebody: SignedInJustNow,
    form: CheckedForm,
    factors: FactorsIn,
    passkeys: PasskeysIn,
    access: AccessIn,
) -> Response:
    """A passkey that I can sign in with from now on."""
    await passkeys.add(
        somebody.operator,
        answer=field(form, "answer"),
        ticket=ticket_of(request, services),
        name=field(form, "name"),
    )
    codes = await factors.first_recovery_codes(somebody.operator)
    done = await access.renew(somebody, second_factor=True)
    return _renewed(_codes(services, done.somebody, codes), done, services=services)


@router.post("/passkeys/{number}/remove")
async def remove_passkey(
    number: UUID, services: ServicesIn, factors: FactorsIn, somebody: SignedInJustNow, _: CheckedForm
) -> Response:
    """A passkey does not count any more."""
    demanded = services.settings.policy.demands_second_factor(somebody.role)
    await factors.remove_passkey(somebody.operator, number, demanded=demanded)
    return go_to(_PAGE)


async def _page(
    services: Services,
    *,
    somebody: SignedIn,
    session: AsyncSession,
    refusal: ReferralError | None = None,
) -> Response:
    operator = await OperatorRepository(session).get(somebody.operator)
    factors = Factors(session, privacy=services.privacy, now=services.clock())
    return page(
        services.pages,
        "account.html",
        status=refusal.http_status if refusal else 200,
        operator=somebody,
        queue=None,
        sessions=await access_of(services, session).sessions(somebody),
        standing=await factors.standing(somebody.operator),
        demanded=services.settings.policy.demands_second_factor(somebody.role),
        passkeys=services.relying is not None,
        has_password=operator is not None and operator.password_hash is not None,
        refusal=refusal.sentence if refusal else None,
    )


def _codes(services: Services, somebody: SignedIn, codes: Sequence[str]) -> Response:
    """New recovery codes, this once; without any the page from which they would have been asked for."""
    if not codes:
        return go_to(_PAGE)
    return page(services.pages, "recovery_codes.html", operator=somebody, queue=None, codes=codes)


def _renewed(response: Response, done: Renewed, *, services: Services) -> Response:
    set_cookie(response, done.cookie, services=services)
    return response
