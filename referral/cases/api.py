"""Which requests of the bot we answer, each signed, each safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from referral.cases.intake import Intake
from referral.cases.schemas import (
    CaseOpened,
    CaseStatus,
    HelplineStatus,
    MessageStored,
    NewCase,
    NewDanger,
    NewMessage,
    NewRating,
    Presence,
    Problem,
)
from referral.services import ServicesIn, TransactionIn, services_of


class _SignedRoute(APIRoute):
    """Looks at the signature before anything of the body is understood."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def check_then_handle(request: Request) -> Response:
            services_of(request).signature.check(await request.body(), headers=request.headers)
            return await handle(request)

        return check_then_handle


def _intake(services: ServicesIn, session: TransactionIn) -> Intake:
    return Intake(session, privacy=services.privacy, now=services.clock(), clocks=services.policy.clocks)


IntakeIn = Annotated[Intake, Depends(_intake)]

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is no text in UTF-8."},
    401: {"model": Problem, "description": "Not signed, not with this secret, or too long ago."},
    413: {"model": Problem, "description": "More than 2 MB."},
    422: {"model": Problem, "description": "Something is missing, unknown or too long."},
    503: {"model": Problem, "description": "The database is away: nothing was stored."},
}
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such case."}}
_CLOSED: dict[int | str, dict[str, Any]] = {409: {"model": Problem, "description": "The case is closed."}}

router = APIRouter(prefix="/v1", route_class=_SignedRoute, responses=_PROBLEMS)


@router.post(
    "/cases", status_code=201, responses={200: {"model": CaseOpened, "description": "It was here already."}}
)
async def open_case(wanted: NewCase, intake: IntakeIn, response: Response) -> CaseOpened:
    """Put a conversation into the queue; a repeat answers 200 with the same case."""
    opened, new = await intake.open(wanted)
    response.status_code = 201 if new else 200
    return opened


@router.post(
    "/cases/{number}/messages",
    status_code=201,
    responses={
        **_UNKNOWN,
        **_CLOSED,
        200: {"model": MessageStored, "description": "It was here already."},
    },
)
async def add_message(
    number: UUID, message: NewMessage, intake: IntakeIn, response: Response
) -> MessageStored:
    """Add what the visitor wrote; a repeat answers 200."""
    response.status_code = 201 if await intake.hear(number, message) else 200
    return MessageStored(id=message.id)


@router.post("/cases/{number}/presence", status_code=204, responses=_UNKNOWN)
async def presence(number: UUID, seen: Presence, intake: IntakeIn) -> None:
    """The visitor writes, or sees what was written; nothing for a case that nobody holds."""
    await intake.notice(number, writes=seen.writes, saw=seen.saw)


@router.post("/cases/{number}/danger", responses=_UNKNOWN)
async def raise_danger(number: UUID, wanted: NewDanger, intake: IntakeIn) -> CaseStatus:
    """The case is at least this dangerous."""
    await intake.raise_danger(number, wanted.danger)
    return await intake.status(number)


@router.post("/cases/{number}/leave", responses=_UNKNOWN)
async def leave(number: UUID, intake: IntakeIn) -> CaseStatus:
    """The visitor withdrew."""
    await intake.leave(number)
    return await intake.status(number)


@router.post("/cases/{number}/forget", responses=_UNKNOWN)
async def forget(number: UUID, intake: IntakeIn) -> CaseStatus:
    """The visitor asked for deletion."""
    await intake.forget(number)
    return await intake.status(number)


@router.get("/helpline")
async def helpline(intake: IntakeIn) -> HelplineStatus:
    """Whether people are there, and if not, when."""
    return await intake.helpline()


@router.post("/cases/{number}/revoke", responses=_UNKNOWN)
async def revoke(number: UUID, intake: IntakeIn) -> CaseStatus:
    """The visitor takes their consent back."""
    await intake.revoke(number)
    return await intake.status(number)


@router.post("/cases/{number}/rating", responses=_UNKNOWN)
async def rate(number: UUID, wanted: NewRating, services: ServicesIn, intake: IntakeIn) -> CaseStatus:
    """How the talk was; whose talk, nobody can tell afterwards."""
    month = services.clock().astimezone(services.settings.report_time_zone).strftime("%Y-%m")
    await intake.rate(number, wanted.face, month=month)
    return await intake.status(number)


@router.get("/cases/{number}/status", responses=_UNKNOWN)
async def status(number: UUID, intake: IntakeIn) -> CaseStatus:
    """Where the case stands."""
    return await intake.status(number)
