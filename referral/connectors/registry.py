"""Which connectors are switched on, by settings and on the page of connections?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from referral.config import Settings
from referral.connectors.chatwoot import server as chatwoot
from referral.connectors.chatwoot.connector import ChatwootConnector
from referral.connectors.chatwoot.server import ChatwootServer
from referral.connectors.primero.connector import PrimeroConnector
from referral.connectors.primero.mapping import load
from referral.connectors.primero.server import Account, PrimeroServer
from referral.connectors.protocol import Connector
from referral.connectors.repository import LetterRepository
from referral.connectors.webhooks import Webhooks


class Registry:
    """Finds the connector of a name: those of the settings, and an endpoint for each row of ``endpoint``."""

    def __init__(self, connectors: Iterable[Connector], *, webhooks: Webhooks) -> None:
        self._connectors = {connector.name: connector for connector in connectors}
        self._webhooks = webhooks

    async def find(self, name: str, *, session: AsyncSession) -> Connector | None:
        """The connector of this name; None once it is switched off."""
        return self._connectors.get(name) or await self._webhooks.find(name, session=session)

    async def switch_on(self, session: AsyncSession, *, now: datetime) -> None:
        """Connect what the settings name, and disconnect what they no longer name."""
        letters, endpoints = LetterRepository(session), await self._webhooks.names(session)
        for connection in await letters.connections():
            if connection.name not in self._connectors and connection.name not in endpoints:
                await letters.disconnect(connection.name, reason="not in the settings", now=now)
        for connector in self._connectors.values():
            await letters.connect(connector.name, kinds=connector.wants)


def connectors_of(settings: Settings, *, client: httpx.AsyncClient) -> Sequence[Connector]:
    """The connectors that this helpline has set up; each new one is added here."""
    connectors: list[Connector] = []
    if settings.primero_url:
        connectors.append(
            PrimeroConnector(
                primero_of(settings, client=client),
                mappings=load(settings.primero_mapping_dir),
                audience=settings.primero_audience,
            )
        )
    if settings.chatwoot_url:
        connectors.append(ChatwootConnector(chatwoot_of(settings, client=client)))
    return connectors


def chatwoot_of(settings: Settings, *, client: httpx.AsyncClient) -> ChatwootServer:
    """The Chatwoot that the settings name."""
    account = chatwoot.Account(
        url=settings.chatwoot_url,
        account=settings.chatwoot_account,
        inbox=settings.chatwoot_inbox,
        token=settings.chatwoot_token,
    )
    return ChatwootServer(client, account)


def primero_of(settings: Settings, *, client: httpx.AsyncClient) -> PrimeroServer:
    """The Primero that the settings name."""
    account = Account(
        url=settings.primero_url, user=settings.primero_user, password=settings.primero_password
    )
    return PrimeroServer(client, account)


def refuse_unusable(settings: Settings) -> None:
    """Raise if a file that the settings name cannot be used: better now than with the first case."""
    if settings.primero_url:
        load(settings.primero_mapping_dir)
