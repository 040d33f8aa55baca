"""What do the guesses look like? Draws what is taken for what, how each intent fares, how sure it all is."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nlu.evaluate import Guess

BINS: Final = 10
_BLUE: Final = "#3b6ea5"


def draw(guesses: "Sequence[Guess]", out: Path) -> None:
    """Write confusion.png, intents.png and calibration.png into `out`."""
    from matplotlib import pyplot

    _draw_intents(pyplot, f1_by_intent(guesses), out / "intents.png")
    _draw_confusion(pyplot, guesses, out / "confusion.png")
    _draw_calibration(pyplot, bins_of(guesses), out / "calibration.png")


def f1_by_intent(guesses: "Sequence[Guess]") -> dict[str, float]:
    """The harmonic mean of precision and recall of every intent that was said."""
    true = Counter(guess.said.intent for guess in guesses)
    told = Counter(str(guess.ranking[0][0]) for guess in guesses)
    both = Counter(guess.said.intent for guess in guesses if guess.right)
    return {intent: 2 * both[intent] / (true[intent] + told[intent]) for intent in sorted(true)}


def bins_of(guesses: "Sequence[Guess]") -> "list[list[Guess]]":
    """The guesses in ten bins of confidence, from unsure to sure; empty ones are left out."""
    bins: list[list[Guess]] = [[] for _ in range(BINS)]
    for guess in guesses:
        bins[min(BINS - 1, int(guess.confidence * BINS))].append(guess)
    return [some for some in bins if some]


def _draw_intents(pyplot: Any, f1: dict[str, float], file: Path) -> None:
    names = sorted(f1, key=lambda name: f1[name])
    figure, axes = pyplot.subplots(figsize=(8, 1 + len(names) * 0.22))
    axes.barh(names, [f1[name] for name in names], color=_BLUE)
    axes.set(xlim=(0, 1), xlabel="F1", title="How well each intent is understood")
    axes.margins(y=0.01)
    _save(pyplot, figure, file)


def _draw_confusion(pyplot: Any, guesses: "Sequence[Guess]", file: Path) -> None:
    intents = sorted({guess.said.intent for guess in guesses})
    place = {intent: index for index, intent in enumerate(intents)}
    share = [[0.0] * len(intents) for _ in intents]
    true = Counter(guess.said.intent for guess in guesses)
    for guess in guesses:
        taken_for = guess.ranking[0][0]
        if taken_for in place:
            share[place[guess.said.intent]][place[taken_for]] += 1 / true[guess.said.intent]
    figure, axes = pyplot.subplots(figsize=(3 + len(intents) * 0.2, 3 + len(intents) * 0.2))
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(intents)), intents, rotation=90, fontsize=7)
    axes.set_yticks(range(len(intents)), intents, fontsize=7)
    axes.set(xlabel="taken for", ylabel="is", title="What is taken for what")
    figure.colorbar(image, shrink=0.6)
    _save(pyplot, figure, file)


def _draw_calibration(pyplot: Any, bins: "Sequence[Sequence[Guess]]", file: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", label="as sure as right")
    axes.plot(
        [sum(guess.confidence for guess in some) / len(some) for some in bins],
        [sum(guess.right for guess in some) / len(some) for some in bins],
        marker="o",
        color=_BLUE,
        label="the model",
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="share that is right", title="Calibration")
    axes.legend()
    _save(pyplot, figure, file)


def _save(pyplot: Any, figure: Any, file: Path) -> None:
    # The date that matplotlib would write into the picture would make equal reports differ.
    figure.savefig(file, dpi=80, bbox_inches="tight", metadata={"Software": None})
    pyplot.close(figure)
