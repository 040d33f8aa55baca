"""Can a conversation get stuck or never reach a person? Checks of how nodes and flows are joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from flows import payload
from flows.assessment import Verdict
from flows.case_code import GIVEN
from flows.desk import NOBODY, SOMEBODY
from flows.events import DangerLevel
from flows.model import (
    CHANNELS,
    DANGER,
    DANGER_INTENTS,
    HANDOVER,
    INCIDENTS,
    REQUIRED_FLOWS,
    ROLES,
    UNKNOWN,
    AskNode,
    Book,
    BranchNode,
    CallNode,
    CaseNode,
    Flow,
    HandNode,
    Node,
    Problem,
    is_wait,
    targets,
    text_keys,
)
from flows.page import did_you_mean
from flows.state import Mode

TALK_TO_HUMAN = "talk_to_human"
#: Whatever a visitor is asked, these must work: a person, silence, deletion, another language, the menu.
ALWAYS_POSSIBLE = (TALK_TO_HUMAN, "stop", "delete_my_data", "change_language", "help")


def check_graph(book: Book) -> Iterator[Problem]:
    """Every problem of the arrows between nodes, flows and intents."""
    for name in REQUIRED_FLOWS:
        if name not in book.flows:
            yield Problem(
                file=f"definitions/{name}.yaml",
                line=0,
                sentence="this flow is missing; nothing works without it.",
            )
    for flow in book.flows.values():
        if not flow.about.source:
            sentence = "nobody can tell where this advice comes from: write 'about' with 'for' and 'source'."
            yield _problem(flow, 1, sentence)
        yield from _nodes(book, flow)
        yield from _loops(flow)
        yield from _person(book, flow)
    yield from _intents(book)


def reachable(flow: Flow, *, start: str) -> frozenset[str]:
    """The nodes that can be reached from a node, itself included."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name not in found and name in flow.nodes:
            found.add(name)
            ahead += targets(flow.nodes[name])
    return frozenset(found)


def first_sayings(book: Book, flow: Flow) -> tuple[tuple[Flow, str], ...]:
    """The nodes whose words a visitor can read first in this flow, also inside flows that it calls."""
    found: list[tuple[Flow, str]] = []
    seen: set[tuple[str, str]] = set()
    ahead = [(flow, flow.start)]
    while ahead:
        where, name = ahead.pop(0)
        if (where.name, name) in seen:
            continue
        seen.add((where.name, name))
        node = where.nodes[name]
        if text_keys(node) and not isinstance(node, CaseNode):
            found.append((where, name))
        elif isinstance(node, CallNode) and node.call in book.flows:
            called = book.flows[node.call]
            ahead.append((called, called.start))
        else:
            ahead += [(where, follower) for follower in targets(node)]
    return tuple(found)


def _problem(flow: Flow, line: int, sentence: str) -> Problem:
    return Problem(file=flow.file, line=line, sentence=sentence)


def _nodes(book: Book, flow: Flow) -> Iterator[Problem]:
    reached = reachable(flow, start=flow.start)
    for name, node in flow.nodes.items():
        if name not in reached:
            yield _problem(flow, node.line, f"nothing leads to the node '{name}'.")
        match node:
            case CallNode() if node.call not in book.flows:
                hint = did_you_mean(node.call, book.flows)
                yield _problem(
                    flow, node.line, f"'{name}' calls the flow '{node.call}', which does not exist.{hint}"
                )
            case HandNode() if node.document not in book.documents:
                hint = did_you_mean(node.document, book.documents)
                sentence = f"'{name}' hands over the document '{node.document}', which does not exist.{hint}"
                yield _problem(flow, node.line, sentence)
            case BranchNode():
                yield from _cases(book, flow, name, node)
            case AskNode():
                yield from _ask(flow, name, node)
            case _:
                pass


def _counted(flow: Flow, name: str, node: AskNode) -> Iterator[Problem]:
    """Where answers are counted for a class, nothing that follows may tell which one it was."""
    if len(set(node.choices.values())) != 1:
        sentence = f"the buttons of '{name}' must all lead to the same node: its answers are only counted."
        yield _problem(flow, node.line, sentence)
    for word in ("save", "options", "otherwise"):
        if getattr(node, word) is not None:
            sentence = f"'{name}' cannot have '{word}': its answers are only counted."
            yield _problem(flow, node.line, sentence)


def _ask(flow: Flow, name: str, node: AskNode) -> Iterator[Problem]:
    if node.counts:
        yield from _counted(flow, name, node)
    for slug in node.choices:
        size = len(payload.for_choice(flow=flow.name, node=name, slug=slug).encode())
        if size > payload.MAX_BYTES:
            yield _problem(
                flow,
                node.line,
                f"the button '{slug}' of '{name}' needs {size} bytes on Telegram, of {payload.MAX_BYTES}: "
                "shorten the name of the flow, the node or the button.",
            )
        if node.save == "role" and slug not in (*ROLES, "skip"):
            known = ", ".join(ROLES)
            yield _problem(
                flow, node.line, f"the button '{slug}' of '{name}' is saved as role, but is none of: {known}."
            )


def _cases(book: Book, flow: Flow, name: str, node: BranchNode) -> Iterator[Problem]:
    known: Mapping[str, Iterable[str]] = {
        "role": ROLES,
        "locale": book.locales,
        "channel": CHANNELS,
        "intent": book.intents,
        "mode": [mode.value for mode in Mode],
        "danger": [level.value for level in DangerLevel],
        "desk": [SOMEBODY, NOBODY],
        "code": [GIVEN],
        "assessment": [verdict.value for verdict in Verdict],
        "country": book.directory.countries,
    }
    if node.branch not in known:
        return
    for case in node.cases:
        if case != UNKNOWN and case not in known[node.branch]:
            hint = did_you_mean(case, known[node.branch])
            yield _problem(
                flow, node.line, f"'{name}' asks for the {node.branch} '{case}', which does not exist.{hint}"
            )


def _loops(flow: Flow) -> Iterator[Problem]:
    """A ring of nodes in which nobody is ever asked would go round for ever."""
    state: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> Iterator[Problem]:
        if name in path:
            ring = (*path[path.index(name) :], name)
            shown = " -> ".join(ring)
            yield _problem(
                flow, flow.nodes[name].line, f"these nodes go round without asking anything: {shown}."
            )
            return
        if state.get(name) or is_wait(flow.nodes[name]):
            return
        for follower in targets(flow.nodes[name]):
            yield from visit(follower, (*path, name))
        state[name] = 1

    for name in flow.nodes:
        yield from visit(name, ())


def _person(book: Book, flow: Flow) -> Iterator[Problem]:
    if INCIDENTS.isdisjoint(flow.intents) or flow.name == DANGER:
        return
    seen: set[str] = set()
    ahead = [flow.name]
    while ahead:
        name = ahead.pop()
        if name in seen or name not in book.flows:
            continue
        seen.add(name)
        if name == HANDOVER:
            return
        nodes: Iterable[Node] = (
            book.flows[name].nodes[spot] for spot in reachable(book.flows[name], start=book.flows[name].start)
        )
        for node in nodes:
            if isinstance(node, CaseNode):
                return
            if isinstance(node, CallNode):
                ahead.append(node.call)
    yield _problem(
        flow,
        0,
        f"this flow is about harm, but nothing in it leads to a person: call '{HANDOVER}' from a button.",
    )


def _intents(book: Book) -> Iterator[Problem]:
    claims: dict[str, list[Flow]] = {}
    for flow in book.flows.values():
        for intent in flow.intents:
            claims.setdefault(intent, []).append(flow)
            if intent not in book.intents:
                hint = did_you_mean(intent, book.intents)
                yield _problem(flow, flow.intents_line, f"there is no intent '{intent}'.{hint}")
    for intent, flows in claims.items():
        for first, second in pairwise(flows):
            yield _problem(
                second, second.intents_line, f"the intent '{intent}' already belongs to '{first.name}'."
            )
    for intent in book.intents:
        if intent not in claims and not (intent in DANGER_INTENTS and DANGER in book.flows):
            yield Problem(file="intents.yaml", line=0, sentence=f"no flow answers the intent '{intent}'.")
    for intent in ALWAYS_POSSIBLE:
        for flow in claims.get(intent, []):
            if not flow.interrupt:
                yield _problem(
                    flow,
                    flow.intents_line,
                    f"'{intent}' must work at any moment: write 'interrupt: true' in this flow.",
                )
