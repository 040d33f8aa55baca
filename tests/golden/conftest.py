"""``pytest tests/golden --update-golden`` rewrites what the bot says and does; a person reads the diff."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--update-golden``."""
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden conversations as they go now"
    )
