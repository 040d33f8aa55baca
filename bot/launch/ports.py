"""Is a port free, and if not, who has it?"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from bot.launch.errors import LaunchError


class PortTaken(LaunchError):
    """Another program listens on a port that Porchlight needs."""


def is_free(port: int, *, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port on which nobody listens on the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(port: int, *, purpose: str, option: str, host: str = "127.0.0.1") -> None:
    """Raise ``PortTaken``, which says who has the port and how to choose another."""
    if is_free(port, host=host):
        return
    owner = owner_of(port)
    raise PortTaken(
        f"Port {port}, meant for {purpose}, is taken{f' by {owner}' if owner else ''}."
        f" Stop that program, or choose another port: ./porchlight up {option} {port + 1}"
        " (if it is another Porchlight, it may already be up)."
    )


def owner_of(port: int) -> str | None:
    """The program that listens on a port, ``name (process 123)``; None if it cannot be known here."""
    inodes = _listening_inodes(port)
    for process in Path("/proc").glob("[0-9]*"):
        if inodes & _open_files(process):
            return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return None


def _open_files(process: Path) -> set[str]:
    """What a process has open; nothing if it ended meanwhile or belongs to somebody else."""
    found = set()
    with contextlib.suppress(OSError):
        for handle in list((process / "fd").iterdir()):
            with contextlib.suppress(OSError):
                found.add(os.readlink(handle))
    return found


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:  # 0A is TCP_LISTEN.
                found.add(f"socket:[{fields[9]}]")
    return found
