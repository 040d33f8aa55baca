"""Do the commands for content editors say and write what they promise?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.launch.cli import app
from bot.launch.report import goldens, report
from tests.flows.worlds import REAL, copy_small, real_book, small_book

ROOT = Path(__file__).parents[2]
Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command over the small content."""
    root = copy_small(tmp_path)
    (root / "lexicons").symlink_to(REAL / "lexicons")
    monkeypatch.setenv("PORCHLIGHT_CONTENT_DIR", str(root))
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_a_flow_is_drawn_into_a_file(command: Command, tmp_path: Path) -> None:
    told = command("draw", "insults", "--to", str(tmp_path / "pictures"))

    file = tmp_path / "pictures" / "insults.svg"
    assert told.exit_code == 0
    assert str(file) in told.stderr
    assert file.read_text(encoding="utf-8").startswith("<svg ")


def test_all_flows_are_drawn_so_that_links_lead_on(command: Command, tmp_path: Path) -> None:
    command("draw", "--all", "--to", str(tmp_path / "pictures"))

    drawn = {file.stem for file in (tmp_path / "pictures").iterdir()}
    assert drawn == set(small_book().flows)


def test_a_flow_is_still_printed_as_a_tree_or_for_mermaid(command: Command) -> None:
    assert command("draw", "block", "--tree").stdout.startswith("block\n└─ which: Where do they write?")
    assert command("draw", "block", "--mermaid").stdout.startswith("flowchart TD\n")


def test_whoever_names_no_flow_or_an_unknown_one_is_told(command: Command) -> None:
    assert "Name one, such as insults, or write --all." in str(command("draw").exception)
    assert "There is no flow 'insult'." in str(command("draw", "insult").exception)


def test_check_tells_what_is_not_reviewed_and_that_all_is_in_order(command: Command) -> None:
    told = command("check")

    assert told.exit_code == 0
    assert "text files have not yet been reviewed by a psychologist." in told.stderr
    assert "Everything is in order." in told.stderr
    assert told.stdout == ""


def test_check_tells_each_problem(command: Command, tmp_path: Path) -> None:
    sheet = tmp_path / "flows" / "texts" / "en" / "block.yaml"
    sheet.write_text(sheet.read_text(encoding="utf-8") + "spare: x\n", encoding="utf-8")

    told = command("check")

    assert told.exit_code == 1
    assert "nobody says the text 'spare'." in told.stdout
    assert "1 problem." in told.stderr


def test_a_report_has_languages_flows_and_levels(command: Command) -> None:
    told = command("check", "--report", "--flow", "insults", "--locale", "ru").stdout.splitlines()
    rows = [line.split() for line in told if line]

    assert rows[0][:3] == ["language", "texts", "translated"]
    assert [row[0] for row in rows[1:3]] == ["en", "ru"]
    assert rows[3][:4] == ["flow", "nodes", "goldens", "reviewed"]
    assert rows[4][0] == "insults"
    assert {(row[0], row[1]) for row in rows[6:-1]} == {("insults", "ru")}
    assert told[-1] == "Nothing is too hard for children."


def test_a_report_of_everything_counts_goldens_and_names_what_is_hard() -> None:
    book = real_book()

    lines = list(report(book, proofs=goldens(ROOT / "tests" / "golden")))

    counted = {line.split()[0]: line.split()[2] for line in lines if line.split()[3:] == ["not", "yet"]}
    assert counted.keys() >= book.flows.keys()
    assert all(int(number) > 0 for flow, number in counted.items() if flow in book.flows)
    assert any(line.startswith(("Too hard for children", "Nothing is")) for line in lines)


def test_a_report_without_tests_at_hand_counts_no_goldens(tmp_path: Path) -> None:
    assert goldens(tmp_path / "gone") == {}
    assert any(line.split()[:3] == ["block", "3", "-"] for line in report(small_book(), proofs={}))
