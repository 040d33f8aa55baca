"""Which systems can hold a case in an operator's place, and as whom does the desk know them?

Each stands in the table of operators, without a password and without a way to sign in, so that every rule
about who holds a case goes for a system as for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

CHATWOOT = UUID("6f1c1d5e-3f0a-5f3b-9c44-0c5e2b7a9d10")

#: Number at the desk: name of the connection, which is the name at the desk as well.
HOLDERS: Mapping[UUID, str] = {CHATWOOT: "chatwoot"}

#: What others are told of a case that somebody at the desk itself holds.
DESK = "desk"


def held_by(holder: UUID | None) -> str | None:
    """Where a case is answered: ``desk``, the name of a connection, or nowhere yet."""
    return None if holder is None else HOLDERS.get(holder, DESK)
