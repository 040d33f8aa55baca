"""What was answered to a text that came before? Remembers without holding the text."""

import hashlib
import secrets
from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class KeyedCache(Generic[Value]):
    """The last few values, by a keyed digest: a memory dump shows no word of what children wrote."""

    def __init__(self, size: int) -> None:
        """Keep `size` values; the one that was not asked for the longest goes first."""
        self._size = size
        self._values: OrderedDict[bytes, Value] = OrderedDict()
        self._key = secrets.token_bytes(32)

    def get(self, text: str) -> Value | None:
        """The value of this text, or None."""
        digest = self._digest(text)
        if digest not in self._values:
            return None
        self._values.move_to_end(digest)
        return self._values[digest]

    def put(self, text: str, value: Value) -> Value:
        """Remember and return the value of this text."""
        self._values[self._digest(text)] = value
        if len(self._values) > self._size:
            self._values.popitem(last=False)
        return value

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._key, digest_size=16).digest()
