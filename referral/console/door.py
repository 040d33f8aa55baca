"""Who is at the console, and whether a form really came from it."""

from __future__ import annotations

import hmac
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from referral.cases.tables import rehearse
from referral.database import transaction
from referral.errors import AuditorNeeded, AuditorsOnlyAudit, DeskNotYours, RequestForged, SupervisorNeeded
from referral.operators.access import Access, SignedIn
from referral.services import Services, ServicesIn, TransactionIn

#: Closed, so that a page that is new tells of visitors until somebody decides otherwise.
_REHEARSED = ("/", "/take-next", "/stream", "/supervision", "/practice")
_REHEARSED_BELOW = "/cases/"


def cookie_name(services: Services) -> str:
    """Over https the browser itself guards the ``__Host-`` prefix; plain http is for loopback only."""
    return "__Host-porchlight" if services.settings.secure else "porchlight"


def cookie_of(request: Request, services: Services) -> str | None:
    """The session's secret, if the browser sent one."""
    return request.cookies.get(cookie_name(services))


def set_cookie(response: Response, value: str, *, services: Services) -> None:
    """Sign this browser in; the cookie goes with the browser, and its rights with the session's row."""
    response.set_cookie(
        cookie_name(services),
        value,
        path="/",
        httponly=True,
        secure=services.settings.secure,
        samesite="strict",
    )


def delete_cookie(response: Response, *, services: Services) -> None:
    """Sign this browser out."""
    response.delete_cookie(
        cookie_name(services), path="/", httponly=True, secure=services.settings.secure, samesite="strict"
    )


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


async def _signed_in(request: Request, services: ServicesIn, session: TransactionIn) -> SignedIn:
    access = Access(session, passwords=services.passwords, privacy=services.privacy, now=services.clock())
    somebody = await access.who(cookie_of(request, services), in_use=True)
    # If their role does not let them on, whoever writes that down has to know who it was.
    request.state.somebody = somebody
    if somebody.rehearses and _is_rehearsed(request.url.path):
        rehearse(session)
    return somebody


def _is_rehearsed(path: str) -> bool:
    """True of the pages on which somebody who practises sees rehearsals; all others tell of visitors only."""
    return path in _REHEARSED or path.startswith(_REHEARSED_BELOW)


#: Whoever works here, in any role.
SignedInAnybody = Annotated[SignedIn, Depends(_signed_in)]


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
    async with transaction(services.sessions) as session:
        somebody = await _signed_in(request, services, session)
    return await _supervisor(await _helper(somebody))


#: A supervisor, for a page that then waits for the bot: the database's connection is given back before.
PatientSupervisor = Annotated[SignedIn, Depends(_patient_supervisor)]


async def _auditor(somebody: SignedInAnybody) -> SignedIn:
    if not somebody.audits:
        raise AuditorNeeded
    return somebody


Auditor = Annotated[SignedIn, Depends(_auditor)]


async def _editor(request: Request, services: ServicesIn) -> SignedIn:
    async with transaction(services.sessions) as session:
        somebody = await _signed_in(request, services, session)
    if somebody.audits:
        raise AuditorsOnlyAudit
    return somebody


#: Anybody but an auditor, for a page that then waits for the bot: the database's connection is given back
#: before.
SignedInEditor = Annotated[SignedIn, Depends(_editor)]


async def _form(request: Request, operator: SignedInAnybody) -> FormData:
    return await _checked(request, operator)


async def _editor_form(request: Request, operator: SignedInEditor) -> FormData:
    return await _checked(request, operator)


async def _checked(request: Request, operator: SignedIn) -> FormData:
    check_origin(request)
    form = await request.form()
    token = form.get("form_token")
    if not isinstance(token, str) or not hmac.compare_digest(token.encode(), operator.form_token.encode()):
        raise RequestForged
    return form


#: A form of somebody who is signed in, sent from one of our own pages.
CheckedForm = Annotated[FormData, Depends(_form)]
EditorForm = Annotated[FormData, Depends(_editor_form)]
