"""Which signs can our fonts draw? Reads the fonts' own tables, so that no paper shows an empty box.

A nickname may hold anything a phone can type, and a PDF for screen readers refuses signs without a shape.
The tables: https://learn.microsoft.com/typography/opentype/spec/cmap
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parents[2] / "fonts"
#: The two forms in which our fonts list their signs: up to U+FFFF, and all of Unicode.
_SEGMENTS, _GROUPS = 4, 12
_GAP = re.compile(" {2,}")


@cache
def signs() -> frozenset[str]:
    """Every sign that one of our regular fonts has a shape for, and the line's end."""
    found = {"\n"}
    for file in sorted(FONTS.glob("*-Regular.ttf")):
        # Noto has a shape for the code 0, which PDF/UA forbids.
        found.update(chr(code) for code in _codes(file.read_bytes()) if code)
    return frozenset(found)


def drawable(text: str) -> str:
    """The text without the signs that no font of ours can draw, and without the gaps that they leave."""
    return _GAP.sub(" ", "".join(sign for sign in text if sign in signs()))


def _codes(font: bytes) -> Iterator[int]:
    """The code points of one font file."""
    start = _cmap(font)
    (tables,) = struct.unpack_from(">H", font, start + 2)
    for number in range(tables):
        (offset,) = struct.unpack_from(">I", font, start + 8 + 8 * number)
        (form,) = struct.unpack_from(">H", font, start + offset)
        if form == _SEGMENTS:
            yield from _segments(font, start + offset)
        elif form == _GROUPS:
            yield from _groups(font, start + offset)


def _cmap(font: bytes) -> int:
    (tables,) = struct.unpack_from(">H", font, 4)
    for number in range(tables):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, 12 + 16 * number)
        if tag == b"cmap":
            return int(offset)
    raise ValueError("this font has no table of its signs")


def _segments(font: bytes, at: int) -> Iterator[int]:
    """The codes of a table in segments; one whose glyph is number 0 has no shape."""
    count = struct.unpack_from(">H", font, at + 6)[0] // 2
    form = f">{count}H"
    ends = struct.unpack_from(form, font, at + 14)
    starts = struct.unpack_from(form, font, at + 16 + 2 * count)
    deltas = struct.unpack_from(form, font, at + 16 + 4 * count)
    offsets_at = at + 16 + 6 * count
    offsets = struct.unpack_from(form, font, offsets_at)
    for place, (first, last, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        for code in range(first, last + 1):
            glyph = code
            if offset:
                (glyph,) = struct.unpack_from(
                    ">H", font, offsets_at + 2 * place + offset + 2 * (code - first)
                )
            if (not offset or glyph) and (glyph + delta) % 0x10000:
                yield code


def _groups(font: bytes, at: int) -> Iterator[int]:
    (count,) = struct.unpack_from(">I", font, at + 12)
    for number in range(count):
        first, last, glyph = struct.unpack_from(">III", font, at + 16 + 12 * number)
        yield from (code for code in range(first, last + 1) if glyph + code - first)
