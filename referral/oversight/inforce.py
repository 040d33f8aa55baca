"""What is in force, in words that a supervisor reads, and where is each of it changed? No secret is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version

from referral.cases.rules import DangerLevel
from referral.config import Settings
from referral.language import gettext, marked, ngettext, span
from referral.operators.rules import MIN_PASSWORD, Demand
from referral.oversight.schemas import Condition

#: What a page says where the bot would know.
_UNKNOWN = marked("not known: the bot does not answer")

_DEMANDS: Mapping[Demand, str] = {
    Demand.NOBODY: marked("nobody has to"),
    Demand.SUPERVISORS: marked("supervisors and auditors"),
    Demand.EVERYBODY: marked("everybody"),
}
_LEVELS: Mapping[DangerLevel, str] = {
    DangerLevel.EMERGENCY: marked("Emergency"),
    DangerLevel.URGENT: marked("Urgent"),
    DangerLevel.CONCERN: marked("Concern"),
    DangerLevel.NONE: marked("No danger seen"),
}


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
        Section(key="reach", title=gettext("How visitors reach you"), lines=_reach(condition)),
        Section(
            key="told", title=gettext("Who is told, and when"), lines=_told(settings, connections=connections)
        ),
        Section(
            key="kept", title=gettext("What is kept, and for how long"), lines=_kept(settings, condition)
        ),
        Section(key="door", title=gettext("Who comes in"), lines=_door(settings)),
        Section(key="versions", title=gettext("What runs here"), lines=_versions(settings, condition)),
    ]


def _reach(condition: Condition | None) -> Sequence[Line]:
    names = {"web": gettext("Web chat"), "telegram": "Telegram", "viber": "Viber"}
    on = [names.get(channel, channel) for channel in condition.channels] if condition else []
    return [
        Line(
            what=gettext("Channels that are on"),
            value=", ".join(on) if condition else gettext(_UNKNOWN),
            where=("PORCHLIGHT_TELEGRAM_TOKEN", "PORCHLIGHT_VIBER_TOKEN"),
        ),
        Line(
            what=gettext("Countries whose numbers the bot gives"),
            value=", ".join(condition.countries) if condition else gettext(_UNKNOWN),
            where=("PORCHLIGHT_COUNTRIES",),
        ),
        Line(
            what=gettext("Opening hours and holidays"), value=gettext("on a page of their own"), page="/hours"
        ),
    ]


def _told(settings: Settings, *, connections: int) -> Sequence[Line]:
    pagers = {
        gettext("a signed webhook"): settings.pager_webhook_url,
        gettext("a Telegram group"): settings.pager_telegram_token,
        gettext("e-mail"): settings.pager_smtp_url,
    }
    on = [name for name, setting in pagers.items() if setting]
    always = settings.clock_always_from
    return [
        Line(
            what=gettext("Who hears of an overdue case outside the desk"),
            value=gettext(" and ").join(on) if on else gettext("nobody: only the desk itself says so"),
            where=(
                "PORCHLIGHT_PAGER_WEBHOOK_URL",
                "PORCHLIGHT_PAGER_TELEGRAM_TOKEN",
                "PORCHLIGHT_PAGER_SMTP_URL",
            ),
        ),
        Line(
            what=gettext("Other systems that are told of cases"),
            value=str(connections) if connections else gettext("none"),
            page="/connections",
        ),
        Line(
            what=gettext("Clocks also run while the helpline is closed"),
            value=gettext("from “%(level)s” on", level=gettext(_LEVELS[always])),
            where=("PORCHLIGHT_CLOCK_ALWAYS_FROM",),
        ),
        Line(
            what=gettext("A visitor is left to those who serve their language, country and role for"),
            value=span(settings.skills_first),
            where=("PORCHLIGHT_SKILLS_FIRST_MINUTES",),
        ),
    ]


def _kept(settings: Settings, condition: Condition | None) -> Sequence[Line]:
    return [
        Line(
            what=gettext("Conversations with the bot, after the last word"),
            value=_days(condition.retention_days) if condition else gettext(_UNKNOWN),
            where=("PORCHLIGHT_RETENTION_DAYS",),
        ),
        Line(
            what=gettext("Sums of how the bot is used"),
            value=gettext("37 months, by month, of nobody in particular"),
        ),
        Line(
            what=gettext("The words of a case, after its end"),
            value=_days(settings.keeping.case.days),
            where=("PORCHLIGHT_CASE_RETENTION_DAYS",),
        ),
        Line(
            what=gettext("The same where authorities were told"),
            value=_days(settings.keeping.reported.days),
            where=("PORCHLIGHT_REPORTED_CASE_RETENTION_DAYS",),
        ),
        Line(
            what=gettext("If the visitor asks to be forgotten"),
            value=gettext("every word goes at once, here and at the bot"),
        ),
        Line(what=gettext("The audit log"), value=gettext("always; it holds no words")),
    ]


def _days(number: int) -> str:
    return ngettext("%(num)s day", "%(num)s days", number)


def _door(settings: Settings) -> Sequence[Line]:
    return [
        Line(
            what=gettext("People and their roles"), value=gettext("on a page of their own"), page="/operators"
        ),
        Line(
            what=gettext("Passwords"),
            value=gettext(
                "at least %(least)s characters, and none that everybody guesses", least=MIN_PASSWORD
            ),
        ),
        Line(
            what=gettext("Who proves more than a password"),
            value=gettext(_DEMANDS[settings.second_factor]),
            where=("PORCHLIGHT_SECOND_FACTOR",),
        ),
        Line(
            what=gettext("The organisation’s own sign-in"),
            value=gettext("on") if settings.oidc_url else gettext("off"),
            where=("PORCHLIGHT_OIDC_URL",),
        ),
        Line(
            what=gettext("From where the console can be opened"),
            value=settings.console_networks or gettext("from everywhere"),
            where=("PORCHLIGHT_CONSOLE_NETWORKS",),
        ),
        Line(
            what=gettext("A session ends"),
            value=gettext(
                "after %(idle)s without use, and after %(longest)s in any case",
                idle=span(timedelta(minutes=settings.session_idle_minutes)),
                longest=span(timedelta(hours=settings.session_hours)),
            ),
            where=("PORCHLIGHT_SESSION_IDLE_MINUTES", "PORCHLIGHT_SESSION_HOURS"),
        ),
        Line(
            what=gettext("The console"),
            value=settings.console
            if settings.secure
            else gettext("%(address)s, without https: this machine only", address=settings.console),
            where=("PORCHLIGHT_CONSOLE_URL",),
        ),
    ]


def _versions(settings: Settings, condition: Condition | None) -> Sequence[Line]:
    models = sorted({server.model for server in condition.models if server.answers}) if condition else []
    return [
        Line(what="Porchlight", value=_program()),
        Line(
            what=gettext("The bot’s flows and texts"),
            value=condition.content if condition else gettext(_UNKNOWN),
        ),
        Line(
            what=gettext("The bot’s languages"),
            value=", ".join(condition.locales) if condition else gettext(_UNKNOWN),
        ),
        Line(
            what=gettext("The model that reads free text"),
            value=(", ".join(models) or gettext("none answers")) if condition else gettext(_UNKNOWN),
            where=("PORCHLIGHT_NLU_URL",),
        ),
        Line(what=gettext("Where the bot is"), value=settings.bot_url, where=("PORCHLIGHT_BOT_URL",)),
        Line(
            what=gettext("Time zone of reports"),
            value=settings.report_zone,
            where=("PORCHLIGHT_REPORT_ZONE",),
        ),
    ]


def _program() -> str:
    try:
        return version("porchlight")
    except PackageNotFoundError:
        # It runs from its folder, and nobody installed it.
        return gettext("from the folder it lies in")
