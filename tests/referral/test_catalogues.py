"""Nothing that the console says is left in English, and nothing is lost in translation."""

from __future__ import annotations

import pytest
from jinja2 import TemplateError

from referral.catalogue import TEMPLATES, read, unmarked, untranslated, updated, written
from referral.console.pages import Pages
from referral.language import LOCALES, Languages

CATALOGUES = sorted(LOCALES.glob("*.po"))


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.glob("*.html")))
def test_every_word_of_a_page_is_marked_to_be_translated(template: str) -> None:
    assert unmarked((TEMPLATES / template).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("tag", [path.stem for path in CATALOGUES])
def test_every_sentence_is_translated_and_keeps_its_placeholders(tag: str) -> None:
    catalogue = read(LOCALES / f"{tag}.po")

    assert untranslated(catalogue) == [], "run: .venv/bin/python -m referral.catalogue"


@pytest.mark.parametrize("tag", [path.stem for path in CATALOGUES])
def test_a_catalogue_holds_what_is_said_today_and_nothing_else(tag: str) -> None:
    path = LOCALES / f"{tag}.po"

    assert path.read_bytes() == written(updated(read(path))), "run: .venv/bin/python -m referral.catalogue"


def test_every_page_can_be_made_in_every_language() -> None:
    broken = []
    for language in Pages(Languages()).each():
        for path in TEMPLATES.glob("*.html"):
            try:
                language.get_template(path.name)
            except TemplateError as error:
                broken.append(f"{path.name}: {error}")

    assert broken == []


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<p>Take next</p>", ["Take next"]),
        ('<p>{{ _("Take next") }}</p>', []),
        ('<a title="Take next" href="/">{{ name }}</a>', ["Take next"]),
        ('<a class="main next" data-kind="none">1</a>', []),
        ("<p>{% trans %}Take <b>next</b>{% endtrans %}</p>", []),
        ('<p>{{ "one case" if one else "more" }}</p>', ["one case more"]),
        ('<p data-gone="{{ "yes" if gone else "no" }}"></p>', []),
        ('{% set names = {"web": "Web chat"} %}', ["Web chat"]),
        ("<p><code>./porchlight check</code></p>", []),
    ],
)
def test_a_word_that_is_not_marked_is_found(page: str, found: list[str]) -> None:
    assert unmarked(page) == found
