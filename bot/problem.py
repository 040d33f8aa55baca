"""What does a program get instead of the answer that it asked for?"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Problem(BaseModel):
    """What is wrong, for programs and for people."""

    error: str
    detail: str


def refusal(description: str) -> dict[str, Any]:
    """How a status that means a problem is described."""
    return {"model": Problem, "description": description}


#: What any request may be told.
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: refusal("The body is no text in UTF-8."),
    401: refusal("No token or signature, or a wrong one."),
    404: refusal("There is no such thing."),
    413: refusal("More than Porchlight takes at once."),
    422: refusal("Something is missing, unknown or too long."),
    503: refusal("Not now: send it again."),
}
