"""Do the conversations that a person has read still go the same way, and is there one for every flow?"""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.events import DangerLevel
from flows.model import is_wait, text_keys
from flows.state import Mode
from tests.flows.walk import ADULTS_TOO, real_walk, waits
from tests.flows.worlds import real_book, small_book
from tests.golden.runner import FOLDER, GoldenInvalid, documents, play, replay, rewrite

FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_conversations_go_as_a_person_found_them_right(
    file: Path, request: pytest.FixtureRequest
) -> None:
    book = real_book()
    written = documents(file)
    played = [{**document, "turns": play(book, document)[0]} for document in written]

    if request.config.getoption("--update-golden", default=False) and played != written:
        rewrite(file, played)
        return
    for before, now in zip(written, played, strict=True):
        assert now["turns"] == before["turns"], before["name"]


def test_every_flow_has_a_golden_and_every_golden_a_flow() -> None:
    assert {file.stem for file in FILES} == set(real_book().flows)


def test_a_golden_visits_the_flow_that_it_is_named_after() -> None:
    book = real_book()
    for file in FILES:
        said = {
            key for document in documents(file) for turn in document["turns"] for key in turn.get("bot", [])
        }
        flow = book.flows[file.stem]
        own = {
            f"{place}.{key}"
            for node in flow.nodes.values()
            for key in text_keys(node)
            for place in (file.stem, "common")
        }

        assert not own or said & own, file.name


def test_every_question_is_reached_by_pressing_buttons() -> None:
    book = real_book()
    every = {
        (flow.name, name)
        for flow in book.flows.values()
        for name, node in flow.nodes.items()
        if is_wait(node)
    }

    places = {(flow, node) for flow, node, _ in real_walk(ADULTS_TOO) if flow}

    assert places == waits(book) == every


def test_every_node_of_every_flow_is_walked_by_a_golden() -> None:
    book = real_book()
    walked = {
        (step.flow, step.node)
        for file in FILES
        for document in documents(file)
        for _, turn in replay(book, document)
        for step in turn.path
    }

    assert {(flow.name, node) for flow in book.flows.values() for node in flow.nodes} - walked == set()


def test_every_effect_happens_in_a_golden() -> None:
    happened = {
        effect.split()[0]
        for file in FILES
        for document in documents(file)
        for turn in document["turns"]
        for effect in turn.get("does", [])
    }

    assert happened >= {"open_case", "relay", "raise_danger", "leave_case", "forget", "remind"}


# The runner itself


def test_the_runner_plays_every_kind_of_turn() -> None:
    document = {
        "name": "everything",
        "given": {"country": "BY"},
        "turns": [
            {"start": {"campaign": "x"}},
            {"intent": "insults"},
            {"timer": True},
            {"text": "blah"},
            {"media": "photo"},
            {"unclear": ["insults"]},
            {"payload": "i:talk_to_human"},
            {"press": "yes"},
            {"helpline": "taken"},
            {"helpline": "wrote"},
            {"lexicon": "suicidal"},
            {"helpline": "closed"},
            {"left": True},
        ],
    }

    turns, states = play(small_book(), document)

    assert turns[1] == {
        "intent": "insults",
        "bot": ["insults.believe", "insults.not_your_fault", "insults.what_helps"],
        "does": ["remind 10m"],
    }
    assert [turn["bot"] for turn in turns[2:6]] == [
        ["insults.nudge"],
        ["insults.calm", "common.back_to", "welcome.who"],
        ["common.media_photo"],
        ["common.not_understood_again"],
    ]
    assert turns[7]["does"] == ["open_case talk_to_human none"]
    assert turns[9]["bot"] == ["operator"]
    assert turns[10]["does"] == ["relay emergency", "raise_danger emergency"]
    assert states[-2].danger is DangerLevel.NONE
    assert states[-1].mode is Mode.STOPPED


def test_a_golden_can_begin_inside_a_flow_that_no_words_lead_to() -> None:
    turns, states = play(small_book(), {"name": "x", "turns": [{"flow": "block"}]})

    assert turns[0]["bot"]
    assert states[0].turn == 1


@pytest.mark.parametrize(
    "turn", [{"flow": "gone"}, {"press": "gone"}, {"timer": True}, {"bot": []}, {"intent": "x", "text": "x"}]
)
def test_a_turn_that_cannot_be_played_is_refused(turn: dict[str, object]) -> None:
    with pytest.raises(GoldenInvalid):
        play(small_book(), {"name": "broken", "turns": [turn]})


def test_a_golden_with_a_key_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("name: x\nturns: [{start: true, bott: []}]\n", encoding="utf-8")

    with pytest.raises(GoldenInvalid, match="bott"):
        documents(file)


def test_rewriting_keeps_the_comment_and_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("# For: editors.\n---\nname: x\nturns: [{start: true}]\n", encoding="utf-8")
    played = [{**document, "turns": play(small_book(), document)[0]} for document in documents(file)]

    rewrite(file, played)

    assert file.read_text(encoding="utf-8").startswith("# For: editors.\n---\n")
    assert documents(file) == played
    assert play(small_book(), documents(file)[0])[0] == played[0]["turns"]


def test_a_golden_starts_from_what_is_given() -> None:
    given = {"locale": "ru", "role": "parent", "country": "BD", "mode": "live"}

    _, states = play(small_book(), {"name": "x", "given": given, "turns": [{"media": "voice"}]})

    assert (states[0].locale, states[0].role, states[0].country, states[0].mode) == (
        "ru",
        "parent",
        "BD",
        Mode.LIVE,
    )
