"""Would the images build and start? Their own commands run here, in a folder that holds what they hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from bot.migrate import migrate as migrate_bot
from referral.database import migrate as migrate_referral
from tests.acceptance.product import free_port
from tests.databases import template_database
from tests.docker.image import NAMES, ROOT, Image, image, sent_to_the_builder
from tests.nlu_server import INTERPRETER, trained_model

SECRETS = {
    "PORCHLIGHT_SECRET_KEY": "Yk5tV0Z3bEx1Z2JqUXN0c0JtTnhLcGZVd0RyWmhBeVE=",
    "PORCHLIGHT_REFERRAL_SECRET_KEY": "Z1h3cGtRb0RjVnNIeUx0TmZNYkpXdVJhRWlPelhwS2Q=",
    "PORCHLIGHT_SERVICE_SECRET": "whsec_ZGF5bGlnaHQtZGF5bGlnaHQtZGF5bGlnaHQtMTIz",
}
START_SECONDS = 180.0


@pytest.mark.parametrize("name", NAMES)
def test_a_dockerfile_keeps_to_the_rules_of_the_trade(name: str) -> None:
    hadolint = Path(sys.executable).parent / "hadolint"

    said = subprocess.run([hadolint, image(name).dockerfile], capture_output=True, text=True, check=False)

    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_an_image_runs_as_nobody_in_particular(name: str) -> None:
    assert int(image(name).user) > 10_000


@pytest.mark.parametrize("name", NAMES)
def test_what_an_image_copies_reaches_the_builder(name: str) -> None:
    for source, _ in image(name).copied:
        assert (ROOT / source).exists(), source
        assert sent_to_the_builder(source), f"{source} is not let through by .dockerignore"


def test_secrets_and_data_never_reach_the_builder() -> None:
    for path in (
        ".env",
        "var/secrets.env",
        "bot/.env",
        "nlu/models/a.tar.gz",
        ".git/config",
        "nlu/.venv/bin",
    ):
        assert not sent_to_the_builder(path), path


async def test_the_bots_image_serves_with_its_own_command(tmp_path: Path) -> None:
    async with template_database("image_bot", migrate=migrate_bot) as template, template.copy() as database:
        _serves(image("bot"), tmp_path, environment=SECRETS | {"PORCHLIGHT_DATABASE_URL": database})


async def test_the_desks_image_serves_with_its_own_command(tmp_path: Path) -> None:
    async with template_database("image_desk", migrate=migrate_referral) as template, template.copy() as url:
        _serves(image("referral"), tmp_path, environment=SECRETS | {"PORCHLIGHT_REFERRAL_DATABASE_URL": url})


@pytest.mark.slow
def test_the_models_image_serves_with_its_own_command(tmp_path: Path) -> None:
    models = tmp_path / "nlu" / "models"
    models.mkdir(parents=True)
    shutil.copy(trained_model(), models)

    _serves(image("nlu"), tmp_path, environment={"HOME": str(tmp_path)}, interpreter=INTERPRETER)


def _serves(
    made: Image, folder: Path, *, environment: Mapping[str, str], interpreter: Path | None = None
) -> None:
    made.unpack(folder)
    port = str(free_port())
    command = _here([*made.entrypoint, *made.arguments], made, port=port, interpreter=interpreter)
    log = folder / "log.txt"
    with log.open("wb") as output:
        running = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", **environment},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for_health(_here(made.health, made, port=port, interpreter=interpreter), running, log=log)
        if made.port != "5005":
            assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=30).status_code == 200
    finally:
        running.terminate()
        running.wait(30)


def _wait_for_health(command: list[str], running: subprocess.Popen[bytes], *, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while subprocess.run(command, capture_output=True, check=False).returncode:
        assert running.poll() is None, f"it ended: {log.read_text()[-2000:]}"
        assert time.monotonic() < end, f"it never became healthy: {log.read_text()[-2000:]}"
        time.sleep(0.5)


def _here(
    command: tuple[str, ...] | list[str], made: Image, *, port: str, interpreter: Path | None
) -> list[str]:
    """The same command with this machine's interpreter, a free port, and the loopback address alone."""
    here = {"python": str(interpreter or sys.executable), "0.0.0.0": "127.0.0.1"}  # noqa: S104  # It is taken out.
    return [here.get(part, part).replace(made.port, port) for part in command]
