"""Does the visitor write, and have they seen what was written? Whether, never what; and nothing is kept here.

A hint that is lost is no loss, so it goes to the helpline at once, beside the inbox, and is tried only once.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from bot.messages import BotError
from bot.privacy import Privacy
from bot.referral_client import ReferralClient
from bot.store import Store

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Passes hints of visitors on to whoever holds their case."""

    store: Store
    privacy: Privacy
    referral: ReferralClient

    async def hint(self, channel: str, address: str, *, writes: bool = False, saw: bool = False) -> None:
        """The visitor writes, or has what was written before their eyes; never raises."""
        conversation = self.privacy.conversation(channel, address)
        try:
            async with self.store.statement() as connection:
                cases = await self.store.cases(connection, conversation, open_only=True)
            if cases:
                await self.referral.presence(cases[0], writes=writes, saw=saw)
        except (BotError, OSError, OperationalError, InterfaceError) as error:
            log.debug("a hint was lost", channel=channel, error=type(error).__name__)
