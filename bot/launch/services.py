"""Which processes make up the product, and what does each get to know?"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.launch import model, secrets
from bot.launch.errors import LaunchError
from bot.launch.postgres import EmbeddedPostgres
from bot.launch.processes import Service, run_to_end
from bot.launch.site import FOR_EVERY_PROCESS, PREFIX, Site

#: Settings that only one side may see: the bot cannot open the helpline's words, nor the other way round.
_BOT_ONLY = frozenset(
    PREFIX + name
    for name in (
        "DATABASE_URL",
        "SECRET_KEY",
        "MASTER_KEYS",
        "MASTER_KEYS_FILE",
        "TELEGRAM_TOKEN",
        "TELEGRAM_SECRET",
        "VIBER_TOKEN",
    )
)
_REFERRAL_ONLY = frozenset(
    PREFIX + name
    for name in (
        "REFERRAL_DATABASE_URL",
        "REFERRAL_SECRET_KEY",
        "PAGER_WEBHOOK_SECRET",
        "PAGER_TELEGRAM_TOKEN",
        "PAGER_SMTP_URL",
    )
)
_NOT_FOR = {"bot": _REFERRAL_ONLY, "referral": _BOT_ONLY}


class MigrationFailed(LaunchError):
    """A database could not be brought to the form that this version needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the three servers listen."""

    bot: int = 8000
    console: int = 8100
    nlu: int = 5005


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """An installation with its databases up: what its processes are started with."""

    site: Site
    ports: Ports
    #: Everything that any process may need; ``_environment`` hands out the parts.
    settings: Mapping[str, str]
    #: The server that we run ourselves; None where settings name others.
    server: EmbeddedPostgres | None
    host: str = "127.0.0.1"

    @property
    def bot_url(self) -> str:
        """Where this machine reaches the bot."""
        return f"http://127.0.0.1:{self.ports.bot}"

    @property
    def console_url(self) -> str:
        """Where this machine reaches the helpline desk."""
        return f"http://127.0.0.1:{self.ports.console}"

    def bot_web(self) -> Service:
        """The bot's public side."""
        return self._python(
            "bot-web",
            ["bot", "web", "--host", self.host, "--port", str(self.ports.bot)],
            hidden=_REFERRAL_ONLY,
            health=f"{self.bot_url}/readyz",
        )

    def bot_worker(self) -> Service:
        """The process that answers."""
        return self._python("bot-worker", ["bot", "worker"], hidden=_REFERRAL_ONLY)

    def referral(self) -> Service:
        """The helpline desk."""
        return self._python(
            "referral",
            ["referral", "web", "--host", self.host, "--port", str(self.ports.console)],
            hidden=_BOT_ONLY,
            health=f"{self.console_url}/readyz",
        )

    def nlu(self, trained: model.Model) -> Service:
        """The model's server; ready only when it has loaded exactly this model."""
        return model.service(self.site, trained, port=self.ports.nlu)

    async def migrate(self) -> None:
        """Bring both databases up to date; raises ``MigrationFailed``."""
        await asyncio.gather(self.migrate_one("bot"), self.migrate_one("referral"))

    def environment_of(self, package: str) -> dict[str, str]:
        """What ``python -m PACKAGE`` is run with: nothing that is the other's alone."""
        return self._environment(hidden=_NOT_FOR[package])

    async def migrate_one(self, package: str) -> None:
        """Bring the database of ``bot`` or ``referral`` up to date; raises ``MigrationFailed``."""
        log = self.site.logs / f"{package}-migrate.log"
        code, said = await run_to_end(
            [sys.executable, "-m", package, "migrate"],
            environment=self.environment_of(package),
            directory=self.site.root,
            log=log,
        )
        if code:
            last = said.splitlines()[-1] if said else f"it ended with code {code}"
            raise MigrationFailed(
                f"The database of '{package}' could not be brought up to date: {last}"
                f" The whole log is {log}. Nothing was started."
            )

    def _python(
        self, name: str, arguments: list[str], *, hidden: frozenset[str], health: str | None = None
    ) -> Service:
        return Service(
            name=name,
            command=[sys.executable, "-m", *arguments],
            environment=self._environment(hidden=hidden),
            directory=self.site.root,
            health=health,
        )

    def _environment(self, *, hidden: frozenset[str]) -> dict[str, str]:
        everything = {**self.site.settings, **self.settings, **FOR_EVERY_PROCESS}
        return {name: value for name, value in everything.items() if name not in hidden}


@contextlib.contextmanager
def product(site: Site, *, ports: Ports | None = None, host: str = "127.0.0.1") -> Iterator[Product]:
    """The installation with secrets made and databases up, for as long as the block runs."""
    ports = ports or Ports()
    known = secrets.ensure(site.data, settings=site.settings)
    with databases(site) as (server, urls):
        yield Product(
            site=site,
            ports=ports,
            host=host,
            server=server,
            settings={**known, **urls, **_addresses(site, ports), **_master_keys(site)},
        )


def _master_keys(site: Site) -> dict[str, str]:
    if site.setting(secrets.MASTER_KEYS) or site.setting(secrets.MASTER_KEYS_FILE):
        return {}
    return {secrets.MASTER_KEYS_FILE: str(secrets.master_keys_file(site))}


def _addresses(site: Site, ports: Ports) -> dict[str, str]:
    """Who finds whom on this machine; a setting that says otherwise wins."""
    here = {
        "PORCHLIGHT_BOT_URL": f"http://127.0.0.1:{ports.bot}",
        "PORCHLIGHT_REFERRAL_URL": f"http://127.0.0.1:{ports.console}",
        "PORCHLIGHT_NLU_URL": f"http://127.0.0.1:{ports.nlu}",
        "PORCHLIGHT_PUBLIC_URL": f"http://127.0.0.1:{ports.bot}",
    }
    return {name: site.setting(name) or value for name, value in here.items()}


@contextlib.contextmanager
def databases(site: Site) -> Iterator[tuple[EmbeddedPostgres | None, dict[str, str]]]:
    """The server that we run ourselves, if any, and the URL of each database under its setting's name."""
    names = {"PORCHLIGHT_DATABASE_URL": "bot", "PORCHLIGHT_REFERRAL_DATABASE_URL": "referral"}
    given = {name: url for name in names if (url := site.setting(name))}
    if len(given) == len(names):
        yield None, given
        return
    with EmbeddedPostgres(site.data, binaries=site.postgres_binaries) as server:
        yield server, {name: given.get(name) or server.url(database) for name, database in names.items()}
