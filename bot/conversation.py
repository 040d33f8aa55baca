"""One turn of a conversation: from a stored message to a new state and the effects to be carried out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, assert_never
from uuid import UUID, uuid5

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.case_codes import CaseCodes, TriedOften
from bot.classroom import Classes, told
from bot.clocks import local
from bot.documents.orders import Press
from bot.messages import IncomingKind
from bot.metrics import FIRST_REPLY, UNDERSTOOD
from bot.referral_client import ReferralClient, Standing
from bot.store import Conversation, Effect, Spoken, Store, TipCall, Waiting
from bot.tally.marks import marks
from bot.tally.sums import Tally
from bot.tips import next_tip
from bot.traces import span
from bot.understanding import NOT_UNDERSTOOD, Understander, unread
from flows import effects as does
from flows import engine, payload
from flows import events as happened
from flows.case_code import CaseNews
from flows.desk import Desk
from flows.events import DangerLevel
from flows.masking import mask
from flows.model import RATE_TALK, BlockKind, Book
from flows.outcome import OPEN_CASE
from flows.promises import PROMISES
from flows.speech import counted, in_every_language
from flows.state import Mode, State, StateUnreadable

log = structlog.get_logger()

#: So many messages of the thread go to the helpline with a new case.
HANDED_OVER = 40

#: What shows a safety plan, and what asks for its parts.
PLAN_TEXTS = ("safety_plan.plan",)
PLAN_QUESTIONS = frozenset(f"safety_plan.{part}" for part in ("signs", "alone", "places", "people", "room"))

#: What was said for these is not kept.
_NOT_KEPT = (does.AnswerClass, does.LookUpCode)
#: What tells a private code, which is for the visitor alone.
CODE_TEXT = "handover.code"

#: Where a document is not sent but fetched from us.
LINKED = ("viber", "web")

#: Events that a visitor's own doing brought about.
_BY_VISITOR = frozenset(kind.value for kind in IncomingKind)

#: Events that hold a visitor's own words.
_WORDS = ("text", "edited")

#: A visitor who asked to be forgotten can read the answer for this long, then the conversation itself goes.
_FORGOTTEN_AFTER = "60 seconds"

#: Where a visitor most likely is when they have only chosen a language.
_HOME = {"be": "BY", "ru": "BY", "bn": "BD"}

_TIMER = text("""
INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at)
VALUES ('timers', :task, cast(:args AS jsonb), now() + cast(:after AS interval))
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Answers messages, one at a time for each conversation."""

    book: Book
    store: Store
    press: Press
    understander: Understander
    referral: ReferralClient
    classes: Classes
    codes: CaseCodes
    tally: Tally
    countries: Sequence[str]
    #: The deployment's own locale and country, for visitors of whom nothing is known.
    locale: str
    country: str | None

    async def answer(self, conversation: Conversation, waiting: Waiting) -> Conversation:
        """Answer one message and keep all that follows, or nothing of it; raises ``TurnLost``."""
        before = self._state(conversation, waiting.event)
        event = await self._event(waiting.event, before)
        turn = await self._turn(conversation, before, event, at=waiting.received_at)
        with span("keep", effects=len(turn.effects)):
            kept, effects = await self._keep(conversation, before, waiting, turn)
        self.tally.count(marks(self.book, before=before, event=event, turn=turn), at=waiting.received_at)
        self._measure(conversation, waiting, event, turn, effects)
        _log_turn(conversation.pseudonym, event, turn)
        return kept

    async def _keep(
        self, conversation: Conversation, before: State, waiting: Waiting, turn: engine.Turn
    ) -> tuple[Conversation, Sequence[Effect]]:
        # Words alone are kept by a single statement; what else there is to do needs several to hold together.
        only_words = all(isinstance(effect, does.Say | does.Hand) for effect in turn.effects)
        forgets = any(isinstance(effect, does.Forget) for effect in turn.effects)
        async with self.store.statement() if only_words else self.store.transaction() as connection:
            if forgets:
                conversation = await self.store.renew_key(connection, conversation)
            effects = await self._effects(connection, conversation, waiting, turn)
            kept = await self.store.keep_turn(
                connection,
                conversation,
                number=waiting.number,
                state=turn.state.to_json(),
                effects=effects,
                masked=self._masked(before, waiting, turn.effects),
            )
            if forgets:
                await self._forget(connection, kept, waiting.number)
        return kept, effects

    def _measure(
        self,
        conversation: Conversation,
        waiting: Waiting,
        event: happened.Event,
        turn: engine.Turn,
        effects: Sequence[Effect],
    ) -> None:
        locale = turn.state.locale if turn.state.locale in self.book.locales else "other"
        if isinstance(event, happened.TextReceived):
            known = "no" if event.understanding.intent == NOT_UNDERSTOOD else "yes"
            UNDERSTOOD.labels(locale=locale, by=event.understanding.by, understood=known).inc()
        elif isinstance(event, happened.ChoicePressed):
            UNDERSTOOD.labels(locale=locale, by="button", understood="yes").inc()
        # A web page is told by the very statement that keeps the turn.
        if conversation.channel == "web" and any(effect.payload.get("asked_at") for effect in effects):
            waited = datetime.now(UTC) - waiting.received_at
            FIRST_REPLY.labels(channel="web").observe(waited.total_seconds())

    async def apologise(self, conversation: Conversation, waiting: Waiting) -> None:
        """Say something true and useful about a message that could not be answered."""
        said = waiting.event.get("text", "")
        state = self._state(conversation, waiting.event)
        match = self.understander.lexicon.first_match(said, locale=state.locale)
        say = engine.emergency_say(
            self.book, match, locale=state.locale, country=state.country, countries=self.countries
        )
        await self.store.put_effects(conversation, number=waiting.number, effects=[_say(say, state.locale)])

    def masked(self, conversation: Conversation, waiting: Waiting) -> bytes | None:
        """What is kept of the message instead of its words, sealed; None where they are kept as they are."""
        return self._masked(self._state(conversation, waiting.event), waiting)

    def _masked(self, before: State, waiting: Waiting, effects: Sequence[does.Effect] = ()) -> bytes | None:
        said = waiting.event.get("text")
        if self._counted(waiting.event) or any(isinstance(effect, _NOT_KEPT) for effect in effects):
            # What somebody answered in a class is in its sums, and must not stay beside their pseudonym; nor
            # may a private code, which tells of another conversation.
            return self.store.sealed(waiting, {**waiting.event, "text": ""})
        if waiting.event["kind"] not in _WORDS or not said or before.mode in OPEN_CASE:
            # Whoever waits for the helpline or talks with it says these words to a person, who may need the
            # address to send help: they are relayed, and kept, as they were written.
            return None
        kept = mask(said)
        return None if kept == said else self.store.sealed(waiting, {**waiting.event, "text": kept})

    def _counted(self, event: Mapping[str, Any]) -> bool:
        """Whether somebody pressed an answer that is only counted."""
        pressed = payload.read(event["text"]) if event["kind"] == "choice" else None
        if not isinstance(pressed, payload.Pressed):
            return False
        return pressed.flow == RATE_TALK or bool(counted(self.book, pressed.node))

    async def _turn(
        self, conversation: Conversation, before: State, event: happened.Event, *, at: datetime
    ) -> engine.Turn:
        """The turn, knowing of the desk what it needs; where it needs nothing, the desk is not waited for."""
        waits, desk = before.mode is Mode.WAITING, Desk()
        if waits:
            desk = _desk(await self._standing(conversation), country=before.country, at=at)
        turn = engine.resume(self.book, before, event, countries=self.countries, desk=desk)
        for effect in turn.effects:
            if isinstance(effect, does.LookUpCode):
                return await self._looked_up(conversation, turn, effect, at=at)
        if not turn.asked_desk or waits:
            return turn
        # The turn comes to a case, and nothing of it has been carried out: it is taken again, knowing more.
        desk = _desk(await self.referral.standing(None), country=turn.state.country, at=at)
        desk = replace(desk, code=self.codes.new())
        return engine.resume(self.book, before, event, countries=self.countries, desk=desk)

    async def _looked_up(
        self, conversation: Conversation, turn: engine.Turn, wanted: does.LookUpCode, *, at: datetime
    ) -> engine.Turn:
        """The turn with the answer to a private code, which says how far the case is and nothing else."""
        news, desk = CaseNews.UNKNOWN, Desk()
        try:
            async with self.store.transaction() as connection:
                case = await self.codes.look_up(connection, conversation.pseudonym, wanted.code)
            if case is not None:
                standing = await self.referral.standing(case.number)
                news = _news(standing, closed=case.closed_at is not None)
                desk = _desk(standing, country=turn.state.country, at=at)
        except TriedOften:
            news = CaseNews.OFTEN
        told = engine.resume(
            self.book, turn.state, happened.CodeLookedUp(news=news), countries=self.countries, desk=desk
        )
        return replace(told, effects=(*turn.effects, *told.effects), path=(*turn.path, *told.path))

    async def _standing(self, conversation: Conversation) -> Standing:
        async with self.store.transaction() as connection:
            cases = await self.store.cases(connection, conversation.pseudonym, open_only=True)
        return await self.referral.standing(cases[0]) if cases else Standing()

    def _state(self, conversation: Conversation, event: Mapping[str, Any]) -> State:
        if conversation.state is not None:
            try:
                return State.from_json(conversation.state).with_(channel=conversation.channel)
            except StateUnreadable:
                log.error("a stored state could not be read", conversation=str(conversation.pseudonym))
        locale = event.get("locale") or self.locale
        home = _HOME.get(locale)
        country = event.get("country") or self.country or (home if home in self.countries else None)
        return engine.begin(self.book, locale=locale, country=country, channel=conversation.channel)

    async def _event(self, raw: Mapping[str, Any], state: State) -> happened.Event:
        match raw["kind"]:
            case "started":
                return happened.ConversationStarted(
                    locale=raw["locale"], country=raw["country"], campaign=raw["campaign"]
                )
            case "text" | "edited":
                return await self._text(raw["text"], state)
            case "choice":
                return happened.ChoicePressed(payload=raw["text"])
            case "media":
                return happened.MediaReceived(kind=happened.MediaKind(raw["media"]))
            case "left":
                return happened.VisitorLeft()
            case "timeout":
                return happened.WaitTimedOut(token=raw["token"])
            case "tip":
                return happened.TipDue(token=raw["token"], day=raw["day"])
            case "class":
                return happened.ClassTold(**told(raw))
            case "case.taken":
                return happened.CaseTaken()
            case "case.message":
                if "gift" in raw:
                    return happened.OperatorGave(**raw["gift"])
                return happened.OperatorWrote(text=raw["text"])
            case "case.returned":
                return happened.CaseReturned()
            case "case.closed":
                return happened.CaseClosed(rate=raw.get("rate", False))
            case "case.delayed":
                return happened.CaseDelayed()
        raise ValueError("a message of unknown kind lies in the inbox")

    async def _text(self, said: str, state: State) -> happened.TextReceived:
        if state.mode is Mode.LIVE:
            danger = self.understander.danger_in(said, locale=state.locale)
            return happened.TextReceived(text=said, understanding=danger or unread())
        with span("understand") as measured:
            understanding = await self.understander.read(said, locale=state.locale)
            measured.set_attributes({"by": understanding.by, "intent": understanding.intent})
        return happened.TextReceived(text=said, understanding=understanding)

    async def _effects(
        self, connection: AsyncConnection, conversation: Conversation, waiting: Waiting, turn: engine.Turn
    ) -> list[Effect]:
        kept: list[Effect] = []
        # The first answer to what a visitor did tells how long they waited for it.
        asked_at = waiting.received_at if waiting.event["kind"] in _BY_VISITOR else None
        for effect in turn.effects:
            match effect:
                case does.Say():
                    until = waiting.event.get("until")
                    kept.append(_say(effect, turn.state.locale, until=until, asked_at=asked_at))
                    asked_at = None
                case does.Hand():
                    kept.extend(self._hand(effect, conversation, waiting))
                case does.HandFile():
                    linked = conversation.channel in LINKED
                    order = self.press.order_of(effect, at=waiting.received_at, linked=linked)
                    kept.append(
                        Effect(lane="channel", kind="hand", payload=order.payload(), token=order.token)
                    )
                case does.OpenCase():
                    kept.append(await self._open_case(connection, conversation, waiting, turn, effect))
                case does.Relay() | does.RaiseDanger() | does.LeaveCase():
                    kept.extend(await self._about_case(connection, conversation, waiting, effect))
                case does.LookUpCode():
                    pass  # Done before the turn was kept, since its answer is part of it.
                case does.RevokeConsent():
                    cases = await self.store.cases(connection, conversation.pseudonym, open_only=False)
                    kept.extend(_about(case, "revoke") for case in cases)
                case does.RateTalk(face=face):
                    cases = await self.store.cases(connection, conversation.pseudonym, open_only=False)
                    kept.extend(_about(case, "rate", face=face) for case in cases[:1])
                case does.Forget():
                    cases = await self.store.cases(connection, conversation.pseudonym, open_only=False)
                    kept.extend(_about(case, "forget") for case in cases)
                case does.Remind():
                    args = {"conversation": str(conversation.pseudonym), "token": effect.token}
                    await _set_timer(
                        connection, "remind", args, after=f"{effect.after.total_seconds()} seconds"
                    )
                case does.NextTip():
                    at = next_tip(waiting.received_at, country=effect.country)
                    call = TipCall(token=effect.token, country=effect.country, at=at)
                    await self.store.call_for_tip(connection, conversation.pseudonym, call)
                case does.OpenClass() | does.JoinClass() | does.AnswerClass() | does.LookAtClass():
                    await self._see_to_class(connection, conversation, waiting, turn.state, effect)
                case _:
                    assert_never(effect)
        return kept

    def _hand(self, effect: does.Hand, conversation: Conversation, waiting: Waiting) -> Iterator[Effect]:
        linked = conversation.channel in LINKED
        for order in self.press.orders(effect, at=waiting.received_at, linked=linked):
            yield Effect(lane="channel", kind="hand", payload=order.payload(), token=order.token)

    async def _see_to_class(
        self,
        connection: AsyncConnection,
        conversation: Conversation,
        waiting: Waiting,
        state: State,
        effect: does.ClassEffect,
    ) -> None:
        who, classes = conversation.pseudonym, self.classes
        match effect:
            case does.AnswerClass(room=room, question=question, answer=answer):
                await classes.answer(connection, who, room=room, question=question, answer=answer)
                return
            case does.OpenClass():
                news = await classes.open(connection, who, locale=state.locale, country=state.country)
            case does.JoinClass(code=code):
                news = await classes.join(connection, who, code=code)
            case does.LookAtClass(close=close):
                news = await classes.look(
                    connection, who, close=close, locale=state.locale, country=state.country
                )
            case _:
                assert_never(effect)
        await self.store.put_event(connection, who, update=f"class {who} {waiting.number}", event=news)

    async def _open_case(
        self,
        connection: AsyncConnection,
        conversation: Conversation,
        waiting: Waiting,
        turn: engine.Turn,
        effect: does.OpenCase,
    ) -> Effect:
        pseudonym, state = conversation.pseudonym, turn.state
        case = uuid5(pseudonym, f"case {waiting.number}")
        await self.store.case_opened(connection, case, conversation=pseudonym)
        if effect.code and any(isinstance(said, does.Say) and said.key == CODE_TEXT for said in turn.effects):
            await self.codes.give(connection, case, effect.code)
        thread = await self.store.thread(connection, conversation, until=waiting.number, most=HANDED_OVER)
        thread = [line for line in thread if line.key != CODE_TEXT]
        if not effect.plan:
            thread = list(_without_plan(thread))
        keys = dict.fromkeys([*state.said, *(line.key for line in thread if line.key)])
        return Effect(
            lane="referral",
            kind="open_case",
            payload={
                "id": str(case),
                "conversation": str(pseudonym),
                "channel": conversation.channel,
                "locale": state.locale,
                "country": state.country,
                "role": state.role,
                "danger": effect.danger.value,
                "reason": effect.reason,
                "opened_at": waiting.received_at.isoformat(),
                "consent": effect.consent,
                "consent_for_others": effect.consent_for_others,
                "card": dict(effect.card),
                "said": list(state.said),
                "sources": dict(effect.sources),
                "scope": list(effect.scope),
                "promised": [key for key in state.said if key in PROMISES],
                "plan": dict(effect.plan),
                "contacts": dict(effect.contacts),
                "documents": self._documents(state),
                "texts": {
                    key: in_every_language(self.book, key, state=state, countries=self.countries)
                    for key in keys
                },
                "messages": [
                    {
                        "id": str(_message_id(pseudonym, line.number, visitor=line.sender == "visitor")),
                        "sender": line.sender,
                        "text": _handed_over(line, waiting),
                        "sent_at": line.at.isoformat(),
                        "key": line.key or None,
                    }
                    for line in thread
                ],
            },
        )

    def _documents(self, state: State) -> dict[str, dict[str, str]]:
        """What the operator can give, each with its title in every language."""
        found = {}
        for name, document in self.book.documents.items():
            title = next(block.keys[0] for block in document.blocks if block.kind is BlockKind.TITLE)
            key = f"{document.sheet}.{title}"
            found[name] = in_every_language(self.book, key, state=state, countries=self.countries)
        return found

    async def _about_case(
        self,
        connection: AsyncConnection,
        conversation: Conversation,
        waiting: Waiting,
        effect: does.Relay | does.RaiseDanger | does.LeaveCase,
    ) -> list[Effect]:
        cases = await self.store.cases(connection, conversation.pseudonym, open_only=True)
        if not cases:
            return []
        about: dict[str, Any] = {"case": str(cases[0])}
        match effect:
            case does.Relay():
                about["message"] = {
                    "id": str(_message_id(conversation.pseudonym, waiting.number, visitor=True)),
                    "text": effect.text,
                    "sent_at": waiting.received_at.isoformat(),
                    "danger": effect.danger.value,
                }
                return [Effect(lane="referral", kind="relay", payload=about)]
            case does.RaiseDanger():
                return [
                    Effect(
                        lane="referral",
                        kind="raise_danger",
                        payload=about | {"danger": effect.danger.value},
                    )
                ]
            case does.LeaveCase():
                return [Effect(lane="referral", kind="leave", payload=about)]
            case _:
                assert_never(effect)

    async def _forget(self, connection: AsyncConnection, conversation: Conversation, number: int) -> None:
        await self.store.erase_words(connection, conversation.pseudonym, before=number)
        await self.store.no_more_tips(connection, conversation.pseudonym)
        await self.classes.forget(connection, conversation.pseudonym)
        args = {"conversation": str(conversation.pseudonym), "version": conversation.version}
        await _set_timer(connection, "erase", args, after=_FORGOTTEN_AFTER)


async def _set_timer(connection: AsyncConnection, task: str, args: Mapping[str, Any], *, after: str) -> None:
    # Without a lock of the conversation: a timer due later would hold back the messages that are ready now.
    await connection.execute(_TIMER, {"task": task, "args": json.dumps(args), "after": after})


def _handed_over(line: Spoken, waiting: Waiting) -> str:
    # The rows before this message are masked already, unless they were said to a person; its own is not yet.
    just_said = line.sender == "visitor" and line.number == waiting.number
    return mask(line.text) if just_said else line.text


def _say(
    effect: does.Say, locale: str, *, until: str | None = None, asked_at: datetime | None = None
) -> Effect:
    return Effect(
        lane="channel",
        kind="say",
        payload={
            "text": effect.text,
            "choices": [asdict(choice) for choice in effect.choices],
            "sender": effect.sender,
            "key": effect.key,
            "locale": locale,
            "runs": [asdict(run) for run in effect.runs],
            # What has not reached the visitor by then is not news any more, or would wake them.
            "until": until,
            "asked_at": asked_at and asked_at.isoformat(),
        },
    )


def _about(case: UUID, kind: str, **more: str) -> Effect:
    return Effect(lane="referral", kind=kind, payload={"case": str(case), **more})


def _without_plan(thread: Sequence[Spoken]) -> Iterator[Spoken]:
    """The thread without the visitor's safety plan: neither as it was shown nor as they wrote it."""
    asked = False
    for line in thread:
        if line.sender == "visitor":
            if not asked:
                yield line
            asked = False
            continue
        shown = line.key.startswith(PLAN_TEXTS)
        asked = line.key in PLAN_QUESTIONS
        if not shown:
            yield line


def _message_id(pseudonym: UUID, number: int, *, visitor: bool) -> UUID:
    return uuid5(pseudonym, f"{'in' if visitor else 'out'} {number}")


def _desk(standing: Standing, *, country: str | None, at: datetime) -> Desk:
    """What the desk says, as the clocks go where the visitor is."""
    opens_at = standing.opens_at and local(standing.opens_at, country=country)
    return Desk(
        place=standing.place,
        minutes=standing.usual_minutes,
        here=standing.here,
        opens_at=opens_at,
        today=opens_at and at.astimezone(opens_at.tzinfo).date(),
    )


def _news(standing: Standing, *, closed: bool) -> CaseNews:
    """How far a case is; one that the desk has not heard of yet waits on its way there."""
    if closed or standing.state == "closed":
        return CaseNews.CLOSED
    if standing.state == "held":
        return CaseNews.LIVE
    return CaseNews.LATER if standing == Standing() else CaseNews.WAITING


def _log_turn(pseudonym: UUID, event: happened.Event, turn: engine.Turn) -> None:
    seen: dict[str, Any] = {}
    if isinstance(event, happened.TextReceived):
        seen = {"intent": event.understanding.intent, "by": event.understanding.by}
    top = turn.state.frames[-1] if turn.state.frames else None
    log.info(
        "turn taken",
        conversation=str(pseudonym),
        event_kind=type(event).__name__,
        flow=top and top.flow,
        node=top and top.node,
        danger=turn.state.danger.value if turn.state.danger is not DangerLevel.NONE else None,
        **seen,
    )
