"""What may a Rasa process know of its surroundings? Imports nothing of Rasa's."""

from collections.abc import Mapping
from typing import Final

from nlu.fingerprint import ROOT

_PASSED_ON: Final = (
    "HOME",
    "LANG",
    "LC_ALL",
    "PATH",
    "TMPDIR",
    "TZ",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
)

_SETTINGS: Final = {
    "RASA_TELEMETRY_ENABLED": "false",
    # Rasa would store the featurised phrases of every training, hundreds of megabytes, and read them back
    # slower than our own file of encodings gives them.
    "RASA_MAX_CACHE_SIZE": "0",
    "RASA_CACHE_DIRECTORY": str(ROOT / ".rasa" / "cache"),
    "MPLCONFIGDIR": str(ROOT / ".rasa" / "matplotlib"),
    "MPLBACKEND": "Agg",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    # TensorFlow is imported by Rasa and never used, so its thread pools may be as small as can be.
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    # One sentence at a time on a machine that does other things too: threads would only wait for each other.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # One arena for all threads but one: the process is 100 MB smaller after a while.
    "MALLOC_ARENA_MAX": "2",
}


def rasa_environment(surroundings: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a Rasa process: no setting and no secret of the product is in it."""
    return {name: surroundings[name] for name in _PASSED_ON if name in surroundings} | _SETTINGS
