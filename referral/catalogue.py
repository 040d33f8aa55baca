"""Which sentences does the console have, and which of them are missing in a language?

For whoever changes words or translates them: ``python -m referral.catalogue`` brings the catalogues up to
date and says what is left to translate; the tests fail on what it would say.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_javascript
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes
from jinja2.ext import babel_extract

from referral import errors
from referral.language import LOCALES

HERE = Path(__file__).parent
TEMPLATES = HERE / "console" / "templates"
STATIC = HERE / "console" / "static"

#: Words of a program, and names, which no language changes.
_NEVER_TRANSLATED = {"code", "kbd", "pre", "script", "style"}
_NAMES = frozenset({"Porchlight", "CSV", "XLSX", "PDF", "Mermaid", "flows/", "https://"})
#: What a page says otherwise than by its text.
_SAID = ("aria-label", "aria-description", "alt", "placeholder", "title", "label")
#: Blocks of ours that stand between the brackets of a tag.
_INSIDE_A_TAG = frozenset({"stream", "page_class"})
#: How Jinja's extractor is told what our pages are read with.
_AS_PAGES = {"trimmed": "yes", "newstyle_gettext": "yes", "trim_blocks": "yes", "lstrip_blocks": "yes"}
_LOOKS_UP = frozenset({"_", "gettext", "marked"})
_PLACEHOLDER = re.compile(r"%\(\w+\)s|</?\w+[^>]*>")
_CHANGES_BY_ITSELF = re.compile(
    rb'"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator'
    rb"|Language-Team|Generated-By): .*\n"
)
_LETTER = re.compile(r"[A-Za-z]{2}")


def extracted() -> Catalog:
    """Every sentence that the console can say, with the files that say it."""
    catalogue = Catalog(fuzzy=False)
    for path in sorted(HERE.rglob("*.py")):
        for message in _in_python(ast.parse(path.read_text())):
            _add(catalogue, message, path)
    for path in sorted(TEMPLATES.glob("*.html")):
        with path.open("rb") as file:
            for _, _, texts, _ in babel_extract(file, ("_", "gettext", "ngettext"), (), _AS_PAGES):
                _add(catalogue, texts, path)
    for path in sorted(STATIC.glob("*.js")):
        with path.open("rb") as file:
            for _, _, text, _ in extract_javascript(file, {"_": None}, (), {}):
                _add(catalogue, text, path)
    return catalogue


def updated(old: Catalog) -> Catalog:
    """A catalogue with the sentences of today, in order of their English; what was said before is kept."""
    new = Catalog(locale=old.locale, project="Porchlight", fuzzy=False, header_comment=old.header_comment)
    for message in sorted(_messages(extracted()), key=_english):
        known = old.get(message.id)
        new.add(
            message.id,
            known.string if known else None,
            locations=message.locations,
            flags={"fuzzy"} if known and known.fuzzy else set(),
            user_comments=known.user_comments if known else [],
        )
    return new


def read(path: Path) -> Catalog:
    """The catalogue of a language; its file is named after it."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def written(catalogue: Catalog) -> bytes:
    """A catalogue as it lies in its file; without dates and lines of code, which change by themselves."""
    file = BytesIO()
    write_po(file, catalogue, width=110, include_lineno=False, omit_header=False)
    return _CHANGES_BY_ITSELF.sub(b"", file.getvalue())


def untranslated(catalogue: Catalog) -> list[str]:
    """What a language does not say yet, or says without one of the placeholders; a sentence for each."""
    problems = []
    for message in _messages(extracted()):
        known = catalogue.get(message.id)
        if known is None or known.fuzzy or not _complete(known, catalogue.num_plurals):
            problems.append(f"{catalogue.locale}: not translated: {_english(message)!r}")
        elif lost := _lost(known):
            problems.append(f"{catalogue.locale}: {lost} is lost or new in: {_english(message)!r}")
    return problems


def unmarked(template: str) -> list[str]:
    """What a page would say in English in every language: words that stand outside ``_()`` and ``trans``."""
    tree = _environment().parse(template)
    page = _Page()
    page.feed("".join(_pieces(tree)))
    page.close()
    tables = [
        text.value
        for table in tree.find_all(nodes.Assign)
        for text in _plain(table.node)
        if isinstance(text.value, str) and (" " in text.value.strip() or text.value[:1].isupper())
    ]
    return [text for text in page.found + tables if text.strip(" :·›%") not in _NAMES]


def _environment() -> Environment:
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"]
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    return environment


def _in_python(tree: ast.Module) -> Iterator[str | tuple[str, ...]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and issubclass(
            getattr(errors, node.name, object), errors.ReferralError
        ):
            yield " ".join((ast.get_docstring(node) or "").split())
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else None
        texts = [
            arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        if texts and (name in _LOOKS_UP or _is_error(name)):
            yield texts[0]
        if len(texts) > 1 and name == "ngettext":
            yield tuple(texts[:2])


def _is_error(name: str | None) -> bool:
    found = getattr(errors, name or "", None)
    return isinstance(found, type) and issubclass(found, errors.ReferralError)


def _add(catalogue: Catalog, message: object, path: Path) -> None:
    said = message if isinstance(message, tuple) else (message,)
    texts = tuple(text for text in said if isinstance(text, str))
    if texts and texts[0]:
        catalogue.add(
            texts if len(texts) > 1 else texts[0], locations=[(path.relative_to(HERE.parent).as_posix(), 0)]
        )


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _english(message: Message) -> str:
    return _texts(message.id)[0]


def _texts(said: str | Sequence[str] | None) -> Sequence[str]:
    """One text, or the forms that go with a number."""
    return [said] if isinstance(said, str) else said or [""]


def _complete(message: Message, plurals: int) -> bool:
    said = _texts(message.string)
    return len(said) == (plurals if len(_texts(message.id)) > 1 else 1) and all(said)


def _lost(message: Message) -> str:
    """Placeholders and tags that one side has and the other has not."""
    english, said = _texts(message.id), _texts(message.string)
    # A form for one may leave the number out.
    wanted = [sorted(_PLACEHOLDER.findall(text)) for text in english]
    for text in said:
        if sorted(_PLACEHOLDER.findall(text)) not in wanted:
            differ = set(_PLACEHOLDER.findall(text)) ^ set(_PLACEHOLDER.findall(english[-1]))
            return ", ".join(sorted(differ)) or "a repeated placeholder"
    return ""


def _pieces(node: nodes.Node) -> Iterator[str]:
    """The HTML of a template, with the bare words of its expressions where they would stand."""
    if isinstance(node, nodes.Block) and node.name in _INSIDE_A_TAG:
        return
    if isinstance(node, nodes.Output):
        for part in node.nodes:
            if isinstance(part, nodes.TemplateData):
                yield part.data
            else:
                yield " ".join(str(text.value) for text in _plain(part) if isinstance(text.value, str))
        return
    for child in node.iter_child_nodes():
        yield from _pieces(child)


def _plain(node: nodes.Node) -> Iterator[nodes.Const]:
    """Words that an expression says itself, rather than hands to a call, a filter or a look-up."""
    if isinstance(node, nodes.Const):
        yield node
    elif isinstance(node, nodes.CondExpr):
        yield from _plain(node.expr1)
        if node.expr2 is not None:
            yield from _plain(node.expr2)
    elif isinstance(node, nodes.Pair):
        yield from _plain(node.value)
    elif isinstance(node, (nodes.Concat, nodes.Dict, nodes.Or, nodes.Tuple, nodes.List, nodes.Add)):
        for child in node.iter_child_nodes():
            yield from _plain(child)


class _Page(HTMLParser):
    """Collects what a page says."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        self.found += [
            said.strip() for name, said in attrs if name in _SAID and said and _LETTER.search(said)
        ]

    def handle_endtag(self, tag: str) -> None:
        while tag in self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if _LETTER.search(data) and not _NEVER_TRANSLATED.intersection(self._inside):
            self.found.append(data.strip())


def main() -> None:
    """Bring every catalogue up to date, and say what is left to do."""
    for path in sorted(LOCALES.glob("*.po")):
        catalogue = updated(read(path))
        path.write_bytes(written(catalogue))
        for problem in untranslated(catalogue):
            print(problem)  # noqa: T201 - it is what the command is for.


if __name__ == "__main__":
    main()
