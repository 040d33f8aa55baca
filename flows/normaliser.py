"""Which words did the visitor mean, however they typed them?

Children write in capitals, stretch letters, put dots between them, swap digits and look-alike letters for
real ones, sometimes because they fear a filter. Everything here is pure, total and linear in the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import Enum
from itertools import product
from typing import NamedTuple

#: A word longer than this is no word of a lexicon, however it is spelled.
MAX_WORD = 24
#: At most so many ambiguous digits of a word are read in both ways, so a word has at most 8 readings.
MAX_AMBIGUOUS = 3
#: A number up to this length may be a word in leetspeak (``d13``, ``70``); a longer one is a number.
MAX_LEET_NUMBER = 3


class Script(Enum):
    """What a word is written in."""

    LATIN = "latin"
    CYRILLIC = "cyrillic"
    BANGLA = "bangla"


class Token(NamedTuple):
    """One word or emoji of a text, normalised."""

    text: str
    #: Only a dot, hyphen or the like stands between this token and the one before (``k.m.s``).
    glued: bool
    #: A sentence ended between the token before and this one.
    starts_sentence: bool
    #: It is a single letter, for Bangla a consonant with its signs: it may belong to a spelled-out word.
    letter: bool


def _table(*pairs: tuple[str, str]) -> dict[int, str]:
    return {ord(a): b for before, after in pairs for a, b in zip(before, after, strict=True)}


def _ranges(*ranges: tuple[int, int]) -> Iterable[int]:
    return (point for first, last in ranges for point in range(first, last + 1))


def _alphabet(first: int) -> dict[int, str]:
    return {first + number: chr(ord("a") + number) for number in range(26)}


#: Dropped wherever it stands: what cannot be seen, what only decorates, and what people leave out.
_DROPPED = (
    *_ranges((0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD)),
    # Accents and other marks above, below and across letters.
    *_ranges((0x0300, 0x036F), (0x0483, 0x0489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF)),
    *_ranges((0xFE20, 0xFE2F)),
    # Zero-width characters, directions, fillers, variation selectors, skin tones, tags.
    *_ranges((0x061C, 0x061C), (0x115F, 0x1160), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E)),
    *_ranges((0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB)),
    *_ranges((0x1F3FB, 0x1F3FF), (0xE0000, 0xE01EF)),
    *map(ord, "'`‘’‚‛ʹʻʼʽˈ′ꞌ"),
    # Hard and soft sign: left out or put in the wrong place more often than any other letter.
    *map(ord, "ьъ"),
    # Nukta, chandrabindu and visarga of Bangla: as often missing as not.
    *map(ord, "\u09bc\u0981\u0983"),
)

_FOLDED: dict[int, str | None] = {
    **dict.fromkeys(_DROPPED),
    # Letters of other alphabets dressed as Latin or Russian ones.
    **_table(
        ("іїєґ", "ииег"),
        ("ѕјԁһӏԛԝѵүө", "sjdhlqwvyo"),
        ("αβγεζηικμνορστυχω", "abyeznikuvopctuxw"),
        ("ıɑɡɩłøđƙ", "iagilodk"),
        ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"),
    ),
    **_alphabet(0x1F1E6),
    **_alphabet(0x1F150),
    **_alphabet(0x1F170),
    # Bangla letters that sound alike, and the chh that dialects say as s.
    **_table(("ণষসছযঙঈঊীূৰ", "নশশশজংইউিুর")),
    ord("ৎ"): "ত\u09cd",
    ord("_"): "-",
}

_REPEATED = re.compile(r"(.)\1+", re.DOTALL)

_LETTER = r"[\w\u0980-\u09fe]"
_EMOJI = r"[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
#: Inside a word ``!``, ``|``, ``@``, ``$`` and ``€`` stand for letters, and ``*``, ``•``, ``#`` hide some.
_TOKEN = re.compile(rf"[@$]?{_LETTER}+(?:[!|@$€*•#]+{_LETTER}+)*|{_EMOJI}")
_JOINER = re.compile(r"[-.,:;~/\\+=^·\"]{1,2}")
_SENTENCE_END = re.compile(r"[.?!।]")
_BANGLA_LETTER = re.compile(r"[\u0985-\u09b9](?:\u09cd[\u0995-\u09b9])*[\u09be-\u09cd\u09d7]*")
_PLAIN = re.compile(r"[a-z]+|[а-я]+|[\u0980-\u09fe]+")
_HIDDEN = re.compile(r"[*•#]+")

_AMBIGUOUS = re.compile(r"[1!|]")
_TO_LATIN = _table(("авсенкмортухигп", "abcehkmoptyxirn"), ("0345789@$€", "oeastbgase"))
_TO_CYRILLIC = _table(("abcehikmnoprtuxy", "авсеникмпоргтиху"), ("0346@1!|", "озчбаиии"))
_SOFT_SIGN = {ord("b"): None}


def normalise(text: str) -> str:
    """The text in one spelling: plain letters, lower case, no accents, no letter twice in a row."""
    text = unicodedata.normalize("NFKD", text.replace("´", "")).casefold()
    if not text.isascii():
        # The three Bangla letters that differ from another by a nukta alone and sound like r.
        text = text.replace("ড\u09bc", "র").replace("ঢ\u09bc", "র").replace("ব\u09bc", "র")
    text = text.translate(_FOLDED)
    return _as_heard(squeeze(text))


def _as_heard(text: str) -> str:
    """After these two letters Russian children write ы as they hear it, and Belarusian requires it."""
    return text.replace("жы", "жи").replace("шы", "ши")


def squeeze(text: str) -> str:
    """The text with every run of one character cut to a single one."""
    return _REPEATED.sub(r"\1", text)


def tokenise(text: str) -> list[Token]:
    """The words and emoji of a text in order, normalised; punctuation is left out."""
    text = normalise(text)
    tokens: list[Token] = []
    end = 0
    for found in _TOKEN.finditer(text):
        word, between = found.group(), text[end : found.start()]
        glued = bool(tokens) and _JOINER.fullmatch(between) is not None
        tokens.append(
            Token(
                text=word,
                glued=glued,
                starts_sentence=bool(tokens) and not glued and _SENTENCE_END.search(between) is not None,
                letter=(len(word) == 1 and word.isalnum()) or _BANGLA_LETTER.fullmatch(word) is not None,
            )
        )
        end = found.end()
    return tokens


def joined(before: str, after: str) -> str:
    """Two pieces of a normalised word as one, normalised too."""
    return before + after[1:] if before[-1:] == after[:1] else _as_heard(before + after)


def readings(word: str) -> tuple[str, ...]:
    """Every word that this normalised one may stand for; a word of one script stands for itself alone.

    Digits and signs are read as the letters they look like, a word of mixed scripts as Latin and as Cyrillic.
    """
    if len(word) > MAX_WORD or _PLAIN.fullmatch(word) or (word.isdigit() and len(word) > MAX_LEET_NUMBER):
        return (word,)
    bare = word.lstrip("@$")
    found = {word: None, bare: None, _as_heard(squeeze(_HIDDEN.sub("", bare))): None}
    cyrillic = word.translate(_TO_CYRILLIC)
    for candidate in (cyrillic, word.translate(_SOFT_SIGN).translate(_TO_CYRILLIC)):
        found[_as_heard(squeeze(candidate))] = None
    latin = word.translate(_TO_LATIN)
    for letters in product("il", repeat=min(MAX_AMBIGUOUS, len(_AMBIGUOUS.findall(latin)))):
        choice = iter(letters)
        found[squeeze(_AMBIGUOUS.sub(lambda _, choice=choice: next(choice, "i"), latin))] = None  # type: ignore[misc]
    return tuple(found)


def script(word: str) -> Script:
    """The script of the first letter of a normalised word; all other scripts count as Latin."""
    if "а" <= word[0] <= "я":
        return Script.CYRILLIC
    return Script.BANGLA if "\u0980" <= word[0] <= "\u09fe" else Script.LATIN


def twin(word: str) -> str | None:
    """The word in look-alike letters of the other script, as ``he`` for ``не``, if there are all of them."""
    latin, cyrillic = word.translate(_TO_LATIN), word.translate(_TO_CYRILLIC)
    if latin != word and latin.isascii():
        return latin
    return cyrillic if cyrillic != word and _PLAIN.fullmatch(cyrillic) else None


def hidden_pieces(word: str) -> tuple[str, ...] | None:
    """What is left of a word in which asterisks hide letters, in order; None if none are hidden."""
    pieces = tuple(_HIDDEN.split(word))
    return pieces if len(pieces) > 1 and len(word) <= MAX_WORD else None
