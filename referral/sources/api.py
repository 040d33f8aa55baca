"""Which requests of other bots do we answer? They refer visitors, pass words both ways, and take all back.

``/v1/openapi.json`` describes them to whoever asks: it says nothing about anybody, and a programmer reads it
before a helpline has given them a token.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response, Security
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.intake import Intake
from referral.cases.repository import CaseRepository
from referral.cases.rules import EntryKind, Happening
from referral.cases.schemas import EarlierMessage, MessageStored, NewCase, NewMessage, Problem
from referral.cases.sealed import read_words
from referral.cases.tables import Message
from referral.changes import case_topic, ring
from referral.database import transaction
from referral.errors import CaseUnknown, KeyReused, TokenInvalid, TooManyRequests
from referral.events.repository import EventRepository
from referral.services import Services, ServicesIn, TransactionIn, services_of
from referral.sources.repository import Admitted, SourceRepository
from referral.sources.rules import case_of, hash_of, pause
from referral.sources.schemas import Event, Events, NewLevel, NewReferral, NewWords, Referral

#: So many events are given out at once.
MOST_EVENTS = 200
_LAST_POSITION = 2**63 - 1

_HAPPENED: Mapping[str, Literal["taken", "returned", "closed"]] = {
    Happening.TAKEN: "taken",
    Happening.PICKED: "taken",
    Happening.RELEASED: "returned",
    Happening.UNANSWERED: "returned",
    Happening.AWAY: "returned",
    Happening.CLOSED: "closed",
}

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is no text in UTF-8."},
    401: {"model": Problem, "description": "No token, or one that opens nothing any more."},
    413: {"model": Problem, "description": "More than 2 MB."},
    422: {"model": Problem, "description": "Something is missing, unknown or too long; `detail` says what."},
    429: {
        "model": Problem,
        "description": "Too many requests: wait as many seconds as `Retry-After` says.",
        "headers": {"Retry-After": {"schema": {"type": "integer"}}},
    },
    503: {"model": Problem, "description": "Our database is away: nothing was stored, try again."},
}
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such referral of yours."}
}
_CLOSED: dict[int | str, dict[str, Any]] = {409: {"model": Problem, "description": "The case is closed."}}


class _TokenRoute(APIRoute):
    """Looks at the token before anything of the body is understood."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def admit_then_handle(request: Request) -> Response:
            request.state.source = await _admitted(request, services_of(request))
            return await handle(request)

        return admit_then_handle


async def _admitted(request: Request, services: Services) -> Admitted:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid
    now = services.clock()
    # In a transaction of its own: a request that comes to nothing counts as well.
    async with transaction(services.sessions) as session:
        source = await SourceRepository(session).admit(hash_of(token.strip()), now=now)
    if source is None:
        raise TokenInvalid
    most = services.settings.source_requests_per_minute
    if wait := pause(hits=source.hits, most=most, window_at=source.window_at, now=now):
        raise TooManyRequests(wait)
    return source


def _source(request: Request) -> Admitted:
    source: Admitted = request.state.source
    return source


SourceIn = Annotated[Admitted, Depends(_source)]


def _intake(services: ServicesIn, session: TransactionIn) -> Intake:
    return Intake(session, privacy=services.privacy, now=services.clock(), clocks=services.settings.clocks)


IntakeIn = Annotated[Intake, Depends(_intake)]


async def _own(number: UUID, source: SourceIn, session: TransactionIn) -> UUID:
    if await SourceRepository(session).referred(source.number, number) is None:
        raise CaseUnknown("There is no such referral.")
    return number


#: The id of a case that this source referred.
Own = Annotated[UUID, Depends(_own)]

referrals = APIRouter(
    prefix="/v1/referrals",
    route_class=_TokenRoute,
    responses=_PROBLEMS,
    dependencies=[
        Security(
            HTTPBearer(
                auto_error=False,
                scheme_name="token",
                description="A supervisor of the helpline makes one for you on the page *Connections*.",
            )
        )
    ],
)


@referrals.post(
    "", status_code=201, responses={200: {"model": Referral, "description": "A repeat: it was here already."}}
)
async def refer(
    wanted: NewReferral,
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            pattern=r"^[!-~]{8,100}$",
            description="Text of yours that is new for each referral and the same when you send it again.",
        ),
    ],
    source: SourceIn,
    services: ServicesIn,
    session: TransactionIn,
    intake: IntakeIn,
    response: Response,
) -> Referral:
    """Put a visitor of yours into the queue."""
    sources, number = SourceRepository(session), case_of(source.number, key=key)
    fingerprint = services.privacy.fingerprint(wanted.model_dump_json().encode())
    known = await sources.referred(source.number, number)
    if known is None:
        case = _case(wanted, number=number, source=source, services=services)
        await intake.open(case, referred_by=source.name)
        await sources.refer(source.number, number, fingerprint=fingerprint)
    elif known.fingerprint is not None and known.fingerprint != fingerprint:
        raise KeyReused
    response.status_code = 201 if known is None else 200
    response.headers["location"] = f"/v1/referrals/{number}"
    return await _shown(number, intake=intake, session=session)


@referrals.get("/{number}", responses=_UNKNOWN)
async def status(number: Own, intake: IntakeIn, session: TransactionIn) -> Referral:
    """Where a referral stands."""
    return await _shown(number, intake=intake, session=session)


@referrals.post(
    "/{number}/messages",
    status_code=201,
    responses={
        **_UNKNOWN,
        **_CLOSED,
        200: {"model": MessageStored, "description": "A repeat: it was here already."},
    },
)
async def add_message(number: Own, wanted: NewWords, intake: IntakeIn, response: Response) -> MessageStored:
    """Add what the visitor wrote."""
    message = NewMessage(id=wanted.id, text=wanted.text, sent_at=wanted.sent_at, danger=wanted.danger)
    response.status_code = 201 if await intake.hear(number, message) else 200
    return MessageStored(id=wanted.id)


@referrals.get("/{number}/events", responses=_UNKNOWN)
async def events(
    number: Own,
    services: ServicesIn,
    session: TransactionIn,
    after: Annotated[
        int,
        Query(
            ge=0,
            le=_LAST_POSITION,
            description="The position of the last event that you have kept; operators then see that their"
            " messages up to it have arrived.",
        ),
    ] = 0,
) -> Events:
    """What the helpline said and did since then: ask every few seconds while the visitor waits."""
    if await EventRepository(session).fetched(number, up_to=after):
        await ring(session, case_topic(number))
    found = await SourceRepository(session).news(number, after=after, limit=MOST_EVENTS)
    return Events(events=[_event(entry, services=services) for entry in found])


@referrals.post("/{number}/danger", responses=_UNKNOWN)
async def raise_danger(number: Own, wanted: NewLevel, intake: IntakeIn, session: TransactionIn) -> Referral:
    """The case is at least this dangerous; danger never falls."""
    await intake.raise_danger(number, wanted.danger)
    return await _shown(number, intake=intake, session=session)


@referrals.post("/{number}/leave", responses=_UNKNOWN)
async def leave(number: Own, intake: IntakeIn, session: TransactionIn) -> Referral:
    """The visitor does not want to talk any more."""
    await intake.leave(number)
    return await _shown(number, intake=intake, session=session)


@referrals.post("/{number}/revoke", responses=_UNKNOWN)
async def revoke(number: Own, intake: IntakeIn, session: TransactionIn) -> Referral:
    """The visitor takes their consent back: what was handed over goes no further."""
    await intake.revoke(number)
    return await _shown(number, intake=intake, session=session)


@referrals.delete("/{number}", status_code=204, responses=_UNKNOWN)
async def forget(number: Own, intake: IntakeIn) -> None:
    """The visitor asked for deletion: every word of this case is erased."""
    await intake.forget(number)


description = APIRouter()


@description.get("/v1/openapi.json", include_in_schema=False)
async def openapi() -> Response:
    """This interface, for programs and for whoever writes them."""
    return Response(json.dumps(document(), ensure_ascii=False), media_type="application/json")


def document() -> dict[str, Any]:
    """OpenAPI of what other bots may ask, and of nothing else."""
    return get_openapi(
        title="Porchlight: refer a visitor to a helpline",
        version="1",
        description="For bots that meet somebody who needs a person. Everything may be sent again after an"
        " outage: nothing happens twice. Fields that we do not know are refused.",
        routes=referrals.routes,
    )


router = APIRouter()
router.include_router(referrals)
router.include_router(description)


def _case(wanted: NewReferral, *, number: UUID, source: Admitted, services: Services) -> NewCase:
    return NewCase(
        id=number,
        # Two sources may have the same pseudonym for different visitors.
        conversation=f"{source.number}/{wanted.conversation}",
        channel=wanted.channel,
        locale=wanted.locale,
        country=wanted.country,
        role=wanted.role,
        danger=wanted.danger,
        reason=wanted.reason,
        opened_at=services.clock(),
        consent=wanted.consent.sentence,
        consent_for_others=wanted.consent.others,
        card=dict(wanted.card),
        messages=tuple(
            EarlierMessage(
                id=case_of(number, key=str(place)), sender=said.sender, text=said.text, sent_at=said.sent_at
            )
            for place, said in enumerate(wanted.messages)
        ),
    )


async def _shown(number: UUID, *, intake: Intake, session: AsyncSession) -> Referral:
    status, case = await intake.status(number), await CaseRepository(session).get(number)
    if case is None:
        raise CaseUnknown
    return Referral(
        id=number,
        designation=case.designation,
        state=status.state,
        place=status.place,
        usual_minutes=status.usual_minutes,
    )


def _event(entry: Message, *, services: Services) -> Event:
    if entry.kind == EntryKind.OPERATOR:
        text = read_words(services.privacy, entry.text, case=entry.case_id, entry=entry.number)
        return Event(position=entry.seq, what="message", at=entry.sent_at, id=entry.number, text=text)
    what = _HAPPENED[entry.happened or ""]
    return Event(position=entry.seq, what=what, at=entry.sent_at, id=entry.number, text=None)
