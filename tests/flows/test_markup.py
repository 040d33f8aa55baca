"""Which words of a text become bold or a link, and what stays as it was typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.events import ChoicePressed
from flows.loader import load
from flows.markup import Run, is_plain, mistakes, plain, runs_of
from tests.flows.worlds import Talk, copy_small
from tests.flows.worlds import text as typed

_SIGNS = st.sampled_from(["**", "*", "[", "](", ")", "https://a.by", " ", "\n", "б", "ক", "🙂", "(", "]"])


def test_bold_words_and_links_are_runs_of_their_own() -> None:
    assert runs_of("Call **1098** or read [this page](https://a.by/x).") == (
        Run(text="Call "),
        Run(text="1098", bold=True),
        Run(text=" or read "),
        Run(text="this page", link="https://a.by/x"),
        Run(text="."),
    )


def test_a_link_can_be_bold() -> None:
    assert runs_of("**Now [here](https://a.by)**") == (
        Run(text="Now ", bold=True),
        Run(text="here", bold=True, link="https://a.by"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5 ** 3 ** 2",
        "**",
        "****",
        "** not bold **",
        "**not\nbold**",
        "*not bold*",
        "[words] (https://a.by)",
        "[words](http://a.by)",
        "[words](javascript:alert)",
        "[words](tel:1098)",
        "[ ](https://a.by)",
        "[](https://a.by)",
        "[words](https://a.by/<b>)",
        "[words](https://a.by/{slot:x})",
    ],
)
def test_what_is_no_markup_stays_as_it_was_typed(text: str) -> None:
    assert plain(runs_of(text)) == text
    assert is_plain(runs_of(text))


def test_where_nothing_can_be_bold_an_address_stands_behind_its_words() -> None:
    assert plain(runs_of("**Read** [this](https://a.by)!")) == "Read this (https://a.by)!"


@given(st.lists(_SIGNS, max_size=40).map("".join))
def test_no_word_is_lost(text: str) -> None:
    runs = runs_of(text)

    assert all(run.text for run in runs)
    written = "".join(f"[{run.text}]({run.link})" if run.link else run.text for run in runs)
    assert written.replace("**", "") == text.replace("**", "")


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("Call **1098", "holds ** without its other half"),
        ("Call ** 1098 ** now", "holds ** without its other half"),
        ("Call **1098\nnow**", "holds ** without its other half"),
        ("Read [this](http://a.by)", "holds a link that cannot be read"),
        ("Read [this] (https://a.by)", "holds a link that cannot be read"),
        ("Read [**this**](https://a.by)", "holds a link that cannot be read"),
    ],
)
def test_half_a_markup_is_told(text: str, mistake: str) -> None:
    assert [sentence for sentence in mistakes(text) if sentence.startswith(mistake)]


def test_whole_markup_and_none_are_no_mistake() -> None:
    assert not [*mistakes("**Call** [here](https://a.by), 5 * 3 [or] (so) *this*")]


def test_a_visitors_words_are_no_markup_within_a_text_that_has_some(tmp_path: Path) -> None:
    root = copy_small(tmp_path)
    sheet = root / "texts" / "en" / "plan.yaml"
    shown = 'shown: "I do **{slot:my_helps}**, [see](https://a.by). {slot:my_helps} I ask {slot:my_whom}."'
    lines = sheet.read_text().replace('"my mum"', '"**my** mum"').splitlines()
    sheet.write_text("\n".join(shown if line.startswith("shown:") else line for line in lines))
    talk = Talk(load(root))
    talk.hear(ChoicePressed(payload="m"))
    talk.hear(ChoicePressed(payload="n:menu:what:plan"))

    talk.hear(typed("**a** [b](c)"))
    talk.hear(ChoicePressed(payload="n:plan:whom:mum"))

    assert talk.messages[0].runs == (
        Run(text="I do "),
        Run(text="**a** [b](c)", bold=True),
        Run(text=", "),
        Run(text="see", link="https://a.by"),
        Run(text=". **a** [b](c) I ask "),
        Run(text="my", bold=True),
        Run(text=" mum."),
    )
