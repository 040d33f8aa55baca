"""What may be given to a child: which files are taken, what is left in them, and how they reach the child."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from referral.errors import FileRefused
from referral.library.rules import MAX_FILE, MAX_PICTURE, harmless
from referral.operators.rules import Role
from tests.referral.conftest import Time
from tests.referral.desk import OperatorClient, Service
from tests.referral.serving import FakeBot

CANARY = b"53.9006 27.5590 taken at home"


def picture(form: str = "JPEG", *, size: tuple[int, int] = (640, 480)) -> bytes:
    """A picture that says where it was taken."""
    made, exif = BytesIO(), Image.Exif()
    exif[0x010E] = CANARY.decode()
    # Lying on its side, as phones store what they see upright.
    exif[0x0112] = 6
    Image.new("RGB", size, "navy").save(made, form, exif=exif, comment=CANARY)
    return made.getvalue()


def document() -> PdfWriter:
    """A PDF of one empty page."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    return writer


def scripted() -> PdfWriter:
    """A PDF with a script that runs when it is opened."""
    writer = document()
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    )
    writer.root_object[NameObject("/OpenAction")] = action
    return writer


def written(writer: PdfWriter) -> bytes:
    made = BytesIO()
    writer.write(made)
    return made.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_drawn_anew_and_nothing_beside_it_is_left(form: str) -> None:
    made = harmless(picture(form))

    assert made.form == "png"
    assert CANARY not in made.content
    with Image.open(BytesIO(made.content)) as opened:
        assert opened.format == "PNG"
        assert not opened.getexif()
        assert set(opened.info) <= {"transparency", "gamma"}


def test_a_picture_stands_the_right_way_up() -> None:
    with Image.open(BytesIO(harmless(picture("JPEG")).content)) as opened:
        assert opened.size == (480, 640)


def test_a_large_picture_becomes_one_that_every_messenger_takes() -> None:
    noise = Image.effect_noise((2400, 1800), 90).convert("RGB")
    made = BytesIO()
    noise.save(made, "JPEG", quality=80)

    assert len(harmless(made.getvalue()).content) <= MAX_PICTURE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90 a program",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04",
        b"%PDF-1.7 broken",
        b"x" * (MAX_FILE + 1),
    ],
)
def test_what_is_neither_a_pdf_nor_a_picture_is_refused_whatever_it_is_called(content: bytes) -> None:
    with pytest.raises(FileRefused):
        harmless(content)


def test_a_picture_with_too_many_dots_is_refused_before_it_is_drawn() -> None:
    made = BytesIO()
    Image.new("1", (20_000, 20_000)).save(made, "PNG")

    with pytest.raises(FileRefused):
        harmless(made.getvalue())


def test_a_plain_pdf_stays_as_it_is() -> None:
    content = written(document())

    assert harmless(content).form == "pdf"
    assert harmless(content).content == content


def test_a_pdf_that_does_something_by_itself_is_refused() -> None:
    with pytest.raises(FileRefused, match="by itself"):
        harmless(written(scripted()))


def test_a_pdf_with_a_file_inside_is_refused() -> None:
    writer = document()
    writer.add_attachment("more.exe", b"MZ")

    with pytest.raises(FileRefused, match="files inside"):
        harmless(written(writer))


def test_a_pdf_that_starts_a_program_when_a_page_opens_is_refused() -> None:
    writer = document()
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("calc.exe")}
    )
    writer.pages[0][NameObject("/AA")] = DictionaryObject({NameObject("/O"): action})

    with pytest.raises(FileRefused):
        harmless(written(writer))


def test_a_script_whose_name_is_written_otherwise_is_found() -> None:
    plain = written(scripted())
    hidden = plain.replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS", b"/J#53")

    assert b"JavaScript" not in hidden
    with pytest.raises(FileRefused):
        harmless(hidden)


def test_a_locked_pdf_is_refused() -> None:
    writer = document()
    writer.encrypt("secret")

    with pytest.raises(FileRefused, match="password"):
        harmless(written(writer))


async def test_a_supervisor_puts_a_file_in_and_an_operator_gives_it(service: Service, bot: FakeBot) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as operator,
        service.as_operator("vera", role=Role.SUPERVISOR) as supervisor,
    ):
        assert (await _upload(supervisor, picture(), title="Как заблокировать")).status_code == 303
        number = _number(await supervisor.see("/library"))
        await client.open()
        case = await operator.take_next()
        page = await operator.see(f"/cases/{case}")
        given = await _give(operator, case, f"file:{number}")
        again = await operator.see(f"/cases/{case}")
        await bot.until(lambda heard: "case.message" in heard.kinds)
        fetched = await client.get(f"/v1/library/{number}")
        unsigned = await operator.http.get(f"/v1/library/{number}")

    assert "Как заблокировать" in page
    assert given.status_code == 303
    assert "Как заблокировать" in again.partition('class="write"')[0]
    told = next(event["data"] for event in bot.events if event["type"] == "case.message")
    assert told["file"] == {"id": str(number), "title": "Как заблокировать", "form": "png"}
    assert fetched.content.startswith(b"\x89PNG")
    assert unsigned.status_code == 401


async def test_a_document_of_the_bot_is_given_by_its_name(service: Service, bot: FakeBot) -> None:
    documents = {"safety_plan": {"ru": "Мой план", "en": "My plan"}}
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        await client.open(documents=documents)
        case = await operator.take_next()
        assert "My plan" in await operator.see(f"/cases/{case}")
        given = await _give(operator, case, "document:safety_plan")
        unknown = await _give(operator, case, "document:certificate")
        await bot.until(lambda heard: "case.message" in heard.kinds)

    assert given.status_code == 303
    assert unknown.status_code == 404
    told = next(event["data"] for event in bot.events if event["type"] == "case.message")
    assert told["document"] == "safety_plan"


async def test_only_supervisors_fill_the_library_and_what_is_out_is_gone(service: Service) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as operator,
        service.as_operator("vera", role=Role.SUPERVISOR) as supervisor,
    ):
        assert (await _upload(operator, picture(), title="x")).status_code == 403
        assert (await _upload(supervisor, b"MZ", title="x")).status_code == 422
        await _upload(supervisor, picture(), title="Лишнее")
        number = _number(await supervisor.see("/library"))
        await supervisor.send(f"/library/{number}/remove")
        await client.open()
        case = await operator.take_next()
        given = await _give(operator, case, f"file:{number}")
        fetched = await client.get(f"/v1/library/{number}")

    assert given.status_code == 404
    assert fetched.status_code == 404


async def test_a_file_lies_sealed_in_the_database(service: Service, engine: AsyncEngine) -> None:
    content = written(document())
    async with service.as_operator("vera", role=Role.SUPERVISOR) as supervisor:
        await _upload(supervisor, content, title="План")
    async with engine.connect() as connection:
        stored = await connection.scalar(text("SELECT content FROM library_file"))

    assert b"%PDF" not in bytes(stored)


async def test_a_file_for_a_viber_visitor_after_a_day_must_be_confirmed(
    service: Service, clock: Time
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        yesterday = (clock() - timedelta(hours=25)).isoformat()
        documents = {"safety_plan": {"ru": "Мой план"}}
        await client.open(channel="viber", opened_at=yesterday, messages=[], documents=documents)
        case = await operator.take_next()
        refused = await _give(operator, case, "document:safety_plan")
        confirmed = await _give(operator, case, "document:safety_plan", billed="yes")

    assert refused.status_code == 409
    assert confirmed.status_code == 303


def _number(page: str) -> UUID:
    return UUID(page.partition('href="/library/')[2][:36])


async def _upload(client: OperatorClient, content: bytes, *, title: str) -> httpx.Response:
    data = {"title": title, "form_token": await client.form_token()}
    return await client.http.post("/library", data=data, files={"file": ("holiday.exe", content)})


async def _give(client: OperatorClient, case: UUID | None, what: str, **more: str) -> httpx.Response:
    return await client.send(f"/cases/{case}/gifts", {"entry": str(uuid4()), "what": what, **more})
