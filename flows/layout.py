"""Where does each box of a picture stand, so that its arrows run from left to right and cross little?

The way of Sugiyama, Tagawa and Toda (1981): every box gets a column, long arrows get a slot in each column
that they pass, and each column is sorted and moved towards the boxes that its own are joined to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

#: So often the columns are moved towards their neighbours, from the left and from the right in turn.
_SWEEPS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An arrow from a place on the right side of a box to the top of another's left side."""

    source: str
    target: str
    #: How far below the top of the box the arrow begins.
    offset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The sizes that a picture is made with, in pixels."""

    width: float
    #: Between two columns.
    gap: float
    #: Between two boxes of a column.
    between: float
    #: How far below the top of a box an arrow ends.
    entry: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything stands."""

    #: The upper left corner of each box.
    corners: Mapping[str, tuple[float, float]]
    #: For each link that goes on: where it begins, enters and leaves each column that it passes, and ends.
    routes: Mapping[int, tuple[tuple[float, float], ...]]
    #: The links that lead back to where the way came from; they have no route.
    back: frozenset[int]
    width: float
    height: float


@dataclass(slots=True)
class _Slot:
    """A box, or the place where a long arrow passes a column."""

    name: str
    column: int
    height: float
    entry: float
    top: float = 0.0
    #: Slots to the left and how far below their top the arrow leaves them.
    before: list[tuple[_Slot, float]] = field(default_factory=list)
    #: Slots to the right and how far below our own top the arrow leaves.
    after: list[tuple[_Slot, float]] = field(default_factory=list)


@dataclass(slots=True)
class _Block:
    """Slots of a column that stand together."""

    #: The sum of the tops that each member wishes the block to have.
    wishes: float
    #: Each with how far below the block's top it stands.
    members: list[tuple[_Slot, float]]
    #: With the space below.
    height: float

    @property
    def top(self) -> float:
        """Where the block's members wish it on average."""
        return self.wishes / len(self.members)

    def take(self, lower: _Block) -> None:
        """Put another block below the own members."""
        self.wishes += lower.wishes - len(lower.members) * self.height
        self.members += [(slot, below + self.height) for slot, below in lower.members]
        self.height += lower.height


def layout(heights: Mapping[str, float], links: Sequence[Link], *, start: str, measures: Measures) -> Layout:
    """Boxes of these heights, with the start on the left; boxes that cannot be reached are left out."""
    order, back = _walk(links, start=start)
    forward = {
        number: link for number, link in enumerate(links) if link.source in order and number not in back
    }
    columns = _columns(order, forward.values())
    slots = {
        name: _Slot(name=name, column=columns[name], height=heights[name], entry=measures.entry)
        for name in order
    }
    passed: dict[tuple[str, int], _Slot] = {}
    ways = {number: _way(link, slots, passed=passed) for number, link in forward.items()}
    _arrange([*slots.values(), *passed.values()], between=measures.between)
    step = measures.width + measures.gap
    routes = {
        number: tuple(_points(links[number], way, step=step, width=measures.width))
        for number, way in ways.items()
    }
    return Layout(
        corners={name: (slot.column * step, slot.top) for name, slot in slots.items()},
        routes=routes,
        back=frozenset(back),
        width=max(slot.column for slot in slots.values()) * step + measures.width,
        height=max(slot.top + slot.height for slot in [*slots.values(), *passed.values()]),
    )


def _walk(links: Sequence[Link], *, start: str) -> tuple[list[str], set[int]]:
    """The boxes that can be reached, each before those that it leads to, and the links that lead back."""
    leading: dict[str, list[tuple[int, str]]] = {}
    for number, link in enumerate(links):
        leading.setdefault(link.source, []).append((number, link.target))
    done: list[str] = []
    open_boxes: set[str] = set()
    back: set[int] = set()

    def visit(name: str) -> None:
        open_boxes.add(name)
        for number, target in leading.get(name, []):
            if target in open_boxes:
                back.add(number)
            elif target not in done:
                visit(target)
        open_boxes.discard(name)
        done.append(name)

    visit(start)
    return done[::-1], back


def _columns(order: Sequence[str], links: Iterable[Link]) -> dict[str, int]:
    """The column of each box: one to the right of the last that leads to it."""
    columns = dict.fromkeys(order, 0)
    after: dict[str, list[str]] = {}
    for link in links:
        after.setdefault(link.source, []).append(link.target)
    for name in order:
        for target in after.get(name, []):
            columns[target] = max(columns[target], columns[name] + 1)
    return columns


def _way(link: Link, slots: Mapping[str, _Slot], *, passed: dict[tuple[str, int], _Slot]) -> list[_Slot]:
    """The slots that a link passes; links to the same box share theirs, so that they run together."""
    end = slots[link.target]
    way = [slots[link.source]]
    for column in range(way[0].column + 1, end.column):
        spot = (link.target, column)
        if spot not in passed:
            passed[spot] = _Slot(name=link.target, column=column, height=0.0, entry=0.0)
        way.append(passed[spot])
    way.append(end)
    offset = link.offset
    for left, right in pairwise(way):
        if all(known is not right or at != offset for known, at in left.after):
            left.after.append((right, offset))
            right.before.append((left, offset))
        offset = 0.0
    return way


def _arrange(slots: Sequence[_Slot], *, between: float) -> None:
    """Give every slot its top."""
    last = max(slot.column for slot in slots)
    columns = [[slot for slot in slots if slot.column == column] for column in range(last + 1)]
    for column in columns:
        _settle(column, [0.0] * len(column), between=between)
    for sweep in range(_SWEEPS):
        from_left = sweep % 2 == 0
        for column in columns if from_left else columns[::-1]:
            wishes = [(_wish(slot, from_left=from_left), place, slot) for place, slot in enumerate(column)]
            wishes.sort()
            column[:] = [slot for _, _, slot in wishes]
            _settle(column, [wish for wish, _, _ in wishes], between=between)
    highest = min(slot.top for slot in slots)
    for slot in slots:
        slot.top -= highest


def _wish(slot: _Slot, *, from_left: bool) -> float:
    """The top at which the slot's arrows to one side would be level, or where it is if it has none there."""
    if from_left:
        tops = [left.top + offset - slot.entry for left, offset in slot.before]
    else:
        tops = [right.top + right.entry - offset for right, offset in slot.after]
    return sum(tops) / len(tops) if tops else slot.top


def _settle(column: Sequence[_Slot], wished: Sequence[float], *, between: float) -> None:
    """Move slots, in their order, as little away from their wishes as leaves the space between them.

    Slots that would overlap become a block that stands where its slots wish on average (least squares).
    """
    blocks: list[_Block] = []
    for slot, wish in zip(column, wished, strict=True):
        blocks.append(_Block(wishes=wish, members=[(slot, 0.0)], height=slot.height + between))
        while len(blocks) > 1 and blocks[-2].top + blocks[-2].height > blocks[-1].top:
            lower = blocks.pop()
            blocks[-1].take(lower)
    for block in blocks:
        for slot, below in block.members:
            slot.top = block.top + below


def _points(link: Link, way: Sequence[_Slot], *, step: float, width: float) -> Iterable[tuple[float, float]]:
    first, *passed, last = way
    yield first.column * step + width, first.top + link.offset
    for slot in passed:
        yield slot.column * step, slot.top
        yield slot.column * step + width, slot.top
    yield last.column * step, last.top + last.entry
