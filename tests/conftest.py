"""What every test shares: the embedded PostgreSQL goes when the session ends, and CI skips nothing.

What a test has measured it records as a property, and the end of the run tells it: a sum of states, a ledger.
"""

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


#: How many conversation states a proof walked.
STATES = "states"
#: What became of the messages of a storm, in words.
LEDGER = "ledger"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was measured, and say loudly that skipped tests are failures where CI is set."""
    _tell_measurements(terminalreporter)
    if os.environ.get("CI") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("A skipped test is a failure in CI: install what it needs.", red=True)


def _tell_measurements(terminalreporter: pytest.TerminalReporter) -> None:
    # In the reports, which also come from the processes that share the tests among them.
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    recorded = [told for report in reports for told in report.user_properties]
    if walked := sum(int(str(value)) for name, value in recorded if name == STATES):
        terminalreporter.write_line(f"conversation states walked, every promise checked in each: {walked}")
    for name, value in recorded:
        if name == LEDGER:
            terminalreporter.write_line(str(value))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a green run with skipped tests into a red one where CI is set."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = isinstance(reporter, pytest.TerminalReporter) and reporter.stats.get("skipped")
    if os.environ.get("CI") and skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
