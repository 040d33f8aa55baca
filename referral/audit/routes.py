"""Which page does an auditor have? The log, newest first, by day, person and case."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from referral.audit.repository import AuditRepository, Wanted, record
from referral.audit.rules import Act
from referral.console.door import Auditor
from referral.console.pages import page
from referral.operators.repository import OperatorRepository
from referral.services import ServicesIn, TransactionIn

router = APIRouter()

#: So many rows stand on a page.
ROWS = 100
#: What the table's numbers can be.
_MOST_ROWS = 2**63 - 1


@router.get("/audit")
async def audit_page(
    services: ServicesIn,
    operator: Auditor,
    session: TransactionIn,
    day: str = "",
    person: str = "",
    case: str = "",
    before: Annotated[int | None, Query(ge=1, le=_MOST_ROWS)] = None,
) -> Response:
    """The log; that somebody looked is written down as well."""
    wanted, refusal = _wanted(day=day.strip(), person=person.strip(), case=case.strip())
    log = AuditRepository(session)
    rows = await log.newest(wanted, before=before, limit=ROWS + 1)
    everyone = await OperatorRepository(session).everyone()
    record(session, Act.LOG_SEEN, now=services.clock(), by=operator.operator)
    chosen = {"day": day, "person": person, "case": case}
    return page(
        services.pages,
        "audit.html",
        status=422 if refusal else 200,
        operator=operator,
        queue=None,
        rows=[] if refusal else rows[:ROWS],
        names={someone.number: someone.name for someone in everyone},
        everyone=everyone,
        chosen=chosen,
        refusal=refusal,
        newest=before is None,
        newest_at=_address(chosen),
        older_at=_address(chosen, before=rows[ROWS - 1].seq) if len(rows) > ROWS else None,
    )


def _wanted(*, day: str, person: str, case: str) -> tuple[Wanted, str | None]:
    """What the fields ask for, or a sentence that says which of them cannot be understood."""
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        return Wanted(), "A day is written as 2026-11-29."
    try:
        who, which = (UUID(text) if text else None for text in (person, case))
    except ValueError:
        return Wanted(), "A case number has 32 hexadecimal digits, as it stands in the log."
    return Wanted(day=on, person=who, case=which), None


def _address(chosen: dict[str, str], *, before: int | None = None) -> str:
    fields: dict[str, str | int] = {name: value for name, value in chosen.items() if value}
    if before is not None:
        fields["before"] = before
    return f"/audit?{urlencode(fields)}" if fields else "/audit"
