"""What a visitor is told when their message could not even be stored: the number, at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bot.messages import Button, Channel, DeliveryFailed, InboxDown, Incoming, IncomingKind, Outgoing, Run
from bot.metrics import ACCEPTED, FIRST_AID
from bot.store import Store
from bot.traces import span
from flows import engine
from flows.model import Book
from flows.safety import Lexicon

log = structlog.get_logger()

#: A platform redelivers what we did not take; each message is answered once by hand. So many are remembered.
REMEMBERED = 10_000

_HEARD = (
    IncomingKind.TEXT,
    IncomingKind.EDITED,
    IncomingKind.STARTED,
    IncomingKind.CHOICE,
    IncomingKind.MEDIA,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAid:
    """Answers from the content alone: no database, no model, no other service."""

    book: Book
    lexicon: Lexicon
    countries: Sequence[str]
    locale: str
    country: str | None

    def answer(self, text: str, *, channel: str, locale: str | None, country: str | None) -> Outgoing:
        """Care and the number where the lexicon hears danger, else an apology with the number."""
        match = self.lexicon.first_match(text, locale=locale)
        say = engine.emergency_say(
            self.book,
            match,
            locale=locale or self.locale,
            country=country or self.country,
            countries=self.countries,
        )
        FIRST_AID.labels(channel=channel, danger="yes" if match else "no").inc()
        return Outgoing(
            text=say.text,
            choices=tuple(Button(title=choice.title, payload=choice.payload) for choice in say.choices),
            locale=(match and match.locale) or locale or self.locale,
            runs=tuple(Run(text=run.text, bold=run.bold, link=run.link) for run in say.runs),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """Stores what channels hand over; when it cannot, answers by hand and lets the platform try again."""

    store: Store
    first_aid: FirstAid
    channels: Mapping[str, Channel]
    _answered: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)

    async def accept(self, incoming: Incoming) -> None:
        """Keep the message; raises ``InboxDown`` after having given first aid."""
        try:
            with span("accept", channel=incoming.channel, kind=incoming.kind.value):
                await self.store.accept(
                    channel=incoming.channel,
                    address=incoming.address,
                    update=incoming.update,
                    event=event_of(incoming),
                )
        except InboxDown:
            await self._help(incoming)
            raise
        ACCEPTED.labels(channel=incoming.channel, kind=incoming.kind.value).inc()

    async def _help(self, incoming: Incoming) -> None:
        channel = self.channels.get(incoming.channel)
        seen = (incoming.channel, incoming.update)
        if channel is None or incoming.kind not in _HEARD or seen in self._answered:
            return
        self._answered[seen] = None
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)
        text = incoming.text if incoming.kind in (IncomingKind.TEXT, IncomingKind.EDITED) else ""
        answer = self.first_aid.answer(
            text, channel=incoming.channel, locale=incoming.locale, country=incoming.country
        )
        try:
            await channel.send(incoming.address, answer)
        except DeliveryFailed as error:
            log.error("first aid could not be delivered", channel=channel.name, error=type(error).__name__)


def event_of(incoming: Incoming) -> dict[str, str | None]:
    """The message as the inbox keeps it."""
    return {
        "kind": incoming.kind.value,
        "text": incoming.text,
        "media": incoming.media and incoming.media.value,
        "locale": incoming.locale,
        "country": incoming.country,
        "campaign": incoming.campaign,
    }
