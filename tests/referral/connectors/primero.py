"""Primero as the contract test sees it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import httpx
from starlette.requests import Request
from starlette.responses import Response

from referral.clock import Clock
from referral.connectors.happenings import Audience
from referral.connectors.primero.connector import PrimeroConnector
from referral.connectors.primero.mapping import Mappings, load
from referral.connectors.primero.server import Account, PrimeroServer
from referral.connectors.protocol import Connector
from tests.fakes.primero import PASSWORD, USER, FakePrimero
from tests.referral.connectors.receivers import Fault, Faults


class PrimeroReceiver(FakePrimero):
    """Primero with the forms it comes with, and our own mapping files."""

    def __init__(
        self, clock: Clock, *, audience: Audience = Audience.HELPLINE, mappings: Mappings | None = None
    ) -> None:
        super().__init__()
        self._clock = clock
        self._audience = audience
        self._mappings = mappings if mappings is not None else load()
        self._faults = Faults()

    async def receive(self, request: Request) -> Response:
        """One request, unless a fault comes first."""
        return await self._faults.stand_between(request, lambda body: self.answer(request, body))

    def server(self, client: httpx.AsyncClient, *, url: str, patience: timedelta) -> PrimeroServer:
        """How our connector reaches it."""
        account = Account(url=url, user=USER, password=PASSWORD)
        return PrimeroServer(client, account, patience=patience)

    def connector(self, client: httpx.AsyncClient, *, url: str, patience: timedelta) -> Connector:
        """Our connector."""
        return PrimeroConnector(
            self.server(client, url=url, patience=patience), mappings=self._mappings, audience=self._audience
        )

    def fail(self, *faults: Fault) -> None:
        """One fault each."""
        self._faults.waiting.extend(faults)

    @property
    def requests(self) -> int:
        """Every request."""
        return self._faults.requests

    def heard(self, case: UUID) -> Sequence[str]:
        """What was done to the record."""
        return self.history.get(str(case), [])

    def knows(self, case: UUID) -> bool:
        """True if anything of the visitor stands in the record; Primero itself can only hide it."""
        record = self.records.get(str(case), {})
        kept = {"id", "module_id", "owned_by", "status", "record_state"}
        return any(value not in (None, False) for name, value in record.items() if name not in kept)

    def everything(self) -> str:
        """Every record."""
        return json.dumps(self.records, ensure_ascii=False)
