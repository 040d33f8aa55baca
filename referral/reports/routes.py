"""Which pages and files of numbers do supervisors have?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases.codes import Edition
from referral.console.door import Supervisor
from referral.console.pages import page
from referral.console.views import Views
from referral.reports.exports import as_chi, as_csv, as_workbook
from referral.reports.figures import Figures
from referral.reports.period import Period, offered, period_of
from referral.reports.sheets import Labels, Report, report_of
from referral.reports.small import SMALL
from referral.services import Services, ServicesIn, TransactionIn

router = APIRouter(prefix="/reports")

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_KINDS = ("danger", "outcome", "channel", "locale", "role", "occurred", "action")


def _period(services: ServicesIn, _: Supervisor, first: str = "", last: str = "") -> Period:
    return period_of(first, last, zone=services.settings.report_time_zone, now=services.clock())


PeriodIn = Annotated[Period, Depends(_period)]


async def _note_export(services: ServicesIn, session: TransactionIn, operator: Supervisor) -> None:
    record(session, Act.REPORT_EXPORTED, now=services.clock(), by=operator.operator)


#: What leaves the desk as a file is written down before it leaves.
_NOTED = [Depends(_note_export)]


@router.get("")
async def reports_page(
    services: ServicesIn, operator: Supervisor, session: TransactionIn, period: PeriodIn
) -> Response:
    """The numbers of some months, drawn and as tables."""
    record(session, Act.REPORT_SEEN, now=services.clock(), by=operator.operator)
    views = Views(session, privacy=services.privacy, now=services.clock())
    return page(
        services.pages,
        "reports.html",
        operator=operator,
        queue=await views.queue(),
        report=await _report(services, session, period),
        months=offered(zone=period.zone, now=services.clock()),
        editions=tuple(Edition),
        small=SMALL,
    )


@router.get("/report.csv", dependencies=_NOTED)
async def csv_file(services: ServicesIn, session: TransactionIn, period: PeriodIn) -> Response:
    """The same numbers, one to a line."""
    return _file(
        as_csv(await _report(services, session, period)), media_type="text/csv", name=_name(period, "csv")
    )


@router.get("/report.xlsx", dependencies=_NOTED)
async def workbook_file(services: ServicesIn, session: TransactionIn, period: PeriodIn) -> Response:
    """The same numbers as a workbook."""
    report = await _report(services, session, period)
    return _file(as_workbook(report), media_type=_WORKBOOK, name=_name(period, "xlsx"))


@router.get("/{edition}.csv", dependencies=_NOTED)
async def chi_file(edition: Edition, session: TransactionIn, period: PeriodIn) -> Response:
    """Contacts by the framework's reasons, for the yearly collection."""
    figures = Figures(session, period=period)
    coded, total = await figures.coded(), await figures.total()
    name = _name(period, "csv").replace("porchlight", f"porchlight-{edition}")
    return _file(as_chi(coded, total=total, edition=edition), media_type="text/csv", name=name)


async def _report(services: Services, session: TransactionIn, period: Period) -> Report:
    return await report_of(
        Figures(session, period=period),
        period=period,
        clocks=services.settings.clocks,
        labels=_labels(services),
    )


def _labels(services: Services) -> Labels:
    """What slugs are called on the pages."""
    called = services.pages.get_template("labels.html").module
    return {kind: getattr(called, kind) for kind in _KINDS}


def _name(period: Period, ending: str) -> str:
    return f"porchlight-{period.months[0]}-{period.months[-1]}.{ending}"


def _file(content: str | bytes, *, media_type: str, name: str) -> Response:
    return Response(
        content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'}
    )
