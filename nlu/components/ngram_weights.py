"""Which letter groups does a text hold, and how telling is each? Knows nothing of Rasa.

The spelling side of understanding: slang, typing errors and names of platforms that the encoder has not seen.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer

VOCABULARY: Final = "ngrams.json"
FREQUENCIES: Final = "ngrams.npy"


class NgramWeights:
    """Groups of letters within words, weighted by rarity; rows of unit length, however long the text."""

    def __init__(self, *, shortest: int, longest: int, seen_in: int) -> None:
        """Count groups of `shortest` to `longest` letters that stand in at least `seen_in` training texts."""
        self._settings: dict[str, Any] = {"shortest": shortest, "longest": longest, "seen_in": seen_in}
        self._vectorizer = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(shortest, longest),
            min_df=seen_in,
            sublinear_tf=True,
            lowercase=False,  # Texts come normalised.
            dtype=np.float64,
        )

    def fit(self, texts: Sequence[str]) -> None:
        """Learn the groups; raises ValueError when no group stands in enough of the texts."""
        self._vectorizer.fit(texts)

    def transform(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """Shape (len(texts), groups); a text of unknown groups only is a row of zeros."""
        return self._vectorizer.transform(texts)

    def save(self, folder: Path) -> None:
        """Write what was learnt into `folder` as JSON and NumPy, no pickle: loading it runs no code."""
        vocabulary = {group: int(column) for group, column in self._vectorizer.vocabulary_.items()}
        (folder / VOCABULARY).write_text(
            json.dumps({"settings": self._settings, "vocabulary": vocabulary}, ensure_ascii=False), "utf-8"
        )
        np.save(folder / FREQUENCIES, self._vectorizer.idf_, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "NgramWeights":
        """Read what `save` wrote."""
        saved = json.loads((folder / VOCABULARY).read_text("utf-8"))
        weights = cls(**saved["settings"])
        weights._vectorizer.vocabulary_ = saved["vocabulary"]
        weights._vectorizer.idf_ = np.load(folder / FREQUENCIES, allow_pickle=False)
        return weights
