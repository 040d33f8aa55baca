"""Whose certificates messengers are trusted by; loading them takes 80 ms, so it is done once."""

from __future__ import annotations

import functools
import ssl

import httpx


@functools.cache
def trusted() -> ssl.SSLContext:
    """The authorities that httpx trusts (``SSL_CERT_FILE`` names others)."""
    return httpx.create_ssl_context()
