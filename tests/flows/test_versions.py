"""Does a conversation go on where it stood when its flow has been renamed, cut up or taken away?"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.launch import content
from bot.launch.site import Site
from flows.checks import check
from flows.loader import load
from flows.model import Book
from flows.state import State
from tests.flows.test_engine import insulted, press
from tests.flows.worlds import Talk, copy_small, text

INSULTS = "definitions/insults.yaml"


def changed(root: Path, *changes: tuple[str, str]) -> Book:
    """The small content after these replacements in the insults flow."""
    spot = root / INSULTS
    words = spot.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in words
        words = words.replace(old, new)
    spot.write_text(words, encoding="utf-8")
    return load(root)


def renamed(root: Path) -> Book:
    """The small content with another name for the question that helps."""
    return changed(
        root,
        ("what_helps", "wishes"),
        ("ask: wishes", "ask: what_helps"),
        ("nodes:", "renamed: {what_helps: wishes}\nnodes:"),
    )


def moved(root: Path) -> Book:
    """The small content with the insults flow under another name."""
    for folder in ("definitions", "texts/en", "texts/ru"):
        (root / folder / "insults.yaml").rename(root / folder / "name_calling.yaml")
    spot = root / "definitions/name_calling.yaml"
    words = spot.read_text(encoding="utf-8").replace(
        "flow: insults", "flow: name_calling\nformerly: [insults]"
    )
    spot.write_text(words, encoding="utf-8")
    menu = root / "definitions/menu.yaml"
    menu.write_text(menu.read_text(encoding="utf-8").replace("call: insults", "call: name_calling"))
    return load(root)


def standing_at(book: Book, state: State) -> Talk:
    return Talk(book, state=state)


def test_an_answer_to_a_renamed_question_is_still_understood(tmp_path: Path) -> None:
    begun = standing_at(renamed(copy_small(tmp_path)), insulted().state)

    begun.hear(text("tell what happened"))

    assert begun.says == ["insults.tell"]


def test_a_button_of_a_renamed_question_still_works(tmp_path: Path) -> None:
    begun = standing_at(renamed(copy_small(tmp_path)), insulted().state)

    begun.hear(press("n:insults:what_helps:tell"))

    assert begun.says == ["insults.tell"]


def test_a_conversation_goes_on_in_the_flow_that_took_over(tmp_path: Path) -> None:
    begun = standing_at(moved(copy_small(tmp_path)), insulted().state)

    begun.hear(text("tell what happened"))

    assert begun.says == ["name_calling.tell"]


@pytest.mark.parametrize("button", ["n:insults:what_helps:tell", "n:name_calling:what_helps:tell"])
def test_old_and_new_buttons_lead_into_the_flow_that_took_over(tmp_path: Path, button: str) -> None:
    begun = standing_at(moved(copy_small(tmp_path)), insulted().state)

    begun.hear(press(button))

    assert begun.says == ["name_calling.tell"]


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A folder of content whose questions were noted."""
    root = copy_small(tmp_path)
    content.release(Site(root=tmp_path, data=tmp_path, settings={"PORCHLIGHT_CONTENT_DIR": str(root)}))
    assert check(load(root)) == []
    return root


def test_a_released_question_may_not_vanish_without_a_word(released: Path) -> None:
    found = check(changed(released, ("what_helps", "wishes")))

    assert [str(problem) for problem in found if "stand at 'what_helps'" in problem.sentence] == [
        "flows/definitions/insults.yaml: visitors may stand at 'what_helps', which is gone. "
        "Write 'renamed: {what_helps: <node>}' to say where they go on."
    ]


def test_a_released_question_that_was_renamed_is_in_order(released: Path) -> None:
    assert not [problem for problem in check(renamed(released)) if "what_helps" in problem.sentence]


def test_a_released_flow_may_not_vanish_without_a_word(released: Path) -> None:
    book = moved(released)
    (released / "definitions/name_calling.yaml").write_text(
        (released / "definitions/name_calling.yaml").read_text().replace("formerly: [insults]\n", "")
    )

    assert not [problem for problem in check(book) if "formerly" in problem.sentence]
    assert "'insults' is gone. Write 'formerly: [insults]' in the flow that goes on with it." in [
        problem.sentence for problem in check(load(released))
    ]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("renamed: {old: wat_helps}", "'old' is renamed to 'wat_helps', and this flow has no such node."),
        ("renamed: {tell: what_helps}", "'tell' is renamed, but it still exists."),
        ("formerly: [thanks]", "'formerly: thanks' names a flow that still exists."),
    ],
)
def test_a_rule_that_leads_nowhere_is_told(tmp_path: Path, rule: str, sentence: str) -> None:
    found = check(changed(copy_small(tmp_path), ("nodes:", f"{rule}\nnodes:")))

    assert any(sentence in problem.sentence for problem in found), found
