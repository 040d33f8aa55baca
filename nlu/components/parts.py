"""Of which parts does a long message consist, that may each speak of a matter of its own?"""

import re
from typing import Final

LONG: Final = 12
"""Words from which a message is looked at in parts too."""

SHORTEST: Final = 4
"""A part has at least so many words."""

MOST: Final = 4
"""Looked at, the longest first, so that a message of many sentences does not hold up the others."""

_BORDER: Final = re.compile(
    r"[.!?;…।\n]+\s*|,?\s+(?:but|and then|but then|но|а потом|але|а потым|কিন্তু|তারপর|kintu)\s+",
    re.IGNORECASE,
)


def parts_of(text: str) -> list[str]:
    """The parts in the order in which they stand; none of a short message or one of a single part."""
    if len(text.split()) < LONG:
        return []
    parts = [part for part in _BORDER.split(text) if len(part.split()) >= SHORTEST]
    longest = sorted(range(len(parts)), key=lambda place: -len(parts[place]))[:MOST]
    return [parts[place] for place in sorted(longest)] if len(parts) > 1 else []
