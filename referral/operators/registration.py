"""What an administrator writes down about the organisation's own sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from referral.operators.rules import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the organisation told us about its sign-in, and what we told it."""

    issuer: str
    client: str
    secret: str
    #: The claim by which we know whom we invited.
    claim: str
    #: The claim that names groups, and which of them makes a role.
    roles_claim: str
    roles: Mapping[str, Role]
    #: True when the provider may lie in a private network.
    private: bool
    #: Where it sends people back to.
    callback: str
