"""How does a test get the real model behind its real HTTP API?"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

ROOT: Final = Path(__file__).parents[1]
INTERPRETER: Final = ROOT / "nlu" / ".venv" / "bin" / "python"
START_SECONDS: Final = 300.0
"""Ten are usual; a machine that has ten things to do at once has taken a hundred."""


def run_nlu(module: str, *arguments: str | Path, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run `python -m nlu.<module>` in the model's own environment, to its end."""
    assert INTERPRETER.exists(), "nlu/.venv is missing: ./porchlight test makes it."
    command = [str(INTERPRETER), "-m", f"nlu.{module}", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)


def trained_model() -> Path:
    """The model for the training data as it is; trained now if there is none (minutes)."""
    done = run_nlu("train", "--print-path", seconds=900)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@contextmanager
def running_nlu(model: Path | None = None, *, log: Path | None = None) -> Iterator[str]:
    """The address of a server that has loaded `model` (by default the real one); it ends with the block.

    Its output goes to the file `log`, if one is named.
    """
    model = model or trained_model()
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [str(INTERPRETER), "-m", "nlu.serve", "--model", str(model), "--port", str(port)]
    with (
        log.open("wb") if log else tempfile.TemporaryFile() as output,
        subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), stdout=output, stderr=output) as process,
    ):
        try:
            _wait_until_loaded(url, model=model, process=process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_until_loaded(url: str, *, model: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, f"The server ended with status {process.returncode}."
        try:
            answer = httpx.get(f"{url}/status", timeout=5)
        except httpx.TransportError:
            time.sleep(0.3)
            continue
        if answer.status_code == httpx.codes.OK:
            loaded = answer.json()["model_file"]
            assert loaded.endswith(model.name), f"{loaded} was loaded, not {model.name}."
            return
        time.sleep(0.3)
    raise AssertionError(f"The server was not ready after {START_SECONDS:.0f} s.")
