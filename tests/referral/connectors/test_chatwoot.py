"""Chatwoot, both ways: what agents see, what of theirs reaches a visitor, and who answers when two could."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from referral.audit.tables import AuditRow
from referral.cases.repository import CaseRepository
from referral.cases.tables import Case
from referral.config import Settings
from referral.connectors.chatwoot.check import check, prepare
from referral.connectors.chatwoot.reading import agent_messages
from referral.connectors.chatwoot.server import path_secret
from referral.connectors.checking import Grade
from referral.connectors.holders import CHATWOOT
from referral.database import transaction
from referral.errors import OperatorUnknown
from referral.operators.rules import Role
from tests.fakes.chatwoot import ACCOUNT, INBOX, SECRET, TOKEN, Talk
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.connectors.chatwoot import ChatwootReceiver
from tests.referral.connectors.receivers import Says
from tests.referral.desk import BotClient, Service, access_of, eventually, running
from tests.referral.serving import SERVICE_SECRET, FakeBot, serving

_PATIENCE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """A desk and a Chatwoot that is connected to it."""

    service: Service
    chatwoot: ChatwootReceiver
    bot: FakeBot
    child: BotClient

    async def open(self, **changes: Any) -> tuple[UUID, Talk]:
        """A case that has appeared in Chatwoot."""
        case = await self.child.open(**changes)
        talk = await self.until(
            lambda: self.chatwoot.talk_of(case), lambda talk: bool(talk and talk.priority)
        )
        assert talk is not None
        return case, talk

    async def until(self, look: Callable[[], Any], wanted: Callable[[Any], bool] = bool) -> Any:
        """What is to be seen once it is what is wanted."""

        async def see() -> Any:
            return look()

        return await eventually(see, wanted)

    async def stored(self, case: UUID, wanted: Callable[[Case], bool] = lambda _: True) -> Case:
        """The case once it stands as wanted."""

        async def see() -> Case:
            async with transaction(self.service.services.sessions) as session:
                found = await CaseRepository(session).get(case)
                assert found is not None
                return found

        return await eventually(see, wanted)

    async def answers(self, talk: Talk, words: str) -> None:
        """An agent writes, and Chatwoot rings."""
        self.chatwoot.agent_writes(talk.number, words)
        await self.chatwoot.ring()

    async def notes(self, talk: Talk, part: str) -> list[str]:
        """The notes with these words, once there are any."""
        found: list[str] = await self.until(
            lambda: [note for note in talk.said(private=True) if part in note],
        )
        return found


@pytest.fixture
async def both(database: str, bot: FakeBot, clock: Time) -> AsyncIterator[Both]:
    chatwoot = ChatwootReceiver(clock)
    async with serving(chatwoot.app()) as url, serving(bot.app()) as bot_url:
        settings = Settings(
            referral_database_url=database,
            referral_secret_key=SECRET_KEY,
            service_secret=SERVICE_SECRET,
            bot_url=bot_url,
            chatwoot_url=url,
            chatwoot_account=ACCOUNT,
            chatwoot_inbox=INBOX,
            chatwoot_token=TOKEN,
            chatwoot_webhook_secret=SECRET,
        )
        async with running(settings, clock=clock) as service, service.as_bot() as child:
            secret = path_secret(SECRET_KEY, token=TOKEN)
            chatwoot.inbox["webhook_url"] = f"{service.url}/connectors/chatwoot/{secret}"
            made = Both(service=service, chatwoot=chatwoot, bot=bot, child=child)
            await _until_connected(made)
            yield made


async def _until_connected(both: Both) -> None:
    """Cases are announced to connections that are switched on, and Chatwoot must stand at the desk."""

    async def ready() -> int:
        async with transaction(both.service.services.sessions) as session:
            found = await session.execute(
                text(
                    "SELECT (SELECT count(*) FROM connection WHERE name = 'chatwoot')"
                    " + (SELECT count(*) FROM operator WHERE name = 'chatwoot' AND present_at IS NOT NULL)"
                )
            )
            return int(found.scalar_one())

    await eventually(ready, lambda number: number == 2)


async def test_agents_see_a_code_name_the_card_and_what_was_said(both: Both) -> None:
    case, talk = await both.open(danger="urgent")

    (contact,) = both.chatwoot.contacts.values()
    stored = await both.stored(case)
    (note,) = talk.said(private=True)
    assert contact["name"] == stored.designation
    assert set(contact) == {"id", "name", "identifier", "contact_inboxes"}
    assert (talk.status, talk.priority) == ("open", "high")
    assert "меня травят в чате" in note
    assert "Suggested code: violence.cyberbullying" in note


async def test_a_talk_goes_both_ways_and_ends_with_a_code(both: Both) -> None:
    case, talk = await both.open()
    await both.answers(talk, "Здравствуй, я Анна.")
    await both.bot.until(lambda bot: bot.texts == ["Здравствуй, я Анна."])
    await both.child.say(case, "они пишут снова")
    await both.until(lambda: talk.said() == ["они пишут снова"])
    both.chatwoot.resolve(
        talk.number, porchlight_outcome="advice_given", porchlight_code="violence.cyberbullying"
    )
    await both.chatwoot.ring()

    closed = await both.stored(case, lambda case: case.state == "closed")
    await both.bot.until(lambda bot: bot.kinds == ["case.taken", "case.message", "case.closed"])
    assert (closed.outcome, closed.code, closed.occurred) == (
        "advice_given",
        "violence.cyberbullying",
        "online",
    )
    assert closed.closer_id == CHATWOOT


async def test_whoever_answers_in_chatwoot_holds_the_case_and_supervisors_see_it(both: Both) -> None:
    case, talk = await both.open()
    await both.answers(talk, "Я здесь.")
    held = await both.stored(case, lambda case: case.state == "held")

    assert held.holder_id == CHATWOOT
    async with both.service.as_operator("nina") as nina:
        assert await nina.take_next() is None
    async with transaction(both.service.services.sessions) as session:
        acts = (await session.scalars(select(AuditRow.act).where(AuditRow.operator_id == CHATWOOT))).all()
    assert acts == ["case_taken", "message_written"]


async def test_two_never_answer_at_once(both: Both) -> None:
    case, talk = await both.open()
    async with both.service.as_operator("nina") as nina:
        assert await nina.take_next() == case
        await both.until(lambda: talk.status == "snoozed")
        await both.answers(talk, "И я здесь.")
        (note,) = await both.notes(talk, "Not sent")
        await nina.write(case, "Я Нина.")
        await both.bot.until(lambda bot: bool(bot.texts))
        await both.child.say(case, "привет")
        notes = await both.notes(talk, "привет")

    assert note == "Not sent to the visitor. An operator answers at Porchlight's desk."
    assert both.bot.texts == ["Я Нина."]
    # What is said meanwhile stands there as notes, and opens nothing.
    assert notes == ["Visitor: привет"]
    assert (talk.status, talk.said()) == ("snoozed", [])


async def test_a_case_that_the_desk_gives_back_is_open_again_in_chatwoot(both: Both) -> None:
    case, talk = await both.open()
    async with both.service.as_operator("nina") as nina:
        await nina.take_next()
        await both.until(lambda: talk.status == "snoozed")
        await nina.send(f"/cases/{case}/release")
        await both.until(lambda: talk.status == "open")
    await both.answers(talk, "Я Анна.")

    await both.bot.until(lambda bot: bot.texts == ["Я Анна."])


async def test_rings_that_come_twice_and_in_the_wrong_order_change_nothing(both: Both) -> None:
    _, talk = await both.open()
    for words in ("раз", "два", "три"):
        both.chatwoot.agent_writes(talk.number, words)
    await both.chatwoot.ring(twice=True, backwards=True)
    await both.bot.until(lambda bot: len(bot.texts) >= 3)
    both.chatwoot.agent_writes(talk.number, "четыре")
    await both.chatwoot.ring(twice=True)
    await both.bot.until(lambda bot: len(bot.texts) >= 4)

    assert both.bot.texts == ["раз", "два", "три", "четыре"]
    assert set(both.chatwoot.answers) == {204}


async def test_an_answer_whose_ring_was_lost_arrives(both: Both, clock: Time) -> None:
    _, talk = await both.open()
    both.chatwoot.agent_writes(talk.number, "Слышишь меня?")
    both.chatwoot.events.clear()
    clock.forward(timedelta(seconds=31))

    await both.bot.until(lambda bot: bot.texts == ["Слышишь меня?"])


async def test_nothing_comes_back_as_an_echo(both: Both) -> None:
    case, talk = await both.open()
    await both.child.say(case, "эй")
    await both.until(lambda: talk.said() == ["эй"])
    await both.chatwoot.ring()
    both.chatwoot.agent_writes(talk.number, "записка", private=True)
    both.chatwoot.agent_writes(talk.number, "Как вам наша помощь?", sender=None)
    both.chatwoot.agent_writes(talk.number, "Я автоответчик.", sender="agent_bot")
    await both.answers(talk, "Я Анна.")
    await both.bot.until(lambda bot: bool(bot.texts))
    await both.chatwoot.ring()

    assert both.bot.texts == ["Я Анна."]
    assert talk.said() == ["эй"]


async def test_a_conversation_that_is_resolved_without_a_code_opens_again_and_says_what_lacks(
    both: Both,
) -> None:
    case, talk = await both.open()
    await both.answers(talk, "Я Анна.")
    await both.stored(case, lambda case: case.state == "held")
    both.chatwoot.resolve(talk.number, porchlight_outcome="advice_given")
    await both.chatwoot.ring()
    (note,) = await both.notes(talk, "Not closed")

    assert "Please choose a code for the report." in note
    assert talk.status == "open"
    assert (await both.stored(case)).state == "held"


async def test_a_visitor_who_waits_is_not_resolved_away(both: Both) -> None:
    case, talk = await both.open()
    both.chatwoot.resolve(
        talk.number, porchlight_outcome="not_for_us", porchlight_code="non_counselling.abusive"
    )
    await both.chatwoot.ring()
    await both.notes(talk, "waits in line")

    assert (await both.stored(case)).state == "waiting"
    assert talk.status == "open"


async def test_while_chatwoot_is_down_its_cases_go_back_to_the_line(both: Both, clock: Time) -> None:
    case, talk = await both.open()
    await both.answers(talk, "Я Анна.")
    await both.stored(case, lambda case: case.state == "held")
    both.chatwoot.fail(*[Says(status=503)] * 1000)
    clock.forward(timedelta(minutes=2, seconds=1))

    await both.stored(case, lambda case: case.state == "waiting")
    await both.bot.until(lambda bot: bot.kinds[-1] == "case.returned")
    async with both.service.as_operator("nina") as nina:
        assert await nina.take_next() == case


async def test_an_agent_who_does_not_answer_loses_the_case(both: Both, clock: Time) -> None:
    case, talk = await both.open()
    await both.answers(talk, "Я Анна.")
    await both.stored(case, lambda case: case.state == "held")
    await both.child.say(case, "ты здесь?")
    clock.forward(timedelta(minutes=10, seconds=1))

    await both.stored(case, lambda case: case.state == "waiting")
    await both.notes(talk, "back in line")


async def test_files_and_answers_after_the_end_are_not_sent_and_agents_are_told(both: Both) -> None:
    case, talk = await both.open()
    both.chatwoot.agent_writes(talk.number, "Вот памятка.", attachments=[{"id": 1, "file_type": "file"}])
    await both.chatwoot.ring()
    await both.notes(talk, "The file was not sent")
    await both.child.post(f"/v1/cases/{case}/leave")
    await both.answers(talk, "Ещё тут?")
    notes = await both.notes(talk, "The visitor has left")

    assert both.bot.texts in (["Вот памятка."], [])
    assert len(notes) == 1


async def test_a_deletion_takes_contact_and_conversation(both: Both) -> None:
    case, talk = await both.open()
    await both.child.post(f"/v1/cases/{case}/forget")

    await both.until(lambda: both.chatwoot.contacts == {} and both.chatwoot.talks == {})
    # A ring about what is gone is answered and does nothing.
    event = {"event": "message_created", "conversation": {"id": talk.number}, "account": {"id": ACCOUNT}}
    assert await both.chatwoot.post(json.dumps(event).encode()) == 204


async def test_only_chatwoot_can_ring(both: Both) -> None:
    address = both.chatwoot.inbox["webhook_url"]
    event = json.dumps({"event": "message_created", "conversation": {"id": 1}}).encode()
    forged = await both.chatwoot.post(event, secret="another")
    unreadable = await both.chatwoot.post(b"[]")
    both.chatwoot.inbox["webhook_url"] = address[:-1] + ("0" if address[-1] != "0" else "1")
    elsewhere = await both.chatwoot.post(event)
    async with httpx.AsyncClient(trust_env=False) as client:
        unsigned = (await client.post(address, content=event)).status_code

    assert (forged, unreadable, elsewhere, unsigned) == (401, 422, 404, 401)


async def test_chatwoot_stands_at_the_desk_and_nobody_can_sign_in_as_it(both: Both) -> None:
    services = both.service.services
    async with transaction(services.sessions) as session:
        with pytest.raises(OperatorUnknown):
            await access_of(services, session).invite_again("chatwoot")


async def test_a_supervisor_can_neither_disable_chatwoot_nor_give_it_another_role(both: Both) -> None:
    async with both.service.as_operator("vera", role=Role.SUPERVISOR) as vera:
        page = await vera.see("/operators")
        refused = await vera.send(f"/operators/{CHATWOOT}/disable")
        also = await vera.send(f"/operators/{CHATWOOT}/role", {"role": "auditor"})

    assert "A connected system, no person" in page
    assert f"/operators/{CHATWOOT}/disable" not in page
    assert (refused.status_code, also.status_code) == (409, 409)
    assert "connected system and no person" in refused.text


async def _checked(chatwoot: ChatwootReceiver, work: Callable[[Any], Awaitable[Any]]) -> Any:
    async with serving(chatwoot.app()) as url, httpx.AsyncClient(trust_env=False) as client:
        return await work(chatwoot.server(client, url=url, patience=_PATIENCE))


async def test_the_check_finds_what_lacks_and_prepare_mends_it(clock: Time) -> None:
    chatwoot = ChatwootReceiver(clock)
    bell = "https://desk.example/connectors/chatwoot/0"

    async def look(server: Any) -> tuple[list[str], Any, list[str]]:
        before = await check(server, webhook=bell, signed=False)
        done = await prepare(server, webhook=bell)
        after = await check(server, webhook=bell, signed=True)
        return [f.sentence for f in before if f.grade is Grade.BAD], done, [f.sentence for f in after]

    before, done, after = await _checked(chatwoot, look)

    assert [sentence[:40] for sentence in before] == [
        "The inbox does not ring at our address. ",
        "Conversations lack the field 'porchlight",
        "Conversations lack the field 'porchlight",
        "Conversations lack the field 'porchlight",
        "Conversations lack the field 'porchlight",
    ]
    assert len(done) == 5
    assert after == ["takes our token"]


async def test_the_check_says_when_deletions_would_be_refused(clock: Time) -> None:
    chatwoot = ChatwootReceiver(clock)
    chatwoot.role = "agent"
    found = await _checked(chatwoot, lambda server: check(server, webhook="", signed=True))

    assert any("no administrator" in finding.sentence for finding in found if finding.grade is Grade.BAD)


def test_only_what_people_wrote_to_the_visitor_counts_in_order_and_once() -> None:
    def message(number: int, **changes: Any) -> dict[str, Any]:
        return {
            "id": number,
            "content": str(number),
            "message_type": 1,
            "private": False,
            "content_type": "text",
            "content_attributes": {},
            "sender": {"type": "user"},
        } | changes

    found = agent_messages(
        [
            message(9),
            message(4),
            message(9),
            message(2),
            message(5, private=True),
            message(6, message_type=0),
            message(7, content_attributes={"deleted": True}),
            message(8, content_attributes={"porchlight": "a/1"}),
            message(10, content_type="input_csat"),
            message(11, sender=None),
            message(12, message_type=2),
        ],
        after=3,
    )

    assert [item.number for item in found] == [4, 9]
