"""Which pages are about how good a talk was?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases.repository import CaseRepository
from referral.cases.rules import CaseState
from referral.cases.tables import Case
from referral.console.door import CheckedForm, SignedInOperator, Supervisor
from referral.console.pages import page
from referral.console.views import MOST_SEQ, Views
from referral.errors import CaseUnknown, FormIncomplete, ReviewNotYours
from referral.reviews.repository import ReviewRepository
from referral.reviews.rules import HIGHEST, LOWEST, Dimension, Marks, checked
from referral.services import ServicesIn, TransactionIn

router = APIRouter(prefix="/reviews")

#: More closed cases than this are not for one page.
_MOST = 100


@router.get("")
async def reviews_page(services: ServicesIn, operator: SignedInOperator, session: TransactionIn) -> Response:
    """How my talks were judged; for supervisors all talks, and those that nobody has judged yet."""
    reviews = ReviewRepository(session)
    views = Views(session, privacy=services.privacy, now=services.clock())
    mine = None if operator.supervises else operator.operator
    return page(
        services.pages,
        "reviews.html",
        operator=operator,
        queue=await views.queue(),
        means=await reviews.means(operator=mine),
        to_read=await reviews.to_read(reviewer=operator.operator, limit=_MOST) if mine is None else [],
        dimensions=tuple(Dimension),
        highest=HIGHEST,
    )


@router.get("/{number}")
async def review_page(
    number: UUID,
    services: ServicesIn,
    operator: Supervisor,
    session: TransactionIn,
    before: Annotated[int | None, Query(ge=0, le=MOST_SEQ)] = None,
) -> Response:
    """A closed case to read, or an earlier part of it, and the rubric."""
    case = await _closed(number, session)
    record(session, Act.CASE_SEEN, now=services.clock(), by=operator.operator, case=number)
    views = Views(session, privacy=services.privacy, now=services.clock())
    return page(
        services.pages,
        "review.html",
        operator=operator,
        queue=await views.queue(),
        page=await views.page(case, before=before),
        dimensions=tuple(Dimension),
        marks=range(LOWEST, HIGHEST + 1),
        judged_by_me=case.closer_id == operator.operator,
    )


@router.post("/{number}")
async def review(
    number: UUID, services: ServicesIn, operator: Supervisor, session: TransactionIn, form: CheckedForm
) -> Response:
    """The marks for a closed case."""
    case = await _closed(number, session)
    marks = checked(_marks(form), reviewer=operator.operator, operator=case.closer_id)
    if case.closer_id is None:
        raise ReviewNotYours
    record(
        session,
        Act.CASE_REVIEWED,
        now=services.clock(),
        by=operator.operator,
        about=case.closer_id,
        case=number,
    )
    await ReviewRepository(session).put(
        number, marks, by=operator.operator, operator=case.closer_id, now=services.clock()
    )
    return RedirectResponse("/reviews", status_code=303)


async def _closed(number: UUID, session: TransactionIn) -> Case:
    case = await CaseRepository(session).get(number)
    if case is None or case.state != CaseState.CLOSED or case.forgotten_at is not None:
        raise CaseUnknown
    if case.consent_revoked_at is not None:
        raise CaseUnknown("The visitor took their consent back: nobody else reads this talk.")
    return case


def _marks(form: FormData) -> Marks:
    try:
        return {name: int(str(form[name])) for name in Dimension if form.get(name)}
    except ValueError:
        raise FormIncomplete("Please choose the marks from the form.") from None
