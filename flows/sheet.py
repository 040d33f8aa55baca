"""Is this file a sheet of texts? Turns ``texts/<locale>/<name>.yaml`` into texts and button titles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from flows import plural
from flows.model import ROLES
from flows.page import Entry, Group, Leaf, Page, Sequence, Tree, did_you_mean
from flows.review import NOT_YET
from flows.texts import COMMON, ENGINE, Sheet, Text, form_of, plain_key

#: A top-level key of any sheet: titles that every question of the flow (or, in common, of all flows) may use.
TITLES = "choices"
#: Another one: who has reviewed these texts.
REVIEWED = "reviewed"
_KEY = re.compile(r"[a-z][a-z0-9_]*(#[a-z]+)?(@[A-Za-z]+)?")
_COUNTRY = re.compile(r"[A-Z]{2}")


def read_sheet(page: Page, tree: Tree, *, name: str, locale: str) -> Sheet:
    """All texts of one file; problems go to the page."""
    texts: dict[str, Text] = {}
    titles: Mapping[str, str] = {}
    words: dict[str, tuple[str, ...]] = {}
    reviewed = ""
    for entry in page.group(tree, "the file").values():
        if entry.key == REVIEWED:
            reviewed = page.review(entry.value)
            continue
        if entry.key == TITLES:
            titles = _titles(page, entry.value, what=f"'{TITLES}'")
            continue
        if not _KEY.fullmatch(entry.key):
            page.problem(entry.line, f"'{entry.key}' is not a text's name: small letters, digits and '_'.")
            continue
        _check_form(page, entry)
        _check_variant(page, entry)
        if isinstance(entry.value, Sequence):
            words[entry.key] = page.words(entry.value, f"'{entry.key}'")
        else:
            texts[entry.key] = _text(page, entry, name=name)
    if not reviewed:
        page.problem(1, f"the file does not say who has reviewed its texts: write 'reviewed: {NOT_YET}'.")
    for key, text in texts.items():
        if (plain := texts.get(key.partition("@")[0])) is not None and plain is not text:
            # A variant changes words; titles that it does not change stay those of the plain text.
            texts[key] = replace(text, choices=MappingProxyType({**plain.choices, **text.choices}))
    return Sheet(
        name=name,
        locale=locale,
        file=page.file,
        reviewed=reviewed or NOT_YET,
        texts=MappingProxyType(texts),
        choices=titles,
        words=MappingProxyType(words),
    )


def _check_form(page: Page, entry: Entry) -> None:
    form = form_of(entry.key)
    if form and form not in plural.FORMS:
        known = ", ".join(plural.FORMS)
        page.problem(
            entry.line, f"'#{form}' is no form of a number ({known}).{did_you_mean(form, plural.FORMS)}"
        )


def _check_variant(page: Page, entry: Entry) -> None:
    variant = entry.key.partition("@")[2]
    if variant and variant not in ROLES and not _COUNTRY.fullmatch(variant):
        known = ", ".join(ROLES)
        hint = did_you_mean(variant, ROLES)
        page.problem(entry.line, f"'@{variant}' is neither a role ({known}) nor a country such as @BY.{hint}")


def _text(page: Page, entry: Entry, *, name: str) -> Text:
    said = f"{COMMON if name == ENGINE else name}.{plain_key(entry.key)}"
    if isinstance(entry.value, Leaf):
        text = page.word(entry.value, f"the text '{entry.key}'")
        return Text(text=text, name=said, file=page.file, line=entry.line)
    what = f"the text '{entry.key}'"
    parts = page.group(entry.value, what, known=("text", TITLES), required=("text",))
    text = page.word(parts["text"].value, what) if "text" in parts else ""
    titles = (
        _titles(page, parts[TITLES].value, what=f"the buttons of '{entry.key}'") if TITLES in parts else {}
    )
    return Text(text=text, choices=titles, name=said, file=page.file, line=entry.line)


def _titles(page: Page, tree: Tree, *, what: str) -> Mapping[str, str]:
    titles: dict[str, str] = {}
    for entry in page.group(tree, what).values():
        if isinstance(entry.value, Group):
            page.problem(entry.line, f"the title of '{entry.key}' must be a single text.")
        else:
            titles[entry.key] = page.word(entry.value, f"the title of '{entry.key}'")
    return MappingProxyType(titles)
