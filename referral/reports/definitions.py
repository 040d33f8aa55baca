"""What do the words and numbers of a report mean? For whoever reads it without the people who made it."""

from __future__ import annotations

from collections.abc import Sequence

from referral.language import gettext, marked

_DEFINITIONS: Sequence[tuple[str, str]] = (
    (
        marked("Contact"),
        marked("A visitor asked for a person and a case was opened. Who comes back later is another one."),
    ),
    (
        marked("Day and hour"),
        marked("When the case reached the helpline, in the time zone of the report."),
    ),
    (
        marked("Language, channel, role"),
        marked(
            "As they were when the case was opened. Nobody has to say a role; of a visitor who asked to be"
            " forgotten none is known any more."
        ),
    ),
    (
        marked("Danger"),
        marked("The highest level that the case reached, by the bot’s rules or an operator’s judgement."),
    ),
    (
        marked("In time, late"),
        marked("Whether the first words of an operator came within the time set for that danger."),
    ),
    (
        marked("Not answered"),
        marked("No operator wrote: the visitor left, was forgotten, or still waits."),
    ),
    (
        marked("Half waited at most, nine of ten at most"),
        marked("The median and the 90th percentile of the time to the first answer, of those who had one."),
    ),
    (
        marked("What it was about"),
        marked(
            "The group of the code with which an operator closed the case, after Child Helpline"
            " International. Only contacts with counselling count there; information and non-data contacts"
            " (silent, prank, thanks) stand apart."
        ),
    ),
    (
        marked("Hidden"),
        marked("A number from 1 to %(most)s, or one that would give such a number away. Zero is shown."),
    ),
    (
        marked("Conversation with the bot"),
        marked(
            "Counted by the bot, by month, without anything that leads to a visitor. Shown in steps of"
            " %(step)s, rounded down."
        ),
    ),
    (
        marked("Fell silent"),
        marked(
            "The question was asked, and the visitor neither answered it nor went on to anything else in the"
            " months of the report."
        ),
    ),
)


def definitions(*, below: int) -> Sequence[tuple[str, str]]:
    """Word and meaning, in the order in which a report needs them; numbers ``below`` are hidden."""
    return [(gettext(term), gettext(meaning, most=below - 1, step=below)) for term, meaning in _DEFINITIONS]
