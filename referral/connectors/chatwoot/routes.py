"""Where does Chatwoot ring when something happens in our inbox?"""

from __future__ import annotations

import hmac
import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from referral.connectors.chatwoot.repository import TalkRepository
from referral.connectors.chatwoot.server import check_signature, path_secret
from referral.errors import BellUnknown, BellUnreadable
from referral.services import ServicesIn, TransactionIn

router = APIRouter(prefix="/connectors/chatwoot")

_MOST = 2**63


@router.post("/{secret}", status_code=204)
async def bell(secret: str, request: Request, services: ServicesIn, session: TransactionIn) -> Response:
    """Note that there is something to read, and answer at once: Chatwoot waits five seconds, rings once."""
    settings, now = services.settings, services.clock()
    wanted = path_secret(settings.referral_secret_key, token=settings.chatwoot_token)
    if not settings.chatwoot_url or not hmac.compare_digest(secret.encode(), wanted.encode()):
        raise BellUnknown
    body = await request.body()
    if settings.chatwoot_webhook_secret:
        check_signature(body, headers=request.headers, secret=settings.chatwoot_webhook_secret, now=now)
    conversation = _conversation(body, account=settings.chatwoot_account)
    if conversation is not None:
        await TalkRepository(session).rang(conversation, now=now)
    return Response(status_code=204)


def _conversation(body: bytes, *, account: int) -> int | None:
    """The number of the conversation that it is about, or None; nothing else of it is believed."""
    try:
        told: Any = json.loads(body)
        if told.get("account", {}).get("id", account) != account:
            return None
        about = told.get("conversation") or (told if str(told["event"]).startswith("conversation_") else {})
        number = about.get("id")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BellUnreadable from error
    return number if isinstance(number, int) and 0 < number < _MOST else None
