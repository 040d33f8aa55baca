"""How well does the model understand phrases by people whose phrases it has not read?

    nlu/.venv/bin/python -m nlu.evaluate [--data DIR] [--only AUTHOR …]

Every author in turn is left out of the training, and their phrases are guessed. Then a model of all the data
guesses the yardsticks that were never trained on (see nlu/yardsticks/README.md). Writes guesses.jsonl,
figures.json, confusion.png, intents.png and calibration.png into var/evaluation; `./porchlight evaluate`
makes the model card of them. The same data and settings give the same figures.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from nlu.environment import rasa_environment
from nlu.fingerprint import DATA, ROOT, fingerprint
from nlu.phrases import Phrase, read_folder
from nlu.progress import Progress

OUT: Final = ROOT.parent / "var" / "evaluation"
YARDSTICKS: Final = ROOT / "yardsticks"
ADAPTERS: Final = ROOT / "encoder" / "without"
RANKED: Final = 10
"""Intents kept of each guess, as many as the bot is told."""

NONE_OF_THEM: Final = "NO_NODES_DETECTED"
"""What HINT3 calls a query that none of its bot's intents fits."""

STRANGERS: Final = "strangers"


@dataclass(frozen=True)
class Said:
    """A text with the intent that a person gave it."""

    text: str
    intent: str
    locale: str
    #: Who was left out for it, or the name of the yardstick.
    held_out: str


@dataclass(frozen=True)
class Guess:
    """What a model that had not read the author said of a text."""

    said: Said
    #: The likeliest intents, best first, with their probabilities.
    ranking: list[Any]

    @property
    def right(self) -> bool:
        """Whether the first guess was the intent."""
        return bool(self.ranking[0][0] == self.said.intent)

    @property
    def confidence(self) -> float:
        """Of the first guess."""
        return float(self.ranking[0][1])


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="evaluate", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of <locale>/<intent>.yml")
    parser.add_argument("--only", nargs="+", metavar="AUTHOR", help="leave out only these authors")
    asked = parser.parse_args(arguments)
    data, out = asked.data.resolve(), OUT
    phrases, problems = read_folder(data) if data.is_dir() else ([], [])
    authors = sorted({phrase.author for phrase in phrases})
    if problems or len(authors) < 2:
        print("No evaluation: the training data has faults, or only one author.", file=sys.stderr)
        return 1
    if unknown := sorted(set(asked.only or []) - set(authors)):
        print(f"There is no author {unknown[0]}; there are {', '.join(authors)}.", file=sys.stderr)
        return 1
    surroundings = rasa_environment(os.environ)
    os.environ.clear()
    os.environ.update(surroundings)
    out.mkdir(parents=True, exist_ok=True)
    with Progress() as progress:
        guesses = list(_guesses(phrases, asked.only or authors, progress))
        progress.stage("Measuring on HINT3")
        figures = {
            "fingerprint": fingerprint(data),
            "phrases": _sizes(phrases),
            "adapters": [author for author in authors if _adapter_without(author).is_file()],
            "hint3": _hint3(),
        }
        progress.stage("Drawing")
        from nlu.pictures import draw

        draw([guess for guess in guesses if guess.said.held_out != STRANGERS], out)
    with (out / "guesses.jsonl").open("w", encoding="utf-8") as lines:
        for guess in guesses:
            lines.write(
                json.dumps({**guess.said.__dict__, "ranking": guess.ranking}, ensure_ascii=False) + "\n"
            )
    (out / "figures.json").write_text(json.dumps(figures, indent=1), "utf-8")
    print(out / "guesses.jsonl")
    return 0


def _guesses(phrases: Sequence[Phrase], authors: Sequence[str], progress: Progress) -> Iterator[Guess]:
    for number, author in enumerate(authors, start=1):
        progress.stage(f"Guessing what author {author} says, {number} of {len(authors)}")
        learnt = [phrase for phrase in phrases if phrase.author != author]
        tested = [
            Said(phrase.text, phrase.intent, phrase.locale, author)
            for phrase in phrases
            if phrase.author == author
        ]
        yield from _guess(learnt, tested, adapter=_adapter_without(author))
    progress.stage("Guessing what strangers say")
    from nlu.components.adapter import ADAPTER

    yield from _guess(phrases, list(strangers()), adapter=ADAPTER)


def _adapter_without(author: str) -> Path:
    """An adapter that has not read this author; where none was made, none is used."""
    # It is named after all authors whom it has not read.
    made = [file for file in ADAPTERS.glob("*.npz") if author in file.stem.split("-")]
    # The fewer are missing from it, the more it has learnt.
    return min(made, key=lambda file: (file.stem.count("-"), file.stem), default=ADAPTERS / f"{author}.npz")


def strangers() -> Iterator[Said]:
    """The yardstick by an author who knew only the list of intents."""
    for file in sorted((YARDSTICKS / STRANGERS).glob("*.yml")):
        for intent, texts in yaml.safe_load(file.read_text("utf-8")).items():
            for text in texts.splitlines():
                yield Said(text, intent, file.stem, STRANGERS)


def _guess(
    learnt: Sequence[Phrase], tested: Sequence[Said], *, adapter: Path, share: float | None = None
) -> Iterator[Guess]:
    from nlu.components.intent_model import IntentModel
    from nlu.components.normalisation import normalise

    settings = _settings() if share is None else _settings() | {"meaning": share}
    texts = [normalise(phrase.text) for phrase in learnt]
    asked = [normalise(said.text) for said in tested]
    vectors = _vectors([*texts, *asked], adapter=adapter)
    model = IntentModel.fit(
        texts, vectors[: len(texts)], [phrase.intent for phrase in learnt], max_iter=settings["max_iter"]
    )
    known = dict(zip(asked, vectors[len(texts) :], strict=True))
    rows = model.guess(
        asked, encode=lambda some: np.array([known[text] for text in some]), mix=_mix(settings)
    )
    for said, row in zip(tested, rows, strict=True):
        best = np.argsort(-row)[:RANKED]
        yield Guess(said, [[model.intents[index], round(float(row[index]), 4)] for index in best])


def _vectors(texts: Sequence[str], *, adapter: Path) -> Any:
    from nlu.components.adapter import Adapter
    from nlu.components.intent_classifier import ENCODINGS
    from nlu.components.sentence_encoder import Encodings, SentenceEncoder

    return Encodings(ENCODINGS, adapter=adapter).encode(
        texts, encoder=lambda: SentenceEncoder(Adapter.load(adapter)), threads=os.cpu_count() or 1
    )


def _settings() -> dict[str, Any]:
    """Of the classifier in config.yml."""
    pipeline = yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))["pipeline"]
    settings: dict[str, Any] = next(step for step in pipeline if step["name"].endswith("IntentClassifier"))
    return settings


def _mix(settings: dict[str, Any]) -> Any:
    from nlu.components.intent_model import Mix

    return Mix(**{name: float(settings[name]) for name in ("meaning", "temperature", "sure")})


def _sizes(phrases: Sequence[Phrase]) -> dict[str, dict[str, int]]:
    """How many phrases of each intent there are in each locale."""
    sizes: dict[str, dict[str, int]] = {}
    for phrase in phrases:
        of_locale = sizes.setdefault(phrase.locale, {})
        of_locale[phrase.intent] = of_locale.get(phrase.intent, 0) + 1
    return sizes


def _hint3() -> dict[str, dict[str, float]]:
    """Our pipeline, trained on each bot's own data, beside what was published for Rasa."""
    from sklearn.metrics import matthews_corrcoef

    figures = {}
    for name in ("curekart", "sofmattress"):
        learnt, tested = (
            _sentences(YARDSTICKS / "hint3" / f"{name}_{part}.csv", held_out=name)
            for part in ("train", "test")
        )
        phrases = [
            Phrase(text=said.text, intent=said.intent, locale="en", author=name, file=Path(name), line=0)
            for said in learnt
        ]
        # Without the adapter: it was made for children's messages in our languages.
        adapter = ADAPTERS / "none.npz"
        share = _best_share(phrases, adapter=adapter)
        guesses = list(_guess(phrases, tested, adapter=adapter, share=share))
        known = [guess for guess in guesses if guess.said.intent != NONE_OF_THEM]
        true = [guess.said.intent for guess in guesses]
        figures[name] = {
            "share": share,
            "in_scope_accuracy": sum(guess.right for guess in known) / len(known),
            "mcc": max(
                matthews_corrcoef(
                    true,
                    [guess.ranking[0][0] if guess.confidence >= least else NONE_OF_THEM for guess in guesses],
                )
                for least in np.arange(0.05, 1.0, 0.05)
            ),
            "published_in_scope_accuracy": max(_published(name, "Inscope Accuracy")),
            "published_mcc": max(_published(name, "MCC")),
        }
    return figures


def _best_share(phrases: Sequence[Phrase], *, adapter: Path) -> float:
    from nlu.components.normalisation import normalise
    from nlu.share import best_share

    settings = _settings()
    texts = [normalise(phrase.text) for phrase in phrases]
    return best_share(
        texts,
        _vectors(texts, adapter=adapter),
        [phrase.intent for phrase in phrases],
        mix=_mix(settings),
        max_iter=settings["max_iter"],
    )


def _sentences(file: Path, *, held_out: str) -> list[Said]:
    with file.open(encoding="utf-8", newline="") as rows:
        return [Said(row["sentence"], row["label"], "en", held_out) for row in csv.DictReader(rows)]


def _published(name: str, column: str) -> list[float]:
    with (YARDSTICKS / "hint3" / f"rasa_{name}.csv").open(encoding="utf-8", newline="") as rows:
        return [float(row[column]) for row in csv.DictReader(rows)]


if __name__ == "__main__":
    sys.exit(main())
