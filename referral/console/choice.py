"""Which page lets an operator choose the language of the console?"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from referral.console.door import CheckedForm, SignedInAnybody
from referral.console.pages import page
from referral.console.views import Views
from referral.errors import FormIncomplete
from referral.language import reader
from referral.operators.repository import OperatorRepository
from referral.services import ServicesIn, TransactionIn

router = APIRouter(prefix="/language")


@router.get("")
async def language_page(services: ServicesIn, operator: SignedInAnybody, session: TransactionIn) -> Response:
    """The languages that there are, each by its own name."""
    views = Views(session, privacy=services.privacy, now=services.clock())
    return page(
        services.pages,
        "language.html",
        operator=operator,
        queue=await views.queue() if operator.helps else None,
        read=reader().language.tag,
    )


@router.post("")
async def choose(
    services: ServicesIn, operator: SignedInAnybody, session: TransactionIn, form: CheckedForm
) -> Response:
    """The operator reads the console in this language from now on, in every browser."""
    tag = form.get("language")
    if not isinstance(tag, str) or tag not in services.pages.languages.offered:
        raise FormIncomplete("Please choose a language.")
    await OperatorRepository(session).choose_language(operator.operator, tag=tag)
    return RedirectResponse("/", status_code=303)
