"""What a report shows: sheets of named numbers, in the order of the page, with small ones hidden."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from referral.cases.clocks import Clocks
from referral.cases.codes import GROUPS, NON_COUNSELLING, ONLINE_HARMS, ContactKind, contact_kind, group_of
from referral.cases.coding import IMPLIED, Action, Occurred
from referral.cases.rules import OPERATOR_OUTCOMES, DangerLevel, Outcome
from referral.language import gettext, marked, span
from referral.reports.figures import Coded, Figures, Waiting
from referral.reports.period import Period
from referral.reports.small import SMALL, alone, is_small, nested, parts

#: What slugs are called, by kind: ``{"role": {"child": "Child"}}``.
Labels = Mapping[str, Mapping[str, str]]

#: A number, words, or None for what is hidden.
Cell = int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table of a report."""

    key: str
    title: str
    #: What the columns are called, the first being that of the names.
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, tuple[Cell, ...]]]
    note: str = ""
    #: True for a sheet that runs through time and is drawn as columns.
    runs: bool = False
    #: Which of its numbers, counted from 0, are drawn beside each row, one after the other.
    drawn: tuple[int, ...] = (0,)
    #: How many rows are read on a page, where a file has more.
    most: int | None = None

    @property
    def highest(self) -> int:
        """The largest of what is drawn in a row."""
        return max((sum(self.lengths(cells)) for _, cells in self.rows), default=0)

    def lengths(self, cells: tuple[Cell, ...]) -> Sequence[int]:
        """What is drawn for a row; a hidden number has no length."""
        numbers = (cells[index] for index in self.drawn)
        return [number if isinstance(number, int) else 0 for number in numbers]

    @property
    def read(self) -> Sequence[tuple[str, tuple[Cell, ...]]]:
        """The rows that stand on a page."""
        return self.rows[: self.most]

    @property
    def hides(self) -> bool:
        """True when a number is hidden."""
        return any(cell is None for _, cells in self.rows for cell in cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything about a period."""

    period: Period
    #: Numbers below this are hidden.
    below: int
    #: None when the whole period is about few.
    total: int | None
    sheets: Sequence[Sheet]
    #: About conversations with the bot; None when the bot could not be asked.
    usage: Sequence[Sheet] | None = None

    @property
    def all_sheets(self) -> Sequence[Sheet]:
        """Everything that a file has."""
        return [*self.sheets, *(self.usage or ())]


async def report_of(
    figures: Figures, *, period: Period, clocks: Clocks, labels: Labels, below: int = SMALL
) -> Report:
    """The report of a period; numbers ``below`` are hidden."""
    total = await figures.total()
    if is_small(total, below=below):
        return Report(period=period, below=below, total=None, sheets=())
    ended = _ended(await figures.by_attribute("outcome"), below=below)
    reasons = await figures.by_attribute("reason")
    sheets = [
        await _over_time(figures, period=period, below=below),
        _parts(
            "hour",
            gettext("By hour of the day"),
            (gettext("Hour"), gettext("Contacts")),
            await figures.by_hour(),
            _hours(),
            runs=True,
            below=below,
        ),
        _parts(
            "channel",
            gettext("By channel"),
            _contacts(gettext("Channel")),
            await figures.by_attribute("channel"),
            labels["channel"],
            below=below,
        ),
        _parts(
            "locale",
            gettext("By language"),
            _contacts(gettext("Language")),
            await figures.by_attribute("locale"),
            labels["locale"],
            below=below,
        ),
        _parts(
            "role",
            gettext("By role"),
            _contacts(gettext("Role")),
            await figures.by_attribute("role"),
            {**labels["role"], "": gettext(_NOT_KNOWN)},
            below=below,
        ),
        _parts(
            "reason",
            gettext("What they came for"),
            _contacts(gettext("Came for")),
            reasons,
            {name: labels["matter"].get(name) or _spoken(name) for name in _by_number(reasons)},
            below=below,
        ),
        _parts(
            "danger",
            gettext("By danger"),
            _contacts(gettext("Danger")),
            await figures.by_attribute("danger"),
            _dangers(labels),
            below=below,
        ),
        _waiting(await figures.waiting(clocks), clocks=clocks, labels=labels, below=below),
        _sheet("outcome", gettext("How they ended"), _contacts(gettext("Outcome")), ended, _outcomes(labels)),
        *_coded(await figures.coded(), total=total, labels=labels, below=below),
        _done(await figures.by_action(), ended=ended or {}, labels=labels, below=below),
        _parts(
            "talk",
            "How visitors found the talk",
            ("Answer", "Visitors"),
            await figures.ratings(),
            labels["face"],
            below=below,
        ),
    ]
    return Report(period=period, below=below, total=total, sheets=sheets)


_NOT_KNOWN = marked("Not said, or forgotten")
_OTHER_KINDS = {
    ContactKind.INFORMATION: marked("Information, no counselling"),
    ContactKind.NON_DATA: marked("Non-data contacts (silent, prank, thanks)"),
    "": marked("Not coded: open, left or forgotten"),
}
_WITHHELD = marked("Not shown: too few contacts to show any of it.")


def _contacts(name: str) -> tuple[str, str]:
    return name, gettext("Contacts")


def _hours() -> Mapping[str, str]:
    return {f"{hour:02}": f"{hour:02}:00" for hour in range(24)}


def _dangers(labels: Labels) -> Mapping[str, str]:
    return {level: labels["danger"][level] for level in reversed(DangerLevel)}


def _outcomes(labels: Labels) -> Mapping[str, str]:
    ends = {
        "left": gettext("The visitor left before an answer"),
        "forgotten": gettext("The visitor asked to be forgotten"),
    }
    return {outcome: {**labels["outcome"], **ends}[outcome] for outcome in Outcome} | {
        "": gettext("Still open")
    }


async def _over_time(figures: Figures, *, period: Period, below: int) -> Sheet:
    if period.daily:
        days = {day: day for day in period.days}
        return _parts(
            "day",
            gettext("By day"),
            (gettext("Day"), gettext("Contacts")),
            await figures.by_day(),
            days,
            runs=True,
            below=below,
        )
    months = {month: month for month in period.months}
    return _parts(
        "month",
        gettext("By month"),
        (gettext("Month"), gettext("Contacts")),
        await figures.by_month(),
        months,
        runs=True,
        below=below,
    )


def _parts(
    key: str,
    title: str,
    columns: tuple[str, ...],
    numbers: Mapping[str, int],
    names: Mapping[str, str],
    *,
    below: int,
    runs: bool = False,
) -> Sheet:
    """A sheet whose numbers add up to the sum of all: known names in their order, then all others."""
    known = {name: numbers.get(name, 0) for name in names}
    others = [name for name in _by_number(numbers) if name not in names]
    shown = parts(known | {name: numbers[name] for name in others}, below=below)
    return _sheet(key, title, columns, shown, names, runs=runs)


def _sheet(
    key: str,
    title: str,
    columns: tuple[str, ...],
    shown: Mapping[str, int | None] | None,
    names: Mapping[str, str],
    *,
    runs: bool = False,
) -> Sheet:
    if not shown:
        return Sheet(key=key, title=title, columns=columns, rows=(), note=gettext(_WITHHELD))
    rows = [(names.get(name) or _spoken(name), (number,)) for name, number in shown.items()]
    return Sheet(key=key, title=title, columns=columns, rows=rows, runs=runs)


def _waiting(waiting: Mapping[DangerLevel, Waiting], *, clocks: Clocks, labels: Labels, below: int) -> Sheet:
    sums = {level: _sum(waiting.get(level)) for level in DangerLevel}
    # In the order of the sheet about danger, so that the same numbers are hidden in both.
    shown = parts({level: sums[level] for level in reversed(DangerLevel)}, below=below)
    rows = []
    for level in reversed(DangerLevel):
        found = waiting.get(level)
        name = gettext(
            "%(danger)s (within %(time)s)", danger=labels["danger"][level], time=span(clocks.limit(level))
        )
        if found is not None:
            rows.append((name, _waited(found, hidden=shown is None or shown[level] is None, below=below)))
    return Sheet(
        key="waiting",
        title=gettext("Waiting for the first answer"),
        columns=(
            gettext("Danger"),
            gettext("In time"),
            gettext("Late"),
            gettext("Not answered"),
            gettext("Half waited at most"),
            gettext("Nine of ten at most"),
        ),
        rows=rows,
        drawn=(0, 1, 2),
        note=gettext("By the danger that a contact reached, against the desk’s clocks."),
    )


def _sum(waiting: Waiting | None) -> int:
    return waiting.in_time + waiting.late + waiting.unanswered if waiting else 0


def _waited(waiting: Waiting, *, hidden: bool, below: int) -> tuple[Cell, ...]:
    numbers = {"in_time": waiting.in_time, "late": waiting.late, "unanswered": waiting.unanswered}
    shown = None if hidden else parts(numbers, below=below)
    if shown is None:
        return (None,) * 5
    few = is_small(waiting.in_time + waiting.late, below=below)
    times: list[Cell] = [None if few else _span(seconds) for seconds in (waiting.median, waiting.slow)]
    return (*shown.values(), *times)


def _span(seconds: float | None) -> str:
    return "–" if seconds is None else span(timedelta(seconds=seconds))


def counsels(coded: Coded) -> bool:
    """True for contacts that count as counselling."""
    return contact_kind(coded.code, counselled=coded.counselled) is ContactKind.COUNSELLING


def coded_parts(coded: Sequence[Coded], *, total: int, below: int = SMALL) -> dict[str, int | None]:
    """Counselling contacts by group of codes, others by kind, those without a code under the empty name."""
    groups = _added((group_of(item.code), item.number) for item in coded if counsels(item))
    kinds = _added(
        (contact_kind(item.code, counselled=item.counselled), item.number)
        for item in coded
        if not counsels(item)
    )
    others = {kind: kinds.get(kind, 0) for kind in (ContactKind.INFORMATION, ContactKind.NON_DATA)}
    uncoded = total - sum(groups.values()) - sum(kinds.values())
    shown = nested(
        {group: groups.get(group, 0) for group in GROUPS if group != NON_COUNSELLING},
        {**others, "": uncoded},
        below=below,
    )
    return shown or {}


def _coded(coded: Sequence[Coded], *, total: int, labels: Labels, below: int) -> Iterable[Sheet]:
    names = {group: gettext(name) for group, (name, _) in GROUPS.items() if group != NON_COUNSELLING}
    names |= {kind: gettext(name) for kind, name in _OTHER_KINDS.items()}
    by_place = _added((item.occurred, item.number) for item in coded if item.occurred)
    by_harm = _added((item.online_harm, item.number) for item in coded if item.online_harm)
    yield _sheet(
        "group",
        gettext("What it was about"),
        _contacts(gettext("Group of codes")),
        coded_parts(coded, total=total, below=below),
        names,
    )
    yield _sheet(
        "place",
        gettext("Where it happened"),
        _contacts(gettext("Where")),
        nested(
            {place: by_place.get(place, 0) for place in Occurred},
            {"": total - sum(by_place.values())},
            below=below,
        ),
        {**labels["occurred"], "": gettext("Not asked, or not coded")},
    )
    yield _parts(
        "online",
        gettext("What happened online"),
        _contacts(gettext("Online")),
        {**by_harm, "": total - sum(by_harm.values())},
        {
            **{harm: gettext(name) for harm, name in ONLINE_HARMS.items()},
            "": gettext("Nothing, not said, or not coded"),
        },
        below=below,
    )


def _ended(numbers: Mapping[str, int], *, below: int) -> dict[str, int | None] | None:
    """Contacts by outcome: those that an operator closed, and those without a code."""
    chosen: dict[str, int] = {outcome: numbers.get(outcome, 0) for outcome in OPERATOR_OUTCOMES}
    return nested(
        chosen, {end: numbers.get(end, 0) for end in (Outcome.LEFT, Outcome.FORGOTTEN, "")}, below=below
    )


def _done(
    numbers: Mapping[str, int], *, ended: Mapping[str, int | None], labels: Labels, below: int
) -> Sheet:
    shown = alone({action: numbers.get(action, 0) for action in Action}, below=below)
    # What an outcome implies was done as often at least: with a hidden outcome it is hidden as well.
    for outcome, action in IMPLIED.items():
        if ended.get(outcome) is None:
            shown[action] = None
    return Sheet(
        key="done",
        title=gettext("What was done"),
        columns=_contacts(gettext("Action")),
        rows=[(labels["action"][action], (number,)) for action, number in shown.items()],
        note=gettext("A contact counts once for each thing that was done."),
    )


def _by_number(numbers: Mapping[str, int]) -> Sequence[str]:
    return sorted(numbers, key=lambda name: (-numbers[name], name))


def _added(numbers: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for name, number in numbers:
        found[name] = found.get(name, 0) + number
    return found


def _spoken(slug: str) -> str:
    words = slug.replace("_", " ")
    return gettext(words[:1].upper() + words[1:])
