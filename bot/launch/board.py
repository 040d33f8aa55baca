"""How does a person see what is up? One live table in a terminal, a line per change anywhere else."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from bot.launch.processes import Report, Status

_LOOKS = {
    Status.WAITING: ("·", "dim"),
    Status.STARTING: ("…", "yellow"),
    Status.READY: ("●", "green"),
    Status.RESTARTING: ("!", "red"),
    Status.STOPPED: ("○", "dim"),
}


class Board:
    """Shows reports while it is open; everything goes to standard error."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._reports: dict[str, Report] = {}
        self._said: dict[str, str] = {}
        self._live = (
            Live(console=self._console, get_renderable=self._table, auto_refresh=False)
            if self._console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, report: Report) -> None:
        """Take a new or changed report in."""
        self._reports[report.name] = report
        if self._live is not None:
            self._live.refresh()
        else:
            line = f"{report.name}: {report.status}{f' ({report.detail})' if report.detail else ''}"
            if self._said.get(report.name) != line:
                self._said[report.name] = line
                self.tell(line)

    def tell(self, line: str) -> None:
        """A line of its own, above the table."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def announce(self, lines: list[str]) -> None:
        """The lines that a person or a script waits for; also on standard output where that is a file."""
        if not sys.stdout.isatty():
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
        if self._console.is_terminal:
            self.tell("\n".join(["", *lines, ""]))

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False)
        for report in self._reports.values():
            mark, colour = _LOOKS[report.status]
            restarts = f"started again {report.restarts}×" if report.restarts else ""
            table.add_row(
                f"[{colour}]{mark}[/]", report.name, f"[{colour}]{report.status}[/]", report.detail, restarts
            )
        return table
