"""Which parts are up, and what waits to be delivered? One row for each, worst words first where it is bad."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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
            name="Bot",
            health=Health.DOWN,
            says="does not answer the desk",
            advice="Visitors may be without answers. Look whether its process runs: ./porchlight doctor",
        )
        yield Part(name="Model", health=Health.OFF, says="not known without the bot")
        return
    waiting = condition.waiting
    slow = waiting.oldest_message_seconds > SLOW.total_seconds()
    says = f"answers; {_counted(waiting.messages, 'message')} of visitors unanswered"
    if waiting.messages:
        says += f", the oldest for {_span(waiting.oldest_message_seconds)}"
    yield Part(
        name="Bot",
        health=Health.TROUBLE if slow else Health.GOOD,
        says=says,
        advice="No worker seems to answer: look whether one runs." if slow else "",
    )
    yield _parked(waiting.parked)
    yield _outbox(condition)
    up = [server for server in condition.models if server.answers]
    health = Health.GOOD if len(up) == len(condition.models) else Health.TROUBLE if up else Health.DOWN
    yield Part(
        name="Model",
        health=health,
        says=f"{len(up)} of {_counted(len(condition.models), 'server')} up",
        advice=""
        if up
        else "Free text is not understood; danger, buttons and the way to a person work without it.",
    )


def _parked(number: int) -> Part:
    return Part(
        name="Parked messages",
        health=Health.TROUBLE if number else Health.GOOD,
        says=f"{_counted(number, 'message')} set aside after three attempts" if number else "none",
        advice="Their visitors were told, and given the number. The bot’s log names the reason."
        if number
        else "",
    )


def _outbox(condition: Condition) -> Part:
    waiting = condition.waiting
    number = sum(waiting.deliveries.values())
    slow = number > 0 and waiting.oldest_delivery_seconds > SLOW.total_seconds()
    says = f"{_counted(number, 'delivery', 'deliveries')} under way"
    if number:
        says += f", the oldest for {_span(waiting.oldest_delivery_seconds)}"
    return Part(
        name="From the bot to visitors and to the desk",
        health=Health.TROUBLE if slow else Health.GOOD,
        says=says,
        advice="A messenger, or the desk as the bot sees it, may be out of reach." if slow else "",
    )


def _database() -> Part:
    # Whoever reads this reads it from there.
    return Part(name="Database of the desk", health=Health.GOOD, says="answers")


def _delivery(seen: Seen) -> Part:
    lag = (seen.now - seen.oldest_event) if seen.oldest_event else timedelta()
    slow = lag > SLOW
    says = f"{_counted(seen.events, 'event')} under way"
    if seen.events:
        says += f", the oldest for {_span(lag.total_seconds())}"
    return Part(
        name="From the desk to the bot",
        health=Health.TROUBLE if slow else Health.GOOD,
        says=says,
        advice="What operators write does not reach visitors at the moment; nothing of it is lost."
        if slow
        else "",
    )


def _live(seen: Seen) -> Part:
    return Part(
        name="Live pages",
        health=Health.GOOD if seen.listening else Health.DOWN,
        says="change by themselves" if seen.listening else "do not change by themselves",
        advice="" if seen.listening else "Load pages again to see what is new.",
    )


def _pagers(seen: Seen) -> Iterator[Part]:
    names = {Channel.WEBHOOK: "webhook", Channel.TELEGRAM: "Telegram group", Channel.EMAIL: "e-mail"}
    if not seen.pagers:
        yield Part(
            name="Pager",
            health=Health.OFF,
            says="not set up: only the desk says that a case is overdue",
        )
    for channel in seen.pagers:
        found = seen.pages.get(channel, OpenPages(waiting=0, failed=0))
        yield Part(
            name=f"Pager, {names[channel]}",
            health=Health.TROUBLE if found.failed else Health.GOOD,
            says=f"{_counted(found.waiting, 'page')} to be sent"
            + (f", {found.failed} of them after a failed attempt" if found.failed else ""),
            advice="It is tried again until somebody answers the visitor." if found.failed else "",
        )


def _connections(seen: Seen) -> Part:
    says = f"{_counted(seen.letters, 'letter')} under way"
    if seen.letters_parked:
        says += f", {seen.letters_parked} given up"
    return Part(
        name="To other systems",
        health=Health.TROUBLE if seen.letters_parked else Health.GOOD,
        says=says,
        advice="See Connections for the reasons." if seen.letters_parked else "",
    )


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
