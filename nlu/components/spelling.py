"""Which letter groups and words does a text hold, and how telling is each? Knows nothing of Rasa.

The spelling side of understanding: slang, typing errors, dialects, Latin letters for other languages, and
names of platforms that the encoder has not seen.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from nlu.components.skeleton import skeleton

_SEEN_IN: Final = 2
_WORD: Final = r"\w+"


@dataclass(frozen=True)
class View:
    """One way to look at a text: which groups it is cut into, and how much they weigh."""

    name: str
    #: `char_wb` for letters within words, `word` for words with their neighbours.
    analyzer: str
    shortest: int
    longest: int
    #: The length of the row: the longer, the less the classifier's penalty tells.
    weight: float
    of_skeleton: bool = False


VIEWS: Final = (
    View("letters", "char_wb", 1, 5, 8.0),
    View("words", "word", 1, 2, 5.0),
    View("sounds", "char_wb", 2, 5, 5.0, of_skeleton=True),
    View("sounding words", "word", 1, 2, 4.0, of_skeleton=True),
)
"""Compared in docs/adr/0012."""


class Spelling:
    """All views of texts side by side, weighted by rarity."""

    def __init__(self) -> None:
        """Nothing is learnt yet."""
        self._vectorizers = {view.name: _vectorizer(view) for view in VIEWS}

    def fit(self, texts: Sequence[str]) -> None:
        """Learn the groups; raises ValueError when none stands in two of the texts."""
        for view, read in _readings(texts):
            self._vectorizers[view.name].fit(read)

    def transform(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """Shape (len(texts), groups); a text of unknown groups only is a row of zeros."""
        rows = [
            self._vectorizers[view.name].transform(read) * np.float32(view.weight)
            for view, read in _readings(texts)
        ]
        # Of another type than the weights it would make SciPy copy all of those for each message.
        return scipy.sparse.hstack(rows, format="csr", dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write what was learnt into `folder` as JSON and NumPy, no pickle: loading it runs no code."""
        for name, vectorizer in self._vectorizers.items():
            vocabulary = {group: int(column) for group, column in vectorizer.vocabulary_.items()}
            (folder / f"{name}.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
            np.save(folder / f"{name}.npy", vectorizer.idf_, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "Spelling":
        """Read what `save` wrote."""
        spelling = cls()
        for name, vectorizer in spelling._vectorizers.items():
            vectorizer.vocabulary_ = json.loads((folder / f"{name}.json").read_text("utf-8"))
            vectorizer.idf_ = np.load(folder / f"{name}.npy", allow_pickle=False)
        return spelling


def _vectorizer(view: View) -> Any:
    return TfidfVectorizer(
        analyzer=view.analyzer,
        ngram_range=(view.shortest, view.longest),
        token_pattern=_WORD if view.analyzer == "word" else None,
        min_df=_SEEN_IN,
        sublinear_tf=True,
        lowercase=False,  # Texts come normalised.
        dtype=np.float32,
    )


def _readings(texts: Sequence[str]) -> list[tuple[View, Sequence[str]]]:
    """Each view with the texts as it reads them."""
    skeletons = [skeleton(text) for text in texts]
    return [(view, skeletons if view.of_skeleton else texts) for view in VIEWS]
