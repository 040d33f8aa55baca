"""How does a file that the helpline keeps come to a visitor? Fetched when wanted, and never kept here."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from bot.documents.orders import NotMade, PressBusy
from bot.referral_client import CaseGone, ReferralClient, ReferralRefused, ReferralUnreachable


@dataclass(frozen=True, slots=True)
class Shelf:
    """The helpline's library, as far as visitors are given something of it."""

    referral: ReferralClient

    async def fetch(self, number: str) -> bytes:
        """The content of a file; raises ``NotMade``, or ``PressBusy`` where it may come later."""
        try:
            return await self.referral.file(UUID(number))
        except ReferralUnreachable:
            raise PressBusy from None
        except (CaseGone, ReferralRefused, ValueError):
            # It was taken out of the library.
            raise NotMade from None
