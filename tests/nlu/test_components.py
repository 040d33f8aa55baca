"""Do the parts of the pipeline that know nothing of Rasa keep their word? Run by the model's interpreter."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.nlu_server import INTERPRETER, ROOT

BEGINNING = """
import json, sys
from pathlib import Path
import numpy as np
from nlu.components.sentence_encoder import Encodings, SentenceEncoder
from nlu.components.ngram_weights import NgramWeights
folder = Path(sys.argv[1])
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def in_nlu(code: str) -> list[str]:
        done = subprocess.run(
            [INTERPRETER, "-c", BEGINNING + code, tmp_path],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return in_nlu


def test_a_sentence_is_nearest_to_its_translations(run: Any) -> None:
    nearest = run("""
encoder = SentenceEncoder()
said = ["i want to die", "how do i block someone", "thank you"]
again = ["как заблокировать человека", "ধন্যবাদ", "не хачу больш жыць"]
print(*(encoder.encode_batch(again) @ encoder.encode_batch(said).T).argmax(axis=1))
""")

    assert nearest == ["1", "2", "0"]


def test_vectors_have_unit_length_and_do_not_depend_on_the_batch(run: Any) -> None:
    said = run("""
encoder = SentenceEncoder()
texts = ["привет", "", "a\\0b", "\\ud83d", "আমি ভালো নেই", "word " * 60] + [f"text {n}" for n in range(14)]
steps = []
batch = encoder.encode_batch(texts, threads=2, progress=lambda done, whole: steps.append((done, whole)))
single = np.array([encoder.encode_one(text) for text in texts])
print(batch.shape == (20, 384), np.allclose(np.linalg.norm(batch, axis=1), 1, atol=1e-3))
print(np.allclose(batch, single, atol=0.02), steps[-1] == (20, 20))
""")

    assert said == ["True"] * 4


def test_the_encoder_remembers_the_last_texts_and_no_words(run: Any) -> None:
    said = run("""
encoder = SentenceEncoder(remember=2)
first = encoder.encode_one("one")
print(encoder.encode_one("one") is first)
encoder.encode_one("two"), encoder.encode_one("one"), encoder.encode_one("three")
print(encoder.encode_one("one") is first, len(encoder._remembered) == 2)
print(b"one" not in b"".join(encoder._remembered))
""")

    assert said == ["True"] * 4


def test_encodings_outlive_a_training_and_only_new_texts_are_encoded(run: Any) -> None:
    said = run("""
asked = []
def progress(done, whole):
    asked.append(whole)
def never():
    raise AssertionError("nothing is new")
file = folder / "deep" / "encodings.sqlite3"
first = Encodings(file).encode(["a", "b", "a"], encoder=SentenceEncoder, progress=progress)
second = Encodings(file).encode(["b", "a"], encoder=never)
third = Encodings(file).encode(["c", "a"], encoder=SentenceEncoder, progress=progress)
print(asked, (first[:2] == second[::-1]).all(), (third[1] == first[0]).all(), (first[0] == first[2]).all())
print(Encodings(file).encode([], encoder=never).shape)
""")

    assert "".join(said) == "[2,1]TrueTrueTrue(0,384)"


def test_letter_groups_come_back_from_disk_as_they_were(run: Any) -> None:
    said = run("""
weights = NgramWeights(shortest=2, longest=4, seen_in=1)
weights.fit(["мяне абзываюць", "আমাকে গালি দেয়", "they call me a pig"])
weights.save(folder)
again = NgramWeights.load(folder)
texts = ["абзываюць", "আমাকে", "pigs!", "", "зз"]
before, after = weights.transform(texts), again.transform(texts)
print((before != after).nnz == 0, sorted(f.name for f in folder.iterdir()) == ["ngrams.json", "ngrams.npy"])
print(before[0].nnz > 3, before[1].nnz > 3, after[3].nnz == after[4].nnz == 0)
""")

    assert said == ["True"] * 5
