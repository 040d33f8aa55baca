"""Do the checks find what would leave a child without words, without a number or without a person?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.checks import check
from flows.loader import load
from tests.flows.worlds import copy_small, small_book

Change = Callable[[str, str, str], list[str]]


@pytest.fixture
def changed(tmp_path: Path) -> Change:
    """What the checks say after one replacement in one file of the small content, or one new file."""
    root = copy_small(tmp_path)

    def change(file: str, old: str, new: str) -> list[str]:
        spot = root / file
        before = spot.read_text(encoding="utf-8") if spot.exists() else ""
        assert old in before
        spot.write_text(before.replace(old, new) if old else before + new, encoding="utf-8")
        return [str(problem) for problem in check(load(root))]

    return change


def test_the_small_content_has_no_problems() -> None:
    assert check(small_book()) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "definitions/insults.yaml",
            "about: {for: tests, source: none, reviewed: not yet}",
            "# Nobody knows.",
            "flows/definitions/insults.yaml, line 1: nobody can tell where this advice comes from",
        ),
        (
            "definitions/insults.yaml",
            "block: {call: block",
            "alone: {end: true}\n  block: {call: block",
            "nothing leads to the node 'alone'.",
        ),
        (
            "definitions/insults.yaml",
            "{say: calm, end: true}",
            "{say: calm, go: thanks}",
            "these nodes go round without asking anything: thanks -> calm -> thanks.",
        ),
        (
            "definitions/insults.yaml",
            "person: {call: handover, go: what_helps}",
            "person: {call: block, go: what_helps}",
            "this flow is about harm, but nothing in it leads to a person",
        ),
        (
            "definitions/insults.yaml",
            "intents: [insults, threats]",
            "intents: [insult, threats]",
            "flows/definitions/insults.yaml, line 3: there is no intent 'insult'. Did you mean 'insults'?",
        ),
        (
            "definitions/insults.yaml",
            "intents: [insults, threats]",
            "intents: [insults]",
            "flows/intents.yaml: no flow answers the intent 'threats'.",
        ),
        (
            "definitions/thanks.yaml",
            "intents: [thanks",
            "intents: [thanks, insults",
            "flows/definitions/thanks.yaml, line 3: the intent 'insults' already belongs to 'insults'.",
        ),
        (
            "definitions/handover.yaml",
            "interrupt: true",
            "interrupt: false",
            "'talk_to_human' must work at any moment: write 'interrupt: true' in this flow.",
        ),
        (
            "definitions/block.yaml",
            "over: {end: true}",
            "over: {call: bolck, go: out}\n  out: {end: true}",
            "'over' calls the flow 'bolck', which does not exist. Did you mean 'block'?",
        ),
        (
            "definitions/welcome.yaml",
            "cases: {BY: over}",
            "cases: {XX: over}",
            "'where' asks for the country 'XX', which does not exist.",
        ),
        (
            "definitions/welcome.yaml",
            "choices: {child: where",
            "choices: {uncle: where",
            "the button 'uncle' of 'who' is saved as role, but is none of: child, teen, parent, teacher.",
        ),
        (
            "definitions/menu.yaml",
            "{insults: insults, plan",
            "{" + "i" * 60 + ": insults, plan",
            "bytes on Telegram, of 64: shorten",
        ),
        (
            "definitions/danger.yaml",
            "consent: consent",
            "consent: agreed",
            "flows/texts/en/danger.yaml: the text 'agreed', which 'open' says, is missing in this language.",
        ),
        (
            "texts/en/plan.yaml",
            "{slot:my_whom}",
            "{slot:my_who}",
            "flows/texts/en/plan.yaml, line 6: 'shown' holds {slot:my_who}, which nothing can fill. "
            "Did you mean 'slot:my_whom'?",
        ),
        (
            "texts/ru/plan.yaml",
            'my_whom_mum: "мою маму"',
            "",
            "flows/texts/ru/plan.yaml: the text 'my_whom_mum', which tells an answer, is missing",
        ),
        (
            "texts/en/plan.yaml",
            'there: "It is yours."',
            'there: "' + "{slot:my_helps}" * 5 + '"',
            "flows/texts/en/plan.yaml, line 8: 'there' can grow to 5075 letters; Telegram takes 4096.",
        ),
        (
            "texts/en/danger.yaml",
            'consent: "A person will see this chat."',
            'consent: "Somebody reads."',
            "'consent' is what visitors agree to at 'open', but no text of this flow shows it.",
        ),
        (
            "texts/ru/danger.yaml",
            "{helpline} Сейчас",
            "Сейчас",
            "ru/danger.yaml, line 2: 'care' can be the first words in danger and must hold {helpline}.",
        ),
        (
            "texts/en/danger.yaml",
            "",
            'care@parent: "Stay calm. {emergency}"\n',
            "'care@parent' can be the first words in danger and must hold {helpline}.",
        ),
        (
            "texts/ru/insults.yaml",
            "calm:",
            "kalm:",
            "flows/texts/ru/insults.yaml: the text 'calm', which 'calm' says, is missing in this language.",
        ),
        ("texts/ru/insults.yaml", "calm:", "kalm:", "nobody says the text 'kalm'. Did you mean 'calm'?"),
        (
            "texts/ru/insults.yaml",
            'tell: "Рассказать"',
            'tel: "Рассказать"',
            "the title of the button 'tell' at 'what_helps' is missing in this language.",
        ),
        (
            "texts/ru/insults.yaml",
            "{helpline_short}",
            "",
            "flows/texts/ru/insults.yaml, line 14: 'calm' lacks {helpline_short}, which it has in 'en'.",
        ),
        (
            "texts/en/insults.yaml",
            "{helpline_short}",
            "{helpline_shrt}",
            "'calm' holds {helpline_shrt}, which nothing can fill. Did you mean 'helpline_short'?",
        ),
        (
            "texts/en/insults.yaml",
            'tell: "Tell what happened"',
            'tell: "Tell me everything that ever happened to you"',
            "is 44 letters long; a phone shows 40.",
        ),
        (
            "texts/en/insults.yaml",
            'tell: "Tell what happened"',
            'tell: "Tell {country}"',
            "the button 'Tell {country}' cannot hold a placeholder in braces.",
        ),
        (
            "texts/en/insults.yaml",
            "You are not alone.",
            "You are **not alone.",
            "flows/texts/en/insults.yaml, line 14: 'calm' holds ** without its other half on the same line;",
        ),
        (
            "texts/en/insults.yaml",
            "You are not alone.",
            "[You](http://a.by) are not alone.",
            "flows/texts/en/insults.yaml, line 14: 'calm' holds a link that cannot be read;",
        ),
        (
            "texts/en/insults.yaml",
            'tell: "Tell what happened"',
            'tell: "**Tell** what happened"',
            "the button '**Tell** what happened' can hold neither bold words nor a link.",
        ),
        (
            "directory/platforms.yaml",
            "chat → the name at the top → ⋮ → “Block",
            "chat → the name at the top → ⋮ → **“Block",
            "'block' of the platform 'telegram' in 'en' holds ** without its other half",
        ),
        (
            "texts/en/insults.yaml",
            "You are not alone.",
            "You are not alone. " * 230,
            "letters; Telegram takes 4096.",
        ),
        (
            "texts/en/intents.yaml",
            "Somebody insults me",
            "Somebody insults me again and again and again",
            "is 45 letters long; a button shows 40.",
        ),
        ("texts/ru/stop.yaml", "stopped:", "stoped:", "the text 'stopped', which 'stopped' says, is missing"),
        (
            "texts/en/extra.yaml",
            "",
            "reviewed: not yet\nhi: hello\n",
            "flows/texts/en/extra.yaml: there is no flow 'extra'.",
        ),
        ("texts/ru/engine.yaml", "back_to:", "bach_to:", "the text 'back_to' is missing in this language."),
        ("texts/ru/engine.yaml", '"ага"', '"нет"', "'нет' stands in 'yes_words' and in 'no_words'."),
        (
            "texts/ru/engine.yaml",
            "no_words:",
            "know_words:",
            "the list 'no_words' is missing in this language.",
        ),
        ("texts/ru/directory.yaml", "free:", "fre:", "the label 'free' is missing in this language."),
        ("texts/ru/handover.yaml", "taken:", "tekken:", "the text 'taken' is missing in this language."),
        (
            "texts/ru/intents.yaml",
            "help:",
            "hlp:",
            "the name of the intent 'help' is missing in this language.",
        ),
    ],
)
def test_a_gap_is_found_and_told(changed: Change, file: str, old: str, new: str, sentence: str) -> None:
    found = changed(file, old, new)

    assert any(sentence in problem for problem in found), found


def test_a_file_that_is_not_translated_is_one_problem_and_not_fifty(tmp_path: Path) -> None:
    root = copy_small(tmp_path)
    (root / "texts" / "ru" / "insults.yaml").unlink()

    found = [str(problem) for problem in check(load(root)) if "ru/insults" in str(problem)]

    assert found == ["flows/texts/ru/insults.yaml: the whole file is missing in this language."]


def test_a_missing_danger_flow_is_a_problem(tmp_path: Path) -> None:
    root = copy_small(tmp_path)
    (root / "definitions" / "danger.yaml").unlink()

    found = [str(problem) for problem in check(load(root))]

    assert "flows/definitions/danger.yaml: this flow is missing; nothing works without it." in found


def test_a_country_that_is_offered_must_have_a_number_to_call() -> None:
    found = [str(problem) for problem in check(small_book(), countries=("BY", "AM"))]

    assert found == ["flows/directory/helplines.yaml: AM is offered, but has no line to call."]


def test_a_country_that_is_offered_must_have_a_name() -> None:
    found = [str(problem) for problem in check(small_book(), countries=("BY", "QQ"))]

    assert (
        "flows/texts/en/welcome.yaml: the title of the button 'QQ' at 'country' is missing in this language."
        in found
    )
