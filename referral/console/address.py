"""To which networks is the console open?"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from referral.errors import AddressRefused
from referral.operators.networks import Address, Network, sender, within

#: What machines ask for, which is not the console.
_NOT_THE_CONSOLE = ("/v1/", "/healthz", "/readyz", "/metrics")


def sender_of(scope: Scope, *, proxies: Sequence[Network]) -> Address | None:
    """Who sent this request, as far as we can tell."""
    forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
    peer = scope["client"][0] if scope.get("client") else None
    return sender(peer, forwarded=forwarded, proxies=proxies)


class AllowList:
    """Answers 403 to everybody outside these networks, but for what machines ask."""

    def __init__(self, app: ASGIApp, *, allowed: Sequence[Network], proxies: Sequence[Network]) -> None:
        self._app = app
        self._allowed = allowed
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_NOT_THE_CONSOLE):
            await self._app(scope, receive, send)
            return
        address = sender_of(scope, proxies=self._proxies)
        if address is not None and within(address, self._allowed):
            await self._app(scope, receive, send)
            return
        refusal = AddressRefused()
        page = f"<!doctype html><html lang='en'><title>Porchlight</title><p>{refusal.sentence}</p></html>"
        await HTMLResponse(page, status_code=refusal.http_status)(scope, receive, send)
