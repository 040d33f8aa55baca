"""Which six digits does an authenticator app show now (RFC 6238), and how does it learn the secret?"""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp
import segno

#: What every app understands: SHA-1, six digits, thirty seconds (RFC 6238, and the apps' own manuals).
_STEP_SECONDS = 30
#: A phone's clock may be wrong by one step to either side (RFC 6238, 5.2).
_DRIFT = (0, -1, 1)
_ISSUER = "Porchlight"


def new_secret() -> str:
    """160 random bits, as RFC 4226 recommends, in base32."""
    return pyotp.random_base32()


def accepted_step(secret: str, code: str, *, now: datetime, after: int | None) -> int | None:
    """The step of time whose code this is; none if it is wrong, or not newer than the step ``after``."""
    totp = pyotp.TOTP(secret, interval=_STEP_SECONDS)
    step = int(now.timestamp()) // _STEP_SECONDS
    for candidate in (step + drift for drift in _DRIFT):
        if hmac.compare_digest(totp.generate_otp(candidate).encode(), code.encode()):
            return candidate if after is None or candidate > after else None
    return None


def address(secret: str, *, name: str) -> str:
    """What the app reads from the QR code."""
    return pyotp.TOTP(secret, interval=_STEP_SECONDS).provisioning_uri(name=name, issuer_name=_ISSUER)


def drawing(text: str) -> str:
    """A QR code as SVG for a page; dark on light in every theme, since cameras expect that."""
    return segno.make_qr(text, error="m").svg_inline(
        scale=5, border=4, dark="#000", light="#fff", omitsize=True
    )


def spaced(secret: str) -> str:
    """The secret in groups of four, for somebody who types it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
