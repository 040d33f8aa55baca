"""Do the parts of the pipeline that know nothing of Rasa keep their word? Run by the model's interpreter."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from nlu.components.parts import MOST, parts_of
from nlu.components.skeleton import skeleton
from tests.nlu_server import INTERPRETER, ROOT

BEGINNING = """
import json, sys
from pathlib import Path
import numpy as np
from nlu.components.sentence_encoder import Encodings, SentenceEncoder
from nlu.components.adapter import Adapter
from nlu.components.intent_model import IntentModel, Mix
from nlu.components.keyed_cache import KeyedCache
from nlu.components.spelling import Spelling
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


def test_answers_are_remembered_for_the_last_texts_and_without_their_words(run: Any) -> None:
    said = run("""
cache = KeyedCache(2)
first = cache.put("one", object())
cache.put("two", object())
print(cache.get("one") is first)
cache.put("three", object())
print(cache.get("one") is first, cache.get("two") is None)
print(b"one" not in b"".join(cache._values))
""")

    assert said == ["True"] * 4


def test_an_adapter_changes_what_is_understood_and_comes_back_from_disk(run: Any) -> None:
    said = run("""
up = np.random.default_rng(1).normal(size=(384, 1)).astype(np.float32)
adapter = Adapter({(11, "ao"): (up, up.T)})
adapter.save(folder / "adapter.npz")
again = Adapter.load(folder / "adapter.npz")
plain, tuned = (SentenceEncoder(one).encode_one("they call me a pig") for one in (Adapter(), again))
print(float(plain @ tuned) < 0.999, Adapter.load(folder / "none.npz").corrections == {})
learnt = Encodings(folder / "e.sqlite3", adapter=folder / "adapter.npz")
other = Encodings(folder / "e.sqlite3", adapter=folder / "none.npz")
tuned = learnt.encode(["a"], encoder=lambda: SentenceEncoder(again))
plain = other.encode(["a"], encoder=lambda: SentenceEncoder(Adapter()))
print(not np.allclose(tuned, plain))
""")

    assert said == ["True"] * 3


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


def test_spelling_comes_back_from_disk_as_it_was(run: Any) -> None:
    said = run("""
spelling = Spelling()
spelling.fit(["мяне абзываюць", "мяне абзываюць усе", "আমাকে গালি দেয়", "আমাকে গালি", "calls me", "calls"])
spelling.save(folder)
again = Spelling.load(folder)
texts = ["абзываюць", "আমাকে", "calls!", ""]
before, after = spelling.transform(texts), again.transform(texts)
print(abs(before - after).max() < 1e-5, before[0].nnz > 3, before[1].nnz > 3, after[3].nnz == 0)
""")

    assert said == ["True"] * 4


def test_a_model_comes_back_from_disk_as_it_was(run: Any) -> None:
    said = run("""
texts = ["they call me a pig", "call me names", "i want to die", "want to be dead", "hello", "hello you"]
intents = ["insults", "insults", "suicidal", "suicidal", "greet", "greet"]
vectors = SentenceEncoder().encode_batch(texts)
model = IntentModel.fit(texts, vectors, intents, max_iter=50)
model.save(folder)
again = IntentModel.load(folder)
asked = []
def encode(some):
    asked.extend(some)
    return SentenceEncoder().encode_batch(some)
def told(one, sure=1.0):
    return one.guess(texts, encode=encode, mix=Mix(meaning=0.5, sure=sure))
print([again.intents[best] for best in told(again).argmax(axis=1)] == intents)
print(np.allclose(told(model), told(again), atol=1e-3), np.allclose(told(again).sum(axis=1), 1, atol=1e-4))
asked.clear()
print(told(again, sure=0.0).shape == (6, 3), asked == [], told(again).shape == (6, 3), asked == texts)
""")

    assert said == ["True"] * 7


def test_the_view_that_tells_the_intents_apart_gets_the_larger_share(run: Any) -> None:
    said = run("""
from nlu.share import SHARES, best_share
chance = np.random.default_rng(1)
intents = ["greet", "stop"] * 20
telling = [f"{intent} number {number}" for number, intent in enumerate(intents)]
idle = [f"word number {number}" for number in range(40)]
noise = chance.normal(size=(40, 384)).astype(np.float32)
clear = noise + np.array([[3.0 if intent == "stop" else -3.0] for intent in intents], np.float32)
share = lambda texts, vectors: best_share(texts, vectors, intents, mix=Mix(), max_iter=60)
print(share(telling, noise) < 0.5, share(idle, clear) > 0.5, share(idle, clear) in SHARES)
""")

    assert said == ["True"] * 3


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("меня травят в чате", "menya travyat v chate"),
        ("меня травят", "menia traviat"),
        ("আমাকে মারবে", "amake marbe"),
        ("আমার ছবি", "amar chobi"),
        ("amar sobi", "amar chhobi"),
        ("мяне абзываюць", "miane abzyvaiuc"),
    ],
)
def test_what_sounds_alike_has_the_same_skeleton(one: str, another: str) -> None:
    assert skeleton(one) == skeleton(another) != ""


def test_a_long_message_has_parts_and_a_short_one_none() -> None:
    long = (
        "so today at school we had a test in maths. then in the class chat they posted my photo again! "
        "and i dont want to live any more"
    )

    assert parts_of("they hit me. i am sad.") == []
    assert [part.split()[0] for part in parts_of(long)] == ["so", "then", "and"]
    assert len(parts_of("we did a lot of things. " * 40)) <= MOST
