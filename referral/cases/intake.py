"""What the bot can do to a case: open it, add the visitor's words, raise danger, leave, have it forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases import rules
from referral.cases.clocks import ESTIMATE_FROM, Clocks, estimate
from referral.cases.designations import candidates
from referral.cases.erasing import erase
from referral.cases.repository import CaseRepository
from referral.cases.rules import CaseState, DangerLevel, EntryKind, Face, Happening, Standing
from referral.cases.schemas import CaseOpened, CaseStatus, HelplineStatus, NewCase, NewMessage
from referral.cases.sealed import Card, seal_card, seal_words
from referral.cases.standing import happening, hasten_clock, stand, standing_of
from referral.cases.tables import Case
from referral.changes import QUEUE, case_topic, operator_topic, ring
from referral.connectors.repository import LetterRepository
from referral.errors import CaseUnknown
from referral.events.repository import EventRepository
from referral.hours.presence import in_force, presence
from referral.privacy import Privacy

_SENDERS = {
    "visitor": EntryKind.VISITOR,
    "bot": EntryKind.BOT,
    "operator": EntryKind.COLLEAGUE,
}


class Intake:
    """The bot's side of the desk, within one transaction; doing anything twice is doing it once."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        privacy: Privacy,
        now: datetime,
        clocks: Clocks = Clocks(),
        rehearsal: str | None = None,
    ) -> None:
        """``rehearsal`` is the script of a child who does not exist; its session must be about rehearsals."""
        self._session = session
        self._cases = CaseRepository(session)
        self._privacy = privacy
        self._now = now
        self._clocks = clocks
        self._rehearsal = rehearsal

    async def open(self, wanted: NewCase, *, referred_by: str = "") -> tuple[CaseOpened, bool]:
        """Put a conversation into the queue; True if it was not there already."""
        added = await self._added(wanted, referred_by=referred_by)
        case = await self._known(wanted.id)
        if added:
            await self._cases.lock_thread(case.number)
            await self._cases.append(list(self._first_entries(wanted)))
            await ring(self._session, QUEUE, case_topic(case.number))
            self._log(Act.CASE_OPENED, case.number)
        there = await presence(self._session, now=self._now)
        opened = CaseOpened(
            id=case.number,
            designation=case.designation,
            state=CaseState(case.state),
            place=await self._cases.place(case),
            here=there.here,
            opens_at=there.opens_at,
        )
        return opened, added

    async def hear(self, number: UUID, message: NewMessage) -> bool:
        """Add what the visitor wrote; True if it was not there already. Raises ``CaseClosed``."""
        case = await self._known(number)
        if message.danger.rank > DangerLevel(case.danger).rank:
            # The row is locked before the thread, as everywhere, and only if it must change.
            case = await self._locked(number)
        await self._cases.lock_thread(number)
        if await self._cases.has(number, message.id):
            return False
        # The case may have been closed while we waited for its thread.
        case = await self._known(number)
        verdict = rules.heard(standing_of(case), danger=message.danger)
        words = seal_words(self._privacy, message.text, case=number, entry=message.id)
        await self._cases.append(
            [
                {
                    "number": message.id,
                    "case_id": number,
                    "kind": EntryKind.VISITOR,
                    "text": words,
                    "danger": message.danger,
                    "sent_at": message.sent_at,
                    "heard_at": self._now,
                }
            ]
        )
        await self._raise(case, verdict)
        await self._ring(case)
        return True

    async def raise_danger(self, number: UUID, danger: DangerLevel) -> None:
        """The case is at least this dangerous from now on."""
        case = await self._locked(number)
        await self._cases.lock_thread(number)
        await self._raise(case, rules.raised(standing_of(case), danger=danger))

    async def notice(self, number: UUID, *, writes: bool, saw: bool) -> None:
        """Show the holder that the visitor writes, or sees what was written to them."""
        await self._known(number)
        if await self._cases.notice(number, writes=writes, saw=saw, now=self._now):
            await ring(self._session, case_topic(number))

    async def leave(self, number: UUID) -> None:
        """The visitor withdrew: nothing more is sent to them."""
        case = await self._locked(number)
        await self._cases.lock_thread(number)
        if case.gone_at is not None:
            return
        await self._end(case, rules.left(standing_of(case)), what=Happening.LEFT)
        self._log(Act.VISITOR_LEFT, number)

    async def revoke(self, number: UUID) -> None:
        """The visitor takes their consent back: what was handed over goes no further from now on."""
        case = await self._locked(number)
        await self._cases.lock_thread(number)
        if case.consent_revoked_at is not None or case.forgotten_at is not None:
            return
        case.consent_revoked_at = self._now
        entry = happening(self._privacy, number, Happening.CONSENT_REVOKED, now=self._now)
        await self._cases.append([entry])
        await LetterRepository(self._session).revoke(number, entry=entry["number"], now=self._now)
        await ring(self._session, QUEUE)
        await self._ring(case)
        self._log(Act.CONSENT_REVOKED, number)

    async def rate(self, number: UUID, face: Face, *, month: str) -> None:
        """Count how the talk was, once a case and apart from it; where nobody was to ask, nothing is kept."""
        case = await self._locked(number)
        if case.rated or case.rehearsal is not None or not rules.may_be_rated(standing_of(case)):
            return
        case.rated = True
        await self._cases.count_rating(month=month, locale=case.locale, face=face)
        self._log(Act.TALK_RATED, number)

    async def forget(self, number: UUID) -> None:
        """Erase every word of this case; when and how it went remains, and to whom it belonged does not."""
        case = await self._locked(number)
        await self._cases.lock_thread(number)
        if case.forgotten_at is not None:
            return
        holder = case.holder_id
        case.role = None
        await self._end(case, rules.forgotten(standing_of(case)), what=Happening.FORGOTTEN)
        await erase(self._session, case, now=self._now)
        self._log(Act.VISITOR_FORGOTTEN, number)
        if holder is not None:
            await ring(self._session, operator_topic(holder))

    async def status(self, number: UUID) -> CaseStatus:
        """Where the case stands."""
        case = await self._known(number)
        waiting = await self._cases.waiting()
        there = await presence(self._session, now=self._now)
        return CaseStatus(
            id=case.number,
            state=CaseState(case.state),
            place=await self._cases.place(case),
            waiting=sum(count for count, _ in waiting.values()),
            usual_minutes=await self._usual_minutes(case),
            here=there.here,
            opens_at=there.opens_at,
        )

    async def helpline(self) -> HelplineStatus:
        """Whether people are there."""
        there = await presence(self._session, now=self._now)
        return HelplineStatus(here=there.here, opens_at=there.opens_at)

    async def _usual_minutes(self, case: Case) -> int | None:
        if case.state != CaseState.WAITING:
            return None
        danger = DangerLevel(case.danger)
        median, number = await self._cases.answer_time(danger, since=self._now - ESTIMATE_FROM)
        return estimate(median, number=number)

    async def _added(self, wanted: NewCase, *, referred_by: str) -> bool:
        clocks = await in_force(self._session, self._clocks)
        values = self._values(wanted, clocks=clocks, referred_by=referred_by)
        for designation in candidates(wanted.id.bytes):
            if await self._cases.add(values | {"designation": designation}):
                return True
            if await self._cases.get(wanted.id) is not None:
                return False
        raise AssertionError("candidates never end")

    def _values(self, wanted: NewCase, *, clocks: Clocks, referred_by: str) -> dict[str, Any]:
        card = Card(
            consent=wanted.consent,
            consent_for_others=wanted.consent_for_others,
            answers=wanted.card,
            said=wanted.said,
            promised=wanted.promised,
            scope=wanted.scope,
            sources=wanted.sources,
            plan=wanted.plan,
            contacts=wanted.contacts,
            documents=wanted.documents,
            texts=wanted.texts,
            referred_by=referred_by,
        )
        clock = clocks.started(wanted.danger, now=self._now)
        return {
            "number": wanted.id,
            "state": CaseState.WAITING,
            "danger": wanted.danger,
            "conversation": wanted.conversation,
            "channel": wanted.channel,
            "locale": wanted.locale,
            "country": wanted.country,
            "role": wanted.role,
            "reason": wanted.reason,
            "card": seal_card(self._privacy, card, case=wanted.id),
            "opened_at": wanted.opened_at,
            "received_at": self._now,
            "warn_at": clock.warn_at,
            "due_at": clock.due_at,
            "rehearsal": self._rehearsal,
        }

    def _first_entries(self, wanted: NewCase) -> Iterator[Any]:
        for message in wanted.messages:
            if not message.text:
                continue
            yield {
                "number": message.id,
                "case_id": wanted.id,
                "kind": _SENDERS[message.sender],
                "text": seal_words(self._privacy, message.text, case=wanted.id, entry=message.id),
                "key": message.key,
                "sent_at": message.sent_at,
            }
        yield happening(self._privacy, wanted.id, Happening.OPENED, now=self._now, danger=wanted.danger)

    async def _raise(self, case: Case, verdict: Standing) -> None:
        if verdict.danger == case.danger:
            return
        clocks = await in_force(self._session, self._clocks)
        stand(case, verdict, now=self._now)
        hasten_clock(case, clocks, now=self._now)
        entry = happening(
            self._privacy, case.number, Happening.DANGER_RAISED, now=self._now, danger=verdict.danger
        )
        await self._cases.append([entry])
        await ring(self._session, QUEUE)
        await self._ring(case)
        self._log(Act.DANGER_RAISED, case.number)

    async def _end(self, case: Case, verdict: Standing, *, what: Happening) -> None:
        stand(case, verdict, now=self._now)
        await EventRepository(self._session).drop_all(case.number)
        await self._cases.append([happening(self._privacy, case.number, what, now=self._now)])
        await ring(self._session, QUEUE)
        await self._ring(case)

    def _log(self, act: Act, case: UUID) -> None:
        record(self._session, act, now=self._now, case=case)

    async def _ring(self, case: Case) -> None:
        await ring(self._session, case_topic(case.number))
        if case.holder_id is not None:
            await ring(self._session, operator_topic(case.holder_id))

    async def _known(self, number: UUID) -> Case:
        return _found(await self._cases.get(number))

    async def _locked(self, number: UUID) -> Case:
        return _found(await self._cases.locked(number))


def _found(case: Case | None) -> Case:
    if case is None:
        raise CaseUnknown("There is no such case.")
    return case
