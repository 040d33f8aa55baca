"""Does this text say that somebody may die or be hurt, without asking any model, database or network?

The answer comes from lexicons that psychologists keep: phrases of words in order, and idioms that cancel
them. A false alarm costs one caring message and a miss can cost a life: every doubt is decided for a match.

The search is one pass over the words, linear in the text whatever it holds. Each word of each phrase owns
one bit of a large number that says which phrases were heard up to here, as in the Shift-And method; see
``_Net`` for the layout.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources.abc import Traversable
from itertools import product, starmap
from pathlib import Path
from typing import NamedTuple

import yaml

try:  # The parser in C is ten times faster; some platforms have no wheel with it.
    from yaml import CSafeLoader as _YamlLoader
except ImportError:
    from yaml import SafeLoader as _YamlLoader  # type: ignore[assignment]

from flows.events import DangerLevel
from flows.normaliser import (
    MAX_WORD,
    Script,
    Token,
    hidden_pieces,
    joined,
    normalise,
    readings,
    script,
    tokenise,
    twin,
)

#: What a lexicon may find. Of two equally dangerous matches the earlier intent in this order is answered.
INTENTS = ("suicidal", "immediate_danger", "sexual_abuse", "friend_in_crisis", "self_harm")

#: How many other words each gap lets stand between two parts of a phrase.
GAPS = {"*": 2, "...": 5}
#: Two gaps in a row add up, to this at most.
MAX_GAP = 6
#: Every gap allows at least so many words.
MIN_GAP = min(GAPS.values())
#: A phrase of a single word, and the beginning of a word, have at least so many letters.
MIN_ALONE, MIN_STEM = 3, 2
#: A word torn into pieces (``s u i c i d e``) is put together again from this many at most.
MAX_PIECES = 20
#: The same letter stands in so many of these pieces after the first (``d i e e e``).
MAX_REPEATED = 2
#: Two pieces with a space between them are one word only from this many letters on (``sui cide``).
MIN_TORN = 6
#: A word is searched for words written together (``iwanttodie``) between these lengths.
MIN_RUN, MAX_RUN = 5, 64
#: Words of two letters that people write together with the next one; others are prefixes (``по``, ``за``).
RUN_OPENERS = frozenset({"не", "ne", "na", "im", "to"})
#: One asterisk or a row of them hides this many letters at most.
MAX_HIDDEN = 6
#: Words with one letter wrong are looked for from this length on; shorter ones have too many neighbours.
MIN_TYPO = 5
#: Stands in a phrase for any number.
NUMBER = "#"


class Problem(NamedTuple):
    """What is wrong in a lexicon file, for the person who edits it."""

    #: Path inside the lexicons' folder, such as ``en/crisis.yaml``.
    file: str
    #: Counted from 1.
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.sentence}"


class LexiconInvalid(ValueError):
    """These lexicon files cannot be used; ``problems`` says everything that must be put right."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A phrase that was found in a text."""

    intent: str
    danger: DangerLevel
    #: The language to answer in: that of the lexicon, ``ru`` also for Russian in Latin letters.
    locale: str
    #: Which phrase of which file, as it stands there: ``ru-Latn/suicidal: hochu umeret``.
    rule: str


#: What one word of a phrase may be; a word with ``~`` at its end is the beginning of a word.
Words = frozenset[str]
#: The ways to say one part of a phrase, each a row of words.
Ways = tuple[tuple[Words, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a phrase: how it may be said, and what may happen after it."""

    ways: Ways
    #: It may be left out.
    optional: bool = False
    #: How many other words may follow before the next part.
    gap: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A phrase, or an idiom that cancels phrases whose last word stands inside it."""

    locale: str
    #: For an idiom, the only intent that it cancels; None cancels all.
    intent: str | None
    #: As it stands in the file.
    phrase: str
    parts: tuple[Part, ...]
    #: What to tell when it is found; None for an idiom.
    match: Match | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconFile:
    """The content of one ``crisis.yaml``."""

    locale: str
    #: Where two languages share a phrase, the lower number wins.
    order: int
    #: Words that may stand anywhere inside a phrase without changing it.
    fillers: frozenset[str]
    #: Words that are recognised with one letter missing, added, wrong or swapped.
    typos: frozenset[str]
    rules: tuple[Rule, ...]


class _Bits(NamedTuple):
    """What a word can be, as bits of the words of phrases."""

    mask: int
    #: Those of them that begin a phrase, that begin a way to say a part, and that continue one.
    starts: int
    begins: int
    continues: int


_NOTHING = _Bits(0, 0, 0, 0)


class _Word(NamedTuple):
    """What the lexicons of one script know of a word of a text."""

    bits: _Bits
    #: The bits of the phrases that it may interrupt.
    kept: int
    #: It is several words of the lexicons without spaces.
    run: bool

    @property
    def matters(self) -> bool:
        """Something may be said by it."""
        return bool(self.bits.mask) or self.run


class _Heard(NamedTuple):
    """What a pass over a text left behind, enough to say where an idiom began."""

    #: For each place between two words, the bits of what was said up to there.
    states: list[int]
    #: For each place, those of them after which other words may stand, and after which many may.
    waiting: list[int]
    patient: list[int]
    #: For each word, the bits that it can be.
    masks: list[int]
    #: For each place, where a torn word that ends there began, and the bits that it can be.
    torn: dict[int, list[tuple[int, int]]]
    #: The phrases and idioms that were complete: at which place, with which last bit.
    complete: list[tuple[int, int, Rule]]


class Lexicon:
    """All phrases of all languages, ready to be searched for; immutable and safe to share."""

    def __init__(self, files: Iterable[LexiconFile]) -> None:
        self.files = tuple(sorted(files, key=lambda file: (file.order, file.locale)))
        self._order = {file.locale: number for number, file in enumerate(self.files)}
        scripts: dict[Script, list[LexiconFile]] = {}
        for file in self.files:
            scripts.setdefault(_script_of(file), []).append(file)
        # The time grows with the length of the numbers, and a text has seldom more than one script.
        self._nets = tuple(starmap(_Net, scripts.items()))
        self._words = {word for net in self._nets for word in net.vocabulary}
        self._beginnings = {word[:length] for word in self._words for length in range(1, len(word))}

    def first_match(self, text: str, *, locale: str | None = None) -> Match | None:
        """The most dangerous thing that this text says, or None; never raises, linear in the text.

        Of equally dangerous ones, one in the language of ``locale`` is preferred.
        """
        return next(iter(self.matches(text, locale=locale)), None)

    def matches(self, text: str, *, locale: str | None = None) -> tuple[Match, ...]:
        """Everything dangerous that this text says, the most dangerous first; never raises."""
        language = (locale or "").partition("-")[0]
        found = self._uncancelled(tokenise(text))

        def rank(match: Match) -> tuple[int, bool, int, int, int]:
            end, rule = found[match]
            kind = INTENTS.index(match.intent)
            return (-match.danger.rank, match.locale != language, kind, self._order[rule.locale], end)

        return tuple(sorted(found, key=rank))

    def _uncancelled(self, tokens: Sequence[Token]) -> dict[Match, tuple[int, Rule]]:
        """Each phrase that was said outside of every idiom, and where that first ended."""
        spellings = {token.text: readings(token.text) for token in tokens}
        torn = self._torn(tokens)
        heard = [net.listen(tokens, spellings=spellings, torn=torn) for net in self._nets]
        phrases = [(end, rule) for one in heard for end, _, rule in one.complete if rule.match]
        if not phrases:
            return {}
        covered: set[tuple[int, str | None]] = set()
        for net, one in zip(self._nets, heard, strict=True):
            for end, bit, rule in one.complete:
                if rule.match is None:
                    began = net.began(one, end=end, bit=bit)
                    covered.update((place, rule.intent) for place in range(began + 1, end + 1))
        found: dict[Match, tuple[int, Rule]] = {}
        for end, rule in phrases:
            if rule.match and (end, None) not in covered and (end, rule.intent) not in covered:
                found.setdefault(rule.match, (end, rule))
        return found

    def _torn(self, tokens: Sequence[Token]) -> dict[int, list[tuple[int, str]]]:
        """For each place, the words whose pieces begin there, each with the place after it.

        Pieces are single letters in a row, or tied by a dot or the like, or two with a space between them.
        """
        found: dict[int, list[tuple[int, str]]] = {}
        for place in range(len(tokens) - 1):
            words = [(end, word) for end, word in self._wholes(tokens, place) if word in self._words]
            if words:
                found[place] = words
        return found

    def _wholes(self, tokens: Sequence[Token], place: int) -> Iterator[tuple[int, str]]:
        whole, letters, repeated = tokens[place].text, tokens[place].letter, 0
        for end in range(place + 1, min(len(tokens), place + MAX_PIECES)):
            piece = tokens[end]
            letters = letters and piece.letter
            longer = joined(whole, piece.text)
            repeated = repeated + 1 if longer == whole else 0
            whole = longer
            if not (letters or piece.glued):
                if end == place + 1 and len(whole) >= MIN_TORN:
                    yield end + 1, whole
                return
            spellings = (whole,) if whole in self._beginnings else readings(whole)
            if len(whole) > 1:
                yield from ((end + 1, spelling) for spelling in spellings)
            if repeated > MAX_REPEATED or not any(spelling in self._beginnings for spelling in spellings):
                return


class _Net:
    """The phrases of all languages of one script, as bits of large numbers.

    Every part of a phrase is a block of bits: one for each word of each way to say it, then one that means
    «this part was said». The blocks of a phrase follow each other. Hence, for all phrases at once: a shift
    moves from a word to the next one; an addition carries from the last word of any way to the bit of the
    part; and a subtraction spreads that bit over the next block, so that any way to say it may begin.
    """

    def __init__(self, own_script: Script, files: Sequence[LexiconFile]) -> None:
        self._script = own_script
        self._words: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        self._fillers: dict[str, int] = {}
        #: Which bits are words: all, those that begin, continue or end a way, those that begin a phrase.
        self._body = self._begins = self._continues = self._ends = self._initial = 0
        #: Which bits say that a part was said: all, of an optional one, of one before it, of a phrase's last.
        self._said = self._optional = self._before_optional = self._last = 0
        #: For each number of words, the bits after which so many other words may stand.
        self._gaps = [0] * (MAX_GAP + 1)
        #: For the bit of each part its phrase and the first bit of its block; for each word's bit its part's.
        self._rules: dict[int, Rule] = {}
        self._block: dict[int, int] = {}
        self._part: dict[int, int] = {}
        self._size = 0
        for file in files:
            self._add(file)
        self._open = (1 << self._size) - 1 & ~self._last
        self._followed = self._said & ~self._last
        #: Every word that is known, the beginnings of words too.
        self.vocabulary = frozenset((*self._words, *self._stems, *self._fillers))
        self._beginnings = {word[:length] for word in self.vocabulary for length in range(1, len(word))}
        self._initials = {word[0] for word in self.vocabulary}
        self._stem_lengths = tuple(sorted({len(stem) for stem in self._stems}))
        self._hidden = _by_ends(self._words)
        self._typos = self._neighbours(typo for file in files for typo in file.typos)

    # Building.

    def _add(self, file: LexiconFile) -> None:
        begin = self._size
        for rule in file.rules:
            for number, part in enumerate(rule.parts):
                self._add_part(part, rule=rule, first=number == 0)
            self._last |= 1 << self._size - 1
        own = (1 << self._size) - (1 << begin)
        for word in file.fillers:
            self._fillers[word] = self._fillers.get(word, 0) | own & ~self._last

    def _add_part(self, part: Part, *, rule: Rule, first: bool) -> None:
        begin, end = self._size, self._size + sum(map(len, part.ways))
        said = 1 << end
        self._size = end + 1
        self._body |= said - (1 << begin)
        self._said |= said
        self._optional |= said * part.optional
        self._before_optional |= (1 << begin >> 1) * part.optional
        self._rules[end], self._block[end] = rule, begin
        for gap in range(1, part.gap + 1):
            self._gaps[gap] |= said
        place = begin
        for way in part.ways:
            self._begins |= 1 << place
            self._initial |= (1 << place) * first
            self._continues |= (1 << place + len(way)) - (1 << place + 1)
            for words in way:
                self._part[place] = end
                self._add_words(words, bit=1 << place)
                place += 1
            self._ends |= 1 << place - 1

    def _add_words(self, words: Words, *, bit: int) -> None:
        for word in words:
            table, plain = (self._stems, word[:-1]) if word.endswith("~") else (self._words, word)
            for spelling in filter(None, (plain, twin(plain))):
                table[spelling] = table.get(spelling, 0) | bit

    def _neighbours(self, words: Iterable[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for word in words:
            mask = self._mask_of(word)
            for form in (word, *_shortened(word)):
                found[form] = found.get(form, 0) | mask
        return found

    # Words.

    def _mask_of(self, word: str) -> int:
        """The bits that this word can be, as it stands."""
        mask = self._words.get(word, 0)
        for length in self._stem_lengths:
            if length > len(word):
                break
            mask |= self._stems.get(word[:length], 0)
        return mask

    def _look_up(self, word: str, spellings: Iterable[str]) -> _Word:
        # An emoji may stand anywhere in any phrase.
        kept = self._fillers.get(word, 0) if word[0].isalnum() else self._open
        mask = self._words.get(NUMBER, 0) if word.isdigit() else 0
        spellings = [spelling for spelling in spellings if spelling[:1] in self._initials]
        for spelling in spellings:
            mask |= self._mask_of(spelling)
        if not mask and script(word) is self._script:
            mask = self._guess(word)
        run = bool(spellings) and MIN_RUN <= len(word) <= MAX_RUN and self._is_run(word)
        return _Word(bits=self._bits_of(mask), kept=kept, run=run)

    def _is_run(self, word: str) -> bool:
        """Whether this word is nothing but words of the lexicons without spaces."""
        places = {0}
        for begin in range(len(word)):
            if begin in places:
                places.update(place for end in self._piece_ends(word, begin) for place in (end - 1, end))
        return len(word) in places

    def _piece_ends(self, word: str, begin: int) -> Iterator[int]:
        """Where the words of the lexicons end that begin here inside of a longer one."""
        # Only the first word may be a single letter, as ``i`` is: else ``diet`` would be ``die t``.
        for end in range(begin + 1 + (begin > 0), min(len(word), begin + MAX_WORD) + 1):
            piece = word[begin:end]
            prefix = begin == 0 and end == 2 and piece not in RUN_OPENERS
            if not prefix and (piece in self._words or piece in self._fillers):
                yield end
            if piece not in self._beginnings:
                return

    def _guess(self, word: str) -> int:
        """The bits that this unknown word can be if asterisks hide some of its letters or one is wrong."""
        mask = 0
        if len(word) > MAX_WORD:
            return mask
        if pieces := hidden_pieces(word):
            for candidate in self._hidden.get(word[0] + word[-1], ()):
                if _hides(pieces, candidate):
                    mask |= self._words[candidate]
        elif len(word) >= MIN_TYPO:
            for form in (word, *_shortened(word)):
                mask |= self._typos.get(form, 0)
        return mask

    # Listening.

    def listen(
        self,
        tokens: Sequence[Token],
        *,
        spellings: Mapping[str, Sequence[str]],
        torn: Mapping[int, Sequence[tuple[int, str]]],
    ) -> _Heard:
        """All that a text says: each word may be any of its spellings, or part of a torn one."""
        known = {word: self._look_up(word, found) for word, found in spellings.items()}
        heard = _Heard([0] * (len(tokens) + 1), waiting=[0], patient=[0], masks=[], torn={}, complete=[])
        if not torn and not any(word.matters for word in known.values()):
            return heard
        states = heard.states
        for place, token in enumerate(tokens):
            word = known[token.text]
            heard.masks.append(word.bits.mask)
            # A longer torn word may have brought something to this place already.
            state = states[place + 1] | states[place] & word.kept
            if word.matters or place in torn:
                reached = self._reached(heard, tokens, place=place)
                state |= self._next(reached, word.bits)
                if word.run:
                    state |= self._run_together(token.text, reached)
                for end, whole in torn.get(place, ()):
                    self._bring(heard, whole, begin=place, end=end, reached=reached)
            states[place + 1] = state
            heard.waiting.append(state & self._gaps[1])
            heard.patient.append(state & self._gaps[MIN_GAP + 1])
            if bits := state & self._last:
                heard.complete.extend((place + 1, bit, self._rules[bit]) for bit in _bits(bits))
        return heard

    def _bring(self, heard: _Heard, word: str, *, begin: int, end: int, reached: int) -> None:
        """Bring what was reached to the end of a word that was torn to pieces."""
        bits = self._bits_of(self._words.get(word, 0) | self._stems.get(word, 0))
        if bits.mask:
            heard.states[end] |= self._next(reached, bits)
            heard.torn.setdefault(end, []).append((begin, bits.mask))
        if kept := self._fillers.get(word, 0):
            heard.states[end] |= heard.states[begin] & kept

    def _reached(self, heard: _Heard, tokens: Sequence[Token], *, place: int) -> int:
        """The bits after which the next word may follow here, directly or over a gap in the same sentence."""
        reached = heard.states[place]
        for gap in range(1, min(MAX_GAP, place) + 1):
            # No gap reaches over the end of a sentence, which stands before the word after the gap or in it.
            if tokens[place - gap + 1].starts_sentence:
                break
            if gap <= MIN_GAP:
                reached |= heard.waiting[place - gap]
            elif patient := heard.patient[place - gap]:
                reached |= patient & self._gaps[gap]
        return reached

    def _bits_of(self, mask: int) -> _Bits:
        if not mask:
            return _NOTHING
        return _Bits(mask, mask & self._initial, mask & self._begins, mask & self._continues)

    def _next(self, reached: int, bits: _Bits) -> int:
        """The bits said after a word that can be these, where ``reached`` was said before it."""
        state = bits.starts
        if reached:
            if bits.continues:
                state |= reached << 1 & bits.continues
            if bits.begins:
                state |= self._after(reached) & bits.begins
        ended = state & self._ends
        if not ended:
            return state
        said = fresh = ended + self._body & self._said
        while fresh & self._before_optional:
            fresh = self._optional & ~self._after(fresh) & ~said
            said |= fresh
        return state | said

    def _after(self, reached: int) -> int:
        """All bits of the words that may follow the parts that were said, and the bits of all other parts."""
        return self._said - ((reached & self._followed) << 1)

    def _run_together(self, word: str, reached: int) -> int:
        """The bits said at the end of this word, which is several words of the lexicons without spaces."""
        states: list[int | None] = [None] * (len(word) + 1)
        states[0] = reached
        for begin, state in enumerate(states):
            if state is None:
                continue
            for end in self._piece_ends(word, begin):
                piece = word[begin:end]
                # Where one other word may stand, any may: how many there were is not counted in here.
                kept = self._fillers.get(piece, 0) | self._gaps[1]
                after = self._next(state, self._bits_of(self._words.get(piece, 0))) | state & kept
                states[end] = (states[end] or 0) | after
                # Two equal letters were made one: the next word may share its first with this one's last.
                if end - begin > 1:
                    states[end - 1] = (states[end - 1] or 0) | after
        return states[-1] or 0

    # Looking back.

    def began(self, heard: _Heard, *, end: int, bit: int) -> int:
        """The place where the idiom with this last bit, complete at ``end``, began; of several a late one."""
        place = end
        while place > 0:
            if bit in self._block:
                bit, place = self._ended(heard, place=place, bit=bit)
                continue
            begin = self._word_began(heard, place=place, bit=bit)
            if begin is None:
                place -= 1
            elif self._continues >> bit & 1:
                bit, place = bit - 1, begin
            elif self._initial >> bit & 1:
                return begin
            else:
                bit = self._block[self._part[bit]] - 1
                gaps = range(min(MAX_GAP, begin) + 1)
                place = next((begin - gap for gap in gaps if heard.states[begin - gap] >> bit & 1), 0)
                if place == 0:
                    return begin
        return place

    def _ended(self, heard: _Heard, *, place: int, bit: int) -> tuple[int, int]:
        """What led to «this part was said»: its last word, the part before it, or itself before a filler."""
        begin = self._block[bit]
        words = heard.states[place] & self._ends & (1 << bit) - (1 << begin)
        if words:
            return words.bit_length() - 1, place
        if self._optional >> bit & 1 and heard.states[place] >> begin - 1 & 1:
            return begin - 1, place
        return bit, place - 1

    def _word_began(self, heard: _Heard, *, place: int, bit: int) -> int | None:
        """Where the word that has this bit and ends here began; None if it was said before a filler."""
        if heard.masks[place - 1] >> bit & 1:
            return place - 1
        torn = [begin for begin, mask in heard.torn.get(place, ()) if mask >> bit & 1]
        if torn:
            return max(torn)
        return None if heard.states[place - 1] >> bit & 1 else place - 1


def _script_of(file: LexiconFile) -> Script:
    """The script of most words of a file."""
    words = (
        word for rule in file.rules for part in rule.parts for way in part.ways for one in way for word in one
    )
    return Counter(map(script, words)).most_common(1)[0][0] if file.rules else Script.LATIN


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _shortened(word: str) -> Iterator[str]:
    """The word without one of its letters; the first is never wrong."""
    return (word[:place] + word[place + 1 :] for place in range(1, len(word)))


def _by_ends(words: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        found.setdefault(word[0] + word[-1], []).append(word)
    return found


def _hides(pieces: Sequence[str], word: str) -> bool:
    """Whether the word has these pieces in order, its ends included, with few enough letters between them."""
    place = 0
    for piece in pieces:
        found = word.find(piece, place)
        if found < 0 or found - place > MAX_HIDDEN:
            return False
        place = found + len(piece)
    return word.startswith(pieces[0]) and word.endswith(pieces[-1])


# Reading the files.

_LEXEME = re.compile(r"\(|\)|\||\.\.\.|\*|<[^<>]*>|[^\s()|<>*]+")
_KEYS = ("locale", "order", "fillers", "typos", "lists", "unless", "groups")
_REQUIRED = ("locale", "order", "groups")
_GROUP_KEYS = ("danger", "phrases", "unless")
_GROUP_REQUIRED = ("danger", "phrases")


class _PhraseInvalid(ValueError):
    """The sentence that says what is wrong with this phrase."""


def load_lexicons(root: Traversable | Path) -> Lexicon:
    """Read every ``<locale>/crisis.yaml`` below ``root``; raises ``LexiconInvalid`` with all problems."""
    problems: list[Problem] = []
    files = []
    for folder in sorted(root.iterdir(), key=lambda folder: folder.name):
        if folder.is_dir():
            reader = _Reader(folder.name, problems)
            if (content := reader.read(folder / "crisis.yaml")) is not None:
                files.append(content)
    if not files and not problems:
        problems.append(
            Problem(root.name, 1, "There is no lexicon here, so nobody in danger would be noticed.")
        )
    if problems:
        raise LexiconInvalid(problems)
    return Lexicon(files)


class _Reader:
    """Reads one lexicon file and writes down everything that is wrong with it."""

    def __init__(self, locale: str, problems: list[Problem]) -> None:
        self._locale = locale
        self._problems = problems
        self._lists: dict[str, Ways] = {}

    def read(self, file: Traversable | Path) -> LexiconFile | None:
        """The content, or None with at least one new problem."""
        before = len(self._problems)
        try:
            root = yaml.compose(file.read_text(encoding="utf-8"), Loader=_YamlLoader)
        except OSError:
            self._report(1, "This file is missing, so nobody in danger would be noticed in this language.")
        except UnicodeDecodeError:
            self._report(1, "This file is not saved as UTF-8.")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._report(mark.line + 1 if mark else 1, f"This is not YAML: {error.problem or error.context}.")
        except yaml.YAMLError:
            self._report(1, "This is not YAML: it holds a character that is not allowed.")
        else:
            content = self._content(self._mapping(root, known=_KEYS, required=_REQUIRED))
            return content if len(self._problems) == before else None
        return None

    def _content(self, top: Mapping[str, yaml.Node]) -> LexiconFile:
        if (locale := self._text(top.get("locale"))) != self._locale:
            self._report(top.get("locale"), f"The folder is «{self._locale}» but the file says «{locale}».")
        if not (order := self._text(top.get("order"))).isdecimal():
            self._report(top.get("order"), "The order must be a whole number.")
        for name, node in self._mapping(top.get("lists")).items():
            self._lists[name] = self._list(node)
        rules = list(self._rules(top.get("unless")))
        for intent, node in self._mapping(top.get("groups"), known=INTENTS).items():
            rules += self._group(
                self._mapping(node, known=_GROUP_KEYS, required=_GROUP_REQUIRED), intent=intent
            )
        return LexiconFile(
            locale=self._locale,
            order=int(order) if order.isdecimal() else 0,
            fillers=self._single_words(top.get("fillers")),
            typos=self._single_words(top.get("typos")),
            rules=tuple(rules),
        )

    def _group(self, group: Mapping[str, yaml.Node], *, intent: str) -> Iterator[Rule]:
        danger = self._danger(group.get("danger"))
        yield from self._rules(group.get("phrases"), intent=intent, danger=danger)
        yield from self._rules(group.get("unless"), intent=intent)

    def _report(self, where: yaml.Node | int | None, sentence: str) -> None:
        line = where if isinstance(where, int) else where.start_mark.line + 1 if where else 1
        self._problems.append(Problem(f"{self._locale}/crisis.yaml", line, sentence))

    def _text(self, node: yaml.Node | None) -> str:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value).strip()
        if node is not None:
            self._report(
                node, "Here a word or a phrase is expected; if it holds «:» or «,», put it in quotes."
            )
        return ""

    def _mapping(
        self, node: yaml.Node | None, *, known: Sequence[str] | None = None, required: Sequence[str] = ()
    ) -> dict[str, yaml.Node]:
        found: dict[str, yaml.Node] = {}
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                name = self._text(key)
                if name in found:
                    self._report(key, f"«{name}» stands here twice.")
                elif known is not None and name not in known:
                    self._report(key, f"«{name}» is not known here; it can be {', '.join(known)}.")
                else:
                    found[name] = value
        elif node is not None:
            self._report(node, "Here lines of the form «name: …» are expected.")
        for name in required:
            if name not in found:
                self._report(node, f"«{name}» is missing.")
        return found

    def _lines(self, node: yaml.Node | None) -> Iterator[tuple[yaml.Node, str]]:
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield item, self._text(item)
        elif node is not None:
            self._report(node, "Here a list is expected: a line each, with «- » before it.")

    def _danger(self, node: yaml.Node | None) -> DangerLevel | None:
        levels = [level.value for level in DangerLevel if level is not DangerLevel.NONE]
        if (name := self._text(node)) in levels:
            return DangerLevel(name)
        if node is not None:
            self._report(node, f"The danger «{name}» is not known; it can be {', '.join(levels)}.")
        return None

    def _single_words(self, node: yaml.Node | None) -> frozenset[str]:
        words = set()
        for item, text in self._lines(node):
            tokens = tokenise(text)
            if len(tokens) == 1:
                words.add(tokens[0].text)
            else:
                self._report(item, f"«{text}» must be a single word.")
        return frozenset(words)

    def _list(self, node: yaml.Node) -> Ways:
        found: list[tuple[Words, ...]] = []
        for item, text in self._lines(node):
            try:
                found += _ways(_LEXEME.findall(text), lists={})
            except _PhraseInvalid as error:
                self._report(item, f"«{text}»: {error}")
        return tuple(found)

    def _rules(
        self, node: yaml.Node | None, *, intent: str | None = None, danger: DangerLevel | None = None
    ) -> Iterator[Rule]:
        seen: set[str] = set()
        for item, text in self._lines(node):
            key = " ".join(normalise(text).split())
            if key in seen:
                self._report(item, f"«{text}» stands in this list twice.")
            seen.add(key)
            try:
                parts = parse_phrase(text, lists=self._lists)
            except _PhraseInvalid as error:
                self._report(item, f"«{text}»: {error}")
            else:
                match = self._match(text, intent=intent, danger=danger)
                yield Rule(locale=self._locale, intent=intent, phrase=text, parts=parts, match=match)

    def _match(self, phrase: str, *, intent: str | None, danger: DangerLevel | None) -> Match | None:
        if intent is None or danger is None:
            return None
        name = f"{self._locale}/{intent}: {phrase}"
        return Match(intent=intent, danger=danger, locale=self._locale.partition("-")[0], rule=name)


def parse_phrase(text: str, *, lists: Mapping[str, Ways]) -> tuple[Part, ...]:
    """The parts of a phrase as it stands in a file, where ``<name>`` is one of the ``lists``."""
    lexemes = iter(_LEXEME.findall(text))
    parts: list[Part] = []
    for lexeme in lexemes:
        if lexeme in GAPS:
            if not parts:
                raise _PhraseInvalid("It begins with a gap, which does nothing there.")
            parts[-1] = replace(parts[-1], gap=min(MAX_GAP, parts[-1].gap + GAPS[lexeme]))
        elif lexeme == "(":
            parts.append(_choice(lexemes, lists=lists))
        else:
            parts.append(_part(_ways([lexeme], lists=lists)))
    _check(parts)
    return tuple(parts)


def _check(parts: Sequence[Part]) -> None:
    if not parts:
        raise _PhraseInvalid("It is empty.")
    if parts[-1].gap:
        raise _PhraseInvalid("It ends with a gap, which does nothing there.")
    if parts[0].optional:
        raise _PhraseInvalid("Its first part may be left out, so please leave it out.")
    words = [word for way in parts[0].ways if len(way) == 1 for word in way[0]]
    if len(parts) == 1 and any(len(word) < MIN_ALONE and word.isalnum() for word in words):
        raise _PhraseInvalid(
            f"One word of fewer than {MIN_ALONE} letters would be found in too many messages."
        )


def _choice(lexemes: Iterator[str], *, lists: Mapping[str, Ways]) -> Part:
    """What stands between ( and ), of which the first has been read."""
    choices: list[list[str]] = [[]]
    for lexeme in lexemes:
        if lexeme == ")":
            ways = [way for choice in choices if choice for way in _ways(choice, lists=lists)]
            if not ways:
                raise _PhraseInvalid("There is nothing between ( and ).")
            return _part(ways, optional=[] in choices)
        if lexeme == "|":
            choices.append([])
        else:
            choices[-1].append(lexeme)
    raise _PhraseInvalid("A ) is missing.")


def _part(ways: Iterable[tuple[Words, ...]], *, optional: bool = False) -> Part:
    """These ways to say a part, all single words as one way, since each way costs bits."""
    distinct = tuple(dict.fromkeys(ways))
    singles = frozenset(word for way in distinct if len(way) == 1 for word in way[0])
    rows = tuple(way for way in distinct if len(way) > 1)
    return Part(ways=(((singles,),) if singles else ()) + rows, optional=optional)


def _ways(lexemes: Iterable[str], *, lists: Mapping[str, Ways]) -> list[tuple[Words, ...]]:
    """All rows of words that these words and lists, one after the other, stand for."""
    choices: list[Ways] = []
    for lexeme in lexemes:
        if lexeme in GAPS or lexeme in "()|":
            raise _PhraseInvalid(f"There can be no {lexeme} here.")
        if not lexeme.startswith("<"):
            choices.append((_row(lexeme),))
        elif lexeme[1:-1] in lists:
            choices.append(lists[lexeme[1:-1]])
        else:
            raise _PhraseInvalid(f"There is no list {lexeme} for it.")
    return [sum(rows, ()) for rows in product(*choices)]


@cache
def _row(lexeme: str) -> tuple[Words, ...]:
    """The words of one written word: several if a hyphen joins them."""
    if lexeme == NUMBER:
        return (frozenset({NUMBER}),)
    words = [token.text for token in tokenise(lexeme)]
    if not words:
        raise _PhraseInvalid(f"«{lexeme}» holds no letter.")
    if lexeme.endswith("~"):
        if len(words[-1]) < MIN_STEM:
            raise _PhraseInvalid(f"«{lexeme}» is too short for the beginning of a word.")
        words[-1] += "~"
    return tuple(frozenset({word}) for word in words)
