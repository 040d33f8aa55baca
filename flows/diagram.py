"""What does a flow look like? Draws it as a Mermaid flowchart and as a tree for the terminal."""

from __future__ import annotations

from datetime import timedelta

from flows.model import (
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
    targets,
    text_keys,
)
from flows.texts import Texts

#: So much of a text is shown in a box; the rest is in the text file.
MAX_WORDS = 60
_END = "the flow ends"


def draw(flow: Flow, texts: Texts, *, locale: str) -> str:
    """The flow as a Mermaid flowchart: every node a box with the first words of what it says."""
    lines = ["flowchart TD", f"  start([{_quoted(flow.name)}]) --> {_box(flow.start)}"]
    for name, node in flow.nodes.items():
        opening, closing = ("{", "}") if isinstance(node, BranchNode) else ("[", "]")
        label = _quoted(f"{name}: {gist(node, texts, flow=flow, locale=locale)}")
        lines.append(f"  {_box(name)}{opening}{label}{closing}")
        lines += [
            f"  {_box(name)} -->|{_quoted(label)}| {_box(target)}"
            if label
            else f"  {_box(name)} --> {_box(target)}"
            for label, target in arrows(node, texts, flow=flow, locale=locale)
        ]
    return "\n".join(lines) + "\n"


def tree(flow: Flow, texts: Texts, *, locale: str) -> str:
    """The flow as an indented tree; a node that was shown before is only named."""
    lines = [f"{flow.name}" + (f"  (intents: {', '.join(flow.intents)})" if flow.intents else "")]
    shown: set[str] = set()

    def grow(name: str, label: str, stem: str, *, last: bool) -> None:
        node = flow.nodes[name]
        text = f"{label} -> {name}" if label else name
        fork = "└─ " if last else "├─ "
        if name in shown:
            lines.append(f"{stem}{fork}{text}  (see above)")
            return
        shown.add(name)
        lines.append(f"{stem}{fork}{text}: {gist(node, texts, flow=flow, locale=locale)}")
        below = stem + ("   " if last else "│  ")
        followers = arrows(node, texts, flow=flow, locale=locale)
        for place, (word, target) in enumerate(followers, start=1):
            grow(target, word, below, last=place == len(followers))

    grow(flow.start, "", "", last=True)
    return "\n".join(lines) + "\n"


def arrows(node: Node, texts: Texts, *, flow: Flow, locale: str) -> list[tuple[str, str]]:
    """What leads on from a node: the word on the arrow (a button's title, a case) and the node it ends at."""
    match node:
        case AskNode():
            text = texts.find(node.ask, flow=flow.name, locale=locale)
            found = [
                (texts.title(slug, flow=flow.name, locale=locale, text=text) or slug, target)
                for slug, target in node.choices.items()
            ]
            if node.options and node.go:
                found.insert(0, (f"any of the {node.options}", node.go))
            if node.otherwise:
                found.append(("anything else", node.otherwise))
        case CollectNode():
            found = [("what they write", node.go)]
            if node.skip:
                found.append((texts.title("skip", flow=flow.name, locale=locale) or "skip", node.skip))
        case BranchNode():
            found = [*node.cases.items(), ("else", node.otherwise)]
        case _:
            found = [("", target) for target in targets(node)]
    if isinstance(node, AskNode | CollectNode) and node.timeout:
        found.append((f"nothing for {_span(node.timeout.after)}", node.timeout.go))
    return found


def _span(time: timedelta) -> str:
    """A time as an editor wrote it: in the greatest unit that fits."""
    seconds = int(time.total_seconds())
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % size == 0:
            number = seconds // size
            return f"{number} {name}{'' if number == 1 else 's'}"
    return f"{seconds} seconds"


def gist(node: Node, texts: Texts, *, flow: Flow, locale: str) -> str:
    """What a node does, in a few words."""
    match node:
        case SayNode() | AskNode() | CollectNode():
            words = " / ".join(
                found.text if (found := texts.find(key, flow=flow.name, locale=locale)) else key
                for key in text_keys(node)
            )
            gist = _short(words) + (f", then {_END}" if isinstance(node, SayNode) and node.go is None else "")
        case BranchNode():
            gist = f"which {node.branch.removeprefix('slot:')}?"
        case CallNode():
            gist = f"runs '{node.call}' and comes back"
        case SetNode():
            gist = "notes " + ", ".join(f"{name} = {value}" for name, value in node.values.items())
        case CaseNode():
            gist = f"opens a case ({node.reason}, {node.danger})"
        case EffectNode():
            gist = node.effect.replace("_", " ")
        case HandNode():
            gist = f"hands over '{node.document}'"
        case EndNode():
            gist = _END
    return gist


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1].rstrip() + "…"


def _box(node: str) -> str:
    # A bare 'end' closes a subgraph in Mermaid.
    return f"n_{node}"


def _quoted(text: str) -> str:
    # Mermaid has its own entity for a quotation mark inside quotes.
    return '"' + text.replace('"', "#quot;") + '"'
