"""What does a macro code a case with that it closes? No database, no clock."""

from __future__ import annotations

from referral.cases.coding import Coding, Occurred, Suggestion
from referral.errors import FormIncomplete
from referral.replies.rules import Macro


def coded(macro: Macro, *, suggestion: Suggestion | None) -> Coding:
    """The macro's own code, or what the card suggests; raises ``FormIncomplete`` where neither says any."""
    if macro.outcome is None:
        raise FormIncomplete("This macro does not say how the case ends.")
    if macro.code is not None:
        return Coding(outcome=macro.outcome, code=macro.code, occurred=Occurred.UNKNOWN)
    if suggestion is None:
        raise FormIncomplete("Nothing suggests a code for this case: please use the form to close it.")
    return Coding(
        outcome=macro.outcome,
        code=suggestion.code,
        online_harm=suggestion.online_harm,
        occurred=suggestion.occurred or Occurred.UNKNOWN,
    )
