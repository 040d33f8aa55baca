"""How does a report become a PDF? Put into words and drawings here, set in type by a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from referral.errors import ReportNotPrinted
from referral.language import gettext, ngettext, reader
from referral.reports.charts import columns, highest
from referral.reports.definitions import definitions
from referral.reports.sheets import Report, Sheet

_PRESS = Path(__file__).with_name("press.py")
#: A report takes half a second; on a machine that is busy with others, some seconds.
_PATIENCE = 30.0
#: What the console's style sheet says of a chart, for paper.
_STYLE = """<style>
.drawn { fill: #14527a } .hidden-number { fill: none; stroke: #52616b; stroke-dasharray: 4 3 }
line { stroke: #8b97a0 } text { font-family: "Noto Sans"; font-size: 15px; fill: #52616b }
</style>"""


async def as_pdf(report: Report, *, made_on: date) -> bytes:
    """The report on paper; raises ``ReportNotPrinted``."""
    words = json.dumps(_content(report, made_on=made_on), ensure_ascii=False, sort_keys=True)
    return await asyncio.to_thread(_set, words)


def _set(words: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - our own file.
            [sys.executable, "-I", str(_PRESS)],
            input=words.encode(),
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
            env={},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ReportNotPrinted from error
    return done.stdout


def _content(report: Report, *, made_on: date) -> Mapping[str, Any]:
    months = report.period.months
    return {
        "language": reader().language.tag,
        "says": _says(report, made_on=made_on),
        "period": months[0] if len(months) == 1 else f"{months[0]} – {months[-1]}",
        "total": report.total,
        "contacts": [_sheet(sheet) for sheet in report.sheets],
        "usage": None if report.usage is None else [_sheet(sheet) for sheet in report.usage],
        "definitions": definitions(below=report.below),
    }


def _says(report: Report, *, made_on: date) -> Mapping[str, str]:
    """What the template says beside the sheets."""
    return {
        "title": gettext("Helpline report"),
        "zone": gettext("Whole months, %(zone)s time.", zone=report.period.zone.key),
        "contacts": ngettext("%(num)s contact", "%(num)s contacts", report.total or 0),
        "foot": gettext("made on %(day)s; small numbers are hidden", day=made_on.isoformat()),
        "about_contacts": gettext("Contacts with the helpline"),
        "too_few": gettext(
            "Fewer than %(small)s contacts in these months: nothing is shown, so that nobody can be"
            " recognised. Choose more months.",
            small=report.below,
        ),
        "about_usage": gettext("Conversations with the bot"),
        "no_usage": gettext("The bot could not be asked when this report was made."),
        "steps": gettext(
            "All numbers in steps of %(step)s, rounded down; below %(step)s they are hidden. The bot adds"
            " them up by month and keeps nothing with them that leads to anybody.",
            step=report.below,
        ),
        "meanings": gettext("What the words and numbers mean"),
        "appendix": gettext("Appendix: the numbers of the charts"),
        "hidden": gettext("hidden"),
        "dashed": gettext("A dashed box stands for a hidden number."),
        "nothing": gettext("Nothing that can be shown in these months."),
    }


def _sheet(sheet: Sheet) -> Mapping[str, Any]:
    return {
        "title": sheet.title,
        "note": sheet.note,
        "columns": sheet.columns,
        "rows": [
            {"name": name, "cells": cells, "lengths": _lengths(sheet, cells)} for name, cells in sheet.read
        ],
        "left_out": _left_out(sheet),
        "drawn": sheet.drawn,
        "highest": sheet.highest,
        "hides": sheet.hides,
        "chart": _chart(sheet) if sheet.runs and sheet.rows else None,
        "caption": highest(sheet),
    }


def _left_out(sheet: Sheet) -> str:
    number = len(sheet.rows) - len(sheet.read)
    return (
        ngettext("%(num)s more row is in the files.", "%(num)s more rows are in the files.", number)
        if number
        else ""
    )


def _lengths(sheet: Sheet, cells: Sequence[Any]) -> Sequence[int]:
    return [] if sheet.runs else sheet.lengths(tuple(cells))


def _chart(sheet: Sheet) -> str:
    """The columns of the page as a file of their own, with the style that the page would give them."""
    opened = '<svg xmlns="http://www.w3.org/2000/svg" class="chart"'
    # Typst sets the caption: Bangla in a drawing loses its letters, which a PDF for screen readers must not.
    drawing = str(columns(sheet, caption="")).replace('<svg class="chart"', opened, 1)
    return drawing.replace(">", f">{_STYLE}", 1)
