"""What does a Rasa process get to know?"""

from __future__ import annotations

from nlu.environment import rasa_environment


def test_no_setting_or_secret_of_the_product_reaches_rasa() -> None:
    surroundings = {
        "PATH": "/usr/bin",
        "PORCHLIGHT_SECRET_KEY": "c2VjcmV0",
        "PORCHLIGHT_DATABASE_URL": "postgresql://x",
        "SANIC_WORKERS": "4",
        "LOG_LEVEL": "DEBUG",
    }

    given = rasa_environment(surroundings)

    assert given["PATH"] == "/usr/bin"
    assert not {name for name in given if name.startswith("PORCHLIGHT_")}
    # Several workers need a lock store; at DEBUG Rasa would write every message into its log.
    assert not given.keys() & {"SANIC_WORKERS", "LOG_LEVEL"}


def test_rasa_calls_nobody() -> None:
    assert rasa_environment({"RASA_TELEMETRY_ENABLED": "true"})["RASA_TELEMETRY_ENABLED"] == "false"
