"""How is a text written down before it is compared with the training phrases?

The same function runs over training phrases and over visitors' messages, so both sides always agree.
"""

import re
import unicodedata
from typing import Final

MAX_CHARACTERS: Final = 600
"""About a hundred words, a third of a second to encode; nobody may hold up the others for longer."""

_REPEATED: Final = re.compile(r"(.)\1{2,}", re.DOTALL)
_SPACE: Final = re.compile(r"\s+")
_UNWANTED: Final = frozenset({"Cc", "Cf", "Co", "Cs"})
_COMMAND_SIGNS: Final = "/ "


def normalise(text: str) -> str:
    """The text in lower case, in one spelling of each letter, with drawn-out letters and spaces squeezed.

    Never begins with a slash: Rasa takes such a text as a command that names its own intent, and a
    visitor could so answer for the classifier. May be empty. Idempotent.
    """
    # Taking a sign out can bring spaces or repeated letters together, so a second look is needed.
    before = None
    while text != before:
        before, text = text, _pass(text)
    return text


def _pass(text: str) -> str:
    spelled = unicodedata.normalize("NFKC", _ends(text)).lower()
    spaced = _SPACE.sub(" ", spelled)
    # Joiners and direction marks are invisible and differ between keyboards, so one word would become two.
    visible = "".join(sign for sign in spaced if unicodedata.category(sign) not in _UNWANTED)
    squeezed = _REPEATED.sub(r"\1\1", _SPACE.sub(" ", visible))
    return squeezed.strip().lstrip(_COMMAND_SIGNS)


def _ends(text: str) -> str:
    """Of a long story its beginning and its end, where the matter and the question mostly stand."""
    if len(text) <= MAX_CHARACTERS:
        return text
    half = (MAX_CHARACTERS - 1) // 2
    return f"{text[:half]} {text[-half:]}"
