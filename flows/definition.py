"""Is this file a flow? Turns the tree of ``definitions/<flow>.yaml`` into nodes and notes what is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from flows.events import DangerLevel
from flows.model import (
    BRANCHES,
    EFFECTS,
    MAX_CHOICES,
    OPTIONS,
    About,
    AskNode,
    BranchNode,
    CallNode,
    CaseNode,
    CollectNode,
    EffectNode,
    EndNode,
    Flow,
    HandNode,
    Node,
    SayNode,
    SetNode,
    Timeout,
    targets,
)
from flows.page import Entry, Group, Leaf, Page, Tree, did_you_mean
from flows.review import NOT_YET

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,4})([smhd])")
_COUNTRY = re.compile(r"[A-Z]{2}")
_FLOW_KEYS = ("about", "flow", "formerly", "renamed", "intents", "start", "interrupt", "nodes")
_ABOUT_KEYS = ("for", "source", "reviewed")


def read_flow(page: Page, tree: Tree, *, name: str) -> Flow | None:
    """The flow, or None when the file is too broken to hold one; problems go to the page."""
    top = page.group(tree, "the file", known=_FLOW_KEYS, required=("flow", "nodes"))
    if "nodes" not in top:
        return None
    if "flow" in top and (said := page.word(top["flow"].value, "'flow'")) != name:
        page.problem(top["flow"].line, f"the file is called '{name}.yaml', but it says 'flow: {said}'.")
    page.check_slug(name, "the flow's name", line=1)
    nodes: dict[str, Node] = {}
    for entry in page.group(top["nodes"].value, "'nodes'").values():
        page.check_slug(entry.key, "the node's name", line=entry.line)
        if node := _read_node(page, entry):
            nodes[entry.key] = node
    start = page.word(top["start"].value, "'start'") if "start" in top else next(iter(nodes), "")
    if not nodes:
        if not page.problems:
            page.problem(top["nodes"].line, "this flow has no nodes.")
        return None
    if "start" in top and start not in nodes:
        page.problem(top["start"].line, f"the flow starts at '{start}', {_missing(start, nodes)}")
        start = next(iter(nodes))
    _check_targets(page, nodes, written=top["nodes"].value)
    return Flow(
        name=name,
        file=page.file,
        about=read_about(page, top["about"].value) if "about" in top else About(),
        intents=page.words(top["intents"].value, "'intents'") if "intents" in top else (),
        intents_line=top["intents"].line if "intents" in top else 0,
        start=start,
        interrupt="interrupt" in top and page.yes_or_no(top["interrupt"].value, "'interrupt'"),
        nodes=MappingProxyType(nodes),
        formerly=page.words(top["formerly"].value, "'formerly'") if "formerly" in top else (),
        renamed=_renamed(page, top["renamed"].value) if "renamed" in top else MappingProxyType({}),
    )


def _renamed(page: Page, tree: Tree) -> Mapping[str, str]:
    rules = page.group(tree, "'renamed'").values()
    return MappingProxyType({rule.key: page.word(rule.value, f"'{rule.key}'") for rule in rules})


def read_about(page: Page, tree: Tree) -> About:
    """For whom this is, where its advice comes from, and who has reviewed it."""
    parts = page.group(tree, "'about'", known=_ABOUT_KEYS, required=_ABOUT_KEYS)
    said = {
        key: page.word(parts[key].value, f"'{key}' of 'about'") for key in ("for", "source") if key in parts
    }
    return About(
        audience=said.get("for", ""),
        source=said.get("source", ""),
        reviewed=page.review(parts["reviewed"].value) if "reviewed" in parts else NOT_YET,
    )


def _missing(target: str, nodes: Mapping[str, Node]) -> str:
    return f"and this flow has no such node.{did_you_mean(target, nodes)}"


def _check_targets(page: Page, nodes: Mapping[str, Node], *, written: Tree) -> None:
    """Every arrow must end at a node; the sentence names the button or word that the arrow belongs to."""
    spots = {entry.key: entry for entry in written.entries} if isinstance(written, Group) else {}
    for name, node in nodes.items():
        broken = {target for target in targets(node) if target not in nodes}
        if not broken:
            continue
        for spot, target, line in _arrows(spots[name].value):
            if target in broken:
                page.problem(line, f"{spot} of '{name}' leads to '{target}', {_missing(target, nodes)}")


def _arrows(tree: Tree) -> list[tuple[str, str, int]]:
    """What of a node points at another node: how it is called, the target, its line."""
    found: list[tuple[str, str, int]] = []
    for entry in tree.entries if isinstance(tree, Group) else ():
        inner = entry.value.entries if isinstance(entry.value, Group) else ()
        if entry.key in ("go", "skip", "otherwise", "else") and isinstance(entry.value, Leaf):
            found.append((f"'{entry.key}'", entry.value.value.strip(), entry.line))
        elif entry.key in ("choices", "cases"):
            word = "the button" if entry.key == "choices" else "the case"
            found += [
                (f"{word} '{leaf.key}'", leaf.value.value.strip(), leaf.line)
                for leaf in inner
                if isinstance(leaf.value, Leaf)
            ]
        elif entry.key == "timeout":
            found += [
                ("the timeout", leaf.value.value.strip(), leaf.line)
                for leaf in inner
                if leaf.key == "go" and isinstance(leaf.value, Leaf)
            ]
    return found


def _read_node(page: Page, entry: Entry) -> Node | None:
    what = f"the node '{entry.key}'"
    if not isinstance(entry.value, Group):
        page.problem(entry.line, f"{what} must be written as 'name: value' lines.")
        return None
    keys = [inner.key for inner in entry.value.entries]
    kinds = [kind for kind in _READERS if kind in keys]
    if "say" in kinds and "end" in kinds:
        kinds.remove("end")  # The last words of a flow may stand at its end.
    if len(kinds) != 1:
        options = ", ".join(_READERS)
        clash = f"does two things at once: {', '.join(kinds)}" if kinds else "does nothing"
        hint = "" if kinds else "".join(did_you_mean(key, _READERS) for key in keys[:1])
        page.problem(entry.line, f"{what} {clash}. A node does exactly one of: {options}.{hint}")
        return None
    known, required, read = _READERS[kinds[0]]
    parts = page.group(entry.value, what, known=(kinds[0], *known), required=required)
    if any(key not in parts for key in required):
        return None
    return read(page, _Parts(page, parts, what=what, line=entry.line))


class _Parts:
    """The entries of one node and how to read each."""

    def __init__(self, page: Page, parts: Mapping[str, Entry], *, what: str, line: int) -> None:
        self.page, self.parts, self.what, self.line = page, parts, what, line

    def has(self, key: str) -> bool:
        return key in self.parts

    def word(self, key: str) -> str:
        return self.page.word(self.parts[key].value, f"'{key}' of {self.what}")

    def maybe(self, key: str) -> str | None:
        return self.word(key) if key in self.parts else None

    def one_of(self, key: str, known: tuple[str, ...]) -> str:
        return self.page.one_of(self.parts[key].value, f"'{key}' of {self.what}", known=known)

    def tree(self, key: str) -> Tree:
        return self.parts[key].value

    def words_by_slug(self, key: str) -> Mapping[str, str]:
        """``slug: word`` lines, in their order."""
        found: dict[str, str] = {}
        if key in self.parts:
            for entry in self.page.group(self.tree(key), f"'{key}' of {self.what}").values():
                if not _COUNTRY.fullmatch(entry.key):
                    self.page.check_slug(entry.key, "the name", line=entry.line)
                found[entry.key] = self.page.word(entry.value, f"'{entry.key}' of {self.what}")
        return MappingProxyType(found)

    def timeout(self) -> Timeout | None:
        if "timeout" not in self.parts:
            return None
        what = f"the timeout of {self.what}"
        inner = self.page.group(self.tree("timeout"), what, known=("after", "go"), required=("after", "go"))
        if len(inner) < 2:
            return None
        after = self.page.word(inner["after"].value, f"'after' of {what}")
        read = _DURATION.fullmatch(after)
        if after and (read is None or int(read[1]) == 0):
            line = inner["after"].line
            self.page.problem(line, f"'after: {after}' is not a time. Write for example 30s, 10m, 2h or 1d.")
        if read is None:
            return None
        length = timedelta(**{_UNITS[read[2]]: int(read[1])})
        return Timeout(after=length, go=self.page.word(inner["go"].value, f"'go' of {what}"))


def _say(page: Page, parts: _Parts) -> Node | None:
    keys = page.words(parts.tree("say"), f"'say' of {parts.what}")
    ends = parts.has("end") and page.yes_or_no(parts.tree("end"), f"'end' of {parts.what}")
    if ends == parts.has("go"):
        page.problem(parts.line, f"{parts.what} needs either 'go' (what comes next) or 'end: true'.")
        return None
    return SayNode(line=parts.line, say=keys, go=parts.maybe("go"))


def _ask(page: Page, parts: _Parts) -> Node | None:
    choices = parts.words_by_slug("choices")
    options = (parts.one_of("options", OPTIONS) or None) if parts.has("options") else None
    if not choices and not parts.has("options"):
        page.problem(parts.line, f"{parts.what} asks, but offers no button: add 'choices' or 'options'.")
        return None
    if len(choices) > MAX_CHOICES:
        page.problem(
            parts.parts["choices"].line,
            f"{parts.what} has {len(choices)} buttons; more than {MAX_CHOICES} do not fit on a phone.",
        )
    if options not in (None, "guesses") and not parts.has("go"):
        page.problem(parts.line, f"{parts.what} offers {options}, but does not say where they go: add 'go'.")
        return None
    if parts.has("go") and options in (None, "guesses"):
        page.problem(
            parts.parts["go"].line, f"'go' of {parts.what} is never used: its buttons say where they go."
        )
    return AskNode(
        line=parts.line,
        ask=parts.word("ask"),
        choices=choices,
        options=options,
        go=parts.maybe("go"),
        save=parts.maybe("save"),
        timeout=parts.timeout(),
        otherwise=parts.maybe("otherwise"),
        counts=parts.has("counts") and page.yes_or_no(parts.tree("counts"), f"'counts' of {parts.what}"),
    )


def _collect(page: Page, parts: _Parts) -> Node:
    return CollectNode(
        line=parts.line,
        collect=parts.word("collect"),
        save=page.slug(parts.tree("save"), f"'save' of {parts.what}"),
        go=parts.word("go"),
        skip=parts.maybe("skip"),
        timeout=parts.timeout(),
    )


def _branch(page: Page, parts: _Parts) -> Node | None:
    branch = parts.word("branch")
    if not branch.startswith("slot:") and branch not in BRANCHES:
        hint = did_you_mean(branch, BRANCHES)
        known = ", ".join(BRANCHES)
        page.problem(
            parts.line, f"{parts.what} cannot branch on '{branch}', only on {known} or slot:<name>.{hint}"
        )
        return None
    return BranchNode(
        line=parts.line, branch=branch, cases=parts.words_by_slug("cases"), otherwise=parts.word("else")
    )


def _call(page: Page, parts: _Parts) -> Node:
    del page
    return CallNode(line=parts.line, call=parts.word("call"), go=parts.word("go"))


def _set(page: Page, parts: _Parts) -> Node:
    del page
    return SetNode(line=parts.line, values=parts.words_by_slug("set"), go=parts.word("go"))


def _open_case(page: Page, parts: _Parts) -> Node | None:
    what = f"'open_case' of {parts.what}"
    keys = ("reason", "danger", "consent")
    inner = page.group(parts.tree("open_case"), what, known=keys, required=keys)
    if len(inner) < len(keys):
        return None
    levels = tuple(level.value for level in DangerLevel)
    danger = page.one_of(inner["danger"].value, f"'danger' of {parts.what}", known=levels)
    return CaseNode(
        line=parts.line,
        reason=page.word(inner["reason"].value, f"'reason' of {parts.what}"),
        danger=DangerLevel(danger or DangerLevel.NONE),
        consent=page.word(inner["consent"].value, f"'consent' of {parts.what}"),
        go=parts.word("go"),
    )


def _effect(page: Page, parts: _Parts) -> Node:
    del page
    return EffectNode(line=parts.line, effect=parts.one_of("effect", EFFECTS), go=parts.word("go"))


def _hand(page: Page, parts: _Parts) -> Node:
    document = page.slug(parts.tree("hand"), f"'hand' of {parts.what}")
    return HandNode(line=parts.line, document=document, go=parts.word("go"))


def _end(page: Page, parts: _Parts) -> Node:
    if not page.yes_or_no(parts.tree("end"), f"'end' of {parts.what}"):
        page.problem(parts.line, f"{parts.what} must say 'end: true'.")
    return EndNode(line=parts.line)


_Reader = Callable[[Page, _Parts], Node | None]
#: Kind of node (its first key) to: further keys, keys that it needs, how it is read.
_READERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], _Reader]] = {
    "say": (("go", "end"), (), _say),
    "ask": (("choices", "options", "go", "save", "timeout", "otherwise", "counts"), (), _ask),
    "collect": (("save", "go", "skip", "timeout"), ("save", "go"), _collect),
    "branch": (("cases", "else"), ("cases", "else"), _branch),
    "call": (("go",), ("go",), _call),
    "set": (("go",), ("go",), _set),
    "open_case": (("go",), ("go",), _open_case),
    "effect": (("go",), ("go",), _effect),
    "hand": (("go",), ("go",), _hand),
    "end": ((), (), _end),
}
