"""What does Primero learn of a case, and when? A record when it begins, changes of danger, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

import httpx

from referral.connectors.happenings import (
    Audience,
    Closed,
    ConsentRevoked,
    DangerRaised,
    Detail,
    Forgotten,
    Kind,
    Opened,
    Returned,
    Said,
    Taken,
)
from referral.connectors.primero.mapping import CONSENT_FIELDS, CountryMapping, Mappings
from referral.connectors.primero.server import PrimeroServer, refused_fields
from referral.connectors.primero.sources import Told
from referral.connectors.protocol import Answer, Arrived, Failed, Letter, Refused, Unavailable
from referral.connectors.rules import answer
from referral.language import marked

NAME = "primero"

#: What a supervisor reads beside a deletion: Primero deletes nothing, and keeps the history of every record.
REMAINS = marked("emptied and hidden; Primero's administrator must erase its history")


class PrimeroConnector:
    """A record for each case whose visitor agreed, under the case's own id: a repeat makes no second one."""

    name = NAME
    wants = frozenset({Kind.OPENED, Kind.DANGER_RAISED, Kind.CLOSED})
    needs = frozenset({Detail.CARD, Detail.CODING})

    def __init__(self, server: PrimeroServer, *, mappings: Mappings, audience: Audience) -> None:
        self._server = server
        self._mappings = mappings
        self.audience = audience

    async def send(self, letter: Letter, *, now: datetime) -> Answer:
        """Try once."""
        try:
            match letter.happening:
                case Forgotten(number=number):
                    return await self._erase(number, now=now)
                case ConsentRevoked(number=number):
                    return await self._withdraw(number, now=now)
                case Opened() | DangerRaised() | Closed() as told:
                    return await self._tell(told, now=now)
                case Taken() | Returned() | Said():
                    return Arrived(reference=letter.reference)
                case _:
                    assert_never(letter.happening)
        except httpx.HTTPError as error:
            return Unavailable(reason=type(error).__name__)

    async def _tell(self, told: Told, *, now: datetime) -> Answer:
        # Whoever agreed to nothing has no record in a system of others, not even an empty one.
        if told.consent is None or not told.consent.sentence:
            return Arrived()
        mapping = self._mappings.get(told.case.country or "")
        if mapping is None:
            return Refused(reason="no mapping file for this country")
        if isinstance(told, Opened):
            return await self._create(told, mapping, now=now)
        changes = mapping.changed(told)
        if not changes:
            return Arrived()
        response = await self._server.change(told.case.number, changes)
        if response.status_code == 404:
            # The letter that should have made it was parked; the record tells how the case stands now.
            return await self._create(told, mapping, now=now)
        return _judged(response, number=told.case.number, now=now)

    async def _create(self, told: Told, mapping: CountryMapping, *, now: datetime) -> Answer:
        response = await self._server.create(mapping.created(told))
        if response.status_code == 409:
            # It is ours: nobody else makes a record under this id. What changed since has its own letters.
            return Arrived(reference=str(told.case.number))
        return _judged(response, number=told.case.number, now=now)

    async def _withdraw(self, number: UUID, *, now: datetime) -> Answer:
        """The record says that nobody may be referred any more; where there is none, nothing need be said."""
        response = await self._server.change(number, dict.fromkeys(CONSENT_FIELDS, False))
        return Arrived() if response.status_code == 404 else _judged(response, number=number, now=now)

    async def _erase(self, number: UUID, *, now: datetime) -> Answer:
        """Empty every field that came from us and hide the record, by each mapping until one is taken."""
        verdict: Answer = Arrived()
        for record in _distinct([mapping.erased() for mapping in self._mappings.values()]):
            response = await self._server.change(number, record)
            if response.status_code == 404:
                return Arrived()
            if response.is_success:
                return Arrived(remains=REMAINS)
            verdict = _judged(response, number=number, now=now)
            if response.status_code != 422:
                break
        return verdict


def _judged(response: httpx.Response, *, number: UUID, now: datetime) -> Answer:
    match response.status_code:
        case status if 200 <= status < 300:
            return Arrived(reference=str(number))
        case 401:
            # The password was changed, or the user switched off: nothing arrives until somebody mends it.
            return Unavailable(reason="401")
        case 422:
            return Refused(reason=" ".join(("422", *refused_fields(response))))
        case 403 | 404 | 409:
            return Refused(reason=str(response.status_code))
    verdict = answer(response.status_code, retry_after=response.headers.get("retry-after"), now=now)
    # Primero has no way to say that it is gone for good.
    return verdict if isinstance(verdict, Unavailable | Failed) else Failed(reason=str(response.status_code))


def _distinct(records: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    return [record for place, record in enumerate(records) if record not in records[:place]]
