"""The whole product as real processes that a test may kill, on a database server that it may kill as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.migrate import migrate as migrate_bot
from referral.database import migrate as migrate_referral
from tests.acceptance.product import Product, free_port, product, wait_for
from tests.crashes.servers import Database
from tests.fakes.telegram import FakeTelegram
from tests.nlu_server import INTERPRETER

#: Two of them, so that one takes over what the other has left.
WORKERS = ("worker", "second worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What runs, by the names under which it is killed and started again."""

    product: Product
    database: Database
    telegram: FakeTelegram
    model: Path

    @property
    def parts(self) -> Mapping[str, Callable[[], None]]:
        """How each part is started, by its name."""
        return {
            "web": self.product.start_web,
            **{name: self._starter(name) for name in WORKERS},
            "referral": self.product.start_referral,
            "model": self.start_model,
            "database": self.database.start,
        }

    def start_model(self) -> None:
        """Start Rasa; nobody waits for it, since the bot answers without."""
        port = self.product.nlu.rpartition(":")[2]
        arguments = ("nlu.serve", "--model", str(self.model), "--port", port)
        self.product.start("model", *arguments, interpreter=INTERPRETER)

    def kill(self, part: str) -> None:
        """End a part as a power cut would."""
        if part == "database":
            self.database.kill()
        else:
            self.product.kill(part)

    def ended(self) -> list[str]:
        """The parts that are gone though nobody has killed them."""
        return [name for name, process in self.product.processes.items() if process.poll() is not None]

    def _starter(self, name: str) -> Callable[[], None]:
        return lambda: self.product.start(name, "bot", "worker")


@contextmanager
def world(database: Database, *, model: Path, logs: Path) -> Iterator[World]:
    """Everything up and answering on this server; what still runs at the end is stopped."""
    nlu = f"http://127.0.0.1:{free_port()}"
    migrate_bot(database.url("bot"))
    migrate_referral(database.url("referral"))
    with (
        FakeTelegram() as telegram,
        product(
            bot_database=database.url("bot"),
            referral_database=database.url("referral"),
            nlu=nlu,
            logs=logs,
            settings={
                "PORCHLIGHT_TELEGRAM_TOKEN": telegram.token,
                "PORCHLIGHT_TELEGRAM_API_URL": telegram.url,
            },
        ) as running,
    ):
        here = World(product=running, database=database, telegram=telegram, model=model)
        here.parts[WORKERS[1]]()
        here.start_model()
        wait_for(f"{nlu}/status")
        yield here
