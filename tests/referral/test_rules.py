"""What the rules of a case, of sign-ins and of retries say, without any world around them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.cases import rules
from referral.cases.codes import CODES, GROUPS
from referral.cases.designations import QUALITIES, THINGS, candidates
from referral.cases.rules import OPERATOR_OUTCOMES, CaseState, DangerLevel, Outcome, Standing
from referral.errors import (
    CaseAlreadyHeld,
    CaseClosed,
    CaseNotHeld,
    PasswordTooWeak,
    ReferralError,
    VisitorGone,
)
from referral.events.rules import DELAYS, LONGEST_DELAY, Delivered, Failed, Gone, answer, delay
from referral.operators.rules import LONGEST_BLOCK, Scope, blocked_until, check_password, free_failures

ME, OTHER = uuid4(), uuid4()
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
WAITING = Standing(state=CaseState.WAITING, danger=DangerLevel.CONCERN)
MINE = Standing(state=CaseState.HELD, danger=DangerLevel.CONCERN, holder=ME)
CLOSED = Standing(state=CaseState.CLOSED, danger=DangerLevel.CONCERN, outcome=Outcome.ADVICE_GIVEN)

ACTS: list[Callable[[Standing, UUID], Standing]] = [
    lambda case, by: rules.taken(case, by=by),
    lambda case, by: rules.picked(case, by=by, reason="a reason that explains"),
    lambda case, by: rules.released(case, by=by),
    lambda case, by: rules.passed_on(case, by=by, to=OTHER, note="a note that explains"),
    lambda case, by: rules.set_aside(case, by=by, until=NOW + timedelta(days=1), now=NOW),
    lambda case, by: rules.woken(case, here=by == ME) if case.aside_until else case,
    lambda case, by: rules.closed(case, by=by, outcome=Outcome.SCHOOL),
    lambda case, by: rules.heard(case, danger=DangerLevel.EMERGENCY),
    lambda case, by: rules.raised(case, danger=DangerLevel.URGENT),
    lambda case, by: rules.left(case),
    lambda case, by: rules.forgotten(case),
]


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from([ME, OTHER])), max_size=12))
def test_whatever_happens_a_held_case_has_a_holder_and_a_closed_one_an_outcome(
    acts: list[tuple[Callable[[Standing, UUID], Standing], UUID]],
) -> None:
    case = WAITING
    for act, by in acts:
        before = case
        try:
            case = act(case, by)
        except ReferralError:
            continue

        assert (case.state is CaseState.HELD) == (case.holder is not None)
        assert (case.state is CaseState.CLOSED) == (case.outcome is not None)
        assert case.aside_until is None or (case.state is CaseState.HELD and not case.gone)
        assert case.danger.rank >= before.danger.rank
        assert before.state is not CaseState.CLOSED or case.state is CaseState.CLOSED


def test_a_held_case_cannot_be_taken() -> None:
    with pytest.raises(CaseAlreadyHeld):
        rules.taken(MINE, by=OTHER)


def test_a_closed_case_cannot_be_taken_picked_or_written_to() -> None:
    for act in (rules.taken, rules.written, rules.noted, rules.released):
        with pytest.raises(CaseClosed):
            act(CLOSED, by=ME)
    with pytest.raises(CaseClosed):
        rules.picked(CLOSED, by=ME, reason="a reason that explains")


def test_only_the_holder_writes_notes_releases_and_closes() -> None:
    for act in (rules.written, rules.noted, rules.released):
        with pytest.raises(CaseNotHeld):
            act(MINE, by=OTHER)
    with pytest.raises(CaseNotHeld):
        rules.closed(MINE, by=OTHER, outcome=Outcome.SCHOOL)


def test_who_has_left_is_not_written_to_nor_given_back_but_may_be_noted_about() -> None:
    gone = rules.left(MINE)

    assert rules.noted(gone, by=ME) == gone
    for act in (rules.written, rules.released):
        with pytest.raises(VisitorGone):
            act(gone, by=ME)


@given(st.binary(min_size=16, max_size=16))
def test_the_same_case_always_gets_the_same_names(seed: bytes) -> None:
    first, again = candidates(seed), candidates(seed)

    names = [next(first) for _ in range(70)]

    assert names == [next(again) for _ in range(70)]
    assert all(len(name.split()) == 2 for name in names[:64])
    assert all(name.split()[2].isdecimal() for name in names[64:])


def test_names_of_cases_are_plain_words_and_there_are_thousands() -> None:
    for words in (QUALITIES, THINGS):
        assert len(set(words)) == len(words)
        assert all(word.isalpha() and word.islower() and len(word) <= 9 for word in words)
    assert len(QUALITIES) * len(THINGS) > 5_000


def test_codes_are_slugs_and_outcomes_can_be_chosen() -> None:
    assert len(GROUPS) == 11
    assert "violence.cyberbullying" in CODES
    assert all(code.replace(".", "_").isidentifier() for code in CODES)
    assert Outcome.FORGOTTEN not in OPERATOR_OUTCOMES


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (200, Delivered),
        (202, Delivered),
        (410, Gone),
        (301, Failed),
        (400, Failed),
        (429, Failed),
        (503, Failed),
    ],
)
def test_only_success_is_success_and_only_410_is_the_end(status: int, meaning: type) -> None:
    assert isinstance(answer(status, retry_after=None, now=NOW), meaning)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("7", timedelta(seconds=7)),
        ("999999999999999999999", LONGEST_DELAY),
        ("Sun, 22 Nov 2026 03:00:30 GMT", timedelta(seconds=30)),
        ("Sun, 22 Nov 2020 03:00:30 GMT", timedelta()),
        ("soon", None),
        ("-1", None),
    ],
)
def test_the_pause_that_the_bot_asks_for_is_understood(header: str, wanted: timedelta | None) -> None:
    assert answer(429, retry_after=header, now=NOW) == Failed(reason="429", after=wanted)


@given(
    st.integers(min_value=1, max_value=10_000),
    st.none() | st.timedeltas(min_value=timedelta(), max_value=timedelta(days=9)),
    st.floats(min_value=0, max_value=1),
)
def test_a_delay_is_at_least_what_was_asked_and_never_endless(
    attempts: int, wanted: timedelta | None, chance: float
) -> None:
    wait = delay(attempts, wanted=wanted, chance=chance)

    assert DELAYS[0] <= wait <= LONGEST_DELAY
    assert wait >= min(wanted or timedelta(), LONGEST_DELAY)


@given(st.sampled_from(Scope), st.integers(min_value=1, max_value=10_000))
def test_guessing_gets_slower_but_nobody_is_locked_out_for_long(scope: Scope, failures: int) -> None:
    wait = blocked_until(scope, failures=failures, failed_at=NOW) - NOW

    assert (wait == timedelta()) == (failures < free_failures(scope))
    assert wait <= LONGEST_BLOCK


@pytest.mark.parametrize("password", ["eleven chrs", "aaaaaaaaaaaaaaa", "ninaninanina", "x" * 201, ""])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(PasswordTooWeak):
        check_password(password, name="nina")
