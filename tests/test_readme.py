"""The README says all that there is to set and to run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.launch.site import KNOWN
from flows.checks import not_reviewed
from flows.loader import load

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

COMMANDS = ["up", "test", "chat", "parse", "train", "evaluate", "check", "draw", "document", "play"]
COMMANDS += ["texts", "operator", "connectors", "keys", "backup", "restore", "doctor", "bench"]


@pytest.mark.parametrize("setting", sorted(KNOWN))
def test_every_setting_is_explained(setting: str) -> None:
    assert f"`{setting}`" in README


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_named_and_explains_itself(command: str) -> None:
    assert f"./porchlight {command}" in README or f"`{command} " in README or f"`{command}`" in README

    told = subprocess.run(
        [sys.executable, "-m", "bot.launch", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert told.returncode == 0
    assert len(told.stdout.split()) > 8


def test_every_picture_is_there() -> None:
    for part in README.split("](")[1:]:
        target = part.partition(")")[0]
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_the_readme_says_how_much_no_psychologist_has_reviewed() -> None:
    assert not_reviewed(load(ROOT / "flows")) in README.replace("**", "").replace("\n  ", " ")
