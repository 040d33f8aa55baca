"""What does the content folder hold? Reads definitions, texts, directory and intents into one frozen book.

Every problem of every file is collected before anything is refused, and each speaks to the person who wrote
the file: where it stands, what is wrong, what was perhaps meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from flows.definition import read_flow
from flows.directory import HELPLINES, PLATFORMS, Directory
from flows.document import read_document
from flows.entries import (
    read_countries,
    read_intents,
    read_links,
    read_most_used,
    read_platforms,
    read_tips,
)
from flows.events import DangerLevel
from flows.model import Book, Document, Flow, Problem, ready_answers
from flows.page import Entry, Group, Leaf, Page, Sequence, Tree
from flows.sheet import read_sheet
from flows.texts import Sheet, Texts
from flows.versions import RELEASED_FILE

try:  # The C parser is ten times faster; some platforms have no wheel with it.
    from yaml import CSafeLoader as _YamlLoader
except ImportError:
    from yaml import SafeLoader as _YamlLoader  # type: ignore[assignment]

PICTURES = "documents/pictures"
TIPS_FILE = "directory/tips.yaml"
INTENTS_FILE = "intents.yaml"
#: Trees deeper than this are no content; the limit keeps the reader from running out of stack.
MAX_DEPTH = 12


class ContentInvalid(ValueError):
    """The content folder has problems that an editor must repair first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def load(root: Path | Any, *, own_directory: Path | None = None) -> Book:
    """Read the folder ``flows/``, a ``Path`` or any ``Traversable``; raises ``ContentInvalid``.

    ``own_directory`` holds a deployment's own ``helplines.yaml``, ``platforms.yaml`` or both: the countries
    and platforms in them replace ours whole, the others stay.
    """
    problems: list[Problem] = []
    intents = _intents(root, problems=problems)
    flows = _flows(root, problems=problems)
    pictures = _pictures(root, problems=problems)
    directory = _overlaid(_directory(root, problems=problems), own_directory, problems=problems)
    book = Book(
        flows=MappingProxyType(flows),
        texts=_texts(root, problems=problems),
        directory=directory,
        ready_answers=ready_answers(flows.values(), platforms=directory.platforms),
        intents=intents,
        tips=_tips(root, problems=problems),
        answers=MappingProxyType({intent: flow.name for flow in flows.values() for intent in flow.intents}),
        successors=MappingProxyType({old: flow.name for flow in flows.values() for old in flow.formerly}),
        released=_released(root, problems=problems),
        documents=MappingProxyType(_documents(root, pictures=pictures, problems=problems)),
        pictures=MappingProxyType(pictures),
    )
    if problems:
        raise ContentInvalid(problems)
    return book


def parse(text: str, *, page: Page) -> Tree | None:
    """The tree of one YAML text; None, and a problem on the page, where it is not YAML or empty."""
    try:
        node = yaml.compose(text, Loader=_YamlLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        page.problem(
            line, f"this line cannot be read ({error.problem}). Look for a missing quote, colon or blank."
        )
        return None
    except yaml.YAMLError as error:
        page.problem(1, f"the file cannot be read ({error}).")
        return None
    if node is None:
        page.problem(0, "the file is empty.")
        return None
    return _tree(node, page=page, depth=0)


def _tree(node: yaml.Node, *, page: Page, depth: int) -> Tree:
    line = node.start_mark.line + 1
    if depth > MAX_DEPTH:
        page.problem(line, f"lists and groups stand more than {MAX_DEPTH} deep in each other.")
        return Leaf(line=line, value="")
    if isinstance(node, yaml.MappingNode):
        entries = tuple(
            Entry(
                key=str(key.value),
                line=key.start_mark.line + 1,
                value=_tree(value, page=page, depth=depth + 1),
            )
            for key, value in node.value
        )
        return Group(line=line, entries=entries)
    if isinstance(node, yaml.SequenceNode):
        return Sequence(
            line=line, items=tuple(_tree(item, page=page, depth=depth + 1) for item in node.value)
        )
    return Leaf(line=line, value=str(node.value))


def _read(root: Any, file: str, *, page: Page) -> Tree | None:
    text = _words(root, file, page=page)
    return None if text is None else parse(text, page=page)


def _words(root: Any, file: str, *, page: Page) -> str | None:
    spot = root.joinpath(*file.split("/"))
    if not spot.is_file():
        page.problem(0, "this file is missing.")
        return None
    try:
        text: str = spot.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        page.problem(0, "the file is not saved as UTF-8.")
        return None
    return text


def _names(root: Any, folder: str, *, ending: str = ".yaml") -> Iterator[str]:
    """The files of a folder that end so, without their ending, sorted."""
    spot = root.joinpath(*folder.split("/"))
    if spot.is_dir():
        yield from sorted(
            item.name.removesuffix(ending) for item in spot.iterdir() if item.name.endswith(ending)
        )


def _intents(root: Any, *, problems: list[Problem]) -> Mapping[str, DangerLevel]:
    page = Page(INTENTS_FILE)
    tree = _read(root, INTENTS_FILE, page=page)
    intents = read_intents(page, tree) if tree else {}
    problems += page.problems
    return intents


def _flows(root: Any, *, problems: list[Problem]) -> dict[str, Flow]:
    flows: dict[str, Flow] = {}
    for name in _names(root, "definitions"):
        page = Page(f"definitions/{name}.yaml")
        tree = _read(root, page.file, page=page)
        if tree and (flow := read_flow(page, tree, name=name)):
            flows[name] = flow
        problems += page.problems
    return flows


def _released(root: Any, *, problems: list[Problem]) -> Mapping[str, tuple[str, ...]]:
    """What was released last; nothing where nothing was."""
    if not root.joinpath(RELEASED_FILE).is_file():
        return {}
    page = Page(RELEASED_FILE)
    tree = _read(root, RELEASED_FILE, page=page)
    flows = page.group(tree, "the file").values() if tree else ()
    found = {entry.key: page.words(entry.value, f"'{entry.key}'") for entry in flows}
    problems += page.problems
    return MappingProxyType(found)


def _pictures(root: Any, *, problems: list[Problem]) -> dict[str, str]:
    pictures: dict[str, str] = {}
    for name in _names(root, PICTURES, ending=".svg"):
        page = Page(f"{PICTURES}/{name}.svg")
        if text := _words(root, page.file, page=page):
            pictures[name] = text
        problems += page.problems
    return pictures


def _documents(root: Any, *, pictures: Mapping[str, str], problems: list[Problem]) -> Mapping[str, Document]:
    documents: dict[str, Document] = {}
    for name in _names(root, "documents"):
        page = Page(f"documents/{name}.yaml")
        tree = _read(root, page.file, page=page)
        if tree and (document := read_document(page, tree, name=name, pictures=pictures)):
            documents[name] = document
        problems += page.problems
    return documents


def _tips(root: Any, *, problems: list[Problem]) -> Mapping[str, Mapping[str, str]]:
    page = Page(TIPS_FILE)
    tree = _read(root, TIPS_FILE, page=page)
    tips = read_tips(page, tree) if tree else {}
    problems += page.problems
    return tips


def _texts(root: Any, *, problems: list[Problem]) -> Texts:
    sheets: dict[str, Mapping[str, Sheet]] = {}
    folder = root.joinpath("texts")
    locales = sorted(item.name for item in folder.iterdir() if item.is_dir()) if folder.is_dir() else []
    for locale in locales:
        own: dict[str, Sheet] = {}
        for name in _names(root, f"texts/{locale}"):
            page = Page(f"texts/{locale}/{name}.yaml")
            if tree := _read(root, page.file, page=page):
                own[name] = read_sheet(page, tree, name=name, locale=locale)
            problems += page.problems
        sheets[locale] = MappingProxyType(own)
    if not sheets:
        problems.append(
            Problem(file="texts", line=0, sentence="there is no folder with texts in any language.")
        )
    return Texts(sheets=MappingProxyType(sheets))


def _directory(root: Any, *, problems: list[Problem]) -> Directory:
    lines, platforms = Page(HELPLINES), Page(PLATFORMS)
    top, apps = _read(root, HELPLINES, page=lines), _read(root, PLATFORMS, page=platforms)
    known = ("version", "countries", "international", "takedown")
    rows = lines.group(top, "the file", known=known, required=known[1:]) if top else {}
    names = ("version", "most_used", "platforms")
    shown = platforms.group(apps, "the file", known=names, required=names[1:]) if apps else {}
    guides = read_platforms(platforms, shown["platforms"].value) if "platforms" in shown else {}
    directory = Directory(
        countries=read_countries(lines, rows["countries"].value) if "countries" in rows else {},
        international=(
            read_links(lines, rows["international"].value, what="'international'")
            if "international" in rows
            else ()
        ),
        takedown=read_links(lines, rows["takedown"].value, what="'takedown'") if "takedown" in rows else (),
        platforms=guides,
        most_used=(
            read_most_used(platforms, shown["most_used"].value, platforms=guides)
            if "most_used" in shown
            else {}
        ),
    )
    problems += lines.problems + platforms.problems
    return directory


def _overlaid(ours: Directory, folder: Path | None, *, problems: list[Problem]) -> Directory:
    """Our directory with a deployment's own countries and platforms in place of ours."""
    if folder is None:
        return ours
    folder = folder.absolute()
    helplines, platforms = (folder / Path(name).name for name in (HELPLINES, PLATFORMS))
    if not helplines.is_file() and not platforms.is_file():
        sentence = f"this folder must hold '{helplines.name}' or '{platforms.name}', and holds neither."
        problems.append(Problem(file=str(folder), line=0, sentence=sentence))
        return ours
    return _own_platforms(_own_helplines(ours, helplines, problems=problems), platforms, problems=problems)


def _own_helplines(ours: Directory, spot: Path, *, problems: list[Problem]) -> Directory:
    page = Page(str(spot))
    tree = _read(spot.parent, spot.name, page=page) if spot.is_file() else None
    known = ("version", "countries")
    rows = page.group(tree, "the file", known=known, required=("countries",)) if tree else {}
    if "countries" in rows:
        ours = replace(ours, countries=read_countries(page, rows["countries"].value, under=ours.countries))
    problems += page.problems
    return ours


def _own_platforms(ours: Directory, spot: Path, *, problems: list[Problem]) -> Directory:
    page = Page(str(spot))
    tree = _read(spot.parent, spot.name, page=page) if spot.is_file() else None
    known = ("version", "most_used", "platforms")
    rows = page.group(tree, "the file", known=known, required=("platforms",)) if tree else {}
    if "platforms" in rows:
        guides = read_platforms(page, rows["platforms"].value, under=ours.platforms)
        ours = replace(ours, platforms=guides)
    if "most_used" in rows:
        order = rows["most_used"].value
        ranked = read_most_used(page, order, platforms=ours.platforms, under=ours.most_used)
        ours = replace(ours, most_used=ranked)
    problems += page.problems
    return ours
