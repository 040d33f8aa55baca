"""Does a deployment's own directory lie over ours, whole rows at a time, and is it read as strictly?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows import directory
from flows.checks import check
from flows.loader import ContentInvalid, load
from flows.model import Book
from tests.flows.worlds import REAL, real_book

GUIDE = REAL.parent / "docs" / "own-directory.md"
OWN_LINE = """
countries:
  BD:
    emergency: [{number: '999', for: all}]
    lines:
      - name: Our line
        phones: ['16123']
        ages: children
        checked: '2026-10'
        confidence: official
        sources: [called]
"""
OWN_APP = """
most_used: {BD: [chirp, facebook]}
platforms:
  chirp:
    name: Chirp
    nicknames: [chirpy]
    block: {generic: true, en: "chat → Block", ru: "чат → Block", be: "чат → Block", bn: "চ্যাট → Block"}
"""


def laid_over(folder: Path, **files: str) -> Book:
    for name, words in files.items():
        (folder / f"{name}.yaml").write_text(words, encoding="utf-8")
    return load(REAL, own_directory=folder)


def refused(folder: Path, **files: str) -> list[str]:
    with pytest.raises(ContentInvalid) as error:
        laid_over(folder, **files)
    return [str(problem) for problem in error.value.problems]


def test_a_country_of_our_own_replaces_the_whole_country_and_no_other(tmp_path: Path) -> None:
    rows = laid_over(tmp_path, helplines=OWN_LINE).directory

    assert [line.name for line in rows.lines("BD")] == ["Our line"]
    assert rows.lines("BY") == real_book().directory.lines("BY")
    assert rows.international == real_book().directory.international


def test_a_platform_of_our_own_is_added_and_offered_where_we_say(tmp_path: Path) -> None:
    rows = laid_over(tmp_path, platforms=OWN_APP).directory

    assert rows.common_platforms("BD")[:2] == ("chirp", "facebook")
    assert rows.platforms["chirp"].nicknames == ("chirpy",)
    assert rows.platforms["telegram"] == real_book().directory.platforms["telegram"]
    assert rows.common_platforms("BY") == real_book().directory.common_platforms("BY")


def test_the_month_of_our_own_check_is_shown(tmp_path: Path) -> None:
    book = laid_over(tmp_path, helplines=OWN_LINE)
    shown = directory.helpline(book.directory, book.texts, locale="en", country="BD", countries=("BY", "BD"))

    assert shown == "Our line: 16123 (checked 2026-10)"


def test_a_problem_of_our_own_file_is_told_with_its_own_path(tmp_path: Path) -> None:
    found = refused(tmp_path, helplines=OWN_LINE.replace("confidence: official", "confidence: certain"))

    assert len(found) == 1
    assert found[0].startswith(f"{tmp_path}/helplines.yaml, line 10: ")
    assert "certain" in found[0]


def test_a_name_of_one_of_our_platforms_cannot_be_given_twice(tmp_path: Path) -> None:
    found = refused(tmp_path, platforms=OWN_APP.replace("chirpy", "tg"))

    assert found == [f"{tmp_path}/platforms.yaml, line 4: 'tg' is a name of 'telegram' and of 'chirp'."]


def test_what_our_own_rows_lack_is_found_by_the_check_and_told_with_their_path(tmp_path: Path) -> None:
    lacking = laid_over(
        tmp_path,
        helplines=OWN_LINE.replace("official", "low"),
        platforms=OWN_APP.replace(', bn: "চ্যাট → Block"', ""),
    )

    assert [str(problem) for problem in check(lacking)] == [
        f"{tmp_path}/helplines.yaml: BD is offered, but has no line to call.",
        f"{tmp_path}/platforms.yaml: 'block' of the platform 'chirp' is missing in 'bn'.",
    ]


@pytest.mark.parametrize("number", ["050/051 680 22 80", "1-800-CALL-FBI", "1-800-HELPLINE"])
def test_a_number_that_cannot_be_dialled_by_a_tap_is_refused(tmp_path: Path, number: str) -> None:
    found = refused(tmp_path, helplines=OWN_LINE.replace("16123", number))

    assert len(found) == 1
    assert f"'{number}' cannot be dialled by a tap" in found[0]


def test_a_folder_without_any_of_the_two_files_is_refused(tmp_path: Path) -> None:
    found = refused(tmp_path / "nowhere")

    assert found == [
        f"{tmp_path}/nowhere: this folder must hold 'helplines.yaml' or 'platforms.yaml', and holds neither."
    ]


def test_other_parts_of_our_directory_cannot_be_laid_over(tmp_path: Path) -> None:
    found = refused(tmp_path, helplines=f"takedown: []\n{OWN_LINE}")

    assert found == [f"{tmp_path}/helplines.yaml, line 1: the file cannot have 'takedown'."]


def test_the_example_of_the_guide_can_be_used_as_it_is(tmp_path: Path) -> None:
    example = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)

    book = laid_over(tmp_path, helplines=example[0])

    assert check(book) == []
    assert directory.call(book.directory, book.texts, locale="ru", country="BY").startswith(
        "Отвечает психолог"
    )


def test_numbers_that_nobody_checked_for_long_are_named(tmp_path: Path) -> None:
    rows = laid_over(tmp_path, helplines=OWN_LINE).directory

    assert rows.checked_before("2026-10", countries=("BD",)) == ()
    assert [line.phones for _, line in rows.checked_before("2026-11", countries=("BD",))] == [("16123",)]
    undated = real_book().directory.checked_before("2025-11", countries=("BD",))
    assert ("BD", ("1098",)) in [(country, line.phones) for country, line in undated]
