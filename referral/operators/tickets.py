"""What does a browser carry between two steps of a sign-in, so that nothing is stored for strangers?"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from referral.errors import SealBroken, StepOver
from referral.operators.rules import UNDER_WAY
from referral.privacy import Privacy


class Errand(StrEnum):
    """What is under way."""

    SECOND_STEP = "second_step"
    PASSKEY_SIGN_IN = "passkey_sign_in"
    PASSKEY_ADDED = "passkey_added"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One step that was begun: only we can read it, and it is good for one errand and a few minutes."""

    number: UUID
    until: datetime
    content: Mapping[str, str]


def issue(privacy: Privacy, errand: Errand, content: Mapping[str, str], *, now: datetime) -> str:
    """What goes into the cookie."""
    plain = {"number": str(uuid4()), "until": (now + UNDER_WAY).isoformat(), "content": dict(content)}
    sealed = privacy.seal(json.dumps(plain), table="ticket", column=errand, row="")
    return base64.urlsafe_b64encode(sealed).decode()


def read(privacy: Privacy, errand: Errand, text: str | None, *, now: datetime) -> Ticket:
    """What the cookie holds; raises ``StepOver`` if it is too old, of another errand, or not ours."""
    try:
        sealed = base64.b64decode(text or "", altchars=b"-_", validate=True)
        plain = json.loads(privacy.unseal(sealed, table="ticket", column=errand, row=""))
    except (binascii.Error, ValueError, SealBroken):
        raise StepOver from None
    ticket = Ticket(
        number=UUID(plain["number"]),
        until=datetime.fromisoformat(plain["until"]),
        content=plain["content"],
    )
    if now >= ticket.until:
        raise StepOver
    return ticket
