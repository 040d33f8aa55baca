"""How is Primero v2 spoken to? HTTP Basic on every request, JSON under ``data``, errors as a list.

Basic and not a token: a token ends after an hour, and a session needs a CSRF token besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

#: Primero's own timeouts lie above this; the outbox gives a connector half a minute.
PATIENCE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where Primero is, and as whom we sign in."""

    url: str
    user: str
    password: str


class PrimeroServer:
    """The requests that we make; what comes back is for others to judge."""

    def __init__(
        self, client: httpx.AsyncClient, account: Account, *, patience: timedelta = PATIENCE
    ) -> None:
        self._client = client
        self._url = account.url.rstrip("/")
        self._account = account
        self._timeout = patience.total_seconds()

    async def create(self, record: Mapping[str, Any]) -> httpx.Response:
        """Make a record under the id that stands in it: 204, or 409 if there is one already."""
        return await self.ask("POST", "/cases", json={"data": record})

    async def change(self, number: UUID, record: Mapping[str, Any]) -> httpx.Response:
        """Change some fields of a record."""
        return await self.ask("PATCH", f"/cases/{number}", json={"data": record})

    async def sign_in(self) -> httpx.Response:
        """Who we are: the only request that answers with our own number."""
        user = {"user_name": self._account.user, "password": self._account.password}
        return await self.ask("POST", "/tokens", json={"user": user})

    async def user(self, number: int) -> httpx.Response:
        """A user with permissions and the forms that their role opens."""
        return await self.ask("GET", f"/users/{number}", params={"extended": "true"})

    async def forms(self, *, module: str) -> httpx.Response:
        """All forms of cases in a module, with their fields."""
        return await self.ask("GET", "/forms", params={"record_type": "case", "module_id": module})

    async def lookups(self, *, page: int, per: int) -> httpx.Response:
        """One page of the lists that options come from."""
        return await self.ask("GET", "/lookups", params={"page": str(page), "per": str(per)})

    async def ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """One request; raises ``httpx.HTTPError``."""
        return await self._client.request(
            method,
            f"{self._url}/api/v2{path}",
            auth=(self._account.user, self._account.password),
            headers={"accept": "application/json"},
            timeout=self._timeout,
            **rest,
        )


def refused_fields(response: httpx.Response) -> tuple[str, ...]:
    """The names of the fields that a 422 is about, and never their values."""
    try:
        errors = response.json()["errors"]
        details = [error.get("detail") for error in errors]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()
    names = [detail if isinstance(detail, list) else [detail] for detail in details]
    return tuple(dict.fromkeys(str(name).strip("/").split("/")[0] for some in names for name in some if name))
