"""What others may be told, and how long a letter waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from referral.cases.rules import CaseState, DangerLevel
from referral.connectors.happenings import Audience, Consent, Detail, Facts, Kind, Opened
from referral.connectors.protocol import Arrived, Ended, Failed, Unavailable
from referral.connectors.rules import DELAYS, LONGEST_DELAY, MOST_ATTEMPTS, answer, covered, delay, given_up

NOW = datetime(2026, 11, 29, 2, tzinfo=UTC)


def a_happening() -> Opened:
    """Some case was opened."""
    facts = Facts(
        number=UUID(int=7),
        designation="quiet heron",
        state=CaseState.WAITING,
        danger=DangerLevel.CONCERN,
        channel="web",
        locale="be",
        country="BY",
        role="child",
        reason="insults",
        opened_at=NOW,
        received_at=NOW,
    )
    return Opened(at=NOW, case=facts)


@pytest.mark.parametrize(
    ("consent", "audience", "details"),
    [
        (Consent(sentence="yes"), Audience.HELPLINE, frozenset(Detail)),
        (Consent(), Audience.HELPLINE, frozenset({Detail.CODING})),
        (Consent(sentence="yes", others=True), Audience.OTHERS, frozenset(Detail)),
        (Consent(sentence="yes"), Audience.OTHERS, None),
        (Consent(others=True), Audience.OTHERS, None),
        (Consent(), Audience.OTHERS, None),
    ],
)
def test_nobody_gets_more_than_the_visitor_agreed_to(
    consent: Consent, audience: Audience, details: frozenset[Detail] | None
) -> None:
    assert covered(consent, audience=audience) == details


@pytest.mark.parametrize(
    ("status", "means"),
    [
        (200, Arrived()),
        (204, Arrived()),
        (302, Failed(reason="302")),
        (401, Failed(reason="401")),
        (410, Ended(reason="410")),
        (429, Unavailable(reason="429")),
        (500, Failed(reason="500")),
        (503, Unavailable(reason="503")),
    ],
)
def test_only_2xx_is_success(status: int, means: object) -> None:
    assert answer(status, retry_after=None, now=NOW) == means


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("Sun, 29 Nov 2026 02:05:00 GMT", 300), ("9" * 5000, 86_400), ("soon", None)],
)
def test_a_pause_is_read_from_its_header(header: str, seconds: int | None) -> None:
    found = answer(429, retry_after=header, now=NOW)

    assert found == Unavailable(reason="429", after=timedelta(seconds=seconds) if seconds else None)


def test_letters_wait_longer_each_time_and_never_longer_than_a_day() -> None:
    waits = [delay(number, wanted=None, chance=0) for number in range(1, 30)]

    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_DELAY
    assert delay(1, wanted=timedelta(days=9), chance=1) == LONGEST_DELAY
    assert sum(DELAYS, timedelta()) > timedelta(days=1)


def test_a_deletion_is_never_given_up() -> None:
    assert given_up(Kind.OPENED, attempts=MOST_ATTEMPTS)
    assert not given_up(Kind.FORGOTTEN, attempts=1000)
