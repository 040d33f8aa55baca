"""Do the figures of the model card say what they promise to say?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.understanding import (
    Judged,
    accuracy,
    calibration_error,
    danger_recall,
    false_alarms,
    false_questions,
    interval,
    judge_all,
    macro_f1,
    missed,
    out_of_scope_recall,
)
from flows.events import DangerLevel, Guess, Understanding


def judged(
    intent: str,
    told: str,
    *,
    sure: float = 0.9,
    danger: DangerLevel = DangerLevel.NONE,
    doubt: str | None = None,
    alarm: DangerLevel = DangerLevel.NONE,
) -> Judged:
    return Judged(
        text="…",
        intent=intent,
        locale="en",
        held_out="A",
        danger=danger,
        ranking=(Guess(intent=told, confidence=sure),),
        understanding=Understanding(intent=told, confidence=sure, danger=alarm, by="model", doubt=doubt),
    )


def test_rare_intents_count_as_much_as_common_ones() -> None:
    texts = [judged("greet", "greet")] * 9 + [judged("stop", "greet")]

    assert accuracy(texts) == pytest.approx(0.9)
    assert macro_f1(texts) == pytest.approx((18 / 19 + 0) / 2)


def test_a_danger_that_is_asked_about_is_not_missed() -> None:
    urgent = DangerLevel.URGENT
    texts = [
        judged("threats", "threats", danger=urgent, alarm=urgent),
        judged("suicidal", "feeling_bad", danger=DangerLevel.EMERGENCY, doubt="suicidal"),
        judged("grooming", "greet", danger=urgent),
        judged("out_of_scope", "suicidal", alarm=DangerLevel.EMERGENCY),
        judged("out_of_scope", "out_of_scope", doubt="suicidal"),
    ]

    assert danger_recall(texts) == pytest.approx(2 / 3)
    assert [one.intent for one in missed(texts)] == ["grooming"]
    assert false_alarms(texts) == false_questions(texts) == 0.5


def test_a_model_that_is_as_sure_as_it_is_right_has_no_calibration_error() -> None:
    as_sure = [judged("greet", "greet", sure=0.75)] * 3 + [judged("greet", "stop", sure=0.75)]
    too_sure = [judged("greet", "greet", sure=0.95), judged("greet", "stop", sure=0.95)]

    assert calibration_error(as_sure) == pytest.approx(0)
    assert calibration_error(too_sure) == pytest.approx(0.45)


def test_unsure_texts_count_as_out_of_scope_only_as_far_as_the_others_allow() -> None:
    inside = [judged("greet", "greet", sure=0.8)] * 9 + [judged("greet", "greet", sure=0.2)]
    outside = [judged("out_of_scope", "greet", sure=0.3), judged("out_of_scope", "greet", sure=0.9)]

    told, right = out_of_scope_recall([*inside, *outside], in_scope_accuracy=0.9)

    assert told == pytest.approx(0.5)
    assert right >= 0.9


def test_an_interval_holds_its_figure_and_is_the_same_each_time() -> None:
    texts = [judged("greet", "greet")] * 30 + [judged("greet", "stop")] * 10

    low, high = interval(texts, accuracy)

    assert low < 0.75 < high
    assert interval(texts, accuracy) == (low, high)


def test_guesses_are_judged_as_the_bot_would(tmp_path: Path) -> None:
    said = {"intent": "suicidal", "locale": "ru", "held_out": "A", "ranking": [["greet", 0.9]]}
    lines = [{**said, "text": "хочу умереть"}, {**said, "text": "привет", "intent": "greet"}]
    file = tmp_path / "guesses.jsonl"
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")

    first, second = judge_all(file)

    assert first.alarmed
    assert first.dangerous
    assert not second.noticed
