"""Is every danger that the crisis check is known to miss still missed, so that the list can only shrink?

The lists are a ratchet: whoever teaches a lexicon one of these texts removes its line in the same change, and
a line may never come back. They lie beside the tests of the model, which hears some of them.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.events import DangerLevel
from tests.flows.test_safety_sentences import lexicon

FOLDER = Path(__file__).parents[1] / "nlu" / "known_misses"
FILES = sorted(FOLDER.glob("*.yaml"))
KEYS = {"text", "intent", "why"}


@cache
def intents() -> dict[str, Any]:
    read = yaml.safe_load((files("flows") / "intents.yaml").read_text(encoding="utf-8"))
    return dict(read["intents"])


def content(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def lines() -> list[tuple[str, dict[str, str]]]:
    """Each line with the locale of its file; a file that cannot be read like this fails its own test."""
    return [
        (file.stem, line)
        for file in FILES
        if isinstance(read := content(file), dict)
        for line in read.get("misses") or ()
        if isinstance(line, dict) and line.keys() >= KEYS
    ]


def heard(line: dict[str, str], locale: str) -> str | None:
    """The phrase by which this text is heard now, as what it is or as something no less dangerous."""
    least = DangerLevel(intents()[line["intent"]]["danger"])
    matches = lexicon().matches(line["text"], locale=locale)
    return next(
        (
            match.rule
            for match in matches
            if match.intent == line["intent"] or match.danger.rank >= max(least.rank, 1)
        ),
        None,
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_list_of_known_misses_is_written_as_agreed(file: Path) -> None:
    read = content(file)

    assert file.stem in {each.locale for each in lexicon().files}, f"{file.name} is named after no lexicon"
    assert isinstance(read, dict), f"{file.name}: it begins with «version: 1» and «misses:»"
    assert read.keys() == {"version", "misses"}, (
        f"{file.name}: it has «version» and «misses» and nothing else"
    )
    assert read["version"] == 1
    for line in read["misses"]:
        assert isinstance(line, dict), f"{file.name}: each line is {{text, intent, why}}, not «{line}»"
        assert line.keys() == KEYS, f"{file.name}: each line is {{text, intent, why}}, not {sorted(line)}"
        assert all(isinstance(value, str) and value.strip() for value in line.values()), line


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_known_miss_stands_in_a_list_twice(file: Path) -> None:
    texts = Counter(line["text"] for line in content(file)["misses"])

    assert [text for text, times in texts.items() if times > 1] == []


@pytest.mark.parametrize(("locale", "line"), lines())
def test_a_known_miss_names_a_known_intent(locale: str, line: dict[str, str]) -> None:
    assert line["intent"] in intents(), (
        f"tests/nlu/known_misses/{locale}.yaml: «{line['text']}» names the intent «{line['intent']}», "
        "which does not stand in flows/intents.yaml."
    )


@pytest.mark.parametrize(
    ("locale", "line"), [(locale, line) for locale, line in lines() if line["intent"] in intents()]
)
def test_a_known_miss_is_still_missed(locale: str, line: dict[str, str]) -> None:
    rule = heard(line, locale)

    assert rule is None, (
        f"«{line['text']}» is heard now, by «{rule}». Thank you: please remove its line from "
        f"tests/nlu/known_misses/{locale}.yaml, so that it can never be missed again unnoticed."
    )
