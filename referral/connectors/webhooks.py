"""How is another program told by Standard Webhooks? Signed, with an id that is the same on every attempt.

The specification is at https://www.standardwebhooks.com: ``{"type", "timestamp", "data"}`` in the body, and a
signature for each secret in the header while secrets are being changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from referral.connectors.happenings import Audience, ConsentRevoked, Detail, Forgotten, Happening, Kind
from referral.connectors.protocol import Answer, Failed, Letter, Unavailable
from referral.connectors.rules import answer
from referral.connectors.tables import Connection, Endpoint
from referral.pager.address import AddressForbidden, guarded_post
from referral.privacy import Privacy
from referral.signature import Signature

#: The specification asks for 15 to 30 seconds.
PATIENCE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the letters go, and what they are signed with."""

    url: str
    #: The newer first.
    secrets: Sequence[str]
    #: True if it may lie in a private network, or be without https.
    private: bool = False


class WebhookConnector:
    """One endpoint."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        name: str,
        address: Address,
        wants: frozenset[Kind],
        audience: Audience,
        with_words: bool = False,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._client = client
        self._address = address
        self._signatures = [Signature(secret) for secret in address.secrets]
        self._patience = patience
        self.name = name
        self.wants = wants
        self.needs = frozenset(Detail) if with_words else frozenset({Detail.CODING})
        self.audience = audience

    async def send(self, letter: Letter, *, now: datetime) -> Answer:
        """Post the letter; only 2xx is success, and a redirect is none."""
        body = body_of(letter.happening)
        try:
            response = await guarded_post(
                self._client,
                self._address.url,
                body=body,
                headers={
                    **self._signed(body, number=letter.number, now=now),
                    "content-type": "application/json",
                },
                private=self._address.private,
                within=self._patience,
            )
        except (AddressForbidden, UnicodeError) as error:
            return Failed(reason=type(error).__name__)
        except (OSError, httpx.HTTPError) as error:
            return Unavailable(reason=type(error).__name__)
        return answer(response.status_code, retry_after=response.headers.get("retry-after"), now=now)

    def _signed(self, body: bytes, *, number: UUID, now: datetime) -> dict[str, str]:
        signed = [signature.headers(body, number=str(number), now=now) for signature in self._signatures]
        return signed[0] | {"webhook-signature": " ".join(headers["webhook-signature"] for headers in signed)}


class Webhooks:
    """Makes the connectors of the endpoints that supervisors have set up."""

    def __init__(self, client: httpx.AsyncClient, *, privacy: Privacy, private: bool) -> None:
        self._client = client
        self._privacy = privacy
        self._private = private

    async def names(self, session: AsyncSession) -> frozenset[str]:
        """The names of all endpoints."""
        return frozenset(await session.scalars(select(Endpoint.name)))

    async def find(self, name: str, *, session: AsyncSession) -> WebhookConnector | None:
        """The connector of this endpoint."""
        query = select(Endpoint, Connection.kinds).join(Connection).where(Endpoint.name == name)
        row = (await session.execute(query)).one_or_none()
        if row is None:
            return None
        endpoint, kinds = row
        return WebhookConnector(
            self._client,
            name=name,
            address=Address(
                url=read_address(self._privacy, endpoint),
                secrets=read_secrets(self._privacy, endpoint),
                private=self._private,
            ),
            wants=frozenset(Kind(kind) for kind in kinds),
            audience=Audience(endpoint.audience),
            with_words=endpoint.with_words,
        )


def body_of(happening: Happening) -> bytes:
    """What is posted: ``case.opened`` and so on, and of the case what the happening holds."""
    if isinstance(happening, Forgotten | ConsentRevoked):
        data = {"case": str(happening.number)}
    else:
        facts = happening.case.model_dump(mode="json")
        details = happening.model_dump(mode="json", exclude={"kind", "at", "case"}, exclude_none=True)
        data = {"case": facts.pop("number"), **facts, **details}
    return json.dumps(
        {"type": f"case.{happening.kind}", "timestamp": happening.at.isoformat(), "data": data},
        ensure_ascii=False,
    ).encode()


def seal_address(privacy: Privacy, url: str, *, name: str) -> bytes:
    """An address as it is stored."""
    return privacy.seal(url, table="endpoint", column="address", row=name)


def read_address(privacy: Privacy, endpoint: Endpoint) -> str:
    """The address as it was typed in."""
    return privacy.unseal(endpoint.address, table="endpoint", column="address", row=endpoint.name)


def seal_secrets(privacy: Privacy, secrets: Sequence[str], *, name: str) -> bytes:
    """Secrets as they are stored."""
    return privacy.seal(json.dumps(list(secrets)), table="endpoint", column="secrets", row=name)


def read_secrets(privacy: Privacy, endpoint: Endpoint) -> tuple[str, ...]:
    """The secrets, the newer first."""
    return tuple(
        json.loads(privacy.unseal(endpoint.secrets, table="endpoint", column="secrets", row=endpoint.name))
    )
