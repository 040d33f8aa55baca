"""The supervisor: what dies is started again, what hangs too, and a stop leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.launch.ports import free_port
from bot.launch.processes import Pace, Report, RotatingLog, Service, Status, Supervisor, run_to_end

ROOT = Path(__file__).parents[2]

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"model abc")
    def log_message(self, *_): pass
print("listening", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
QUICK = Pace(proof_of_life=timedelta(seconds=0.5))
#: Answers once, then never again.
TIRED = SERVER.replace(
    'self.wfile.write(b"model abc")', 'self.wfile.write(b""); Handler.do_GET = lambda self: time.sleep(60)'
).replace("import http.server, sys", "import http.server, sys, time")
SLEEPER = "import time; print('awake', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
)


def _service(name: str, code: str, *arguments: str, health: str | None = None, expects: str = "") -> Service:
    return Service(
        name=name,
        command=[sys.executable, "-c", code, *arguments],
        environment=dict(os.environ),
        directory=ROOT,
        health=health,
        expects=expects,
        patience=timedelta(seconds=10),
    )


def _lives(number: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except FileNotFoundError:
        return False


async def _eventually(holds: Callable[[], bool], *, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:  # Others change what it asks for.
        if holds():
            return True
        await asyncio.sleep(0.02)
    return False


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(logs=tmp_path / "log", pace=QUICK)
    yield supervisor
    await supervisor.stop()


async def test_a_process_that_answers_is_ready(supervisor: Supervisor) -> None:
    port = free_port()

    report = supervisor.start(_service("web", SERVER, str(port), health=f"http://127.0.0.1:{port}/"))
    await asyncio.wait_for(supervisor.ready("web"), 15)

    assert report.status is Status.READY
    assert report.number is not None


async def test_a_process_that_serves_something_else_is_not_ready(supervisor: Supervisor) -> None:
    port = free_port()
    service = _service("nlu", SERVER, str(port), health=f"http://127.0.0.1:{port}/", expects="model xyz")

    supervisor.start(service)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(supervisor.ready("nlu"), 2)


async def test_a_process_that_dies_is_started_again(supervisor: Supervisor) -> None:
    report = supervisor.start(_service("worker", SLEEPER))
    await asyncio.wait_for(supervisor.ready("worker"), 15)
    first = report.number
    assert first is not None

    os.kill(first, signal.SIGKILL)

    assert await _eventually(lambda: report.number not in {None, first} and report.status is Status.READY)
    assert report.restarts == 1


async def test_each_failure_is_waited_out_longer(tmp_path: Path) -> None:
    seen: list[str] = []
    supervisor = Supervisor(logs=tmp_path, on_change=lambda report: seen.append(report.detail))
    supervisor.start(Service(name="gone", command=["/nowhere/at/all"], environment={}, directory=ROOT))

    assert await _eventually(lambda: any("again in 2 s" in detail for detail in seen))
    await supervisor.stop()

    waits = [detail for detail in seen if "again in" in detail]
    assert waits[:3] == [
        f"could not be started (No such file or directory); again in {seconds} s"
        for seconds in ("0.5", "1", "2")
    ]


async def test_a_process_that_hangs_is_started_again(tmp_path: Path) -> None:
    pace = Pace(calm_probe=timedelta(seconds=0.01), probe_timeout=timedelta(seconds=0.3))
    port = free_port()
    seen: list[str] = []
    supervisor = Supervisor(logs=tmp_path, pace=pace, on_change=lambda report: seen.append(report.detail))
    report = supervisor.start(_service("web", TIRED, str(port), health=f"http://127.0.0.1:{port}/"))

    assert await _eventually(lambda: report.restarts == 1)
    await supervisor.stop()

    assert "did not answer any more; again in 0.5 s" in seen


async def test_a_stop_ends_everything_in_reverse_order(tmp_path: Path) -> None:
    stopped: list[str] = []

    def note(report: Report) -> None:
        if report.status is Status.STOPPED:
            stopped.append(report.name)

    supervisor = Supervisor(logs=tmp_path, on_change=note, pace=QUICK)
    reports = [supervisor.start(_service(name, SLEEPER)) for name in ("database", "bot", "desk")]
    for name in ("database", "bot", "desk"):
        await asyncio.wait_for(supervisor.ready(name), 15)
    numbers = [report.number for report in reports]

    await supervisor.stop()

    assert stopped == ["desk", "bot", "database"]
    assert not any(_lives(number) for number in numbers if number)


async def test_a_process_that_ignores_the_stop_is_killed(tmp_path: Path) -> None:
    supervisor = Supervisor(logs=tmp_path, pace=replace(QUICK, stop_within=timedelta(seconds=0.2)))
    report = supervisor.start(_service("stubborn", STUBBORN))
    await asyncio.wait_for(supervisor.ready("stubborn"), 15)
    number = report.number
    assert number is not None

    await supervisor.stop()

    assert not _lives(number)


def test_the_processes_die_with_the_supervisor(tmp_path: Path) -> None:
    code = f"""
import asyncio, os, pathlib, sys
from bot.launch.processes import Service, Supervisor
async def main():
    supervisor = Supervisor(logs=pathlib.Path(sys.argv[1]))
    report = supervisor.start(Service(name="child", command=[sys.executable, "-c", {SLEEPER!r}],
                                      environment=dict(os.environ), directory=pathlib.Path("/")))
    await supervisor.ready("child")
    print(report.number, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert _lives(child)

    parent.kill()
    parent.communicate()

    deadline = time.monotonic() + 10
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _lives(child)


async def test_what_a_process_says_is_in_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(_service("worker", SLEEPER))
    await asyncio.wait_for(supervisor.ready("worker"), 15)

    assert (tmp_path / "log" / "worker.log").read_text() == "awake\n"


def test_a_full_log_makes_way_and_the_oldest_goes(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "web.log", limit_bytes=10, kept=2)

    for word in (b"first\n", b"second\n", b"third\n", b"fourth\n"):
        log.write(word)
    log.close()

    assert (tmp_path / "web.log").read_bytes() == b"fourth\n"
    assert (tmp_path / "web.log.1").read_bytes() == b"third\n"
    assert (tmp_path / "web.log.2").read_bytes() == b"second\n"
    assert not (tmp_path / "web.log.3").exists()


async def test_a_task_that_fails_gives_its_code_and_last_words(tmp_path: Path) -> None:
    heard: list[str] = []

    code, said = await run_to_end(
        [sys.executable, "-c", "import sys; print('half\\rdone'); sys.exit('no data')"],
        environment=dict(os.environ),
        directory=ROOT,
        log=tmp_path / "train.log",
        on_line=heard.append,
    )

    assert (code, said.splitlines()[-1]) == (1, "no data")
    assert heard[:2] == ["half", "done"]
    assert "no data" in (tmp_path / "train.log").read_text()
