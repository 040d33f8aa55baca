"""Which settings the bot has, where they come from and what is wrong with them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOCALES = ("en", "ru", "be", "bn")


_HERE = ("127.0.0.1", "localhost", "::1")


class TelegramMode(StrEnum):
    """How Telegram's updates reach us."""

    POLLING = "polling"
    WEBHOOK = "webhook"


class Settings(BaseSettings):
    """Settings of the bot, from ``PORCHLIGHT_*`` variables; secrets have no default."""

    model_config = SettingsConfigDict(env_prefix="PORCHLIGHT_", extra="ignore", env_ignore_empty=True)

    #: Where the bot keeps its conversations, ``postgresql://…``.
    database_url: str
    #: At least 32 random bytes in base64: pseudonyms and stored words depend on it.
    secret_key: str
    #: Shared with the referral service; a Standard Webhooks secret, ``whsec_…``.
    service_secret: str
    #: Newer master keys than the one that comes from the secret key, as ``2:… 3:…``, 32 bytes in base64 each.
    master_keys: str = ""
    #: A file with newer master keys, written alike; it is read again when it changes.
    master_keys_file: Path | None = None
    referral_url: str = "http://127.0.0.1:8100"
    nlu_url: str = "http://127.0.0.1:5005"
    #: The address that visitors see, for links and the widget.
    public_url: str = "http://127.0.0.1:8000"
    #: The country of a visitor who has not said, ISO 3166 alpha-2.
    country: str | None = None
    #: The countries that the bot asks for and gives numbers of.
    countries: Annotated[tuple[str, ...], NoDecode] = ("BY", "BD")
    locale: str = "en"
    telegram_token: str | None = None
    telegram_api_url: str = "https://api.telegram.org"
    telegram_mode: TelegramMode = TelegramMode.POLLING
    telegram_secret: str | None = None
    viber_token: str | None = None
    viber_api_url: str = "https://chatapi.viber.com"
    #: The folder with flows, texts and lexicons.
    content_dir: Path = Path(__file__).parent.parent / "flows"
    #: The folder with the deployment's own ``helplines.yaml`` or ``platforms.yaml``, which lie over ours.
    directory_dir: Path | None = None
    #: Below this confidence a guess of the model is not acted upon.
    nlu_threshold: float = Field(default=0.35, ge=0, le=1)
    #: Advice conversations are erased after this many days without a word.
    retention_days: int = Field(default=30, ge=1)
    worker_concurrency: int = Field(default=20, ge=1)
    #: Where traces are sent, a collector that speaks OTLP over HTTP; empty where nobody wants them.
    traces_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    #: Where a worker tells how it is, ``host:port``; empty where nobody asks it.
    worker_listen: str = Field(default="", pattern=r"^([^:\s]+:\d{1,5})?$")
    #: The time zone in whose months the use of the flows is counted, the same as that of the desk's reports.
    report_zone: str = "UTC"

    @property
    def report_time_zone(self) -> ZoneInfo:
        """The time zone of the reports."""
        return ZoneInfo(self.report_zone)

    @field_validator("report_zone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("no such time zone; use a name such as Europe/Minsk or Asia/Dhaka")
        return name

    @property
    def reachable_address(self) -> str | None:
        """Where phones can fetch from us; None while ``public_url`` is an address of this machine alone."""
        # A messenger on this machine, as in tests, reaches us all the same.
        if _is_here(self.public_url) and not _is_here(self.viber_api_url):
            return None
        return self.public_url.rstrip("/")

    @field_validator("countries", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip().upper() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("country")
    @classmethod
    def _upper(cls, value: str | None) -> str | None:
        return value.upper() if value else None

    @field_validator("locale")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in LOCALES:
            raise ValueError(f"PORCHLIGHT_LOCALE must be one of {', '.join(LOCALES)}")
        return value

    @field_validator("service_secret")
    @classmethod
    def _standard(cls, value: str) -> str:
        if not value.startswith("whsec_"):
            raise ValueError("PORCHLIGHT_SERVICE_SECRET must start with whsec_")
        return value


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in _HERE
