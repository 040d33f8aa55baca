"""What does a rehearsed child answer, when, and how well was it done? No database, no clock, no chance.

The child understands words that it knows and no more: that is said to whoever practises, and it is enough to
learn the desk, the first sentences and the question that must be asked. It is no substitute for a colleague.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from referral.cases.clocks import Clocks
from referral.cases.coding import Occurred
from referral.cases.rules import DangerLevel, EntryKind
from referral.rehearsal.scripts import Language, Script, Topic, plain

#: Where it is not asked whether the visitor is safe, something is missing from this level on.
_ASKED_FROM = DangerLevel.CONCERN
_SENTENCE = re.compile(r"[^.!?।\n]*[.!?।\n]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a thread, readable."""

    kind: EntryKind
    words: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """How a rehearsal went; None where there was nothing to judge."""

    #: The first answer came before the clock of this danger level ran out.
    in_time: bool | None
    #: It was asked, as a question, whether the visitor is safe.
    asked_safe: bool | None
    #: It was coded as the script's key says, and where it happened as well.
    coded: bool | None

    @property
    def all_well(self) -> bool:
        """True when nothing that was judged was missing."""
        return False not in (self.in_time, self.asked_safe, self.coded)


def answer(
    script: Script, language: Language, *, thread: Sequence[Line], taken: bool, now: datetime
) -> str | None:
    """What the child writes at this moment; None while it reads, thinks, waits, or has said goodbye."""
    words = script.words[language.locale]
    heard = [line for line in thread if line.kind is EntryKind.OPERATOR]
    told = [line.words for line in thread if line.kind is EntryKind.VISITOR]
    new = _since_last_word(thread)
    if language.bye in told:
        return None
    if not new:
        silent_since = max((line.at for line in thread), default=now)
        impatient = taken and now - silent_since >= script.waits
        return language.waiting if impatient and language.waiting not in told[-1:] else None
    if now - new[-1].at < script.thinks:
        return None
    said = plain("\n".join(line.words for line in new))
    for topic in Topic:
        if _any_of(language.cues[topic], said) and words.answers[topic] not in told:
            return words.answers[topic]
    if len(heard) > 1 and _any_of(language.bye_cues, said):
        return language.bye
    return next((line for line in words.then if line not in told), language.fine)


def feedback(
    script: Script,
    *,
    languages: Iterable[Language],
    said: Iterable[str],
    waited: timedelta | None,
    code: str | None,
    occurred: str | None,
    clocks: Clocks,
) -> Feedback:
    """How a closed rehearsal went. ``said`` is what the operator wrote, ``waited`` how long it took."""
    # An operator may ask in another language than the child's; any that we know will do.
    cues = [cue for language in languages for cue in language.cues[Topic.SAFE]]
    asked = any(
        _any_of(cues, plain(sentence))
        for words in said
        for sentence in _SENTENCE.findall(words)
        if sentence.endswith("?")
    )
    place = Occurred(occurred) if occurred else None
    return Feedback(
        in_time=waited is not None and waited <= clocks.limit(script.danger),
        asked_safe=asked if script.danger.rank >= _ASKED_FROM.rank else None,
        coded=None if code is None else code in script.codes and (place is None or place in script.occurred),
    )


def _since_last_word(thread: Sequence[Line]) -> Sequence[Line]:
    """What the operator wrote since the child wrote last."""
    new: list[Line] = []
    for line in thread:
        if line.kind is EntryKind.VISITOR:
            new = []
        elif line.kind is EntryKind.OPERATOR:
            new.append(line)
    return new


def _any_of(cues: Iterable[str], text: str) -> bool:
    return any(cue in text for cue in cues)
