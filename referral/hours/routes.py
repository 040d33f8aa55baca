"""Where do supervisors write down when people are there?"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.console.door import CheckedForm, Supervisor
from referral.console.pages import page
from referral.console.views import Views
from referral.errors import HoursInvalid
from referral.hours.presence import presence
from referral.hours.repository import HoursRepository
from referral.hours.rules import WEEKDAYS, Schedule, checked, special_text, text_of
from referral.operators.access import SignedIn
from referral.services import Services, ServicesIn, TransactionIn

router = APIRouter()


@router.get("/hours")
async def hours_page(services: ServicesIn, operator: Supervisor, session: TransactionIn) -> Response:
    """When people are there, to be read and changed."""
    schedule = await HoursRepository(session).schedule()
    return await _page(services, operator=operator, session=session, fields=_fields(schedule))


@router.post("/hours")
async def change_hours(
    services: ServicesIn, operator: Supervisor, session: TransactionIn, form: CheckedForm
) -> Response:
    """Other hours from now on; what cannot be understood comes back as it was written, with a sentence."""
    fields = {name: str(form.get(name, "")).strip() for name in _NAMES}
    try:
        schedule = checked(
            zone=fields["zone"], week=[fields[f"day{day}"] for day in range(7)], special=fields["special"]
        )
    except HoursInvalid as refusal:
        return await _page(
            services, operator=operator, session=session, fields=fields, refusal=refusal.sentence
        )
    await HoursRepository(session).put(schedule, by=operator.operator, now=services.clock())
    record(session, Act.HOURS_CHANGED, now=services.clock(), by=operator.operator)
    return RedirectResponse("/hours", status_code=303)


_NAMES = ("zone", *(f"day{day}" for day in range(7)), "special")


def _fields(schedule: Schedule) -> dict[str, str]:
    week = {f"day{day}": text_of(spans) for day, spans in enumerate(schedule.week)}
    return {"zone": schedule.zone, **week, "special": special_text(schedule.special)}


async def _page(
    services: Services,
    *,
    operator: SignedIn,
    session: TransactionIn,
    fields: dict[str, str],
    refusal: str | None = None,
) -> Response:
    now = services.clock()
    views = Views(session, privacy=services.privacy, now=now)
    return page(
        services.pages,
        "hours.html",
        status=HoursInvalid.http_status if refusal else 200,
        operator=operator,
        queue=await views.queue(),
        fields=fields,
        refusal=refusal,
        weekdays=WEEKDAYS,
        there=await presence(session, now=now),
        is_open=(await HoursRepository(session).schedule()).is_open(now),
        always_from=services.settings.clock_always_from,
    )
