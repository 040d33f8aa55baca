"""How many states did the proofs walk through? Counted over all tests and told at the end of the run."""

from __future__ import annotations

from dataclasses import dataclass

import pytest


@dataclass(slots=True)
class States:
    """A sum that the summary prints."""

    number: int = 0

    def add(self, number: int) -> None:
        """Count the states of one more walk."""
        self.number += number


_WALKED = pytest.StashKey[States]()


@pytest.fixture(scope="session")
def states_walked(pytestconfig: pytest.Config) -> States:
    """The sum over this run."""
    return pytestconfig.stash.setdefault(_WALKED, States())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the number of states (flow, node, who talks) that were walked in every language and role."""
    walked = config.stash.get(_WALKED, None)
    if walked is not None and walked.number:
        terminalreporter.write_line(
            f"conversation states walked, every promise checked in each: {walked.number}"
        )
