"""Which replies and macros does Porchlight come with?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from referral.cases.rules import Outcome
from referral.replies.rules import LOCALES, Macro, Reply, Then

_FOLDER = Path(__file__).parent / "shipped"
_NOT_YET = "not yet"


@cache
def shipped_replies() -> Mapping[tuple[str, str], Reply]:
    """Every shipped reply by slug and locale, in the order of its file."""
    return MappingProxyType(
        {
            (slug, locale): Reply(slug=slug, locale=locale, **reply)
            for locale in LOCALES
            for slug, reply in _read(locale)["replies"].items()
        }
    )


@cache
def shipped_macros() -> Mapping[str, Macro]:
    """Every shipped macro by slug."""
    return MappingProxyType(
        {slug: _macro(slug, written) for slug, written in _read("macros")["macros"].items()}
    )


def reviewed_by(locale: str) -> str | None:
    """Which professional has read the shipped replies of this language, and when; None if nobody has."""
    reviewed: str = _read(locale)["reviewed"]
    return None if reviewed == _NOT_YET else reviewed


def _macro(slug: str, written: Mapping[str, Any]) -> Macro:
    outcome = written.get("outcome")
    return Macro(
        slug=slug,
        title=written["title"],
        reply=written.get("reply"),
        then=Then(written.get("then", Then.STAY)),
        outcome=Outcome(outcome) if outcome else None,
        code=written.get("code"),
    )


@cache
def _read(name: str) -> Mapping[str, Any]:
    read: Mapping[str, Any] = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return read
