"""What do the words and numbers of a report mean? For whoever reads it without the people who made it."""

from __future__ import annotations

from collections.abc import Sequence


def definitions(*, below: int) -> Sequence[tuple[str, str]]:
    """Word and meaning, in the order in which a report needs them; numbers ``below`` are hidden."""
    return (
        (
            "Contact",
            "A visitor asked for a person and a case was opened. Whoever comes back later is another one.",
        ),
        ("Day and hour", "When the case reached the helpline, in the time zone of the report."),
        (
            "Language, channel, role",
            "As they were when the case was opened. Nobody has to say a role; of a visitor who asked to be"
            " forgotten none is known any more.",
        ),
        ("Danger", "The highest level that the case reached, by the bot’s rules or an operator’s judgement."),
        ("In time, late", "Whether the first words of an operator came within the time set for that danger."),
        ("Not answered", "No operator wrote: the visitor left, was forgotten, or still waits."),
        (
            "Half waited at most, nine of ten at most",
            "The median and the 90th percentile of the time to the first answer, of those who had one.",
        ),
        (
            "What it was about",
            "The group of the code with which an operator closed the case, after Child Helpline"
            " International. Only contacts with counselling count there; information and non-data"
            " contacts (silent, prank, thanks) stand apart.",
        ),
        (
            "Hidden",
            f"A number from 1 to {below - 1}, or one that would give such a number away. Zero is shown.",
        ),
        (
            "Conversation with the bot",
            f"Counted by the bot, by month, without anything that leads to a visitor. Shown in steps of"
            f" {below}, rounded down.",
        ),
        (
            "Fell silent",
            "The question was asked, and the visitor neither answered it nor went on to anything else in the"
            " months of the report.",
        ),
    )
