"""Does ``./porchlight parse`` say why, and is what it said before still there?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.launch.parse import parse
from bot.launch.site import Site

#: Nothing listens there: the lexicon answers without the model.
NOWHERE = "http://127.0.0.1:9"
TEXT = "hello, i just want to d.i.e 😭 ok"


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The reading; before it the log may say that the model cannot be reached."""
    return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


async def test_json_tells_the_rule_and_the_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await parse(Site.here(data=tmp_path), [TEXT], nlu_url=NOWHERE, as_json=True)

    reading = last_line(capsys)
    assert reading.keys() >= {"text", "intent", "confidence", "danger", "by", "locale", "entities", "ranking"}
    assert (reading["intent"], reading["danger"], reading["by"]) == ("suicidal", "emergency", "lexicon")
    [first, *_] = reading["why"]
    assert first["rule"].startswith("en/suicidal: ")
    assert (first["intent"], first["danger"]) == ("suicidal", "emergency")
    assert first["words"] == "want to d.i.e" == TEXT[first["start"] : first["end"]]


async def test_a_person_reads_the_rule_and_the_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await parse(Site.here(data=tmp_path), [TEXT], nlu_url=NOWHERE, as_json=False)

    shown = " ".join(capsys.readouterr().out.split())
    assert "why: «want to d.i.e» is en/suicidal: " in shown


async def test_what_no_lexicon_hears_has_no_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await parse(Site.here(data=tmp_path), ["hello"], nlu_url=NOWHERE, as_json=True)

    assert last_line(capsys)["why"] == []
