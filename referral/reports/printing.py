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
from referral.reports.charts import columns
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
        "period": months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}",
        "zone": report.period.zone.key,
        "made_on": made_on.isoformat(),
        "total": report.total,
        "contacts": [_sheet(sheet) for sheet in report.sheets],
        "usage": None if report.usage is None else [_sheet(sheet) for sheet in report.usage],
        "step": report.below,
        "definitions": definitions(below=report.below),
    }


def _sheet(sheet: Sheet) -> Mapping[str, Any]:
    return {
        "title": sheet.title,
        "note": sheet.note,
        "columns": sheet.columns,
        "rows": [
            {"name": name, "cells": cells, "lengths": _lengths(sheet, cells)} for name, cells in sheet.read
        ],
        "left_out": len(sheet.rows) - len(sheet.read),
        "drawn": sheet.drawn,
        "highest": sheet.highest,
        "hides": sheet.hides,
        "chart": _chart(sheet) if sheet.runs and sheet.rows else None,
    }


def _lengths(sheet: Sheet, cells: Sequence[Any]) -> Sequence[int]:
    return [] if sheet.runs else sheet.lengths(tuple(cells))


def _chart(sheet: Sheet) -> str:
    """The columns of the page as a file of their own, with the style that the page would give them."""
    opened = '<svg xmlns="http://www.w3.org/2000/svg" class="chart"'
    drawing = str(columns(sheet)).replace('<svg class="chart"', opened, 1)
    return drawing.replace(">", f">{_STYLE}", 1)
