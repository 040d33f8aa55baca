"""What is in force right now, in this process?

Kept in memory, since every request asks, and read anew every second by the one who watches the clocks: what a
supervisor sets at one process is in force at all of them a second later.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases.clocks import Clocks
from referral.config import Settings
from referral.policy.repository import PolicyRepository
from referral.policy.rules import Policy, Rule, check, policy_of


class PolicyKeeper:
    """Holds what is in force."""

    def __init__(self, settings: Settings) -> None:
        self.defaults: Mapping[Rule, int] = {rule: getattr(settings, rule) for rule in Rule}
        self._base = settings.clocks
        self.now: Policy = policy_of(self.defaults, {}, clocks=self._base)

    @property
    def clocks(self) -> Clocks:
        """How long a visitor may wait, by danger level."""
        return self.now.clocks

    async def refresh(self, session: AsyncSession) -> None:
        """Look up what was set, perhaps at another process."""
        changed = await PolicyRepository(session).changed()
        self.now = policy_of(self.defaults, changed, clocks=self._base)

    async def change(
        self, session: AsyncSession, wanted: Mapping[Rule, int], *, by: UUID, now: datetime
    ) -> bool:
        """Set what differs from what is in force; False if nothing does. Raises ``PolicyInvalid``."""
        rules = PolicyRepository(session)
        await rules.locked()
        changed = await rules.changed()
        before = {**self.defaults, **changed}
        values = {**before, **wanted}
        check(values)
        # What is as the machine has it follows the machine, also when that is set otherwise later.
        changes = {
            rule: None if value == self.defaults[rule] else value
            for rule, value in values.items()
            if value != before[rule]
        }
        if not changes:
            return False
        await rules.add(changes, by=by, now=now)
        record(session, Act.SETTINGS_CHANGED, now=now, by=by)
        return True
