"""Is this source fit to be merged? Everything that CI runs, in the order that tells the most soonest."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bot.launch import content, dependencies
from bot.launch.errors import LaunchError
from bot.launch.site import Site

#: The names under which Debian, Fedora and the vendor install the browser.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: What reads the files of docker/ as they are read where they run.
_READERS = ("docker-compose", "caddy")
#: Chromium, and a font that has Bangla: without it pages are measured with empty boxes.
_DEBIAN_PACKAGES = ("chromium", "fonts-noto-core", *_READERS)
_STORMS = "tests/crashes"


class ProgramMissing(LaunchError):
    """Some things are tested with real programs, a browser above all, and one is not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One check, by the name that people see; ``run`` says whether it passed."""

    name: str
    run: Callable[[], bool]


def run_all(site: Site, *, pytest_arguments: Sequence[str]) -> int:
    """Run the gates until one fails; the exit code, pytest's own for the last."""
    console = Console(stderr=True)
    for gate in _gates(site, pytest_arguments=pytest_arguments):
        console.rule(gate.name, style="dim")
        started = time.monotonic()
        if not gate.run():
            console.rule(f"[bold red]{gate.name} failed[/]", style="red")
            return 1
        console.print(
            f"{gate.name}: passed in {time.monotonic() - started:.0f} s", style="green", highlight=False
        )
    return 0


def _gates(site: Site, *, pytest_arguments: Sequence[str]) -> list[Gate]:
    def tool(name: str, *arguments: str) -> Gate:
        command = [sys.executable, *arguments]
        return Gate(name=name, run=lambda: _passes(site, command))

    of_nlu = ["--config-file", "nlu/pyproject.toml", "--python-executable", str(site.nlu_python), "nlu"]
    return [
        tool("format", "-m", "ruff", "format", "--check", "."),
        tool("lint", "-m", "ruff", "check", "."),
        tool("types", "-m", "mypy"),
        tool("types of nlu (Python 3.10)", "-m", "mypy", *of_nlu),
        tool("import contracts", "-c", "from importlinter.cli import lint_imports_command as c; c()"),
        Gate(name="dependencies", run=lambda: dependencies.report(site, tell=_tell)),
        Gate(name="content", run=lambda: _content(site)),
        tool("training data", "-m", "nlu.lint"),
        Gate(name="model", run=lambda: _passes(site, [site.nlu_python, "-m", "nlu.train"])),
        *_tests(site, pytest_arguments),
    ]


def _passes(site: Site, command: Sequence[str | Path]) -> bool:
    return subprocess.run(command, cwd=site.root, check=False, env=_environment()).returncode == 0  # noqa: S603


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _content(site: Site) -> bool:
    problems = content.examine(site).problems
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return not problems


def _tests(site: Site, arguments: Sequence[str]) -> list[Gate]:
    def pytest(name: str, *arguments: str) -> Gate:
        command = [sys.executable, "-m", "pytest", *arguments]
        return Gate(name=name, run=lambda: _has_programs() and _passes(site, command))

    if arguments:
        return [pytest("tests", *arguments)]
    return [
        pytest("tests", "--numprocesses=2", "--dist=loadfile", f"--ignore={_STORMS}"),
        # They load and kill a whole product, and want the machine to themselves.
        pytest("storms", _STORMS),
    ]


def _environment() -> dict[str, str]:
    """The caller's environment without settings of a real installation, which tests must never touch."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORCHLIGHT_")}
    if (server := os.environ.get("PORCHLIGHT_TEST_DATABASE_URL")) is not None:
        kept["PORCHLIGHT_TEST_DATABASE_URL"] = server
    runtime = Path(tempfile.gettempdir()) / f"porchlight-runtime-{os.geteuid()}"
    with contextlib.suppress(OSError):
        runtime.mkdir(mode=0o700, exist_ok=True)
    # Chromium and the linter's cache warn when a service account has no runtime folder.
    return {"XDG_RUNTIME_DIR": str(runtime), **kept, "CI": os.environ.get("CI", "true")}


def _has_programs() -> bool:
    if any(map(shutil.which, _BROWSERS)) and all(map(shutil.which, _READERS)) and _has_bangla():
        return True
    if os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stderr.write(
            "Installing Chromium, a font with Bangla letters, Compose and Caddy, which the tests need.\n"
        )
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *_DEBIAN_PACKAGES]
        for command in (["apt-get", "update", "--quiet"], install):
            answer = subprocess.run(  # noqa: S603
                command, env=environment, capture_output=True, text=True, check=False
            )
        if answer.returncode == 0:
            return True
        raise ProgramMissing(f"What the tests need was not installed: {answer.stderr.strip()[-400:]}")
    raise ProgramMissing(
        "The pages are tested in a real Chromium with a font that has Bangla letters, the files of docker/ by"
        f" Compose and Caddy. Install them (Debian and Ubuntu: apt-get install {' '.join(_DEBIAN_PACKAGES)})."
    )


def _has_bangla() -> bool:
    if shutil.which("fc-list") is None:
        return sys.platform == "darwin"  # macOS has Bangla fonts of its own.
    answer = subprocess.run(["fc-list", ":lang=bn"], capture_output=True, check=False)  # noqa: S607
    return bool(answer.stdout.strip())
