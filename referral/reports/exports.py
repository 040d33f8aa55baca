"""How does a report leave as a file? As CSV, as a workbook, and coded for the framework's yearly collection.

A workbook of plain cells is a zip of few short files, which the standard library writes: no library more to
keep up to date.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from referral.cases.codes import (
    EXPLOITATION,
    GROUPS,
    NON_COUNSELLING,
    ONLINE_SEXUAL_ABUSE,
    ContactKind,
    Edition,
    codes_of,
    names,
)
from referral.language import gettext
from referral.reports.figures import Coded
from referral.reports.sheets import Cell, Report, Sheet, coded_parts, counsels
from referral.reports.small import SMALL, parts

#: What stands in place of a hidden number.
HIDDEN = "hidden"
#: A workbook takes no longer name for a sheet, and none of these signs.
_LONGEST_NAME = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
#: The first entry of a zip would else carry the time of the machine; two exports of one report are equal.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)

Row = Sequence[Cell]


def as_csv(report: Report) -> str:
    """One table of all sheets: sheet, name, column, value."""
    rows: list[Row] = [("sheet", "name", "column", "value"), ("total", "", "Contacts", report.total)]
    for sheet in report.all_sheets:
        for name, cells in sheet.rows:
            rows += [
                (sheet.key, name, column, cell) for column, cell in zip(sheet.columns[1:], cells, strict=True)
            ]
    return _csv(rows)


def as_workbook(report: Report) -> bytes:
    """A workbook (Office Open XML) with a sheet each."""
    first = (
        gettext("Report"),
        [
            (gettext("Months"), f"{report.period.months[0]} – {report.period.months[-1]}"),
            (gettext("Contacts"), report.total),
        ],
    )
    return _workbook([first, *((sheet.title, _rows(sheet)) for sheet in report.all_sheets)])


def as_chi(coded: Sequence[Coded], *, total: int, edition: Edition, below: int = SMALL) -> str:
    """Counselling contacts by group and reason as an edition calls them; below them all other contacts."""
    by_code = {code: 0 for group in GROUPS if group != NON_COUNSELLING for code in codes_of(group)}
    exploited = 0
    for item in coded:
        if counsels(item):
            by_code[item.code] += item.number
            exploited += (
                item.number
                if names(item.code, edition=edition, online_harm=item.online_harm)[1] == EXPLOITATION
                else 0
            )
    shown = coded_parts(coded, total=total, below=below)
    rows: list[Row] = [("kind", "group", "reason", "contacts")]
    for group in GROUPS:
        if group != NON_COUNSELLING:
            found = {code: by_code[code] for code in codes_of(group)}
            rows += _chi_group(
                found, shown=shown.get(group), exploited=exploited, edition=edition, below=below
            )
    for kind in (ContactKind.INFORMATION, ContactKind.NON_DATA):
        rows.append((kind, "all", "all", shown.get(kind)))
    return _csv(rows)


def _chi_group(
    found: Mapping[str, int], *, shown: int | None, exploited: int, edition: Edition, below: int
) -> Iterator[Row]:
    """The reasons of one group, hidden so that they do not follow from its sum, and that sum."""
    within = parts(found, below=below) if shown is not None else None
    named: dict[tuple[str, str], Cell] = {}
    for code in found:
        for name, number in _in_edition(
            code, within[code] if within else None, exploited=exploited, edition=edition, below=below
        ):
            # Where an edition calls two codes the same, one hidden part hides the sum.
            before = named.get(name, 0)
            named[name] = before + number if isinstance(before, int) and number is not None else None
    yield from ((ContactKind.COUNSELLING, *name, number) for name, number in named.items())
    yield ContactKind.COUNSELLING, next(iter(named))[0], "all", shown


def _in_edition(
    code: str, number: int | None, *, exploited: int, edition: Edition, below: int
) -> Iterator[tuple[tuple[str, str], int | None]]:
    name = names(code, edition=edition)
    if edition is Edition.CHI_V2022 or code != ONLINE_SEXUAL_ABUSE:
        yield name, number
        return
    split = (
        None if number is None else parts({name[1]: number - exploited, EXPLOITATION: exploited}, below=below)
    )
    for reason in (name[1], EXPLOITATION):
        yield (name[0], reason), split[reason] if split else None


def _csv(rows: Iterable[Row]) -> str:
    file = io.StringIO()
    # The mark at the beginning makes office programs read it as UTF-8.
    file.write("\ufeff")
    csv.writer(file).writerows([_plain(cell) for cell in row] for row in rows)
    return file.getvalue()


def _plain(cell: Cell) -> int | str:
    if cell is None:
        return HIDDEN
    # An office program would run what begins like a formula.
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t")) else cell


def _rows(sheet: Sheet) -> list[Row]:
    return [sheet.columns, *((name, *cells) for name, cells in sheet.rows)]


_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _workbook(sheets: Sequence[tuple[str, Sequence[Row]]]) -> bytes:
    numbered = list(enumerate(sheets, start=1))
    files = {
        "[Content_Types].xml": _types(len(sheets)),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _index([name for name, _ in sheets]),
        "xl/_rels/workbook.xml.rels": _relations(
            [("worksheet", f"worksheets/sheet{number}.xml") for number, _ in numbered]
        ),
        **{f"xl/worksheets/sheet{number}.xml": _worksheet(rows) for number, (_, rows) in numbered},
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), _HEAD + content)
    return made.getvalue()


def _types(number: int) -> str:
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{index}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        for index in range(1, number + 1)
    )
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>{sheets}</Types>'
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    found = "".join(
        f'<Relationship Id="rId{index}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for index, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_RELATIONS}">{found}</Relationships>'


def _index(titles: Sequence[str]) -> str:
    found = "".join(
        f'<sheet name={quoteattr(_name(title))} sheetId="{index}" r:id="rId{index}"/>'
        for index, title in enumerate(titles, start=1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{found}</sheets></workbook>'


def _name(title: str) -> str:
    return _FORBIDDEN.sub(" ", title)[:_LONGEST_NAME]


def _worksheet(rows: Sequence[Row]) -> str:
    found = "".join(f"<row>{''.join(_cell(cell) for cell in row)}</row>" for row in rows)
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{found}</sheetData></worksheet>'


def _cell(cell: Cell) -> str:
    if isinstance(cell, int):
        return f"<c><v>{cell}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(HIDDEN if cell is None else cell)}</t></is></c>'
