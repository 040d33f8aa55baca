"""How a page is put together, and where its style and script are found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse

from referral.cases.codes import GROUPS, ONLINE_HARMS
from referral.cases.coding import Action, Occurred
from referral.cases.rules import MANY_HEAVY, MIN_PICK_REASON, OPERATOR_OUTCOMES
from referral.console.headers import STATIC
from referral.language import Language, Languages, clock, day, gettext, moment, number, reader, shown
from referral.operators.factors import RECOVERY_CODES
from referral.operators.rules import MAX_PASSWORD, MIN_PASSWORD
from referral.reports.charts import bar, columns

HERE = Path(__file__).parent
STATIC_FOLDER = HERE / "static"

_SLUG = re.compile(r"[a-z0-9]+(?:[_.][a-z0-9]+)*")
#: Control characters that no text needs; line breaks and tabs stay.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Pages:
    """The templates, once for each language: what one works out but once, it says in that language."""

    def __init__(self, languages: Languages) -> None:
        self.languages = languages
        self._environments = {
            tag: _environment(language, languages=languages) for tag, language in languages.offered.items()
        }

    def each(self) -> Iterable[Environment]:
        """The templates of every language."""
        return self._environments.values()

    def get_template(self, name: str) -> Template:
        """A template in the reader's language."""
        return self._environments[reader().language.tag].get_template(name)


def _environment(language: Language, *, languages: Languages) -> Environment:
    """The templates in one language, with what all of them use."""
    pages = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    pages.policies["ext.i18n.trimmed"] = True
    # A call fills in its values itself: numbers as the reader writes them, words of others escaped.
    pages.newstyle_gettext = True  # type: ignore[attr-defined]
    pages.filters |= {
        "spoken": _spoken,
        "plain": _plain,
        "instant": _instant,
        "lookup": _lookup,
        "translated": _translated,
        "number": number,
        "moment": moment,
        "clock": clock,
        "day": day,
    }
    pages.globals |= {
        "_": _gettext,
        "gettext": _gettext,
        "ngettext": _ngettext,
        "language": language,
        "languages": tuple(languages.offered.values()),
        "static": {path.name: _address(path) for path in STATIC_FOLDER.iterdir()},
        "code_groups": GROUPS,
        "online_harms": ONLINE_HARMS,
        "actions": tuple(Action),
        "occurrences": tuple(Occurred),
        "bar": bar,
        "columns": columns,
        "outcomes": OPERATOR_OUTCOMES,
        "min_password": MIN_PASSWORD,
        "recovery_codes": RECOVERY_CODES,
        "max_password": MAX_PASSWORD,
        "many_heavy": MANY_HEAVY,
        "min_pick_reason": MIN_PICK_REASON,
    }
    return pages


def page(pages: Pages, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page."""
    return HTMLResponse(pages.get_template(template).render(**values), status_code=status)


def fragment(pages: Pages, template: str, **values: Any) -> str:
    """A part of a page, for a page that is already open."""
    return pages.get_template(template).render(**values).strip()


def _gettext(text: str, /, **values: object) -> Markup:
    return Markup(gettext(text)) % shown(values)  # noqa: S704 - our own words; the values are escaped.


def _ngettext(one: str, many: str, amount: int, /, **values: object) -> Markup:
    said = Markup(reader().language.texts.ngettext(one, many, amount))  # noqa: S704 - as above.
    return said % shown({"num": amount, **values})


def _translated(text: str) -> str:
    """A text that was ``marked``, in the reader's language."""
    return gettext(text)


def _address(path: Path) -> str:
    return f"{STATIC}{path.name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


def _spoken(value: str) -> str:
    """A slug as one would say it: ``this_week`` is "This week"; anything else stays as it is."""
    if not _SLUG.fullmatch(value):
        return _plain(value)
    words = re.sub(r"[_.]", " ", value)
    return gettext(words[:1].upper() + words[1:])


def _lookup(slug: str, names: Mapping[str, str]) -> str:
    return names.get(slug, slug)


def _plain(value: str) -> str:
    return _CONTROLS.sub("", value)


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
