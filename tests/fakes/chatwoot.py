"""A local server that behaves as Chatwoot's Application API for one account with one API inbox.

::

    chatwoot = FakeChatwoot()
    chatwoot.app()                                 # a Starlette application, to be served
    talk = chatwoot.talks[1]                       # a conversation: status, priority, messages
    chatwoot.agent_writes(1, "…")                  # an answer; private=True for a note; sender for others
    chatwoot.resolve(1, porchlight_outcome="…")    # an agent fills the side bar and resolves
    await chatwoot.ring()                          # post what has happened to the webhook, in order
    await chatwoot.ring(twice=True, backwards=True)

What it enforces is read in Chatwoot's own sources and documentation: ``api_access_token``, one contact for an
identifier (422 for a second), deletion of contacts by administrators only and with all conversations,
incoming messages reopening what was resolved or snoozed, ``after`` with at most 100 messages and else the
newest 20, webhooks for all that happens in the inbox, *also for what came through the API*, signed as since
4.13 (``sha256=`` and the HMAC of timestamp, dot and body), each sent once without a retry.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from referral.clock import Clock, utc_now

TOKEN, SECRET = "an access token", "the secret of the inbox"
ACCOUNT, INBOX = 3, 5
_INCOMING, _OUTGOING = 0, 1
_STATUSES = ("open", "resolved", "pending", "snoozed")
_NAMES = {_INCOMING: "incoming", _OUTGOING: "outgoing"}


@dataclass(slots=True)
class Talk:
    """A conversation."""

    number: int
    contact: int
    status: str
    attributes: dict[str, Any]
    priority: str | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)

    def said(self, *, private: bool = False) -> list[str]:
        """What stands in it: what the visitor said, or else notes."""
        kind = _OUTGOING if private else _INCOMING
        return [m["content"] for m in self.messages if (m["message_type"], m["private"]) == (kind, private)]


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class FakeChatwoot:
    """Chatwoot for one inbox."""

    def __init__(self, *, clock: Clock = utc_now) -> None:
        self._clock = clock
        self.contacts: dict[int, dict[str, Any]] = {}
        self.talks: dict[int, Talk] = {}
        self.role = "administrator"
        self.inbox: dict[str, Any] = {
            "id": INBOX,
            "channel_type": "Channel::Api",
            "webhook_url": "",
            "greeting_enabled": False,
            "csat_survey_enabled": False,
        }
        self.attributes: list[dict[str, Any]] = []
        #: What has happened and was not posted to the webhook yet.
        self.events: list[dict[str, Any]] = []
        #: What the webhook answered.
        self.answers: list[int] = []
        self._numbers = count(1)

    def app(self) -> Starlette:
        """The API."""
        methods = ["GET", "POST", "PATCH", "DELETE"]
        return Starlette(routes=[Route("/{path:path}", self.receive, methods=methods)])

    async def receive(self, request: Request) -> Response:
        """One request, carried out."""
        return self.answer(request, await request.body())

    def answer(self, request: Request, body: bytes) -> Response:
        """The same with a body that was read already."""
        try:
            if request.headers.get("api_access_token") != TOKEN:
                raise _Refused(401)
            return JSONResponse(self._answer(request, json.loads(body) if body else {}))
        except _Refused as refused:
            return JSONResponse({"error": "refused"}, status_code=refused.status)

    def agent_writes(
        self, talk: int, words: str, *, private: bool = False, sender: str | None = "user", **more: Any
    ) -> int:
        """Somebody writes in Chatwoot itself; the number of the message."""
        message = self._message(words, kind=_OUTGOING, private=private, sender=sender, **more)
        self._add(self.talks[talk], message)
        return int(message["id"])

    def resolve(self, talk: int, **side_bar: str) -> None:
        """An agent fills the side bar and resolves."""
        self.talks[talk].attributes |= side_bar
        self._set_status(self.talks[talk], "resolved")

    def signature(self, body: bytes, *, stamp: str, secret: str = SECRET) -> str:
        """What Chatwoot would send in ``X-Chatwoot-Signature``."""
        return "sha256=" + hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()

    async def ring(self, *, twice: bool = False, backwards: bool = False) -> None:
        """Post everything that has happened to the webhook."""
        events, self.events = self.events, []
        events = list(reversed(events)) if backwards else events
        for event in events * 2 if twice else events:
            await self.post(json.dumps(event).encode())

    async def post(self, body: bytes, *, secret: str = SECRET) -> int:
        """Post a body to the webhook; the status of the answer."""
        stamp = str(int(self._clock().timestamp()))
        headers = {
            "content-type": "application/json",
            "x-chatwoot-timestamp": stamp,
            "x-chatwoot-signature": self.signature(body, stamp=stamp, secret=secret),
            "x-chatwoot-delivery": f"delivery-{next(self._numbers)}",
        }
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            answer = await client.post(self.inbox["webhook_url"], content=body, headers=headers)
        self.answers.append(answer.status_code)
        return answer.status_code

    def _answer(self, request: Request, content: Mapping[str, Any]) -> Any:
        path = request.path_params["path"].split("/")
        if path == ["api", "v1", "profile"]:
            return {"id": 9, "accounts": [{"id": ACCOUNT, "role": self.role}]}
        if path[:4] != ["api", "v1", "accounts", str(ACCOUNT)]:
            raise _Refused(404)
        match request.method, path[4:]:
            case "GET", ["inboxes", number] if number == str(INBOX):
                return self.inbox
            case "PATCH", ["inboxes", number] if number == str(INBOX):
                self.inbox |= content["channel"]
                return self.inbox
            case "GET", ["custom_attribute_definitions"]:
                return self.attributes
            case "POST", ["custom_attribute_definitions"]:
                self.attributes.append(dict(content))
                return content
            case "POST", ["contacts"]:
                return self._add_contact(content)
            case "GET", ["contacts", "search"]:
                wanted = request.query_params["q"]
                return {"payload": [c for c in self.contacts.values() if wanted in c["identifier"]]}
            case "DELETE", ["contacts", number]:
                return self._delete_contact(int(number))
            case "GET", ["contacts", number, "conversations"]:
                return {"payload": [self._shown(t) for t in self.talks.values() if t.contact == int(number)]}
            case "POST", ["conversations"]:
                return self._add_talk(content)
            case method, ["conversations", number, *rest]:
                return self._in_talk(method, self._talk(number), rest, content, request)
        raise _Refused(404)

    def _in_talk(
        self, method: str, talk: Talk, rest: list[str], content: Mapping[str, Any], request: Request
    ) -> Any:
        match method, rest:
            case "GET", []:
                return self._shown(talk)
            case "GET", ["messages"]:
                after = request.query_params.get("after")
                found = talk.messages[-20:]
                if after is not None:
                    found = [m for m in talk.messages if m["id"] > int(after)][:100]
                return {"meta": {}, "payload": found}
            case "POST", ["messages"]:
                return self._say(talk, content)
            case "POST", ["toggle_status"]:
                self._set_status(talk, content["status"])
                return {"payload": {"success": True, "current_status": talk.status}}
            case "POST", ["toggle_priority"]:
                talk.priority = content["priority"]
                return {}
        raise _Refused(404)

    def _add_contact(self, content: Mapping[str, Any]) -> Any:
        if any(contact["identifier"] == content["identifier"] for contact in self.contacts.values()):
            raise _Refused(422)
        number = next(self._numbers)
        source = {"source_id": f"source-{number}", "inbox": {"id": content["inbox_id"]}}
        contact = {
            "id": number,
            "name": content["name"],
            "identifier": content["identifier"],
            "contact_inboxes": [source],
        }
        self.contacts[number] = contact
        return {"payload": {"contact": contact, "contact_inbox": source}}

    def _delete_contact(self, number: int) -> Any:
        if self.role != "administrator":
            raise _Refused(403)
        self.contacts.pop(number, None)
        self.talks = {talk.number: talk for talk in self.talks.values() if talk.contact != number}
        return {}

    def _add_talk(self, content: Mapping[str, Any]) -> Any:
        contact = self.contacts.get(content["contact_id"])
        known = contact and any(s["source_id"] == content["source_id"] for s in contact["contact_inboxes"])
        if not known or content["status"] not in _STATUSES or content["inbox_id"] != INBOX:
            raise _Refused(404)
        talk = Talk(
            number=len(self.talks) + 1,
            contact=content["contact_id"],
            status=content["status"],
            attributes=dict(content["custom_attributes"]),
        )
        self.talks[talk.number] = talk
        self._happened("conversation_created", self._shown(talk))
        return self._shown(talk)

    def _say(self, talk: Talk, content: Mapping[str, Any]) -> Any:
        if not content["content"] or len(content["content"]) > 10_000:
            raise _Refused(422)
        kind = _INCOMING if content["message_type"] == "incoming" else _OUTGOING
        # A message through the API is by the user whose token it is, as far as anybody can tell.
        message = self._message(
            content["content"],
            kind=kind,
            private=content["private"],
            sender="contact" if kind == _INCOMING else "user",
            content_attributes=content["content_attributes"],
        )
        self._add(talk, message)
        if kind == _INCOMING and talk.status in ("resolved", "snoozed"):
            self._set_status(talk, "open")
        return message

    def _message(
        self, words: str, *, kind: int, private: bool, sender: str | None, **more: Any
    ) -> dict[str, Any]:
        return {
            "id": next(self._numbers),
            "content": words,
            "message_type": kind,
            "private": private,
            "content_type": "text",
            "content_attributes": {},
            "sender": {"id": 1, "name": "Ann", "type": sender} if sender else None,
        } | more

    def _add(self, talk: Talk, message: dict[str, Any]) -> None:
        talk.messages.append(message)
        told = message | {
            "message_type": _NAMES[message["message_type"]],
            "conversation": {"id": talk.number, "status": talk.status},
        }
        self._happened("message_created", told)

    def _set_status(self, talk: Talk, status: str) -> None:
        if status not in _STATUSES:
            raise _Refused(422)
        if talk.status != status:
            talk.status = status
            self._happened("conversation_status_changed", self._shown(talk))

    def _happened(self, event: str, told: Mapping[str, Any]) -> None:
        self.events.append({**told, "event": event, "account": {"id": ACCOUNT}, "inbox": {"id": INBOX}})

    def _shown(self, talk: Talk) -> dict[str, Any]:
        return {
            "id": talk.number,
            "inbox_id": INBOX,
            "status": talk.status,
            "priority": talk.priority,
            "custom_attributes": talk.attributes,
        }

    def _talk(self, number: str) -> Talk:
        if int(number) not in self.talks:
            raise _Refused(404)
        return self.talks[int(number)]
