"""How tests talk to the running service: as the bot with signed requests, as operators with forms."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

from referral.app import create_app
from referral.clock import Clock
from referral.config import Settings
from referral.database import transaction
from referral.language import LOCALES
from referral.operators.access import Access
from referral.operators.rules import Role
from referral.services import Services
from referral.signature import Signature
from tests.referral.serving import serving

PASSWORD = "seven quiet herons"
OPENED_AT = "2026-11-22T01:02:03Z"

Seen = TypeVar("Seen")

#: Seconds; how fast the desk is, the bench tells, and a busy machine is slow.
PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service as it runs."""

    app: FastAPI
    url: str
    settings: Settings

    @property
    def services(self) -> Services:
        """What its requests share."""
        made: Services = self.app.state.services
        return made

    @asynccontextmanager
    async def as_bot(self) -> AsyncIterator[BotClient]:
        """Signed requests."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=PATIENCE) as client:
            yield BotClient(client, signature=Signature(self.settings.service_secret))

    @asynccontextmanager
    async def as_operator(self, name: str, *, role: Role = Role.OPERATOR) -> AsyncIterator[OperatorClient]:
        """A browser in which a new operator is signed in."""
        secret = await self.invitation(name, role=role)
        async with self.browser() as client:
            operator = OperatorClient(client)
            answer = await operator.send(
                f"/invitation/{secret}", {"password": PASSWORD, "again": PASSWORD}, token=False
            )
            assert answer.status_code == 303, answer.text
            yield operator

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[httpx.AsyncClient]:
        """A browser in which nobody is signed in."""
        headers = {"accept": "text/html", "origin": self.url}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, trust_env=False, timeout=PATIENCE
        ) as client:
            yield client

    async def invitation(self, name: str, *, role: Role = Role.OPERATOR) -> str:
        """The secret of a one-time link."""
        async with transaction(self.services.sessions) as session:
            return await access_of(self.services, session).invite(name, role=role)


async def eventually(
    look: Callable[[], Awaitable[Seen]], wanted: Callable[[Seen], bool], *, within: float = PATIENCE
) -> Seen:
    """What ``look`` sees once it is what is wanted."""
    async with asyncio.timeout(within):
        seen = await look()
        while not wanted(seen):
            await asyncio.sleep(0.05)
            seen = await look()
    return seen


def access_of(services: Services, session: Any) -> Access:
    """The door, as the console uses it."""
    return Access(session, passwords=services.passwords, privacy=services.privacy, now=services.clock())


@asynccontextmanager
async def running(
    settings: Settings, *, clock: Clock, locales: Path = LOCALES, port: int = 0
) -> AsyncIterator[Service]:
    """The service with these settings, on a free port unless one is given."""
    app = create_app(settings, clock=clock, locales=locales)
    async with serving(app, port=port) as url:
        yield Service(app=app, url=url, settings=settings)


class BotClient:
    """The bot, as far as the desk can tell."""

    def __init__(self, client: httpx.AsyncClient, *, signature: Signature) -> None:
        self._client = client
        self._signature = signature

    async def post(self, path: str, content: Any = None) -> httpx.Response:
        """A signed request with a JSON body."""
        body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        return await self._client.post(
            path, content=body, headers={**self.headers(body), "content-type": "application/json"}
        )

    async def get(self, path: str) -> httpx.Response:
        """A signed request without a body."""
        return await self._client.get(path, headers=self.headers(b""))

    def headers(self, body: bytes) -> dict[str, str]:
        """What proves that these bytes come from the bot."""
        return self._signature.headers(body, number=str(uuid4()), now=datetime.now(UTC))

    async def open(self, **changes: Any) -> UUID:
        """A new case; its id."""
        wanted = case_json(**changes)
        answer = await self.post("/v1/cases", wanted)
        assert answer.status_code in (200, 201), answer.text
        return UUID(wanted["id"])

    async def say(self, case: UUID, text: str, **changes: Any) -> httpx.Response:
        """The visitor writes."""
        message = {"id": str(uuid4()), "text": text, "sent_at": OPENED_AT, "danger": "none"} | changes
        return await self.post(f"/v1/cases/{case}/messages", message)

    async def status(self, case: UUID) -> dict[str, Any]:
        """Where a case stands."""
        found: dict[str, Any] = (await self.get(f"/v1/cases/{case}/status")).json()
        return found


class OperatorClient:
    """A browser that sends the forms of the page it sees."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.http = client

    async def see(self, path: str = "/") -> str:
        """A page that is there."""
        answer = await self.http.get(path)
        assert answer.status_code == 200, f"{answer.status_code} {path}"
        return answer.text

    async def send(
        self,
        path: str,
        fields: dict[str, str] | None = None,
        *,
        token: bool = True,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """A form, with the token of this session unless told otherwise."""
        data = dict(fields or {})
        if token:
            data["form_token"] = await self.form_token()
        return await self.http.post(path, data=data, headers=headers)

    async def form_token(self) -> str:
        """What every form of this session carries."""
        found = re.search(r'name="form_token" value="([^"]+)"', await self.see("/"))
        assert found
        return found[1]

    async def take_next(self) -> UUID | None:
        """Press the big button; the case it led to."""
        answer = await self.send("/take-next")
        assert answer.status_code == 303, answer.text
        target = answer.headers["location"]
        return UUID(target.removeprefix("/cases/")) if target != "/" else None

    async def write(self, case: UUID, words: str, *, entry: UUID | None = None) -> httpx.Response:
        """Say something to the visitor."""
        return await self.send(f"/cases/{case}/messages", {"entry": str(entry or uuid4()), "words": words})

    async def close(self, case: UUID) -> httpx.Response:
        """Close the case with some outcome and code."""
        fields = {"outcome": "advice_given", "code": "violence.cyberbullying"}
        return await self.send(f"/cases/{case}/close", fields)


def case_json(**changes: Any) -> dict[str, Any]:
    """What the bot sends to open a case, with these fields changed."""
    return {
        "id": str(uuid4()),
        "conversation": "a pseudonym",
        "channel": "telegram",
        "locale": "ru",
        "country": "BY",
        "role": "child",
        "danger": "concern",
        "reason": "insults",
        "opened_at": OPENED_AT,
        "consent": "Оператор увидит то, что вы написали.",
        "card": {"harm": "insults", "since": "this_week"},
        "said": ["insults.believe"],
        "messages": [
            {"id": str(uuid4()), "sender": "visitor", "text": "меня травят в чате", "sent_at": OPENED_AT},
            {"id": str(uuid4()), "sender": "bot", "text": "Мне жаль, что так.", "sent_at": OPENED_AT},
        ],
    } | changes
