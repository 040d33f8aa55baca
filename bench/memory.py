"""How much memory a process and all its descendants take."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def proportional_mib(root: int | None = None) -> dict[str, float]:
    """The proportional set size of each descendant of ``root`` (this process) in MiB, by what it runs.

    Pages that several processes share count once in the sum, as ``smaps_rollup`` divides them (Linux only).
    """
    sizes: dict[str, float] = defaultdict(float)
    for number in _descendants(root or os.getpid()):
        try:
            name, size = _name(number), _size(number)
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended while we were looking.
        sizes[name] += size
    return dict(sizes)


def _descendants(root: int) -> Iterator[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children[int(after_name[1])].append(int(stat.parent.name))
    waiting = list(children[root])
    while waiting:
        number = waiting.pop()
        yield number
        waiting.extend(children[number])


def _size(number: int) -> float:
    for line in (_PROC / str(number) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _name(number: int) -> str:
    words = (_PROC / str(number) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    if "postgres" in words[0]:
        return "postgresql"
    after_m = words[words.index("-m") + 1 : words.index("-m") + 3] if "-m" in words else words[:1]
    return " ".join(Path(word).name for word in after_m)
