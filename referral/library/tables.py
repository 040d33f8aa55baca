"""Which table holds the files that operators can give."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from referral.database import Base
from referral.library.rules import FORMS

_FORMS = ", ".join(f"'{form}'" for form in FORMS)


class LibraryFile(Base):
    """A PDF or a picture that a supervisor put into the library."""

    __tablename__ = "library_file"
    __table_args__ = (
        CheckConstraint(f"form IN ({_FORMS})", name="library_form_is_known"),
        # What is taken out keeps its title for the threads in which it was given, and nothing else.
        CheckConstraint("(content IS NULL) = (removed_at IS NOT NULL)", name="library_content_or_removed"),
    )

    number: Mapped[UUID] = mapped_column("id", primary_key=True)
    title: Mapped[str]
    form: Mapped[str]
    #: Sealed base64 of the file.
    content: Mapped[bytes | None]
    size: Mapped[int]
    added_by_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
