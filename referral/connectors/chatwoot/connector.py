"""What do agents in Chatwoot see of a case? A conversation that is open while they may answer it.

The contact is a code name and nothing else. Only what a visitor writes while agents may answer is an
incoming message; everything else is a private note, so no message of ours is ever taken for an agent's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never
from uuid import UUID

import httpx

from referral.cases.coding import suggest
from referral.cases.rules import CaseState, DangerLevel
from referral.connectors.chatwoot.server import MARK, MAX_CONTENT, ChatwootServer
from referral.connectors.happenings import (
    Audience,
    Closed,
    ConsentRevoked,
    DangerRaised,
    Detail,
    Entry,
    Facts,
    Forgotten,
    Kind,
    Opened,
    Returned,
    Said,
    Taken,
)
from referral.connectors.holders import CHATWOOT, DESK, HOLDERS
from referral.connectors.protocol import Answer, Arrived, Failed, Letter, Refused, Unavailable
from referral.connectors.rules import answer

NAME = HOLDERS[CHATWOOT]

_PRIORITIES = {
    DangerLevel.EMERGENCY: "urgent",
    DangerLevel.URGENT: "high",
    DangerLevel.CONCERN: "medium",
    DangerLevel.NONE: "low",
}
_WORDLESS = "The visitor wrote. They agreed to no words here: read it at Porchlight's desk."
_SPEAKERS = {"visitor": "Visitor", "bot": "Porchlight", "operator": "Desk"}

_OfCase = Opened | DangerRaised | Taken | Returned | Said | Closed


class ChatwootConnector:
    """One inbox; a case's reference is the number of its conversation."""

    name = NAME
    wants = frozenset(Kind)
    needs = frozenset({Detail.CARD, Detail.WORDS})
    #: Agents are the helpline's own people: an inbox of somebody else is no place to answer visitors from.
    audience = Audience.HELPLINE

    def __init__(self, server: ChatwootServer) -> None:
        self._server = server

    async def send(self, letter: Letter, *, now: datetime) -> Answer:
        """Try once; what an earlier attempt has done is found and not done again."""
        try:
            match letter.happening:
                case Forgotten(number=number):
                    return await self._forget(number)
                case ConsentRevoked():
                    return await self._withdraw(letter)
                case _ as told:
                    return await self._tell(told, letter)
        except httpx.HTTPStatusError as error:
            return _judged(error.response, now=now)
        except httpx.HTTPError as error:
            return Unavailable(reason=type(error).__name__)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # Something else answers at that address.
            return Failed(reason=type(error).__name__)

    async def _tell(self, told: _OfCase, letter: Letter) -> Answer:
        conversation = int(letter.reference) if letter.reference else await self._conversation(told.case)
        pen = _Pen(self._server, conversation, letter=letter)
        match told:
            case Opened():
                for note in _opening(told):
                    await pen.note(note)
                await self._server.set_priority(conversation, _PRIORITIES[told.case.danger])
            case DangerRaised():
                await self._server.set_priority(conversation, _PRIORITIES[told.case.danger])
                await pen.note(f"Danger has risen: {told.case.danger}.")
            case Taken():
                if told.case.held_by == DESK:
                    await pen.note(
                        "An operator answers at Porchlight's desk. What you write here is not sent."
                    )
                await self._server.set_status(conversation, _status(told.case))
            case Returned():
                await pen.note("The case is back in line: whoever answers first has it.")
                await self._server.set_status(conversation, _status(told.case))
            case Said():
                await self._say(pen, told)
            case Closed():
                await self._server.set_status(conversation, "resolved")
            case _:
                assert_never(told)
        return Arrived(reference=str(conversation))

    async def _say(self, pen: _Pen, told: Said) -> None:
        entry = told.entry
        if entry.through == NAME:
            # An agent's own answer, which stands there already.
            return
        if entry.text is None:
            await pen.note(_WORDLESS)
        elif entry.sender == "visitor" and _status(told.case) == "open":
            await pen.visitor(entry.text)
        else:
            await pen.note(_line(entry))

    async def _conversation(self, case: Facts) -> int:
        """The conversation of this case, made if it is not there; never a second one."""
        identifier = _identifier(case.number)
        try:
            made = await self._server.add_contact(name=case.designation, identifier=identifier)
            contact, source = made["contact"]["id"], made["contact_inbox"]["source_id"]
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 422:
                raise
            known = await self._server.contact(identifier)
            if known is None:
                raise
            contact = known["id"]
            mine = [item for item in known["contact_inboxes"] if item["inbox"]["id"] == self._server.inbox]
            source = mine[0]["source_id"]
            there = [
                item["id"]
                for item in await self._server.conversations_of(contact)
                if item["inbox_id"] == self._server.inbox
            ]
            if there:
                return int(min(there))
        facts = {"danger": case.danger.value, "matter": case.reason, "locale": case.locale}
        facts |= {name: value for name, value in (("role", case.role), ("country", case.country)) if value}
        made = await self._server.add_conversation(
            contact=contact, source=source, status=_status(case), attributes=facts
        )
        return int(made["id"])

    async def _withdraw(self, letter: Letter) -> Answer:
        """Agents are told; what they read already stays, as it does at the desk."""
        if letter.reference is not None:
            pen = _Pen(self._server, int(letter.reference), letter=letter)
            await pen.note("The visitor took their consent back: pass nothing of this on to others.")
        return Arrived(reference=letter.reference)

    async def _forget(self, number: UUID) -> Answer:
        contact = await self._server.contact(_identifier(number))
        if contact is not None:
            await self._server.delete_contact(contact["id"])
        return Arrived()


class _Pen:
    """Writes what one letter says into a conversation, each piece once however often the letter is tried."""

    def __init__(self, server: ChatwootServer, conversation: int, *, letter: Letter) -> None:
        self._server = server
        self._conversation = conversation
        self._letter = letter
        self._written = 0
        self._known: frozenset[str] | None = None

    async def note(self, content: str) -> None:
        """Something for agents."""
        await self._write(content, incoming=False)

    async def visitor(self, content: str) -> None:
        """The visitor's words."""
        await self._write(content, incoming=True)

    async def _write(self, content: str, *, incoming: bool) -> None:
        self._written += 1
        mark = f"{self._letter.number}/{self._written}"
        if mark not in await self._there():
            await self._server.say(self._conversation, content, incoming=incoming, mark=mark)

    async def _there(self) -> frozenset[str]:
        """What an earlier attempt wrote: it is among the newest, since nothing of the case overtakes it."""
        if self._known is None:
            messages = [] if self._letter.attempt == 1 else await self._server.messages(self._conversation)
            marks = ((message.get("content_attributes") or {}).get(MARK) for message in messages)
            self._known = frozenset(mark for mark in marks if mark)
        return self._known


def _status(case: Facts) -> str:
    """Open while agents may answer."""
    if case.state is CaseState.CLOSED:
        return "resolved"
    return "snoozed" if case.held_by == DESK else "open"


def _identifier(number: UUID) -> str:
    return f"{MARK}-{number}"


def _opening(told: Opened) -> Iterator[str]:
    """The hand-over card and what was said, in notes that are not too long."""
    case = told.case
    lines = [f"Danger: {case.danger}. Matter: {case.reason}. Language: {case.locale}."]
    if told.consent is not None and told.consent.sentence:
        lines.append(f"Agreed to: “{told.consent.sentence}”")
    else:
        lines.append(_WORDLESS)
    lines += [f"{name.replace('_', ' ')}: {value}" for name, value in (told.card or {}).items()]
    hint = suggest(case.reason, card=told.card or {}, heard=())
    if hint is not None:
        lines.append(f"Suggested code: {hint.code}")
    lines += [_line(entry) for entry in told.thread or () if entry.text]
    note = ""
    for line in lines:
        if note and len(note) + 1 + len(line) > MAX_CONTENT:
            yield note
            note = ""
        note = f"{note}\n{line}" if note else line[:MAX_CONTENT]
    yield note


def _line(entry: Entry) -> str:
    return f"{_SPEAKERS[entry.sender]}: {entry.text}"


def _judged(response: httpx.Response, *, now: datetime) -> Answer:
    match response.status_code:
        case 401:
            # The token was withdrawn: nothing arrives until somebody mends it.
            return Unavailable(reason="401")
        case 400 | 403 | 404 | 413 | 422 as status:
            return Refused(reason=str(status))
    verdict = answer(response.status_code, retry_after=response.headers.get("retry-after"), now=now)
    return verdict if isinstance(verdict, Unavailable | Failed) else Failed(reason=str(response.status_code))
