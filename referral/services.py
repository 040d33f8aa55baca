"""What a request finds ready, and how it gets at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from referral.changes import Changes
from referral.clock import Clock
from referral.config import Settings
from referral.console.board import Board
from referral.console.pages import Pages
from referral.database import Sessions, transaction
from referral.events.hints import Hints
from referral.metrics import Metrics
from referral.operators.networks import Network
from referral.operators.passkeys import Relying
from referral.operators.passwords import Passwords
from referral.operators.provider import Provider
from referral.oversight.client import OversightClient
from referral.policy.keeper import PolicyKeeper
from referral.privacy import Privacy
from referral.signature import Signature
from referral.tryout.client import TryOutClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything of this process that requests share."""

    settings: Settings
    sessions: Sessions
    privacy: Privacy
    signature: Signature
    passwords: Passwords
    changes: Changes
    board: Board
    metrics: Metrics
    pages: Pages
    tryout: TryOutClient
    hints: Hints
    oversight: OversightClient
    #: What is in force of that which supervisors can set.
    policy: PolicyKeeper
    #: The organisation's own sign-in, where there is one.
    provider: Provider | None
    #: For which site passkeys are; none where the console has no name.
    relying: Relying | None
    #: Which machines may say for whom they ask.
    proxies: Sequence[Network]
    clock: Clock


def services_of(request: Request) -> Services:
    """The services that ``create_app`` put there."""
    services = request.app.state.services
    assert isinstance(services, Services)  # noqa: S101 - only create_app makes our application.
    return services


ServicesIn = Annotated[Services, Depends(services_of)]


async def _transaction(services: ServicesIn) -> AsyncIterator[AsyncSession]:
    async with transaction(services.sessions) as session:
        yield session


# ``scope="function"`` ends the transaction before the response leaves: what we confirm is on disk.
TransactionIn = Annotated[AsyncSession, Depends(_transaction, scope="function")]
