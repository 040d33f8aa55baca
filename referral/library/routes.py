"""Where do supervisors keep the files that operators can give, and how does the bot fetch one?"""

from __future__ import annotations

import asyncio
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.console.door import CheckedForm, SignedInOperator, Supervisor
from referral.console.pages import page
from referral.console.views import Views
from referral.errors import FormIncomplete
from referral.library.repository import LibraryRepository
from referral.library.rules import MAX_TITLE, harmless
from referral.services import ServicesIn, TransactionIn

router = APIRouter()

_MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cache-control": "no-store",
}


@router.get("/library")
async def library_page(services: ServicesIn, operator: Supervisor, session: TransactionIn) -> Response:
    """All files, and a form for another."""
    return page(
        services.pages,
        "library.html",
        operator=operator,
        queue=await Views(session, privacy=services.privacy, now=services.clock()).queue(),
        files=await LibraryRepository(session, privacy=services.privacy).files(),
        max_title=MAX_TITLE,
    )


@router.post("/library")
async def add_file(
    services: ServicesIn, operator: Supervisor, session: TransactionIn, form: CheckedForm
) -> Response:
    """Put a file in, made harmless."""
    title, upload = form.get("title"), form.get("file")
    if not isinstance(title, str) or not isinstance(upload, UploadFile):
        raise FormIncomplete("Please choose a file and give it a title.")
    # Drawing a picture anew takes a moment, in which visitors' messages must not wait.
    made = await asyncio.to_thread(harmless, await upload.read())
    library = LibraryRepository(session, privacy=services.privacy)
    await library.add(made, title=title.strip(), by=operator.operator, now=services.clock())
    record(session, Act.FILE_ADDED, now=services.clock(), by=operator.operator)
    return RedirectResponse("/library", status_code=303)


@router.post("/library/{number}/remove")
async def remove_file(
    number: UUID, services: ServicesIn, operator: Supervisor, session: TransactionIn, _: CheckedForm
) -> Response:
    """Take a file out."""
    await LibraryRepository(session, privacy=services.privacy).remove(number, now=services.clock())
    record(session, Act.FILE_REMOVED, now=services.clock(), by=operator.operator)
    return RedirectResponse("/library", status_code=303)


@router.get("/library/{number}")
async def library_file(
    number: UUID, services: ServicesIn, _: SignedInOperator, session: TransactionIn
) -> Response:
    """A file, for whoever wants to look at it before they give it."""
    return await _file(number, services=services, session=session)


@router.get("/v1/library/{number}")
async def fetched_file(
    number: UUID, request: Request, services: ServicesIn, session: TransactionIn
) -> Response:
    """A file, for the bot."""
    services.signature.check(await request.body(), headers=request.headers)
    return await _file(number, services=services, session=session)


async def _file(number: UUID, *, services: ServicesIn, session: TransactionIn) -> Response:
    file, content = await LibraryRepository(session, privacy=services.privacy).content(number)
    disposition = {"content-disposition": f'attachment; filename="{number}.{file.form}"'}
    return Response(content, media_type=_MEDIA_TYPES[file.form], headers=_HEADERS | disposition)
