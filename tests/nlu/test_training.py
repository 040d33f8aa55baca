"""Is a model made when, and only when, the data asks for it, and served only if it is whole?"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nlu.fingerprint import DATA, fingerprint
from tests.nlu_server import run_nlu

FEW = ("greet", "insults", "suicidal")


def copy_of_a_few_intents(folder: Path) -> Path:
    for locale in ("be", "bn", "en", "ru"):
        (folder / locale).mkdir(parents=True)
        for intent in FEW:
            shutil.copy(DATA / locale / f"{intent}.yml", folder / locale)
    return folder


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Training data of three intents."""
    return copy_of_a_few_intents(tmp_path / "data")


def change_one_phrase(data: Path) -> None:
    file = data / "en" / "greet.yml"
    file.write_text(file.read_text("utf-8") + "      - well hello there\n", "utf-8")


def test_the_fingerprint_follows_every_phrase_and_nothing_else(few: Path, tmp_path: Path) -> None:
    before = fingerprint(few)
    (few / "en" / ".greet.yml.swp").write_text("an editor's own file")
    moved = shutil.copytree(few, tmp_path / "elsewhere")

    assert fingerprint(few) == before
    assert fingerprint(moved) == before
    change_one_phrase(few)
    assert fingerprint(few) != before


def test_a_model_is_trained_once_and_again_only_after_a_change(few: Path, tmp_path: Path) -> None:
    model = tmp_path / f"nlu-{fingerprint(few)}.tar.gz"
    asked = ("--data", few, "--out", model, "--print-path")

    first = run_nlu("train", *asked, seconds=240)
    made_at = model.stat().st_mtime_ns
    second = run_nlu("train", *asked)

    assert first.returncode == 0, first.stderr
    assert first.stdout.strip() == str(model)
    assert "Learning to tell the intents apart" in first.stderr
    assert second.stdout == first.stdout
    assert "up to date" in second.stderr
    assert model.stat().st_mtime_ns == made_at
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "data", model.name]

    change_one_phrase(few)
    after = run_nlu("train", "--data", few, "--out", tmp_path / f"nlu-{fingerprint(few)}.tar.gz", "--check")
    assert after.returncode == 1
    assert "missing" in after.stderr


def spoil_name(data: Path) -> None:
    (data / "en" / "greet.yml").rename(data / "en" / "greetings.yml")


def spoil_intent(data: Path) -> None:
    file = data / "en" / "greet.yml"
    file.write_text(file.read_text("utf-8").replace("intent: greet", "intent: hullo"), "utf-8")
    file.rename(data / "en" / "hullo.yml")


def leave_one_intent(data: Path) -> None:
    for intent in FEW[1:]:
        for file in data.glob(f"*/{intent}.yml"):
            file.unlink()


def remove_all(data: Path) -> None:
    for folder in data.iterdir():
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (spoil_name, "The file is named 'greetings' but its intent is 'greet'."),
        (spoil_intent, "No such intent in intents.yaml: hullo."),
        (leave_one_intent, "A classifier needs two intents to tell apart; here is only greet."),
        (shutil.rmtree, "There is no folder"),
        (remove_all, "There is no training data"),
    ],
    ids=["bad name", "unknown intent", "one intent", "no folder", "no data"],
)
def test_bad_data_is_refused_in_a_sentence_and_leaves_no_model(
    few: Path, tmp_path: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    spoil(few)

    done = run_nlu("train", "--data", few, "--out", tmp_path / "model.tar.gz")

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model.tar.gz").exists()


def test_a_place_that_cannot_be_written_is_named(few: Path) -> None:
    done = run_nlu("train", "--data", few, "--out", "/proc/nowhere/model.tar.gz")

    assert done.returncode == 1
    assert "/proc/nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_model_is_not_served_though_another_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "nlu-another.tar.gz").write_bytes(b"anything")

    done = run_nlu("serve", "--model", tmp_path / "nlu-missing.tar.gz", "--port", "0")

    assert done.returncode == 1
    assert "There is no file" in done.stderr


def test_half_a_model_is_not_served(tmp_path: Path) -> None:
    whole = tmp_path / "whole.tar.gz"
    with tarfile.open(whole, "w:gz") as archive:
        archive.add(Path(__file__), arcname="metadata.json")
    half = tmp_path / "nlu-half.tar.gz"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    done = run_nlu("serve", "--model", half, "--port", "0")

    assert done.returncode == 1
    assert "cannot be read" in done.stderr


def test_an_archive_of_something_else_is_not_served(tmp_path: Path) -> None:
    other = tmp_path / "nlu-other.tar.gz"
    with tarfile.open(other, "w:gz") as archive:
        archive.add(Path(__file__), arcname="letter.txt")

    done = run_nlu("serve", "--model", other, "--port", "0")

    assert done.returncode == 1
    assert "is not a Rasa model" in done.stderr
