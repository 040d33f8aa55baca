"""Where do tests try conversations out? At the real console, before the real bot, with a model of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.app import create_app
from bot.config import Settings as BotSettings
from referral.config import Settings
from tests.bot.conftest import SECRET
from tests.fakes.rasa import FakeRasa
from tests.flows.worlds import REAL, real_book
from tests.golden.runner import documents, play
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import Service, running
from tests.referral.serving import SERVICE_SECRET, serving

NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A console, its bot, and the model behind it."""

    service: Service
    bot_url: str
    rasa: FakeRasa


@asynccontextmanager
async def stage(
    *, bot_database: str, desk_database: str, clock: Time, content: Path = REAL
) -> AsyncIterator[Stage]:
    """Both applications on free ports, with this content."""
    rasa = FakeRasa({"names": {"insults": 0.87, "rumours": 0.06}, "hmm": {"insults": 0.2, "threats": 0.18}})
    async with serving(rasa.app()) as nlu_url:
        settings = BotSettings(
            database_url=bot_database,
            secret_key=SECRET,
            service_secret=SERVICE_SECRET,
            nlu_url=nlu_url,
            referral_url=NOWHERE,
            content_dir=content,
        )
        async with serving(create_app(settings)) as bot_url:
            desk = Settings(
                referral_database_url=desk_database,
                referral_secret_key=SECRET_KEY,
                service_secret=SERVICE_SECRET,
                bot_url=bot_url,
            )
            async with running(desk, clock=clock) as service:
                yield Stage(service=service, bot_url=bot_url, rasa=rasa)


def plays_as_saved(text: str, folder: Path) -> list[dict[str, object]]:
    """The turns of a saved conversation, which the player of goldens plays exactly as they were saved."""
    file = folder / "saved.yaml"
    file.write_text(text, encoding="utf-8")
    (document,) = documents(file)
    assert yaml.safe_load(text) == document
    turns, _ = play(real_book(), document)
    assert turns == document["turns"]
    return turns
