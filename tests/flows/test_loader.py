"""Does the loader tell an editor where a file is wrong, what is wrong and what was perhaps meant?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flows.loader import ContentInvalid, load
from flows.model import AskNode, CollectNode, SayNode
from tests.flows.worlds import copy_small, small_book

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write one file of a copy of the small content and return the copy."""
    root = copy_small(tmp_path)

    def put(file: str, words: str) -> Path:
        (root / file).write_text(words, encoding="utf-8")
        return root

    return put


def problems(root: Path) -> list[str]:
    with pytest.raises(ContentInvalid) as refused:
        load(root)
    return [str(problem) for problem in refused.value.problems]


def flow(nodes: str, *, name: str = "extra") -> str:
    return f"flow: {name}\nnodes:\n" + "\n".join(f"  {line}" for line in nodes.strip().splitlines()) + "\n"


def test_a_good_folder_becomes_a_book_with_flows_texts_directory_and_intents() -> None:
    book = small_book()

    assert book.locales == ("en", "ru")
    assert book.answers["threats"] == "insults"
    ask = book.flows["insults"].nodes["what_helps"]
    assert isinstance(ask, AskNode)
    assert ask.timeout is not None
    assert ask.timeout.after == timedelta(minutes=10)
    assert list(ask.choices) == ["block", "tell", "yes", "no", "person"]
    collect = book.flows["insults"].nodes["tell"]
    assert isinstance(collect, CollectNode)
    assert collect.timeout is not None
    assert collect.timeout.after == timedelta(seconds=30)
    assert isinstance(book.flows["insults"].nodes["calm"], SayNode)


def test_a_button_that_leads_nowhere_is_named_with_file_line_and_a_guess(write: Write) -> None:
    root = write(
        "definitions/extra.yaml",
        flow("ask: {ask: question, choices: {proof: prof}}\nproof_steps: {end: true}\nproof: {end: true}"),
    )

    assert problems(root) == [
        "flows/definitions/extra.yaml, line 3: the button 'proof' of 'ask' leads to 'prof', "
        "and this flow has no such node. Did you mean 'proof'?"
    ]


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        ("a: {say: hi, go: b}", "'go' of 'a' leads to 'b', and this flow has no such node."),
        ("a: {branch: role, cases: {teen: x}, else: a}", "the case 'teen' of 'a' leads to 'x'"),
        ("a: {collect: hi, save: s, go: a, skip: y}", "'skip' of 'a' leads to 'y'"),
        (
            "a: {collect: hi, save: s, go: a, timeout: {after: 5m, go: z}}",
            "the timeout of 'a' leads to 'z'",
        ),
        ("a: {say: hi}", "the node 'a' needs either 'go' (what comes next) or 'end: true'."),
        ("a: {sya: hi, go: a}", "the node 'a' does nothing. A node does exactly one of: say,"),
        ("a: {say: hi, ask: ho, go: a}", "the node 'a' does two things at once: say, ask."),
        ("a: {say: hi, go: a, colour: red}", "the node 'a' cannot have 'colour'."),
        ("a: {ask: hi, chioces: {x: a}}", "Did you mean 'choices'?"),
        ("a: {ask: hi}", "the node 'a' asks, but offers no button: add 'choices' or 'options'."),
        ("a: {ask: hi, options: cities, go: a}", "'options' of the node 'a' cannot be 'cities'"),
        ("a: {ask: hi, options: countries}", "the node 'a' offers countries, but does not say where they go"),
        ("a: {ask: hi, choices: {x: a}, go: a}", "'go' of the node 'a' is never used"),
        (
            "a: {ask: hi, choices: {" + ", ".join(f"c{n}: a" for n in range(9)) + "}}",
            "the node 'a' has 9 buttons; more than 8 do not fit on a phone.",
        ),
        (
            "a: {ask: hi, choices: {x: a}, timeout: {after: ten minutes, go: a}}",
            "'after: ten minutes' is not a time. Write for example 30s, 10m, 2h or 1d.",
        ),
        ("a: {ask: hi, choices: {x: a}, timeout: {after: 0m, go: a}}", "'after: 0m' is not a time."),
        ("a: {ask: hi, choices: {x: a}, timeout: {go: a}}", "the timeout of the node 'a' needs 'after'."),
        ("a: {branch: rolle, cases: {teen: a}, else: a}", "cannot branch on 'rolle'"),
        ("a: {branch: role, cases: {teen: a}}", "the node 'a' needs 'else'."),
        ("a: {call: block}", "the node 'a' needs 'go'."),
        ("a: {effect: explode, go: a}", "'effect' of the node 'a' cannot be 'explode'"),
        (
            "a: {open_case: {reason: x, danger: high, consent: y}, go: a}",
            "'danger' of the node 'a' cannot be",
        ),
        (
            "a: {open_case: {reason: x, danger: urgent}, go: a}",
            "'open_case' of the node 'a' needs 'consent'.",
        ),
        ("a: {end: false}", "the node 'a' must say 'end: true'."),
        ("A node: {end: true}", "the node's name 'A node' must be small letters"),
        ("a: {end: true}\na: {end: true}", "'a' stands twice in 'nodes'; the first is on line 3."),
        ("a: [say, hi]", "the node 'a' must be written as 'name: value' lines."),
        ("a: {say: {hi: ho}, end: true}", "'say' of the node 'a' must be a list."),
        ("a: {say: '', end: true}", "'say' of the node 'a' is empty."),
    ],
)
def test_a_broken_node_is_told_in_a_sentence(write: Write, nodes: str, sentence: str) -> None:
    root = write("definitions/extra.yaml", flow(nodes))

    assert any(sentence in problem for problem in problems(root)), problems(root)


def test_all_problems_of_all_files_come_at_once(write: Write) -> None:
    write("definitions/extra.yaml", flow("a: {say: hi}\nb: {call: block}"))
    root = write("texts/en/insults.yaml", "reviewed: not yet\nbelieve: ''\n")

    found = problems(root)

    assert [problem.split(",")[0] for problem in found] == [
        "flows/definitions/extra.yaml",
        "flows/definitions/extra.yaml",
        "flows/texts/en/insults.yaml",
    ]


@pytest.mark.parametrize(
    ("file", "words", "sentence"),
    [
        (
            "definitions/extra.yaml",
            "flow: other\nnodes:\n  a: {end: true}\n",
            "is called 'extra.yaml', but it says",
        ),
        ("definitions/extra.yaml", "flow: extra\n", "the file needs 'nodes'."),
        ("definitions/extra.yaml", "flow: extra\nnodes: {}\n", "this flow has no nodes."),
        ("definitions/extra.yaml", "", "the file is empty."),
        ("definitions/extra.yaml", "flow: extra\nnodes: {a: {end: true}\n", "this line cannot be read"),
        ("definitions/extra.yaml", "- a\n- b\n", "the file must be written as 'name: value' lines."),
        (
            "definitions/extra.yaml",
            "flow: extra\nstart: b\nnodes:\n  a: {end: true}\n",
            "the flow starts at 'b', and this flow has no such node.",
        ),
        (
            "definitions/extra.yaml",
            "flow: extra\ninterrupt: perhaps\nnodes:\n  a: {end: true}\n",
            "'interrupt' cannot be 'perhaps', only one of: true, false.",
        ),
        ("texts/en/extra.yaml", "Big Key: hi\n", "'Big Key' is not a text's name"),
        ("texts/en/extra.yaml", "hi: hello\n", "does not say who has reviewed its texts: write"),
        ("texts/en/extra.yaml", "reviewed: yes\n", "'reviewed: yes' must be 'not yet', or who and when"),
        ("texts/en/extra.yaml", "reviewed: Anna, 2026-02-30\n", "must be 'not yet', or who and when"),
        ("texts/en/extra.yaml", "hi@uncle: hello\n", "'@uncle' is neither a role"),
        ("texts/en/extra.yaml", "hi: {choices: {a: b}}\n", "the text 'hi' needs 'text'."),
        (
            "texts/en/extra.yaml",
            "hi: {text: a, choices: {a: {b: c}}}\n",
            "the title of 'a' must be a single text.",
        ),
        ("intents.yaml", "intents: {insults: {danger: big, means: x}}\n", "'danger' cannot be 'big'"),
        ("directory/helplines.yaml", "countries: {}\n", "the file needs 'takedown'."),
        (
            "directory/helplines.yaml",
            "countries: {Belarus: {lines: [{name: a}]}}\ninternational: []\ntakedown: []\n",
            "'Belarus' is not a country's two capital letters, such as BY.",
        ),
        (
            "directory/helplines.yaml",
            "countries: {BY: {lines: [{name: a, phones: []}]}}\ninternational: []\ntakedown: []\n",
            "a helpline needs 'confidence'.",
        ),
        (
            "directory/platforms.yaml",
            "platforms: {vk: {name: VK, block: {en: press}}}\n",
            "'block' of the platform 'vk' needs either 'source' and 'checked', or 'generic: true'.",
        ),
        (
            "directory/platforms.yaml",
            "platforms: {vk: {name: VK, block: {generic: true, source: x, checked: 2026-11, en: press}}}\n",
            "needs either 'source' and 'checked', or 'generic: true'.",
        ),
        (
            "directory/platforms.yaml",
            "platforms: {vk: {name: VK, block: {source: x, checked: lately, en: press}}}\n",
            "must be a year and a month, such as 2026-11.",
        ),
        (
            "directory/platforms.yaml",
            "platforms: {vk: {name: VK, block: {generic: true, sorce: x}}}\n",
            "'block' of the platform 'vk' cannot have 'sorce'. Did you mean 'source'?",
        ),
        (
            "directory/platforms.yaml",
            f"platforms: {{vk: {{name: VK, block: {{generic: true, en: {'x' * 241}}}}}}}\n",
            "is 241 letters long; steps have 240.",
        ),
        (
            "directory/platforms.yaml",
            "platforms: {vk: {name: VK}, vkontakte: {name: Site, nicknames: [Vk]}}\n",
            "'vk' is a name of 'vk' and of 'vkontakte'.",
        ),
        (
            "directory/platforms.yaml",
            "most_used: {BY: [telegrm], Minsk: []}\nplatforms: {telegram: {name: Telegram}}\n",
            "there is no platform 'telegrm'. Did you mean 'telegram'?",
        ),
        (
            "directory/platforms.yaml",
            "most_used: {BY: [telegrm], Minsk: []}\nplatforms: {telegram: {name: Telegram}}\n",
            "'Minsk' is neither a country, such as BY, nor 'everywhere'.",
        ),
        ("directory/platforms.yaml", "platforms: {vk: {name: VK}}\n", "'other' is missing"),
    ],
)
def test_a_broken_file_is_told_in_a_sentence(write: Write, file: str, words: str, sentence: str) -> None:
    root = write(file, words)

    assert any(sentence in problem for problem in problems(root)), problems(root)


def test_a_file_that_is_not_utf_8_is_told(write: Write) -> None:
    root = write("definitions/extra.yaml", "")
    (root / "definitions" / "extra.yaml").write_bytes("flow: обида".encode("cp1251"))

    assert "flows/definitions/extra.yaml: the file is not saved as UTF-8." in problems(root)


def test_missing_files_are_named(tmp_path: Path) -> None:
    found = problems(tmp_path)

    assert "flows/intents.yaml: this file is missing." in found
    assert "flows/directory/helplines.yaml: this file is missing." in found
    assert "flows/texts: there is no folder with texts in any language." in found


def test_a_file_nested_beyond_reason_is_refused(write: Write) -> None:
    root = write("definitions/extra.yaml", "flow: " + "[" * 60 + "]" * 60)

    assert any("deep in each other" in problem for problem in problems(root))
