"""Which choice did the visitor mean by a text? Matches what was typed with what was offered."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from flows.model import STOP_SHARING, Book

#: Words beyond this many letters are a story, not the name of a button.
MAX_ANSWER = 60
#: Word lists of ``engine.yaml`` that mean an intent wherever the visitor stands.
_COMMANDS = (("person_words", "talk_to_human"), ("menu_words", "help"), ("stop_words", "stop"))
#: Word lists that lead into a flow which has no intent of its own.
_OFFERS = (("tip_words", "daily_tip"), ("class_words", "class_mode"), ("unshare_words", STOP_SHARING))
_NUMBER = re.compile(r"(\d{1,2})[.)]?")


def normal(text: str) -> str:
    """A text without case, outer signs and doubled blanks, so that 'Yes!!' equals 'yes'."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е").replace("’", "'")
    kept = "".join(sign if sign.isalnum() or sign == "'" or _is_mark(sign) else " " for sign in folded)
    return " ".join(kept.split())


def chosen(
    text: str, *, titles: Sequence[tuple[str, str]], book: Book, locale: str, intent: str
) -> str | None:
    """The slug of the choice that a text names: by title, by number, or by a word or intent for yes and no.

    ``titles`` holds slug and title in the order of the buttons; ``intent`` may be ``affirm`` or ``deny``.
    """
    if len(text) > MAX_ANSWER:
        return None
    word = normal(text)
    for slug, title in titles:
        if word and word == _of_ours(title):
            return slug
    if number := _NUMBER.fullmatch(text.strip()):
        place = int(number[1])
        return titles[place - 1][0] if 1 <= place <= len(titles) else None
    slugs = {slug for slug, _ in titles}
    for slug, name, meaning in (("yes", "yes_words", "affirm"), ("no", "no_words", "deny")):
        if slug in slugs and (intent == meaning or _listed(word, name, book=book, locale=locale)):
            return slug
    return None


def platform(text: str, *, book: Book) -> str | None:
    """The one platform that a short text names, properly or as children do; None if none or several."""
    if len(text) > MAX_ANSWER:
        return None
    said = f" {normal(text)} "
    found = {
        slug
        for slug, entry in book.directory.platforms.items()
        for name in (*entry.names.values(), *entry.nicknames)
        if f" {_of_ours(name)} " in said
    }
    return found.pop() if len(found) == 1 else None


def command(text: str, *, book: Book, locale: str) -> str | None:
    """The intent that a short word stands for in every wait, also while no model can be asked."""
    if len(text) > MAX_ANSWER:
        return None
    word = normal(text)
    return next((intent for name, intent in _COMMANDS if _listed(word, name, book=book, locale=locale)), None)


def offer(text: str, *, book: Book, locale: str) -> str | None:
    """The flow that a short text asks for by its name, also while no model can be asked."""
    if len(text) > MAX_ANSWER:
        return None
    word = normal(text)
    wanted = (flow for name, flow in _OFFERS if _listed(word, name, book=book, locale=locale))
    return next((flow for flow in wanted if flow in book.flows), None)


def _listed(word: str, name: str, *, book: Book, locale: str) -> bool:
    """Whether a word stands in a list of the visitor's locale."""
    return bool(word) and word in {_of_ours(entry) for entry in book.texts.words(name, locale=locale)}


@lru_cache(maxsize=16_384)
def _of_ours(text: str) -> str:
    """The normal form of a title or a listed word: ours, so it may be remembered; a visitor's never is."""
    return normal(text)


def _is_mark(sign: str) -> bool:
    # Bangla vowels are marks: without them, words fall together.
    return unicodedata.category(sign) in ("Mn", "Mc")
