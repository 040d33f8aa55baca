"""How do texts look in XLIFF, and what came back in it?

Version 1.2, since it is what the tools read best: OmegaT opens 2.0 with a plugin only, and Weblate calls its
support of 2.0 "under development" (https://docs.weblate.org/en/latest/formats/xliff2.html). A placeholder is
a ``ph`` element, which tools show as a tag that cannot be changed; ``maxwidth`` with ``size-unit="char"`` is
what they take as the most letters (https://docs.weblate.org/en/latest/formats/xliff.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from xml.etree import ElementTree as ET

from bot.launch.translation.errors import FileUnreadable
from flows.translation import Translated, Unit

_NAMESPACE = "urn:oasis:names:tc:xliff:document:1.2"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_PLACEHOLDER = re.compile(r"(\{[^{}]*\})")
#: A target in one of these states is not done: https://docs.oasis-open.org/xliff/v1.2/os/xliff-core.html#state
_NOT_DONE = frozenset({"new", "needs-translation", "needs-adaptation", "needs-l10n"})


def write(units: Iterable[Unit], *, source: str, target: str) -> str:
    """An XLIFF document with a ``file`` element a sheet."""
    ET.register_namespace("", _NAMESPACE)
    root = ET.Element(_name("xliff"), {"version": "1.2"})
    words: list[tuple[ET.Element, str]] = []
    for sheet, own in groupby(units, key=lambda unit: unit.spot.sheet):
        file = ET.SubElement(
            root,
            _name("file"),
            {
                "original": sheet,
                "source-language": source,
                "target-language": target,
                "datatype": "plaintext",
            },
        )
        body = ET.SubElement(file, _name("body"))
        for unit in own:
            words += _write_unit(body, unit)
    ET.indent(root)
    # Only now, since indenting changes blanks between placeholders.
    for element, text in words:
        _write_words(element, text)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def read(text: str) -> tuple[str, str, list[Translated]]:
    """Source language, target language and what came back; raises ``FileUnreadable``."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        # No tool writes one, and what it can define is how XML is abused.
        raise FileUnreadable("This XLIFF file defines a document type or entities; export it anew without.")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without a document type nothing can be defined.
    except ET.ParseError as error:
        raise FileUnreadable(f"This is no XML file: {error}.") from error
    files = root.findall(_name("file"))
    if root.tag != _name("xliff") or not files:
        raise FileUnreadable("This is no XLIFF 1.2 file; choose XLIFF 1.2 in your translation tool.")
    languages = {(file.get("source-language", ""), file.get("target-language", "")) for file in files}
    if len(languages) != 1:
        raise FileUnreadable("This file mixes languages; import one language at a time.")
    source, target = languages.pop()
    return source, target, [_read_unit(unit) for file in files for unit in file.iter(_name("trans-unit"))]


def _name(tag: str) -> str:
    return f"{{{_NAMESPACE}}}{tag}"


def _write_unit(body: ET.Element, unit: Unit) -> list[tuple[ET.Element, str]]:
    """Add a unit; its elements that are still to get their words, and these."""
    said = {"id": str(unit.spot), "resname": str(unit.spot), _SPACE: "preserve"}
    if unit.limit:
        said |= {"maxwidth": str(unit.limit), "size-unit": "char"}
    element = ET.SubElement(body, _name("trans-unit"), said)
    words = [(ET.SubElement(element, _name("source")), unit.source)]
    if unit.target:
        words.append((ET.SubElement(element, _name("target"), {"state": "translated"}), unit.target))
    if unit.file:
        where = ET.SubElement(element, _name("context-group"), {"purpose": "location"})
        _context(where, "sourcefile", f"flows/{unit.file}")
        if unit.line:
            _context(where, "linenumber", str(unit.line))
    known = ET.SubElement(element, _name("context-group"), {"purpose": "information"})
    _context(known, "x-flow", unit.spot.sheet)
    for place in unit.places:
        _context(known, "x-node", place)
    _context(known, "x-audience", unit.audience)
    _context(known, "x-kind", unit.kind.value)
    ET.SubElement(element, _name("note")).text = unit.note
    return words


def _context(group: ET.Element, kind: str, value: str) -> None:
    ET.SubElement(group, _name("context"), {"context-type": kind}).text = value


def _write_words(element: ET.Element, words: str) -> None:
    """The words, with each placeholder as an inline element that is not to be translated."""
    for number, part in enumerate(_PLACEHOLDER.split(words)):
        if number % 2:
            mark = ET.SubElement(element, _name("ph"), {"id": str(number // 2 + 1), "ctype": "x-placeholder"})
            mark.text = part
        elif len(element):
            element[-1].tail = part
        else:
            element.text = part


def _read_unit(unit: ET.Element) -> Translated:
    source, target = unit.find(_name("source")), unit.find(_name("target"))
    done = target is not None and target.get("state") not in _NOT_DONE
    return Translated(
        spot=unit.get("id", ""),
        source=_words(source),
        target=_words(target) if done else "",
    )


def _words(element: ET.Element | None) -> str:
    return "".join(_parts(element)) if element is not None else ""


def _parts(element: ET.Element) -> Iterator[str]:
    # Tools may write a placeholder as an empty element that only names it.
    yield element.text or ("" if len(element) else element.get("equiv-text") or "")
    for inner in element:
        yield from _parts(inner)
        yield inner.tail or ""
