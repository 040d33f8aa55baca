"""What does Porchlight answer, and where does the conversation stand then? The one way into the flows.

Pure and total: the same book, state and event always give the same turn, and no visitor's input raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from flows import classroom, payload, tips
from flows.case_code import CaseNews
from flows.classroom import ClassNews
from flows.desk import Desk
from flows.effects import Effect, LeaveCase, Say
from flows.events import (
    CaseClosed,
    CaseDelayed,
    CaseReturned,
    CaseTaken,
    ChoicePressed,
    ClassTold,
    CodeLookedUp,
    ConversationStarted,
    DangerLevel,
    Event,
    MediaReceived,
    OperatorGave,
    OperatorWrote,
    TextReceived,
    TipDue,
    VisitorLeft,
    WaitTimedOut,
)
from flows.hearing import ASKING_FLOWS, MAX_TEXT, hear
from flows.model import (
    CLASS_MODE,
    CLASS_SURVEY,
    CLASS_TOLD,
    DANGER_INTENTS,
    MENU,
    RATE_TALK,
    REPORT_STATUS,
    WELCOME,
    Book,
)
from flows.outcome import OPEN_CASE
from flows.run import Run, Step, operator_says
from flows.speech import emergency_say, known_locale
from flows.state import Mode, State
from flows.texts import COMMON, TIPS
from flows.versions import brought_up_to_date, meant_now

#: A campaign code comes from a link that anybody can write.
MAX_CAMPAIGN = 64

__all__ = ["Turn", "begin", "emergency_say", "enter", "resume"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Where the conversation stands after an event, and what has to be done."""

    state: State
    effects: tuple[Effect, ...]
    #: The nodes that the turn came through, so that an editor can be told which of them said what.
    path: tuple[Step, ...] = ()
    #: Whether it turned on somebody being at the helpline's desk, which the shell did not know.
    asked_desk: bool = False


def begin(book: Book, *, locale: str, country: str | None = None, channel: str = "") -> State:
    """A new conversation; an unknown locale becomes the fallback."""
    return State(locale=known_locale(book, locale), country=country or None, channel=channel)


def resume(
    book: Book,
    state: State,
    event: Event,
    *,
    countries: Sequence[str] = ("BY", "BD"),
    desk: Desk = Desk(),
) -> Turn:
    """Answer one event.

    ``countries`` are those that this deployment serves; ``desk`` is what the shell happens to know of the
    helpline's. Never raises, whatever was sent and whatever the state names.
    """
    run = Run(book, state, countries=countries, desk=desk)
    run.change(turn=state.turn + 1, locale=known_locale(book, state.locale))
    run.change(frames=brought_up_to_date(book, state))
    match event:
        case ConversationStarted():
            _start(run, event)
        case TextReceived():
            hear(run, event.text[:MAX_TEXT], event.understanding)
        case ChoicePressed():
            _press(run, event.payload)
        case MediaReceived():
            _media(run, event)
        case WaitTimedOut():
            if not _time_out(run, event):
                return Turn(state=state, effects=())
        case TipDue():
            if not _tip(run, event):
                return Turn(state=state, effects=())
        case ClassTold():
            if not _class(run, event):
                return Turn(state=state, effects=())
        case CodeLookedUp():
            _looked_up(run, event.news)
        case CaseTaken() | CaseReturned() | CaseClosed() | CaseDelayed() | OperatorWrote() | OperatorGave():
            _helpline(run, event)
        case VisitorLeft():
            if run.state.mode in OPEN_CASE:
                run.effects.append(LeaveCase())
            run.rest()
            run.change(mode=Mode.STOPPED)
            run.note(tips.ended(run.state.answers))
        case _:
            assert_never(event)
    if _danger_came_up(run, before=state):
        run.note(tips.quiet(run.state.answers))
    return _turn(run)


def enter(book: Book, state: State, flow: str, *, countries: Sequence[str] = ("BY", "BD")) -> Turn:
    """Begin in a flow that perhaps no words lead to, for whoever tries it out."""
    run = Run(book, state, countries=countries)
    run.change(turn=state.turn + 1)
    run.restart(flow)
    return _turn(run)


def _turn(run: Run) -> Turn:
    run.leave_a_way_on()
    return Turn(state=run.state, effects=tuple(run.effects), path=tuple(run.path), asked_desk=run.asked_desk)


def _start(run: Run, event: ConversationStarted) -> None:
    if event.locale in run.book.locales and not run.state.locale_chosen:
        run.change(locale=event.locale)
    if event.country:
        run.save("country", event.country)
    code = classroom.code_of_link(event.campaign)
    if event.campaign and code is None:
        run.change(campaign=event.campaign[:MAX_CAMPAIGN])
    run.wake()
    run.change(misses=0)
    if code is not None and run.state.mode is Mode.BOT and CLASS_SURVEY in run.book.flows:
        run.say("hello", flow=WELCOME)
        run.join_class(code)
        return
    run.restart(WELCOME)
    run.never_silent()


def _press(run: Run, pressed: str) -> None:
    run.wake()
    run.change(misses=0)
    match payload.read(pressed):
        case payload.ToMenu():
            run.mend()
            run.enter(MENU)
        case payload.Meant(intent=intent) if intent in run.book.answers or intent in DANGER_INTENTS:
            run.mend()
            run.hear(intent)
        case payload.Pressed() as choice if run.press(meant_now(run.book, choice)):
            pass
        case _:
            run.say("old_button", choices=[run.voice.menu_choice(state=run.state)])
    run.never_silent()


def _media(run: Run, event: MediaReceived) -> None:
    run.wake()
    choices = [] if run.waiting_at() else [run.voice.menu_choice(state=run.state)]
    kind = f"media_{event.kind.value}"
    own = run.voice.text(kind, flow=COMMON, state=run.state)
    run.say(kind if own else "media", choices=choices)


def _time_out(run: Run, event: WaitTimedOut) -> bool:
    """Go on after a wait that nobody answered; False when the timer is not for this wait."""
    standing = run.waiting_at()
    if standing is None or run.state.wait is None or run.state.wait.token != event.token:
        return False
    timeout = standing[1].timeout
    if timeout is None or run.state.mode in (Mode.LIVE, Mode.STOPPED):
        return False
    run.walk(timeout.go)
    return True


def _tip(run: Run, event: TipDue) -> bool:
    """Say today's tip, or let the day pass without one; False when the call is not for these tips."""
    paused = run.state.mode is not Mode.BOT
    answers = run.state.answers
    today = tips.today(answers, call=event.token, day=event.day, paused=paused, book=run.book)
    if today is None:
        return False
    run.note(today.changes)
    if today.tip:
        run.say(today.tip, flow=TIPS, choices=[run.voice.no_more_tips(state=run.state)])
    if today.more:
        run.next_tip()
    else:
        run.say("over", flow=TIPS)
    return True


def _class(run: Run, event: ClassTold) -> bool:
    """Go on with a class; False where the visitor has gone elsewhere meanwhile, perhaps into danger."""
    pupil = event.news in classroom.FOR_PUPILS
    standing = run.waiting_at()
    elsewhere = standing is not None and standing[0].flow not in (CLASS_SURVEY, CLASS_TOLD, CLASS_MODE)
    run.note(_noted(event))
    if elsewhere or run.state.mode in (Mode.LIVE, Mode.STOPPED):
        # What a teacher has opened is theirs, wherever they are; a pupil writes the code again.
        return not pupil
    run.voice.results, run.voice.pupils = event.results, event.pupils
    run.restart(CLASS_SURVEY if pupil else CLASS_TOLD)
    return True


def _looked_up(run: Run, news: CaseNews) -> None:
    """Tell how the case of a code stands; after a wrong one the visitor may type it again."""
    run.say(f"code_{news}", flow=REPORT_STATUS)
    if news is CaseNews.UNKNOWN and run.waiting_at():
        run.ask_again()
    else:
        run.rest()


def _noted(event: ClassTold) -> dict[str, str]:
    """What is kept of the news."""
    match event.news:
        case ClassNews.OPENED | ClassNews.COUNTED:
            own = {classroom.OPEN: "yes", classroom.CODE: event.code, classroom.LINK: event.link}
        case ClassNews.GONE | ClassNews.TOO_FEW:
            own = {classroom.OPEN: "no"}
        case ClassNews.JOINED:
            own = {classroom.ROOM: event.room}
        case _:
            own = {}
    return {classroom.NEWS: event.news.value, **own}


def _danger_came_up(run: Run, *, before: State) -> bool:
    """Whether this turn spoke of danger: nobody wants a cheerful tip on the day after."""
    spoken = any(step.flow in ASKING_FLOWS for step in run.path)
    return spoken or run.state.danger.rank > before.danger.rank


def _helpline(
    run: Run, event: CaseTaken | CaseReturned | CaseClosed | CaseDelayed | OperatorWrote | OperatorGave
) -> None:
    """The helpline's side moved; who asked not to be written to, or left the line, hears nothing of it."""
    mode = run.state.mode
    match event:
        case OperatorWrote():
            if mode is not Mode.STOPPED:
                run.change(mode=Mode.LIVE)
                for start in range(0, len(event.text), MAX_TEXT):
                    run.effects.append(
                        Say(key="", text=event.text[start : start + MAX_TEXT], sender="operator")
                    )
        case OperatorGave():
            if mode is not Mode.STOPPED:
                run.change(mode=Mode.LIVE)
                run.give(event)
        case CaseTaken() if mode in OPEN_CASE:
            run.rest()
            run.change(mode=Mode.LIVE)
            operator_says(run, "taken")
        case CaseDelayed() if mode in OPEN_CASE:
            operator_says(run, "delayed")
        case CaseReturned() if mode in OPEN_CASE:
            run.change(mode=Mode.WAITING)
            operator_says(run, "returned")
        case CaseClosed() if mode in OPEN_CASE:
            run.rest()
            run.change(
                mode=Mode.BOT, danger=DangerLevel.NONE, slots=run.state.kept_slots(), intents=(), said=()
            )
            operator_says(run, "closed", choices=[run.voice.menu_choice(state=run.state)])
            if event.rate and RATE_TALK in run.book.flows:
                run.enter(RATE_TALK)
        case _:
            pass
