"""How well would the model understand phrases that it has not seen? Cross-validates what config.yml says.

    nlu/.venv/bin/python -m nlu.evaluate [--data DIR] [--out DIR] [--folds N]

Writes report.md, confusion.png, intents.png and calibration.png into `--out` (var/evaluation by default). The
same data and settings give the same report. The phrases that the model is tested on were written by the same
people as those it learns from, so real visitors will be understood less well than the figures say.
"""

import argparse
import copy
import importlib
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from nlu.environment import rasa_environment
from nlu.fingerprint import DATA, ROOT, fingerprint
from nlu.lint import INTENTS
from nlu.phrases import Phrase, read_folder
from nlu.progress import Progress

OUT: Final = ROOT.parent / "var" / "evaluation"
SEED: Final = 20
BINS: Final = 10
PAIRS_SHOWN: Final = 25
INTENTS_SHOWN: Final = 15
DANGEROUS: Final = frozenset({"urgent", "emergency"})


@dataclass(frozen=True)
class Guess:
    """What the model said of a phrase that it was not trained on."""

    phrase: Phrase
    intent: str
    confidence: float
    ranking: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether the first guess was the phrase's intent."""
        return self.intent == self.phrase.intent


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="evaluate", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of <locale>/<intent>.yml")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the report")
    parser.add_argument("--folds", type=int, default=5, help="parts the data is cut into (default 5)")
    asked = parser.parse_args(arguments)
    data, out = asked.data.resolve(), asked.out.resolve()
    phrases, problems = read_folder(data) if data.is_dir() else ([], [])
    if problems or not phrases:
        print(
            "No evaluation: the training data is missing or has faults; `nlu.lint` names them.",
            file=sys.stderr,
        )
        return 1
    fewest = min(Counter(phrase.intent for phrase in phrases).values())
    if not 2 <= asked.folds <= fewest:
        print(
            f"No evaluation: the folds must be between 2 and {fewest}, the fewest phrases of any intent.",
            file=sys.stderr,
        )
        return 1
    with Progress() as progress:
        guesses = cross_validate(phrases, folds=asked.folds, progress=progress)
        progress.stage("Drawing")
        out.mkdir(parents=True, exist_ok=True)
        _draw(guesses, out)
        (out / "report.md").write_text(report(guesses, folds=asked.folds, mark=fingerprint(data)), "utf-8")
    print(out / "report.md")
    return 0


def cross_validate(phrases: Sequence[Phrase], *, folds: int, progress: Progress) -> list[Guess]:
    """One guess for each phrase, by a model trained on the other folds."""
    progress.stage("Starting Rasa")
    surroundings = rasa_environment(os.environ)
    os.environ.clear()
    os.environ.update(surroundings)
    os.chdir(ROOT.parent)
    logging.captureWarnings(True)
    logging.getLogger().setLevel(logging.ERROR)
    from sklearn.model_selection import StratifiedKFold

    strata = [f"{phrase.locale}/{phrase.intent}" for phrase in phrases]
    cuts = StratifiedKFold(folds, shuffle=True, random_state=SEED).split(strata, strata)
    guesses: list[Guess] = []
    for number, (learnt, tested) in enumerate(cuts, start=1):
        progress.stage(f"Cross-validating, {folds} parts")
        progress.share(number - 1, folds)
        guesses += _guess([phrases[i] for i in learnt], [phrases[i] for i in tested])
    return guesses


def _guess(learnt: Sequence[Phrase], tested: Sequence[Phrase]) -> list[Guess]:
    """Runs the components of config.yml as Rasa's graph does, without packing a model each time."""
    from rasa.engine.graph import ExecutionContext, GraphSchema
    from rasa.engine.storage.local_model_storage import LocalModelStorage
    from rasa.engine.storage.resource import Resource
    from rasa.nlu.classifiers.classifier import IntentClassifier
    from rasa.shared.nlu.training_data.message import Message
    from rasa.shared.nlu.training_data.training_data import TrainingData

    training = TrainingData([Message({"text": p.text, "intent": p.intent}) for p in learnt])
    testing = TrainingData([Message({"text": p.text}) for p in tested])
    with tempfile.TemporaryDirectory() as folder:
        for entry in yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))["pipeline"]:
            settings = copy.copy(entry)
            name = settings.pop("name")
            kind = _component(name)
            component = kind.create(
                {**kind.get_default_config(), **settings},
                LocalModelStorage(Path(folder)),
                Resource(name),
                ExecutionContext(GraphSchema({}), node_name=name),
            )
            if hasattr(component, "train"):
                component.train(training)
            if issubclass(kind, IntentClassifier):
                component.process(testing.training_examples)
            else:
                component.process_training_data(training)
                component.process_training_data(testing)
    return [_read(message, phrase) for message, phrase in zip(testing.training_examples, tested, strict=True)]


def _component(name: str) -> Any:
    if "." in name:
        module, _, kind = name.rpartition(".")
        return getattr(importlib.import_module(module), kind)
    from rasa.engine.recipes.default_recipe import DefaultV1Recipe

    return DefaultV1Recipe._from_registry(name).clazz


def _read(message: Any, phrase: Phrase) -> Guess:
    ranking = tuple(ranked["name"] for ranked in message.get("intent_ranking"))
    return Guess(
        phrase, str(message.get("intent")["name"]), float(message.get("intent")["confidence"]), ranking
    )


def report(guesses: Sequence[Guess], *, folds: int, mark: str) -> str:
    """The whole report in Markdown."""
    return "\n".join(
        [
            "# How well the model understands",
            "",
            f"{len(guesses)} phrases, {len({g.phrase.intent for g in guesses})} intents, "
            f"{folds}-fold cross-validation of the pipeline, data {mark}.",
            "Every phrase was guessed by a model that had not seen it. Real visitors write less tidily than",
            "the people who wrote these phrases, so expect less of the model than this.",
            "",
            *_by_locale(guesses),
            *_dangers(guesses),
            *_by_intent(guesses),
            *_pairs(guesses),
            *_calibration(guesses),
        ]
    )


def _by_locale(guesses: Sequence[Guess]) -> list[str]:
    lines = [
        "## By language",
        "",
        "| language | phrases | right | among the first three | macro-F1 |",
        "|---|--:|--:|--:|--:|",
    ]
    for locale in [*sorted({g.phrase.locale for g in guesses}), "all"]:
        some = [g for g in guesses if locale in ("all", g.phrase.locale)]
        three = sum(g.phrase.intent in g.ranking[:3] for g in some) / len(some)
        f1 = _f1_by_intent(some)
        lines.append(
            f"| {locale} | {len(some)} | {accuracy(some):.1%} | {three:.1%} | {_mean(f1.values()):.1%} |"
        )
    return [*lines, ""]


def _dangers(guesses: Sequence[Guess]) -> list[str]:
    levels = {
        name: about["danger"] for name, about in yaml.safe_load(INTENTS.read_text("utf-8"))["intents"].items()
    }
    dangerous = [g for g in guesses if levels.get(g.phrase.intent) in DANGEROUS]
    if not dangerous:
        return []
    seen = sum(levels.get(g.intent) in DANGEROUS for g in dangerous)
    calm = [g for g in guesses if levels.get(g.phrase.intent) not in DANGEROUS]
    alarms = sum(levels.get(g.intent) in DANGEROUS for g in calm)
    return [
        "## Danger",
        "",
        "The lexicon looks for danger before the model does and outranks it; this is the model alone.",
        "",
        f"- Of {len(dangerous)} phrases whose intent is urgent or an emergency, {seen / len(dangerous):.1%} "
        "were given some such intent.",
        f"- Of {len(calm)} others, {alarms / max(1, len(calm)):.1%} were.",
        "",
    ]


def _by_intent(guesses: Sequence[Guess]) -> list[str]:
    f1 = _f1_by_intent(guesses)
    lines = ["## The intents understood worst", "", "| intent | F1 | recall |", "|---|--:|--:|"]
    for intent in sorted(f1, key=lambda name: (f1[name], name))[:INTENTS_SHOWN]:
        mine = [g for g in guesses if g.phrase.intent == intent]
        lines.append(f"| {intent} | {f1[intent]:.1%} | {accuracy(mine):.1%} |")
    return [*lines, "", "![F1 of every intent](intents.png)", ""]


def _pairs(guesses: Sequence[Guess]) -> list[str]:
    wrong = [g for g in guesses if not g.right]
    counted = Counter((g.phrase.intent, g.intent) for g in wrong)
    lines = ["## What is taken for what", "", "| is | taken for | times | for example |", "|---|---|--:|---|"]
    for (true, taken), times in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:PAIRS_SHOWN]:
        example = next(g.phrase.text for g in wrong if (g.phrase.intent, g.intent) == (true, taken))
        lines.append(f"| {true} | {taken} | {times} | {example.replace('|', '/')} |")
    return [*lines, "", "![Confusion matrix](confusion.png)", ""]


def _calibration(guesses: Sequence[Guess]) -> list[str]:
    bins = calibration(guesses)
    gap = sum(len(some) * abs(accuracy(some) - _mean_confidence(some)) for some in bins) / len(guesses)
    lines = ["## Does it know how sure it may be?", "", f"Expected calibration error: {gap:.1%}.", ""]
    lines += ["| confidence | phrases | mean | right |", "|---|--:|--:|--:|"]
    for number, some in enumerate(calibration(guesses, keep_empty=True)):
        if some:
            span = f"{number / BINS:.1f}-{(number + 1) / BINS:.1f}"
            lines.append(f"| {span} | {len(some)} | {_mean_confidence(some):.1%} | {accuracy(some):.1%} |")
    return [*lines, "", "![Calibration](calibration.png)", ""]


def accuracy(guesses: Sequence[Guess]) -> float:
    """Share of right first guesses; 0 of none."""
    return sum(g.right for g in guesses) / len(guesses) if guesses else 0.0


def calibration(guesses: Sequence[Guess], *, keep_empty: bool = False) -> list[list[Guess]]:
    """The guesses in ten bins of confidence, from unsure to sure."""
    bins: list[list[Guess]] = [[] for _ in range(BINS)]
    for guess in guesses:
        bins[min(BINS - 1, int(guess.confidence * BINS))].append(guess)
    return bins if keep_empty else [some for some in bins if some]


def _mean_confidence(guesses: Sequence[Guess]) -> float:
    return _mean([g.confidence for g in guesses])


def _mean(numbers: Collection[float]) -> float:
    return sum(numbers) / len(numbers)


def _f1_by_intent(guesses: Sequence[Guess]) -> dict[str, float]:
    true = Counter(g.phrase.intent for g in guesses)
    said = Counter(g.intent for g in guesses)
    both = Counter(g.intent for g in guesses if g.right)
    return {intent: 2 * both[intent] / (true[intent] + said[intent]) for intent in sorted(true)}


def _draw(guesses: Sequence[Guess], out: Path) -> None:
    from matplotlib import pyplot

    intents = sorted({g.phrase.intent for g in guesses})
    _draw_intents(pyplot, _f1_by_intent(guesses), out / "intents.png")
    _draw_confusion(pyplot, guesses, intents, out / "confusion.png")
    _draw_calibration(pyplot, calibration(guesses), out / "calibration.png")


def _draw_intents(pyplot: Any, f1: dict[str, float], file: Path) -> None:
    names = sorted(f1, key=lambda name: f1[name])
    figure, axes = pyplot.subplots(figsize=(8, 1 + len(names) * 0.22))
    axes.barh(names, [f1[name] for name in names], color="#3b6ea5")
    axes.set(xlim=(0, 1), xlabel="F1", title="How well each intent is understood")
    axes.margins(y=0.01)
    _save(pyplot, figure, file)


def _draw_confusion(pyplot: Any, guesses: Sequence[Guess], intents: Sequence[str], file: Path) -> None:
    place = {intent: index for index, intent in enumerate(intents)}
    share = [[0.0] * len(intents) for _ in intents]
    true = Counter(g.phrase.intent for g in guesses)
    for guess in guesses:
        if guess.intent in place:
            share[place[guess.phrase.intent]][place[guess.intent]] += 1 / true[guess.phrase.intent]
    figure, axes = pyplot.subplots(figsize=(3 + len(intents) * 0.2, 3 + len(intents) * 0.2))
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(intents)), intents, rotation=90, fontsize=7)
    axes.set_yticks(range(len(intents)), intents, fontsize=7)
    axes.set(xlabel="taken for", ylabel="is", title="What is taken for what")
    figure.colorbar(image, shrink=0.6)
    _save(pyplot, figure, file)


def _draw_calibration(pyplot: Any, bins: Sequence[Sequence[Guess]], file: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", label="as sure as right")
    axes.plot(
        [_mean_confidence(b) for b in bins],
        [accuracy(b) for b in bins],
        marker="o",
        color="#3b6ea5",
        label="the model",
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="share that is right", title="Calibration")
    axes.legend()
    _save(pyplot, figure, file)


def _save(pyplot: Any, figure: Any, file: Path) -> None:
    # The date that matplotlib would write into the picture would make equal reports differ.
    figure.savefig(file, dpi=110, bbox_inches="tight", metadata={"Software": None})
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
