"""Which field of Primero gets what, by the mapping file of a country? Each problem with its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from referral.connectors.primero.sources import CARD_PREFIX, SOURCES, Shape, Source, Told, Value, source
from referral.errors import ReferralError

OURS = Path(__file__).parent

#: Fields that say what the visitor agreed to: a referral in Primero stands on them.
CONSENT_FIELDS = ("consent_for_services", "disclosure_other_orgs")
#: What we set ourselves; Primero derives the rest of a record's identity.
_RESERVED = ("id", "module_id", "owned_by", "record_state")
_MODULES = ("primeromodule-cp", "primeromodule-gbv")


class MappingInvalid(ReferralError):
    """A mapping file for Primero cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that an administrator must mend."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedField:
    """What goes into one field."""

    name: str
    line: int
    #: Always this, or else what the source yields.
    always: Value | None = None
    take: Source | None = None
    #: Ours to theirs; the same word where there is none.
    options: Mapping[str, str | bool] = field(default_factory=dict)
    otherwise: str | bool | None = None
    as_list: bool = False

    def value(self, told: Told) -> Value | None:
        """What is sent for this case; None if nothing is known."""
        if self.take is None:
            return self.always
        found = self.take.read(told)
        if isinstance(found, list):
            return list(dict.fromkeys(str(self._theirs(item)) for item in found)) or None
        theirs = self._theirs(found)
        if theirs is None or not self.as_list:
            return theirs
        return [str(theirs)]

    def possible(self) -> Sequence[Value] | None:
        """Everything that may ever be sent; None if that is not known before."""
        if self.take is None:
            return [] if self.always is None else [self.always]
        known = ("true", "false") if self.take.shape is Shape.FLAG else self.take.known
        others = () if self.otherwise is None else (self.otherwise,)
        if self.options or self.otherwise is not None:
            return list(dict.fromkeys((*self.options.values(), *others)))
        if self.take.shape is Shape.FLAG:
            return [True, False]
        return None if known is None else list(known)

    def _theirs(self, ours: Value | None) -> str | bool | int | None:
        if ours is None or isinstance(ours, list):
            return None
        word = str(ours).lower() if isinstance(ours, bool) else str(ours)
        if word in self.options:
            return self.options[word]
        return ours if self.otherwise is None else self.otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryMapping:
    """The mapping file of one country."""

    file: str
    country: str
    module: str
    #: The user name in Primero whose record it becomes; the connector's own user if none.
    owned_by: str | None
    fields: tuple[MappedField, ...]

    def created(self, told: Told) -> dict[str, Value]:
        """The record as it is made."""
        found = self._values(told, self.fields) | {
            "id": str(told.case.number),
            "module_id": self.module,
            "status": "open",
        }
        return found | ({"owned_by": self.owned_by} if self.owned_by else {})

    def changed(self, told: Told) -> dict[str, Value]:
        """What this happening changes in the record; the rest belongs to Primero's case workers by now."""
        return self._values(
            told, (item for item in self.fields if item.take and told.kind in item.take.changes)
        )

    def erased(self) -> dict[str, Value | None]:
        """The record without anything that came from us, hidden."""
        blank: dict[str, Value | None] = {
            item.name: False if item.possible() == [True, False] else None
            for item in self.fields
            if item.take is not None
        }
        return blank | {"record_state": False}

    def _values(self, told: Told, fields: Any) -> dict[str, Value]:
        values = ((item.name, item.value(told)) for item in fields)
        return {name: value for name, value in values if value is not None}


Mappings = Mapping[str, CountryMapping]


def load(folder: Path | None = None) -> Mappings:
    """The mapping of each country; raises ``MappingInvalid`` with every problem, one a line.

    Files of a deployment's own folder stand in for ours of the same country.
    """
    found, problems = read(folder)
    if problems:
        raise MappingInvalid("\n".join(str(problem) for problem in problems))
    return found


def read(folder: Path | None = None) -> tuple[Mappings, Sequence[Problem]]:
    """The same, with the problems beside what could be read."""
    if folder is not None and not folder.is_dir():
        return {}, [
            Problem(file=str(folder), line=0, sentence="This folder of mapping files does not exist.")
        ]
    files = {path.stem: path for place in (OURS, folder) if place for path in sorted(place.glob("*.yaml"))}
    problems: list[Problem] = []
    found = {}
    for country, path in sorted(files.items()):
        reading = _Reading(path)
        mapping = reading.mapping(country)
        problems += reading.problems
        if mapping is not None:
            found[country] = mapping
    return found, problems


class _Reading:
    """Reads one file and notes what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problems: list[Problem] = []

    def mapping(self, country: str) -> CountryMapping | None:
        """The mapping, or None with at least one problem."""
        try:
            root = yaml.compose(self._path.read_text("utf-8"), Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            self._note(mark.line + 1 if mark else 1, f"This is no YAML: {error.problem}.")
            return None
        except (yaml.YAMLError, UnicodeDecodeError):
            self._note(1, "This is no YAML in UTF-8.")
            return None
        if not isinstance(root, yaml.MappingNode):
            self._note(1, "A mapping file has country, module and fields.")
            return None
        top = self._pairs(root)
        for name, (line, _) in top.items():
            if name not in ("country", "module", "owned_by", "fields"):
                self._note(
                    line,
                    f"'{name}' is not known here{_meant(name, ('country', 'module', 'owned_by', 'fields'))}.",
                )
        if self._word(top, "country") != country:
            self._note(self._line(top, "country"), f"The country must be {country}, as the file is named.")
        module = self._word(top, "module")
        if module not in _MODULES:
            self._note(self._line(top, "module"), f"The module is one of {', '.join(_MODULES)}.")
        fields = tuple(self._fields(top))
        self._check_consent(fields, line=self._line(top, "fields"))
        if self.problems:
            return None
        return CountryMapping(
            file=self._path.name,
            country=country,
            module=module,
            owned_by=self._word(top, "owned_by") or None,
            fields=fields,
        )

    def _fields(self, top: Mapping[str, tuple[int, yaml.Node]]) -> Iterator[MappedField]:
        line, node = top.get("fields", (1, None))
        if not isinstance(node, yaml.MappingNode) or not node.value:
            self._note(line, "'fields' must name at least one field of Primero.")
            return
        for name, (place, value) in self._pairs(node).items():
            if name in _RESERVED:
                self._note(place, f"'{name}' is set by the connector; leave it out.")
            elif not isinstance(value, yaml.MappingNode):
                self._note(place, f"'{name}' needs {{always: …}} or {{take: …}}.")
            elif (found := self._field(name, place, value)) is not None:
                yield found

    def _field(self, name: str, line: int, node: yaml.MappingNode) -> MappedField | None:
        parts = self._pairs(node)
        known = ("always", "take", "options", "otherwise", "as_list")
        unknown = [part for part in parts if part not in known]
        for part in unknown:
            self._note(parts[part][0], f"'{part}' is not known here{_meant(part, known)}.")
        if ("always" in parts) == ("take" in parts):
            self._note(line, f"'{name}' needs either 'always' or 'take'.")
            return None
        if "always" in parts:
            if len(parts) > 1:
                self._note(line, f"'{name}' is always the same, so nothing else belongs there.")
            return MappedField(name=name, line=line, always=_plain(parts["always"][1]))
        place, taken = parts["take"]
        wanted = str(getattr(taken, "value", ""))
        found = source(wanted)
        if found is None:
            choice = (*SOURCES, CARD_PREFIX + "…")
            self._note(
                place,
                f"There is no '{wanted}' to take{_meant(wanted, choice)}; there are {', '.join(choice)}.",
            )
            return None
        options = self._options(name, parts, found)
        otherwise = _plain(parts["otherwise"][1]) if "otherwise" in parts else None
        missing = [word for word in _words(found) if word not in options]
        if (
            options
            and otherwise is None
            and (missing or (found.known is None and found.shape is not Shape.FLAG))
        ):
            lacking = f"there is none for {', '.join(missing)}" if missing else "new words can appear"
            self._note(line, f"The options of '{name}' need an 'otherwise', since {lacking}.")
        as_list = _plain(parts["as_list"][1]) is True if "as_list" in parts else False
        return MappedField(
            name=name, line=line, take=found, options=options, otherwise=otherwise, as_list=as_list
        )

    def _options(
        self, name: str, parts: Mapping[str, tuple[int, yaml.Node]], found: Source
    ) -> Mapping[str, str | bool]:
        if "options" not in parts:
            return {}
        line, node = parts["options"]
        if found.shape in (Shape.TEXT, Shape.DATE) or not isinstance(node, yaml.MappingNode):
            self._note(line, f"'{name}' takes a {found.shape}, for which there are no options.")
            return {}
        words = _words(found)
        options = {}
        for word, (place, value) in self._pairs(node).items():
            if words and word not in words:
                self._note(place, f"'{word}' is nothing that '{name}' can be{_meant(word, words)}.")
            options[word] = _plain(value)
        return options

    def _check_consent(self, fields: Sequence[MappedField], *, line: int) -> None:
        """Consent is what the visitor said, and never a constant that somebody wrote into a file."""
        named = {item.name: item for item in fields}
        for name in CONSENT_FIELDS:
            item = named.get(name)
            if item is None:
                self._note(
                    line,
                    f"'{name}' is missing: without it nobody in Primero can refer the case on."
                    " Take it from consent_given or consent_for_others.",
                )
            elif item.take not in (SOURCES["consent_given"], SOURCES["consent_for_others"]):
                self._note(
                    item.line,
                    f"'{name}' must be taken from consent_given or consent_for_others: visitors consent.",
                )

    def _pairs(self, node: yaml.MappingNode) -> dict[str, tuple[int, yaml.Node]]:
        found: dict[str, tuple[int, yaml.Node]] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in found:
                self._note(line, f"'{name}' stands here twice.")
            found[name] = (line, value)
        return found

    def _word(self, top: Mapping[str, tuple[int, yaml.Node]], name: str) -> str:
        return str(getattr(top[name][1], "value", "")) if name in top else ""

    def _line(self, top: Mapping[str, tuple[int, yaml.Node]], name: str) -> int:
        return top[name][0] if name in top else 1

    def _note(self, line: int, sentence: str) -> None:
        self.problems.append(Problem(file=self._path.name, line=line, sentence=sentence))


def _words(found: Source) -> tuple[str, ...]:
    return ("true", "false") if found.shape is Shape.FLAG else found.known or ()


def _plain(node: yaml.Node) -> Any:
    """What a value is: text, true or false, a whole number, or a list of texts."""
    return yaml.SafeLoader("").construct_object(node, deep=True)


def _meant(word: str, choice: Sequence[str]) -> str:
    close = get_close_matches(word, choice, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
