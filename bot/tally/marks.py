"""What is there to be counted in one turn? Questions asked, flows begun and finished, steps of the course.

A mark names a place in the flows and what happened there, and never who, when or with which words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from flows.effects import OpenCase
from flows.engine import Turn
from flows.events import Event, VisitorLeft, WaitTimedOut
from flows.model import AskNode, Book, CollectNode, EndNode, SayNode, is_wait, targets
from flows.run import Step
from flows.state import Frame, State

#: Noted by every flow of the course, and kept as long as the conversation is.
_ON_THE_COURSE = "my_course_step"
_PART = re.compile(r"course_(?P<track>kids|teens|parents|teachers)_(?P<number>\d+)")
_DONE = "done"


class What(StrEnum):
    """What happened at a place in the flows."""

    # To a flow.
    BEGUN = "begun"
    FINISHED = "finished"
    # To a question. Asked and neither answered nor left for something else: the visitor fell silent.
    ASKED = "asked"
    ANSWERED = "answered"
    ELSEWHERE = "elsewhere"
    # To a visitor of the course, once in a conversation; a case may be opened more than once.
    COURSE_BEGUN = "course_begun"
    COURSE_PART = "course_part"
    COURSE_DONE = "course_done"
    COURSE_CASE = "course_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One thing to be counted."""

    what: What
    #: Empty for what belongs to no flow, or to no node of it.
    flow: str = ""
    node: str = ""
    locale: str


def marks(book: Book, *, before: State, event: Event, turn: Turn) -> Iterator[Mark]:
    """Everything that this turn adds to the sums."""
    locale = turn.state.locale
    for what, place in _questions(book, before=before, event=event, turn=turn):
        yield Mark(what=what, flow=place.flow, node=place.node, locale=locale)
    for what, flow in _flows(book, before=before, turn=turn):
        yield Mark(what=what, flow=flow, locale=locale)
    for what in _course(book, before=before, turn=turn):
        yield Mark(what=what, locale=locale)


def _questions(book: Book, *, before: State, event: Event, turn: Turn) -> Iterator[tuple[What, Frame]]:
    stood, stands = _asking(book, before), _asking(book, turn.state)
    if before.wait == turn.state.wait:
        # Still the same question: the visitor was not understood, or asked for something beside it.
        return
    answered = stood is not None and _answers(book, stood, turn.path)
    if stood is not None and not isinstance(event, WaitTimedOut | VisitorLeft):
        if answered:
            yield What.ANSWERED, stood
        elif stands is None or _place(stands) != _place(stood):
            yield What.ELSEWHERE, stood
    if stands is not None and (answered or stood is None or _place(stands) != _place(stood)):
        yield What.ASKED, stands


def _asking(book: Book, state: State) -> Frame | None:
    """The question that a conversation stands at."""
    if state.wait is None or not state.frames:
        return None
    return state.frames[-1] if _question(book, state.frames[-1]) is not None else None


def _question(book: Book, frame: Frame) -> AskNode | CollectNode | None:
    flow = book.flows.get(frame.flow)
    node = flow.nodes.get(frame.node) if flow else None
    return node if node is not None and is_wait(node) and isinstance(node, AskNode | CollectNode) else None


def _answers(book: Book, stood: Frame, path: tuple[Step, ...]) -> bool:
    """Whether a turn that came this way went on from the question, and not past it."""
    node = _question(book, stood)
    return bool(path) and node is not None and path[0].flow == stood.flow and path[0].node in targets(node)


def _place(frame: Frame) -> tuple[str, str]:
    return frame.flow, frame.node


def _flows(book: Book, *, before: State, turn: Turn) -> Iterator[tuple[What, str]]:
    under_way = {frame.flow for frame in before.frames}
    last = {step.flow: step.node for step in turn.path}
    for name, node in last.items():
        flow = book.flows.get(name)
        if flow is None:
            continue
        if name not in under_way and any(step.flow == name and step.node == flow.start for step in turn.path):
            yield What.BEGUN, name
        match flow.nodes.get(node):
            case EndNode() | SayNode(go=None):
                yield What.FINISHED, name


def _course(book: Book, *, before: State, turn: Turn) -> Iterator[What]:
    after = turn.state
    if after.answer(_ON_THE_COURSE) and not before.answer(_ON_THE_COURSE):
        yield What.COURSE_BEGUN
    if _parts(after) and not _parts(before):
        yield What.COURSE_PART
    if _tracks(book, after) and not _tracks(book, before):
        yield What.COURSE_DONE
    if after.answer(_ON_THE_COURSE) and any(isinstance(effect, OpenCase) for effect in turn.effects):
        yield What.COURSE_CASE


def _slot(part: re.Match[str]) -> str:
    return f"my_{part['track']}_{part['number']}"


def _parts(state: State) -> bool:
    """Whether any part of the course is done."""
    return any(
        slot.value == _DONE and _PART.fullmatch(f"course_{name.removeprefix('my_')}")
        for name, slot in state.slots.items()
    )


def _tracks(book: Book, state: State) -> bool:
    """Whether all parts of one track are done."""
    tracks: dict[str, bool] = {}
    for part in filter(None, map(_PART.fullmatch, book.flows)):
        done = state.answer(_slot(part)) == _DONE
        tracks[part["track"]] = tracks.get(part["track"], True) and done
    return any(tracks.values())
