"""Is the training data complete and in order? Imports nothing of Rasa's, so that any Python 3.10+ can run it.

    python -m nlu.lint [--data DIR] [--intents FILE]

Prints every problem as file:line: sentence, and exits with status 1 if there is one.
"""

import argparse
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import yaml

from nlu.components.normalisation import normalise
from nlu.fingerprint import DATA, ROOT
from nlu.phrases import Phrase, Problem, read_folder

INTENTS: Final = ROOT.parent / "flows" / "intents.yaml"
LOCALES: Final = ("be", "bn", "en", "ru")
LATIN: Final = ("bn-Latn", "ru-Latn")
"""Bangla and Russian typed in Latin letters: what a frightened child would say, not every service."""

STRANGERS: Final = ROOT / "yardsticks" / "strangers"
FEWEST_PHRASES: Final = 60
FEWEST_OF_SERVICE: Final = 40
FEWEST_OF_TALK: Final = 25
FEWEST_IN_LATIN: Final = 20
LONGEST_PHRASE: Final = 300

_TALK: Final = frozenset({"greet", "goodbye", "thanks", "affirm", "deny", "insult_bot", "out_of_scope"})
_SERVICE: Final = frozenset(
    {
        *("is_it_bullying", "is_it_illegal", "what_is_cyberbullying", "learn"),
        *("talk_to_human", "helpline_number", "report_status", "privacy_question", "who_are_you"),
        *("delete_my_data", "change_language", "help", "stop"),
    }
)
_NOT_OF_A_CHILD: Final = frozenset(
    {"parent_child_bullied", "parent_child_bullies", "parent_prevention", "teacher_incident"}
)

_FOREIGN_SCRIPTS: Final = {
    # Latin is allowed everywhere: children type Russian and Bangla in it, and platforms are named in it.
    "be": ("BENGALI", "ARABIC", "DEVANAGARI"),
    "bn": ("CYRILLIC", "ARABIC", "DEVANAGARI"),
    "en": ("CYRILLIC", "BENGALI", "ARABIC", "DEVANAGARI"),
    "ru": ("BENGALI", "ARABIC", "DEVANAGARI"),
    "bn-Latn": ("CYRILLIC", "BENGALI", "ARABIC", "DEVANAGARI"),
    "ru-Latn": ("CYRILLIC", "BENGALI", "ARABIC", "DEVANAGARI"),
}
_OWN_SCRIPT: Final = {"be": "CYRILLIC", "bn": "BENGALI", "en": "LATIN", "ru": "CYRILLIC"}
# Belarusians also type their language with Russian letters: only a file without any letter of its own is odd.
_WORD: Final = re.compile(r"[\w\u0980-\u09ff]+")
_TELLING_LETTERS: Final = {"be": frozenset("іў")}
_FOREIGN_LETTERS: Final = {"ru": frozenset("іўґ")}


def intents_of(file: Path) -> list[str]:
    """The names in flows/intents.yaml, in its order."""
    names = yaml.safe_load(file.read_text("utf-8"))["intents"]
    return [str(name) for name in names]


def problems_in(data: Path, *, intents: Sequence[str], yardstick: Path = STRANGERS) -> list[Problem]:
    """Everything an editor has to mend in `data`, in the order of files and lines."""
    phrases, problems = read_folder(data)
    problems += _of_files(data, intents=intents)
    problems += _of_whole_files(phrases)
    problems += _of_repeats(phrases)
    problems += _of_other_locales(phrases)
    problems += _of_leaks(phrases, yardstick)
    for phrase in phrases:
        problems += _of_phrase(phrase)
    return sorted(problems, key=lambda problem: (str(problem.file), problem.line))


def fewest(locale: str, intent: str) -> int:
    """How many distinct phrases an intent needs in a locale."""
    if locale in LATIN:
        return 0 if intent in _TALK | _SERVICE | _NOT_OF_A_CHILD else FEWEST_IN_LATIN
    if intent in _TALK:
        return FEWEST_OF_TALK
    return FEWEST_OF_SERVICE if intent in _SERVICE else FEWEST_PHRASES


def _of_files(data: Path, *, intents: Sequence[str]) -> Iterator[Problem]:
    for folder in sorted(path for path in data.iterdir() if path.is_dir()):
        if folder.name not in LOCALES + LATIN:
            known = ", ".join(LOCALES + LATIN)
            yield Problem(folder, 1, f"{folder.name!r} is not a locale; there are {known}.")
        for file in sorted(folder.glob("*.yml")):
            if file.stem not in intents:
                yield Problem(file, 1, f"There is no intent {file.stem!r} in flows/intents.yaml.")
    for locale in LOCALES + LATIN:
        for intent in intents:
            file = data / locale / f"{intent}.yml"
            if fewest(locale, intent) and not file.is_file():
                yield Problem(file, 1, f"The file is missing: {intent!r} has no phrases in {locale!r}.")


def _of_whole_files(phrases: Sequence[Phrase]) -> Iterator[Problem]:
    by_file: dict[Path, list[Phrase]] = defaultdict(list)
    for phrase in phrases:
        by_file[phrase.file].append(phrase)
    for file, inside in by_file.items():
        distinct = {normalise(phrase.text) for phrase in inside}
        needed = fewest(inside[0].locale, inside[0].intent)
        if len(distinct) < needed:
            yield Problem(file, 1, f"Only {len(distinct)} distinct phrases; at least {needed} are needed.")
        telling = _TELLING_LETTERS.get(inside[0].locale, frozenset())
        if telling and not telling & set("".join(distinct)):
            letters = " or ".join(sorted(telling))
            yield Problem(file, 1, f"No phrase has a letter {letters}: is this {inside[0].locale!r}?")


def _of_repeats(phrases: Sequence[Phrase]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Phrase] = {}
    for phrase in phrases:
        earlier = first.setdefault((phrase.locale, signature(phrase.text)), phrase)
        if earlier is phrase:
            continue
        where = "above" if earlier.file == phrase.file else f"in {earlier.file.name}"
        sentence = f"{phrase.text!r} stands already {where}, line {earlier.line}: {earlier.text!r}."
        yield Problem(phrase.file, phrase.line, sentence)


def _of_other_locales(phrases: Sequence[Phrase]) -> Iterator[Problem]:
    """One spelling cannot mean two things: the model reads all languages at once."""
    first: dict[str, Phrase] = {}
    for phrase in phrases:
        earlier = first.setdefault(normalise(phrase.text), phrase)
        if earlier.locale != phrase.locale and earlier.intent != phrase.intent:
            where = f"{earlier.locale}/{earlier.file.name}, line {earlier.line}"
            yield Problem(phrase.file, phrase.line, f"{phrase.text!r} has another intent in {where}.")


def _of_leaks(phrases: Sequence[Phrase], yardstick: Path) -> Iterator[Problem]:
    """What the model is measured on must not be what it learnt."""
    for file in sorted(yardstick.glob("*.yml")):
        texts = yaml.safe_load(file.read_text("utf-8")).values()
        measured = {signature(text) for lines in texts for text in lines.splitlines()}
        for phrase in phrases:
            # A bare word ("hello") is nobody's: without it the model is worse and the measure no better.
            if len(phrase.text.split()) > 2 and signature(phrase.text) in measured:
                sentence = (
                    f"{phrase.text!r} stands in the yardstick {file.name}, which may not be learnt from."
                )
                yield Problem(phrase.file, phrase.line, sentence)


def signature(text: str) -> str:
    """What a text and its near-duplicates share: the words in any order, without signs between them."""
    normal = normalise(text)
    words = _WORD.findall(normal)
    return " ".join(sorted(words)) if len(words) > 1 else normal


def _of_phrase(phrase: Phrase) -> Iterator[Problem]:
    if not normalise(phrase.text):
        yield Problem(phrase.file, phrase.line, "Nothing is left of this phrase once it is normalised.")
    if phrase.text.startswith("/"):
        yield Problem(
            phrase.file, phrase.line, "A phrase must not begin with a slash: Rasa takes it as a command."
        )
    if len(phrase.text) > LONGEST_PHRASE:
        sentence = f"The phrase has {len(phrase.text)} characters; {LONGEST_PHRASE} are the most."
        yield Problem(phrase.file, phrase.line, sentence)
    if "](" in phrase.text or "]{" in phrase.text:
        yield Problem(phrase.file, phrase.line, "`[…](…)` and `[…]{…}` mark entities in Rasa; we use none.")
    scripts = {_script(letter) for letter in phrase.text if letter.isalpha()}
    for foreign in _FOREIGN_SCRIPTS.get(phrase.locale, ()):
        if foreign in scripts:
            sentence = f"{phrase.text!r} has {foreign.title()} letters in a file of {phrase.locale!r}."
            yield Problem(phrase.file, phrase.line, sentence)
    for letter in sorted(_FOREIGN_LETTERS.get(phrase.locale, frozenset()) & set(phrase.text.lower())):
        sentence = f"{phrase.text!r} has the letter {letter!r}, which {phrase.locale!r} has not."
        yield Problem(phrase.file, phrase.line, sentence)
    if not scripts & {_OWN_SCRIPT.get(phrase.locale, "LATIN"), "LATIN"} and scripts:
        yield Problem(
            phrase.file, phrase.line, f"{phrase.text!r} is not written in the script of {phrase.locale!r}."
        )


def _script(letter: str) -> str:
    """The first word of a letter's Unicode name, which for the letters of our languages names its script."""
    return unicodedata.name(letter, "?").split(" ")[0]


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="lint", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of <locale>/<intent>.yml")
    parser.add_argument("--intents", type=Path, default=INTENTS, help="the list of intents")
    asked = parser.parse_args(arguments)
    if not asked.data.is_dir():
        print(f"There is no folder {asked.data}.", file=sys.stderr)
        return 1
    problems = problems_in(asked.data, intents=intents_of(asked.intents))
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problems in the training data.", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
