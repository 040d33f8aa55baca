"""Does an editor get the document they asked for, or a sentence that says what there is?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def document(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The command, run from a folder of its own."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "bot.launch", "document", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_document_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "fox.png"

    done = document(
        tmp_path, "certificate", "--locale", "bn", "--answer", "my_nickname=Fox", "--out", str(file)
    )

    assert (done.returncode, done.stdout.strip()) == (0, str(file))
    assert file.read_bytes().startswith(b"\x89PNG")


def test_without_a_file_it_is_named_after_document_and_language(tmp_path: Path) -> None:
    assert document(tmp_path, "letter_school", "--locale", "ru", "--country", "BY").returncode == 0

    assert (tmp_path / "letter_school.ru.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["diploma"], "There is no document 'diploma'. There are: certificate,"),
        (
            ["workbook", "--out", "book.png"],
            "'workbook' cannot be made as 'book.png'; its endings are: .pdf.",
        ),
        (["workbook", "--out", "nowhere/book.pdf"], "'nowhere/book.pdf' cannot be written: No such file"),
        (["certificate", "--answer", "Fox"], "'Fox' is no answer; write it as my_nickname=Fox."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path: Path, options: list[str], sentence: str) -> None:
    done = document(tmp_path, *options)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
