"""The bash half of ``./porchlight``: it teaches without installing; failures say cause and remedy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bot.launch.cli import app

ROOT = Path(__file__).parents[2]
BASH = shutil.which("bash") or "/bin/bash"
#: What the launcher calls besides Python and uv.
TOOLS = (
    "awk",
    "bash",
    "cat",
    "cmp",
    "cp",
    "df",
    "dirname",
    "grep",
    "head",
    "ln",
    "mkdir",
    "rm",
    "sed",
    "sort",
    "tail",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files that a fresh clone has, as far as the launcher looks at them."""
    folder = tmp_path / "clone"
    for name in ("porchlight", "requirements.lock", "requirements-dev.lock", "nlu/requirements.lock"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / "bot" / "launch", folder / "bot" / "launch")
    (folder / "bot" / "__init__.py").touch()
    (folder / "nlu" / ".python-version").write_text("3.10\n")
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with the ordinary tools and no Python at all."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
    return folder


def _run(
    clone: Path, *arguments: str, path: Path | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(path or os.environ["PATH"]), "HOME": str(clone / "home"), **settings}
    return subprocess.run(
        [BASH, clone / "porchlight", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!{BASH}\n{script}\n")
    file.chmod(0o755)


def _real_python(folder: Path) -> None:
    (folder / "python3").symlink_to(Path(sys.executable).resolve())


def test_help_teaches_every_command_without_installing_anything(clone: Path, tools: Path) -> None:
    answer = _run(clone, "--help", path=tools)

    commands = {
        command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands
    }
    commands |= {group.name or "" for group in app.registered_groups}
    assert answer.returncode == 0
    assert commands == set(re.findall(r"^  ([a-z]+)  ", answer.stdout, re.MULTILINE))
    # The script itself refuses what it does not know, before anything is installed for it.
    (known,) = re.findall(r"^        (up \| .+)\) ;;$", (ROOT / "porchlight").read_text(), re.MULTILINE)
    assert commands == set(known.split(" | "))
    assert not (clone / ".uv").exists()


def test_an_unknown_command_says_where_the_others_are(clone: Path, tools: Path) -> None:
    answer = _run(clone, "upp", path=tools)

    assert answer.returncode == 1
    assert "There is no command 'upp'" in answer.stderr
    assert "--help" in answer.stderr


def test_without_python_it_says_how_to_get_one(clone: Path, tools: Path) -> None:
    answer = _run(clone, "check", path=tools)

    assert answer.returncode == 1
    assert "No Python 3.11 or newer was found" in answer.stderr
    assert "apt-get install python3" in answer.stderr
    assert answer.stdout == ""


def test_an_old_python_is_no_python(clone: Path, tools: Path) -> None:
    _program(tools, "python3", "exit 1")  # What 'sys.version_info < (3, 11)' gives.

    assert "No Python 3.11 or newer was found" in _run(clone, "check", path=tools).stderr


def test_a_full_disk_is_noticed_before_anything_is_installed(clone: Path, tools: Path) -> None:
    _real_python(tools)
    (tools / "df").unlink()
    _program(tools, "df", "echo Filesystem; echo disk 100 90 10 90% /")

    answer = _run(clone, "up", path=tools)

    assert answer.returncode == 1
    assert "needs about 4000 MB, and 10 MB are free" in answer.stderr
    assert not (clone / ".venv").exists()


def test_no_network_is_named_as_the_cause(clone: Path, tools: Path) -> None:
    _real_python(tools)

    _program(tools, "uv", NO_NETWORK)
    answer = _run(clone, "check", path=tools)

    assert answer.returncode == 1
    assert "The package registry could not be reached" in answer.stderr
    assert "HTTPS_PROXY" in answer.stderr


def test_a_changed_package_is_named_as_the_cause(clone: Path, tools: Path) -> None:
    _real_python(tools)
    _program(tools, "uv", NO_NETWORK.replace("dns error", "Hash mismatch for typer"))

    answer = _run(clone, "check", path=tools)

    assert answer.returncode == 1
    assert "differs from the one that was locked" in answer.stderr


def test_without_python_3_10_it_says_what_still_works(clone: Path, tools: Path) -> None:
    _real_python(tools)
    _program(tools, "uv", NO_NETWORK)

    answer = _run(clone, "up", path=tools)

    assert answer.returncode == 1
    assert "No Python 3.10 was found, and it could not be downloaded" in answer.stderr
    assert "./porchlight check" in answer.stderr


def test_a_folder_that_cannot_be_written_to_is_named() -> None:
    # Root may write everywhere, so there somebody else tries, in a place that everybody can reach.
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o555)
        _program(folder, "python3", "exit 0")
        shutil.copy2(ROOT / "porchlight", folder)
        answer = subprocess.run(
            [BASH, folder / "porchlight", "check"],
            env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": "/"},
            cwd="/",
            user=65534 if os.geteuid() == 0 else None,
            capture_output=True,
            text=True,
            check=False,
        )

    assert answer.returncode == 1
    assert "This folder cannot be written to" in answer.stderr


def test_commands_for_editors_do_not_install_the_model(clone: Path, tools: Path) -> None:
    _real_python(tools)
    _program(tools, "uv", RECORDING.replace("LOG", str(clone / "calls")))

    _run(clone, "check", path=tools)

    calls = (clone / "calls").read_text()
    assert "requirements.lock" in calls
    assert "nlu" not in calls


def test_a_second_run_installs_nothing(clone: Path, tools: Path) -> None:
    _real_python(tools)
    _program(tools, "uv", RECORDING.replace("LOG", str(clone / "calls")))
    assert _run(clone, "check", path=tools).stdout == "ran -P -m bot.launch check\n"
    (clone / "calls").unlink()

    answer = _run(clone, "check", path=tools)

    assert answer.stdout == "ran -P -m bot.launch check\n"
    assert answer.stderr == ""
    assert not (clone / "calls").exists()


def test_a_changed_lock_file_brings_the_environment_up_to_date(clone: Path, tools: Path) -> None:
    _real_python(tools)
    _program(tools, "uv", RECORDING.replace("LOG", str(clone / "calls")))
    _run(clone, "check", path=tools)
    (clone / "calls").unlink()
    with (clone / "requirements.lock").open("a") as lock:
        lock.write("# another version\n")

    _run(clone, "check", path=tools)

    assert "pip sync --require-hashes" in (clone / "calls").read_text()


def test_progress_goes_to_standard_error_alone(clone: Path, tools: Path) -> None:
    _real_python(tools)
    _program(tools, "uv", RECORDING.replace("LOG", str(clone / "calls")))

    answer = _run(clone, "parse", "hello", path=tools)

    assert answer.stdout == "ran -P -m bot.launch parse hello\n"
    assert "at the same time, the model's environment" in answer.stderr


def test_file_names_are_meant_from_where_the_caller_stands(clone: Path, tools: Path, tmp_path: Path) -> None:
    _real_python(tools)
    _program(tools, "uv", RECORDING.replace("LOG", str(clone / "calls")))
    _run(clone, "check", path=tools)
    (clone / ".venv" / "bin" / "python").write_text(f"#!{BASH}\npwd\n")

    answer = subprocess.run(
        [BASH, clone / "porchlight", "backup", "all.tar"],
        env={"PATH": str(tools)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert Path(answer.stdout.strip()) == tmp_path


def test_two_at_once_do_not_install_twice(clone: Path, tools: Path) -> None:
    _real_python(tools)
    (tools / "sleep").symlink_to(shutil.which("sleep") or "/bin/sleep")
    _program(tools, "uv", "sleep 0.2\n" + RECORDING.replace("LOG", str(clone / "calls")))
    command = [BASH, str(clone / "porchlight"), "check"]
    environment = {"PATH": str(tools), "HOME": str(clone)}

    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [each.communicate() for each in both]

    assert [out for out, _ in answers] == ["ran -P -m bot.launch check\n"] * 2
    assert (clone / "calls").read_text().count("pip sync") == 1
    assert any("Another ./porchlight is preparing this folder" in progress for _, progress in answers)


#: Stands in for uv on a machine without a network and without Python 3.10.
NO_NETWORK = """
case "$1" in
    --version) echo "uv 9.9.9" ;;
    venv) for last; do :; done; mkdir -p "$last/bin"; ln -sf "$(command -v python3)" "$last/bin/python" ;;
    *) echo "error: dns error" >&2; exit 2 ;;
esac
"""

#: Stands in for uv where everything works; notes what it was asked for.
RECORDING = """
[ "$1" = --version ] && { echo "uv 9.9.9"; exit; }
echo "$*" >> LOG
case "$1" in
    venv)
        for last; do :; done
        mkdir -p "$last/bin"
        printf '#!%s\\n[ "$1" = -c ] || echo "ran $*"\\n' "$BASH" > "$last/bin/python"
        /bin/chmod +x "$last/bin/python" ;;
    python) echo /usr/bin/python3.10 ;;
esac
"""
