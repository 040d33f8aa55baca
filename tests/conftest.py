"""What every test shares: the embedded PostgreSQL goes when the session ends, and CI skips nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.databases import stop_own_server

# A machine that does other things as well is slow, not wrong.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session", autouse=True)
def _own_server_goes_with_the_session() -> Iterator[None]:
    yield
    stop_own_server()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that skipped tests are failures where CI is set; ``pytest_sessionfinish`` makes them so."""
    if os.environ.get("CI") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("A skipped test is a failure in CI: install what it needs.", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a green run with skipped tests into a red one where CI is set."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = isinstance(reporter, pytest.TerminalReporter) and reporter.stats.get("skipped")
    if os.environ.get("CI") and skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
