"""Which table holds what supervisors set? Every change, the newest of a rule being in force."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from referral.database import Base
from referral.policy.rules import BOUNDS

_WITHIN = " OR ".join(
    f"(rule = '{rule}' AND value BETWEEN {lowest} AND {highest})"
    for rule, (lowest, highest) in BOUNDS.items()
)
_RULES = ", ".join(f"'{rule}'" for rule in BOUNDS)


class PolicyChange(Base):
    """Somebody set a rule, or went back to the setting of this machine."""

    __tablename__ = "policy_change"
    __table_args__ = (
        CheckConstraint(f"rule IN ({_RULES})", name="policy_rule_is_known"),
        # What the desk could not work by is refused here as well.
        CheckConstraint(f"value IS NULL OR {_WITHIN}", name="policy_value_is_within_bounds"),
        Index("ix_policy_change_rule", "rule", "id"),
    )

    number: Mapped[int] = mapped_column("id", BigInteger, Identity(always=True), primary_key=True)
    rule: Mapped[str]
    #: None: as the machine's own settings say.
    value: Mapped[int | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
