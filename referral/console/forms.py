"""What stands in a form, and where a browser goes after it."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from referral.errors import FormIncomplete

_SEE_OTHER = 303


def field(form: FormData, name: str, *, strip: bool = True) -> str:
    """What was written into a field; raises ``FormIncomplete`` without it."""
    value = form.get(name)
    if not isinstance(value, str):
        raise FormIncomplete
    return value.strip() if strip else value


def go_to(path: str) -> Response:
    """Send the browser to a page; loading it again does not send the form again."""
    return RedirectResponse(path, status_code=_SEE_OTHER)
