"""What does a flow look like on one picture? A box a node, its words, and where each button leads, as SVG."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from flows.diagram import arrows, gist
from flows.layout import Layout, Link, Measures, layout
from flows.model import (
    AskNode,
    BranchNode,
    CallNode,
    CaseNode,
    CollectNode,
    EndNode,
    Flow,
    Node,
    SayNode,
    text_keys,
)
from flows.texts import Texts

Point = tuple[float, float]

_WIDTH, _GAP, _BETWEEN, _MARGIN = 280.0, 90.0, 28.0, 30.0
_HEADER, _LINE, _ROW, _PADDING = 24.0, 17.0, 22.0, 8.0
_FONT = 13.0
_FONTS = "system-ui, Noto Sans, Noto Sans Bengali, sans-serif"
#: So many lines of a text are shown; all of it appears when the pointer rests on the box.
_MAX_LINES = 3
#: What stands above the picture, and room to the right of the last box for "goes back to".
_TITLE, _RIGHT = 58.0, 170.0
_INK, _PALE, _BORDER, _ARROW = "#1c2733", "#5b6875", "#b9c3cd", "#73808d"
_PAPER, _GROUND = "#ffffff", "#f7f9fb"
#: What a box is for, and the colour of its head.
_KINDS: Mapping[str, str] = {
    "says": "#2c6e55",
    "asks": "#1f5fa6",
    "listens": "#6a4a9c",
    "chooses": "#8a6100",
    "runs": "#17707c",
    "case": "#a63232",
    "does": "#56616d",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """A way on: what is on the button or the case, and the node behind it (empty: the flow ends)."""

    label: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """A node as it is drawn."""

    name: str
    kind: str
    lines: tuple[str, ...]
    #: All of the words.
    whole: str
    ways: tuple[_Way, ...]
    #: The flow that the box runs, or empty.
    call: str

    @property
    def body(self) -> float:
        """The height of head and words."""
        return _HEADER + len(self.lines) * _LINE + _PADDING * 1.5

    @property
    def rows(self) -> tuple[_Way, ...]:
        """The ways on that have a word; a box with one way and no word has no rows."""
        return tuple(way for way in self.ways if way.label)

    @property
    def height(self) -> float:
        """The height of head, words and rows."""
        return self.body + len(self.rows) * _ROW

    def leaves(self, place: int) -> float:
        """How far below the top of the box a way on begins."""
        return self.body + (place + 0.5) * _ROW if self.rows else _HEADER / 2


def svg(flow: Flow, texts: Texts, *, locale: str) -> str:
    """The flow as an SVG document.

    A box that runs another flow links to ``<flow>.svg`` beside this picture. A way to the end of the flow and
    one that leads back are short marks, since their lines would cross all others.
    """
    boxes = {
        name: _box(name, node, texts, flow=flow, locale=locale)
        for name, node in flow.nodes.items()
        if name == flow.start or not isinstance(node, EndNode)
    }
    ways = [(box, place, way) for box in boxes.values() for place, way in enumerate(box.ways)]
    leading = [number for number, (_, _, way) in enumerate(ways) if way.target in boxes]
    placed = layout(
        {name: box.height for name, box in boxes.items()},
        [
            Link(source=box.name, target=way.target, offset=box.leaves(place))
            for box, place, way in (ways[number] for number in leading)
        ],
        start=flow.start,
        measures=Measures(width=_WIDTH, gap=_GAP, between=_BETWEEN, entry=_HEADER / 2),
    )
    routes = {leading[number]: points for number, points in placed.routes.items()}
    parts = [
        _arrow(points, name=f"{ways[number][0].name} → {ways[number][2].target}")
        for number, points in routes.items()
    ]
    for number, (box, place, way) in enumerate(ways):
        if number not in routes and box.name in placed.corners:
            x, y = placed.corners[box.name]
            back = way.target if way.target in boxes else ""
            parts.append(_mark((x + _WIDTH, y + box.leaves(place)), back=back))
    parts += [_drawn(box, placed.corners[name]) for name, box in boxes.items() if name in placed.corners]
    return _document(flow, parts, placed=placed)


def _box(name: str, node: Node, texts: Texts, *, flow: Flow, locale: str) -> _Box:
    whole = _words(node, texts, flow=flow, locale=locale)
    found = arrows(node, texts, flow=flow, locale=locale)
    ways = [
        _Way(label=label, target="" if isinstance(flow.nodes[target], EndNode) else target)
        for label, target in found
    ]
    if not ways and not isinstance(node, EndNode):
        ways.append(_Way(label="", target=""))
    return _Box(
        name=name,
        kind=_kind(node),
        lines=_wrapped(whole, width=_WIDTH - 2 * _PADDING, most=_MAX_LINES),
        whole=whole,
        ways=tuple(ways),
        call=node.call if isinstance(node, CallNode) else "",
    )


def _words(node: Node, texts: Texts, *, flow: Flow, locale: str) -> str:
    """What a node says, else what it does; a case's consent was said before it."""
    if isinstance(node, CaseNode) or not text_keys(node):
        return gist(node, texts, flow=flow, locale=locale)
    said = (texts.find(key, flow=flow.name, locale=locale) for key in text_keys(node))
    return " / ".join(text.text for text in said if text)


def _kind(node: Node) -> str:
    match node:
        case SayNode():
            return "says"
        case AskNode():
            return "asks"
        case CollectNode():
            return "listens"
        case BranchNode():
            return "chooses"
        case CallNode():
            return "runs"
        case CaseNode():
            return "case"
        case _:
            return "does"


# Lines of text


def _letters(text: str, *, size: float = _FONT) -> float:
    """About how wide a text is; no font is at hand to ask, so the letters of a script count alike."""
    return sum(map(_share, text)) * size


def _share(sign: str) -> float:
    if unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0.0
    if sign in " .,:;!|'ijltI":
        return 0.3
    if sign.isupper() or sign in "mwMWшщжюмы—…":
        return 0.74
    return 0.62 if ord(sign) >= 0x0980 else 0.56


def _wrapped(text: str, *, width: float, most: int) -> tuple[str, ...]:
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _letters(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    kept = lines[:most]
    if len(lines) > most:
        kept[-1] += " …"
    return tuple(_cut(line, width=width) for line in kept)


def _cut(line: str, *, width: float) -> str:
    if _letters(line) <= width:
        return line
    kept = line.removesuffix("…").rstrip()
    while kept and _letters(kept + "…") > width:
        kept = kept[:-1].rstrip()
    return kept + "…"


# Parts of the picture


def _drawn(box: _Box, corner: Point) -> str:
    x, y = corner
    head, side = _KINDS[box.kind], _HEADER - 6
    parts = [
        f"<title>{escape(box.whole)}</title>",
        f'<rect x="{x:.0f}" y="{y:.1f}" width="{_WIDTH:.0f}" height="{box.height:.1f}" rx="6" fill="{_PAPER}"'
        f' stroke="{_BORDER}"/>',
        f'<path d="M{x:.0f} {y + _HEADER:.1f}v-{side:.0f}q0 -6 6 -6h{_WIDTH - 12:.0f}q6 0 6 6v{side:.0f}z"'
        f' fill="{head}"/>',
        _text((x + _PADDING, y + 16.5), box.name, colour=_PAPER, bold=True),
        _text((x + _WIDTH - _PADDING, y + 16.5), box.kind, colour=_PAPER, size=11, anchor="end"),
    ]
    for number, line in enumerate(box.lines):
        parts.append(_text((x + _PADDING, y + _HEADER + (number + 1) * _LINE), line, colour=_INK))
    for place, way in enumerate(box.rows):
        parts.append(_row((x, y + box.body + place * _ROW), way))
    drawn = "\n".join(parts)
    if box.call:
        return f"<a href={quoteattr(box.call + '.svg')} id={quoteattr('n_' + box.name)}>\n{drawn}\n</a>"
    return f"<g id={quoteattr('n_' + box.name)}>\n{drawn}\n</g>"


def _row(corner: Point, way: _Way) -> str:
    x, y = corner
    words = _cut(way.label, width=_WIDTH - 2 * _PADDING - 8)
    return (
        f'<line x1="{x:.0f}" y1="{y:.1f}" x2="{x + _WIDTH:.0f}" y2="{y:.1f}" stroke="{_BORDER}"/>\n'
        f'<circle cx="{x + _WIDTH:.0f}" cy="{y + _ROW / 2:.1f}" r="3.5" fill="{_ARROW}"/>\n'
        + _text((x + _WIDTH - _PADDING - 4, y + 15.5), words, colour=_INK, anchor="end")
    )


def _arrow(points: Sequence[Point], *, name: str) -> str:
    """A line through all points, level along a column, curved between two; its name shows at the pointer."""
    (x, y), *rest = points
    way = [f"M{x:.0f} {y:.1f}"]
    for number, (next_x, next_y) in enumerate(rest):
        if number % 2:
            way.append(f"H{next_x:.0f}")
        else:
            half = (next_x - x) / 2
            way.append(f"C{x + half:.0f} {y:.1f} {next_x - half:.0f} {next_y:.1f} {next_x:.0f} {next_y:.1f}")
        x, y = next_x, next_y
    return (
        f'<path d="{" ".join(way)}" fill="none" stroke="{_ARROW}" stroke-width="1.4" marker-end="url(#tip)">'
        f"<title>{escape(name)}</title></path>"
    )


def _mark(point: Point, *, back: str) -> str:
    """A short line to the end of the flow, or to the name of a box further left."""
    x, y = point
    line = f'<line x1="{x:.0f}" y1="{y:.1f}" x2="{x + 14:.0f}" y2="{y:.1f}" stroke="{_ARROW}"/>\n'
    if not back:
        return line + f'<rect x="{x + 14:.0f}" y="{y - 5:.1f}" width="10" height="10" fill="{_ARROW}"/>'
    words = _text((x + 17, y + 4), f"↩ {back}", colour=_PALE, size=11)
    # Lines that pass under the name are covered, so that it can be read.
    halo = f'paint-order="stroke" stroke="{_GROUND}" stroke-width="5"'
    return f"<a href={quoteattr('#n_' + back)} {halo}>{words}</a>{line}"


def _text(
    point: Point, words: str, *, colour: str, size: float = _FONT, anchor: str = "start", bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    where = f'x="{point[0]:.0f}" y="{point[1]:.1f}" text-anchor="{anchor}"'
    return f'<text {where} font-size="{size:.0f}" fill="{colour}"{weight}>{escape(words)}</text>'


def _document(flow: Flow, parts: Sequence[str], *, placed: Layout) -> str:
    width = max(placed.width + _RIGHT + 2 * _MARGIN, 760.0)
    height = placed.height + _TITLE + 2 * _MARGIN
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" font-family="{_FONTS}">\n'
        f"<title>{escape(flow.name)}</title>\n"
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8"'
        f' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="{_ARROW}"/></marker>'
        "</defs>\n"
        f'<rect width="100%" height="100%" fill="{_GROUND}"/>\n'
        + "\n".join(_heading(flow))
        + f'\n<g transform="translate({_MARGIN:.0f} {_TITLE + _MARGIN:.0f})">\n{inner}\n</g>\n</svg>\n'
    )


def _heading(flow: Flow) -> Iterator[str]:
    intents = f"  ·  answers {', '.join(flow.intents)}" if flow.intents else ""
    yield _text((_MARGIN, 34), flow.name, colour=_INK, size=20, bold=True)
    about = f"For {flow.about.audience}{intents}  ·  reviewed: {flow.about.reviewed}"
    yield _text((_MARGIN, 54), about, colour=_PALE)
    x = _MARGIN
    for kind, colour in _KINDS.items():
        yield f'<rect x="{x:.0f}" y="64" width="10" height="10" rx="2" fill="{colour}"/>'
        yield _text((x + 14, 73), kind, colour=_PALE, size=11)
        x += _letters(kind, size=11) + 34
    yield f'<rect x="{x:.0f}" y="64" width="10" height="10" fill="{_ARROW}"/>'
    yield _text((x + 14, 73), "the flow ends   ↩ goes back to", colour=_PALE, size=11)
