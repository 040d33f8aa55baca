"""How does the encoder learn how children write? Makes the adapter that the product comes with.

    nlu/.venv/bin/python -m nlu.tune [--data DIR] [--out FILE] [--without AUTHOR …] [--epochs N]

Trains the upper half of multilingual-e5-small to tell the intents apart, and keeps what changed as a
correction of low rank (see nlu/components/adapter.py). Takes about a quarter of an hour on two cores; run it
after the phrases have changed a lot, and commit the result. Training the model itself (`./porchlight train`)
uses the adapter as it is. `--without` leaves the phrases of some authors out: only such an adapter may be
measured on theirs.
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from nlu.components.adapter import ADAPTER, Adapter
from nlu.components.encoder_file import EncoderFile, bundled
from nlu.components.encoder_graph import layer_matrix
from nlu.components.normalisation import normalise
from nlu.components.word_pieces import WordPieces
from nlu.environment import rasa_environment
from nlu.fingerprint import DATA
from nlu.phrases import Phrase, read_folder
from nlu.progress import Progress

FIRST_LAYER: Final = 6
"""Below it nothing is changed: those layers read letters and words, which children share with everybody."""

RANK: Final = 64
"""Of the corrections. What is left out of them changes no vector by a hundredth."""

EPOCHS: Final = 4
BATCH: Final = 32
RATE: Final = 2e-4
HEAD_RATE: Final = 8e-3
LONGEST: Final = 96
SEED: Final = 20
_SCALE: Final = 20.0
_SMOOTHING: Final = 0.05
_DROPPED: Final = 0.1
_WARM_UP: Final = 0.1
_PARTS: Final = ("q", "k", "v", "ao", "fi", "fo")


@dataclass(frozen=True)
class Example:
    """A phrase as the layers below FIRST_LAYER see it."""

    states: Any
    intent: int


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="tune", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of <locale>/<intent>.yml")
    parser.add_argument("--out", type=Path, help="the adapter to write, a file .npz (default: nlu/encoder)")
    parser.add_argument(
        "--without", nargs="+", default=[], metavar="AUTHOR", help="leave these authors' phrases out"
    )
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    asked = parser.parse_args(arguments)
    phrases, problems = read_folder(asked.data)
    if problems or not phrases:
        print("The training data is missing or has faults; `nlu.lint` names them.", file=sys.stderr)
        return 1
    without = sorted(set(asked.without))
    if unknown := sorted(set(without) - {phrase.author for phrase in phrases}):
        print(f"There is no author {unknown[0]!r} in {asked.data}.", file=sys.stderr)
        return 1
    # An adapter that has not read everybody is for measuring, and must not take the product's place.
    usual = ADAPTER.parent / "without" / f"{'-'.join(without)}.npz" if without else ADAPTER
    out = (asked.out or usual).with_suffix(".npz")
    learnt = [phrase for phrase in phrases if phrase.author not in without]
    with Progress() as progress:
        tune(learnt, epochs=asked.epochs, progress=progress).save(out)
    print(out)
    return 0


def tune(phrases: Sequence[Phrase], *, epochs: int, progress: Progress) -> Adapter:
    """An adapter that helps to tell the intents of `phrases` apart."""
    surroundings = rasa_environment(os.environ)
    cores = str(os.cpu_count() or 1)
    os.environ.update(surroundings | {"TF_NUM_INTRAOP_THREADS": cores, "OMP_NUM_THREADS": cores})
    logging.captureWarnings(True)
    import tensorflow

    tensorflow.random.set_seed(SEED)
    file = EncoderFile(bundled())
    network = _Network(tensorflow, file)
    names = sorted({phrase.intent for phrase in phrases})
    examples = _examples(network, file, phrases, names, progress)
    network.learn(examples, intents=len(names), epochs=epochs, progress=progress)
    progress.stage("Packing")
    return _low_rank(network, file)


def _examples(
    network: "_Network", file: EncoderFile, phrases: Sequence[Phrase], names: list[str], progress: Progress
) -> list[Example]:
    pieces = WordPieces(file.vocabulary)
    progress.stage(f"Reading {len(phrases)} phrases")
    cut = [pieces.cut(normalise(phrase.text))[:LONGEST] for phrase in phrases]
    order = sorted(range(len(cut)), key=lambda index: len(cut[index]))
    examples: dict[int, Example] = {}
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        states = network.lower([cut[index] for index in batch])
        for index, state in zip(batch, states, strict=True):
            kept = state[: len(cut[index])].astype(np.float16)
            examples[index] = Example(kept, names.index(phrases[index].intent))
        progress.share(start + len(batch), len(order))
    return [examples[index] for index in range(len(cut))]


class _Network:
    """The encoder in TensorFlow: the lower layers constant, the upper ones to be learnt."""

    def __init__(self, tensorflow: Any, file: EncoderFile) -> None:
        self._tf = tensorflow
        self._file = file
        self._layers = [self._layer_weights(layer) for layer in range(file.shape.layers)]

    def matrix(self, layer: int, name: str) -> Any:
        """What a matrix has become, shape (outputs, inputs)."""
        return self._layers[layer][f"{name}.w"].numpy().T

    def lower(self, numbers: Sequence[list[int]]) -> Any:
        """The states of pieces that enter FIRST_LAYER, shape (texts, longest, 384)."""
        tf, file = self._tf, self._file
        size = file.shape.dimensions
        longest = max(map(len, numbers))
        states = np.zeros((len(numbers), longest, size), np.float32)
        positions = file.vector("emb.pos").reshape(-1, size) + file.vector("emb.type")[:size]
        for row, text in enumerate(numbers):
            states[row, : len(text)] = file.rows("emb.word", text, columns=size) + positions[: len(text)]
        mask = tf.sequence_mask([len(text) for text in numbers], longest)
        now = self._normed(tf.constant(states), file.vector("emb.ln.w"), file.vector("emb.ln.b"))
        for weights in self._layers[:FIRST_LAYER]:
            now = self._layer(weights, now, mask)
        return now.numpy()

    def learn(self, examples: Sequence[Example], *, intents: int, epochs: int, progress: Progress) -> None:
        """Change the upper layers so that a linear reading of the mean state names the intent."""
        tf = self._tf
        random = np.random.default_rng(SEED)
        counts = np.bincount([example.intent for example in examples], minlength=intents)
        fair = tf.constant(np.sqrt(len(examples) / intents / counts), tf.float32)
        head = tf.Variable(tf.random.normal([self._file.shape.dimensions, intents], stddev=0.02))
        bias = tf.Variable(tf.zeros([intents]))
        upper = [layer[f"{part}.w"] for layer in self._layers[FIRST_LAYER:] for part in _PARTS]
        slow, quick = tf.keras.optimizers.Adam(RATE), tf.keras.optimizers.Adam(HEAD_RATE)
        slow.build(upper)
        quick.build([head, bias])

        @tf.function(
            input_signature=[
                tf.TensorSpec([None, None, self._file.shape.dimensions]),
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([None], tf.int32),
            ]
        )
        def step(states: Any, lengths: Any, wanted: Any) -> Any:
            with tf.GradientTape() as tape:
                vectors = tf.nn.dropout(self._upper(states, lengths) * _SCALE, _DROPPED)
                aim = tf.one_hot(wanted, intents) * (1 - _SMOOTHING) + _SMOOTHING / intents
                loss = tf.nn.softmax_cross_entropy_with_logits(aim, vectors @ head + bias)
                weight = tf.gather(fair, wanted)
                loss = tf.reduce_sum(loss * weight) / tf.reduce_sum(weight)
            changes = tape.gradient(loss, [*upper, head, bias])
            changes, _ = tf.clip_by_global_norm(changes, 1.0)
            # TensorFlow rewrites this function, and its zip knows no `strict`.
            slow.apply_gradients(zip(changes[:-2], upper))  # noqa: B905
            quick.apply_gradients(zip(changes[-2:], [head, bias]))  # noqa: B905
            return loss

        for epoch in range(epochs):
            progress.stage(f"Learning, round {epoch + 1} of {epochs}")
            batches = list(_batches(examples, random))
            for number, batch in enumerate(batches):
                share = _rate(epoch * len(batches) + number, epochs * len(batches))
                slow.learning_rate.assign(RATE * share)
                quick.learning_rate.assign(HEAD_RATE * share)
                step(*_padded(batch))
                progress.share(number + 1, len(batches))

    def _upper(self, states: Any, lengths: Any) -> Any:
        tf = self._tf
        mask = tf.sequence_mask(lengths, tf.shape(states)[1])
        for weights in self._layers[FIRST_LAYER:]:
            states = self._layer(weights, states, mask)
        share = tf.cast(mask, tf.float32)[:, :, None]
        return tf.nn.l2_normalize(tf.reduce_sum(states * share, axis=1), axis=1)

    def _layer_weights(self, layer: int) -> dict[str, Any]:
        make = self._tf.Variable if layer >= FIRST_LAYER else self._tf.constant
        values: dict[str, Any] = {}
        for part in _PARTS:
            values[f"{part}.w"] = make(layer_matrix(self._file, layer, part).T)
        # Biases and norms stay as they are: an adapter corrects matrices.
        for name in [f"{part}.b" for part in _PARTS] + ["aln.w", "aln.b", "oln.w", "oln.b"]:
            values[name] = self._tf.constant(self._file.vector(f"l{layer}.{name}"))
        return values

    def _layer(self, weights: dict[str, Any], states: Any, mask: Any) -> Any:
        tf, heads = self._tf, self._file.shape.heads
        size = self._file.shape.dimensions
        texts, pieces = tf.shape(states)[0], tf.shape(states)[1]

        def part(name: str) -> Any:
            made = states @ weights[f"{name}.w"] + weights[f"{name}.b"]
            return tf.transpose(tf.reshape(made, [texts, pieces, heads, size // heads]), [0, 2, 1, 3])

        scores = part("q") @ tf.transpose(part("k"), [0, 1, 3, 2]) / np.sqrt(size / heads).astype(np.float32)
        scores += (1.0 - tf.cast(mask, tf.float32))[:, None, None, :] * -1e9
        heard = tf.reshape(
            tf.transpose(tf.nn.softmax(scores) @ part("v"), [0, 2, 1, 3]), [texts, pieces, size]
        )
        told = heard @ weights["ao.w"] + weights["ao.b"]
        states = self._normed(states + told, weights["aln.w"], weights["aln.b"])
        inner = tf.nn.gelu(states @ weights["fi.w"] + weights["fi.b"])
        return self._normed(
            states + inner @ weights["fo.w"] + weights["fo.b"], weights["oln.w"], weights["oln.b"]
        )

    def _normed(self, states: Any, weight: Any, shift: Any) -> Any:
        mean, spread = self._tf.nn.moments(states, [-1], keepdims=True)
        return (states - mean) * self._tf.math.rsqrt(spread + self._file.shape.epsilon) * weight + shift


def _batches(examples: Sequence[Example], random: Any) -> Iterator[list[Example]]:
    """Every example once, those of similar length together."""
    order = random.permutation(len(examples))
    batches = []
    for start in range(0, len(order), BATCH * 30):
        some = sorted(order[start : start + BATCH * 30], key=lambda index: len(examples[index].states))
        batches += [some[first : first + BATCH] for first in range(0, len(some), BATCH)]
    for number in random.permutation(len(batches)):
        yield [examples[index] for index in batches[number]]


def _padded(batch: Sequence[Example]) -> tuple[Any, Any, Any]:
    lengths = np.array([len(example.states) for example in batch], np.int32)
    states = np.zeros((len(batch), lengths.max(), batch[0].states.shape[1]), np.float32)
    for row, example in enumerate(batch):
        states[row, : len(example.states)] = example.states
    return states, lengths, np.array([example.intent for example in batch], np.int32)


def _rate(done: int, whole: int) -> float:
    """Rises at first, then falls to nothing."""
    return float(min(1.0, (done + 1) / (_WARM_UP * whole)) * max(0.02, 1 - done / whole))


def _low_rank(network: _Network, file: EncoderFile) -> Adapter:
    """What the matrices have changed by, as products of two thin ones."""
    corrections = {}
    for layer in range(FIRST_LAYER, file.shape.layers):
        for name in _PARTS:
            change = network.matrix(layer, name) - layer_matrix(file, layer, name)
            left, strengths, right = np.linalg.svd(change, full_matrices=False)
            root = np.sqrt(strengths[:RANK])
            corrections[layer, name] = (left[:, :RANK] * root, root[:, None] * right[:RANK])
    return Adapter(corrections)


if __name__ == "__main__":
    sys.exit(main())
