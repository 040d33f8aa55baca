"""How bytes that a messenger posts become JSON and words that can be stored."""

from __future__ import annotations

import json
from typing import Any

from fastapi.responses import JSONResponse

from bot.messages import BotError, clean


class Unreadable(BotError):
    """This is not what the messenger sends."""


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a request's body; raises ``Unreadable``."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error
    if not isinstance(found, dict):
        raise Unreadable
    return found


def words(text: str) -> str:
    """The visitor's words without what cannot be seen or stored."""
    # JSON can carry half of a surrogate pair, which neither UTF-8 nor the database can.
    return clean(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def refusal(status: int, *, error: str, detail: str) -> JSONResponse:
    """A refused request, with a sentence for the log of whoever sent it."""
    return JSONResponse({"error": error, "detail": detail}, status_code=status)
