"""Which pseudonym a case goes by at the desk, so that nobody needs a name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import count

# Words that are easy to say on the phone, and that no one could take for a judgement: no skin colours, no
# sizes, no animals that are an insult or a bad omen in one of our countries (owl, crow, pig, snake, dog).
QUALITIES = tuple(
    """amber autumn azure bright calm candid clear cobalt copper coral crystal dappled dewy early
    even fair fern floral fresh gentle gilded golden hazel honest indigo ivory jade kind lilac lively lucid
    lunar maple mellow misty morning mossy noble opal open patient pearl placid polar prime quiet ready rosy
    sandy serene silver simple sky soft solar spring steady still summer sunny tidal tranquil velvet vernal
    violet warm""".split()  # noqa: SIM905 - sixty quoted words would be harder to read and to review.
)
THINGS = tuple(
    """acorn anchor apple arbour aspen bay beacon birch brook canyon cedar cliff clover comet cove crane
    creek daisy delta dolphin dune elm falcon fern finch fjord garden glade grove harbour heron hill
    iris island juniper kite lagoon lake lantern lark laurel linden lotus magnolia maple meadow mesa mill
    moon oak oasis orchard orchid otter palm pebble pine planet plum poplar prairie puffin quay quill
    reed ridge river robin rowan sail shore sparrow spruce star stone stream swallow swan thistle thrush
    tulip valley walnut wave willow wren""".split()  # noqa: SIM905 - as above.
)
#: So many pairs are tried before a number is added; with them taken the desk has other worries.
PAIRS_TRIED = 64


def candidates(seed: bytes) -> Iterator[str]:
    """Pseudonyms for a case, the preferred one first; the same for the same seed; endless."""
    stream = _pairs(seed)
    for _ in range(PAIRS_TRIED):
        yield next(stream)
    for number in count(2):
        yield f"{next(stream)} {number}"


def _pairs(seed: bytes) -> Iterator[str]:
    for round_ in count():
        digest = hashlib.sha256(seed + round_.to_bytes(8)).digest()
        quality = QUALITIES[int.from_bytes(digest[:8]) % len(QUALITIES)]
        thing = THINGS[int.from_bytes(digest[8:16]) % len(THINGS)]
        if quality != thing:
            yield f"{quality} {thing}"
