"""Does the doctor see which numbers nobody has checked for long?"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.launch import doctor
from bot.launch.doctor import Finding, Grade
from bot.launch.site import ROOT, Site

OWN = """
countries:
  BD:
    emergency: [{number: '999', for: all}]
    lines: [{name: Our line, phones: ['16123'], checked: 'WHEN', confidence: official, sources: [called]}]
"""


def numbers(folder: Path, *, checked: str) -> Finding:
    """What the doctor says of an installation for Bangladesh with one line, last checked then."""
    (folder / "helplines.yaml").write_text(OWN.replace("WHEN", checked), encoding="utf-8")
    settings = {"PORCHLIGHT_DIRECTORY_DIR": str(folder), "PORCHLIGHT_COUNTRIES": "BD"}
    site = Site(root=ROOT, data=folder, settings=settings)
    return next(finding for finding in doctor.examine(site) if finding.subject == "numbers")


def test_a_number_that_was_checked_lately_is_in_order(tmp_path: Path) -> None:
    assert numbers(tmp_path, checked="2999-01").grade is Grade.GOOD


@pytest.mark.parametrize(("checked", "told"), [("2020-01", "2020-01"), ("unknown", "no date")])
def test_a_number_that_nobody_checked_for_a_year_is_named(tmp_path: Path, checked: str, told: str) -> None:
    found = numbers(tmp_path, checked=checked)

    assert found.grade is Grade.NOTE
    assert f"BD 16123 ({told})" in found.sentence


@pytest.mark.parametrize(
    ("settings", "grade", "told"),
    [
        ({}, Grade.GOOD, "this machine alone"),
        ({"CONSOLE_URL": "http://127.0.0.1:8100"}, Grade.GOOD, "this machine alone"),
        ({"CONSOLE_URL": "http://desk.example.org"}, Grade.BAD, "not https"),
        ({"CONSOLE_URL": "https://desk.example.org"}, Grade.NOTE, "PORCHLIGHT_SECOND_FACTOR"),
        (
            {"CONSOLE_URL": "https://desk.example.org", "SECOND_FACTOR": "everybody"},
            Grade.NOTE,
            "PORCHLIGHT_TRUSTED_PROXIES",
        ),
        (
            {
                "CONSOLE_URL": "https://desk.example.org",
                "SECOND_FACTOR": "supervisors",
                "TRUSTED_PROXIES": "127.0.0.1",
            },
            Grade.GOOD,
            "second factor",
        ),
    ],
)
def test_a_console_that_is_open_to_others_is_well_shut(
    tmp_path: Path, settings: dict[str, str], grade: Grade, told: str
) -> None:
    set_to = {f"PORCHLIGHT_{name}": value for name, value in settings.items()}
    site = Site(root=ROOT, data=tmp_path, settings=set_to)

    found = next(finding for finding in doctor.examine(site) if finding.subject == "sign-in")

    assert found.grade is grade
    assert told in found.sentence
