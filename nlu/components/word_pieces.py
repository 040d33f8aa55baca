"""Into which pieces is a text cut before the encoder reads it? The unigram method of SentencePiece.

Of all ways to cut the text the likeliest is taken (Kudo 2018, "Subword Regularization"), by Viterbi's search.
"""

import re
from typing import Final

from nlu.components.encoder_file import Vocabulary

MOST_PIECES: Final = 160
"""About a hundred words; a longer text would hold up the others."""

_MARK: Final = "\u2581"
_UNKNOWN_PENALTY: Final = 10.0
_SPACES: Final = re.compile(" {2,}")
_PREFIX: Final = "query: "  # What multilingual-e5 was trained to find before a text that is compared.


class WordPieces:
    """Cuts texts into the numbers of their pieces."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Index the pieces (a quarter of a second)."""
        self._vocabulary = vocabulary
        self._scores = vocabulary.scores
        self._numbers = {
            piece: number
            for number, piece in enumerate(vocabulary.pieces)
            if piece and number != vocabulary.unknown
        }
        self._longest = max(map(len, self._numbers))
        self._unknown_score = min(self._scores) - _UNKNOWN_PENALTY

    def cut(self, text: str) -> list[int]:
        """The numbers of the pieces, between the marks of beginning and end; at most MOST_PIECES + 2."""
        replaced = self._vocabulary.replaced
        spelled = "".join(replaced.get(ord(sign), sign) for sign in _PREFIX + text)
        pieces = self._likeliest((" " + _SPACES.sub(" ", spelled).lstrip(" ")).replace(" ", _MARK))
        return [self._vocabulary.begin, *pieces[:MOST_PIECES], self._vocabulary.end]

    def _likeliest(self, text: str) -> list[int]:
        size = len(text)
        best = [0.0] + [float("-inf")] * size
        piece_to = [self._vocabulary.unknown] * (size + 1)
        start_of = [0] * (size + 1)
        for start in range(size):
            score = best[start]
            if score + self._unknown_score > best[start + 1]:
                best[start + 1] = score + self._unknown_score
                piece_to[start + 1], start_of[start + 1] = self._vocabulary.unknown, start
            for end in range(start + 1, min(size, start + self._longest) + 1):
                number = self._numbers.get(text[start:end])
                if number is not None and score + self._scores[number] > best[end]:
                    best[end] = score + self._scores[number]
                    piece_to[end], start_of[end] = number, start
        found: list[int] = []
        while size > 0:
            found.append(piece_to[size])
            size = start_of[size]
        return found[::-1]
