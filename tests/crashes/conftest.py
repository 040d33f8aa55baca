"""How often and how long the parts are killed, and the ledgers at the end of the run."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from tests.crashes.ledger import Ledger

#: CI takes three storms of 45 seconds; a nightly run fifty of three minutes:
#: PORCHLIGHT_CRASH_SEEDS=50 PORCHLIGHT_CRASH_SECONDS=180 ./porchlight test tests/crashes
SEEDS = int(os.environ.get("PORCHLIGHT_CRASH_SEEDS", "3"))
SECONDS = float(os.environ.get("PORCHLIGHT_CRASH_SECONDS", "45"))

Book = dict[str, Mapping[str, Ledger]]
_BOOK = pytest.StashKey[Book]()


@pytest.fixture(scope="session")
def ledgers(pytestconfig: pytest.Config) -> Book:
    """Where each storm writes its ledgers."""
    return pytestconfig.stash.setdefault(_BOOK, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the ledgers of all storms."""
    for storm, ways in config.stash.get(_BOOK, {}).items():
        for way, ledger in ways.items():
            terminalreporter.write_line(f"{storm}, {way}: {ledger}")
