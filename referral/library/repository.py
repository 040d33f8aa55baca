"""How the files of the library are kept and read; the only place with queries about them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from referral.errors import FileUnknown, FormIncomplete
from referral.library.rules import MAX_TITLE, Harmless
from referral.library.tables import LibraryFile
from referral.privacy import Privacy


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file of the library, without its content."""

    number: UUID
    title: str
    form: str
    size: int
    added_at: datetime


class LibraryRepository:
    """The library within one transaction."""

    def __init__(self, session: AsyncSession, *, privacy: Privacy) -> None:
        self._session = session
        self._privacy = privacy

    async def files(self) -> Sequence[Kept]:
        """What can be given, by title."""
        columns = (
            LibraryFile.number.label("number"),
            LibraryFile.title,
            LibraryFile.form,
            LibraryFile.size,
            LibraryFile.added_at,
        )
        query = select(*columns).where(LibraryFile.removed_at.is_(None)).order_by(LibraryFile.title)
        return [Kept(**row) for row in (await self._session.execute(query)).mappings()]

    async def add(self, file: Harmless, *, title: str, by: UUID, now: datetime) -> UUID:
        """Put a file in; its number."""
        if not 1 <= len(title) <= MAX_TITLE:
            raise FormIncomplete(f"A title has 1 to {MAX_TITLE} characters.")
        number = uuid4()
        sealed = self._privacy.seal(base64.b64encode(file.content).decode(), **_place(number))
        self._session.add(
            LibraryFile(
                number=number,
                title=title,
                form=file.form,
                content=sealed,
                size=len(file.content),
                added_by_id=by,
                added_at=now,
            )
        )
        return number

    async def remove(self, number: UUID, *, now: datetime) -> None:
        """Take a file out: nobody can be given it any more, and links to it end."""
        file = await self._session.get(LibraryFile, number, with_for_update=True)
        if file is None:
            raise FileUnknown
        if file.removed_at is None:
            file.removed_at, file.content = now, None

    async def known(self, number: UUID) -> LibraryFile:
        """A file that can be given; raises ``FileUnknown``."""
        file = await self._session.get(LibraryFile, number)
        if file is None or file.content is None:
            raise FileUnknown
        return file

    async def content(self, number: UUID) -> tuple[LibraryFile, bytes]:
        """A file that can be given, and what is in it."""
        file = await self.known(number)
        assert file.content is not None  # noqa: S101 - what is known has content.
        return file, base64.b64decode(self._privacy.unseal(file.content, **_place(number)))


def _place(number: UUID) -> dict[str, str]:
    return {"table": "library_file", "column": "content", "row": str(number)}
