"""Has a professional read this? What ``reviewed`` may say of a flow and of a file of texts."""

from __future__ import annotations

import re
from datetime import date

#: What ``reviewed`` says where no professional has read it.
NOT_YET = "not yet"
_READ = re.compile(r"\S.*, (\d{4}-\d{2}-\d{2})")


def is_review(said: str) -> bool:
    """Whether this is ``not yet``, or who reviewed it and on which day: ``Anna Kavalenka, 2026-10-01``."""
    read = _READ.fullmatch(said)
    return said == NOT_YET or (read is not None and _is_day(read[1]))


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
