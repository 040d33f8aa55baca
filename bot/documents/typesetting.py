"""How does a paper become a PDF or a picture? Hands it to a process of its own and takes the bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from bot.documents.glyphs import drawable
from flows.model import FORMATS
from flows.paper import Paper

_PRESS = Path(__file__).with_name("press.py")
#: A document takes a tenth of a second; on a machine that is busy with others, some seconds.
PATIENCE = 30.0


class NotSet(RuntimeError):
    """This document could not be set in type."""


def typeset(paper: Paper, form: str, *, patience: float = PATIENCE) -> bytes:
    """The paper as ``pdf`` or ``png``, the same bytes for the same paper; raises ``NotSet``.

    Blocks for a tenth of a second, and for ``patience`` seconds at most. Signs that none of our fonts has,
    such as emoji, are left out.
    """
    if form not in FORMATS:
        raise ValueError(f"a document is one of {', '.join(FORMATS)}, not {form!r}")
    words = json.dumps(_drawable(asdict(paper)), sort_keys=True)
    try:
        done = subprocess.run(  # noqa: S603 - our own file and one of two words.
            [sys.executable, "-I", str(_PRESS), form],
            input=words.encode(),
            capture_output=True,
            timeout=patience,
            check=True,
            env={},
        )
    except (OSError, subprocess.SubprocessError):
        # What the process complained about may quote the visitor, so neither its words nor the cause go on.
        raise NotSet from None
    return done.stdout


def _drawable(value: object) -> object:
    """The same with every text reduced to what can be drawn."""
    match value:
        case str():
            return drawable(value)
        case dict():
            return {name: _drawable(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_drawable(inner) for inner in value]
        case _:
            return value
