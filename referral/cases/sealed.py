"""How the words of a case are sealed for its rows, and read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from uuid import UUID

from referral.privacy import Privacy


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the operator need not ask again."""

    #: The sentence that the visitor agreed to.
    consent: str = ""
    #: True if that sentence also says that other organisations may be told.
    consent_for_others: bool = False
    #: Harm, since when, and every other answer that the bot collected.
    answers: Mapping[str, str] = field(default_factory=dict)
    #: Keys of what the bot said, oldest first.
    said: tuple[str, ...] = ()
    #: Those of them with which it promised something.
    promised: tuple[str, ...] = ()
    #: What the visitor let us see, in slugs.
    scope: tuple[str, ...] = ()
    #: Answer to how the bot came to it: ``button``, ``words``, ``mention`` or ``flow``.
    sources: Mapping[str, str] = field(default_factory=dict)
    #: The steps of the visitor's own safety plan, if they let us see it.
    plan: Mapping[str, str] = field(default_factory=dict)
    #: ``helpline`` and ``emergency`` where the visitor is, in their language.
    contacts: Mapping[str, str] = field(default_factory=dict)
    #: A document that the bot can give to its title in every language.
    documents: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Key of a text of the bot to what it says in every language.
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: The other bot that referred the visitor; empty if it was our own.
    referred_by: str = ""

    def shut(self) -> Card:
        """What is left of it for others when the visitor took their consent back: what they agreed to."""
        return Card(consent=self.consent, scope=self.scope, contacts=self.contacts, documents=self.documents)


def seal_card(privacy: Privacy, card: Card, *, case: UUID) -> bytes:
    """The card as it is stored."""
    return privacy.seal(
        json.dumps(asdict(card), ensure_ascii=False), table="case", column="card", row=str(case)
    )


def read_card(privacy: Privacy, sealed: bytes | None, *, case: UUID) -> Card:
    """The card as it was; an empty one when it was erased."""
    if sealed is None:
        return Card()
    raw = json.loads(privacy.unseal(sealed, table="case", column="card", row=str(case)))
    raw |= {name: tuple(raw.get(name, ())) for name in ("said", "promised", "scope")}
    return Card(**raw)


def seal_words(privacy: Privacy, words: str, *, case: UUID, entry: UUID) -> bytes:
    """Words of a thread as they are stored."""
    return privacy.seal(words, table="message", column="text", row=f"{case}/{entry}")


def read_words(privacy: Privacy, sealed: bytes | None, *, case: UUID, entry: UUID) -> str | None:
    """Words of a thread as they were; None when they were erased."""
    if sealed is None:
        return None
    return privacy.unseal(sealed, table="message", column="text", row=f"{case}/{entry}")
