"""What reports show: every number that is safe to show, and no small one, by itself or by a difference."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pypdfium2  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from referral.audit.tables import AuditRow
from referral.cases.codes import Edition
from referral.cases.tables import Case
from referral.database import Sessions, transaction
from referral.errors import FormIncomplete
from referral.operators.repository import OperatorRepository
from referral.operators.rules import Role
from referral.oversight.schemas import Sum, Usage
from referral.reports.exports import as_chi
from referral.reports.figures import Coded
from referral.reports.period import offered, period_of
from referral.reports.small import SMALL, nested, parts
from referral.reports.usage import in_steps, usage_sheets
from tests.referral.conftest import Time
from tests.referral.desk import BotClient, OperatorClient, Service
from tests.referral.serving import FakeBot

NOW = datetime(2026, 11, 29, 16, 0, tzinfo=UTC)
MINSK = ZoneInfo("Europe/Minsk")


@given(st.dictionaries(st.text(max_size=3), st.integers(min_value=0, max_value=30), max_size=8))
def test_no_small_number_is_shown_or_follows_from_the_sum(numbers: dict[str, int]) -> None:
    shown = parts(numbers)
    if shown is None:
        return

    hidden = [number for name, number in numbers.items() if shown[name] is None]
    assert all(number == 0 or number >= SMALL for number in shown.values() if number is not None)
    assert all(number > 0 for number in hidden)
    # Whoever knows the sum knows what the hidden ones add up to: each may still be any small number.
    assert not hidden or sum(hidden) - (len(hidden) - 1) >= SMALL - 1
    assert len(hidden) != 1


def test_as_little_as_possible_is_hidden() -> None:
    assert parts({"web": 40, "viber": 8, "telegram": 3}) == {"web": 40, "viber": None, "telegram": None}
    assert parts({"web": 40, "viber": 0}) == {"web": 40, "viber": 0}
    assert parts({"web": 2, "viber": 1}) is None
    assert parts(dict.fromkeys("abcde", 1)) is None


def test_a_part_whose_sum_another_table_shows_hides_within_itself() -> None:
    ended = nested({"advice": 30, "school": 6}, {"open": 3, "left": 9})
    among_all = nested({"advice": 30, "school": 6}, {"open": 3, "left": 0})

    # "Not coded: 12" stands elsewhere, so that "left: 9" would tell about the three that are open.
    assert ended == {"advice": 30, "school": 6, "open": None, "left": None}
    assert among_all == {"advice": 30, "school": None, "open": None, "left": 0}


async def test_an_action_does_not_betray_a_hidden_outcome(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        for outcome in ["advice_given"] * 7 + ["school"] * 2 + ["law_enforcement"] * 5:
            await bot.open(conversation=str(uuid4()))
            fields = {"outcome": outcome, "code": "violence.cyberbullying"}
            await nina.send(f"/cases/{await nina.take_next()}/close", fields)
        rows = {tuple(row[:3]): row[3] for row in _rows((await nina.http.get("/reports/report.csv")).text)}

    for sheet in ("outcome", "done"):
        assert rows[sheet, "Referred to the police", "Contacts"] == "hidden"
        assert rows[sheet, "Referred to school counsellor or psychologist", "Contacts"] == "hidden"
    assert rows["outcome", "Advice and support given", "Contacts"] == "7"


def test_a_report_covers_whole_months_where_the_desk_is() -> None:
    period = period_of("2026-01", "2026-02", zone=MINSK, now=NOW)

    assert period.begins_at.astimezone(UTC) == datetime(2025, 12, 31, 21, tzinfo=UTC)
    assert period.ends_at.astimezone(UTC) == datetime(2026, 2, 28, 21, tzinfo=UTC)
    assert (len(period.days), list(period.months)) == (59, ["2026-01", "2026-02"])
    assert period_of("", "", zone=MINSK, now=NOW).months == ["2026-11"]
    assert list(offered(zone=MINSK, now=NOW))[:2] == ["2026-11", "2026-10"]


@pytest.mark.parametrize(
    ("first", "last"), [("2026-02", "2026-01"), ("2026-13", ""), ("soon", ""), ("2020-01", "2026-01")]
)
def test_months_that_make_no_period_are_refused(first: str, last: str) -> None:
    with pytest.raises(FormIncomplete):
        period_of(first, last, zone=MINSK, now=NOW)


@pytest.mark.parametrize("edition", Edition)
def test_the_yearly_export_hides_small_reasons_in_sum_and_across_editions(edition: Edition) -> None:
    coded = [
        _coded("violence.cyberbullying", 20, harm="threats"),
        _coded("violence.bullying", 7),
        _coded("violence.neglect", 2),
        _coded("violence.online_sexual_abuse", 11, harm="grooming"),
        _coded("violence.online_sexual_abuse", 1, harm="blackmail"),
        _coded("mental_health.mood", 9),
        _coded("non_counselling.silent", 6),
        _coded("access.legal", 8, counselled=False),
    ]
    rows = {tuple(row[:3]): row[3] for row in _rows(as_chi(coded, total=70, edition=edition))}

    assert rows["counselling", "Violence", "all"] == "41"
    assert rows["counselling", "Violence", "Neglect"] == "hidden"
    assert rows["counselling", "Violence", "Bullying"] == "hidden"
    assert rows["counselling", "Mental health", "all"] == "9"
    assert rows["information", "all", "all"] == "8"
    assert rows["non_data", "all", "all"] == "6"
    if edition is Edition.CHI_V2022:
        assert rows["counselling", "Violence", "Cyberbullying"] == "20"
        assert rows["counselling", "Violence", "Online child sexual abuse and exploitation"] == "12"
    else:
        assert rows["counselling", "Violence", "Online sexual exploitation"] == "hidden"
        assert rows["counselling", "Violence", "Online sexual abuse"] == "hidden"


async def test_a_supervisor_sees_the_numbers_and_takes_them_home(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        await _contacts(bot, nina, number=6)
        await bot.open(channel="viber", conversation="x7", danger="emergency")
        await bot.post(f"/v1/cases/{await bot.open(conversation='x8')}/forget")
        page = await nina.see("/reports")
        answer = await nina.http.get("/reports/report.csv")
        workbook = await nina.http.get("/reports/report.xlsx")
        chi = [await nina.http.get(f"/reports/{edition}.csv") for edition in Edition]

    rows = {tuple(row[:3]): row[3] for row in _rows(answer.text)}
    assert "<strong>8</strong> contacts" in page
    assert len(page.encode()) < 200_000
    assert rows["total", "", "Contacts"] == "8"
    # One came on Viber: that number is hidden, and the other one with it.
    assert rows["channel", "Viber", "Contacts"] == rows["channel", "Telegram", "Contacts"] == "hidden"
    # One is open and one forgotten: both would follow from their sum, so that the third is hidden as well.
    assert rows["outcome", "Advice and support given", "Contacts"] == "hidden"
    assert rows["outcome", "Referred to the police", "Contacts"] == "0"
    assert rows["hour", "03:00", "Contacts"] in ("0", "8")
    with zipfile.ZipFile(io.BytesIO(workbook.content)) as archive:
        assert archive.testzip() is None
        index, first = (archive.read(f"xl/{name}.xml").decode() for name in ("workbook", "worksheets/sheet1"))
    assert 'name="By channel"' in index
    assert "<v>8</v>" in first
    assert all(answer.status_code == 200 for answer in chi)
    assert "меня травят" not in page + answer.text


async def test_a_report_is_printed_with_its_numbers_charts_and_what_they_mean(
    service: Service, bot: FakeBot
) -> None:
    said = "Кто это делает? কে এমন করছে? #import <b>"
    bot.usage = {
        "sums": [_sum("asked", 21, flow="insults", node="who").model_dump()],
        "questions": [{"flow": "insults", "node": "who", "text": said}],
    }
    async with service.as_bot() as client, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        await _contacts(client, nina, number=5)
        await _contacts(client, nina, number=2, channel="viber")
        first, again = [await nina.http.get("/reports/report.pdf") for _ in range(2)]

    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf")
    assert first.content == again.content
    text, tagged = _printed(first.content)
    assert tagged
    assert "7 contacts" in text
    assert "Viber hidden" in text
    assert "Waiting for the first answer" in text
    assert "Insults: Кто это делает? " in text
    assert "#import <b>" in text
    assert "What the words and numbers mean" in text
    assert "Appendix: the numbers of the charts" in text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ru", ("Отчёт линии помощи", "Ожидание первого ответа")),
        ("be", ("Справаздача лініі дапамогі", "Чаканне першага адказу")),
        ("bn", ("হেল্পলাইনের",)),
    ],
)
async def test_a_report_is_printed_in_the_language_of_whoever_asks(
    service: Service, language: str, words: tuple[str, ...]
) -> None:
    async with service.as_bot() as client, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        for number in range(5):
            await client.open(conversation=f"x{number}")
        answer = await nina.http.get("/reports/report.pdf", headers={"accept-language": language})
        text, tagged = _printed(answer.content)

    assert tagged
    for word in words:
        assert word in text


async def test_a_printed_report_about_few_shows_no_number(service: Service) -> None:
    async with service.as_bot() as client, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        await client.open()
        text, _ = _printed((await nina.http.get("/reports/report.pdf")).content)

    assert "Fewer than 5 contacts in these months" in text
    assert "The bot could not be asked" in text
    assert "By channel" not in text


async def test_answers_are_measured_against_the_clocks(service: Service, clock: Time) -> None:
    async with service.as_bot() as bot, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        await _contacts(bot, nina, number=5, danger="emergency")
        waiting = [await bot.open(danger="emergency", conversation=f"late{index}") for index in range(5)]
        clock.forward(timedelta(minutes=3))
        for _ in waiting:
            case = await nina.take_next()
            assert case is not None
            await nina.write(case, "I am here.")
        rows = {tuple(row[:3]): row[3] for row in _rows((await nina.http.get("/reports/report.csv")).text)}

    name = "Emergency (within 2 mins)"
    assert (rows["waiting", name, "In time"], rows["waiting", name, "Late"]) == ("5", "5")
    assert rows["waiting", name, "Nine of ten at most"] == "3 mins"


async def test_few_contacts_are_not_shown_at_all(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        await bot.open()
        page = await nina.see("/reports")
        rows = _rows((await nina.http.get("/reports/report.csv")).text)

    assert "Fewer than 5 contacts" in page
    assert rows[1:] == [["total", "", "Contacts", "hidden"]]


async def test_a_year_of_contacts_fits_the_page(service: Service, sessions: Sessions) -> None:
    async with service.as_bot() as bot, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        for index in range(12):
            case = await bot.open(conversation=f"x{index}")
            at = datetime(2026, 1 + index, 3, 12, tzinfo=UTC)
            async with transaction(sessions) as session:
                await session.execute(update(Case).where(Case.number == case).values(received_at=at))
        page = await nina.see("/reports?first=2026-01&last=2026-12")

    assert "<strong>12</strong> contacts" in page
    assert "By month" in page
    assert len(page.encode()) < 200_000


@pytest.mark.parametrize(
    "path",
    [
        "/reports",
        "/reports/report.csv",
        "/reports/report.xlsx",
        "/reports/report.pdf",
        "/reports/chi_v2022.csv",
    ],
)
async def test_reports_are_for_supervisors(service: Service, path: str) -> None:
    async with service.as_operator("nina") as operator, service.browser() as nobody:
        refused = await operator.http.get(path)
        anonymous = await nobody.get(path)

    assert refused.status_code == 403
    assert anonymous.status_code == 303


async def test_who_looked_at_a_report_or_took_it_home_stands_in_the_log_and_so_does_who_was_refused(
    service: Service, sessions: Sessions
) -> None:
    async with (
        service.as_operator("nina", role=Role.SUPERVISOR) as nina,
        service.as_operator("oleg") as oleg,
        service.as_operator("eva", role=Role.EDITOR) as eva,
    ):
        await nina.see("/reports")
        for file in ("report.csv", "report.xlsx", "chi_v2022.csv"):
            assert (await nina.http.get(f"/reports/{file}")).status_code == 200
        assert (await nina.http.get("/reports?first=soon")).status_code == 422
        assert (await oleg.http.get("/reports/report.csv")).status_code == 403
        assert (await eva.http.get("/reports")).status_code == 403

    async with transaction(sessions) as session:
        people = {person.number: person.name for person in await OperatorRepository(session).everyone()}
        rows = (await session.scalars(select(AuditRow).order_by(AuditRow.seq))).all()
    acts = [
        (row.act, row.operator_id and people[row.operator_id])
        for row in rows
        if row.act.startswith(("report", "access"))
    ]
    assert acts == [
        ("report_seen", "nina"),
        *[("report_exported", "nina")] * 3,
        ("access_refused", "oleg"),
        ("access_refused", "eva"),
    ]


@pytest.mark.parametrize(("number", "shown"), [(0, None), (4, None), (5, 5), (9, 5), (10, 10), (237, 235)])
def test_what_was_counted_of_conversations_is_shown_in_steps(number: int, shown: int | None) -> None:
    assert in_steps(number) == shown


@given(
    asked=st.integers(0, 60), answered=st.integers(0, 60), elsewhere=st.integers(0, 60), locale=st.just("en")
)
def test_no_number_of_a_question_tells_of_fewer_than_five(
    asked: int, answered: int, elsewhere: int, locale: str
) -> None:
    counts = {"asked": asked, "answered": answered, "elsewhere": elsewhere}
    sums = [_sum(what, number, flow="insults", node="plan") for what, number in counts.items()]

    sheet = usage_sheets(Usage(sums=sums, questions=[]), labels={"locale": {}})[-1]

    assert bool(sheet.rows) == (asked >= SMALL)
    for _, (*numbers, share) in sheet.rows:
        assert all(number is None or (isinstance(number, int) and number % SMALL == 0) for number in numbers)
        assert (share is None) == (numbers[-1] is None)


async def test_supervisors_see_where_conversations_stop_and_what_the_course_leads_to(
    service: Service, bot: FakeBot
) -> None:
    bot.usage = {
        "sums": [
            *(
                _sum(what, number).model_dump()
                for what, number in (
                    ("course_begun", 40),
                    ("course_part", 23),
                    ("course_done", 3),
                    ("course_case", 8),
                )
            ),
            *(
                _sum("begun", number, flow="welcome", locale=locale).model_dump()
                for locale, number in (("ru", 61), ("be", 3))
            ),
            *(
                _sum(what, number, flow="insults", node="what_helps").model_dump()
                for what, number in (("asked", 50), ("answered", 31), ("elsewhere", 6))
            ),
            _sum("asked", 4, flow="grooming", node="what_helps").model_dump(),
            _sum("something_newer", 70).model_dump(),
        ],
        "questions": [{"flow": "insults", "node": "what_helps", "text": "What would help you most?"}],
    }
    async with service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        page = await nina.see("/reports")
        rows = {tuple(row[:3]): row[3] for row in _rows((await nina.http.get("/reports/report.csv")).text)}

    steps = {row[1]: number for row, number in rows.items() if row[::2] == ("course", "Conversations")}
    assert steps == {
        "Opened the course": "40",
        "Finished a part of it": "20",
        "Finished all of its parts": "hidden",
        "Asked for a person after opening it": "5",
    }
    share = rows["course", "Asked for a person after opening it", "Of those who opened it"]
    assert share == "12 %", "of the rounded numbers"
    assert rows["begun", "Russian", "Begun"] == "60"
    assert rows["begun", "Belarusian", "Begun"] == "hidden"
    question = "Insults: What would help you most?"
    columns = ("Asked", "Answered", "Went elsewhere", "Fell silent", "Silent of those asked")
    assert [rows["questions", question, column] for column in columns] == ["50", "30", "5", "10", "20 %"]
    assert {name for sheet, name, _ in rows if sheet == "questions"} == {question}
    assert question in page
    assert "Where conversations with the bot stop" in page


async def test_without_the_bot_a_report_still_has_what_the_helpline_knows(
    service: Service, bot: FakeBot
) -> None:
    async with service.as_bot() as client, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        await _contacts(client, nina, number=5)
        page = await nina.see("/reports")
        bot.usage = {"sums": [{"what": 3}], "questions": []}
        garbled = await nina.see("/reports")

    for shown in (page, garbled):
        assert "<strong>5</strong> contacts" in shown
        assert "The bot could not be asked just now" in shown


async def _contacts(
    bot: BotClient,
    operator: OperatorClient,
    *,
    number: int,
    danger: str = "concern",
    channel: str = "telegram",
) -> None:
    for _ in range(number):
        await bot.open(danger=danger, channel=channel, conversation=str(uuid4()))
        case = await operator.take_next()
        assert case is not None
        await operator.write(case, "I am here.")
        await operator.close(case)


def _coded(code: str, number: int, *, harm: str | None = None, counselled: bool = True) -> Coded:
    return Coded(code=code, online_harm=harm, occurred="unknown", counselled=counselled, number=number)


def _printed(content: bytes) -> tuple[str, bool]:
    """The words of a PDF with single spaces between them, and whether a screen reader can follow it."""
    file = pypdfium2.PdfDocument(content)
    words = " ".join(page.get_textpage().get_text_bounded() for page in file)
    return " ".join(words.split()), bool(file.is_tagged())


def _sum(what: str, number: int, *, flow: str = "", node: str = "", locale: str = "en") -> Sum:
    return Sum(what=what, flow=flow, node=node, locale=locale, number=number)


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
