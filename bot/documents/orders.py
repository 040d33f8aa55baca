"""Which document was promised to a visitor, and how does it become a file without holding anybody up?"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

import structlog

from bot.clocks import CLOCKS
from bot.documents.typesetting import typeset
from bot.messages import BotError, Outgoing, Run
from flows.effects import Hand, HandFile
from flows.model import FORMATS, Book
from flows.paper import Paper, compose
from flows.speech import said_alone

log = structlog.get_logger()

#: How long one file may take; a tenth of a second is usual.
PATIENCE = timedelta(seconds=6)
#: How long one may take with the wait for those before it.
PATIENCE_IN_LINE = timedelta(seconds=10)
#: More orders than these do not wait in one process, unless who asks says another number.
MOST_WAITING = 20

#: What a file of the helpline's own is called where its title would not do.
FROM_HELPLINE = "helpline"

_TOKEN_BYTES = 24

#: The content of a file by its number; raises ``NotMade``, or ``PressBusy`` where it may come later.
Library = Callable[[str], Awaitable[bytes]]


class NotMade(BotError):
    """This document could not be made now."""


class PressBusy(NotMade):
    """So many documents wait to be made that one more would wait too long; nothing is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One document in one form for one visitor; it gives the same file whenever it is made."""

    document: str
    #: ``pdf`` or ``png``.
    form: str
    locale: str
    role: str | None
    country: str | None
    #: The visitor's own answers.
    slots: Mapping[str, str]
    #: What the document is called in the visitor's language.
    title: str
    #: The day on which the visitor got it, where they are; ISO 8601.
    handed_on: str
    #: Names the link under which it can be fetched; empty where the file itself is sent.
    token: str = ""
    #: Where the helpline keeps a file of its own; empty for our documents.
    library: str = ""

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Self:
        """The order that the outbox keeps."""
        return cls(**payload)

    def payload(self) -> dict[str, Any]:
        """The order as the outbox keeps it."""
        return asdict(self)

    @property
    def name(self) -> str:
        """What the file is called."""
        return f"{self.document}.{self.form}"

    @property
    def label(self) -> str:
        """What the visitor reads on a link to it."""
        return f"{self.title} ({self.form.upper()})"

    @property
    def path(self) -> str:
        """Where our web server has it; messengers want to see the form at the end."""
        return f"/documents/{self.token}.{self.form}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Takes orders and makes them, one at a time in a thread of its own."""

    book: Book
    countries: Sequence[str]
    #: Fetches a file that the helpline keeps.
    library: Library | None = None
    _waiting: set[asyncio.Future[bytes]] = field(default_factory=set)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=1))

    def orders(self, hand: Hand, *, at: datetime, linked: bool) -> Iterator[Order]:
        """An order for each form that the document has; with ``linked`` it can be fetched from us."""
        document = self.book.documents.get(hand.document)
        asked = Order(
            document=hand.document,
            form=FORMATS[0],
            locale=hand.locale,
            role=hand.role,
            country=hand.country,
            slots=dict(hand.slots),
            title=hand.document,
            handed_on=at.astimezone(CLOCKS.get(hand.country or "", UTC)).date().isoformat(),
        )
        title = self._title(asked)
        # Of a document that there is not, one order is enough for the apology.
        for form in document.formats if document else FORMATS[:1]:
            token = secrets.token_urlsafe(_TOKEN_BYTES) if linked else ""
            yield replace(asked, form=form, title=title, token=token)

    def order_of(self, file: HandFile, *, at: datetime, linked: bool) -> Order:
        """An order for a file of the helpline's own."""
        return Order(
            document=FROM_HELPLINE,
            form=file.form,
            locale=file.locale,
            role=None,
            country=file.country,
            slots={},
            title=file.title,
            handed_on=at.astimezone(CLOCKS.get(file.country or "", UTC)).date().isoformat(),
            token=secrets.token_urlsafe(_TOKEN_BYTES) if linked else "",
            library=file.number,
        )

    async def _fetched(self, order: Order) -> bytes:
        if self.library is None:
            raise NotMade
        return await self.library(order.library)

    async def file(self, order: Order, *, most_waiting: int = MOST_WAITING) -> bytes:
        """The file, in some seconds at the latest; raises ``NotMade``, or ``PressBusy`` where others wait."""
        if order.library:
            return await self._fetched(order)
        if len(self._waiting) >= most_waiting:
            raise PressBusy
        made = asyncio.get_running_loop().run_in_executor(self._thread, self._make, order)
        self._waiting.add(made)
        try:
            async with asyncio.timeout(PATIENCE_IN_LINE.total_seconds()):
                return await made
        except TimeoutError:
            # What takes too long by itself is ended by the thread before.
            raise PressBusy from None
        except Exception as error:
            # Whatever is wrong with a document, the conversation goes on. What the error says may be the
            # visitor's words, so it goes no further.
            log.error("a document was not made", document=order.document, error=type(error).__name__)
            raise NotMade from None
        finally:
            self._waiting.discard(made)

    def regret(self, order: Order, key: str) -> Outgoing:
        """The text ``document_failed`` or ``document_not_here`` in the visitor's language."""
        say = said_alone(
            self.book,
            key,
            locale=order.locale,
            role=order.role,
            country=order.country,
            countries=self.countries,
        )
        runs = tuple(Run(text=run.text, bold=run.bold, link=run.link) for run in say.runs)
        return Outgoing(text=say.text, locale=order.locale, runs=runs)

    def close(self) -> None:
        """Make nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _make(self, order: Order) -> bytes:
        return typeset(self._paper(order), order.form, patience=PATIENCE.total_seconds())

    def _title(self, order: Order) -> str:
        try:
            return self._paper(order).title
        except Exception as error:
            # It is found missing again when it is made, and only then is anybody told.
            log.error("a document has no title", document=order.document, error=type(error).__name__)
            return order.document

    def _paper(self, order: Order) -> Paper:
        return compose(
            self.book,
            order.document,
            locale=order.locale,
            role=order.role,
            country=order.country,
            slots=order.slots,
            countries=self.countries,
            today=date.fromisoformat(order.handed_on),
        )
