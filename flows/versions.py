"""Where does a conversation go on that began before its flow was changed? Where the flow says, in writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from flows.model import Book, Flow, Problem, is_wait
from flows.page import did_you_mean
from flows.payload import Pressed
from flows.state import Frame, State

#: Names the questions that visitors may stand at; written by ``./porchlight check --release``, never by hand.
RELEASED_FILE = "released.yaml"


def brought_up_to_date(book: Book, state: State) -> tuple[Frame, ...]:
    """The frames of a state under the names that their flows and nodes have now."""
    return tuple(_frame(book, frame) for frame in state.frames)


def meant_now(book: Book, pressed: Pressed) -> Pressed:
    """What a button of an old message means under the names of now."""
    flow, node = _spot(book, pressed.flow, pressed.node)
    return replace(pressed, flow=flow, node=node)


def released(book: Book) -> Mapping[str, tuple[str, ...]]:
    """Every question of every flow, to be remembered when the book goes live."""
    return {
        flow.name: questions
        for flow in book.flows.values()
        if (questions := tuple(name for name, node in flow.nodes.items() if is_wait(node)))
    }


def check_versions(book: Book) -> Iterator[Problem]:
    """Every question that visitors may stand at and that is gone, with no word of where they go on."""
    for flow in book.flows.values():
        yield from _rules(book, flow)
    for name, questions in book.released.items():
        for question in questions:
            now, node = _spot(book, name, question)
            if now not in book.flows:
                sentence = f"'{name}' is gone. Write 'formerly: [{name}]' in the flow that goes on with it."
                yield Problem(file=f"definitions/{name}.yaml", line=0, sentence=sentence)
                break
            if node not in book.flows[now].nodes:
                sentence = (
                    f"visitors may stand at '{question}', which is gone. "
                    f"Write 'renamed: {{{question}: <node>}}' to say where they go on."
                )
                yield Problem(file=book.flows[now].file, line=0, sentence=sentence)


def _rules(book: Book, flow: Flow) -> Iterator[Problem]:
    for old, new in flow.renamed.items():
        if old in flow.nodes:
            yield Problem(file=flow.file, line=0, sentence=f"'{old}' is renamed, but it still exists.")
        if new not in flow.nodes:
            hint = did_you_mean(new, flow.nodes)
            sentence = f"'{old}' is renamed to '{new}', and this flow has no such node.{hint}"
            yield Problem(file=flow.file, line=0, sentence=sentence)
    for old in flow.formerly:
        if old in book.flows:
            yield Problem(
                file=flow.file, line=0, sentence=f"'formerly: {old}' names a flow that still exists."
            )


def _frame(book: Book, frame: Frame) -> Frame:
    flow, node = _spot(book, frame.flow, frame.node)
    return frame if (flow, node) == (frame.flow, frame.node) else replace(frame, flow=flow, node=node)


def _spot(book: Book, flow: str, node: str) -> tuple[str, str]:
    """Flow and node under the names of now; what nobody knows stays as it is."""
    now = flow if flow in book.flows else book.successors.get(flow, flow)
    renamed = book.flows[now].renamed if now in book.flows else {}
    return now, renamed.get(node, node)
