"""Which replies fit a visitor, what stands in them, and what may a macro do? No database, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from referral.cases.codes import CODES
from referral.cases.rules import OPERATOR_OUTCOMES, Outcome
from referral.errors import FormIncomplete

#: The visitors' languages; what a desk has no replies in, nobody offers.
LOCALES = ("en", "ru", "be", "bn")
#: What may stand in a reply in braces.
PLACEHOLDERS = ("designation", "operator", "helpline", "emergency", "when")
MAX_TITLE = 60
#: Whoever is frightened reads no more than this at once.
MAX_REPLY = 600

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SLUG = re.compile(r"[a-z0-9_]{2,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A text that an operator has at hand; the same slug says the same in every language."""

    slug: str
    locale: str
    title: str
    text: str
    #: Says nothing of why somebody wrote, so that it may be sent to a phone after a day.
    template: bool = False
    #: Whether a supervisor has written it, rather than we.
    own: bool = False


class Then(StrEnum):
    """What becomes of the case after a macro's reply."""

    STAY = "stay"
    RELEASE = "release"
    #: Until the same hour of the next day.
    ASIDE = "aside"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """Several steps in one press: a reply, and what becomes of the case."""

    slug: str
    title: str
    reply: str | None = None
    then: Then = Then.STAY
    outcome: Outcome | None = None
    #: Without one the code that the card suggests is taken.
    code: str | None = None
    own: bool = False

    @property
    def codes_itself(self) -> bool:
        """Whether it needs no suggestion."""
        return self.then is not Then.CLOSE or self.code is not None


def checked_reply(reply: Reply) -> Reply:
    """A reply as it may be stored; raises ``FormIncomplete`` with what is wrong."""
    if not _SLUG.fullmatch(reply.slug):
        raise FormIncomplete("A short name has 2 to 40 small letters, digits or underscores.")
    if reply.locale not in LOCALES:
        raise FormIncomplete("Please choose a language.")
    if not 1 <= len(reply.title) <= MAX_TITLE:
        raise FormIncomplete(f"A title has 1 to {MAX_TITLE} characters.")
    if not 1 <= len(reply.text) <= MAX_REPLY:
        raise FormIncomplete(f"A reply has 1 to {MAX_REPLY} characters.")
    unknown = [name for name in _PLACEHOLDER.findall(reply.text) if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise FormIncomplete(f"Nothing can be put in for {{{unknown[0]}}}; known are {known}.")
    return reply


def checked_macro(macro: Macro, *, replies: frozenset[str]) -> Macro:
    """A macro as it may be stored; raises ``FormIncomplete`` with what is wrong."""
    if not _SLUG.fullmatch(macro.slug):
        raise FormIncomplete("A short name has 2 to 40 small letters, digits or underscores.")
    if not 1 <= len(macro.title) <= MAX_TITLE:
        raise FormIncomplete(f"A title has 1 to {MAX_TITLE} characters.")
    if macro.reply is not None and macro.reply not in replies:
        raise FormIncomplete("Please choose a reply from the list.")
    if macro.reply is None and macro.then is Then.STAY:
        raise FormIncomplete("This would do nothing: choose a reply, or what becomes of the case.")
    if macro.then is Then.CLOSE and macro.outcome not in OPERATOR_OUTCOMES:
        raise FormIncomplete("Please choose how the case ends.")
    if macro.then is not Then.CLOSE and (macro.outcome or macro.code):
        raise FormIncomplete("Only what closes a case has an outcome and a code.")
    if macro.code is not None and macro.code not in CODES:
        raise FormIncomplete("Please choose a code from the list.")
    return macro


def filled(text: str, values: Mapping[str, str]) -> str | None:
    """The reply with its placeholders replaced; None where something is missing that it would say."""
    if any(not values.get(name) for name in _PLACEHOLDER.findall(text)):
        return None
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
