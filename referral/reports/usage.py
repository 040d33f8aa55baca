"""Where do conversations with the bot stop, and does the course lead to a person? In steps of five.

These numbers hang together in more ways than a table shows: a flow is begun as often as the ones that lead to
it send visitors there. So, other than those of contacts, they are not hidden one by one but all rounded down,
and shares are worked out from the rounded ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from referral.language import gettext, marked
from referral.oversight.schemas import Usage
from referral.reports.sheets import Cell, Labels, Sheet
from referral.reports.small import SMALL

#: The flow with which every conversation begins.
_WELCOME = "welcome"
#: So many rows are read on a page; the files have all.
_MOST = 20

_COURSE: Mapping[str, str] = {
    "course_begun": marked("Opened the course"),
    "course_part": marked("Finished a part of it"),
    "course_done": marked("Finished all of its parts"),
    "course_case": marked("Asked for a person after opening it"),
}

#: A flow, or a flow and its node.
Place = TypeVar("Place", str, tuple[str, str])

#: By what happened, flow and node.
Sums = Mapping[tuple[str, str, str], int]


def usage_sheets(usage: Usage, *, labels: Labels, step: int = SMALL) -> Sequence[Sheet]:
    """The sheets about conversations with the bot, in multiples of ``step`` and nothing below the first."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for item in usage.sums:
        sums[item.what, item.flow, item.node] += item.number
    return [
        _course(sums, step=step),
        _begun(usage, labels=labels, step=step),
        _flows(sums, step=step),
        _questions(sums, texts={(told.flow, told.node): told.text for told in usage.questions}, step=step),
    ]


def in_steps(number: int, *, step: int = SMALL) -> int | None:
    """The number as it is shown; None for a small one."""
    return number // step * step if number >= step else None


def _share(number: int | None, *, of: int | None) -> Cell:
    """How many of a hundred; None where that would tell of few."""
    return None if number is None or of is None else f"{round(100 * min(number, of) / of)} %"


def _course(sums: Sums, *, step: int) -> Sheet:
    begun = in_steps(sums.get(("course_begun", "", ""), 0), step=step)
    rows = []
    for what, name in _COURSE.items():
        number = in_steps(sums.get((what, "", ""), 0), step=step)
        rows.append((gettext(name), (number, _share(number, of=begun))))
    return Sheet(
        key="course",
        title=gettext("From the course to a person"),
        columns=(gettext("Step"), gettext("Conversations"), gettext("Of those who opened it")),
        rows=rows,
        note=gettext("Each step counts once in a conversation, a person as often as one is asked for."),
    )


def _begun(usage: Usage, *, labels: Labels, step: int) -> Sheet:
    begun: Counter[str] = Counter()
    for item in usage.sums:
        if (item.what, item.flow) == ("begun", _WELCOME):
            begun[item.locale] += item.number
    names = labels["locale"]
    return Sheet(
        key="begun",
        title=gettext("Conversations begun with the bot"),
        columns=(gettext("Language"), gettext("Begun")),
        rows=[
            (names.get(locale, locale), (in_steps(begun[locale], step=step),))
            for locale in dict.fromkeys([*names, *sorted(begun)])
        ],
        note=gettext("The first words of the bot, in the language in which they were said."),
    )


def _flows(sums: Sums, *, step: int) -> Sheet:
    begun = {flow: number for (what, flow, _), number in sums.items() if what == "begun"}
    rows = []
    for flow in _by_number(begun):
        number = in_steps(begun[flow], step=step)
        finished = in_steps(sums.get(("finished", flow, ""), 0), step=step)
        if number is not None:
            rows.append((_spoken(flow), (number, finished, _share(finished, of=number))))
    return Sheet(
        key="flows",
        title=gettext("What they talked about with the bot"),
        columns=(
            gettext("Conversation about"),
            gettext("Begun"),
            gettext("Finished"),
            gettext("Of those begun"),
        ),
        rows=rows,
        most=_MOST,
        note=gettext(
            "A conversation goes through several of these; who leaves one for another did not finish it."
        ),
    )


def _questions(sums: Sums, *, texts: Mapping[tuple[str, str], str], step: int) -> Sheet:
    silent: dict[tuple[str, str], int] = {}
    for (what, flow, node), asked in sums.items():
        if what == "asked" and asked >= step:
            went_on = sums.get(("answered", flow, node), 0) + sums.get(("elsewhere", flow, node), 0)
            silent[flow, node] = max(asked - went_on, 0)
    return Sheet(
        key="questions",
        title=gettext("Where conversations with the bot stop"),
        columns=(
            gettext("Question"),
            gettext("Asked"),
            gettext("Answered"),
            gettext("Went elsewhere"),
            gettext("Fell silent"),
            gettext("Silent of those asked"),
        ),
        rows=[
            (_question(*place, texts=texts), _stopped(sums, *place, silent=silent[place], step=step))
            for place in _by_number(silent)
        ],
        drawn=(1, 2, 3),
        most=_MOST,
        note=gettext(
            "The questions after which most fell silent come first. Elsewhere means another matter, the menu,"
            " danger, or an operator who took over."
        ),
    )


def _stopped(sums: Sums, flow: str, node: str, *, silent: int, step: int) -> tuple[Cell, ...]:
    asked, fell = in_steps(sums["asked", flow, node], step=step), in_steps(silent, step=step)
    answered, elsewhere = (
        in_steps(sums.get((what, flow, node), 0), step=step) for what in ("answered", "elsewhere")
    )
    return asked, answered, elsewhere, fell, _share(fell, of=asked)


def _question(flow: str, node: str, *, texts: Mapping[tuple[str, str], str]) -> str:
    text = texts.get((flow, node), "")
    return f"{_spoken(flow)}: {text or _spoken(node)}"


def _by_number(numbers: Mapping[Place, int]) -> Sequence[Place]:
    return sorted(numbers, key=lambda name: (-numbers[name], name))


def _spoken(slug: str) -> str:
    words = slug.replace("_", " ")
    return gettext(words[:1].upper() + words[1:])
