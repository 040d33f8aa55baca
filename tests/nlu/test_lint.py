"""Does the check of the training data find every kind of fault, and only faults?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nlu.fingerprint import DATA
from nlu.lint import FEWEST_OF_TALK, INTENTS, LATIN, LOCALES, fewest, intents_of, main, problems_in

NAMES = ("greet", "thanks")
WORDS = {"be": "прывітанне", "bn": "নমস্কার", "en": "hello", "ru": "привет"}


#: The line of the first phrase, and the one after the last.
FIRST, AFTER = 6, 6 + FEWEST_OF_TALK


def write(file: Path, phrases: list[str], *, intent: str | None = None) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    listed = "\n".join(f"      - {phrase}" for phrase in phrases)
    file.write_text(
        f'version: "3.1"\nnlu:\n  - intent: {intent or file.stem}\n    metadata: {{author: A}}\n'
        f"    examples: |\n{listed}\n",
        "utf-8",
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Training data without a fault."""
    for locale in LOCALES:
        for name in NAMES:
            phrases = [f"{WORDS[locale]} {name} {number}" for number in range(FEWEST_OF_TALK)]
            write(tmp_path / locale / f"{name}.yml", phrases)
    return tmp_path


def sentences(data: Path) -> list[str]:
    return [str(problem) for problem in problems_in(data, intents=NAMES)]


def test_data_without_a_fault_has_no_problem(data: Path) -> None:
    assert sentences(data) == []


def test_the_real_training_data_has_no_problem() -> None:
    assert [str(problem) for problem in problems_in(DATA, intents=intents_of(INTENTS))] == []


def append(data: Path, line: str) -> None:
    file = data / "ru" / "greet.yml"
    file.write_text(file.read_text("utf-8") + f"      - {line}\n", "utf-8")


def replace(data: Path, old: str, new: str) -> None:
    file = data / "ru" / "greet.yml"
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")


@pytest.mark.parametrize(
    ("spoil", "where", "what"),
    [
        (lambda data: (data / "be" / "greet.yml").unlink(), "be/greet.yml:1:", "file is missing"),
        (lambda data: (data / "ru" / "note.txt").write_text("x"), "ru/note.txt:1:", "something else"),
        (lambda data: write(data / "greet.yml", ["a"]), "greet.yml:1:", "something else"),
        (lambda data: write(data / "fr" / "greet.yml", ["a"] * 12), "fr:1:", "not a locale"),
        (lambda data: write(data / "en" / "hi.yml", ["hi"]), "en/hi.yml:1:", "no intent 'hi'"),
        (lambda data: replace(data, "intent: greet", "intent: gret"), "ru/greet.yml:3:", "is named 'greet'"),
        (lambda data: replace(data, 'version: "3.1"', ""), "ru/greet.yml:1:", "must hold `version"),
        (lambda data: replace(data, "examples: |", "examples:"), "ru/greet.yml:6:", "followed by `|`"),
        (
            lambda data: replace(data, "      - привет greet 3", "      привет"),
            "ru/greet.yml:9:",
            "begin with `- `",
        ),
        (lambda data: replace(data, "nlu:", "nlu: ["), "ru/greet.yml:", "not valid YAML"),
        (lambda data: (data / "ru" / "greet.yml").write_bytes(b"\xff\xfe"), "ru/greet.yml:1:", "not UTF-8"),
        (lambda data: replace(data, "greet 24", "greet 23"), "ru/greet.yml:1:", "Only 24 distinct"),
        (lambda data: append(data, "3, greet: привет!"), "ru/greet.yml:31:", "already above, line 9"),
        (lambda data: replace(data, "{author: A}", "{}"), "ru/greet.yml:3:", "metadata: {author"),
        (
            lambda data: write(data / "ru-Latn" / "thanks.yml", ["hello greet 1"]),
            "ru-Latn/thanks.yml:6:",
            "has another intent in en/greet.yml, line 7",
        ),
        (
            lambda data: write(data / "ru-Latn" / "greet.yml", ["дай hello"]),
            "ru-Latn/greet",
            "Cyrillic letters",
        ),
        (lambda data: write(data / "ru" / "greet.yml", []), "ru/greet.yml:5:", "no phrase under"),
        (lambda data: append(data, "ПРИВЕТ  greet 1"), "ru/greet.yml:31:", "already above, line 7"),
        (lambda data: append(data, "привет thanks 2"), "ru/thanks.yml:8:", "already in greet.yml, line 31"),
        (lambda data: append(data, "/привет всем"), "ru/greet.yml:31:", "begin with a slash"),
        (lambda data: append(data, "я" * 301), "ru/greet.yml:31:", "301 characters"),
        (lambda data: append(data, "привет [вк](platform)"), "ru/greet.yml:31:", "mark entities"),
        (lambda data: append(data, "привет নমস্কার"), "ru/greet.yml:31:", "Bengali letters"),
        (lambda data: append(data, "прывітанне ўсім"), "ru/greet.yml:31:", "the letter 'і'"),
        (lambda data: append(data, "ชื่อ"), "ru/greet.yml:31:", "not written in the script"),
        (lambda data: append(data, "///"), "ru/greet.yml:31:", "Nothing is left"),
        (
            lambda data: write(data / "be" / "greet.yml", [f"привет {n}" for n in range(25)]),
            "be/greet.yml:1:",
            "is this 'be'?",
        ),
    ],
)
def test_each_kind_of_fault_is_found_where_it_stands(
    data: Path, spoil: Callable[[Path], object], where: str, what: str
) -> None:
    spoil(data)

    assert [s for s in sentences(data) if where in s and what in s], sentences(data)


def test_a_phrase_of_the_yardstick_may_not_be_learnt(data: Path, tmp_path: Path) -> None:
    yardstick = tmp_path.parent / f"{tmp_path.name}-yardstick"
    yardstick.mkdir()
    (yardstick / "ru.yml").write_text("greet: |\n  Доброго утра всем\n  салют\n", "utf-8")
    append(data, "всем доброго утра!")
    append(data, "салют")

    found = [str(problem) for problem in problems_in(data, intents=NAMES, yardstick=yardstick)]

    assert len(found) == 1
    assert "may not be learnt from" in found[0]


def test_what_a_frightened_child_says_needs_the_most_phrases() -> None:
    assert fewest("ru", "threats") > fewest("ru", "helpline_number") > fewest("ru", "greet") > 0
    assert all(fewest(locale, "threats") > 0 == fewest(locale, "learn") for locale in LATIN)


def test_all_problems_are_told_at_once(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    append(data, "привет নমস্কার")
    append(data, "/привет")

    status = main(["--data", str(data), "--intents", str(INTENTS)])

    told = capsys.readouterr()
    assert status == 1
    assert "greet.yml:31:" in told.out
    assert "greet.yml:32:" in told.out
    assert "problems in the training data" in told.err
