"""Whatever operators, visitors, clocks and crashes do at once, no case and no message is lost at the desk.

Steps are drawn by hypothesis: up to three acts at the same time, of which any may be broken off by killing
its connection to PostgreSQL at some statement, or when it commits; time that passes; a bot that fails. After
every step the database is looked at by queries of this file's own.

The same 60 seconds everywhere; ``HYPOTHESIS_PROFILE=long`` draws new steps for a quarter of an hour.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from psycopg.rows import dict_row
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import AuditRepository
from referral.audit.rules import Break, Head
from referral.cases.clocks import Clocks
from referral.cases.coding import Coding, Occurred
from referral.cases.desk import Desk
from referral.cases.intake import Intake
from referral.cases.overdue import Overdue
from referral.cases.repository import CaseRepository
from referral.cases.returning import Returning
from referral.cases.rules import DangerLevel, Outcome
from referral.cases.schemas import NewCase, NewMessage
from referral.cases.waking import Waking
from referral.database import Sessions, migrate, open_engine, sessions_of, transaction
from referral.errors import ReferralError
from referral.events.delivery import Delivery
from referral.operators.repository import OperatorRepository
from referral.operators.rules import Role
from referral.operators.tables import Operator
from referral.privacy import Privacy
from referral.signature import Signature
from tests.databases import template_database
from tests.referral.conftest import SECRET_KEY
from tests.referral.desk import case_json
from tests.referral.serving import SERVICE_SECRET, FakeBot, serving

OPERATORS = 3
#: An act has fewer statements than this, its commit among them.
STATEMENTS = 24
_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


class Kind(StrEnum):
    """What somebody does."""

    OPEN = "open"
    HEAR = "hear"
    RAISE = "raise"
    LEAVE = "leave"
    FORGET = "forget"
    TAKE = "take"
    WRITE = "write"
    NOTE = "note"
    RELEASE = "release"
    PASS_ON = "pass_on"
    SET_ASIDE = "set_aside"
    WAKE = "wake"
    PICK = "pick"
    CLOSE = "close"
    RETURN = "return"
    MARK = "mark"
    DELIVER = "deliver"
    PRESENT = "present"


#: These the bot repeats until it has an answer.
OF_THE_BOT = (Kind.OPEN, Kind.HEAR, Kind.RAISE, Kind.LEAVE, Kind.FORGET)
_LIKELY = (
    *Kind,
    Kind.OPEN,
    Kind.HEAR,
    Kind.HEAR,
    Kind.TAKE,
    Kind.TAKE,
    Kind.TAKE,
    Kind.WRITE,
    Kind.WRITE,
    Kind.SET_ASIDE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that somebody does; numbers choose among the operators and cases that there are."""

    kind: Kind
    who: int
    which: int
    danger: DangerLevel
    #: At which statement its connection is killed; never unless given.
    dies_at: int | None


ACTS = st.builds(
    Act,
    kind=st.sampled_from(_LIKELY),
    who=st.integers(0, OPERATORS - 1),
    which=st.integers(0, 5),
    danger=st.sampled_from(DangerLevel),
    dies_at=st.none() | st.integers(1, STATEMENTS),
)


@dataclass(slots=True)
class Doom:
    """When the connection of the act that runs here is killed."""

    left: int
    struck: bool = False


_doom: ContextVar[Doom | None] = ContextVar("_doom", default=None)


@dataclass(slots=True)
class World:
    """The desk's own code on a real database, and what its callers were promised."""

    url: str
    sessions: Sessions
    admin: psycopg.Connection[Any]
    delivery: Delivery
    bot: FakeBot
    privacy: Privacy
    ahead: timedelta = timedelta()
    head: Head = field(default_factory=Head)
    operators: list[UUID] = field(default_factory=list)
    cases: list[UUID] = field(default_factory=list)
    #: What the bot was told is on disk: entry ids by case, in the order of the answers.
    heard: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    #: The words that an operator was told are on their way.
    written: dict[UUID, list[str]] = field(default_factory=lambda: defaultdict(list))

    def now(self) -> datetime:
        """What time it is."""
        return datetime.now(UTC) + self.ahead

    async def people(self) -> None:
        """New operators, all of them before their pages."""
        self.operators = [uuid4() for _ in range(OPERATORS)]
        async with transaction(self.sessions) as session:
            for number in self.operators:
                await OperatorRepository(session).add(
                    Operator(
                        number=number, name=f"n{number.hex[:12]}", role=Role.SUPERVISOR, present_at=self.now()
                    )
                )

    async def together(self, acts: list[Act]) -> None:
        """Do these at once; what the bot did not hear an answer to, it repeats."""
        doings = [(act, self._doing(act)) for act in acts]
        await asyncio.gather(*(self._do(act, doing) for act, doing in doings))

    async def _do(self, act: Act, doing: Callable[[], Awaitable[None]]) -> None:
        doom = Doom(left=act.dies_at) if act.dies_at else None
        _doom.set(doom)
        try:
            await doing()
        except ReferralError:
            return
        except DBAPIError:
            assert doom is not None, f"{act} was broken off, and nobody had killed its connection"
            assert doom.struck, f"{act} was broken off before its connection was killed"
            if act.kind in OF_THE_BOT:
                await self._do(
                    Act(kind=act.kind, who=act.who, which=act.which, danger=act.danger, dies_at=None), doing
                )

    def _doing(self, act: Act) -> Callable[[], Awaitable[None]]:
        """The act with its ids fixed, so that doing it again is doing the same."""
        entry = uuid4()
        if act.kind is Kind.OPEN:
            return lambda: self._open(act, NewCase.model_validate(case_json(danger=act.danger)))
        if act.kind is Kind.TAKE:
            return lambda: self._at_desk(act, lambda desk: desk.take_next())
        if act.kind in (Kind.RETURN, Kind.MARK, Kind.WAKE):
            return lambda: self._sweep(act.kind)
        if act.kind is Kind.PRESENT:
            return lambda: self._present(act)
        if not self.cases:
            return lambda: asyncio.sleep(0)
        case = self.cases[act.which % len(self.cases)]
        if act.kind is Kind.DELIVER:
            return lambda: self.delivery.drain(case)
        if act.kind in OF_THE_BOT:
            return lambda: self._of_the_bot(act, case, entry)
        return lambda: self._of_an_operator(act, case, entry)

    async def _open(self, act: Act, wanted: NewCase) -> None:
        async with transaction(self.sessions) as session:
            await self._intake(session).open(wanted)
        self.cases.append(wanted.id)

    async def _of_the_bot(self, act: Act, case: UUID, entry: UUID) -> None:
        async with transaction(self.sessions) as session:
            intake = self._intake(session)
            match act.kind:
                case Kind.HEAR:
                    message = NewMessage(
                        id=entry, text=f"word {entry}", sent_at=self.now(), danger=act.danger
                    )
                    await intake.hear(case, message)
                case Kind.RAISE:
                    await intake.raise_danger(case, act.danger)
                case Kind.LEAVE:
                    await intake.leave(case)
                case _:
                    await intake.forget(case)
        if act.kind is Kind.HEAR:
            self.heard[case].append(entry)

    async def _of_an_operator(self, act: Act, case: UUID, entry: UUID) -> None:
        words = f"answer {entry}"
        match act.kind:
            case Kind.WRITE:
                await self._at_desk(act, lambda desk: desk.write(case, entry=entry, words=words))
                self.written[case].append(words)
            case Kind.NOTE:
                await self._at_desk(act, lambda desk: desk.note(case, entry=entry, words=words))
            case Kind.RELEASE:
                await self._at_desk(act, lambda desk: desk.release(case))
            case Kind.PASS_ON:
                to = self.operators[(act.who + 1) % OPERATORS]
                await self._at_desk(act, lambda desk: desk.pass_on(case, to=to, note="they want to talk on"))
            case Kind.SET_ASIDE:
                until = self.now() + timedelta(minutes=15)
                await self._at_desk(
                    act, lambda desk: desk.set_aside(case, entry=entry, until=until, words=words)
                )
                self.written[case].append(words)
            case Kind.PICK:
                await self._at_desk(act, lambda desk: desk.pick(case, reason="nobody else is here"))
            case _:
                coding = Coding(
                    outcome=Outcome.ADVICE_GIVEN, code="violence.cyberbullying", occurred=Occurred.ONLINE
                )
                await self._at_desk(act, lambda desk: desk.close(case, coding))

    async def _at_desk(self, act: Act, does: Callable[[Desk], Awaitable[object]]) -> None:
        async with transaction(self.sessions) as session:
            await does(Desk(session, operator=self.operators[act.who], privacy=self.privacy, now=self.now()))

    async def _sweep(self, kind: Kind) -> None:
        if kind is Kind.WAKE:
            await Waking(self.sessions, privacy=self.privacy).sweep(now=self.now())
            return
        if kind is Kind.MARK:
            await Overdue(self.sessions, privacy=self.privacy).sweep(now=self.now())
            return
        returning = Returning(
            self.sessions, privacy=self.privacy, answer_within=timedelta(minutes=10), clocks=Clocks()
        )
        await returning.sweep(now=self.now(), watched_since=self.now() - timedelta(days=1))

    async def _present(self, act: Act) -> None:
        async with transaction(self.sessions) as session:
            await OperatorRepository(session).present(self.operators[act.who], now=self.now())

    def _intake(self, session: AsyncSession) -> Intake:
        return Intake(session, privacy=self.privacy, now=self.now())

    # What must hold, whatever happened

    async def check(self) -> None:
        """Look at everything."""
        cases = {row["id"]: row for row in self._rows('SELECT * FROM "case" WHERE id = ANY(%s)', self.cases)}
        threads = defaultdict(list)
        for row in self._rows("SELECT * FROM message WHERE case_id = ANY(%s) ORDER BY seq", self.cases):
            threads[row["case_id"]].append(row)
        for number in self.cases:
            assert number in cases, "a case that was opened is there"
            self._has_one_holder(cases[number], threads[number])
            self._keeps_every_message(cases[number], threads[number])
        await self._everybody_has_a_place(cases)
        await self._the_log_is_whole()

    def _has_one_holder(self, case: dict[str, Any], thread: list[dict[str, Any]]) -> None:
        """The holder that follows from what happened, one after another, is the one who stands there."""
        holder: UUID | None = None
        for entry in thread:
            match entry["happened"]:
                case "taken":
                    assert holder is None, "a case that somebody holds is never taken from the line"
                    holder = entry["author_id"]
                case "picked":
                    holder = entry["author_id"]
                case "passed_on":
                    assert holder == entry["author_id"]
                    holder = (
                        case["holder_id"] if entry is _last_change(thread) else _next_holder(thread, entry)
                    )
                case "released" | "closed" | "unanswered" | "away":
                    assert holder == entry["author_id"]
                    holder = None
                case "forgotten":
                    holder = None
                case _:
                    pass
        assert holder == case["holder_id"]
        assert (case["state"] == "held") == (holder is not None)

    def _keeps_every_message(self, case: dict[str, Any], thread: list[dict[str, Any]]) -> None:
        said = [
            entry["id"] for entry in thread if entry["kind"] == "visitor" and entry["heard_at"] is not None
        ]
        assert len(said) == len(set(said))
        assert set(self.heard[case["id"]]) <= set(said), "what the bot was told is on disk is there"
        if case["forgotten_at"] is None:
            assert all(entry["text"] for entry in thread if entry["kind"] != "event")
        answers = [entry["id"] for entry in thread if entry["kind"] == "operator"]
        assert len(answers) >= len(self.written[case["id"]])
        events = [
            row["message_id"]
            for row in self._rows(
                "SELECT message_id FROM event WHERE case_id = ANY(%s) AND kind = 'message' ORDER BY seq",
                [case["id"]],
            )
        ]
        assert events == answers, "every word of an operator is on its way, in its order, once"

    async def _everybody_has_a_place(self, cases: dict[UUID, dict[str, Any]]) -> None:
        waiting = [case for case in cases.values() if case["state"] == "waiting"]
        async with transaction(self.sessions) as session:
            repository = CaseRepository(session)
            found = [await repository.get(case["id"]) for case in waiting]
            places = [await repository.place(case) for case in found if case is not None]
        assert sorted(place or 0 for place in places) == list(range(1, len(waiting) + 1))
        for case in waiting:
            assert case["due_at"] is not None, "whoever waits has a clock"
        for case in cases.values():
            assert case["state"] != "held" or case["holder_id"] in self.operators
        await self._nobody_sleeps_too_long()

    async def _nobody_sleeps_too_long(self) -> None:
        """Once it was looked for, no case is set aside whose time is over or whose visitor wrote since."""
        await Waking(self.sessions, privacy=self.privacy).sweep(now=self.now())
        asleep = self._rows('SELECT * FROM "case" WHERE aside_until IS NOT NULL AND id = ANY(%s)', self.cases)
        for case in asleep:
            assert case["state"] == "held", "whoever set it aside still holds it"
            assert case["aside_until"] > self.now() - timedelta(seconds=30)
            thread = self._rows("SELECT * FROM message WHERE case_id = ANY(%s) ORDER BY seq", [case["id"]])
            last = max(entry["seq"] for entry in thread if entry["happened"] == "set_aside")
            assert not [entry for entry in thread if entry["seq"] > last and entry["kind"] == "visitor"]

    async def _the_log_is_whole(self) -> None:
        async with transaction(self.sessions) as session:
            head = await AuditRepository(session).verify(known=self.head if self.head.seq else None)
        assert not isinstance(head, Break), f"the log breaks at row {head.seq}"
        self.head = head

    async def end(self) -> None:
        """Everything that is still on its way arrives; then all is forgotten, for the next example."""
        self.bot.answers.clear()
        # What a failed attempt postponed is due.
        with self.admin.cursor() as cursor:
            cursor.execute("UPDATE event SET next_try_at = NULL WHERE next_try_at IS NOT NULL")
        for case in self.cases:
            await self.delivery.drain(case)
        for case in self.cases:
            self._arrived(case)
        for case in self.cases:
            async with transaction(self.sessions) as session:
                await self._intake(session).forget(case)

    def _arrived(self, case: UUID) -> None:
        texts = [
            event["data"]["text"]
            for event in self.bot.events
            if event["type"] == "case.message" and event["data"]["case"] == str(case)
        ]
        assert len(texts) == len(set(texts)), "nothing is said twice"
        [row] = self._rows('SELECT gone_at FROM "case" WHERE id = ANY(%s)', [case])
        if row["gone_at"] is None:
            assert set(self.written[case]) <= set(texts), "every word of an operator reaches the visitor"

    def _rows(self, query: str, numbers: list[UUID]) -> list[dict[str, Any]]:
        with self.admin.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, [numbers]).fetchall()


_CHANGES = ("taken", "picked", "passed_on", "released", "closed", "unanswered", "away", "forgotten")


def _last_change(thread: list[dict[str, Any]]) -> dict[str, Any] | None:
    changes = [entry for entry in thread if entry["happened"] in _CHANGES]
    return changes[-1] if changes else None


def _next_holder(thread: list[dict[str, Any]], passed: dict[str, Any]) -> UUID | None:
    """To whom it was passed: whoever did what only a holder can, next; a pick or an erasure tells nothing."""
    after = [entry for entry in thread if entry["seq"] > passed["seq"] and entry["happened"] in _CHANGES]
    found: UUID | None = after[0]["author_id"]
    return found


def _kill(admin: psycopg.Connection[Any], connection: Any) -> None:
    """End the connection at the server, as a process that dies does."""
    pid = connection.connection.dbapi_connection.driver_connection.info.backend_pid
    admin.execute("SELECT pg_terminate_backend(%s)", [pid])


def _watch(engine: Any, admin: psycopg.Connection[Any]) -> None:
    def strike(connection: Any) -> None:
        doom = _doom.get()
        if doom is None or doom.struck:
            return
        doom.left -= 1
        if doom.left <= 0:
            doom.struck = True
            _kill(admin, connection)

    event.listen(
        engine.sync_engine, "before_cursor_execute", lambda connection, *_: strike(connection), named=False
    )
    event.listen(engine.sync_engine, "commit", strike)


class DeskMachine(RuleBasedStateMachine):
    """Draws what happens; the world of the test is made once, and its cases are new for every example."""

    world: ClassVar[World]
    run: ClassVar[Callable[[Awaitable[None]], None]]

    def __init__(self) -> None:
        super().__init__()
        world = type(self).world
        world.cases, world.heard, world.written = [], defaultdict(list), defaultdict(list)
        world.bot.events.clear()
        type(self).run(world.people())

    @rule(acts=st.lists(ACTS, min_size=1, max_size=3))
    def somebody_acts(self, acts: list[Act]) -> None:
        """Up to three at the same time."""
        type(self).run(self.world.together(acts))

    @rule(minutes=st.sampled_from([1, 3, 11, 20]))
    def time_passes(self, minutes: int) -> None:
        """Clocks run out, operators go away."""
        self.world.ahead += timedelta(minutes=minutes)

    @rule(statuses=st.lists(st.sampled_from([500, 503]), min_size=1, max_size=3))
    def the_bot_fails(self, statuses: list[int]) -> None:
        """The next deliveries do not arrive."""
        self.world.bot.fail(*statuses)

    @rule()
    def an_answer_is_lost(self) -> None:
        """The next delivery arrives, and nobody hears of it."""
        self.world.bot.lose_next_answer = True

    @invariant()
    def nothing_is_lost(self) -> None:
        """No case, no message, no row of the log."""
        type(self).run(self.world.check())

    def teardown(self) -> None:
        """What is on its way arrives."""
        type(self).run(self.world.end())


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


async def _make(stack: AsyncExitStack) -> World:
    template = await stack.enter_async_context(template_database("referral_machine", migrate=migrate))
    url = await stack.enter_async_context(template.copy())
    engine = open_engine(url)
    stack.push_async_callback(engine.dispose)
    admin = psycopg.connect(url, autocommit=True)
    stack.callback(admin.close)
    _watch(engine, admin)
    sessions, privacy = sessions_of(engine), Privacy(SECRET_KEY)
    bot = FakeBot()
    address = await stack.enter_async_context(serving(bot.app()))
    client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
    delivery = Delivery(
        sessions=sessions,
        privacy=privacy,
        signature=Signature(SERVICE_SECRET),
        client=client,
        address=f"{address}/referral/events",
        clock=lambda: datetime.now(UTC),
        count=lambda _: None,
    )
    return World(url=url, sessions=sessions, admin=admin, delivery=delivery, bot=bot, privacy=privacy)


@pytest.mark.slow
def test_no_case_and_no_message_is_lost_whatever_happens_at_once(runner: asyncio.Runner) -> None:
    stack = AsyncExitStack()
    world = runner.run(_make(stack))
    DeskMachine.world = world
    DeskMachine.run = staticmethod(lambda doing: runner.run(_within(doing)))
    try:
        run_state_machine_as_test(
            DeskMachine,
            settings=settings(
                max_examples=300 if _LONG else 40,
                stateful_step_count=60 if _LONG else 25,
                derandomize=not _LONG,
                deadline=None,
                database=None,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        runner.run(stack.aclose())
    assert world.head.seq > 0


async def _within(doing: Awaitable[None]) -> None:
    await doing
