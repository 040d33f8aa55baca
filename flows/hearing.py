"""What does a visitor's text lead to? Danger first, then an answer to the question, a wish, a new matter."""

from __future__ import annotations

from collections.abc import Sequence

from flows import case_code, classroom, payload, reading
from flows.effects import Choice, Relay
from flows.events import DangerLevel, Mention, Understanding
from flows.model import (
    CLASS_SURVEY,
    DANGER,
    DANGER_INTENTS,
    DANGER_QUESTION,
    HANDOVER,
    INCIDENTS,
    MENU,
    NOT_UNDERSTOOD,
    PLATFORM_OPTIONS,
    REPORT_STATUS,
    STOP_SHARING,
    AskNode,
    Book,
    CollectNode,
)
from flows.outcome import OPEN_CASE
from flows.run import Run
from flows.speech import PERSON, speaking
from flows.state import Frame, Mode, Origin

#: A visitor's text is cut here; nobody types more into a phone, and Telegram sends no longer ones.
MAX_TEXT = 4000
#: Below this the model does not know, and the visitor is asked instead.
MIN_CONFIDENCE = 0.35
#: In the middle of a story only a short and clear wish (stop, a person) interrupts; else it is the story.
SURE = 0.8
MAX_WISH = 60
#: How many guesses are offered as buttons, and how likely each must be.
GUESSES = 2
MIN_GUESS = 0.05
#: These are answers to something, so that asking 'did you mean: yes?' helps nobody.
_NEVER_GUESSED = frozenset({"affirm", "deny", "greet", "goodbye", "thanks", "insult_bot", "out_of_scope"})
#: The slot that keeps which danger was asked about last, and in which turn.
ASKED = "asked_about"
#: So many turns later it may be asked about again.
ASK_AGAIN_AFTER = 20
#: In these the danger is asked about anyway, or is the matter.
ASKING_FLOWS = frozenset(
    {DANGER, DANGER_QUESTION, "feeling_bad", "immediate_danger", "friend_in_crisis", "abuse_at_home"}
)
#: Mentions that go to the hand-over card as they are.
_NOTED = frozenset({"relationship", "time"})
#: Whoever names their age need not be asked who they are, unless they are grown up.
TEENAGER, ADULT = 13, 18
#: After so many misses in a row a person is offered.
MISSES_TO_PERSON = 2


def hear(run: Run, text: str, understanding: Understanding) -> None:
    run.state = speaking(run.state, understanding.locale, book=run.book)
    run.wake()
    _note_mentions(run, understanding.mentions)
    danger = _danger(run.book, understanding)
    if run.state.mode in OPEN_CASE:
        run.effects.append(Relay(text=text, danger=danger))
    run.raise_danger(danger)
    if _is_danger(run.book, understanding):
        run.change(misses=0)
        for intent in (*understanding.secondary, understanding.intent):
            run.note_intent(intent)
        run.mend()
        run.help(understanding.intent)
    elif run.state.mode is Mode.LIVE:
        _take_back(run, text)
    else:
        _listen(run, text, understanding)
        for intent in understanding.secondary:
            run.note_intent(intent)
        _ask_about_danger(run, understanding.doubt)
        run.never_silent()


def _take_back(run: Run, text: str) -> None:
    """While a person answers, one wish is for us alone: that nothing more is shared."""
    if reading.offer(text, book=run.book, locale=run.state.locale) == STOP_SHARING:
        run.enter(STOP_SHARING)


def _note_mentions(run: Run, mentions: Sequence[Mention]) -> None:
    """Keep what the words name outright, so that nobody asks for it again; of two apps, neither."""
    apps = {mention.value for mention in mentions if mention.kind == "platform"}
    if len(apps) == 1 and apps <= run.book.directory.platforms.keys():
        run.save("platform", apps.pop(), by=Origin.MENTION)
    for mention in reversed(mentions):
        if mention.kind in _NOTED:
            run.save(mention.kind, mention.value.replace(":", " ").replace("_", " "), by=Origin.MENTION)
        elif mention.kind == "age" and mention.whose == "self" and mention.value.isdecimal():
            run.save("age", mention.value, by=Origin.MENTION)
            if run.state.role is None and int(mention.value) < ADULT:
                run.save("role", "child" if int(mention.value) < TEENAGER else "teen")


def _danger(book: Book, understanding: Understanding) -> DangerLevel:
    """How dangerous a text is: the lexicon is believed, the model where it is confident enough."""
    if understanding.by == "lexicon":
        return understanding.danger
    return (
        book.intents.get(understanding.intent, DangerLevel.NONE)
        if _known(understanding)
        else DangerLevel.NONE
    )


def _is_danger(book: Book, understanding: Understanding) -> bool:
    """Whether a life or a child's body is at risk, so that care and the number come first."""
    urgent = _danger(book, understanding).rank >= DangerLevel.URGENT.rank
    return urgent and (understanding.by == "lexicon" or understanding.intent in DANGER_INTENTS)


def _ask_about_danger(run: Run, doubt: str | None) -> None:
    """Where a text may mean danger, ask on top of the answer, but no nag, and not where the talk is of it."""
    if doubt is None or _asked_lately(run, doubt) or run.state.mode is Mode.STOPPED:
        return
    asking = ASKING_FLOWS if doubt in DANGER_INTENTS else ASKING_FLOWS | _urgent_flows(run.book)
    talk_of_it = any(frame.flow in asking for frame in run.state.frames)
    if not talk_of_it and DANGER_QUESTION in run.book.flows:
        run.save(ASKED, f"{doubt} {run.state.turn}")
        run.enter(DANGER_QUESTION, intent=doubt)


def _urgent_flows(book: Book) -> frozenset[str]:
    """The flows whose matter is urgent: there somebody is helped, and asked whether they are safe."""
    return frozenset(
        flow
        for intent, flow in book.answers.items()
        if book.intents.get(intent, DangerLevel.NONE).rank >= DangerLevel.URGENT.rank
    )


def _asked_lately(run: Run, doubt: str) -> bool:
    """Whether this was asked in the last turns; a conversation may go on for weeks, and things change.

    What puts no life at risk is not asked right after another question either: this is no interrogation.
    """
    asked, _, turn = run.state.answer(ASKED).partition(" ")
    lately = run.state.turn - (int(turn) if turn.isdecimal() else 0) < ASK_AGAIN_AFTER
    return bool(asked) and lately and (asked == doubt or doubt not in DANGER_INTENTS)


def _known(understanding: Understanding) -> bool:
    return understanding.confidence >= MIN_CONFIDENCE


def _listen(run: Run, text: str, understanding: Understanding) -> None:
    """A text that is no danger: an answer to the question, a wish, a new matter, or not understood."""
    lost = run.mend()
    intent = (
        understanding.intent if _known(understanding) and understanding.intent in run.book.answers else ""
    )
    wish = reading.command(text, book=run.book, locale=run.state.locale)
    wanted = reading.offer(text, book=run.book, locale=run.state.locale)
    standing = run.waiting_at()
    if standing is not None:
        frame, node = standing
        if frame.flow == REPORT_STATUS and (looked_for := case_code.code_in(text)):
            run.change(misses=0)
            run.look_up(looked_for)
            return
        titles = run.titles(frame, node)
        meant = understanding.intent if _known(understanding) else ""
        slug = reading.chosen(text, titles=titles, book=run.book, locale=run.state.locale, intent=meant)
        if slug is None and isinstance(node, AskNode) and node.options in PLATFORM_OPTIONS:
            slug = reading.platform(text, book=run.book)
        if slug and run.press(payload.Pressed(flow=frame.flow, node=frame.node, slug=slug)):
            run.change(misses=0)
            return
        if isinstance(node, CollectNode) and wanted is None:
            clear = intent if _interrupts(run.book, intent) and _is_wish(text, understanding) else ""
            run.change(misses=0)
            if wish or clear:
                run.hear(wish or clear)
            else:
                run.collect(node, text)
            return
    if wish and wish in run.book.answers:
        intent = wish
    code = classroom.code_in(text)
    if code and _may_join(run):
        run.change(misses=0)
        run.join_class(code)
    elif wanted:
        run.change(misses=0)
        run.enter(wanted)
    elif intent:
        run.change(misses=0)
        _follow(run, standing, intent)
    elif lost:
        run.say("lost")
        run.restart(MENU)
    else:
        _not_understood(run, standing, understanding)


def _may_join(run: Run) -> bool:
    """Whether eight digits are a class's code here, and not something said about danger."""
    busy = any(frame.flow in (*ASKING_FLOWS, HANDOVER) for frame in run.state.frames)
    return CLASS_SURVEY in run.book.flows and not busy


def _interrupts(book: Book, intent: str) -> bool:
    return bool(intent) and book.flows[book.answers[intent]].interrupt


def _is_wish(text: str, understanding: Understanding) -> bool:
    return len(text) <= MAX_WISH and understanding.confidence >= SURE


def _follow(run: Run, standing: tuple[Frame, AskNode | CollectNode] | None, intent: str) -> None:
    """Go into the flow of an intent; where the visitor is in it already, hear them and go on."""
    flow = run.book.answers[intent]
    if standing is None or not (_in_the_midst_of(run, flow) or _for_the_person(standing, intent)):
        run.hear(intent)
        return
    run.note_intent(intent)
    node = standing[1]
    if isinstance(node, AskNode) and node.otherwise:
        # They answered in their own words; starting the flow again would throw their answers away.
        run.walk(node.otherwise)
    else:
        run.say("heard")
        run.ask_again()


def _in_the_midst_of(run: Run, flow: str) -> bool:
    """Whether this flow, or one that it called, asks now; the menu or a person in between does not count."""
    frames = run.state.frames
    asking = run.book.flows[frames[-1].flow]
    under_way = any(frame.flow == flow for frame in frames)
    return under_way and not asking.interrupt and not run.book.flows[flow].interrupt


def _for_the_person(standing: tuple[Frame, AskNode | CollectNode], intent: str) -> bool:
    """Whether somebody who has said yes to a person now tells what happened, or asks again.

    They are put through: another flow would keep them from the person whom they asked for.
    """
    frame, node = standing
    asked = isinstance(node, AskNode) and node.otherwise is not None
    return frame.flow == HANDOVER and asked and intent in (*INCIDENTS, PERSON)


def _guesses(run: Run, understanding: Understanding) -> tuple[Choice, ...]:
    """The likeliest intents that a flow answers, as buttons."""
    found: list[Choice] = []
    for guess in sorted(understanding.ranking, key=lambda guess: -guess.confidence):
        if (
            guess.intent in _NEVER_GUESSED
            or guess.intent not in run.book.answers
            or guess.confidence < MIN_GUESS
        ):
            continue
        choice = run.voice.intent_choice(guess.intent, state=run.state)
        if choice is not None and choice not in found:
            found.append(choice)
    return tuple(found[:GUESSES])


def _not_understood(
    run: Run, standing: tuple[Frame, AskNode | CollectNode] | None, understanding: Understanding
) -> None:
    run.change(misses=run.state.misses + 1)
    again = run.state.misses >= MISSES_TO_PERSON
    run.guesses = _guesses(run, understanding)
    if standing is None or standing[0].flow == NOT_UNDERSTOOD:
        if not again and NOT_UNDERSTOOD in run.book.flows:
            run.enter(NOT_UNDERSTOOD)
            return
        more = [run.voice.menu_choice(state=run.state)]
    else:
        frame, node = standing
        if isinstance(node, AskNode) and node.otherwise:
            run.walk(node.otherwise)
            return
        more = list(run.choices(frame, node))
    if again:
        more.append(run.voice.person_choice(state=run.state))
    unique = {choice.title: choice for choice in (*run.guesses, *more)}
    run.say("not_understood_again" if again else "not_understood", choices=list(unique.values()))
