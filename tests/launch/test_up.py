"""The product as an administrator has it: ``up`` starts it all, ``chat`` finds it, a signal ends it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import pytest

from bot.launch.ports import free_port, is_free

ROOT = Path(__file__).parents[2]
LAUNCH = [sys.executable, "-m", "bot.launch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A product that is up, all but the model."""

    process: subprocess.Popen[str]
    data: Path
    environment: dict[str, str]
    bot_port: int
    console_port: int
    greeting: str


def _lines_until(stream: IO[str], last: str) -> str:
    read = ""
    for line in stream:
        read += line
        if last in line:
            break
    return read


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """``./porchlight up`` without the model, whose place is said to be elsewhere."""
    data = Path(tempfile.mkdtemp(prefix="porchlight-up-"))
    data.chmod(0o711)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PORCHLIGHT_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # As the launcher does.
    environment["PORCHLIGHT_NLU_URL"] = f"http://127.0.0.1:{free_port()}"
    bot_port, console_port = free_port(), free_port()
    arguments = ["--port", str(bot_port), "--console-port", str(console_port), "--data", str(data)]
    process = subprocess.Popen(
        [*LAUNCH, "up", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    yield Running(
        process=process,
        data=data,
        environment=environment,
        bot_port=bot_port,
        console_port=console_port,
        greeting=_lines_until(process.stdout, "Ctrl-C stops"),
    )
    process.terminate()
    process.communicate(timeout=30)
    shutil.rmtree(data)


def test_it_says_where_everything_is_and_how_to_sign_in_the_first_time(running: Running) -> None:
    assert f"Web chat   http://127.0.0.1:{running.bot_port}/" in running.greeting
    assert f"Console    http://127.0.0.1:{running.console_port}/" in running.greeting
    assert f"Sign in    http://127.0.0.1:{running.console_port}/invitation/" in running.greeting


@pytest.mark.parametrize("service", ["bot_port", "console_port"])
def test_both_services_are_ready_when_it_says_so(running: Running, service: str) -> None:
    answer = httpx.get(f"http://127.0.0.1:{getattr(running, service)}/readyz")

    assert answer.status_code == 200


def test_a_script_can_talk_to_the_bot_that_runs(running: Running) -> None:
    chat = subprocess.run(
        [*LAUNCH, "chat", "--json", "--locale", "en", "--data", running.data],
        input="i want to die\n",
        cwd=ROOT,
        env=running.environment,
        capture_output=True,
        text=True,
        check=True,
    )

    messages = [json.loads(line) for line in chat.stdout.splitlines()]
    assert {tuple(message) for message in messages} == {("id", "type", "text", "choices", "from")}
    assert "danger" in messages[-1]["choices"][0]["payload"]


def test_a_second_one_on_the_same_ports_is_refused_in_words(running: Running) -> None:
    second = subprocess.run(
        [*LAUNCH, "up", "--port", str(running.bot_port), "--data", running.data],
        cwd=ROOT,
        env=running.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert f"Port {running.bot_port}, meant for the web chat, is taken by python" in second.stderr


def test_no_process_gets_the_secrets_of_another(running: Running) -> None:
    seen = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text().split("\0")
            words = (process / "environ").read_text().split("\0")
        except OSError:
            continue
        if f"PORCHLIGHT_BOT_URL=http://127.0.0.1:{running.bot_port}" in words:
            seen[" ".join(command[2:4])] = {word.partition("=")[0] for word in words}

    assert set(seen) == {"bot web", "bot worker", "referral web"}
    assert "PORCHLIGHT_SECRET_KEY" not in seen["referral web"]
    for part in ("bot web", "bot worker"):
        assert not {"PORCHLIGHT_REFERRAL_SECRET_KEY", "PORCHLIGHT_REFERRAL_DATABASE_URL"} & seen[part]


def test_a_backup_of_a_running_product_can_be_put_back_elsewhere(running: Running, tmp_path: Path) -> None:
    file, other = tmp_path / "all.tar", Path(tempfile.mkdtemp(prefix="porchlight-up-"))
    other.chmod(0o711)

    def launch(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*LAUNCH, *arguments],
            cwd=ROOT,
            env=running.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    try:
        assert launch("backup", file, "--data", running.data).returncode == 0
        refused = launch("restore", file, "--data", running.data)
        assert "Porchlight runs on this data right now" in refused.stderr
        assert launch("restore", file, "--data", other).returncode == 0
        assert "There is data in" in launch("restore", file, "--data", other).stderr
        assert launch("operator", "list", "--data", other).stdout == "supervisor\tsupervisor\n"
        secrets = "secrets.env"
        assert _values(other / secrets) == _values(running.data / secrets)
    finally:
        shutil.rmtree(other)


def test_a_signal_ends_all_of_it(running: Running) -> None:
    running.process.send_signal(signal.SIGINT)

    assert running.process.wait(timeout=30) == 0
    assert is_free(running.bot_port)
    assert is_free(running.console_port)
    assert not (running.data / "postgres" / "data" / "postmaster.pid").exists()
    assert not (running.data / "running.env").exists()


def _values(file: Path) -> list[str]:
    return sorted(line for line in file.read_text().splitlines() if not line.startswith("#"))
