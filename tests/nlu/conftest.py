"""The real model's server, started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.nlu_server import running_nlu


@pytest.fixture(scope="session")
def nlu_url() -> Iterator[str]:
    """Address of a server with the real model loaded."""
    with running_nlu() as url:
        yield url
