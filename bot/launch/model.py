"""Is the model trained on what is here, and how is it trained and served?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.launch.errors import LaunchError
from bot.launch.processes import Service, run_to_end
from bot.launch.site import FOR_EVERY_PROCESS, PREFIX, Site


class TrainingFailed(LaunchError):
    """The model could not be trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A trained model."""

    file: Path
    #: Of everything that it was trained on; stands in the file's name.
    fingerprint: str


def wanted(site: Site) -> Model:
    """The model that the training data and configuration as they are now would give."""
    answer = subprocess.run(
        # The model's own code says so; it is asked in a process, since services meet over interfaces only.
        [sys.executable, "-c", "from nlu.fingerprint import model_path; print(model_path())"],
        cwd=site.root,
        env=environment(site),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise TrainingFailed(f"The training data cannot be read: {answer.stderr.strip()[-400:]}")
    file = Path(answer.stdout.strip())
    return Model(file=file, fingerprint=file.name.removeprefix("nlu-").removesuffix(".tar.gz"))


def current(site: Site) -> Model | None:
    """The model that fits what is here now, if it was trained."""
    model = wanted(site)
    return model if model.file.exists() else None


async def train(site: Site, *, on_line: Callable[[str], None]) -> Model:
    """Train on what is here now; raises ``TrainingFailed``. ``on_line`` hears how far it is."""
    log = site.logs / "train.log"
    code, said = await run_to_end(
        [site.nlu_python, "-m", "nlu.train"],
        environment=environment(site),
        directory=site.root,
        log=log,
        on_line=on_line,
    )
    if code:
        last = said.splitlines()[-1] if said else f"it ended with code {code}"
        raise TrainingFailed(f"The model could not be trained: {last} The whole log is {log}.")
    trained = current(site)
    if trained is None:
        raise TrainingFailed(f"Training ended without a model. The whole log is {log}.")
    return trained


def service(site: Site, trained: Model, *, port: int, name: str = "nlu") -> Service:
    """The model's server; ready only when it has loaded exactly this model."""
    return Service(
        name=name,
        command=[site.nlu_python, "-m", "nlu.serve", "--model", trained.file, "--port", str(port)],
        environment=environment(site),
        directory=site.root,
        health=f"http://127.0.0.1:{port}/status",
        expects=trained.fingerprint,
        patience=timedelta(seconds=180),
    )


def environment(site: Site) -> dict[str, str]:
    """What the model's processes may know: none of our settings, so none of our secrets."""
    kept = {name: value for name, value in site.settings.items() if not name.startswith(PREFIX)}
    return {**kept, **FOR_EVERY_PROCESS}
