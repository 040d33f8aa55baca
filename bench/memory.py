"""How much memory a process and all its descendants take."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def proportional_mib(*, folder: Path) -> dict[str, float]:
    """The proportional set size in MiB of our descendants and whoever works in ``folder``, by what they run.

    PostgreSQL belongs to the installation, not to us, and is found by its folder. Pages that several
    processes share count once in the sum, as ``smaps_rollup`` divides them (Linux only).
    """
    children = _children()
    roots = [os.getpid(), *_working_in(folder)]
    counted = set(_descendants(roots, children)) - {os.getpid()}
    sizes: dict[str, float] = defaultdict(float)
    for number in counted:
        try:
            name, size = _name(number), _size(number)
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended while we were looking.
        sizes[name] += size
    return dict(sizes)


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = defaultdict(list)
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children[int(after_name[1])].append(int(stat.parent.name))
    return children


def _working_in(folder: Path) -> Iterator[int]:
    for words in _PROC.glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in words.read_bytes():
                yield int(words.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue


def _descendants(roots: list[int], children: dict[int, list[int]]) -> Iterator[int]:
    waiting = list(roots)
    while waiting:
        number = waiting.pop()
        yield number
        waiting.extend(children.get(number, ()))


def _size(number: int) -> float:
    for line in (_PROC / str(number) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _name(number: int) -> str:
    words = (_PROC / str(number) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    if "postgres" in words[0] or words[0].startswith("postgres:"):
        return "postgresql"
    after_m = words[words.index("-m") + 1 : words.index("-m") + 3] if "-m" in words else words[:1]
    return " ".join(Path(word).name for word in after_m)
