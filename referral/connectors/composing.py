"""What does a letter say? Read from the case when it is sent, cut down to what the visitor agreed to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypedDict, assert_never
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.repository import CaseRepository
from referral.cases.rules import CaseState, DangerLevel, EntryKind
from referral.cases.sealed import read_card, read_words
from referral.cases.tables import Case, Message
from referral.connectors.happenings import (
    Closed,
    Coding,
    Consent,
    ConsentRevoked,
    DangerRaised,
    Detail,
    Entry,
    Facts,
    Forgotten,
    Happening,
    Kind,
    Opened,
    Returned,
    Said,
    Taken,
)
from referral.connectors.holders import HOLDERS, held_by
from referral.connectors.protocol import Connector
from referral.connectors.rules import covered
from referral.connectors.tables import QueuedLetter
from referral.privacy import Privacy

_SENDERS: dict[str, Literal["visitor", "bot", "operator"]] = {
    EntryKind.VISITOR: "visitor",
    EntryKind.BOT: "bot",
    EntryKind.OPERATOR: "operator",
    EntryKind.COLLEAGUE: "operator",
}


class _Parts(TypedDict):
    at: datetime
    case: Facts
    consent: Consent | None
    card: Mapping[str, str] | None


class Composer:
    """Writes letters within one transaction."""

    def __init__(self, session: AsyncSession, *, privacy: Privacy) -> None:
        self._cases = CaseRepository(session)
        self._privacy = privacy

    async def compose(self, letter: QueuedLetter, connector: Connector) -> Happening | None:
        """What this connector may be told of it; None if nothing, or nothing any more."""
        kind = Kind(letter.kind)
        if kind is Kind.FORGOTTEN:
            return Forgotten(at=letter.at, number=letter.case_id)
        if kind is Kind.CONSENT_REVOKED:
            return ConsentRevoked(at=letter.at, number=letter.case_id)
        case = await self._cases.get(letter.case_id)
        if case is None or not _goes_out(case):
            return None
        card = read_card(self._privacy, case.card, case=case.number)
        consent = Consent(sentence=card.consent, others=card.consent_for_others)
        if case.consent_revoked_at is not None:
            # What a visitor took back covers nothing, whatever it covered before.
            consent = Consent()
        granted = covered(consent, audience=connector.audience)
        if granted is None:
            return None
        details = granted & connector.needs
        parts = _Parts(
            at=letter.at,
            case=_facts(case),
            consent=consent if Detail.CARD in details else None,
            card=card.answers if Detail.CARD in details else None,
        )
        return await self._of_kind(kind, letter, case=case, details=details, parts=parts)

    async def _of_kind(
        self,
        kind: Kind,
        letter: QueuedLetter,
        *,
        case: Case,
        details: frozenset[Detail],
        parts: _Parts,
    ) -> Happening | None:
        match kind:
            case Kind.OPENED:
                return Opened(**parts, thread=await self._thread(case.number, details=details))
            case Kind.DANGER_RAISED:
                return DangerRaised(**parts)
            case Kind.TAKEN:
                return Taken(**parts)
            case Kind.RETURNED:
                return Returned(**parts)
            case Kind.SAID:
                entry = await self._entry(case.number, letter.entry_id, details=details)
                return Said(**parts, entry=entry) if entry else None
            case Kind.CLOSED if case.state != CaseState.CLOSED:
                # The visitor has left and the operator still writes it up.
                return None
            case Kind.CLOSED:
                coding = _coding(case) if Detail.CODING in details else None
                thread = await self._thread(case.number, details=details)
                return Closed(**parts, coding=coding, thread=thread)
            case Kind.FORGOTTEN | Kind.CONSENT_REVOKED:
                raise AssertionError("these name their case and nothing of it")
            case _:
                assert_never(kind)

    async def _thread(self, case: UUID, *, details: frozenset[Detail]) -> tuple[Entry, ...] | None:
        if Detail.WORDS not in details:
            return None
        thread = await self._cases.thread(case)
        return tuple(self._read(entry, details=details) for entry in thread if entry.kind in _SENDERS)

    async def _entry(self, case: UUID, number: UUID | None, *, details: frozenset[Detail]) -> Entry | None:
        entry = await self._cases.entry(case, number) if number else None
        return self._read(entry, details=details) if entry else None

    def _read(self, entry: Message, *, details: frozenset[Detail]) -> Entry:
        words = None
        if Detail.WORDS in details:
            words = read_words(self._privacy, entry.text, case=entry.case_id, entry=entry.number)
        return Entry(
            number=entry.number,
            sender=_SENDERS[entry.kind],
            sent_at=entry.sent_at,
            text=words,
            through=HOLDERS.get(entry.author_id) if entry.author_id else None,
        )


def _goes_out(case: Case) -> bool:
    """True of what others may hear of at all: the one place to keep a kind of case from all of them."""
    return case.forgotten_at is None and case.rehearsal is None


def _facts(case: Case) -> Facts:
    return Facts(
        number=case.number,
        designation=case.designation,
        state=CaseState(case.state),
        danger=DangerLevel(case.danger),
        channel=case.channel,
        locale=case.locale,
        country=case.country,
        role=case.role,
        reason=case.reason,
        opened_at=case.opened_at,
        received_at=case.received_at,
        held_by=held_by(case.holder_id),
    )


def _coding(case: Case) -> Coding:
    return Coding(
        outcome=case.outcome or "",
        code=case.code,
        occurred=case.occurred,
        online_harm=case.online_harm,
        counselled=case.counselled,
        actions=tuple(case.actions),
    )
