"""Which of our texts promise something? Whoever takes over must know, so that it is kept."""

from __future__ import annotations

#: ``flow.key``; a test makes sure that each of them is there.
PROMISES = frozenset(
    {
        "common.kept_urgent",
        "danger.opened",
        "danger.waiting",
        "friend_in_crisis.opened",
        "handover.delayed",
        "handover.kept",
        "handover.left",
        "handover.nobody_here",
        "handover.nobody_here_urgent",
        "handover.offer",
        "handover.others",
        "handover.returned",
        "handover.waiting",
        "handover.what_is_passed",
        "handover.what_it_means",
        "immediate_danger.opened",
        "privacy.answer",
        "privacy.parents",
        "stop_sharing.done",
    }
)
