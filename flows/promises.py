"""Which of our texts promise something? Whoever takes over must know, so that it is kept."""

from __future__ import annotations

#: ``flow.key``; a test makes sure that each of them is there.
PROMISES = frozenset(
    {
        "danger.opened",
        "danger.waiting",
        "friend_in_crisis.opened",
        "handover.delayed",
        "handover.left",
        "handover.offer",
        "handover.returned",
        "handover.waiting",
        "handover.what_is_passed",
        "immediate_danger.opened",
        "privacy.answer",
        "privacy.parents",
        "stop_sharing.done",
    }
)
