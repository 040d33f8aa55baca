"""Whom do the directory's files name? Turns ``directory/*.yaml`` and ``intents.yaml`` into rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from flows.directory import (
    ACTIONS,
    CONFIDENCES,
    EVERYWHERE,
    MAX_STEPS,
    OTHER_PLATFORM,
    Country,
    Emergency,
    Line,
    Link,
    Platform,
    Shown,
    Steps,
    date_of,
    undialable,
)
from flows.events import DangerLevel
from flows.page import Entry, Leaf, Page, Tree, did_you_mean
from flows.tips import AUDIENCES

_COUNTRY = re.compile(r"[A-Z]{2}")
_LOCALE = re.compile(r"[a-z]{2}")
_MONTH = re.compile(r"\d{4}-\d{2}")
_STEPS_KEYS = ("source", "checked", "generic")
_LINE_KEYS = (
    "name", "phones", "hours", "languages", "ages", "cost", "chat_url", "sms", "email", "whatsapp",
    "sources", "source_date", "checked", "confidence", "notes", "text",
)  # fmt: skip
_COUNTRY_KEYS = ("emergency", "emergency_source", "lines", "notes")
_LINK_KEYS = ("name", "url", "note", "who", "how", "text", "sources", "source_date", "checked")


def read_countries(
    page: Page, tree: Tree, *, under: Mapping[str, Country] = MappingProxyType({})
) -> Mapping[str, Country]:
    """The ``countries`` of ``helplines.yaml``; each replaces the one of ``under`` whole."""
    countries = dict(under)
    for entry in page.group(tree, "'countries'").values():
        if not _COUNTRY.fullmatch(entry.key):
            page.problem(entry.line, f"'{entry.key}' is not a country's two capital letters, such as BY.")
        parts = page.group(entry.value, f"the country {entry.key}", known=_COUNTRY_KEYS)
        numbers = page.items(parts["emergency"].value, "'emergency'") if "emergency" in parts else ()
        lines = page.items(parts["lines"].value, "'lines'") if "lines" in parts else ()
        countries[entry.key] = Country(
            emergency=tuple(_emergency(page, item) for item in numbers),
            lines=tuple(_line(page, item) for item in lines),
            file=page.file,
        )
    return MappingProxyType(countries)


def read_links(page: Page, tree: Tree, *, what: str) -> tuple[Link, ...]:
    """The rows of ``international`` or ``takedown`` that have an address."""
    links: list[Link] = []
    for item in page.items(tree, what):
        parts = page.group(item, f"a row of {what}", known=_LINK_KEYS, required=("name", "sources"))
        if "url" in parts:
            # The sources note '(also /ru)' after an address.
            address = page.word(parts["url"].value, "'url'").split(" ")[0]
            shown = _shown(page, parts, known=("who",))
            who = MappingProxyType({locale: row["who"] for locale, row in shown.items() if "who" in row})
            links.append(Link(name=_word(page, parts, "name"), url=address, shown=who))
    return tuple(links)


def read_platforms(
    page: Page, tree: Tree, *, under: Mapping[str, Platform] = MappingProxyType({})
) -> Mapping[str, Platform]:
    """The ``platforms`` of ``platforms.yaml``; each replaces the one of ``under`` whole."""
    platforms = dict(under)
    known = ("name", "nicknames", *ACTIONS)
    for entry in page.group(tree, "'platforms'").values():
        what = f"the platform '{entry.key}'"
        page.check_slug(entry.key, "the platform's name", line=entry.line)
        parts = page.group(entry.value, what, known=known, required=("name",))
        platforms[entry.key] = Platform(
            names=_per_locale(page, parts["name"].value, f"'name' of {what}") if "name" in parts else {},
            nicknames=page.words(parts["nicknames"].value, "'nicknames'") if "nicknames" in parts else (),
            steps=MappingProxyType(
                {
                    action: _steps(page, parts[action].value, f"'{action}' of {what}")
                    for action in ACTIONS
                    if action in parts
                }
            ),
            file=page.file,
        )
    _check_names(page, tree, platforms)
    if OTHER_PLATFORM not in platforms:
        page.problem(
            tree.line, f"the platform '{OTHER_PLATFORM}' is missing: it stands for every app not listed."
        )
    return MappingProxyType(platforms)


def _check_names(page: Page, tree: Tree, platforms: Mapping[str, Platform]) -> None:
    """What two platforms are called by would lead a child to the wrong buttons."""
    owners: dict[str, str] = {}
    for slug, entry in platforms.items():
        for name in {name.casefold() for name in (*entry.names.values(), *entry.nicknames)}:
            if owners.setdefault(name, slug) != slug:
                page.problem(tree.line, f"'{name}' is a name of '{owners[name]}' and of '{slug}'.")


def read_most_used(
    page: Page,
    tree: Tree,
    *,
    platforms: Mapping[str, Platform],
    under: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Mapping[str, tuple[str, ...]]:
    """The ``most_used`` of ``platforms.yaml``, over ``under``: country to platforms, the most used first."""
    ranked = dict(under)
    required = () if EVERYWHERE in under else (EVERYWHERE,)
    for entry in page.group(tree, "'most_used'", required=required).values():
        if entry.key != EVERYWHERE and not _COUNTRY.fullmatch(entry.key):
            page.problem(entry.line, f"'{entry.key}' is neither a country, such as BY, nor '{EVERYWHERE}'.")
        ranked[entry.key] = page.words(entry.value, f"'{entry.key}'")
        for slug in ranked[entry.key]:
            if slug not in platforms:
                page.problem(entry.line, f"there is no platform '{slug}'.{did_you_mean(slug, platforms)}")
    return MappingProxyType(ranked)


def read_intents(page: Page, tree: Tree) -> Mapping[str, DangerLevel]:
    """Every intent and its danger."""
    top = page.group(tree, "the file", known=("intents",), required=("intents",))
    intents: dict[str, DangerLevel] = {}
    levels = tuple(level.value for level in DangerLevel)
    for entry in page.group(top["intents"].value, "'intents'").values() if top else ():
        what = f"the intent '{entry.key}'"
        parts = page.group(entry.value, what, known=("danger", "means"), required=("danger", "means"))
        level = page.one_of(parts["danger"].value, "'danger'", known=levels) if "danger" in parts else ""
        intents[entry.key] = DangerLevel(level or DangerLevel.NONE)
    return MappingProxyType(intents)


def read_tips(page: Page, tree: Tree) -> Mapping[str, Mapping[str, str]]:
    """Every daily tip, and for each audience the number of the advice fact that its words rest on."""
    top = page.group(tree, "the file", known=("tips",), required=("tips",))
    tips: dict[str, Mapping[str, str]] = {}
    for entry in page.group(top["tips"].value, "'tips'").values() if top else ():
        what = f"the tip '{entry.key}'"
        page.check_slug(entry.key, "the tip's name", line=entry.line)
        parts = page.group(entry.value, what, known=tuple(AUDIENCES), required=tuple(AUDIENCES))
        facts = {key: page.word(part.value, f"'{key}' of {what}") for key, part in parts.items()}
        for key, fact in facts.items():
            if not fact.isdecimal():
                page.problem(parts[key].line, f"'{key}' of {what} must be the number of an advice fact.")
        tips[entry.key] = MappingProxyType(facts)
    return MappingProxyType(tips)


def _word(page: Page, parts: Mapping[str, Entry], key: str) -> str:
    return page.word(parts[key].value, f"'{key}'") if key in parts else ""


def _steps(page: Page, tree: Tree, what: str) -> Steps:
    """Steps per locale, and beside them either where they are from and when they were checked, or neither."""
    parts = page.group(tree, what)
    generic = "generic" in parts and page.yes_or_no(parts["generic"].value, f"'generic' of {what}")
    if generic == bool("checked" in parts and "source" in parts):
        page.problem(tree.line, f"{what} needs either 'source' and 'checked', or 'generic: true'.")
    checked = _word(page, parts, "checked")
    if checked and not _MONTH.fullmatch(checked):
        page.problem(
            parts["checked"].line, f"'checked' of {what} must be a year and a month, such as 2026-11."
        )
    texts: dict[str, str] = {}
    for key, entry in parts.items():
        if key in _STEPS_KEYS:
            continue
        if not _LOCALE.fullmatch(key):
            page.problem(entry.line, f"{what} cannot have '{key}'.{did_you_mean(key, _STEPS_KEYS)}")
            continue
        texts[key] = page.word(entry.value, f"{what} in '{key}'")
        if len(texts[key]) > MAX_STEPS:
            page.problem(
                entry.line, f"{what} in '{key}' is {len(texts[key])} letters long; steps have {MAX_STEPS}."
            )
    return Steps(texts=MappingProxyType(texts), checked=date_of(checked))


def _emergency(page: Page, tree: Tree) -> Emergency:
    needed = ("number", "for")
    parts = page.group(tree, "an emergency number", known=(*needed, "text"), required=needed)
    shown = _per_locale(page, parts["text"].value, "'text'") if "text" in parts else {}
    return Emergency(number=_word(page, parts, "number"), purpose=_word(page, parts, "for"), shown=shown)


def _line(page: Page, tree: Tree) -> Line:
    needed = ("name", "phones", "sources", "confidence")
    parts = page.group(tree, "a helpline", known=_LINE_KEYS, required=needed)
    confidence = ""
    if "confidence" in parts:
        confidence = page.one_of(parts["confidence"].value, "'confidence'", known=CONFIDENCES)
    phones = page.words(parts["phones"].value, "'phones'") if "phones" in parts else ()
    for phone in undialable(phones):
        page.problem(
            parts["phones"].line,
            f"'{phone}' cannot be dialled by a tap: each stands by itself, in digits, notes in brackets.",
        )
    shown = {
        locale: Shown(**words)
        for locale, words in _shown(page, parts, known=("name", "hours", "cost", "ages", "call")).items()
    }
    return Line(
        name=_word(page, parts, "name"),
        phones=phones,
        chat_url=_word(page, parts, "chat_url"),
        sms=_word(page, parts, "sms"),
        hours=_word(page, parts, "hours"),
        cost=_word(page, parts, "cost"),
        ages=_word(page, parts, "ages"),
        languages=page.words(parts["languages"].value, "'languages'") if "languages" in parts else (),
        confidence=confidence or CONFIDENCES[-1],
        checked=date_of(_word(page, parts, "checked") or _word(page, parts, "source_date")),
        shown=MappingProxyType(shown),
    )


def _shown(page: Page, parts: Mapping[str, Entry], *, known: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """What a row's ``text`` says: locale to its parts."""
    if "text" not in parts:
        return {}
    return {
        entry.key: {
            key: page.word(inner.value, f"'{key}'")
            for key, inner in page.group(entry.value, f"'text' for {entry.key}", known=known).items()
        }
        for entry in page.group(parts["text"].value, "'text'").values()
    }


def _per_locale(page: Page, tree: Tree, what: str) -> Mapping[str, str]:
    """``locale: text`` lines; a single text counts for every locale and stands under the empty one."""
    if isinstance(tree, Leaf):
        return MappingProxyType({"": page.word(tree, what)})
    return MappingProxyType(
        {entry.key: page.word(entry.value, what) for entry in page.group(tree, what).values()}
    )
