"""What is a connector? Whatever can be given a letter about a case and says what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from referral.connectors.happenings import Audience, Detail, Happening, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One happening on its way to one system."""

    #: The same on every attempt, so that the receiver can tell a repeat.
    number: UUID
    #: From 1.
    attempt: int
    happening: Happening
    #: The name under which that system keeps the case, as an earlier ``Arrived`` of this case told.
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """The system has it; ``reference`` is how it calls the case, for the letters to come."""

    reference: str | None = None
    #: What a supervisor must know of it nevertheless: a system that cannot delete says what is left there.
    remains: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """The system as a whole does not answer, or asks for a pause: no letter goes there for a while."""

    reason: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """This letter did not arrive; others may."""

    reason: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The system will never take this letter as it is: somebody must look."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The system wants no more letters at all."""

    reason: str


#: A reason is a status or the name of an error, never an address, a secret or a word of anybody.
Answer = Arrived | Unavailable | Failed | Refused | Ended


class Connector(Protocol):
    """A way to one system. It keeps no state: what it must remember of a case is its reference."""

    @property
    def name(self) -> str:
        """Its name in the database and on the page of connections: ``^[a-z0-9_]{1,40}$``."""

    @property
    def wants(self) -> frozenset[Kind]:
        """What it is told of; ``Kind.FORGOTTEN`` always comes, whether it stands here or not."""

    @property
    def needs(self) -> frozenset[Detail]:
        """What it asks for besides facts; it gets as much of that as consent covers for ``audience``."""

    @property
    def audience(self) -> Audience:
        """Who reads what it is told. Others are told nothing of a visitor who has not agreed to that."""

    async def send(self, letter: Letter, *, now: datetime) -> Answer:
        """Try once, within half a minute; never raises for what the other side does."""
