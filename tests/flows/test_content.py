"""May the real content go live?"""

from __future__ import annotations

from flows.checks import check
from flows.events import DangerLevel
from flows.model import DANGER_INTENTS, DANGER_QUESTION, HANDOVER, INCIDENTS, BranchNode, CaseNode, SetNode
from tests.flows.worlds import real_book


def test_the_real_content_has_no_problems() -> None:
    assert [str(problem) for problem in check(real_book())] == []


def test_the_four_languages_of_the_launch_are_there() -> None:
    assert set(real_book().locales) >= {"en", "ru", "be", "bn"}


def test_every_intent_that_the_engine_names_exists() -> None:
    assert real_book().intents.keys() >= INCIDENTS
    assert real_book().intents.keys() >= DANGER_INTENTS


def test_every_urgent_matter_has_its_own_question() -> None:
    book = real_book()
    start = book.flows[DANGER_QUESTION].nodes["start"]
    assert isinstance(start, BranchNode)

    urgent = {intent for intent, level in book.intents.items() if level.rank >= DangerLevel.URGENT.rank}

    # Whoever may want to die is asked where nothing else is known.
    assert start.cases.keys() == urgent - {"suicidal"}


def test_every_flow_says_for_whom_it_is_on_what_source_and_whether_reviewed() -> None:
    for flow in real_book().flows.values():
        assert flow.about.audience, flow.name
        assert flow.about.source, flow.name
        assert flow.about.reviewed, flow.name


def test_whatever_a_flow_says_it_is_about_reaches_the_helpline_under_that_name() -> None:
    book = real_book()
    nodes = [node for flow in book.flows.values() for node in flow.nodes.values()]
    handover = book.flows[HANDOVER].nodes
    which = handover["which"]
    assert isinstance(which, BranchNode)

    matters = {node.values["harm"] for node in nodes if isinstance(node, SetNode) and "harm" in node.values}
    reasons = {
        matter: node.reason
        for matter, spot in which.cases.items()
        if isinstance(node := handover[spot], CaseNode)
    }

    assert {matter: reasons.get(matter) for matter in matters} == {matter: matter for matter in matters}
