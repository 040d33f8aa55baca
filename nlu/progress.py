"""How far is it? Told on standard error, so that standard output stays free for results."""

import sys
import threading
import time
from types import TracebackType
from typing import TextIO

_TICK_SECONDS = 0.5
_WIDTH = 20
_STEP = 0.2


class Progress:
    """One moving line in a terminal, or a line for each stage in a log."""

    def __init__(self, *, stream: TextIO | None = None) -> None:
        """Write to `stream`, by default standard error as it is now."""
        self._stream = stream or sys.stderr
        self._moving = self._stream.isatty()
        self._started = time.monotonic()
        self._stage = ""
        self._share: float | None = None
        self._told = 0.0
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "Progress":
        """Start the clock."""
        self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it and end the moving line."""
        self._over.set()
        self._ticker.join()
        if self._moving and self._stage:
            self._stream.write("\n")
            self._stream.flush()

    def stage(self, name: str) -> None:
        """Say what is being done now."""
        if name == self._stage:
            return
        self._stage, self._share, self._told = name, None, 0.0
        if not self._moving:
            self._stream.write(f"[{self._elapsed()}] {name}\n")
            self._stream.flush()

    def share(self, done: int, whole: int) -> None:
        """Say how much of the stage is done; a log gets a line for each fifth."""
        share = done / whole if whole else 1.0
        if not self._moving and share >= self._told + _STEP:
            self._told = share
            self._stream.write(f"[{self._elapsed()}] {self._stage}: {share:.0%}\n")
            self._stream.flush()
        self._share = share

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        return f"{minutes}:{seconds:02}"

    def _tick(self) -> None:
        while not self._over.wait(_TICK_SECONDS):
            if self._moving and self._stage:
                self._stream.write(f"\r\x1b[K[{self._elapsed()}] {self._stage}{self._bar()}")
                self._stream.flush()

    def _bar(self) -> str:
        share = self._share
        if share is None:
            return " …"
        return f" {'█' * round(share * _WIDTH):·<{_WIDTH}} {share:.0%}"
