"""Which intent do spelling and meaning of a text speak for, and how sure is that? Knows nothing of Rasa.

Two logistic regressions, one over letter groups and words and one over the encoder's vectors, each fair to
rare intents. Their logarithms of probability are mixed and tempered, so that of the answers given with a
confidence of 0.8 four of five are right. The encoder, which takes most of the time, is not asked where the
spelling is sure. What was chosen against what is in docs/adr/0012.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from nlu.components.spelling import Spelling

MEANING_SCALE: Final = 6.0
"""The length of a standardised vector: the longer, the less the penalty tells."""

_WEIGHTS: Final = "intents.npz"

Numbers = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Mix:
    """How the two are put together."""

    #: The share of the meaning, between 0 and 1; the rest is the spelling's.
    meaning: float = 0.35
    #: Below 1 the mix is made surer of itself, above 1 less sure.
    temperature: float = 0.75
    #: Where the spelling alone is so sure of an intent, the meaning is not asked.
    sure: float = 0.8


@dataclass(frozen=True)
class Linear:
    """A trained logistic regression."""

    weights: Numbers
    bias: Numbers

    def log_probabilities(self, rows: Any) -> Numbers:
        """Shape (texts, intents)."""
        return log_softmax(np.asarray(rows @ self.weights) + self.bias)


class IntentModel:
    """A trained model; `fit` and `load` make one."""

    def __init__(
        self,
        intents: list[str],
        spelling: Spelling,
        by_spelling: Linear,
        by_meaning: Linear,
        middle: Numbers,
        spread: Numbers,
    ) -> None:
        """Made by `fit` and `load`."""
        self.intents = intents
        self._spelling = spelling
        self._by_spelling = by_spelling
        self._by_meaning = by_meaning
        self._middle = middle
        self._spread = spread

    @classmethod
    def fit(
        cls, texts: Sequence[str], vectors: Numbers, intents: Sequence[str], *, max_iter: int
    ) -> "IntentModel":
        """Learn from normalised texts, their vectors of shape (texts, 384) and their intents."""
        spelling = Spelling()
        spelling.fit(texts)
        middle, spread = vectors.mean(axis=0), np.maximum(vectors.std(axis=0), 1e-6)
        names, by_spelling = _regression(spelling.transform(texts), intents, max_iter=max_iter)
        _, by_meaning = _regression(_standard(vectors, middle, spread), intents, max_iter=max_iter)
        return cls(names, spelling, by_spelling, by_meaning, middle, spread)

    def meaning_says(self, vectors: Numbers) -> Numbers:
        """Logarithms of probability by the vectors alone, shape (texts, intents)."""
        return self._by_meaning.log_probabilities(_standard(vectors, self._middle, self._spread))

    def guess(self, texts: Sequence[str], *, encode: Callable[[list[str]], Numbers], mix: Mix) -> Numbers:
        """Probabilities, shape (texts, intents); `encode` is asked where the spelling is unsure or strange.

        Where next to nothing of the spelling is known, in another script, it has nothing to say, and the
        meaning speaks alone; of signs without a letter that nobody has learnt, nothing is known at all.
        """
        rows = self._spelling.transform(texts)
        spelling = self._by_spelling.log_probabilities(rows)
        strange = np.diff(rows.indptr) <= np.array([max(1, len(text) // 2) for text in texts])
        share = np.where(strange, 1.0, mix.meaning)[:, None].astype(np.float32)
        together = spelling.copy()
        unsure = np.flatnonzero(strange | (np.exp(spelling).max(axis=1) < mix.sure))
        if len(unsure):
            meaning = self.meaning_says(encode([texts[index] for index in unsure]))
            together[unsure] = share[unsure] * meaning + (1 - share[unsure]) * spelling[unsure]
        wordless = [not any(map(str.isalpha, text)) for text in texts]
        together[strange & np.array(wordless)] = 0.0
        probabilities: Numbers = np.exp(log_softmax(together / mix.temperature))
        return probabilities

    def save(self, folder: Path) -> None:
        """Write what was learnt into `folder`: JSON and NumPy, no pickle."""
        self._spelling.save(folder)
        np.savez(
            folder / _WEIGHTS,
            intents=np.array(self.intents),
            spelling_weights=self._by_spelling.weights.astype(np.float16),
            spelling_bias=self._by_spelling.bias,
            meaning_weights=self._by_meaning.weights,
            meaning_bias=self._by_meaning.bias,
            middle=self._middle,
            spread=self._spread,
        )

    @classmethod
    def load(cls, folder: Path) -> "IntentModel":
        """Read what `save` wrote; raises OSError or KeyError for a folder that is not whole."""
        with np.load(folder / _WEIGHTS, allow_pickle=False) as saved:
            return cls(
                [str(name) for name in saved["intents"]],
                Spelling.load(folder),
                Linear(saved["spelling_weights"].astype(np.float32), saved["spelling_bias"]),
                Linear(saved["meaning_weights"], saved["meaning_bias"]),
                saved["middle"],
                saved["spread"],
            )


def log_softmax(scores: Numbers) -> Numbers:
    """Rows of logarithms whose exponentials add up to one."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    logarithms: Numbers = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logarithms


def _standard(vectors: Numbers, middle: Numbers, spread: Numbers) -> Numbers:
    length = np.float32(MEANING_SCALE / np.sqrt(vectors.shape[1]))
    standard: Numbers = (vectors - middle) / spread * length
    return standard


def _regression(rows: Any, intents: Sequence[str], *, max_iter: int) -> Any:
    trained = LogisticRegression(max_iter=max_iter, class_weight="balanced", multi_class="multinomial")
    trained.fit(rows, intents)
    weights = np.ascontiguousarray(trained.coef_.T, dtype=np.float32)
    bias = trained.intercept_.astype(np.float32)
    if len(trained.classes_) == 2:  # scikit-learn keeps one column for two classes.
        weights, bias = np.hstack([-weights, weights]), np.hstack([-bias, bias])
    return [str(name) for name in trained.classes_], Linear(weights, bias)
