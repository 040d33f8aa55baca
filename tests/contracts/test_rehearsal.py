"""A rehearsed child stands on the card as the golden conversation says that the script is derived from."""

from __future__ import annotations

import pytest

from flows.effects import OpenCase
from referral.rehearsal.scripts import Script, scripts
from tests.flows.worlds import real_book
from tests.golden.runner import FOLDER, documents, replay


@pytest.mark.parametrize("script", scripts().values(), ids=sorted(scripts()))
def test_a_child_of_a_rehearsal_comes_as_the_bot_would_send_them(script: Script) -> None:
    file, name = script.golden
    document = next(found for found in documents(FOLDER / f"{file}.yaml") if found["name"] == name)

    turns = [turn for _, turn in replay(real_book(), document)]
    opened = [
        (effect, turn.state) for turn in turns for effect in turn.effects if isinstance(effect, OpenCase)
    ]

    [(effect, state)] = opened
    assert (effect.reason, effect.danger.value) == (script.reason, script.danger.value)
    assert dict(effect.card) == dict(script.card)
    assert state.said == script.said
    assert (state.role, state.country) == (script.role, script.country)
