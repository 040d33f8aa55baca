"""Which pages and files of numbers do supervisors have?"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases.codes import Edition
from referral.console.door import PatientSupervisor
from referral.console.pages import Pages, page
from referral.console.views import Views
from referral.errors import BotMisunderstood, BotUnreachable
from referral.oversight.schemas import Usage
from referral.reports.definitions import definitions
from referral.reports.exports import as_chi, as_csv, as_workbook
from referral.reports.figures import Figures
from referral.reports.period import Period, offered, period_of
from referral.reports.printing import as_pdf
from referral.reports.sheets import Labels, Report, report_of
from referral.reports.usage import usage_sheets
from referral.services import ServicesIn, TransactionIn

router = APIRouter(prefix="/reports")

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_KINDS = ("danger", "outcome", "channel", "locale", "role", "occurred", "action", "face", "matter")


def _period(services: ServicesIn, _: PatientSupervisor, first: str = "", last: str = "") -> Period:
    return period_of(first, last, zone=services.settings.report_time_zone, now=services.clock())


PeriodIn = Annotated[Period, Depends(_period)]


async def _note_export(services: ServicesIn, session: TransactionIn, operator: PatientSupervisor) -> None:
    record(session, Act.REPORT_EXPORTED, now=services.clock(), by=operator.operator)


#: What leaves the desk as a file is written down before it leaves.
_NOTED = [Depends(_note_export)]


async def _usage(services: ServicesIn, period: PeriodIn) -> Usage | None:
    try:
        return await services.oversight.usage(first=period.months[0], last=period.months[-1])
    except (BotUnreachable, BotMisunderstood):
        # What the helpline itself knows is shown all the same.
        return None


UsageIn = Annotated[Usage | None, Depends(_usage)]


async def _report(services: ServicesIn, period: PeriodIn, usage: UsageIn, session: TransactionIn) -> Report:
    labels = labels_of(services.pages)
    report = await report_of(
        Figures(session, period=period),
        period=period,
        clocks=services.policy.clocks,
        labels=labels,
        below=services.policy.now.hide_below,
    )
    return replace(report, usage=usage_sheets(usage, labels=labels, step=report.below) if usage else None)


ReportIn = Annotated[Report, Depends(_report)]


@router.get("")
async def reports_page(
    services: ServicesIn, operator: PatientSupervisor, report: ReportIn, session: TransactionIn
) -> Response:
    """The numbers of some months, drawn and as tables."""
    record(session, Act.REPORT_SEEN, now=services.clock(), by=operator.operator)
    views = Views(session, privacy=services.privacy, now=services.clock())
    return page(
        services.pages,
        "reports.html",
        operator=operator,
        queue=await views.queue(),
        report=report,
        months=offered(zone=report.period.zone, now=services.clock()),
        editions=tuple(Edition),
        definitions=definitions(below=report.below),
    )


@router.get("/report.csv", dependencies=_NOTED)
async def csv_file(report: ReportIn) -> Response:
    """The same numbers, one to a line."""
    return _file(as_csv(report), media_type="text/csv", name=_name(report.period, "csv"))


@router.get("/report.xlsx", dependencies=_NOTED)
async def workbook_file(report: ReportIn) -> Response:
    """The same numbers as a workbook."""
    return _file(as_workbook(report), media_type=_WORKBOOK, name=_name(report.period, "xlsx"))


@router.get("/report.pdf", dependencies=_NOTED)
async def pdf_file(services: ServicesIn, report: ReportIn) -> Response:
    """The same numbers on paper, with the charts and what the words mean."""
    made_on = services.clock().astimezone(report.period.zone).date()
    content = await as_pdf(report, made_on=made_on)
    return _file(content, media_type="application/pdf", name=_name(report.period, "pdf"))


@router.get("/{edition}.csv", dependencies=_NOTED)
async def chi_file(
    edition: Edition, services: ServicesIn, period: PeriodIn, session: TransactionIn
) -> Response:
    """Contacts by the framework's reasons, for the yearly collection."""
    figures = Figures(session, period=period)
    coded, total = await figures.coded(), await figures.total()
    name = _name(period, "csv").replace("porchlight", f"porchlight-{edition}")
    content = as_chi(coded, total=total, edition=edition, below=services.policy.now.hide_below)
    return _file(content, media_type="text/csv", name=name)


def labels_of(pages: Pages) -> Labels:
    """What slugs are called on the pages."""
    called = pages.get_template("labels.html").module
    found = {kind: getattr(called, kind) for kind in _KINDS}
    # Rehearsals reach no report.
    return {**found, "channel": {name: word for name, word in found["channel"].items() if name != "practice"}}


def _name(period: Period, ending: str) -> str:
    return f"porchlight-{period.months[0]}-{period.months[-1]}.{ending}"


def _file(content: str | bytes, *, media_type: str, name: str) -> Response:
    return Response(
        content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'}
    )
