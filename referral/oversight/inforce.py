"""What is in force, in words that a supervisor reads, and where is each of it changed? No secret is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from referral.config import Settings
from referral.operators.rules import ABSOLUTE, IDLE, MIN_PASSWORD
from referral.oversight.schemas import Condition

#: What a page says where the bot would know.
_UNKNOWN = "not known: the bot does not answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that is in force."""

    what: str
    value: str
    #: Where it is changed: settings by their names, or the address of a page.
    where: tuple[str, ...] = ()
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines that belong together."""

    key: str
    title: str
    lines: Sequence[Line]


def sections(settings: Settings, *, condition: Condition | None, connections: int) -> Sequence[Section]:
    """Everything but what can be set on the page itself."""
    return [
        Section(key="reach", title="How visitors reach you", lines=_reach(condition)),
        Section(key="told", title="Who is told, and when", lines=_told(settings, connections=connections)),
        Section(key="kept", title="What is kept, and for how long", lines=_kept(condition)),
        Section(key="door", title="Who comes in", lines=_door(settings)),
        Section(key="versions", title="What runs here", lines=_versions(settings, condition)),
    ]


def _reach(condition: Condition | None) -> Sequence[Line]:
    names = {"web": "Web chat", "telegram": "Telegram", "viber": "Viber"}
    on = [names.get(channel, channel) for channel in condition.channels] if condition else []
    return [
        Line(
            what="Channels that are on",
            value=", ".join(on) if condition else _UNKNOWN,
            where=("PORCHLIGHT_TELEGRAM_TOKEN", "PORCHLIGHT_VIBER_TOKEN"),
        ),
        Line(
            what="Countries whose numbers the bot gives",
            value=", ".join(condition.countries) if condition else _UNKNOWN,
            where=("PORCHLIGHT_COUNTRIES",),
        ),
        Line(what="Opening hours and holidays", value="on a page of their own", page="/hours"),
    ]


def _told(settings: Settings, *, connections: int) -> Sequence[Line]:
    pagers = {
        "a signed webhook": settings.pager_webhook_url,
        "a Telegram group": settings.pager_telegram_token,
        "e-mail": settings.pager_smtp_url,
    }
    on = [name for name, setting in pagers.items() if setting]
    always = settings.clock_always_from
    return [
        Line(
            what="Who hears of an overdue case outside the desk",
            value=" and ".join(on) if on else "nobody: only the desk itself says so",
            where=(
                "PORCHLIGHT_PAGER_WEBHOOK_URL",
                "PORCHLIGHT_PAGER_TELEGRAM_TOKEN",
                "PORCHLIGHT_PAGER_SMTP_URL",
            ),
        ),
        Line(
            what="Other systems that are told of cases",
            value=str(connections) if connections else "none",
            page="/connections",
        ),
        Line(
            what="Clocks also run while the helpline is closed",
            value=f"from “{always}” on",
            where=("PORCHLIGHT_CLOCK_ALWAYS_FROM",),
        ),
        Line(
            what="A visitor is left to those who serve their language, country and role for",
            value=f"{settings.skills_first_minutes} minutes",
            where=("PORCHLIGHT_SKILLS_FIRST_MINUTES",),
        ),
    ]


def _kept(condition: Condition | None) -> Sequence[Line]:
    return [
        Line(
            what="Conversations with the bot, after the last word",
            value=f"{condition.retention_days} days" if condition else _UNKNOWN,
            where=("PORCHLIGHT_RETENTION_DAYS",),
        ),
        Line(what="Sums of how the bot is used", value="37 months, by month, of nobody in particular"),
        Line(
            what="Cases and their threads",
            value="until the visitor asks to be forgotten: then every word goes at once, here and at the bot",
        ),
        Line(what="The audit log", value="always; it holds no words"),
    ]


def _door(settings: Settings) -> Sequence[Line]:
    idle, longest = (int(span.total_seconds() // 60) for span in (IDLE, ABSOLUTE))
    return [
        Line(what="People and their roles", value="on a page of their own", page="/operators"),
        Line(what="Passwords", value=f"at least {MIN_PASSWORD} characters, and none that everybody guesses"),
        Line(
            what="A session ends",
            value=f"after {idle} minutes without use, and after {longest // 60} hours in any case",
        ),
        Line(
            what="The console",
            value=settings.console
            if settings.secure
            else f"{settings.console}, without https: this machine only",
            where=("PORCHLIGHT_CONSOLE_URL",),
        ),
    ]


def _versions(settings: Settings, condition: Condition | None) -> Sequence[Line]:
    models = sorted({server.model for server in condition.models if server.answers}) if condition else []
    return [
        Line(what="Porchlight", value=_program()),
        Line(what="The bot’s flows and texts", value=condition.content if condition else _UNKNOWN),
        Line(
            what="The bot’s languages",
            value=", ".join(condition.locales) if condition else _UNKNOWN,
        ),
        Line(
            what="The model that reads free text",
            value=(", ".join(models) or "none answers") if condition else _UNKNOWN,
            where=("PORCHLIGHT_NLU_URL",),
        ),
        Line(what="Where the bot is", value=settings.bot_url, where=("PORCHLIGHT_BOT_URL",)),
        Line(what="Time zone of reports", value=settings.report_zone, where=("PORCHLIGHT_REPORT_ZONE",)),
    ]


def _program() -> str:
    try:
        return version("porchlight")
    except PackageNotFoundError:
        # It runs from its folder, and nobody installed it.
        return "from the folder it lies in"
