"""Where a visitor comes from: the language of their messenger, and the link that they followed."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: The languages that visitors are answered in.
LOCALES = ("en", "ru", "be", "bn")

# Telegram allows 64 of these characters in a link; a campaign may hold dashes itself.
_LINK = re.compile(r"([a-z]{0,3})-([a-z]{0,2})-([a-z0-9_-]{0,56})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a link says about whoever follows it; what it does not say is None."""

    locale: str | None = None
    country: str | None = None
    campaign: str | None = None


def locale_of(code: str | None) -> str | None:
    """Our locale for a platform's language code (``ru``, ``en-US``, ``bn_BD``); None for other languages."""
    language = re.split(r"[-_]", code or "", maxsplit=1)[0].lower()
    return language if language in LOCALES else None


def country_of(code: str | None) -> str | None:
    """An ISO 3166 alpha-2 code in capitals, or None."""
    return code.upper() if code and re.fullmatch(r"[A-Za-z]{2}", code) else None


def read_link(payload: str) -> Origin | None:
    """What ``locale-country-campaign`` says, each perhaps empty (``be-BY-school12``); else None."""
    found = _LINK.fullmatch(payload)
    if found is None:
        return None
    locale, country, campaign = found.groups()
    return Origin(locale=locale_of(locale), country=country_of(country), campaign=campaign or None)


def link_of(origin: Origin) -> str:
    """The payload that ``read_link`` reads."""
    return f"{origin.locale or ''}-{origin.country or ''}-{origin.campaign or ''}"
