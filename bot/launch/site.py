"""Where does this installation keep its files, and which settings has it?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from dotenv import dotenv_values

from bot.launch.errors import LaunchError

ROOT = Path(__file__).parents[2]
PREFIX = "PORCHLIGHT_"

#: What each of our processes is started with, whatever else it gets.
FOR_EVERY_PROCESS: Mapping[str, str] = {
    # The C library gives each thread a memory pool of its own, which it hardly ever returns.
    "MALLOC_ARENA_MAX": "2",
    "PYTHONUNBUFFERED": "1",
    # python-telegram-bot warns about every duration in seconds until it is told that we take timedeltas.
    "PTB_TIMEDELTA": "1",
}

#: Every setting of the product, the reason why ``doctor`` can name a misspelt one; the README explains them.
KNOWN = frozenset(
    PREFIX + name
    for name in (
        "ANSWER_WITHIN_MINUTES",
        "BOT_URL",
        "CHATWOOT_ACCOUNT",
        "CHATWOOT_INBOX",
        "CHATWOOT_TOKEN",
        "CHATWOOT_URL",
        "CHATWOOT_WEBHOOK_SECRET",
        "CLOCK_CONCERN_MINUTES",
        "CLOCK_EMERGENCY_MINUTES",
        "CLOCK_ALWAYS_FROM",
        "CLOCK_NONE_MINUTES",
        "SKILLS_FIRST_MINUTES",
        "CASE_RETENTION_DAYS",
        "REPORTED_CASE_RETENTION_DAYS",
        "CLOCK_URGENT_MINUTES",
        "CONSOLE_NETWORKS",
        "CONSOLE_URL",
        "CONTENT_DIR",
        "COUNTRIES",
        "COUNTRY",
        "DATABASE_URL",
        "DATA_DIR",
        "DELIVERY_CONCURRENCY",
        "DIRECTORY_DIR",
        "LOCALE",
        "MASTER_KEYS",
        "MASTER_KEYS_FILE",
        "NLU_THRESHOLD",
        "NLU_URL",
        "OIDC_CLAIM",
        "OIDC_CLIENT_ID",
        "OIDC_CLIENT_SECRET",
        "OIDC_NAME",
        "OIDC_PRIVATE_ADDRESSES",
        "OIDC_ROLES",
        "OIDC_ROLES_CLAIM",
        "OIDC_URL",
        "PAGER_EMAIL_FROM",
        "PAGER_EMAIL_TO",
        "WEBHOOKS_PRIVATE_ADDRESSES",
        "SOURCE_REQUESTS_PER_MINUTE",
        "PAGER_PRIVATE_ADDRESSES",
        "PAGER_SMTP_URL",
        "PAGER_TELEGRAM_CHAT",
        "PAGER_TELEGRAM_TOKEN",
        "PAGER_WEBHOOK_SECRET",
        "PAGER_WEBHOOK_URL",
        "POSTGRES_BIN",
        "PRIMERO_AUDIENCE",
        "PRIMERO_MAPPING_DIR",
        "PRIMERO_PASSWORD",
        "PRIMERO_URL",
        "PRIMERO_USER",
        "PUBLIC_URL",
        "PYTHON",
        "REFERRAL_DATABASE_URL",
        "REFERRAL_SECRET_KEY",
        "REFERRAL_URL",
        "REPORT_HIDE_BELOW",
        "REPORT_ZONE",
        "RETENTION_DAYS",
        "SECOND_FACTOR",
        "SECRET_KEY",
        "SERVICE_SECRET",
        "SESSION_HOURS",
        "SESSION_IDLE_MINUTES",
        "TELEGRAM_API_URL",
        "TELEGRAM_MODE",
        "TELEGRAM_SECRET",
        "TELEGRAM_TOKEN",
        "TEST_DATABASE_URL",
        "TRACES_URL",
        "TRUSTED_PROXIES",
        "VIBER_API_URL",
        "VIBER_TOKEN",
        "WORKER_CONCURRENCY",
        "WORKER_LISTEN",
    )
)


class SettingsFileUnreadable(LaunchError):
    """The file .env cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One installation: its folder, its data and its settings."""

    root: Path
    data: Path
    #: The environment, with the lines of ``.env`` below it: a variable that is set wins.
    settings: Mapping[str, str]

    @classmethod
    def here(cls, *, data: Path | None = None) -> Self:
        """The installation that this code belongs to; ``data`` overrides PORCHLIGHT_DATA_DIR."""
        settings = {**read_settings_file(ROOT / ".env"), **os.environ}
        folder = data.absolute() if data else ROOT / (settings.get("PORCHLIGHT_DATA_DIR") or "var")
        return cls(root=ROOT, data=folder, settings=settings)

    def setting(self, name: str) -> str | None:
        """A setting by its full name; an empty one counts as not set."""
        return self.settings.get(name) or None

    def without(self, *names: str) -> Site:
        """The same installation with these settings as if they were not set."""
        left = {name: value for name, value in self.settings.items() if name not in names}
        return replace(self, settings=left)

    @property
    def logs(self) -> Path:
        """Where every process writes its log."""
        return self.data / "log"

    @property
    def running_file(self) -> Path:
        """Where a running ``up`` notes its addresses, as settings, for ``chat`` and ``parse``."""
        return self.data / "running.env"

    @property
    def postgres_binaries(self) -> Path | None:
        """The folder that PORCHLIGHT_POSTGRES_BIN names."""
        setting = self.setting("PORCHLIGHT_POSTGRES_BIN")
        return Path(setting) if setting else None

    @property
    def nlu_python(self) -> Path:
        """The interpreter of the model's environment."""
        return self.root / "nlu" / ".venv" / "bin" / "python"


def read_settings_file(file: Path) -> dict[str, str]:
    """The lines ``NAME=value`` of a settings file; none if there is no such file."""
    if not file.exists():
        return {}
    try:
        values = dotenv_values(file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsFileUnreadable(
            f"{file} cannot be read ({error}). It must be a UTF-8 text file that you may read."
        ) from error
    return {name: value for name, value in values.items() if value is not None}
