"""How a page reaches people: a signed webhook, a Telegram group of the staff, e-mail."""

from __future__ import annotations

import asyncio
import json
import smtplib
import ssl
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import httpx

from referral.pager.address import AddressForbidden, guarded_post
from referral.pager.rules import Letter
from referral.signature import Signature

#: A pager answers soon or is down; the next attempt follows anyway.
_SECONDS = 10
_MAIL_PORT = 587
_MAIL_PORT_TLS = 465


class PageNotSent(Exception):
    """This page has not arrived; the reason names no address and no secret."""

    def __init__(self, reason: str, *, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class Sender(Protocol):
    """One way out."""

    async def send(self, letter: Letter, *, now: datetime) -> None:
        """Send a page; raises ``PageNotSent``."""


class WebhookSender:
    """Standard Webhooks: ``{"type": "case.overdue", "timestamp", "data"}``, signed with its own secret."""

    def __init__(self, client: httpx.AsyncClient, *, url: str, secret: str, private: bool) -> None:
        self._client = client
        self._url = url
        self._signature = Signature(secret)
        self._private = private

    async def send(self, letter: Letter, *, now: datetime) -> None:
        """Post the page; only 2xx is success, and a redirect is none."""
        body = _json(letter, now=now)
        headers = self._signature.headers(body, number=str(letter.number), now=now)
        try:
            response = await guarded_post(
                self._client,
                self._url,
                body=body,
                headers={**headers, "content-type": "application/json"},
                private=self._private,
                within=timedelta(seconds=_SECONDS),
            )
        except (AddressForbidden, OSError, httpx.HTTPError) as error:
            raise PageNotSent(type(error).__name__) from error
        _check(response)


class TelegramSender:
    """A message of a bot to a group of the staff."""

    def __init__(self, client: httpx.AsyncClient, *, api_url: str, token: str, chat: str) -> None:
        self._client = client
        self._url = f"{api_url.rstrip('/')}/bot{token}/sendMessage"
        self._chat = chat

    async def send(self, letter: Letter, *, now: datetime) -> None:
        """Say the page in the group."""
        wanted = {"chat_id": self._chat, "text": letter.words}
        request = self._client.build_request("POST", self._url, json=wanted, timeout=_SECONDS)
        await _carried_out(self._client, request)


class MailSender:
    """An e-mail over SMTP; a password is only ever sent through an encrypted connection."""

    def __init__(self, *, url: str, sender: str, recipients: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._recipients = recipients

    async def send(self, letter: Letter, *, now: datetime) -> None:
        """Give the page to the mail server."""
        mail = EmailMessage()
        mail["Subject"] = letter.title
        mail["From"] = self._sender
        mail["To"] = self._recipients
        mail["Date"] = now
        mail["Message-ID"] = f"<{letter.number}@porchlight>"
        mail.set_content(letter.words + "\n")
        try:
            await asyncio.to_thread(self._deliver, mail)
        except (OSError, smtplib.SMTPException) as error:
            raise PageNotSent(type(error).__name__) from error

    def _deliver(self, mail: EmailMessage) -> None:
        with self._connected() as server:
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
            server.send_message(mail)

    def _connected(self) -> smtplib.SMTP:
        host, context = self._url.hostname or "", ssl.create_default_context()
        if self._url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, self._url.port or _MAIL_PORT_TLS, timeout=_SECONDS, context=context)
        server = smtplib.SMTP(host, self._url.port or _MAIL_PORT, timeout=_SECONDS)
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
            elif self._url.username:
                raise smtplib.SMTPNotSupportedError("no encryption for the password")
        except BaseException:
            server.close()
            raise
        return server


def _json(letter: Letter, *, now: datetime) -> bytes:
    data = {
        "designation": letter.designation,
        "danger": letter.danger,
        "waiting_minutes": letter.minutes,
        "link": letter.link,
    }
    return json.dumps({"type": "case.overdue", "timestamp": now.isoformat(), "data": data}).encode()


async def _carried_out(client: httpx.AsyncClient, request: httpx.Request) -> None:
    try:
        response = await client.send(request)
    except httpx.HTTPError as error:
        raise PageNotSent(type(error).__name__) from error
    _check(response)


def _check(response: httpx.Response) -> None:
    if not response.is_success:
        raise PageNotSent(str(response.status_code), after=_retry_after(response))


def _retry_after(response: httpx.Response) -> timedelta | None:
    """What the header says, or the body as Telegram has it."""
    wanted: Any = response.headers.get("retry-after")
    if wanted is None:
        try:
            wanted = response.json()["parameters"]["retry_after"]
        except (ValueError, KeyError, TypeError):
            return None
    return timedelta(seconds=int(wanted)) if str(wanted).isdecimal() else None
