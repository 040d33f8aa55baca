"""What is an image made of, and how does it start? Read from its Dockerfile: the tests run what it runs."""

from __future__ import annotations

import fnmatch
import json
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
NAMES = ("bot", "nlu", "referral")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The last stage of a Dockerfile."""

    dockerfile: Path
    #: What is copied from the project, as source and place below the working folder.
    copied: tuple[tuple[str, str], ...]
    entrypoint: tuple[str, ...]
    arguments: tuple[str, ...]
    health: tuple[str, ...]
    user: str
    port: str

    def unpack(self, folder: Path) -> None:
        """Put what the image copies where it would lie, and nothing else."""
        for source, place in self.copied:
            origin, target = ROOT / source, folder / place
            if origin.is_dir():
                ignore = shutil.ignore_patterns("__pycache__", ".venv", ".rasa", "models")
                shutil.copytree(origin, target, ignore=ignore, dirs_exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(origin, target)


def image(name: str) -> Image:
    """The image of one service."""
    dockerfile = DOCKER / f"{name}.Dockerfile"
    found: dict[str, str] = {}
    copied: list[tuple[str, str]] = []
    for word, rest in _instructions(dockerfile):
        if word == "COPY" and not rest.startswith("--from"):
            source, place = shlex.split(rest)
            if not place.startswith("/"):
                copied.append((source, place))
        found[word] = rest
    return Image(
        dockerfile=dockerfile,
        copied=tuple(copied),
        entrypoint=tuple(json.loads(found["ENTRYPOINT"])),
        arguments=tuple(json.loads(found["CMD"])),
        health=tuple(json.loads(found["HEALTHCHECK"].partition("CMD")[2])),
        user=found["USER"],
        port=found["EXPOSE"],
    )


def sent_to_the_builder(path: str) -> bool:
    """Whether .dockerignore lets a file or folder of the project through; the last line that fits decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = pattern.startswith("!")
        pattern = pattern.removeprefix("!").rstrip("/")
        if any(fnmatch.fnmatch(part, pattern) for part in _parents(path)):
            sent = wanted
    return sent


def _parents(path: str) -> list[str]:
    parts = path.rstrip("/").split("/")
    return ["/".join(parts[: length + 1]) for length in range(len(parts))]


def _instructions(dockerfile: Path) -> list[tuple[str, str]]:
    text = dockerfile.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]
