"""How is the model put behind its HTTP API? Becomes `rasa run`, on loopback.

    nlu/.venv/bin/python -m nlu.serve --model FILE --port PORT

Rasa serves the newest other model of the folder, in silence, when the file it was given is missing. So
this refuses a missing file, and whoever starts it must ask `GET /status` until it answers and compare:
`model_file` there is the name of FILE, and that name carries the fingerprint of the training data.
While Rasa is still loading, the port is closed; without a loaded model `/status` answers 409.
"""

import argparse
import os
import sys
import tarfile
from pathlib import Path
from typing import Final, NoReturn

from nlu.environment import rasa_environment
from nlu.fingerprint import ROOT

LOOPBACK: Final = "127.0.0.1"
DEFAULT_PORT: Final = 5005


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns only if the model cannot be served."""
    parser = argparse.ArgumentParser(prog="serve", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, required=True, help="what nlu.train printed with --print-path")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    asked = parser.parse_args(arguments)
    model: Path = asked.model.resolve()
    problem = _problem_with(model)
    if problem is None:
        _become_rasa(model, port=asked.port)
    print(f"The model is not served. {problem}", file=sys.stderr)
    return 1


def _problem_with(model: Path) -> str | None:
    if not model.is_file():
        return f"There is no file {model}; `./porchlight train` makes it."
    try:
        with tarfile.open(model) as archive:
            names = archive.getnames()
    except (tarfile.TarError, OSError, EOFError) as error:
        return f"{model} cannot be read ({error}). Remove it and run `./porchlight train`."
    if not any(name.endswith("metadata.json") for name in names):
        return f"{model} is not a Rasa model. Remove it and run `./porchlight train`."
    return None


def _become_rasa(model: Path, *, port: int) -> NoReturn:
    os.chdir(ROOT.parent)  # Rasa finds nlu.components from here.
    command = [sys.executable, "-m", "rasa", "run", "--enable-api", "--model", str(model)]
    command += ["--interface", LOOPBACK, "--port", str(port), "--quiet"]
    os.execve(sys.executable, command, rasa_environment(os.environ))  # noqa: S606 - our own interpreter.


if __name__ == "__main__":
    sys.exit(main())
