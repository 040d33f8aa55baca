"""Which words did the visitor mean, however they typed them?

Children write in capitals, stretch letters, put dots between them, swap digits and look-alike letters for
real ones, sometimes because they fear a filter. Everything here is pure, total and linear in the text.

Undone in any word: capitals, stretched letters, accents, marks, invisible characters, other typefaces,
letters in boxes unless they are flags, look-alike letters of Latin, Cyrillic and Greek (in a word without
digits of its own: not in ``18th``), up to ``MAX_AMBIGUOUS`` signs that are i or l, and digits for letters
(the same digit twice is one letter). Undone by ``flows.safety`` in words that a lexicon holds: letters typed
apart, words torn by a dot or the like, letters hidden by asterisks if the first and the last one can be seen,
emoji between words and letters. Words without spaces are found if they are in no other disguise.
``tests/flows/test_safety_obfuscation.py`` proves it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from itertools import islice, pairwise, product
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
    #: What was said before is over: a line ended there or a sentence, but no question, which may be answered
    #: in the same breath, and no pause of three dots.
    starts_thought: bool
    #: It is a single letter, for Bangla a consonant with its signs: it may belong to a spelled-out word.
    letter: bool


class Looks(NamedTuple):
    """What a normalised word looks like, in whichever script its reader takes it to be."""

    #: As it stands, without the signs around and inside it.
    typed: str
    latin: tuple[str, ...]
    cyrillic: tuple[str, ...]


class Span(NamedTuple):
    """Where something stands in a text as it was typed: ``text[start:end]``."""

    start: int
    end: int


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

#: One character each that stands for several words (``¼``, ``㏂``, ``ﷺ``): no letter of a disguise, but a way
#: to make a short text very long.
_SEVERAL_WORDS = re.compile(
    r"[¼-¾\u2100\u2101\u2105\u2106\u2150-\u215e\u2189\u3300-\u3357㎧㎨㎮㎯㏂㏆㏘㏞㏟\ufbea-\ufc04"
    r"\ufc64-\ufc69\ufc97-\ufc9b\ufcdf\ufce0\ufdfa\ufdfb]"
)

#: The three Bangla letters that differ from another by a nukta alone and sound like r, with what decorates
#: them or cannot be seen before it.
_R_LIKE = re.compile(
    "[ডঢব][\u0300-\u036f\u0483-\u0489\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufe0f\ufeff]*\u09bc"
)
_BOXED = re.compile("[\U0001f1e6-\U0001f1ff]+")
_FLAG = "\U0001f3f3"
#: Dropped, wherever it stands.
_NOTHING = "\u200b"

_REPEATED = re.compile(r"(.)\1+", re.DOTALL)

_LETTER = r"[\w\u0980-\u09fe]"
_EMOJI = r"[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
#: Inside a word ``!``, ``|``, ``@``, ``$`` and ``€`` stand for letters, and ``*``, ``•``, ``#`` hide some.
_TOKEN = re.compile(rf"[@$]?{_LETTER}+(?:[!|@$€*•#]+{_LETTER}+)*|{_EMOJI}")
_JOINER = re.compile(r"[-.,:;~/\\+=^·\"]{1,2}")
_SENTENCE_END = re.compile(r"[.?!।]")
_THOUGHT_END = re.compile(r"[^?.!।\n]*(?:\n|[.!।](?![.?]))[^?]*", re.DOTALL)
_BANGLA_LETTER = re.compile(r"[\u0985-\u09b9](?:\u09cd[\u0995-\u09b9])*[\u09be-\u09cd\u09d7]*")
_PLAIN = re.compile(r"[a-z]+|[а-я]+|[\u0980-\u09fe]+")
_HIDDEN = re.compile(r"[*•#]+")

_AMBIGUOUS = re.compile(r"[1!|]")
_TO_LATIN = _table(("авсенкмортухигп", "abcehkmoptyxirn"), ("0345789@$€", "oeastbgase"))
_TO_CYRILLIC = _table(("abcehikmnoprtuxy", "авсеникмпоргтиху"), ("0346@1!|", "озчбаиии"))
#: The same where b is a soft sign, which is dropped as everywhere.
_TO_CYRILLIC_SOFT: dict[int, str | None] = {**_TO_CYRILLIC, ord("b"): None}


def normalise(text: str) -> str:
    """The text in one spelling: plain letters, lower case, no accents, no letter twice in a row."""
    folded = text.casefold().translate(_FOLDED) if text.isascii() else _folded(_prepared(text))
    return _as_heard(squeeze(folded))


def _prepared(text: str) -> str:
    """The text, as long as it was, with what no letter tells by itself: which signs belong together."""
    text = _SEVERAL_WORDS.sub(" ", text).replace("´", _NOTHING)
    if "\u09bc" in text:
        text = _R_LIKE.sub(lambda found: "র" + _NOTHING * (len(found.group()) - 1), text)
    # Two of them are a flag, unless others in the text are more or fewer: then all of them are letters.
    if all(len(row) == 2 for row in _BOXED.findall(text)):
        text = _BOXED.sub(_FLAG + _NOTHING, text)
    return text


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFKD", text).casefold()
    if "\u09bc" in text:
        text = _R_LIKE.sub("র", text)
    return text.translate(_FOLDED)


def spans(text: str, *, words: int | None = None) -> list[Span]:
    """Where the first words and emoji of ``tokenise``, or all, stand in the text as it was typed.

    A stretched letter is part of its word for as long as it goes on.
    """
    found = [one.span() for one in islice(_TOKEN.finditer(normalise(text)), words)]
    if not found:
        return []
    #: For each letter of the normalised text from where to where it was typed.
    first: list[int] = []
    last: list[int] = []
    before = ""
    folded: dict[str, str] = {}
    text = _prepared(text)
    for start, end in pairwise(_starts(text)):
        piece = text[start:end]
        if piece not in folded:
            folded[piece] = _folded(piece)
        for letter in folded[piece]:
            if letter == before:
                last[-1] = end
            else:
                before = letter
                first.append(start)
                last.append(end)
        if len(last) > found[-1][1]:
            break
    return [Span(first[start], last[end - 1]) for start, end in found]


def _starts(text: str) -> Sequence[int]:
    """Where to cut a text, its ends too, so that no piece begins with a mark of the one before."""
    if text.isascii():
        return range(len(text) + 1)
    marks = {letter for letter in set(text) if _is_mark(letter)}
    return [0, *(place for place in range(1, len(text)) if text[place] not in marks), len(text)]


def _is_mark(letter: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFKD", letter)[0]) > 0


def _as_heard(text: str) -> str:
    """After these two letters Russian children write ы as they hear it, and Belarusian requires it."""
    return text.replace("жы", "жи").replace("шы", "ши")


def squeeze(text: str) -> str:
    """The text with every run of one character cut to a single one."""
    return _REPEATED.sub(r"\1", text) if _REPEATED.search(text) else text


def tokenise(text: str) -> list[Token]:
    """The words and emoji of a text in order, normalised; punctuation is left out."""
    text = normalise(text)
    tokens: list[Token] = []
    end = 0
    for found in _TOKEN.finditer(text):
        start = found.start()
        word, between = found.group(), text[end:start]
        glued = starts_sentence = starts_thought = False
        letter = _is_letter(word)
        if tokens and between and between != " ":
            glued = _JOINER.fullmatch(between) is not None
            starts_sentence = not glued and _SENTENCE_END.search(between) is not None
            torn = glued and _belong_together(tokens[-1], word, letter=letter)
            starts_thought = not torn and _THOUGHT_END.fullmatch(between) is not None
        tokens.append(Token(word, glued, starts_sentence, starts_thought, letter))
        end = found.end()
    return tokens


def _is_letter(word: str) -> bool:
    return word.isalnum() if len(word) == 1 else _BANGLA_LETTER.fullmatch(word) is not None


def _belong_together(before: Token, word: str, *, letter: bool) -> bool:
    """Whether the dot between these ends no sentence: it stands in a word spelled out, or in a number."""
    return (before.letter and letter) or (before.text.isdigit() and word.isdigit())


def exclaimed(token: Token, *, known: Callable[[str], bool], most: int) -> list[Token]:
    """The words of a token in which an exclamation mark ends a sentence (``die!help``) and is no i or l.

    It is one word where it is known as such, and so is each part of it. After the first ``most`` words the
    rest is one word.
    """
    if "!" not in token.text or most <= 1 or known(token.text):
        return [token]
    pieces = [piece for piece in token.text.split("!", most - 1) if any(map(str.isalnum, piece))]
    found: list[Token] = []
    while pieces:
        lengths = range(min(len(pieces), MAX_AMBIGUOUS + 1), 1, -1)
        length = next((some for some in lengths if known("!".join(pieces[:some]))), 1)
        word = "!".join(pieces[:length])
        letter = _is_letter(word)
        found.append(
            token._replace(text=word, letter=letter)
            if not found
            else Token(word, glued=False, starts_sentence=True, starts_thought=True, letter=letter)
        )
        del pieces[:length]
    return found


def joined(before: str, after: str) -> str:
    """Two pieces of a normalised word as one, normalised too."""
    if before[-1:] == after[:1]:
        return before + after[1:]
    return _as_heard(before + after) if after[:1] == "ы" else before + after


def readings(word: str) -> tuple[str, ...]:
    """Every word that this normalised one may stand for; a word of one script stands for itself alone.

    Digits and signs are read as the letters they look like, a word of mixed scripts as Latin and as Cyrillic.
    """
    if len(word) > MAX_WORD or _PLAIN.fullmatch(word) or is_number(word):
        return (word,)
    look = looks(word)
    return tuple(dict.fromkeys((word, word.lstrip("@$"), look.typed, *look.cyrillic, *look.latin)))


def is_number(word: str) -> bool:
    """Whether these digits are too many to be letters."""
    return len(word) > MAX_LEET_NUMBER and word.isdigit()


def looks(word: str) -> Looks:
    """What this normalised word looks like in each script."""
    typed = word.lstrip("@$")
    if _HIDDEN.search(typed):
        typed = _as_heard(squeeze(_HIDDEN.sub("", typed)))
    cyrillic: tuple[str, ...] = (_as_heard(squeeze(word.translate(_TO_CYRILLIC))),)
    if "b" in word:
        cyrillic += (_as_heard(squeeze(word.translate(_TO_CYRILLIC_SOFT))),)
    latin = word.translate(_TO_LATIN)
    ambiguous = min(MAX_AMBIGUOUS, len(_AMBIGUOUS.findall(latin)))
    if not ambiguous:
        return Looks(typed, (squeeze(latin),), cyrillic)
    choices = product("il", repeat=ambiguous)
    return Looks(typed, tuple({squeeze(_spelled(latin, letters)): None for letters in choices}), cyrillic)


def _spelled(word: str, letters: Sequence[str]) -> str:
    """The word with these letters in place of its ambiguous digits, and i for those that are left over."""
    for letter in letters:
        word = _AMBIGUOUS.sub(letter, word, count=1)
    return _AMBIGUOUS.sub("i", word)


def script(word: str) -> Script:
    """The script of the first letter of a normalised word; all other scripts count as Latin."""
    if "а" <= word[0] <= "я":
        return Script.CYRILLIC
    return Script.BANGLA if "\u0980" <= word[0] <= "\u09fe" else Script.LATIN


def plain_script(word: str) -> Script | None:
    """The script of all letters of a normalised word; None if it mixes scripts or holds digits or signs."""
    return script(word) if _PLAIN.fullmatch(word) else None


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
