"""How is Chatwoot spoken to? Its Application API, with the access token of one of its users."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from referral.errors import SignatureInvalid

PATIENCE = timedelta(seconds=8)
#: Chatwoot refuses longer messages in an API inbox.
MAX_CONTENT = 10_000
#: How old a signed request may be, as for Standard Webhooks.
_TOLERANCE = timedelta(minutes=5)
#: Under this name we write into a message which of ours it is.
MARK = "porchlight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where Chatwoot is, which account and inbox are ours, and as whom we come."""

    url: str
    account: int
    inbox: int
    token: str


class ChatwootServer:
    """The requests that we make; what comes back is for others to judge, unless it is no success."""

    def __init__(
        self, client: httpx.AsyncClient, account: Account, *, patience: timedelta = PATIENCE
    ) -> None:
        self._client = client
        self._account = account
        self._timeout = patience.total_seconds()

    @property
    def inbox(self) -> int:
        """The inbox that cases appear in."""
        return self._account.inbox

    @property
    def account(self) -> int:
        """The account that it belongs to."""
        return self._account.account

    async def profile(self) -> Any:
        """Who we are there."""
        return await self._ask("GET", "/api/v1/profile")

    async def inbox_settings(self) -> Any:
        """How our inbox is set up."""
        return await self._of_account("GET", f"inboxes/{self.inbox}")

    async def set_webhook(self, url: str) -> Any:
        """Let our inbox ring at this address."""
        return await self._of_account("PATCH", f"inboxes/{self.inbox}", {"channel": {"webhook_url": url}})

    async def attributes(self) -> Any:
        """The fields that a conversation has in the side bar."""
        return await self._of_account("GET", "custom_attribute_definitions?attribute_model=0")

    async def add_attribute(self, key: str, *, label: str, values: tuple[str, ...]) -> Any:
        """Another such field, with a list to choose from."""
        wanted = {
            "attribute_display_name": label,
            "attribute_key": key,
            "attribute_model": 0,
            "attribute_display_type": 6,
            "attribute_values": list(values),
        }
        return await self._of_account("POST", "custom_attribute_definitions", wanted)

    async def add_contact(self, *, name: str, identifier: str) -> Any:
        """Somebody to talk with, by code name; raises with 422 if the identifier is taken."""
        wanted = {"inbox_id": self.inbox, "name": name, "identifier": identifier}
        return (await self._of_account("POST", "contacts", wanted))["payload"]

    async def contact(self, identifier: str) -> Any | None:
        """The contact of this identifier."""
        found = await self._of_account("GET", f"contacts/search?q={identifier}")
        return next((item for item in found["payload"] if item.get("identifier") == identifier), None)

    async def delete_contact(self, number: int) -> None:
        """Delete a contact, and with it every conversation."""
        await self._of_account("DELETE", f"contacts/{number}")

    async def conversations_of(self, contact: int) -> Any:
        """All conversations of a contact."""
        return (await self._of_account("GET", f"contacts/{contact}/conversations"))["payload"]

    async def add_conversation(
        self, *, contact: int, source: str, status: str, attributes: Mapping[str, str]
    ) -> Any:
        """A conversation in our inbox."""
        wanted = {
            "source_id": source,
            "inbox_id": self.inbox,
            "contact_id": contact,
            "status": status,
            "custom_attributes": dict(attributes),
        }
        return await self._of_account("POST", "conversations", wanted)

    async def conversation(self, number: int) -> Any:
        """One conversation, with its status and side bar."""
        return await self._of_account("GET", f"conversations/{number}")

    async def messages(self, conversation: int, *, after: int | None = None) -> Any:
        """The messages after this one, at most 100; without it the newest 20."""
        rest = "" if after is None else f"?after={after}"
        return (await self._of_account("GET", f"conversations/{conversation}/messages{rest}"))["payload"]

    async def say(self, conversation: int, content: str, *, incoming: bool, mark: str) -> Any:
        """A message of the visitor, or else a private note; never one that we could take for an agent's."""
        wanted = {
            "content": content[:MAX_CONTENT],
            "message_type": "incoming" if incoming else "outgoing",
            "private": not incoming,
            "content_attributes": {MARK: mark},
        }
        return await self._of_account("POST", f"conversations/{conversation}/messages", wanted)

    async def set_status(self, conversation: int, status: str) -> Any:
        """Open, snoozed or resolved."""
        return await self._of_account(
            "POST", f"conversations/{conversation}/toggle_status", {"status": status}
        )

    async def set_priority(self, conversation: int, priority: str) -> Any:
        """How urgent agents see it."""
        wanted = {"priority": priority}
        return await self._of_account("POST", f"conversations/{conversation}/toggle_priority", wanted)

    async def _of_account(self, method: str, path: str, content: Any = None) -> Any:
        return await self._ask(method, f"/api/v1/accounts/{self._account.account}/{path}", content)

    async def _ask(self, method: str, path: str, content: Any = None) -> Any:
        response = await self._client.request(
            method,
            f"{self._account.url.rstrip('/')}{path}",
            json=content,
            headers={"api_access_token": self._account.token, "accept": "application/json"},
            timeout=self._timeout,
        )
        response.raise_for_status()
        return response.json() if response.content else None


def path_secret(secret_key: str, *, token: str) -> str:
    """What the webhook's address ends in; nobody can guess it, and a new token makes another."""
    return hmac.digest(secret_key.encode(), f"chatwoot webhook {token}".encode(), "sha256").hex()[:40]


def check_signature(body: bytes, *, headers: Mapping[str, str], secret: str, now: datetime) -> None:
    """Raise ``SignatureInvalid`` unless Chatwoot made these headers for exactly these bytes, just now.

    Sent by 4.13 and later for API inboxes: ``sha256=`` and the HMAC of timestamp, dot and body.
    """
    stamp, signature = headers.get("x-chatwoot-timestamp", ""), headers.get("x-chatwoot-signature", "")
    if not stamp.isdecimal() or abs(now.timestamp() - int(stamp)) > _TOLERANCE.total_seconds():
        raise SignatureInvalid
    wanted = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature.encode(), f"sha256={wanted}".encode()):
        raise SignatureInvalid
