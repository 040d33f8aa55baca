"""Starts the whole product on free ports, as ``./porchlight up`` does, for tests that use it from outside."""

from __future__ import annotations

import base64
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]

#: How long a process may take until it answers.
START_SECONDS = 120.0


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True, kw_only=True)
class Product:
    """The running processes, their addresses and their logs."""

    bot: str
    referral: str
    nlu: str
    environment: Mapping[str, str]
    logs: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *arguments: str, interpreter: Path = Path(sys.executable)) -> None:
        """Start one part; its output goes to a file of its name."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [interpreter, "-m", *arguments],
                cwd=ROOT,
                env=dict(self.environment),
                stdout=log,
                stderr=log,
            )

    def stop(self, name: str) -> None:
        """Stop one part and wait until it is gone."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """End one part without a chance to tidy up."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def start_web(self) -> None:
        """Start the bot's web process and wait until it answers."""
        self.start("web", "bot", "web", "--port", self.bot.rpartition(":")[2])
        wait_for(f"{self.bot}/healthz")

    def start_worker(self) -> None:
        """Start the bot's worker."""
        self.start("worker", "bot", "worker")

    def start_referral(self) -> None:
        """Start the referral service and wait until it answers."""
        self.start("referral", "referral", "web", "--port", self.referral.rpartition(":")[2])
        wait_for(f"{self.referral}/healthz")

    def logged(self) -> str:
        """Everything that the processes have logged."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.logs.glob("*.log")))

    def run(self, *arguments: str) -> str:
        """Run a command of one of the packages to its end; its output."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def product(
    *,
    bot_database: str,
    referral_database: str,
    nlu: str,
    logs: Path,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Product]:
    """The product on these migrated databases, stopped at the end."""
    bot_port, referral_port = free_port(), free_port()
    bot, referral = f"http://127.0.0.1:{bot_port}", f"http://127.0.0.1:{referral_port}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PORCHLIGHT_")},
        "PYTHONPATH": str(ROOT),
        "PTB_TIMEDELTA": "1",
        "PORCHLIGHT_DATABASE_URL": bot_database,
        "PORCHLIGHT_REFERRAL_DATABASE_URL": referral_database,
        "PORCHLIGHT_BOT_URL": bot,
        "PORCHLIGHT_PUBLIC_URL": bot,
        "PORCHLIGHT_REFERRAL_URL": referral,
        "PORCHLIGHT_NLU_URL": nlu,
        "PORCHLIGHT_SECRET_KEY": _random_key(),
        "PORCHLIGHT_REFERRAL_SECRET_KEY": _random_key(),
        "PORCHLIGHT_SERVICE_SECRET": f"whsec_{_random_key()}",
        **(settings or {}),
    }
    running = Product(bot=bot, referral=referral, nlu=nlu, environment=environment, logs=logs)
    try:
        running.start_referral()
        running.start_web()
        running.start_worker()
        yield running
    finally:
        for name in list(running.processes):
            running.stop(name)


def wait_for(url: str) -> None:
    """Wait until this address answers."""
    until = time.monotonic() + START_SECONDS
    with httpx.Client(timeout=1, trust_env=False) as http:
        while time.monotonic() < until:
            try:
                if http.get(url).is_success:
                    return
            except httpx.HTTPError:
                pass  # Not yet.
            time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
