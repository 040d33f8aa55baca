"""Is the judgement about an incident the written rule, and can it always say why?"""

from __future__ import annotations

from itertools import product

import pytest

from flows.assessment import REASONS, SERIOUS_HARMS, Verdict, assess

LONG = ("once", "some_days", "weeks", "months", "skip", "not_asked")
MANY = ("one", "stronger", "some", "many", "skip", "not_asked")
SAFE = ("yes", "not_sure", "no", "skip", "not_asked")


@pytest.mark.parametrize(
    ("answers", "verdict", "reasons"),
    [
        ({"how_long": "weeks", "how_many": "many"}, Verdict.BULLYING, ("why_repeated", "why_many")),
        (
            {"how_long": "months", "how_many": "stronger", "still_going": "yes"},
            Verdict.BULLYING,
            ("why_repeated", "why_stronger", "why_still_going"),
        ),
        ({"how_long": "some_days", "how_many": "one"}, Verdict.GOING_ON, ("why_repeated",)),
        ({"how_long": "once", "how_many": "some"}, Verdict.GOING_ON, ("why_many",)),
        ({"how_long": "once", "how_many": "one"}, Verdict.ONCE, ()),
        ({"how_long": "once", "safe_now": "not_sure"}, Verdict.DANGER, ("why_not_safe",)),
        ({"harm": "blackmail"}, Verdict.DANGER, ("why_serious_harm",)),
        ({}, Verdict.UNKNOWN, ()),
    ],
)
def test_the_answers_decide(answers: dict[str, str], verdict: Verdict, reasons: tuple[str, ...]) -> None:
    found = assess(answers)

    assert (found.verdict, found.reasons) == (verdict, reasons)


def test_a_verdict_that_says_why_always_has_a_reason_and_danger_outranks_all() -> None:
    for long, many, safe, harm in product(LONG, MANY, SAFE, ("insults", *SERIOUS_HARMS)):
        found = assess({"how_long": long, "how_many": many, "safe_now": safe, "harm": harm})

        explained = found.verdict in (Verdict.DANGER, Verdict.BULLYING, Verdict.GOING_ON)
        assert bool(found.reasons) == explained
        assert set(found.reasons) <= set(REASONS)
        assert (found.verdict is Verdict.DANGER) == (safe in ("no", "not_sure") or harm in SERIOUS_HARMS)
