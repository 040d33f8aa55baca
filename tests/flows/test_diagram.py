"""Can an editor see the whole flow at a glance?"""

from __future__ import annotations

import pytest

from flows.diagram import draw, tree
from tests.flows.worlds import real_book, small_book


def test_a_flow_is_drawn_as_a_mermaid_flowchart() -> None:
    book = small_book()

    drawn = draw(book.flows["insults"], book.texts, locale="en").splitlines()

    assert drawn[0] == "flowchart TD"
    assert '  start(["insults"]) --> n_note' in drawn
    assert '  n_believe["believe: That hurts. / It is not your fault."]' in drawn
    assert '  n_what_helps -->|"Block them"| n_block' in drawn
    assert '  n_what_helps -->|"nothing for 10 minutes"| n_nudge' in drawn
    assert '  n_tell -->|"Skip"| n_calm' in drawn
    assert '  n_nudge -->|"anything else"| n_calm' in drawn


def test_a_flow_is_drawn_as_a_tree_in_which_nothing_stands_twice() -> None:
    book = small_book()

    drawn = tree(book.flows["block"], book.texts, locale="en")

    assert drawn == (
        "block\n"
        "└─ which: Where do they write?\n"
        "   ├─ any of the platforms -> steps: On {platform}: {block_steps}\n"
        "   │  └─ over: the flow ends\n"
        "   └─ Back -> over  (see above)\n"
    )


def test_quotes_do_not_break_the_drawing() -> None:
    book = small_book()
    drawn = draw(book.flows["delete_my_data"], book.texts, locale="en")

    assert all(line.count('"') % 2 == 0 for line in drawn.splitlines())


@pytest.mark.parametrize("flow", sorted(real_book().flows))
def test_every_real_flow_can_be_drawn_with_all_its_nodes(flow: str) -> None:
    book = real_book()

    picture = draw(book.flows[flow], book.texts, locale="ru")
    text = tree(book.flows[flow], book.texts, locale="bn")

    for node in book.flows[flow].nodes:
        assert f"n_{node}" in picture
        assert node in text
