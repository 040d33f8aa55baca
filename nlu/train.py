"""Is there a model for the training data as it is now? If not, this makes it.

Run by nlu/.venv's interpreter from the repository root:

    nlu/.venv/bin/python -m nlu.train [--data DIR] [--out FILE] [--print-path] [--check]

Without `--out` the model is nlu/models/nlu-<fingerprint>.tar.gz and models of earlier data are removed.
Progress and complaints go to standard error. Exit status: 0 the model is there, 1 it could not be made (or
`--check` found none), 2 the command line is wrong.
"""

import argparse
import contextlib
import errno
import fcntl
import io
import logging
import os
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from nlu.environment import rasa_environment
from nlu.fingerprint import DATA, MODELS, ROOT, fingerprint
from nlu.lint import INTENTS, intents_of
from nlu.phrases import read_folder
from nlu.progress import Progress

ROOM_NEEDED: Final = 300 * 1024 * 1024
"""Bytes free before training starts: a model takes 8 MB, its unpacked parts and the encodings the rest."""

_COMPLAINT_LINES: Final = 30


class TrainingError(Exception):
    """The model could not be made; the sentence says why, the details what was said before it."""

    def __init__(self, sentence: str, *, details: str = "") -> None:
        super().__init__(sentence)
        self.details = details


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        return _run(asked)
    except TrainingError as error:
        if error.details:
            print(error.details, file=sys.stderr)
        # Last, so that whoever shows only the end of it shows the reason.
        print(f"No model was made. {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of <locale>/<intent>.yml")
    parser.add_argument(
        "--out", type=Path, help="file to write (default: nlu/models/nlu-<fingerprint>.tar.gz)"
    )
    parser.add_argument("--print-path", action="store_true", help="print the model's path to standard output")
    parser.add_argument(
        "--check", action="store_true", help="only say whether the model is there; train nothing"
    )
    return parser


def _run(asked: argparse.Namespace) -> int:
    data: Path = asked.data.resolve()
    if not data.is_dir():
        raise TrainingError(f"There is no folder {data}.")
    mark = fingerprint(data)
    model: Path = asked.out.resolve() if asked.out else MODELS / f"nlu-{mark}.tar.gz"
    # A name of the user's own says nothing about what the file was made of: such a model is always made anew.
    current = mark in model.name and model.is_file()
    if asked.check:
        print(f"The model is {'up to date' if current else 'missing'}: {model}", file=sys.stderr)
        return 0 if current else 1
    if current:
        print(f"The model is up to date: {model}", file=sys.stderr)
    else:
        _refuse_bad_data(data)
        make_model(data, model=model, mark=mark)
    if asked.print_path:
        print(model)
    return 0


def _refuse_bad_data(data: Path) -> None:
    phrases, problems = read_folder(data)
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise TrainingError(f"The training data has faults ({len(problems)}).", details=listed)
    if not phrases:
        raise TrainingError(f"There is no training data in {data}: no <locale>/<intent>.yml.")
    found = {phrase.intent for phrase in phrases}
    if unknown := sorted(found - set(intents_of(INTENTS))):
        raise TrainingError(f"No such intent in {INTENTS.name}: {', '.join(unknown)}.")
    if len(found) < 2:
        raise TrainingError(f"A classifier needs two intents to tell apart; here is only {found.pop()}.")


def make_model(data: Path, *, model: Path, mark: str) -> None:
    """Train on `data` and put the result at `model`, whole or not at all; raises TrainingError."""
    try:
        model.parent.mkdir(parents=True, exist_ok=True)
        _refuse_full_disk(model.parent)
        with _alone(model.parent):
            if mark in model.name and model.is_file():
                return  # Another process made it while this one waited.
            with tempfile.TemporaryDirectory(prefix=".training-", dir=model.parent) as folder:
                made = _train(data, Path(folder))
                _check(made)
                if fingerprint(data) != mark:
                    raise TrainingError("The training data was changed meanwhile. Please start again.")
                os.replace(made, model)
            if model.parent == MODELS:
                _remove_others(model)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise TrainingError(
                f"The disk is full ({model.parent}). Free some room and start again."
            ) from error
        raise TrainingError(f"{error.strerror or error}: {error.filename or model.parent}.") from error


def _refuse_full_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < ROOM_NEEDED:
        raise TrainingError(
            f"Only {free // 2**20} MB are free in {folder}; training needs {ROOM_NEEDED // 2**20} MB."
        )


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One training at a time in this folder; the lock goes with the process that holds it."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_others(model: Path) -> None:
    for other in model.parent.glob("nlu-*.tar.gz"):
        if other != model:
            other.unlink(missing_ok=True)


def _train(data: Path, folder: Path) -> Path:
    chatter = io.StringIO()
    with Progress() as progress:
        progress.stage("Starting Rasa")
        # Set before the first import of NumPy or TensorFlow: both read it once.
        surroundings = rasa_environment(os.environ)
        os.environ.clear()
        os.environ.update(surroundings)
        # Compiling what Rasa imports takes longer than importing it. What training compiles, serving finds.
        sys.dont_write_bytecode = False
        os.chdir(ROOT.parent)  # Rasa finds nlu.components from here.
        with contextlib.redirect_stdout(chatter), _listening(progress, chatter):
            try:
                from rasa.model_training import train_nlu

                progress.stage("Reading the training data")
                made = train_nlu(
                    str(ROOT / "config.yml"), str(data), str(folder), fixed_model_name="nlu.tar.gz"
                )
            except OSError:
                raise
            except (Exception, SystemExit) as error:
                raise TrainingError(f"Rasa gave up: {error}", details=_last_lines(chatter)) from error
    if made is None:
        raise TrainingError("Rasa made no model.", details=_last_lines(chatter))
    return Path(made)


@contextlib.contextmanager
def _listening(progress: Progress, chatter: io.StringIO) -> Iterator[None]:
    root = logging.getLogger()
    listener = _Listener(progress, chatter)
    before = root.level
    root.addHandler(listener)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(listener)
        root.setLevel(before)


class _Listener(logging.Handler):
    """Turns what Rasa and our components log into stages, and keeps the rest for the case of failure."""

    def __init__(self, progress: Progress, chatter: io.StringIO) -> None:
        super().__init__(logging.INFO)
        self._progress = progress
        self._chatter = chatter

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        self._chatter.write(f"{said}\n")
        if learning := re.match(r"Learning from (\d+) phrases", said):
            self._progress.stage(f"Learning to tell the intents apart, from {learning[1]} phrases")
        elif encoded := re.match(r"Encoded (\d+) of (\d+) phrases", said):
            self._progress.stage(f"Encoding {encoded[2]} new phrases")
            self._progress.share(int(encoded[1]), int(encoded[2]))


def _last_lines(chatter: io.StringIO) -> str:
    return "\n".join(f"  {line}" for line in chatter.getvalue().splitlines()[-_COMPLAINT_LINES:])


def _check(made: Path) -> None:
    """Rasa leaves an archive even where a component stored nothing; such a model would answer at random."""
    with tarfile.open(made) as archive:
        names = archive.getnames()
    for needed in ("metadata.json", "IntentClassifier"):
        if not any(needed in name for name in names):
            raise TrainingError(f"The model is not whole: {needed} is missing from it.")


if __name__ == "__main__":
    sys.exit(main())
