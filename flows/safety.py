"""Does this text say that somebody may die or be hurt, without asking any model, database or network?

The answer comes from lexicons that psychologists keep: phrases of words in order, and idioms that cancel
them. A false alarm costs one caring message and a miss can cost a life: every doubt is decided for a match.

The search is one pass over the words, linear in the text whatever it holds. Each word of each phrase owns
one bit of a large number that says which phrases were heard up to here, as in the Shift-And method; see
``_Net`` for the layout. Each thing that is dear has a limit, far above what people type (``MAX_TORN``,
``MAX_STARRED``, ``MAX_RUN_PIECES``, ``MAX_EXCLAIMED``, ``MAX_EMOJI``): 4,000 characters made to be slow
take about 20 ms; ``python -m bench.safety`` measures it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources.abc import Traversable
from itertools import islice, pairwise, product, starmap
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
    exclaimed,
    hidden_pieces,
    is_number,
    joined,
    looks,
    normalise,
    plain_script,
    readings,
    script,
    spans,
    tokenise,
    twin,
)

#: What a lexicon may find. Of two equally dangerous matches the earlier intent in this order is answered.
INTENTS = ("suicidal", "immediate_danger", "sexual_abuse", "friend_in_crisis", "self_harm")

#: How many other words each gap lets stand between two parts of a phrase. Words of ``MIN_RUN`` letters and
#: more that a lexicon of that script knows are not counted: of 23,500 texts 90 would be missed otherwise.
GAPS = {"*": 2, "...": 5}
#: Two gaps in a row add up, to this at most.
MAX_GAP = 6
#: Every gap allows at least so many words.
MIN_GAP = min(GAPS.values())
#: A phrase of a single word, and the beginning of a word, have at least so many letters.
MIN_ALONE, MIN_STEM = 3, 2
#: A word torn into pieces (``s u i c i d e``) is put together again from this many at most.
MAX_PIECES = 20
#: So many places of a text are searched for such words, the first ones: some fifty words spelled out.
MAX_TORN = 300
#: The same letter stands in so many of these pieces after the first (``d i e e e``).
MAX_REPEATED = 2
#: Two pieces with a space between them are one word only from this many letters on (``sui cide``).
MIN_TORN = 6
#: A word is searched for words written together (``iwanttodie``) between these lengths.
MIN_RUN, MAX_RUN = 5, 64
#: In so many pieces the words of a text are taken apart at most.
MAX_RUN_PIECES = 1_000
#: So many emoji of a text are looked at at most, since some idioms hold one: a laugh may cancel a phrase.
MAX_EMOJI = 100
#: Words of two letters that people write together with the next one; others are prefixes (``по``, ``за``).
RUN_OPENERS = frozenset({"не", "ne", "na", "im", "to"})
#: So many words of a text are looked at for exclamation marks that end a sentence, the first ones.
MAX_EXCLAIMED = 50
#: One asterisk or a row of them hides this many letters at most.
MAX_HIDDEN = 6
#: So many different words with asterisks are read in a text, the first ones.
MAX_STARRED = 100
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
    #: Where it was first said: ``text[start:end]`` of the text as it was typed. Places and not the words,
    #: which may not reach a log. They do not make another match: a phrase said twice is found once.
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


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


class _Echo(NamedTuple):
    """What the words said at one place lead to."""

    #: The bits of the words that may come next.
    after: int
    #: The last bits of the phrases and idioms that are complete.
    complete: int


class _Run(NamedTuple):
    """Several words of the lexicons without spaces, and from which to which letter each of them stands."""

    text: str
    pieces: Sequence[tuple[int, int]]


_NO_RUN = _Run("", ())


_NEVER = 0, _Echo(0, 0)


class _Word(NamedTuple):
    """What the lexicons of one script know of a word of a text."""

    #: The bits of the words of phrases that it can be: those that begin a phrase, and all others.
    starts: int
    follows: int
    #: Something may be said by it; or it may at least interrupt a phrase.
    matters: bool
    useful: bool
    #: The bits of the phrases that it may interrupt.
    kept: int
    #: It is known and long: it may stand in any gap without being counted.
    passes: bool
    #: The several words that it is without spaces.
    run: _Run


class _Heard(NamedTuple):
    """What a pass over a text left behind, enough to say where a phrase or an idiom began."""

    #: For each place between two words, the bits that may come next after what was said up to there.
    after: list[int]
    #: For each place, the bits of the words that ended there, torn ones and words written together too.
    said: list[int]
    #: For each place, the last bits of the phrases and idioms that were complete there.
    complete: list[int]
    #: For each place, where a torn word that ends there began, and the bits that it was.
    torn: dict[int, list[tuple[int, int]]]
    #: What words lead to, by their bits: in a long text the same ones come again.
    echoes: dict[int, _Echo]
    #: What each word was when it was said last, and what it led to.
    recent: dict[str, tuple[int, _Echo]]


def _silence(places: int, *, echoes: dict[int, _Echo]) -> _Heard:
    empty = [0] * (places + 1)
    return _Heard(empty, empty.copy(), empty.copy(), {}, echoes, {})


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
        self._words = frozenset(word for net in self._nets for word in net.vocabulary)
        self._beginnings = frozenset(word[:length] for word in self._words for length in range(1, len(word)))
        self._known = self._words | self._beginnings
        self._emoji = frozenset(emoji for net in self._nets for emoji in net.emoji)

    def first_match(self, text: str, *, locale: str | None = None) -> Match | None:
        """The most dangerous thing that this text says, or None; never raises, linear in the text.

        Of equally dangerous ones, one in the language of ``locale`` is preferred.
        """
        found = self._uncancelled(text)
        if not found:
            return None
        return _told(text, [min(found, key=self._rank(found, locale))], found)[0]

    def matches(self, text: str, *, locale: str | None = None) -> tuple[Match, ...]:
        """Everything dangerous that this text says, the most dangerous first; never raises."""
        found = self._uncancelled(text)
        return _told(text, sorted(found, key=self._rank(found, locale)), found) if found else ()

    def _rank(
        self, found: Mapping[Match, _Said], locale: str | None
    ) -> Callable[[Match], tuple[int, bool, int, int, int, int]]:
        language = (locale or "").partition("-")[0]

        def rank(match: Match) -> tuple[int, bool, int, int, int, int]:
            said = found[match]
            kind = INTENTS.index(match.intent)
            return (
                -match.danger.rank,
                match.locale != language,
                kind,
                self._order[said.locale],
                said.end,
                said.bit,
            )

        return rank

    def _uncancelled(self, text: str) -> dict[Match, _Said]:
        """Each phrase that was said outside of every idiom, and where that was first."""
        tokens, numbers = self._words_of(text)
        torn = self._torn(tokens)
        spellings = {word: readings(word) for word in dict.fromkeys(token.text for token in tokens)}
        starred = ((word, pieces) for word in spellings if (pieces := hidden_pieces(word)))
        hidden = dict(islice(starred, MAX_STARRED))
        heard = [net.listen(tokens, spellings=spellings, hidden=hidden, torn=torn) for net in self._nets]
        passes = list(zip(self._nets, heard, strict=True))
        first = min((end for net, one in passes for end in net.phrase_ends(one)), default=None)
        if first is None:
            return {}
        idioms = (idiom for net, one in passes for idiom in net.idioms(one, since=first))
        covered = _covered(idioms, since=first)
        found: dict[Match, _Said] = {}
        for net, one in passes:
            for end, bit in net.phrases(one, covered=covered):
                rule = net.rule(bit)
                if rule.match:
                    found.setdefault(rule.match, _Said(net, one, numbers, end, bit, rule.locale))
        return found

    def _words_of(self, text: str) -> tuple[Sequence[Token], Sequence[int]]:
        """The words of a text and which of its tokens they are, without the emoji that no lexicon holds.

        An emoji may stand anywhere: between words, in a gap, and between the letters of a word.
        """
        tokens = tokenise(text)
        if all(token.text[0].isalnum() and "!" not in token.text for token in tokens):
            return tokens, range(len(tokens))
        words: list[Token] = []
        numbers: list[int] = []
        ended = thought = False
        left, exclamations = MAX_EMOJI, MAX_EXCLAIMED
        for number, token in enumerate(tokens):
            ended = ended or token.starts_sentence
            thought = thought or token.starts_thought
            emoji = not token.text[0].isalnum() and token.text[0] not in "@$"
            left -= emoji and token.text in self._emoji
            if not emoji or (token.text in self._emoji and left >= 0):
                if ended > token.starts_sentence or thought > token.starts_thought:
                    token = token._replace(starts_sentence=ended, starts_thought=thought)
                said = exclaimed(token, known=self._knows, most=exclamations)
                exclamations -= len(said) if "!" in token.text else 0
                words += said
                numbers += [number] * len(said)
                ended = thought = False
        return words, numbers

    def _knows(self, word: str) -> bool:
        """Whether a lexicon holds this word, in one of its readings, with its last exclamation mark."""
        least = word.rindex("!") + 1
        return any(net.holds(spelling, least=least) for spelling in readings(word) for net in self._nets)

    def _torn(self, tokens: Sequence[Token]) -> dict[int, list[tuple[int, str]]]:
        """For each place, the words whose pieces begin there, each with the place after it.

        Pieces are single letters in a row, or tied by a dot or the like, or two with a space between them.
        """
        found: dict[int, list[tuple[int, str]]] = {}
        scripts = {word: plain_script(word) for word in {token.text for token in tokens}}
        rows = _Rows(self._words, self._beginnings)
        searched = 0
        for place, (token, following) in enumerate(pairwise(tokens)):
            if following.glued or (token.letter and following.letter):
                searched += 1
                words: list[tuple[int, str]] = []
                if searched <= MAX_TORN and self._wholes(tokens, place, scripts, words):
                    self._disguised_wholes(tokens, place, rows, words)
                if words:
                    found[place] = words
            elif token.text in self._beginnings:
                whole = joined(token.text, following.text)
                if len(whole) >= MIN_TORN and whole in self._words:
                    found[place] = [(place + 2, whole)]
        return found

    def _wholes(
        self,
        tokens: Sequence[Token],
        place: int,
        scripts: Mapping[str, Script | None],
        found: list[tuple[int, str]],
    ) -> bool:
        """Add the words that this token is with those after it; True if they may be others, in disguise."""
        whole = tokens[place].text
        its_script, letters, repeated, complete = scripts[whole], tokens[place].letter, 0, False
        if its_script is None:
            return True
        for end in range(place + 1, min(len(tokens), place + MAX_PIECES)):
            piece = tokens[end]
            letters = letters and piece.letter
            if not (letters or piece.glued):
                return False
            if scripts[piece.text] is not its_script:
                return True
            longer = joined(whole, piece.text)
            if longer == whole:
                repeated += 1
            elif complete or longer not in self._known:
                return False
            else:
                repeated = 0
            if repeated > MAX_REPEATED:
                return False
            if len(longer) > 1 and longer in self._words:
                found.append((end + 1, longer))
                # No longer word begins so, but its last letter may be said again.
                complete = longer not in self._beginnings
            whole = longer
        return False

    def _disguised_wholes(
        self, tokens: Sequence[Token], place: int, rows: _Rows, found: list[tuple[int, str]]
    ) -> None:
        """Add the words that this token may be with those after it, of several scripts, digits and signs."""
        found.clear()
        row = rows.longer(_NO_PIECES, tokens[place].text)
        letters, repeated = tokens[place].letter, 0
        for end in range(place + 1, min(len(tokens), place + MAX_PIECES)):
            piece = tokens[end]
            letters = letters and piece.letter
            if not (letters or piece.glued):
                return
            longer = rows.longer(row, piece.text)
            repeated = repeated + 1 if longer.whole == row.whole else 0
            if repeated > MAX_REPEATED or not (longer.spellings and (row.open or repeated)):
                return
            found.extend((end + 1, word) for word in longer.words)
            row = longer


def _covered(
    idioms: Iterable[tuple[int, int, str | None]], *, since: int
) -> Mapping[int, Collection[str | None]]:
    """For each place from this one on, the intents whose phrases do not count if they end there."""
    covered: dict[int, set[str | None]] = {}
    for begin, end, intent in idioms:
        for place in range(max(begin + 1, since), end + 1):
            covered.setdefault(place, set()).add(intent)
    return covered


def _told(text: str, matches: Sequence[Match], found: Mapping[Match, _Said]) -> tuple[Match, ...]:
    """These matches with the places where they stand in the text as it was typed."""
    places = spans(text, words=1 + max(found[match].last for match in matches))
    return tuple(
        replace(match, start=places[found[match].first].start, end=places[found[match].last].end)
        for match in matches
    )


class _Row(NamedTuple):
    """What pieces in a row are as one word."""

    #: As they stand.
    whole: str
    #: What they look like, as far as known words are or begin like that.
    spellings: frozenset[str]
    #: The known words that they may be if they are more than one piece, and whether one may begin so.
    words: tuple[str, ...]
    open: bool


_NO_PIECES = _Row("", frozenset({""}), (), open=True)


class _Rows:
    """What a row of pieces is with one more: in a long text the same letters come again and again."""

    def __init__(self, words: frozenset[str], beginnings: frozenset[str]) -> None:
        self._words = words
        self._beginnings = beginnings
        self._rows: dict[tuple[str, str], _Row] = {}
        self._forms: dict[str, frozenset[str]] = {}

    def longer(self, row: _Row, piece: str) -> _Row:
        """The row with one more piece."""
        found = self._rows.get((row.whole, piece))
        if found is None:
            found = self._rows[row.whole, piece] = self._longer(row, piece)
        return found

    def _longer(self, row: _Row, piece: str) -> _Row:
        forms = self._forms.get(piece)
        if forms is None:
            look = looks(piece)
            forms = self._forms[piece] = frozenset((look.typed, *look.latin, *look.cyrillic))
        whole = joined(row.whole, piece)
        if is_number(whole):
            return _Row(whole, frozenset(), (), open=False)
        longer = {joined(beginning, form) for beginning in row.spellings for form in forms}
        words = self._words & longer
        beginnings = self._beginnings & longer
        return _Row(
            whole, words | beginnings, tuple(words) if row.whole and len(whole) > 1 else (), bool(beginnings)
        )


class _Said(NamedTuple):
    """That a phrase was said: its last bit, and where it was complete in what was heard."""

    net: _Net
    heard: _Heard
    #: The number of each heard word among the words and emoji of the text.
    numbers: Sequence[int]
    end: int
    bit: int
    locale: str

    @property
    def first(self) -> int:
        """The number of its first word."""
        return self.numbers[self.net.began(self.heard, end=self.end, bit=self.bit)]

    @property
    def last(self) -> int:
        """The number of its last word."""
        return self.numbers[self.end - 1]


class _Net:
    """The phrases of all languages of one script, as bits of large numbers.

    Every part of a phrase is a block of bits: one for each word of each way to say it, then one that means
    «this part was said». The blocks of a phrase follow each other. Hence, for all phrases at once: a shift
    moves from a word to the next one; an addition carries from the last word of any way to the bit of the
    part; and a subtraction spreads that bit over the next block, so that any way to say it may begin.

    What is remembered of a text at each place are the bits of the words that may come next: a word that
    continues nothing costs one AND, and the arithmetic, five times dearer, is done for the others alone.
    """

    def __init__(self, own_script: Script, files: Sequence[LexiconFile]) -> None:
        self._script = own_script
        self._words: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        self._fillers: dict[str, int] = {}
        #: Which bits are words: all, those that begin or end a way, those that begin a phrase.
        self._body = self._begins = self._ends = self._initial = 0
        #: Which bits say that a part was said: all, of an optional one, of one before it, of a phrase's last.
        self._said = self._optional = self._before_optional = self._last = 0
        #: Which of the last ones belong to phrases; those of idioms, by the intent that they cancel.
        self._phrases = 0
        #: All bits of phrases.
        self._spoken = 0
        self._phrases_of: dict[str | None, int] = {}
        #: Those that no single word is.
        self._several = 0
        #: For each number of words, the bits of the words before which so many other words may stand.
        self._gaps = [0] * (MAX_GAP + 1)
        #: For the bit of each part its phrase and the first bit of its block; for each word's bit its part's.
        self._rules: dict[int, Rule] = {}
        self._block: dict[int, int] = {}
        self._part: dict[int, int] = {}
        self._size = 0
        for file in files:
            self._add(file)
        self._followed = self._said & ~self._last
        self._idioms = self._last & ~self._phrases
        self._between = self._ends ^ self._body
        self._all = (1 << self._size) - 1
        self._gaps = [self._next(said) & self._begins if said else 0 for said in self._gaps]
        #: For each number of words from the largest down to one, the bits before which so many may stand; 0
        #: if they are the same as for one word less. Where many may stand, fewer may.
        self._waits = [
            self._gaps[gap] if self._gaps[gap] != self._gaps[gap - 1] else 0
            for gap in range(MAX_GAP, 0, -1)
            if self._gaps[gap]
        ]
        #: After so many places nothing is waited for any more.
        self._patience = len(self._waits) + 2
        #: The bits before which words may stand, without those of idioms: these make the check deaf and may
        #: not reach from one sentence into the next one.
        self._restless = self._gaps[1] & self._spoken
        #: Every word that is known, the beginnings of words too.
        self.vocabulary = frozenset((*self._words, *self._stems, *self._fillers))
        #: The emoji of phrases.
        self.emoji = frozenset(word for word in self._words if not word[0].isalnum())
        self._beginnings = {word[:length] for word in self.vocabulary for length in range(1, len(word))}
        self._initials = {word[0] for word in self.vocabulary}
        self._stem_lengths = tuple(sorted({len(stem) for stem in self._stems}))
        self._shortest_stem = min(self._stem_lengths, default=0)
        self._stem_heads = {stem[: self._shortest_stem] for stem in self._stems}
        #: What the known words are that are long enough to be several.
        self._runs = {
            word: self._run(word)
            for word in (*self._words, *self._fillers)
            if MIN_RUN <= len(word) <= MAX_RUN and word[0].isalnum()
        }
        self._hidden = self._by_ends()
        #: The bits of all words of which nothing but the ends can be seen, by these.
        self._hidden_in: dict[str, int] = {}
        for ends, found in self._hidden.items():
            for word, _, bits in found if len(ends) == 2 else ():
                if _hides((ends[0], ends[1]), word):
                    self._hidden_in[ends] = self._hidden_in.get(ends, 0) | bits
        self._typos = self._neighbours(typo for file in files for typo in file.typos)

    # Building.

    def _add(self, file: LexiconFile) -> None:
        begin = self._size
        for rule in file.rules:
            first = self._size
            for number, part in enumerate(rule.parts):
                self._add_part(part, rule=rule, first=number == 0)
            last = 1 << self._size - 1
            self._last |= last
            if rule.match is not None:
                self._phrases |= last
                self._spoken |= (last << 1) - (1 << first)
                if sum(min(map(len, part.ways)) for part in rule.parts if not part.optional) > 1:
                    self._several |= last
                self._phrases_of[rule.intent] = self._phrases_of.get(rule.intent, 0) | last
        self._phrases_of[None] = self._phrases
        own = (1 << self._size) - (1 << begin)
        for word in file.fillers:
            self._fillers[word] = self._fillers.get(word, 0) | own

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

    def holds(self, word: str, *, least: int) -> bool:
        """Whether this is a word of a phrase or an idiom or of those in between, or begins so for so long."""
        return (
            word in self._words
            or word in self._fillers
            or any(word[:length] in self._stems for length in self._stem_lengths if length >= least)
        )

    def _mask_of(self, word: str) -> int:
        """The bits that this word can be, as it stands."""
        mask = self._words.get(word, 0)
        if word[: self._shortest_stem] in self._stem_heads:
            for length in self._stem_lengths:
                if stem := self._stems.get(word[:length], 0):
                    mask = mask | stem if mask else stem
        return mask

    def _look_up(self, word: str, spellings: Sequence[str], pieces: Sequence[str] | None) -> _Word:
        # An emoji may stand anywhere in any phrase.
        kept = self._fillers.get(word, 0) if word[0].isalnum() else self._all
        mask = self._words.get(NUMBER, 0) if word.isdigit() else 0
        sayable = False
        for spelling in spellings:
            if spelling[:1] in self._initials:
                sayable = True
                mask |= self._mask_of(spelling)
        if script(word) is self._script:
            if pieces:
                # Many words may hide behind an asterisk; one of an idiom among them must not cancel anything.
                mask |= self._uncovered(word, pieces) & self._spoken
            elif not mask:
                mask = self._guess(word)
        passes = not word[0].isalnum()
        run = _NO_RUN
        if sayable and MIN_RUN <= len(word) <= MAX_RUN:
            if word in self._runs:
                passes, run = True, self._runs[word]
            else:
                run = self._run(word)
        return self._word(mask, kept=kept, passes=passes, run=run)

    def _word(self, mask: int, *, kept: int = 0, passes: bool = False, run: _Run = _NO_RUN) -> _Word:
        starts = mask & self._initial
        matters = bool(mask or passes or run.pieces)
        return _Word(starts, mask ^ starts, matters, matters or kept > 0, kept, passes, run)

    def _run(self, word: str) -> _Run:
        """Where the several words of the lexicons stand that this one is made of; none if it is not."""
        found: list[tuple[int, int]] = []
        places = {0}
        for begin in range(len(word)):
            if begin in places:
                for end in self._piece_ends(word, begin):
                    if end - begin < len(word):
                        found.append((begin, end))
                        places.update((end - 1, end))
        if len(word) not in places:
            return _NO_RUN
        # Those that lead nowhere are none: all of the word must be made of words.
        useful = {len(word)}
        pieces: list[tuple[int, int]] = []
        for begin, end in reversed(found):
            if end in useful or (end - begin > 1 and end - 1 in useful):
                useful.add(begin)
                pieces.append((begin, end))
        return _Run(word, pieces[::-1])

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

    def _uncovered(self, word: str, pieces: Sequence[str]) -> int:
        """The bits that this word can be if asterisks hide some of its letters."""
        mask = 0
        if len(pieces) == 2 and len(word) == 3:
            return self._hidden_in.get(word[0] + word[-1], 0)
        letters = set().union(*pieces)
        head = 2 if len(pieces[0]) > 1 else 1
        for candidate, has, bits in self._hidden.get(word[:head] + word[-1], ()):
            if letters <= has and _hides(pieces, candidate):
                mask |= bits
        return mask

    def _by_ends(self) -> dict[str, list[tuple[str, frozenset[str], int]]]:
        """The known words with their letters and bits, by their first letter or two and their last one."""
        found: dict[str, list[tuple[str, frozenset[str], int]]] = {}
        for word in {**self._words, **self._stems}:
            entry = word, frozenset(word), self._mask_of(word)
            for head in {word[:1], word[:2]}:
                found.setdefault(head + word[-1], []).append(entry)
        return found

    def _guess(self, word: str) -> int:
        """The bits that this unknown word can be if one of its letters is wrong."""
        mask = 0
        if MIN_TYPO <= len(word) <= MAX_WORD:
            for form in (word, *_shortened(word)):
                mask |= self._typos.get(form, 0)
        return mask

    # Listening.

    def listen(
        self,
        tokens: Sequence[Token],
        *,
        spellings: Mapping[str, Sequence[str]],
        hidden: Mapping[str, Sequence[str]],
        torn: Mapping[int, Sequence[tuple[int, str]]],
    ) -> _Heard:
        """All that a text says: a word may be any of its spellings, a hidden one, or part of a torn one."""
        heard = _silence(len(tokens), echoes={})
        known = {word: self._look_up(word, found, hidden.get(word)) for word, found in spellings.items()}
        parts: dict[str, _Word] = {}
        wholes: dict[int, list[tuple[int, str, _Word]]] = {}
        for place, found in torn.items():
            for end, text in found:
                if text in self.vocabulary:
                    whole = parts.get(text) or parts.setdefault(text, self._whole(text))
                    wholes.setdefault(place, []).append((end, text, whole))
        if not any(word.starts or word.run.pieces for word in (*known.values(), *parts.values())):
            return heard
        after = heard.after
        # A phrase may go on in the next sentence, but an idiom, which makes the check deaf, may not.
        sentence, border = 0, -self._patience
        spelled = next_words = 0
        before: list[int] = []
        #: From here on nothing that was said before is waited for.
        quiet = 0
        for place, token in enumerate(tokens):
            word = known[token.text]
            if token.starts_sentence:
                sentence = place
            if token.starts_thought:
                border = place
            pieces = wholes.get(place, ())
            if not pieces and (not word.useful or (place >= quiet and not (word.starts or word.run.pieces))):
                continue
            here = after[place]
            expected = 0
            if place < quiet:
                # Where the same is said again and again, so is what may follow.
                lately = after[max(sentence, place - len(self._waits)) : place + 1]
                if lately != before:
                    before, next_words = lately, self._expected(lately)
                expected = next_words
                if place < border + self._patience:
                    within = self._expected(lately[border - place :]) if place > border else 0
                    expected = expected & self._spoken | within
            moved = False
            if word.kept and here:
                after[place + 1] |= here & (word.kept & self._spoken if place == border else word.kept)
                moved = True
            if said := self._said_of(word, expected):
                self._say(heard, said, word=token.text, end=place + 1)
                moved = True
            if word.passes and expected:
                ends = place + 1 < len(tokens) and tokens[place + 1].starts_sentence
                after[place + 1] |= expected & (self._restless if ends else self._gaps[1])
                moved = True
            if word.run.pieces and spelled < MAX_RUN_PIECES:
                spelled += len(word.run.pieces)
                self._run_together(heard, word.run, end=place + 1, expected=expected)
                moved = True
            if moved and quiet < place + self._patience:
                quiet = place + self._patience
            for end, text, whole in pieces:
                # Nor do words that were torn count in a gap, where each piece would.
                kept = (here & whole.kept) | (expected & self._gaps[1])
                if kept:
                    after[end] |= kept
                    quiet = max(quiet, end + self._patience)
                if said := self._said_of(whole, expected):
                    self._say(heard, said, word=text, end=end)
                    quiet = max(quiet, end + self._patience)
                    heard.torn.setdefault(end, []).append((place, said))
        return heard

    def _whole(self, word: str) -> _Word:
        """A word that was torn; only phrases have it, since many words can be cut out of a row of letters."""
        return self._word(self._mask_of(word) & self._spoken, kept=self._fillers.get(word, 0) & self._spoken)

    def _expected(self, lately: Sequence[int]) -> int:
        """The bits that the next word may be, directly after the last of these places or over a gap."""
        waiting = added = 0
        # No gap reaches over the end of a sentence, which stands before the word after the gap or in it.
        gaps = len(lately) - 1
        for before, narrower in zip(lately, self._waits[len(self._waits) - gaps :], strict=False):
            # Where the same is said again and again it is the same object: this saves the time to compare.
            if before and before is not added:
                waiting |= before
                added = before
            if narrower and waiting:
                waiting &= narrower
                added = 0
        return lately[-1] | waiting if waiting else lately[-1]

    def _said_of(self, word: _Word, expected: int) -> int:
        """The bits that this word is where these are expected."""
        follows = expected & word.follows
        return word.starts | follows if follows else word.starts

    def _say(self, heard: _Heard, said: int, *, word: str, end: int) -> None:
        """Write down what these bits, said by this word that ends here, lead to."""
        before, echo = heard.recent.get(word, _NEVER)
        # To compare large numbers is cheaper than to look one up, and that is cheaper than the arithmetic.
        if said != before:
            found = heard.echoes.get(said)
            if found is None:
                found = heard.echoes[said] = self._echo(said)
            echo = found
            heard.recent[word] = said, echo
        # A long text has thousands of large numbers, and most can be shared: an OR would copy them.
        heard.said[end] = heard.said[end] | said if heard.said[end] else said
        heard.after[end] = heard.after[end] | echo.after if heard.after[end] else echo.after
        if echo.complete:
            heard.complete[end] |= echo.complete

    def _echo(self, said: int) -> _Echo:
        """What these words lead to, whatever was said before them."""
        after = (said & self._between) << 1
        ended = said & self._ends
        if not ended:
            return _Echo(after, 0)
        parts = fresh = ended + self._body & self._said
        while fresh & self._before_optional:
            # All optional parts but those that may not follow, and but those that were said already.
            fresh = self._optional ^ (self._optional & self._next(fresh))
            fresh ^= fresh & parts
            parts |= fresh
        return _Echo(after | self._next(parts) & self._begins, parts & self._last)

    def _next(self, parts: int) -> int:
        """All bits of the words that may follow these parts, and the bits of all parts that may not."""
        return self._said - ((parts & self._followed) << 1)

    def _run_together(self, heard: _Heard, run: _Run, *, end: int, expected: int) -> None:
        """Write down what several words of the lexicons without spaces say."""
        inside = self._spell(run, expected=expected, echoes=heard.echoes)
        heard.after[end] |= inside.after[-1]
        heard.complete[end] |= inside.complete[-1]
        for said in inside.said:
            heard.said[end] |= said
        if any(complete & self._several for complete in inside.complete[:-1]):
            # A phrase may also end before the word does, but then all of it must stand inside: parts of other
            # words look like a short phrase, or like the end of a longer one, too often.
            inside = self._spell(run, expected=0, echoes=heard.echoes)
            covered = _covered(self.idioms(inside, since=0), since=0)
            for _, bit in self.phrases(inside, covered=covered):
                heard.complete[end] |= 1 << bit & self._several

    def _spell(self, run: _Run, *, expected: int, echoes: dict[int, _Echo]) -> _Heard:
        """What is heard after each letter of a run as if its pieces were words of a text."""
        inside = _silence(len(run.text), echoes=echoes)
        inside.after[0] = expected
        for first, last in run.pieces:
            piece = run.text[first:last]
            state, mask = inside.after[first], self._words.get(piece, 0)
            if not (state or mask):
                continue
            # Where one other word may stand, any may: how many there were is not counted in here.
            kept = state & (self._fillers.get(piece, 0) | self._gaps[1])
            # Two equal letters were made one: the next word may share its first with this one's last.
            said = mask & (state | self._initial) if mask else 0
            for place in (last - 1, last) if last - first > 1 else (last,):
                inside.after[place] |= kept
                if said:
                    self._say(inside, said, word=piece, end=place)
                    inside.torn.setdefault(place, []).append((first, said))
        return inside

    # Looking back.

    def rule(self, bit: int) -> Rule:
        """The phrase or idiom that has this last bit."""
        return self._rules[bit]

    def phrase_ends(self, heard: _Heard) -> Iterator[int]:
        """Where phrases were complete, idioms or not."""
        return (place for place, bits in enumerate(heard.complete) if bits and bits & self._phrases)

    def idioms(self, heard: _Heard, *, since: int) -> Iterator[tuple[int, int, str | None]]:
        """Between which places each idiom was said that ended here or later, and what it cancels."""
        for end, complete in enumerate(heard.complete):
            if complete and end >= since:
                for bit in _bits(complete & self._idioms):
                    yield self.began(heard, end=end, bit=bit), end, self._rules[bit].intent

    def phrases(
        self, heard: _Heard, *, covered: Mapping[int, Iterable[str | None]]
    ) -> Iterator[tuple[int, int]]:
        """Where each phrase was complete first that no idiom covers, and its last bit."""
        left = self._phrases
        for end, bits in enumerate(heard.complete):
            if bits and (found := bits & left):
                for intent in covered.get(end, ()):
                    found &= ~self._phrases_of.get(intent, 0)
                left ^= found
                for bit in _bits(found):
                    yield end, bit

    def began(self, heard: _Heard, *, end: int, bit: int) -> int:
        """The place where the phrase or idiom with this last bit, complete at ``end``, began; a late one."""
        place, begin, words = end, end - 1, self._endings(bit)
        while place > 0:
            said = heard.said[place] & words
            if not said:
                # Before a filler nothing of it ended.
                place -= 1
                continue
            before = None
            for word in _bits(said):
                torn = (begin for begin, was in heard.torn.get(place, ()) if was >> word & 1)
                begin = max(torn, default=place - 1)
                if self._initial >> word & 1:
                    return begin
                gaps = range(min(self._patience, begin) + 1)
                before = next((begin - gap for gap in gaps if heard.after[begin - gap] >> word & 1), None)
                if before is not None:
                    break
            if before is None:
                # It was said by one of several words without spaces, and so was what came before it.
                return begin
            first = self._begins >> word & 1
            place, words = (
                before,
                self._endings(self._block[self._part[word]] - 1) if first else 1 << word - 1,
            )
        return begin

    def _endings(self, bit: int) -> int:
        """The bits of the words after which this part was said, those before it too if it may be left out."""
        begin = self._block[bit]
        endings = self._ends & (1 << bit) - (1 << begin)
        while self._optional >> bit & 1:
            bit = begin - 1
            begin = self._block[bit]
            endings |= self._ends & (1 << bit) - (1 << begin)
        return endings


def _script_of(file: LexiconFile) -> Script:
    """The script of most words of a file."""
    words = (
        word for rule in file.rules for part in rule.parts for way in part.ways for one in way for word in one
    )
    return Counter(map(script, words)).most_common(1)[0][0] if file.rules else Script.LATIN


def _bits(number: int) -> Iterator[int]:
    """The places of its bits, the highest first."""
    while number:
        highest = number.bit_length() - 1
        yield highest
        number ^= 1 << highest


def _shortened(word: str) -> Iterator[str]:
    """The word without one of its letters; the first is never wrong."""
    return (word[:place] + word[place + 1 :] for place in range(1, len(word)))


def _hides(pieces: Sequence[str], word: str) -> bool:
    """Whether the word has these pieces in order, its ends included, with few enough letters between them."""
    place = len(pieces[0])
    if not (word.startswith(pieces[0]) and word.endswith(pieces[-1])):
        return False
    for piece in pieces[1:]:
        found = word.find(piece, place)
        if found < 0 or found - place > MAX_HIDDEN:
            return False
        place = found + len(piece)
    return True


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
