"""How hard are our words to read? Length of sentences and share of long words, measured for each language.

Both are what the usual formulas of readability are made of; a formula itself would promise a school grade
that nobody has tested on texts as short as ours. Which word is long depends on the language:

- English, and every language without a measure of its own: more than 6 letters, as in LIX (Björnsson 1968).
- Russian, Belarusian, Ukrainian: 4 syllables or more. Every vowel letter is one (so counts Oborneva 2006),
  and the words of these languages are longer than English ones of the same difficulty.
- Bangla: 4 written syllables or more, a consonant with what hangs on it or a vowel that stands alone
  (readability of Bangla depends on many-syllabled words: Sinha, Sharma, Dasgupta, Basu 2012).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flows.markup import runs_of
from flows.model import ROLES, Book
from flows.texts import TIPS, plain_key

#: Whoever has these roles is a child; who has not said a role is taken for one.
CHILDREN = ("child", "teen")
#: So many sentences are named of each flow.
MAX_WORST = 2

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_SENTENCE = re.compile(r"[.!?…।]+[»”\"')]*(?=\s|$)|\n+|[:;](?=\s)")
_VOWELS = frozenset("аеёиоуыэюяіїє")
_VIRAMA = "\u09cd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What texts for children should not exceed."""

    #: Words a sentence, on average over a flow.
    words: float
    #: Words of any one sentence.
    longest: int
    #: Share of long words.
    long: float


#: Our own aim, stricter than the 15 to 20 words that plain-language guides allow for adults, since a
#: frightened child of 11 reads it at night. The shares of long words are what nine of ten of our flows have.
_LIMITS: Mapping[str, Limits] = {
    "en": Limits(words=12, longest=25, long=0.15),
    "ru": Limits(words=10, longest=20, long=0.20),
    "be": Limits(words=10, longest=20, long=0.20),
    "bn": Limits(words=10, longest=20, long=0.20),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How hard some texts are."""

    words: int
    sentences: int
    long: int
    #: The longest sentences, each with its number of words, the longest first.
    worst: tuple[tuple[int, str], ...]

    @property
    def words_a_sentence(self) -> float:
        """The average length of a sentence."""
        return self.words / self.sentences if self.sentences else 0.0

    @property
    def share_of_long(self) -> float:
        """How many of the words are long, 0 to 1."""
        return self.long / self.words if self.words else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What people of some roles read of a flow in a language."""

    #: The name of the flow or document, or ``tips``.
    flow: str
    locale: str
    #: The roles that read exactly these texts.
    roles: tuple[str, ...]
    level: Level

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is too hard for children, in sentences; for adults nothing is."""
        limits = _LIMITS.get(self.locale)
        if limits is None or not set(self.roles) & set(CHILDREN):
            return ()
        found = []
        if self.level.words_a_sentence > limits.words:
            average = f"{self.level.words_a_sentence:.1f}"
            found.append(f"sentences have {average} words on average; {limits.words:.0f} is the aim.")
        if self.level.share_of_long > limits.long:
            found.append(
                f"{self.level.share_of_long:.0%} of the words are long; {limits.long:.0%} is the aim."
            )
        found += [
            f"a sentence has {words} words; {limits.longest} is the aim: {sentence}"
            for words, sentence in self.level.worst
            if words > limits.longest
        ]
        return tuple(found)


def level_of(texts: Iterable[str], *, locale: str) -> Level:
    """How hard these texts are; placeholders and addresses are no words."""
    sizes: dict[str, int] = {}
    words = sentences = long = 0
    for text in texts:
        for sentence in sentences_of(text):
            own = words_of(sentence)
            words += len(own)
            sentences += 1
            long += sum(is_long(word, locale=locale) for word in own)
            sizes[sentence] = len(own)
    worst = sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_WORST]
    return Level(
        words=words,
        sentences=sentences,
        long=long,
        worst=tuple((size, sentence) for sentence, size in worst),
    )


def sentences_of(text: str) -> list[str]:
    """The sentences of a text; a line of a list is one, and so is what stands before a colon."""
    shown = "".join(run.text for run in runs_of(_PLACEHOLDER.sub("", text)))
    parts = (" ".join(part.split()) for part in _SENTENCE.split(shown))
    return [part for part in parts if words_of(part)]


def words_of(sentence: str) -> list[str]:
    """The words of a sentence; numbers and signs are none."""
    pieces = ("".join(sign for sign in piece if _belongs(sign)) for piece in sentence.split())
    return [piece.strip("-'’") for piece in pieces if any(sign.isalpha() for sign in piece)]


def is_long(word: str, *, locale: str) -> bool:
    """Whether a word is long in its language."""
    if locale in ("ru", "be", "uk"):
        return sum(sign in _VOWELS for sign in word.casefold()) >= 4
    if locale == "bn":
        return _aksharas(word) >= 4
    return sum(sign.isalpha() for sign in word) > 6


def readings(book: Book) -> list[Reading]:
    """Each flow, each document and the tips in each language, once for the roles that read the same."""
    found: list[Reading] = []
    for name in (*book.flows, *book.documents, TIPS):
        for locale in book.locales:
            groups: dict[tuple[str, ...], list[str]] = {}
            for role in ROLES:
                if texts := _texts(book, name, locale=locale, role=role):
                    groups.setdefault(texts, []).append(role)
            found += [
                Reading(flow=name, locale=locale, roles=tuple(roles), level=level_of(texts, locale=locale))
                for texts, roles in groups.items()
            ]
    return found


def _texts(book: Book, flow: str, *, locale: str, role: str) -> tuple[str, ...]:
    """What a role reads of the flow's own sheet."""
    sheet = book.texts.sheets[locale].get(flow)
    keys = dict.fromkeys(map(plain_key, sheet.texts)) if sheet else ()
    texts = (book.texts.find(key, flow=flow, locale=locale, role=role) for key in keys)
    return tuple(text.text for text in texts if text)


def _belongs(sign: str) -> bool:
    # Bangla vowels are marks, not letters.
    return sign.isalpha() or sign in "-'’" or unicodedata.category(sign) in ("Mn", "Mc")


def _aksharas(word: str) -> int:
    """Written syllables: letters that no virama ties to the one before."""
    return sum(
        sign.isalpha() and (place == 0 or word[place - 1] != _VIRAMA) for place, sign in enumerate(word)
    )
