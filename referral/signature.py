"""How bot and referral know each other's requests: Standard Webhooks signatures, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from referral.errors import SignatureInvalid


class Signature:
    """Signs what we send and checks what we receive, with the secret both services share."""

    def __init__(self, secret: str) -> None:
        self._webhook = Webhook(secret)

    def headers(self, body: bytes, *, number: str, now: datetime) -> dict[str, str]:
        """The three headers of a request with this body; ``number`` stays the same on every attempt."""
        return {
            "webhook-id": number,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(msg_id=number, timestamp=now, data=body.decode()),
        }

    def check(self, body: bytes, *, headers: Mapping[str, str]) -> None:
        """Raise ``SignatureInvalid`` unless the headers were made for exactly these bytes, just now."""
        try:
            self._webhook.verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError) as error:
            # The library lets malformed headers and bodies that are not UTF-8 out as plain ValueErrors.
            raise SignatureInvalid from error
