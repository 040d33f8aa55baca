"""Is a flow's picture whole, without boxes on top of each other, and does it lead on to other pictures?"""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree as ET

import pytest

from flows.drawing import svg
from flows.layout import Layout, Link, Measures, layout
from flows.model import CallNode, EndNode
from tests.flows.worlds import real_book, small_book

SVG = "{http://www.w3.org/2000/svg}"
MEASURES = Measures(width=100, gap=50, between=10, entry=5)


def placed(*links: str, height: float = 20) -> Layout:
    """The layout of boxes with one letter for a name, which 'ab' joins."""
    names = {letter for link in links for letter in link}
    return layout(
        dict.fromkeys(sorted(names), height),
        [Link(source=link[0], target=link[1], offset=7) for link in links],
        start=links[0][0],
        measures=MEASURES,
    )


def texts_of(drawn: str) -> set[str]:
    root = ET.fromstring(drawn)  # noqa: S314 - it is our own picture.
    return {element.text or "" for element in root.iter() if element.tag in (f"{SVG}text", f"{SVG}title")}


# Where the boxes stand


def test_a_box_stands_to_the_right_of_all_that_lead_to_it() -> None:
    corners = placed("ab", "bc", "ac").corners

    assert [corners[name][0] for name in "abc"] == [0, 150, 300]


def test_a_row_of_boxes_is_level() -> None:
    corners = placed("ab", "bc").corners

    assert corners["b"][1] + MEASURES.entry == pytest.approx(corners["a"][1] + 7)
    assert corners["c"][1] + MEASURES.entry == pytest.approx(corners["b"][1] + 7)


def test_boxes_of_a_column_do_not_touch_and_the_highest_stands_at_the_top() -> None:
    corners = placed("ab", "ac", "ad").corners
    tops = sorted(corners[name][1] for name in "bcd")

    assert tops == pytest.approx([0, 30, 60])


def test_a_line_runs_from_the_right_side_of_a_box_to_the_left_side_of_another() -> None:
    found = placed("ab")

    assert found.routes[0] == ((100, 7), (150, 7))


def test_a_long_line_passes_a_column_beside_its_boxes() -> None:
    found = placed("ab", "bc", "ac")
    (_, _), (left, passed), (right, also), (_, _) = found.routes[2]
    top = found.corners["b"][1]

    assert (left, right) == (150, 250)
    assert passed == also
    assert not top <= passed <= top + 20


def test_a_way_back_has_no_line() -> None:
    found = placed("ab", "bc", "cb", "cc")

    assert found.back == {2, 3}
    assert found.routes.keys() == {0, 1}


def test_a_box_that_nothing_leads_to_is_left_out() -> None:
    assert placed("ab", "cd").corners.keys() == {"a", "b"}


def test_lines_do_not_cross_where_they_need_not() -> None:
    corners = placed("ab", "ac", "be", "cd").corners

    assert (corners["b"][1] < corners["c"][1]) == (corners["e"][1] < corners["d"][1])


# What is drawn


@pytest.mark.parametrize("flow", sorted(real_book().flows))
def test_every_real_flow_has_a_whole_picture_in_every_language(flow: str) -> None:
    book = real_book()
    for locale in book.locales:
        drawn = svg(book.flows[flow], book.texts, locale=locale)
        shown = texts_of(drawn)

        for name, node in book.flows[flow].nodes.items():
            assert name in shown or (isinstance(node, EndNode) and name != book.flows[flow].start)
            if isinstance(node, CallNode):
                assert f'href="{node.call}.svg"' in drawn


@pytest.mark.parametrize("flow", sorted(real_book().flows))
def test_no_two_boxes_of_a_real_flow_overlap(flow: str) -> None:
    book = real_book()
    root = ET.fromstring(svg(book.flows[flow], book.texts, locale="en"))  # noqa: S314
    frames = [
        tuple(float(frame.get(name, "0")) for name in ("x", "y", "width", "height"))
        for frame in root.iter(f"{SVG}rect")
        if frame.get("rx") == "6"
    ]
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))

    for x, y, wide, high in frames:
        assert x >= 0 <= y
        assert x + wide < width
        assert y + high < height
    for (x, y, wide, high), (other_x, other_y, _, other_high) in combinations(frames, 2):
        assert abs(x - other_x) >= wide or y + high < other_y or other_y + other_high < y


def test_a_picture_shows_words_buttons_ends_and_ways_back() -> None:
    book = small_book()

    shown = texts_of(svg(book.flows["insults"], book.texts, locale="en"))

    assert {"insults", "what_helps", "Block them", "nothing for 10 minutes", "↩ what_helps"} <= shown
    assert "For tests  ·  answers insults, threats  ·  reviewed: not yet" in shown


def test_a_long_text_is_cut_and_shown_in_full_at_the_pointer() -> None:
    book = real_book()
    text = book.texts.find("answer", flow="who_are_you", locale="en")
    assert text is not None

    drawn = svg(book.flows["who_are_you"], book.texts, locale="en")

    assert text.text in texts_of(drawn)
    assert any(shown.startswith("I am Porchlight") and len(shown) < 60 for shown in texts_of(drawn))
    assert any(shown.endswith("…") for shown in texts_of(drawn))
