"""What can a supervisor do about other systems? Set a webhook up, change its secret, switch it off and on."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.connectors.happenings import Audience, Kind
from referral.connectors.repository import LetterRepository
from referral.connectors.tables import Connection, Endpoint
from referral.connectors.webhooks import (
    read_address,
    read_secrets,
    seal_address,
    seal_secrets,
)
from referral.errors import ConnectionUnknown, EndpointInvalid, FormIncomplete, LetterUnknown
from referral.pager.address import is_public
from referral.privacy import Privacy

MAX_LABEL = 60
MAX_ADDRESS = 500
#: What can be chosen; that consent was taken back, and a deletion, are always told.
CHOICES = tuple(kind for kind in Kind if kind not in (Kind.CONSENT_REVOKED, Kind.FORGOTTEN))
#: The specification asks for 24 to 64 random bytes.
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An endpoint as a supervisor describes it."""

    label: str
    address: str
    kinds: frozenset[Kind]
    audience: Audience
    with_words: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A connection as its page shows it."""

    connection: Connection
    #: None for a connector of the settings.
    endpoint: Endpoint | None
    label: str
    #: Where it leads, without what may be secret in the address.
    host: str
    #: True while the older of two secrets is still signed with.
    two_secrets: bool
    open: int
    parked: int


class Endpoints:
    """A supervisor at work, within one transaction."""

    def __init__(
        self, session: AsyncSession, *, privacy: Privacy, private: bool, by: UUID, now: datetime
    ) -> None:
        """``private`` says whether an address may lie in a private network or be without https."""
        self._session = session
        self._letters = LetterRepository(session)
        self._privacy = privacy
        self._private = private
        self._by = by
        self._now = now

    async def everyone(self) -> Sequence[Shown]:
        """Every system that is or was told of cases."""
        counts = await self._letters.counts()
        endpoints = {endpoint.name: endpoint for endpoint in await self._letters.endpoints()}
        found = []
        for connection in await self._letters.connections():
            endpoint = endpoints.get(connection.name)
            waiting, parked = counts.get(connection.name, (0, 0))
            found.append(
                Shown(
                    connection=connection,
                    endpoint=endpoint,
                    label=endpoint.label if endpoint else connection.name,
                    host=urlsplit(read_address(self._privacy, endpoint)).hostname or "" if endpoint else "",
                    two_secrets=endpoint is not None and len(read_secrets(self._privacy, endpoint)) > 1,
                    open=waiting,
                    parked=parked,
                )
            )
        return found

    async def add(self, wanted: Wanted) -> str:
        """Set an endpoint up; its secret, which is shown this once."""
        self._check(wanted)
        name, secret = f"webhook_{secrets.token_hex(4)}", _new_secret()
        await self._letters.connect(name, kinds=wanted.kinds)
        self._session.add(
            Endpoint(
                name=name,
                label=wanted.label,
                address=seal_address(self._privacy, wanted.address, name=name),
                secrets=seal_secrets(self._privacy, [secret], name=name),
                audience=wanted.audience,
                with_words=wanted.with_words,
                created_at=self._now,
                creator_id=self._by,
            )
        )
        self._log(Act.CONNECTION_ADDED)
        return secret

    async def new_secret(self, name: str) -> str:
        """Sign with a new secret and the present one, until the receiver knows the new one."""
        endpoint = await self._endpoint(name)
        secret, present = _new_secret(), read_secrets(self._privacy, endpoint)[0]
        endpoint.secrets = seal_secrets(self._privacy, [secret, present], name=name)
        self._log(Act.CONNECTION_CHANGED)
        return secret

    async def drop_old_secret(self, name: str) -> None:
        """Sign with the newer secret alone."""
        endpoint = await self._endpoint(name)
        newest = read_secrets(self._privacy, endpoint)[0]
        endpoint.secrets = seal_secrets(self._privacy, [newest], name=name)
        self._log(Act.CONNECTION_CHANGED)

    async def switch_off(self, name: str) -> None:
        """Nothing more is sent there; what is open waits."""
        await self._endpoint(name)
        await self._letters.disconnect(name, reason="switched off", now=self._now)
        self._log(Act.CONNECTION_ENDED)

    async def switch_on(self, name: str) -> None:
        """Send there again, beginning with what has waited."""
        await self._endpoint(name)
        connection = await self._letters.connection(name)
        await self._letters.connect(
            name, kinds=[Kind(kind) for kind in connection.kinds] if connection else []
        )
        self._log(Act.CONNECTION_RESUMED)

    async def send_again(self, number: UUID) -> None:
        """Send a letter once more, whatever became of it."""
        letter = await self._letters.send_again(number, now=self._now)
        if letter is None:
            raise LetterUnknown
        self._log(Act.LETTER_SENT_AGAIN, case=letter.case_id)

    def _check(self, wanted: Wanted) -> None:
        if not wanted.label or len(wanted.label) > MAX_LABEL:
            raise FormIncomplete(f"Please give this connection a name of at most {MAX_LABEL} letters.")
        if not wanted.kinds:
            raise FormIncomplete("Please choose what this connection is told of.")
        if not _leads_somewhere(wanted.address, private=self._private):
            raise EndpointInvalid

    async def _endpoint(self, name: str) -> Endpoint:
        endpoint = await self._session.get(Endpoint, name)
        if endpoint is None:
            raise ConnectionUnknown
        return endpoint

    def _log(self, act: Act, *, case: UUID | None = None) -> None:
        record(self._session, act, now=self._now, by=self._by, case=case)


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _leads_somewhere(address: str, *, private: bool) -> bool:
    """False for what can be refused at once; where a name leads is looked up at each sending."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if len(address) > MAX_ADDRESS or not address.isascii() or not address.isprintable() or not host:
        return False
    if private:
        return parts.scheme in ("http", "https")
    try:
        public = is_public(host)
    except ValueError:
        # It is a name, or no address that can be read.
        public = "." in host
    return parts.scheme == "https" and public
