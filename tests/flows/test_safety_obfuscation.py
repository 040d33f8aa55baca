"""Is danger heard through every disguise that the normaliser claims to undo, in every language?

Each sentence of the HEARD tables goes through each disguise, alone and inside of a longer message: the same
intent must be heard as before, or something more dangerous.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.events import DangerLevel
from flows.normaliser import MAX_AMBIGUOUS, MAX_LEET_NUMBER, spans, tokenise
from flows.safety import MAX_HIDDEN, MAX_PIECES, Match
from tests.flows.test_safety_sentences import HEARD, LEFT_ALONE, lexicon

Disguise = Callable[[str, random.Random], str]

#: A busy machine must not make a property fail, and all of this file must take less than 40 s.
brief = settings(deadline=None, max_examples=40)
LOCALES = tuple(HEARD)

INVISIBLE = "\u200b\u200c\u200d\u2060\u00ad\ufeff\u202e\ufe0f"
MARKS = "\u0301\u0308\u0336\u0489"
#: None that idioms hold, as those with laughter do.
EMOJI = ("🥀", "💔", "🔪", "😔", "🥺", "🖤", "🙏🏽", "👩‍👧", "🇧🇩", "❤️")
#: Digits may stand anywhere in a word, the signs only inside of it, where they are no punctuation.
DIGITS = dict(zip("iloeastgbозчби", "11034579803461", strict=True))
SIGNS = {"i": "!|", "l": "!|", "и": "!|", "a": "@", "а": "@", "s": "$", "e": "€"}
LOOK_ALIKES = {
    **dict(zip("acekmoprtxyhnisdw", "асекморгтхунпіѕԁԝ", strict=True)),
    **dict(zip("асекмортхуни", "acekmoptxyhi", strict=True)),
}
GREEK = dict(zip("abyeznikuvoptxw", "αβγεζηικμνορτχω", strict=True))
#: Where the 26 small letters of a typeface begin.
TYPEFACES = {"bold": 0x1D41A, "script": 0x1D4EA, "double": 0x1D552, "wide": 0xFF41, "circled": 0x24D0}
FLAGS = 0x1F1E6


@cache
def known() -> frozenset[str]:
    """The words that stand in the lexicons whole, with those that may stand between them."""
    rules = [rule for file in lexicon().files for rule in file.rules]
    rows = [way for rule in rules for part in rule.parts for way in part.ways]
    fillers = [word for file in lexicon().files for word in file.fillers]
    return frozenset([*fillers, *(word for row in rows for words in row for word in words)])


@cache
def stems() -> tuple[str, ...]:
    return tuple(word[:-1] for word in known() if word.endswith("~"))


def is_known(word: str) -> bool:
    return [token.text in known() for token in tokenise(word)] == [True]


def begins_as_known(word: str) -> bool:
    return is_known(word) or [token.text.startswith(stems()) for token in tokenise(word)] == [True]


def by_word(text: str, change: Callable[[str], str]) -> str:
    """The text with each word and emoji of it changed, and all that stands between them as it was."""
    changed, end = "", 0
    for span in spans(text):
        changed += text[end : span.start] + change(text[span.start : span.end])
        end = span.end
    return changed + text[end:]


def units(text: str) -> list[str]:
    """The letters of a text, each Bangla one with its nukta, and the flags."""
    return re.findall("[\U0001f1e6-\U0001f1ff]{2}|.\u09bc?", text, re.DOTALL)


def capitals(text: str, chance: random.Random) -> str:
    return "".join(letter.upper() if chance.random() < 0.5 else letter for letter in text)


def stretched(text: str, chance: random.Random) -> str:
    return "".join(
        letter * chance.choice((1, 1, 2, 5)) if letter[0].isalpha() else letter for letter in units(text)
    )


def invisible(text: str, chance: random.Random) -> str:
    return "".join(letter + chance.choice(INVISIBLE) * chance.randint(0, 2) for letter in units(text))


def marked(text: str, chance: random.Random) -> str:
    def mark(letter: str) -> str:
        return letter + chance.choice(MARKS) if letter[0].isalpha() and chance.random() < 0.4 else letter

    return "".join(mark(letter) for letter in units(text))


def apart(text: str, chance: random.Random) -> str:
    """The letters of the words that the lexicons know, each for itself; a phrase has one sign for it."""
    between, wide = chance.choice((" ", ".", "-", "·", "~", "/")), chance.choice((" ", "  ", "\n"))

    def tear(word: str) -> str:
        letters = [letter for letter in word if letter.isalpha()]
        fits = len(letters) <= MAX_PIECES and is_known(word) and "".join(letters) == word
        return between.join(letters) if fits else word

    return wide.join(by_word(text, tear).split(" "))


def in_two(text: str, chance: random.Random) -> str:
    """The longer words that the lexicons know, torn by a dot or the like."""

    def tear(word: str) -> str:
        if len(word) < 4 or not word.isalpha() or not is_known(word):
            return word
        place = chance.randint(1, len(word) - 1)
        return word[:place] + chance.choice(".-/·") + word[place:]

    return by_word(text, tear)


def digits(text: str, chance: random.Random) -> str:
    """Digits and signs for some letters, as many of the ambiguous ones as a word may have."""

    def swap(word: str) -> str:
        swapped = list(word)
        for place, letter in enumerate(word):
            choices = DIGITS.get(letter, "") + (SIGNS.get(letter, "") if 0 < place < len(word) - 1 else "")
            if choices and chance.random() < 0.5:
                swapped[place] = chance.choice(choices)
        ambiguous = sum(letter in "1!|" for letter in swapped)
        number = "".join(swapped).isdigit() and len(word) > MAX_LEET_NUMBER
        # A sign twice in a row is a stretched one.
        twice = any(one == other not in word for one, other in pairwise(swapped))
        readable = (
            word.isalpha()
            and begins_as_known(word)
            and ambiguous <= MAX_AMBIGUOUS
            and not number
            and not twice
        )
        return "".join(swapped) if readable else word

    return by_word(text, swap)


def look_alikes(text: str, chance: random.Random) -> str:
    """Letters of the other alphabet in words without digits, since these are read as letters there."""

    def dress(word: str) -> str:
        dressed = (LOOK_ALIKES.get(letter, letter) if chance.random() < 0.4 else letter for letter in word)
        return "".join(dressed) if word.isalpha() else word

    return by_word(text, dress)


def greek(text: str, chance: random.Random) -> str:
    return "".join(GREEK.get(letter, letter) if chance.random() < 0.4 else letter for letter in text)


def typeface(text: str, chance: random.Random) -> str:
    first = chance.choice((*TYPEFACES.values(), FLAGS))
    return "".join(chr(first + ord(letter) - ord("a")) if "a" <= letter <= "z" else letter for letter in text)


def hidden(text: str, chance: random.Random) -> str:
    """Signs for letters inside of one word that a lexicon holds whole; its last letter must be heard."""
    words = [
        word
        for word in text.split()
        if 4 <= len(word) <= 20
        and word.isalpha()
        and is_known(word)
        and word[-1] not in "ьЬъЪ"
        # After these two letters two others are one, unless they are hidden.
        and not re.search("[жш]ы", word)
    ]
    if not words:
        return text
    word = chance.choice(words)
    first = chance.randint(1, len(word) - 2)
    last = chance.randint(first + 1, min(len(word) - 1, first + MAX_HIDDEN))
    return text.replace(word, word[:first] + chance.choice("*•#") * (last - first) + word[last:], 1)


def with_emoji(text: str, chance: random.Random) -> str:
    return " ".join(word + f" {chance.choice(EMOJI)}" * chance.randint(0, 3) for word in text.split())


def without_signs(text: str, chance: random.Random) -> str:
    """Apostrophes, hard and soft signs, nukta and chandrabindu, left out or in another form."""
    # Three letters with a nukta sound like r and not like those without it.
    changed = re.sub(
        "[\u09a1\u09a2\u09ac]\u09bc|['’ьъ\u09bc\u0981]",
        lambda found: "" if len(found.group()) == 1 and chance.random() < 0.5 else found.group(),
        text,
    )
    return changed.replace("'", chance.choice("'’‘`´")).replace("ё", chance.choice("ёе"))


def spaced(text: str, chance: random.Random) -> str:
    return "".join(letter * chance.randint(1, 4) if letter == " " else letter for letter in text)


DISGUISES: Mapping[str, Disguise] = {
    each.__name__: each
    for each in (
        capitals,
        stretched,
        invisible,
        marked,
        apart,
        in_two,
        digits,
        look_alikes,
        greek,
        typeface,
        hidden,
        with_emoji,
        without_signs,
        spaced,
    )
}
#: These can be laid over any other: they touch no letter.
OVER = (capitals, invisible, spaced)


#: Heard by words written together by chance (jay, gay), and these are not looked for in a disguise.
BY_CHANCE = {"private jaygay hat disilo"}


def sentences(locale: str) -> st.SearchStrategy[tuple[str, str]]:
    table = HEARD[locale]
    pairs = [(intent, text) for intent, texts in table.items() for text in texts]
    return st.sampled_from([pair for pair in pairs if pair[1] not in BY_CHANCE])


def chances() -> st.SearchStrategy[random.Random]:
    return st.randoms(use_true_random=False)


def level(matches: tuple[Match, ...], intent: str) -> DangerLevel:
    return next((match.danger for match in matches if match.intent == intent), DangerLevel.NONE)


def is_heard(said: str, *, intent: str, plain: str) -> bool:
    """Whether this text says what the plain one does, or something more dangerous."""
    before, now = lexicon().matches(plain), lexicon().matches(said)
    danger = level(before, intent)
    assert danger is not DangerLevel.NONE, f"«{plain}» itself is not heard"
    return level(now, intent).rank >= danger.rank or any(match.danger.rank > danger.rank for match in now)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", DISGUISES)
@brief
@given(data=st.data(), chance=chances())
def test_no_disguise_hides_danger(name: str, locale: str, data: st.DataObject, chance: random.Random) -> None:
    intent, plain = data.draw(sentences(locale))

    said = DISGUISES[name](plain, chance)

    assert is_heard(said, intent=intent, plain=plain), f"«{plain}» is missed as «{said}»"


@pytest.mark.parametrize("locale", LOCALES)
@brief
@given(data=st.data(), chance=chances(), over=st.permutations(OVER))
def test_disguises_laid_over_each_other_hide_nothing(
    locale: str, data: st.DataObject, chance: random.Random, over: list[Disguise]
) -> None:
    intent, plain = data.draw(sentences(locale))

    said = data.draw(st.sampled_from(list(DISGUISES.values())))(plain, chance)
    for disguise in over:
        said = disguise(said, chance)

    assert is_heard(said, intent=intent, plain=plain), f"«{plain}» is missed as «{said}»"


@pytest.mark.parametrize("locale", LOCALES)
@brief
@given(
    data=st.data(),
    chance=chances(),
    # Not a question mark: «умереть? не хочу» is an answer.
    between=st.sampled_from((". ", "! ", "… ", "\n", ".\n", "!!! ", "। ", ".", "!", "!!!", "…", "...", "।")),
)
def test_no_longer_message_hides_danger(
    locale: str, data: st.DataObject, chance: random.Random, between: str
) -> None:
    intent, plain = data.draw(sentences(locale))
    before, after = (data.draw(st.lists(st.sampled_from(LEFT_ALONE[locale]), max_size=4)) for _ in range(2))
    disguise = data.draw(st.sampled_from((None, *DISGUISES.values())))

    core = disguise(plain, chance) if disguise else plain
    said = between.join((*before, core, *after))

    assert is_heard(said, intent=intent, plain=plain), f"«{plain}» is missed inside of «{said}»"


@pytest.mark.parametrize("locale", LOCALES)
@brief
@given(data=st.data(), chance=chances(), before=st.text(max_size=40), after=st.text(max_size=40))
def test_a_match_says_where_in_the_text_it_was_said(
    locale: str, data: st.DataObject, chance: random.Random, before: str, after: str
) -> None:
    _, plain = data.draw(sentences(locale))
    # A row of single letters holds many words, and the last of them that may have begun it is told.
    disguise = data.draw(st.sampled_from([each for each in DISGUISES.values() if each is not apart]))

    said = f"{before}\n{disguise(plain, chance)}\n{after}"

    for match in lexicon().matches(said):
        assert 0 <= match.start < match.end <= len(said)
        words = said[match.start : match.end]
        assert match.rule in {each.rule for each in lexicon().matches(words)}, f"{match.rule}: «{words}»"
