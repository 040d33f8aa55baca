"""How are several processes kept running, and stopped again, on one machine?"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import httpx

#: So many unanswered probes in a row mean that a process hangs.
MISSED_PROBES = 6
LOG_LIMIT_BYTES = 10_000_000
LOGS_KEPT = 3

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient a supervisor is."""

    #: Before the first restart; doubles with each failure in a row.
    first_delay: timedelta = timedelta(seconds=0.5)
    longest_delay: timedelta = timedelta(seconds=30)
    #: A process that ran this long has recovered: its next failure counts as the first.
    steady_after: timedelta = timedelta(seconds=60)
    #: Until a process that was asked to end is killed.
    stop_within: timedelta = timedelta(seconds=10)
    #: A process that cannot be asked counts as ready after this long: those that fail, fail while they start.
    proof_of_life: timedelta = timedelta(seconds=3)
    #: How often a process is asked before it is ready, and after.
    eager_probe: timedelta = timedelta(seconds=0.2)
    calm_probe: timedelta = timedelta(seconds=5)
    #: How long a process may think about its answer.
    probe_timeout: timedelta = timedelta(seconds=5)


class Status(StrEnum):
    """What a process is doing."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A process to keep running."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    directory: Path
    #: Asked with GET; 2xx means ready. Without it, a process that has lived for a while is ready.
    health: str | None = None
    #: Must stand in the health answer, such as the fingerprint of the model that should be loaded.
    expects: str = ""
    #: A process that is not ready by then is started again.
    patience: timedelta = timedelta(seconds=90)


@dataclass(slots=True, kw_only=True)
class Report:
    """How a process is; changes while it runs."""

    name: str
    status: Status = Status.WAITING
    detail: str = ""
    number: int | None = None
    restarts: int = 0


class RotatingLog:
    """A log file that makes way for a new one when it is full; the last few are kept."""

    def __init__(self, file: Path, *, limit_bytes: int = LOG_LIMIT_BYTES, kept: int = LOGS_KEPT) -> None:
        self._file = file
        self._limit = limit_bytes
        self._kept = kept
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._output = self._open()

    def write(self, data: bytes) -> None:
        """Append, at once visible to readers."""
        if self._output.tell() + len(data) > self._limit and self._output.tell():
            self._rotate()
        self._output.write(data)

    def close(self) -> None:
        """Let go of the file."""
        self._output.close()

    def _open(self) -> BinaryIO:
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        output = os.fdopen(handle, "ab", buffering=0)
        output.seek(0, os.SEEK_END)
        return output

    def _rotate(self) -> None:
        self._output.close()
        for number in range(self._kept - 1, 0, -1):
            older = self._file.with_name(f"{self._file.name}.{number}")
            if older.exists():
                older.replace(self._file.with_name(f"{self._file.name}.{number + 1}"))
        self._file.replace(self._file.with_name(f"{self._file.name}.1"))
        self._output = self._open()


@dataclass(slots=True)
class _Supervised:
    service: Service
    report: Report
    process: asyncio.subprocess.Process | None = None
    task: asyncio.Task[None] | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Starts processes, starts them again when they die or hang, and stops them in reverse order.

    Each runs in a session of its own, so that Ctrl-C reaches only us; on Linux it dies with us.
    """

    def __init__(
        self,
        *,
        logs: Path,
        on_change: Callable[[Report], None] = lambda report: None,
        pace: Pace | None = None,
    ) -> None:
        self._logs = logs
        self._on_change = on_change
        self._pace = pace or Pace()
        self._running: list[_Supervised] = []
        self._http = httpx.AsyncClient(timeout=self._pace.probe_timeout.total_seconds(), trust_env=False)

    def start(self, service: Service) -> Report:
        """Start a process and look after it from now on; the report stays current."""
        supervised = _Supervised(service=service, report=Report(name=service.name))
        self._running.append(supervised)
        supervised.task = asyncio.create_task(self._look_after(supervised))
        return supervised.report

    async def ready(self, name: str) -> None:
        """Wait until this process was ready once."""
        await next(each for each in self._running if each.service.name == name).ready.wait()

    async def stop(self) -> None:
        """Stop everything, the last started first; one that does not end is killed."""
        for supervised in reversed(self._running):
            if supervised.task is not None:
                supervised.task.cancel()
                await asyncio.gather(supervised.task, return_exceptions=True)
            self._tell(supervised, Status.STOPPED)
        self._running.clear()
        await self._http.aclose()

    def _tell(self, supervised: _Supervised, status: Status, detail: str = "") -> None:
        report = supervised.report
        report.status, report.detail = status, detail
        report.number = (
            supervised.process.pid if supervised.process and status is not Status.STOPPED else None
        )
        self._on_change(report)

    async def _look_after(self, supervised: _Supervised) -> None:
        loop = asyncio.get_running_loop()
        delay = self._pace.first_delay
        while True:
            started = loop.time()
            self._tell(supervised, Status.STARTING)
            reason = await self._run_once(supervised)
            if loop.time() - started > self._pace.steady_after.total_seconds():
                delay = self._pace.first_delay
            supervised.report.restarts += 1
            seconds = delay.total_seconds()
            self._tell(supervised, Status.RESTARTING, f"{reason}; again in {seconds:g} s")
            await asyncio.sleep(seconds)
            delay = min(delay * 2, self._pace.longest_delay)

    async def _run_once(self, supervised: _Supervised) -> str:
        """Run the process until it ends or hangs; what happened, for people."""
        service = supervised.service
        try:
            process = await spawn(
                service.command, environment=service.environment, directory=service.directory
            )
        except OSError as error:
            return f"could not be started ({error.strerror})"
        supervised.process = process
        log = RotatingLog(self._logs / f"{service.name}.log")
        output = asyncio.create_task(_keep_output(process, log))
        ended = asyncio.create_task(process.wait())
        watch = asyncio.create_task(self._watch(supervised))
        try:
            await asyncio.wait({ended, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await end(process, within=self._pace.stop_within)
                return watch.result()
            return f"{describe_end(process.returncode)}, see {service.name}.log"
        finally:
            watch.cancel()
            await end(process, within=self._pace.stop_within)
            await asyncio.gather(watch, ended, output, return_exceptions=True)
            log.close()
            supervised.process = None

    async def _watch(self, supervised: _Supervised) -> str:
        """Returns, with a reason, only when the process must be started again."""
        service, loop = supervised.service, asyncio.get_running_loop()
        if service.health is None:
            await asyncio.sleep(self._pace.proof_of_life.total_seconds())
        else:
            deadline = loop.time() + service.patience.total_seconds()
            while not await self._is_well(service):
                if loop.time() > deadline:
                    return f"was not ready after {service.patience.total_seconds():.0f} s"
                await asyncio.sleep(self._pace.eager_probe.total_seconds())
        supervised.ready.set()
        self._tell(supervised, Status.READY)
        if service.health is None:
            await asyncio.Event().wait()
        missed = 0
        while missed < MISSED_PROBES:
            await asyncio.sleep(self._pace.calm_probe.total_seconds())
            missed = 0 if await self._answers(service) else missed + 1
        return "did not answer any more"

    async def _is_well(self, service: Service) -> bool:
        answer = await self._ask(service)
        return answer is not None and answer.is_success and service.expects in answer.text

    async def _answers(self, service: Service) -> bool:
        # A service whose database is away says so with 503; it is alive, and a restart would not help it.
        return await self._ask(service) is not None

    async def _ask(self, service: Service) -> httpx.Response | None:
        if service.health is None:
            return None
        try:
            return await self._http.get(service.health)
        except httpx.HTTPError:
            return None


async def spawn(
    command: Sequence[str | Path], *, environment: Mapping[str, str], directory: Path
) -> asyncio.subprocess.Process:
    """Start a process whose output we read and which cannot outlive us (on Linux)."""
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_the_parent if sys.platform == "linux" else None,
    )


async def end(process: asyncio.subprocess.Process, *, within: timedelta) -> None:
    """Ask a process to end, kill it if it does not, and whatever it left behind in its session."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), within.total_seconds())
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def describe_end(code: int | None) -> str:
    """How a process ended, for people."""
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with code {code}"


async def run_to_end(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    directory: Path,
    log: Path,
    on_line: Callable[[str], None] = lambda line: None,
) -> tuple[int, str]:
    """Run a process that ends by itself: its exit code and the end of what it said; all of it is logged."""
    process = await spawn(command, environment=environment, directory=directory)
    assert process.stdout is not None  # noqa: S101  # It was asked for.
    kept, tail, line = RotatingLog(log), b"", b""
    try:
        while data := await process.stdout.read(65536):
            kept.write(data)
            tail = (tail + data)[-4000:]
            # Progress bars go back to the start of the line instead of starting a new one.
            *lines, line = (line + data).replace(b"\r", b"\n").split(b"\n")
            for each in lines:
                if text := each.decode(errors="replace").strip():
                    on_line(text)
        return await process.wait(), tail.decode(errors="replace").strip()
    finally:
        await end(process, within=Pace().stop_within)
        kept.close()


async def _keep_output(process: asyncio.subprocess.Process, log: RotatingLog) -> None:
    assert process.stdout is not None  # noqa: S101  # It was asked for.
    while data := await process.stdout.read(65536):
        log.write(data)


def _die_with_the_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


_LIBC = ctypes.CDLL(None)
