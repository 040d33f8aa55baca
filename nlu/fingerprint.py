"""Is a model still the one that the data, the settings and the code would give? Imports nothing of Rasa's."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent
DATA: Final = ROOT / "data"
MODELS: Final = ROOT / "models"


def fingerprint(data: Path = DATA) -> str:
    """Twelve hexadecimal digits over every byte that decides what a model is; takes some milliseconds."""
    digest = hashlib.sha256()
    for name, file in sorted(_ingredients(data)):
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def model_path(data: Path = DATA, *, models: Path = MODELS) -> Path:
    """Where the model for the data as it is now lies, or will lie."""
    return models / f"nlu-{fingerprint(data)}.tar.gz"


def _ingredients(data: Path) -> Iterator[tuple[str, Path]]:
    for file in data.rglob("*.yml"):
        yield f"data/{file.relative_to(data).as_posix()}", file
    for file in (ROOT / "components").glob("*.py"):
        yield f"components/{file.name}", file
    for file in (ROOT / "encoder").glob("*.npz"):
        yield f"encoder/{file.name}", file
    for name in ("config.yml", "requirements.lock", ".python-version"):
        yield name, ROOT / name
