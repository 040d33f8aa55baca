"""Who stops the embedded PostgreSQL when everybody who used it is gone, even by ``kill -9``?

This small program starts the server and waits for an exclusive lock on the file on which every user of the
server holds a shared one. The kernel hands it over when the last user has gone, however they went; then the
server is stopped. It is run by path with ``python -I -S``, so it imports nothing but the standard library.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Put ourselves into the background, run the server, and exit with it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--in-use", type=Path, required=True)
    parser.add_argument("--alive", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    alive = os.open(options.alive, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)  # Held for our life: others see whether we live.
    _leave_the_terminal(options.log)
    server = subprocess.Popen(  # noqa: S603
        options.command,
        stdin=subprocess.DEVNULL,
        cwd="/",
        user=options.uid,
        group=options.gid,
        extra_groups=[] if options.uid is not None else None,
        start_new_session=True,
        preexec_fn=_stop_when_the_keeper_dies if sys.platform == "linux" else None,
    )
    threading.Thread(target=_stop_when_unused, args=(options.in_use, server), daemon=True).start()
    server.wait()


def _leave_the_terminal(log: Path) -> None:
    if os.fork():
        os._exit(0)
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _stop_when_the_keeper_dies() -> None:
    # SIGINT is PostgreSQL's fast shutdown: sessions are cut, data is written out.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _stop_when_unused(in_use: Path, server: subprocess.Popen[bytes]) -> None:
    users = os.open(in_use, os.O_RDWR)
    fcntl.flock(users, fcntl.LOCK_EX)
    server.send_signal(signal.SIGINT)  # The lock is kept until we exit, so nobody meets a dying server.


if __name__ == "__main__":
    main(sys.argv[1:])
