"""Chatwoot as the contract test sees it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import httpx
from starlette.requests import Request
from starlette.responses import Response

from referral.clock import Clock
from referral.connectors.chatwoot.connector import ChatwootConnector
from referral.connectors.chatwoot.server import Account, ChatwootServer
from referral.connectors.protocol import Connector
from tests.fakes.chatwoot import ACCOUNT, INBOX, TOKEN, FakeChatwoot, Talk
from tests.referral.connectors.receivers import Fault, Faults


class ChatwootReceiver(FakeChatwoot):
    """An inbox that nobody answers in."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self._faults = Faults()

    async def receive(self, request: Request) -> Response:
        """One request, unless a fault comes first."""
        return await self._faults.stand_between(request, lambda body: self.answer(request, body))

    def server(self, client: httpx.AsyncClient, *, url: str, patience: timedelta) -> ChatwootServer:
        """How our connector reaches it."""
        account = Account(url=url, account=ACCOUNT, inbox=INBOX, token=TOKEN)
        return ChatwootServer(client, account, patience=patience)

    def connector(self, client: httpx.AsyncClient, *, url: str, patience: timedelta) -> Connector:
        """Our connector."""
        return ChatwootConnector(self.server(client, url=url, patience=patience))

    def fail(self, *faults: Fault) -> None:
        """One fault each."""
        self._faults.waiting.extend(faults)

    @property
    def requests(self) -> int:
        """Every request."""
        return self._faults.requests

    def talk_of(self, case: UUID) -> Talk | None:
        """The conversation of this case; there must never be two."""
        contacts = [item["id"] for item in self.contacts.values() if str(case) in item["identifier"]]
        talks = [talk for talk in self.talks.values() if talk.contact in contacts]
        assert len(contacts) <= 1
        assert len(talks) <= 1
        return talks[0] if talks else None

    def heard(self, case: UUID) -> Sequence[str]:
        """What stands in the conversation, and how it stands."""
        talk = self.talk_of(case)
        if talk is None:
            return []
        return [*(message["content"] for message in talk.messages), talk.status, talk.priority or ""]

    def knows(self, case: UUID) -> bool:
        """True if there is a contact."""
        return any(str(case) in item["identifier"] for item in self.contacts.values())

    def everything(self) -> str:
        """All contacts and conversations."""
        talks = [[talk.messages, talk.attributes] for talk in self.talks.values()]
        return json.dumps([talks, list(self.contacts.values())], ensure_ascii=False)
