"""Who is at the console, and whether a form really came from it."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.responses import Response

from referral.cases.tables import rehearse
from referral.console.address import sender_of
from referral.database import transaction
from referral.errors import (
    AuditorNeeded,
    AuditorsOnlyAudit,
    DeskNotYours,
    RequestForged,
    SecondFactorNeeded,
    SignInAgain,
    SupervisorNeeded,
)
from referral.language import read_by, reader
from referral.operators.access import Access, Arrived, SignedIn
from referral.operators.browsers import browser_of
from referral.operators.networks import network_of
from referral.operators.rules import UNDER_WAY
from referral.operators.throttle import Caller
from referral.services import Services, ServicesIn, TransactionIn

#: Closed, so that a page that is new tells of visitors until somebody decides otherwise.
_REHEARSED = ("/", "/take-next", "/stream", "/supervision", "/practice")
_REHEARSED_BELOW = "/cases/"
#: What is under way in a browser, and whom it knows.
_STEP = "-step"
_MARKS = "-known"
#: A browser that nobody of ours has used for so long is as strange as any other.
_KNOWN_FOR = timedelta(days=180)


def cookie_name(services: Services, *, purpose: str = "") -> str:
    """Over https the browser itself guards the ``__Host-`` prefix; plain http is for loopback only."""
    return f"__Host-porchlight{purpose}" if services.settings.secure else f"porchlight{purpose}"


def cookie_of(request: Request, services: Services) -> str | None:
    """The session's secret, if the browser sent one."""
    return request.cookies.get(cookie_name(services))


def set_cookie(response: Response, value: str, *, services: Services) -> None:
    """Sign this browser in; the cookie goes with the browser, and its rights with the session's row."""
    _set(response, value, name=cookie_name(services), services=services)


def delete_cookie(response: Response, *, services: Services) -> None:
    """Sign this browser out."""
    _delete(response, name=cookie_name(services), services=services)


def ticket_of(request: Request, services: Services) -> str | None:
    """The step of a sign-in that is under way in this browser."""
    return request.cookies.get(cookie_name(services, purpose=_STEP))


def set_ticket(response: Response, ticket: str, *, services: Services, abroad: bool = False) -> None:
    """Remember a step; ``abroad`` where another site sends the browser back to us with it."""
    _set(
        response,
        ticket,
        name=cookie_name(services, purpose=_STEP),
        services=services,
        samesite="lax" if abroad else "strict",
        keep=UNDER_WAY,
    )


def come_in(response: Response, arrived: Arrived, *, services: Services) -> Response:
    """Sign this browser in, and let it be known again."""
    set_cookie(response, arrived.cookie, services=services)
    marks = cookie_name(services, purpose=_MARKS)
    _set(response, arrived.marks, name=marks, services=services, keep=_KNOWN_FOR)
    _delete(response, name=cookie_name(services, purpose=_STEP), services=services)
    return response


def caller_of(request: Request, services: Services) -> Caller:
    """From where somebody signs in."""
    return Caller(
        address=network_of(sender_of(request.scope, proxies=services.proxies)),
        browser=browser_of(request.headers.get("user-agent", "")),
        marks=request.cookies.get(cookie_name(services, purpose=_MARKS), ""),
        cookie=cookie_of(request, services),
    )


def _set(
    response: Response,
    value: str,
    *,
    name: str,
    services: Services,
    samesite: Literal["lax", "strict"] = "strict",
    keep: timedelta | None = None,
) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(keep.total_seconds()) if keep else None,
        path="/",
        httponly=True,
        secure=services.settings.secure,
        samesite=samesite,
    )


def _delete(response: Response, *, name: str, services: Services) -> None:
    response.delete_cookie(name, path="/", httponly=True, secure=services.settings.secure, samesite="strict")


def check_origin(request: Request) -> None:
    """Raise ``RequestForged`` when a browser says that another site sent this form."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        raise RequestForged
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise RequestForged
    if site is None and origin is None:
        # Every browser of the last years sends at least one of them with a form.
        raise RequestForged


def access_of(services: Services, session: AsyncSession) -> Access:
    """The door, within this transaction."""
    return Access(
        session,
        passwords=services.passwords,
        privacy=services.privacy,
        now=services.clock(),
        policy=services.settings.policy,
    )


async def _access(services: ServicesIn, session: TransactionIn) -> Access:
    return access_of(services, session)


AccessIn = Annotated[Access, Depends(_access)]


async def _known(request: Request, services: ServicesIn, session: TransactionIn) -> SignedIn:
    somebody = await access_of(services, session).who(cookie_of(request, services), in_use=True)
    # If their role does not let them on, whoever writes that down has to know who it was.
    request.state.somebody = somebody
    # A language that was taken away since leaves the browser's.
    if chosen := services.pages.languages.offered.get(somebody.language or ""):
        read_by(replace(reader(), language=chosen))
    if somebody.rehearses and _is_rehearsed(request.url.path):
        rehearse(session)
    return somebody


def _is_rehearsed(path: str) -> bool:
    """True of the pages on which somebody who practises sees rehearsals; all others tell of visitors only."""
    return path in _REHEARSED or path.startswith(_REHEARSED_BELOW)


#: Whoever is signed in, even if all they may do is add a second factor.
SignedInAtAll = Annotated[SignedIn, Depends(_known)]


async def _fresh(somebody: SignedInAtAll) -> SignedIn:
    if somebody.stale:
        raise SignInAgain
    return somebody


#: Whoever has signed in just now, and may change how they do.
SignedInJustNow = Annotated[SignedIn, Depends(_fresh)]


async def _protected(somebody: SignedInAtAll) -> SignedIn:
    if somebody.must_add_factor:
        raise SecondFactorNeeded
    return somebody


async def _looked_at(request: Request, services: Services) -> SignedIn:
    """The same in a transaction of its own, for what then waits without one."""
    async with transaction(services.sessions) as session:
        known = await _known(request, services, session)
    return await _protected(known)


#: Whoever works here, in any role.
SignedInAnybody = Annotated[SignedIn, Depends(_protected)]


async def _helper(somebody: SignedInAnybody) -> SignedIn:
    if not somebody.helps:
        raise DeskNotYours
    return somebody


#: Somebody who talks with visitors, and may see that they exist.
SignedInOperator = Annotated[SignedIn, Depends(_helper)]


async def _supervisor(operator: SignedInOperator) -> SignedIn:
    if not operator.supervises:
        raise SupervisorNeeded
    return operator


Supervisor = Annotated[SignedIn, Depends(_supervisor)]


async def _patient_supervisor(request: Request, services: ServicesIn) -> SignedIn:
    return await _supervisor(await _helper(await _looked_at(request, services)))


#: A supervisor, for a page that then waits for the bot: the database's connection is given back before.
PatientSupervisor = Annotated[SignedIn, Depends(_patient_supervisor)]


async def _auditor(somebody: SignedInAnybody) -> SignedIn:
    if not somebody.audits:
        raise AuditorNeeded
    return somebody


Auditor = Annotated[SignedIn, Depends(_auditor)]


async def _editor(request: Request, services: ServicesIn) -> SignedIn:
    somebody = await _looked_at(request, services)
    if somebody.audits:
        raise AuditorsOnlyAudit
    return somebody


#: Anybody but an auditor, for a page that then waits for the bot: the database's connection is given back
#: before.
SignedInEditor = Annotated[SignedIn, Depends(_editor)]


async def _form(request: Request, operator: SignedInAtAll) -> AsyncIterator[FormData]:
    async with _sent(request) as form:
        yield _checked(form, operator)


async def _editor_form(request: Request, operator: SignedInEditor) -> AsyncIterator[FormData]:
    async with _sent(request) as form:
        yield _checked(form, operator)


@asynccontextmanager
async def _sent(request: Request) -> AsyncIterator[FormData]:
    """The form of a request; the files that came with it are closed afterwards."""
    check_origin(request)
    async with request.form() as form:
        yield form


def _checked(form: FormData, operator: SignedIn) -> FormData:
    token = form.get("form_token")
    if not isinstance(token, str) or not hmac.compare_digest(token.encode(), operator.form_token.encode()):
        raise RequestForged
    return form


#: A form of somebody who is signed in, sent from one of our own pages.
CheckedForm = Annotated[FormData, Depends(_form)]
EditorForm = Annotated[FormData, Depends(_editor_form)]
