"""Which training phrases are there, and on which line of which file? Imports nothing of Rasa's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Phrase:
    """One training phrase and where it stands."""

    text: str
    intent: str
    #: The folder's name: `be`, or `ru-Latn` for Russian in Latin letters.
    locale: str
    #: Who wrote it, by a pseudonym: how well the model understands is measured on authors it has not read.
    author: str
    file: Path
    line: int


@dataclass(frozen=True)
class Problem:
    """Something an editor has to mend, as a sentence."""

    file: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        """As editors and terminals expect it: file:line: sentence."""
        return f"{self.file}:{self.line}: {self.sentence}"


def read_folder(folder: Path) -> tuple[list[Phrase], list[Problem]]:
    """Everything in `folder`/<locale>/<intent>.yml, in the order of the names; never raises on a bad file."""
    phrases: list[Phrase] = []
    problems: list[Problem] = []
    for file in sorted(folder.rglob("*")):
        if file.is_dir() or file.name.startswith("."):
            continue
        if file.suffix != ".yml" or len(file.relative_to(folder).parts) != 2:
            problems.append(
                Problem(file, 1, "Training data lies in <locale>/<intent>.yml; this is something else.")
            )
            continue
        found, wrong = read_file(file)
        phrases += found
        problems += wrong
    return phrases, problems


def read_file(file: Path) -> tuple[list[Phrase], list[Problem]]:
    """The phrases of one Rasa YAML file that holds one intent, named as the file is."""
    try:
        tree = yaml.compose(file.read_text("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        return [], [Problem(file, 1, "The file is not UTF-8 text.")]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "it cannot be read"
        return [], [Problem(file, mark.line + 1 if mark else 1, f"The file is not valid YAML: {what}.")]
    return _from_tree(tree, file)


def _from_tree(tree: Any, file: Path) -> tuple[list[Phrase], list[Problem]]:
    top = _mapping(tree)
    if set(top) != {"version", "nlu"} or top["version"].value != "3.1":
        return [], [Problem(file, 1, 'The file must hold `version: "3.1"` and `nlu:`, and nothing else.')]
    entries = top["nlu"].value if isinstance(top["nlu"], yaml.SequenceNode) else []
    if not entries:
        line = top["nlu"].start_mark.line + 1
        return [], [Problem(file, line, "`nlu:` must hold an `- intent:` entry for each author.")]
    phrases: list[Phrase] = []
    problems: list[Problem] = []
    for entry in entries:
        found, wrong = _from_entry(_mapping(entry), file, line=entry.start_mark.line + 1)
        phrases += found
        problems += wrong
    return phrases, problems


def _from_entry(entry: dict[str, Any], file: Path, *, line: int) -> tuple[list[Phrase], list[Problem]]:
    author = getattr(_mapping(entry.get("metadata")).get("author"), "value", "")
    if set(entry) != {"intent", "metadata", "examples"} or not author:
        sentence = "The entry must hold `intent:`, `metadata: {author: …}` and `examples:`, and nothing else."
        return [], [Problem(file, line, sentence)]
    if entry["intent"].value != file.stem:
        sentence = f"The file is named {file.stem!r} but its intent is {entry['intent'].value!r}."
        return [], [Problem(file, line, sentence)]
    return _examples(entry["examples"], file, author=str(author))


def _mapping(node: Any) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(key.value): value for key, value in node.value}


def _examples(node: Any, file: Path, *, author: str) -> tuple[list[Phrase], list[Problem]]:
    if not isinstance(node, yaml.ScalarNode) or node.style != "|":
        line = node.start_mark.line + 1
        return [], [Problem(file, line, "`examples:` must be followed by `|` and a list, a phrase a line.")]
    phrases: list[Phrase] = []
    problems: list[Problem] = []
    # The block's own text begins on the line after the `|`.
    for line, written in enumerate(node.value.split("\n"), start=node.start_mark.line + 2):
        if not written.strip():
            continue
        if not written.startswith("- ") or not written[2:].strip():
            problems.append(Problem(file, line, "Each phrase must begin with `- ` and hold some text."))
            continue
        text = written[2:].strip()
        phrases.append(
            Phrase(text=text, intent=file.stem, locale=file.parent.name, author=author, file=file, line=line)
        )
    if not phrases and not problems:
        problems.append(Problem(file, node.start_mark.line + 1, "There is no phrase under `examples:`."))
    return phrases, problems
