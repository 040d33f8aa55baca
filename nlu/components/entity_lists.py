"""What do the lists in nlu/entities say, and what must be mended in them? Knows nothing of Rasa.

The lists are words and phrases that psychologists keep; nlu/entities/README.md says how they are written.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Final

import yaml

LISTS: Final = Path(__file__).parents[1] / "entities"
VALUES: Final = "values.yml"
#: Of two findings of equal length at one place the earlier kind in this order is kept.
KINDS: Final = ("age", "time", "platform", "relationship")
WHOSE: Final = ("self", "other", "unknown")
#: Under this name stand the phrases in which nothing is to be found.
NOT: Final = "not"
#: What our code understands by itself; every other name in braces must be a group of the same file.
PLACEHOLDERS: Final = ("age", "digits", "month", "number", "unit", "weekday", "year")
#: A unit of time, and how it is called when nobody says how many.
UNITS: Final = {
    "min": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
    "m": "months",
    "y": "years",
}
MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: A phrase costs time in proportion to its length, at every word of every text.
LONGEST_PHRASE: Final = 8
#: So many ways to say one phrase, once its alternatives are written out.
MOST_WAYS: Final = 500
LONGEST_WORD: Final = 40

_TIME: Final = re.compile(
    r"since:(?:\{month\}|\{weekday\}|\{year\}|[a-z_]+)"
    r"|(?:duration|ago):(?:\{number\}\{unit\}|\d{1,3}\{unit\}|\d{1,3}(?:min|[hdwmy])|\{units\}|[a-z_]+)"
    r"|(?:day|period|repeated):(?:\{weekday\}|\{month\}|\{year\}|\{unit\}|[a-z_]+)"
)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_SECTIONS: Final = ("locale", "endings", "groups", "numbers", "units", "months", "weekdays", *KINDS)
_SCRIPTS: Final = {"en": ("LATIN",), "ru": ("CYRILLIC", "LATIN"), "be": ("CYRILLIC", "LATIN")}
_SCRIPTS_OF_OTHERS: Final = {"bn": ("BENGALI", "LATIN")}

_MARKS: Final = (
    "\u0300-\u036f\u0981-\u0983\u09bc\u09be-\u09cd\u09d7\u09e2\u09e3\u200b-\u200d\u2060\ufeff\u00ad"
)
#: A number with its decimals or minutes, or a word with its apostrophes and marks (Russians type ч as 4).
TOKEN: Final = re.compile(
    r"\d+(?:[.,:/]\d+)*"
    rf"|[^\W\d_](?:[^\W\d_]|[{_MARKS}]|[_4](?=[^\W\d_])|['’ʼ`‘](?=[^\W\d_]))*"
)
_DRAWN_OUT: Final = re.compile(r"(.)\1{2,}", re.DOTALL)
#: Spellings that keyboards, habits and two alphabets mix up, and that never tell two of our words apart.
_ALIKE: Final = str.maketrans(
    {
        "ё": "е",
        "і": "и",
        "ў": "у",
        "ґ": "г",
        "ী": "ি",
        "ূ": "ু",
        "ণ": "ন",
        "ঁ": "",
        "'": "",
        "’": "",
        "ʼ": "",
        "‘": "",
        "`": "",
    }
)


def folded(word: str) -> str:
    """The word as it is compared: small, one spelling of each letter, nothing invisible or drawn out."""
    if len(word) > LONGEST_WORD:
        return ""
    # Composed first, so that a letter and its mark are one letter for the table above.
    alike = unicodedata.normalize("NFKC", word).lower().translate(_ALIKE)
    visible = "".join(sign for sign in alike if unicodedata.category(sign) != "Cf")
    return _DRAWN_OUT.sub(r"\1", visible)


@dataclass(frozen=True)
class Problem:
    """Something an editor has to mend, as a sentence."""

    file: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        """As editors and terminals expect it: file:line: sentence."""
        return f"{self.file}:{self.line}: {self.sentence}"


class ListsInvalid(ValueError):
    """These lists cannot be used; ``problems`` says everything that must be mended."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """All of them, in the order of files and lines."""
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Rule:
    """One way to say one thing."""

    kind: str
    #: What is found, perhaps with placeholders; None where nothing is to be found.
    value: str | None
    #: Folded words, ``{month}`` and other placeholders, and sets of words as ``Lists.symbols`` names them.
    symbols: tuple[str, ...]
    #: Which of the symbols are the entity: from, up to but without.
    span: tuple[int, int]


@dataclass
class Lists:
    """Everything the lists of all locales say."""

    rules: list[Rule] = field(default_factory=list)
    #: What a folded word may stand for besides itself: symbol and, of a placeholder, value.
    symbols: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    #: Number words.
    numbers: dict[str, int] = field(default_factory=dict)


def read(folder: Path = LISTS) -> Lists:
    """The lists of all locales; raises ListsInvalid with all their problems."""
    reader = _Reader(folder)
    if reader.problems:
        raise ListsInvalid(reader.sorted_problems())
    return reader.lists


def problems_in_lists(folder: Path = LISTS) -> list[Problem]:
    """Everything to mend in `folder`, in the order of files and lines; never raises on a bad file."""
    return _Reader(folder).sorted_problems()


@dataclass(frozen=True)
class _Entry:
    """A text in a list, and where it stands."""

    text: str
    line: int


#: Names to what stands below them, the line of each name with it.
_Section = dict[str, tuple[int, list[_Entry]]]


class _Reader:
    """Reads one folder, and remembers what is wrong instead of stopping there."""

    def __init__(self, folder: Path) -> None:
        self.lists = Lists()
        self.problems: list[Problem] = []
        self._file = folder
        self._locale = ""
        self._groups: dict[str, list[str]] = {}
        self._endings: list[str] = []
        #: Of each way to say something the first rule that claims it, to find contradictions.
        self._claimed: dict[tuple[str, tuple[str, ...]], tuple[str | None, str, _Entry]] = {}
        self._known: dict[str, list[str]] = {"platform": [], "relationship": []}
        self._said: dict[str, set[str]] = {"platform": set(), "relationship": set()}
        self._unread = False
        self._read_values(folder / VALUES)
        files = sorted(path for path in folder.glob("*.yml") if path.name != VALUES)
        if not files:
            self._problem(1, "There is no list of any locale here.")
        for file in files:
            self._read_locale(file)
        self._file = folder / VALUES
        for kind, names in self._known.items():
            for name in names:
                if files and not self._unread and name not in self._said[kind]:
                    self._problem(1, f"No list says how the {kind} {name!r} is called.")

    def sorted_problems(self) -> list[Problem]:
        return sorted(set(self.problems), key=lambda each: (str(each.file), each.line, each.sentence))

    def _problem(self, line: int, sentence: str) -> None:
        self.problems.append(Problem(self._file, line, sentence))

    def _compose(self, file: Path) -> yaml.MappingNode | None:
        self._file = file
        try:
            node = yaml.compose(file.read_text("utf-8"), Loader=yaml.SafeLoader)
        except (OSError, UnicodeDecodeError) as error:
            self._unread = True
            self._problem(1, f"The file cannot be read: {type(error).__name__}.")
            return None
        except yaml.YAMLError as error:
            self._unread = True
            mark = getattr(error, "problem_mark", None)
            self._problem(mark.line + 1 if mark else 1, "This is not YAML: look at the signs around here.")
            return None
        except RecursionError:
            self._problem(1, "The lists stand too deep inside each other.")
            self._unread = True
            return None
        if not isinstance(node, yaml.MappingNode):
            self._unread = True
            self._problem(1, "The file must hold names with lists below them.")
            return None
        return node

    def _pairs(self, node: yaml.Node, what: str) -> Iterator[tuple[str, int, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            self._problem(node.start_mark.line + 1, f"Below {what!r} names are expected, with a list each.")
            return
        seen = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self._problem(line, "A name must be a word.")
                continue
            if key.value in seen:
                self._problem(line, f"{key.value!r} stands here twice.")
            seen.add(key.value)
            yield key.value, line, value

    def _entries(self, node: yaml.Node, what: str) -> list[_Entry]:
        if not isinstance(node, yaml.SequenceNode):
            self._problem(node.start_mark.line + 1, f"Below {what!r} a list is expected.")
            return []
        entries = []
        for each in node.value:
            line = each.start_mark.line + 1
            if not isinstance(each, yaml.ScalarNode) or not each.value.strip():
                self._problem(line, f"In {what!r} only words and phrases may stand.")
                continue
            entries.append(_Entry(each.value, line))
        return entries

    def _section(self, node: yaml.Node | None, what: str) -> _Section:
        if node is None:
            return {}
        return {name: (line, self._entries(below, name)) for name, line, below in self._pairs(node, what)}

    def _read_values(self, file: Path) -> None:
        node = self._compose(file)
        if node is None:
            return
        for kind, line, below in self._pairs(node, file.name):
            if kind not in self._known:
                self._problem(
                    line, f"There is no list of {kind!r} values; there are platform and relationship."
                )
                continue
            for entry in self._entries(below, kind):
                if not _NAME.fullmatch(entry.text):
                    self._problem(entry.line, f"{entry.text!r} must be small Latin letters, digits and _.")
                elif entry.text in self._known[kind]:
                    self._problem(entry.line, f"{entry.text!r} stands here twice.")
                self._known[kind].append(entry.text)

    def _read_locale(self, file: Path) -> None:
        node = self._compose(file)
        if node is None:
            return
        self._locale = file.stem
        nodes: dict[str, yaml.Node] = {}
        for name, line, below in self._pairs(node, file.name):
            if name not in _SECTIONS:
                self._problem(line, f"There is no section {name!r}; there are {', '.join(_SECTIONS)}.")
            nodes[name] = below
        told = nodes.get("locale")
        if not isinstance(told, yaml.ScalarNode) or told.value != file.stem:
            self._problem(1, f"The file must say `locale: {file.stem}`, as it is called.")
        self._endings = []
        if "endings" in nodes:
            self._endings = [folded(entry.text) for entry in self._entries(nodes["endings"], "endings")]
        self._groups = {}
        for name, (line, entries) in self._section(nodes.get("groups"), "groups").items():
            if name in PLACEHOLDERS or not _NAME.fullmatch(name):
                self._problem(line, f"A group cannot be called {name!r}.")
            self._groups[name] = []
            for entry in entries:
                for form in self._forms(entry):
                    self._stands_for(form, f"{self._locale}:{{{name}}}", "")
        self._read_numbers(self._section(nodes.get("numbers"), "numbers"))
        for section, values in (("units", tuple(UNITS)), ("months", MONTHS), ("weekdays", WEEKDAYS)):
            self._read_placeholder(section, values, self._section(nodes.get(section), section))
        for kind in KINDS:
            self._read_kind(kind, self._section(nodes.get(kind), kind))

    def _read_numbers(self, section: _Section) -> None:
        for name, (line, entries) in section.items():
            if not (name.isascii() and name.isdigit() and 1 <= int(name[:4]) <= 999):
                self._problem(line, f"{name!r} is not a number from 1 to 999.")
                continue
            for entry in entries:
                for form in self._forms(entry):
                    if self.lists.numbers.setdefault(form, int(name)) != int(name):
                        self._problem(entry.line, f"{entry.text!r} is {self.lists.numbers[form]} elsewhere.")

    def _read_placeholder(self, section: str, values: Sequence[str], found: _Section) -> None:
        for name, (line, entries) in found.items():
            if name not in values:
                self._problem(line, f"{name!r} is none of {', '.join(values)}.")
            for entry in entries:
                for form in self._forms(entry):
                    self._stands_for(form, f"{{{section[:-1]}}}", name, line=entry.line)

    def _stands_for(self, form: str, symbol: str, value: str, *, line: int = 1) -> None:
        known = self.lists.symbols.setdefault(form, [])
        if any(other == symbol and its != value for other, its in known):
            self._problem(line, f"{form!r} stands for two things in the place of {symbol}.")
        elif (symbol, value) not in known:
            known.append((symbol, value))

    def _forms(self, entry: _Entry) -> list[str]:
        """All forms of one word as it stands in a list; none, and a problem, where it is not one word."""
        text = entry.text
        stem = text.endswith("~")
        word = text[:-1] if stem else text
        if TOKEN.fullmatch(word) is None or word[0].isdecimal():
            self._problem(entry.line, f"{text!r} is not one word.")
            return []
        self._check_script(word, entry.line)
        form = folded(word)
        if not form:
            self._problem(entry.line, f"{text!r} is too long.")
            return []
        if stem and not self._endings:
            self._problem(entry.line, f"{text!r} ends in ~, but the file has no endings.")
        if not stem:
            return [form]
        joined = (form + ending for ending in self._endings)
        # Where a letter would stand three times the form would be squeezed into another word.
        return [form, *(each for each in joined if folded(each) == each)]

    def _check_script(self, word: str, line: int) -> None:
        language = self._locale.partition("-")[0]
        allowed = {**_SCRIPTS, **_SCRIPTS_OF_OTHERS}.get(language)
        if self._locale.endswith("-Latn"):
            allowed = ("LATIN",)
        used = {unicodedata.name(sign, "?").split(" ")[0] for sign in word if sign.isalpha()}
        # A Latin c in a Cyrillic word looks right and is never found.
        if (allowed and not used <= set(allowed)) or len(used) > 1:
            names = ", ".join(sorted(name.title() for name in used))
            self._problem(line, f"{word!r} has letters that do not belong here: {names}.")

    def _read_kind(self, kind: str, section: _Section) -> None:
        for name, (line, entries) in section.items():
            if name != NOT:
                self._check_value(kind, name, line)
            for entry in entries:
                self._read_phrase(kind, None if name == NOT else name, entry)

    def _check_value(self, kind: str, name: str, line: int) -> None:
        if kind in self._known:
            self._said[kind].add(name)
            if name not in self._known[kind]:
                self._problem(line, f"{name!r} is no {kind} that {VALUES} knows.")
        elif kind == "age" and name not in WHOSE:
            self._problem(line, f"{name!r} is none of {', '.join(WHOSE)}.")
        elif kind == "time" and not _TIME.fullmatch(name):
            self._problem(line, f"{name!r} is no time; see README.md.")

    def _read_phrase(self, kind: str, value: str | None, entry: _Entry) -> None:
        parts, marked = self._parts(entry)
        if not parts:
            return
        if len(parts) > LONGEST_PHRASE:
            self._problem(entry.line, f"{entry.text!r} has more than {LONGEST_PHRASE} words.")
            return
        wanted = self._wanted(kind, value)
        for name in wanted:
            spellings = (name, "digits") if name == "age" else (name,)
            if not any((f"{{{each}}}",) in parts for each in spellings):
                self._problem(entry.line, f"{entry.text!r} must hold {{{name}}}, which {value!r} is made of.")
                return
        ways = 1
        for part in parts:
            ways *= len(part)
        if ways > MOST_WAYS:
            self._problem(entry.line, f"{entry.text!r} can be said in {ways} ways; {MOST_WAYS} are the most.")
            return
        for way in product(*parts):
            self._add_way(kind, value, entry, way, marked)

    def _wanted(self, kind: str, value: str | None) -> tuple[str, ...]:
        if value is None:
            return ()
        if kind == "age":
            return ("age",)
        names = re.findall(r"\{(\w+)\}", value) if kind == "time" else []
        return tuple("unit" if name == "units" else name for name in names)

    def _add_way(
        self,
        kind: str,
        value: str | None,
        entry: _Entry,
        way: Sequence[str],
        marked: tuple[int, int],
    ) -> None:
        first = sum(1 for symbol in way[: marked[0]] if symbol)
        last = sum(1 for symbol in way[: marked[1]] if symbol)
        symbols = tuple(symbol for symbol in way if symbol)
        if first == last:
            self._problem(entry.line, f"Of {entry.text!r} nothing is left when all that may be missing is.")
            return
        if len(symbols) == 1 and len(symbols[0]) == 1:
            self._problem(entry.line, f"{entry.text!r} is a single letter, which stands for too much.")
            return
        here = f"{self._file.name}:{entry.line}"
        claimed = self._claimed.get((kind, symbols))
        if claimed is None:
            self._claimed[kind, symbols] = (value, here, entry)
            self.lists.rules.append(Rule(kind=kind, value=value, symbols=symbols, span=(first, last)))
            return
        earlier, where, claimant = claimed
        if earlier != value:
            other, this = earlier or NOT, value or NOT
            self._problem(entry.line, f"{entry.text!r} is {other!r} in {where}, and {this!r} here.")
        elif claimant is not entry and claimant.text == entry.text and where.startswith(self._file.name):
            self._problem(entry.line, f"{entry.text!r} stands already in {where}.")

    def _parts(self, entry: _Entry) -> tuple[list[tuple[str, ...]], tuple[int, int]]:
        """Each part's symbols, the empty one where it may be missing, and which parts are marked."""
        text = entry.text
        if text.count("<") != text.count(">") or text.count("<") > 1:
            self._problem(entry.line, f"{text!r}: < and > go together, once.")
            return [], (0, 0)
        words = text.split()
        first, last = 0, len(words)
        parts = []
        for number, each in enumerate(words):
            word = each
            if word.startswith("<"):
                first, word = number, word[1:]
            if word.endswith(">"):
                last, word = number + 1, word[:-1]
            if "<" in word or ">" in word:
                self._problem(entry.line, f"{text!r}: < stands before a word and > after one.")
                return [], (0, 0)
            missing = word.endswith("?")
            symbols: list[str] = [""] if missing else []
            for alternative in (word[:-1] if missing else word).split("|"):
                symbol = self._symbol(alternative, entry)
                if symbol is None:
                    return [], (0, 0)
                symbols.append(symbol)
            parts.append(tuple(symbols))
        if first >= last:
            self._problem(entry.line, f"{text!r}: < stands before a word and > after one.")
            return [], (0, 0)
        return parts, (first, last)

    def _symbol(self, text: str, entry: _Entry) -> str | None:
        if text.startswith("{") and text.endswith("}"):
            name = text[1:-1]
            if name in self._groups:
                return f"{self._locale}:{text}"
            if name in PLACEHOLDERS:
                return text
            self._problem(entry.line, f"There is no group {name!r} in this file.")
            return None
        forms = self._forms(_Entry(text, entry.line)) if text else []
        if not forms:
            if not text:
                self._problem(entry.line, f"{entry.text!r} has a | or a ? without a word.")
            return None
        if len(forms) == 1:
            return forms[0]
        symbol = f"{self._locale}:{forms[0]}~"
        for form in forms:
            self._stands_for(form, symbol, "")
        return symbol


def as_written(value: str, found: Mapping[str, str]) -> str:
    """The value with its placeholders filled by what was found in their places."""
    if "{units}" in value:
        value = value.replace("{units}", UNITS[found["unit"]])
    for name in PLACEHOLDERS:
        value = value.replace(f"{{{name}}}", found.get(name, ""))
    return value
