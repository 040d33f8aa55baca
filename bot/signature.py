"""How does the bot know that a request comes from the helpline's desk? By a Standard Webhooks signature."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from standardwebhooks import Webhook, WebhookVerificationError

log = structlog.get_logger()


def signed_by(secret: str) -> type[APIRoute]:
    """Routes that look at the signature before anything of the body is understood."""
    webhook = Webhook(secret)

    class _SignedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def check_then_handle(request: Request) -> Response:
                try:
                    webhook.verify(await request.body(), dict(request.headers), json_parse=False)
                except (WebhookVerificationError, ValueError) as error:
                    log.warning("a request with a wrong signature was refused", path=self.path)
                    raise HTTPException(
                        401, {"error": "bad_signature", "detail": "Check the shared secret."}
                    ) from error
                return await handle(request)

            return check_then_handle

    return _SignedRoute
