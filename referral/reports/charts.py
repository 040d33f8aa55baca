"""How are numbers drawn? As SVG without style or script of its own, beside a table of the same numbers."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from referral.language import gettext
from referral.reports.sheets import Cell, Sheet

_WIDTH, _HEIGHT = 960, 200
#: As many names as can be read below the columns.
_NAMED = 12
#: A name that begins later would be cut off.
_ROOM = 50


def bar(lengths: Sequence[int], *, highest: int) -> Markup:
    """A bar for one row of a table, with a piece for each length; nothing where there is none."""
    if not any(lengths):
        return Markup()
    pieces, left = [], 0.0
    for place, length in enumerate(lengths):
        width = round(100 * length / highest, 1)
        if width:
            pieces.append(
                Markup('<rect class="drawn drawn-{}" x="{}" width="{}" height="10"/>').format(
                    place, round(left, 1), width
                )
            )
        left += width
    return Markup(
        '<svg class="bar-drawn" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(Markup().join(pieces))


def highest(sheet: Sheet) -> str:
    """How high the highest column is."""
    return gettext("highest: %(number)s", number=sheet.highest)


def columns(sheet: Sheet, *, caption: str | None = None) -> Markup:
    """Columns side by side; a hidden number is a dashed outline, so that it is not taken for none.

    The caption above them tells how high they are, unless another one is given.
    """
    step = _WIDTH / max(len(sheet.rows), 1)
    every = max(1, -(-len(sheet.rows) // _NAMED))
    drawn = []
    for index, (name, cells) in enumerate(sheet.rows):
        left = round(index * step, 1)
        drawn.append(_column(cells[0], left=left, step=step, highest=sheet.highest))
        if index % every == 0 and left <= _WIDTH - _ROOM:
            drawn.append(Markup('<text x="{}" y="{}">{}</text>').format(left, _HEIGHT + 22, name[-5:]))
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<text x="0" y="14">{}</text><line x1="0" x2="{}" y1="{}" y2="{}"/>{}</svg>'
    ).format(
        _WIDTH,
        _HEIGHT + 32,
        gettext("%(title)s. The table has the same numbers.", title=sheet.title),
        highest(sheet) if caption is None else caption,
        _WIDTH,
        _HEIGHT,
        _HEIGHT,
        Markup().join(drawn),
    )


def _column(number: Cell, *, left: float, step: float, highest: int) -> Markup:
    width = round(step * 0.8, 1)
    room = _HEIGHT - 24
    if not isinstance(number, int):
        return Markup('<rect class="hidden-number" x="{}" y="{}" width="{}" height="12"/>').format(
            left, _HEIGHT - 12, width
        )
    height = round(room * number / highest, 1) if highest else 0
    if height == 0:
        return Markup()
    return Markup('<rect class="drawn" x="{}" y="{}" width="{}" height="{}"/>').format(
        left, round(_HEIGHT - height, 1), width, height
    )
