"""Which settings the referral service has, where they come from and what to do when one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from referral.cases.clocks import Clocks
from referral.cases.rules import DangerLevel
from referral.connectors.happenings import Audience
from referral.errors import SettingsInvalid
from referral.operators.networks import networks
from referral.operators.registration import Registration
from referral.operators.rules import Demand, Policy, Role
from referral.retention.rules import Keeping

#: What an administrator can do about each setting that has no default.
_REMEDIES = {
    "referral_database_url": (
        "Set PORCHLIGHT_REFERRAL_DATABASE_URL to a PostgreSQL database of the referral service's own, "
        "for example postgresql:///referral?host=/var/run/postgresql"
    ),
    "referral_secret_key": (
        "Set PORCHLIGHT_REFERRAL_SECRET_KEY to 32 random bytes in base64, made once with "
        "`head -c 32 /dev/urandom | base64`, and keep a copy: without it stored words cannot be read"
    ),
    "service_secret": (
        "Set PORCHLIGHT_SERVICE_SECRET to the secret that bot and referral share: whsec_ followed by "
        "24 to 64 random bytes in base64"
    ),
}


class Settings(BaseSettings):
    """Settings of the referral service, from ``PORCHLIGHT_*`` variables; secrets have no default."""

    model_config = SettingsConfigDict(
        env_prefix="PORCHLIGHT_",
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
        frozen=True,
    )

    #: Where cases are kept, ``postgresql://…`` as libpq understands it.
    referral_database_url: str = Field(pattern=r"^postgres(ql)?://")
    #: At least 32 random bytes in base64; stored words are sealed with it.
    referral_secret_key: str
    #: Shared with the bot; a Standard Webhooks secret, ``whsec_…``.
    service_secret: str = Field(pattern=r"^whsec_[A-Za-z0-9+/]{32,}=*$")
    #: Where the bot is: events go to ``/referral/events`` below it.
    bot_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://")
    #: Where the bot finds us.
    referral_url: str = Field(default="http://127.0.0.1:8100", pattern=r"^https?://")
    #: Where operators find the console; the address of the referral service unless set.
    console_url: str = ""
    #: Where traces are sent, a collector that speaks OTLP over HTTP; empty where nobody wants them.
    traces_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    #: How many deliveries to the bot may be under way at once.
    delivery_concurrency: int = Field(default=10, ge=1, le=100)

    #: A case that is held without an answer goes back to the line after so many minutes.
    answer_within_minutes: int = Field(default=10, ge=1, le=24 * 60)

    #: How many minutes a visitor may wait for an answer, by danger level, before others are told.
    clock_emergency_minutes: int = Field(default=2, ge=1, le=60)
    clock_urgent_minutes: int = Field(default=15, ge=1, le=24 * 60)
    clock_concern_minutes: int = Field(default=4 * 60, ge=1, le=7 * 24 * 60)
    clock_none_minutes: int = Field(default=24 * 60, ge=1, le=30 * 24 * 60)

    #: A visitor is left to those who serve their language, country and role for so many minutes.
    skills_first_minutes: int = Field(default=5, ge=0, le=24 * 60)

    #: From which danger level on a clock also runs while the helpline is closed.
    clock_always_from: DangerLevel = DangerLevel.URGENT

    #: Who hears of an overdue case: any of a signed webhook, a Telegram group of the staff and e-mail.
    pager_webhook_url: str = Field(default="", pattern=r"^(https?://.+)?$")
    pager_webhook_secret: str = Field(default="", pattern=r"^(whsec_[A-Za-z0-9+/]{32,}=*)?$")
    #: True if the webhook may lead into a private network, or be without https.
    pager_private_addresses: bool = False
    pager_telegram_token: str = ""
    pager_telegram_chat: str = ""
    telegram_api_url: str = Field(default="https://api.telegram.org", pattern=r"^https?://")
    pager_smtp_url: str = Field(default="", pattern=r"^(smtps?://.+)?$")
    pager_email_from: str = ""
    pager_email_to: str = ""

    #: How many requests each other bot that refers cases may send in a minute.
    source_requests_per_minute: int = Field(default=120, ge=1, le=100_000)
    #: True if webhooks about cases may lead into a private network, or be without https.
    webhooks_private_addresses: bool = False

    #: The Primero v2 in which cases become records, and as whom we sign in there.
    primero_url: str = Field(default="", pattern=r"^(https?://.+)?$")
    primero_user: str = ""
    primero_password: str = ""
    #: Whose Primero it is: others are told only of visitors who agreed to that.
    primero_audience: Audience = Audience.OTHERS
    #: A folder with mapping files of your own, ``BY.yaml``; each replaces ours of that country.
    primero_mapping_dir: Path | None = None

    #: The Chatwoot in whose inbox cases appear as conversations, and the token of one of its administrators.
    chatwoot_url: str = Field(default="", pattern=r"^(https?://.+)?$")
    chatwoot_account: int = Field(default=0, ge=0)
    chatwoot_inbox: int = Field(default=0, ge=0)
    chatwoot_token: str = ""
    #: What Chatwoot signs with when it rings, from version 4.13 on.
    chatwoot_webhook_secret: str = ""

    @model_validator(mode="after")
    def _connectors_are_whole(self) -> Self:
        for names in (
            ("primero_url", "primero_user", "primero_password"),
            ("chatwoot_url", "chatwoot_account", "chatwoot_inbox", "chatwoot_token"),
        ):
            missing = [name for name in names if not getattr(self, name)]
            if missing and len(missing) < len(names):
                lacking = " and ".join(f"PORCHLIGHT_{name.upper()}" for name in missing)
                raise ValueError(f"Set {lacking} as well, or nothing is connected")
        return self

    #: So many days after its end the words of a case are erased; numbers stay for the reports.
    case_retention_days: int = Field(default=180, ge=1, le=36_500)
    #: The same where authorities were told: often a law says how long.
    reported_case_retention_days: int = Field(default=1_095, ge=1, le=36_500)

    @property
    def keeping(self) -> Keeping:
        """How long the words of a closed case are kept."""
        return Keeping(
            case=timedelta(days=self.case_retention_days),
            reported=timedelta(days=self.reported_case_retention_days),
        )

    #: A session ends after so long without use, and after so long whatever happens.
    session_idle_minutes: int = Field(default=30, ge=1, le=24 * 60)
    session_hours: int = Field(default=12, ge=1, le=7 * 24)
    #: Who has to prove more than a password: nobody, supervisors (and auditors), everybody.
    second_factor: Demand = Demand.NOBODY
    #: From which networks the console can be opened; from everywhere unless set.
    console_networks: str = ""
    #: Which machines may say in X-Forwarded-For whom they ask for.
    trusted_proxies: str = ""

    @field_validator("console_networks", "trusted_proxies")
    @classmethod
    def _networks_are_understood(cls, text: str) -> str:
        try:
            networks(text)
        except ValueError:
            raise ValueError("write networks such as 192.0.2.0/24, with commas between them") from None
        return text

    #: The organisation's own sign-in, by OpenID Connect.
    oidc_url: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    #: What the link to it is called.
    oidc_name: str = ""
    #: The claim that says whom we have invited: an e-mail address, or a sign-in name.
    oidc_claim: str = Field(default="email", pattern=r"^[A-Za-z0-9_:./-]{1,100}$")
    #: The claim with groups, and which of them makes which role: ``desk-leads=supervisor, desk=operator``.
    oidc_roles_claim: str = Field(default="", pattern=r"^[A-Za-z0-9_:./-]{0,100}$")
    oidc_roles: str = ""
    #: True if it lies in a private network.
    oidc_private_addresses: bool = False

    @field_validator("oidc_url")
    @classmethod
    def _provider_is_safe(cls, url: str) -> str:
        parts = urlsplit(url)
        at_home = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
        if url and not at_home and (parts.scheme != "https" or not parts.hostname):
            raise ValueError("write the issuer's address, which begins with https://")
        return url

    @field_validator("oidc_roles")
    @classmethod
    def _roles_are_understood(cls, text: str) -> str:
        try:
            _roles(text)
        except ValueError:
            raise ValueError(
                "write group=role with commas between them; roles are " + ", ".join(Role)
            ) from None
        return text

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        if self.oidc_url and not self.oidc_client_id:
            raise ValueError(
                "Set PORCHLIGHT_OIDC_CLIENT_ID as well, or nobody can come by PORCHLIGHT_OIDC_URL"
            )
        if self.oidc_roles and not self.oidc_roles_claim:
            raise ValueError("Set PORCHLIGHT_OIDC_ROLES_CLAIM as well, or PORCHLIGHT_OIDC_ROLES does nothing")
        return self

    @property
    def policy(self) -> Policy:
        """What is asked of sign-ins and sessions."""
        return Policy(
            idle=timedelta(minutes=self.session_idle_minutes),
            absolute=timedelta(hours=self.session_hours),
            second_factor=self.second_factor,
        )

    @property
    def registration(self) -> Registration | None:
        """The organisation's own sign-in; none unless it is set."""
        if not self.oidc_url:
            return None
        return Registration(
            issuer=self.oidc_url,
            client=self.oidc_client_id,
            secret=self.oidc_client_secret,
            claim=self.oidc_claim,
            roles_claim=self.oidc_roles_claim,
            roles=_roles(self.oidc_roles),
            private=self.oidc_private_addresses,
            callback=f"{self.console}/sign-in/provider/back",
        )

    @model_validator(mode="after")
    def _pagers_are_whole(self) -> Self:
        for names in (
            ("pager_webhook_url", "pager_webhook_secret"),
            ("pager_telegram_token", "pager_telegram_chat"),
            ("pager_smtp_url", "pager_email_from", "pager_email_to"),
        ):
            given = [name for name in names if getattr(self, name)]
            if given and len(given) < len(names):
                missing = " and ".join(f"PORCHLIGHT_{name.upper()}" for name in names if name not in given)
                raise ValueError(f"Set {missing} as well, or PORCHLIGHT_{given[0].upper()} pages nobody")
        return self

    #: Reports hide numbers below this, but for zero.
    report_hide_below: int = Field(default=5, ge=5, le=50)

    #: The time zone by which reports count days and hours, a name such as ``Europe/Minsk``.
    report_zone: str = "UTC"

    @field_validator("report_zone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("no such time zone; use a name such as Europe/Minsk or Asia/Dhaka")
        return name

    @property
    def report_time_zone(self) -> ZoneInfo:
        """The time zone of the reports."""
        return ZoneInfo(self.report_zone)

    @property
    def clocks(self) -> Clocks:
        """How long a visitor may wait, by danger level."""
        return Clocks(
            emergency=timedelta(minutes=self.clock_emergency_minutes),
            urgent=timedelta(minutes=self.clock_urgent_minutes),
            concern=timedelta(minutes=self.clock_concern_minutes),
            none=timedelta(minutes=self.clock_none_minutes),
            always_from=self.clock_always_from,
        )

    @property
    def skills_first(self) -> timedelta:
        """How long a visitor is left to those who serve their language, country and role."""
        return timedelta(minutes=self.skills_first_minutes)

    @property
    def answer_within(self) -> timedelta:
        """How long a visitor waits for the answer of whoever holds their case."""
        return timedelta(minutes=self.answer_within_minutes)

    @property
    def console(self) -> str:
        """The address that operators open, without a slash at its end."""
        return (self.console_url or self.referral_url).rstrip("/")

    @property
    def secure(self) -> bool:
        """True when operators reach the console over https, so that cookies may insist on it."""
        return urlsplit(self.console).scheme == "https"


def _roles(text: str) -> Mapping[str, Role]:
    """Which group makes which role, the first that fits; raises ``ValueError``."""
    found = {}
    for part in text.split(","):
        if part.strip():
            group, _, role = part.rpartition("=")
            found[group.strip()] = Role(role.strip())
    return found


def read() -> Settings:
    """The settings of this process; raises ``SettingsInvalid`` with one sentence per problem."""
    try:
        return Settings.model_validate({})
    except ValidationError as error:
        raise SettingsInvalid(" ".join(_sentences(error))) from None


def _sentences(error: ValidationError) -> list[str]:
    found = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        if not problem["loc"]:
            # A rule of ours about several settings; its sentence names them.
            found.append(f"{problem['msg'].removeprefix('Value error, ')}.")
            continue
        name = str(problem["loc"][0])
        remedy = _REMEDIES.get(name)
        found.append(f"{remedy}." if remedy else f"PORCHLIGHT_{name.upper()}: {problem['msg']}.")
    return found
