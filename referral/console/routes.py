"""Which pages the console has, and what their forms do."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Depends, Query, Request
from starlette.background import BackgroundTask
from starlette.datastructures import FormData
from starlette.responses import JSONResponse, Response

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases.coding import Action, Coding, Occurred
from referral.cases.desk import Desk, Gift
from referral.cases.repository import CaseRepository
from referral.cases.rules import Outcome
from referral.cases.schemas import MAX_WORDS
from referral.cases.tables import Case
from referral.console.door import CheckedForm, SignedInAnybody, SignedInOperator, Supervisor
from referral.console.forms import field, go_to
from referral.console.pages import page
from referral.console.views import MOST_LISTED, MOST_SEQ, Views
from referral.errors import FileUnknown, FormIncomplete
from referral.language import reader
from referral.library.repository import LibraryRepository
from referral.operators.repository import OperatorRepository
from referral.replies.closing import coded
from referral.replies.offers import WRITE_AGAIN, Offer
from referral.replies.rules import Then
from referral.replies.times import told
from referral.services import ServicesIn, TransactionIn

router = APIRouter()

#: What a colleague reads at a glance; the thread tells the rest.
MAX_NOTE = 500


def _desk(services: ServicesIn, session: TransactionIn, operator: SignedInOperator) -> Desk:
    return Desk(
        session,
        operator=operator.operator,
        privacy=services.privacy,
        now=services.clock(),
        clocks=services.policy.clocks,
        skills_first=services.settings.skills_first,
    )


def _views(services: ServicesIn, session: TransactionIn) -> Views:
    return Views(session, privacy=services.privacy, now=services.clock())


DeskIn = Annotated[Desk, Depends(_desk)]
ViewsIn = Annotated[Views, Depends(_views)]


@router.get("/")
async def desk_page(
    services: ServicesIn, operator: SignedInAnybody, views: ViewsIn, session: TransactionIn
) -> Response:
    """Who waits, Take next, and my open cases; editors and auditors have other work."""
    if not operator.helps:
        return go_to("/audit" if operator.audits else "/tryout")
    return page(
        services.pages,
        "desk.html",
        operator=operator,
        queue=await views.queue(),
        mine=await views.mine(operator.operator),
        mentions=await views.mentions(operator.operator),
        heavy=await views.heavy(operator.operator),
        skills=await OperatorRepository(session).skills(operator.operator),
        skills_first=services.settings.skills_first_minutes,
    )


@router.post("/take-next")
async def take_next(desk: DeskIn, _: CheckedForm) -> Response:
    """Take the most urgent case; back to the desk when a colleague was faster."""
    case = await desk.take_next()
    return go_to(f"/cases/{case.number}" if case else "/")


@router.get("/cases/{number}")
async def case_page(
    number: UUID,
    services: ServicesIn,
    operator: SignedInOperator,
    desk: DeskIn,
    views: ViewsIn,
    session: TransactionIn,
    before: Annotated[int | None, Query(ge=0, le=MOST_SEQ)] = None,
) -> Response:
    """One case that I hold: the card, the thread or an earlier part of it, and what I can do."""
    case = await desk.open(number)
    offers = views.offers(case, operator=operator.name)
    return page(
        services.pages,
        "case.html",
        operator=operator,
        queue=await views.queue(),
        page=await views.page(case, before=before),
        next_message=uuid4(),
        next_note=uuid4(),
        next_macro=uuid4(),
        max_words=MAX_WORDS,
        max_note=MAX_NOTE,
        colleagues=await desk.colleagues(),
        replies=await offers.replies(),
        files=await LibraryRepository(session, privacy=services.privacy).files(),
        next_gift=uuid4(),
        next_aside=uuid4(),
        tomorrow=services.clock().astimezone(reader().zone) + timedelta(days=1),
        macros=await offers.macros(),
    )


@router.post("/cases/{number}/messages")
async def write(
    number: UUID,
    request: Request,
    desk: DeskIn,
    views: ViewsIn,
    operator: SignedInOperator,
    form: CheckedForm,
) -> Response:
    """Say something to the visitor."""
    words, key = _words(form), None
    if slug := _choice(form, "reply"):
        reply = await views.offers(await desk.held(number), operator=operator.name).named(slug)
        # What was changed before it was sent is the operator's own.
        key = reply.key if reply and reply.text == words else None
    await desk.write(number, entry=_entry(form), words=words, key=key, billed=_billed(form))
    return _sent(request, number)


@router.post("/cases/{number}/gifts")
async def give(
    number: UUID,
    services: ServicesIn,
    session: TransactionIn,
    desk: DeskIn,
    views: ViewsIn,
    form: CheckedForm,
    operator: SignedInOperator,
) -> Response:
    """Give the visitor a file of the library, or one of the bot's documents."""
    del operator
    case = await desk.held(number)
    kind, _, name = field(form, "what").partition(":")
    if kind == "file":
        file = await LibraryRepository(session, privacy=services.privacy).known(_uuid(name))
        gift = Gift(title=file.title, file=file.number)
    elif titles := views.card(case).documents.get(name):
        gift = Gift(title=titles.get(case.locale) or name, document=name)
    else:
        raise FileUnknown
    await desk.give(number, entry=_entry(form), gift=gift, billed=_billed(form))
    return go_to(f"/cases/{number}")


@router.post("/cases/{number}/macros/{slug}")
async def run_macro(
    number: UUID,
    slug: str,
    services: ServicesIn,
    desk: DeskIn,
    views: ViewsIn,
    operator: SignedInOperator,
    form: CheckedForm,
) -> Response:
    """Several steps in one press."""
    case = await desk.held(number)
    found = await views.offers(case, operator=operator.name).macros()
    macro, reply = next(((macro, reply) for macro, reply in found if macro.slug == slug), (None, None))
    if macro is None:
        raise FormIncomplete("There is no such macro any more.")
    if reply is not None:
        await desk.write(number, entry=_entry(form), words=reply.text, key=reply.key, billed=_billed(form))
    match macro.then:
        case Then.RELEASE:
            await desk.release(number)
        case Then.CLOSE:
            await desk.close(number, coded(macro, suggestion=await views.suggestion(case)))
        case Then.ASIDE:
            tomorrow = services.clock() + timedelta(days=1)
            last = await _write_again(views, case, operator=operator.name, since=tomorrow)
            # The reply before it has the id of the form.
            entry = uuid5(_entry(form), WRITE_AGAIN)
            await desk.set_aside(
                number, entry=entry, until=tomorrow, words=last.text, key=last.key, billed=_billed(form)
            )
        case Then.STAY:
            return go_to(f"/cases/{number}")
    return go_to("/")


@router.get("/cases/{number}/mentions/{entry}")
async def mention_page(
    number: UUID, entry: UUID, services: ServicesIn, operator: SignedInOperator, desk: DeskIn, views: ViewsIn
) -> Response:
    """A note in which a colleague names me; it counts as read from then on."""
    case, note = await desk.read_mention(number, entry=entry)
    [shown] = await views.entries(case, [note])
    return page(
        services.pages,
        "mention.html",
        operator=operator,
        queue=await views.queue(),
        case=case,
        entry=shown,
    )


@router.post("/cases/{number}/typing", status_code=204)
async def typing(
    number: UUID, services: ServicesIn, session: TransactionIn, operator: SignedInOperator, _: CheckedForm
) -> Response:
    """The holder writes just now, which the visitor may see; from anybody else it means nothing."""
    case = await CaseRepository(session).get(number)
    holds = case is not None and case.holder_id == operator.operator and case.rehearsal is None
    hint = BackgroundTask(services.hints.writing, number) if holds else None
    return Response(status_code=204, background=hint)


@router.post("/cases/{number}/notes")
async def note(number: UUID, request: Request, desk: DeskIn, form: CheckedForm) -> Response:
    """Write something down for colleagues."""
    await desk.note(number, entry=_entry(form), words=_words(form))
    return _sent(request, number)


@router.post("/cases/{number}/release")
async def release(number: UUID, desk: DeskIn, form: CheckedForm) -> Response:
    """Give the case back to the queue."""
    await desk.release(number, note=_note(form))
    return go_to("/")


@router.post("/cases/{number}/set-aside")
async def set_aside(
    number: UUID, desk: DeskIn, views: ViewsIn, operator: SignedInOperator, form: CheckedForm
) -> Response:
    """Leave the case until a time, which the visitor is told."""
    case = await desk.held(number)
    since, until = _window(form)
    last = await _write_again(views, case, operator=operator.name, since=since, until=until)
    await desk.set_aside(
        number,
        entry=_entry(form),
        until=since,
        words=last.text,
        key=last.key,
        note=_note(form),
        billed=_billed(form),
    )
    return go_to("/")


@router.post("/cases/{number}/pass-on")
async def pass_on(number: UUID, desk: DeskIn, form: CheckedForm) -> Response:
    """Give the case to a colleague."""
    try:
        to = UUID(field(form, "to"))
    except ValueError:
        raise FormIncomplete("Please choose a colleague.") from None
    await desk.pass_on(number, to=to, note=_note(form))
    return go_to("/")


@router.post("/cases/{number}/close")
async def close(number: UUID, desk: DeskIn, form: CheckedForm) -> Response:
    """End the case."""
    await desk.close(number, _coding(form))
    return go_to("/")


@router.post("/cases/{number}/pick")
async def pick(number: UUID, desk: DeskIn, form: CheckedForm, _: Supervisor) -> Response:
    """Take a certain case past the queue, for a reason."""
    case = await desk.pick(number, reason=field(form, "reason"))
    return go_to(f"/cases/{case.number}")


@router.get("/supervision")
async def supervision_page(
    services: ServicesIn,
    operator: Supervisor,
    views: ViewsIn,
    session: TransactionIn,
    after: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """All open cases, so many on a page as a slow line can carry."""
    listed = await views.all_open(after=after)
    record(session, Act.CASES_LISTED, now=services.clock(), by=operator.operator)
    return page(
        services.pages,
        "supervision.html",
        operator=operator,
        queue=await views.queue(),
        listed=listed[:MOST_LISTED],
        earlier=max(after - MOST_LISTED, 0) if after else None,
        later=after + MOST_LISTED if len(listed) > MOST_LISTED else None,
        now=services.clock(),
    )


@router.get("/session")
async def session_state(_: SignedInAnybody) -> Response:
    """204 while this browser is signed in, for a page whose stream broke off."""
    return Response(status_code=204)


async def _write_again(
    views: Views, case: Case, *, operator: str, since: datetime, until: datetime | None = None
) -> Offer:
    """What tells the visitor when somebody writes to them again."""
    when = told(since, until=until, locale=case.locale, zone=reader().zone)
    found = await views.offers(case, operator=operator, when=when).named(WRITE_AGAIN)
    if found is None:
        raise FormIncomplete("The reply “write_again” is hidden, so the visitor cannot be told when.")
    return found


def _window(form: FormData) -> tuple[datetime, datetime | None]:
    """From when, and perhaps until when, by the clock of whoever filled in the form."""
    try:
        day = date.fromisoformat(field(form, "day"))
        since = time.fromisoformat(field(form, "since"))
        until = time.fromisoformat(_choice(form, "until")) if _choice(form, "until") else None
    except ValueError:
        raise FormIncomplete("Please choose a day and a time.") from None
    if until is not None and until <= since:
        raise FormIncomplete("The end must lie after the beginning.")
    begins, ends = (datetime.combine(day, at or since, tzinfo=reader().zone) for at in (since, until))
    return begins, ends if until is not None else None


def _sent(request: Request, number: UUID) -> Response:
    """For a script the id of the next entry, so that sending twice is never saying twice; else the page."""
    if request.headers.get("accept") == "application/json":
        return JSONResponse({"next": str(uuid4())})
    return go_to(f"/cases/{number}")


def _entry(form: FormData) -> UUID:
    return _uuid(field(form, "entry"))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise FormIncomplete from None


def _coding(form: FormData) -> Coding:
    try:
        outcome = Outcome(field(form, "outcome"))
    except ValueError:
        raise FormIncomplete("Please choose how this case ended.") from None
    try:
        return Coding(
            outcome=outcome,
            code=field(form, "code"),
            occurred=Occurred(_choice(form, "occurred")) if _choice(form, "occurred") else None,
            online_harm=_choice(form, "online_harm") or None,
            counselled=_choice(form, "counselled") != "no",
            actions=frozenset(Action(str(action)) for action in form.getlist("done")),
        )
    except ValueError:
        raise FormIncomplete(
            "This form offers what the desk does not know: please load the page again."
        ) from None


def _choice(form: FormData, name: str) -> str:
    """What was chosen; empty where the form left it open."""
    return field(form, name) if name in form else ""


def _billed(form: FormData) -> bool:
    """Whether the operator confirmed that the message may cost something."""
    return _choice(form, "billed") == "yes"


def _note(form: FormData) -> str:
    """A few words for a colleague; a form without such a field has none."""
    note = _choice(form, "note")
    if len(note) > MAX_NOTE:
        raise FormIncomplete("This note is too long: at most %(most)s characters.", most=MAX_NOTE)
    return note


def _words(form: FormData) -> str:
    words = field(form, "words").replace("\r\n", "\n")
    if not words:
        raise FormIncomplete("There is nothing to send yet.")
    if len(words) > MAX_WORDS:
        raise FormIncomplete("This is too long: at most %(most)s characters at once.", most=MAX_WORDS)
    return words
