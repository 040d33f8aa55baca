"""Which parts are up, and what waits to be delivered? One row for each, worst words first where it is bad."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from referral.language import gettext, ngettext, span
from referral.oversight.schemas import Condition
from referral.pager.repository import OpenPages
from referral.pager.rules import Channel

#: A message that no worker has answered for so long, or a delivery that takes longer, is too late.
SLOW = timedelta(seconds=60)


class Health(StrEnum):
    """How a part is doing."""

    GOOD = "good"
    #: It works, and something about it wants a look.
    TROUBLE = "trouble"
    DOWN = "down"
    #: It is not set up, or nobody can say.
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the product."""

    name: str
    health: Health
    says: str
    #: What to do where it is not well.
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the desk itself knows at this moment."""

    now: datetime
    #: Events that the bot does not have yet, and since when the oldest of them waits.
    events: int
    oldest_event: datetime | None
    listening: bool
    pages: Mapping[Channel, OpenPages]
    #: Which pager channels are set up.
    pagers: Sequence[Channel]
    #: Letters to other systems on their way, and given up.
    letters: int
    letters_parked: int


def parts(seen: Seen, condition: Condition | None) -> Sequence[Part]:
    """Every part, in the order in which a message passes them."""
    return [
        *_bot(condition),
        _database(),
        _delivery(seen),
        _live(seen),
        *_pagers(seen),
        _connections(seen),
    ]


def _bot(condition: Condition | None) -> Iterator[Part]:
    if condition is None:
        yield Part(
            name=gettext("Bot"),
            health=Health.DOWN,
            says=gettext("does not answer the desk"),
            advice=gettext(
                "Visitors may be without answers. Look whether its process runs: ./porchlight doctor"
            ),
        )
        yield Part(name=gettext("Model"), health=Health.OFF, says=gettext("not known without the bot"))
        return
    waiting = condition.waiting
    slow = waiting.oldest_message_seconds > SLOW.total_seconds()
    says = ngettext(
        "answers; %(num)s message of visitors unanswered",
        "answers; %(num)s messages of visitors unanswered",
        waiting.messages,
    )
    yield Part(
        name=gettext("Bot"),
        health=Health.TROUBLE if slow else Health.GOOD,
        says=_since(says, waiting.oldest_message_seconds if waiting.messages else None),
        advice=gettext("No worker seems to answer: look whether one runs.") if slow else "",
    )
    yield _parked(waiting.parked)
    yield _outbox(condition)
    up = [server for server in condition.models if server.answers]
    health = Health.GOOD if len(up) == len(condition.models) else Health.TROUBLE if up else Health.DOWN
    yield Part(
        name=gettext("Model"),
        health=health,
        says=gettext("%(up)s of %(all)s servers up", up=len(up), all=len(condition.models)),
        advice=""
        if up
        else gettext("Free text is not understood; danger, buttons and the way to a person work without it."),
    )


def _parked(number: int) -> Part:
    return Part(
        name=gettext("Parked messages"),
        health=Health.TROUBLE if number else Health.GOOD,
        says=ngettext(
            "%(num)s message set aside after three attempts",
            "%(num)s messages set aside after three attempts",
            number,
        )
        if number
        else gettext("none"),
        advice=gettext("Their visitors were told, and given the number. The bot’s log names the reason.")
        if number
        else "",
    )


def _outbox(condition: Condition) -> Part:
    waiting = condition.waiting
    number = sum(waiting.deliveries.values())
    slow = number > 0 and waiting.oldest_delivery_seconds > SLOW.total_seconds()
    says = ngettext("%(num)s delivery under way", "%(num)s deliveries under way", number)
    return Part(
        name=gettext("From the bot to visitors and to the desk"),
        health=Health.TROUBLE if slow else Health.GOOD,
        says=_since(says, waiting.oldest_delivery_seconds if number else None),
        advice=gettext("A messenger, or the desk as the bot sees it, may be out of reach.") if slow else "",
    )


def _database() -> Part:
    # Whoever reads this reads it from there.
    return Part(name=gettext("Database of the desk"), health=Health.GOOD, says=gettext("answers"))


def _delivery(seen: Seen) -> Part:
    lag = (seen.now - seen.oldest_event) if seen.oldest_event else timedelta()
    slow = lag > SLOW
    says = ngettext("%(num)s event under way", "%(num)s events under way", seen.events)
    return Part(
        name=gettext("From the desk to the bot"),
        health=Health.TROUBLE if slow else Health.GOOD,
        says=_since(says, lag.total_seconds() if seen.events else None),
        advice=gettext("What operators write does not reach visitors at the moment; nothing of it is lost.")
        if slow
        else "",
    )


def _live(seen: Seen) -> Part:
    return Part(
        name=gettext("Live pages"),
        health=Health.GOOD if seen.listening else Health.DOWN,
        says=gettext("change by themselves") if seen.listening else gettext("do not change by themselves"),
        advice="" if seen.listening else gettext("Load pages again to see what is new."),
    )


def _pagers(seen: Seen) -> Iterator[Part]:
    names = {
        Channel.WEBHOOK: gettext("webhook"),
        Channel.TELEGRAM: gettext("Telegram group"),
        Channel.EMAIL: gettext("e-mail"),
    }
    if not seen.pagers:
        yield Part(
            name=gettext("Pager"),
            health=Health.OFF,
            says=gettext("not set up: only the desk says that a case is overdue"),
        )
    for channel in seen.pagers:
        found = seen.pages.get(channel, OpenPages(waiting=0, failed=0))
        yield Part(
            name=gettext("Pager, %(channel)s", channel=names[channel]),
            health=Health.TROUBLE if found.failed else Health.GOOD,
            says=_failed(
                ngettext("%(num)s page to be sent", "%(num)s pages to be sent", found.waiting),
                found.failed,
            ),
            advice=gettext("It is tried again until somebody answers the visitor.") if found.failed else "",
        )


def _connections(seen: Seen) -> Part:
    says = ngettext("%(num)s letter under way", "%(num)s letters under way", seen.letters)
    if seen.letters_parked:
        says = gettext("%(said)s, %(number)s given up", said=says, number=seen.letters_parked)
    return Part(
        name=gettext("To other systems"),
        health=Health.TROUBLE if seen.letters_parked else Health.GOOD,
        says=says,
        advice=gettext("See Connections for the reasons.") if seen.letters_parked else "",
    )


def _failed(said: str, number: int) -> str:
    if not number:
        return said
    return gettext("%(said)s, %(number)s of them after a failed attempt", said=said, number=number)


def _since(said: str, seconds: float | None) -> str:
    if seconds is None:
        return said
    return gettext("%(said)s, the oldest for %(time)s", said=said, time=span(timedelta(seconds=seconds)))
