"""Is everything here that Porchlight needs? One line per finding, each with what to do about it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

from bot.launch import content, model, ports, secrets
from bot.launch.errors import LaunchError
from bot.launch.postgres import find_binaries
from bot.launch.site import KNOWN, PREFIX, Site, read_settings_file
from flows.directory import dialable
from flows.model import Book

#: Data, logs and a backup beside the environments.
FREE_MEGABYTES = 1000

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_TELEGRAM_TOKEN = re.compile(r"\d{6,}:[A-Za-z0-9_-]{30,}")
_VIBER_TOKEN = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{16}")


#: What each system that is told of cases needs at least.
_CONNECTORS = {
    "primero": ("PRIMERO_URL", "PRIMERO_USER", "PRIMERO_PASSWORD"),
    "chatwoot": ("CHATWOOT_URL", "CHATWOOT_ACCOUNT", "CHATWOOT_INBOX", "CHATWOOT_TOKEN"),
}


class Grade(StrEnum):
    """How bad a finding is."""

    GOOD = "good"
    NOTE = "note"  # Works, but somebody should know.
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    grade: Grade
    subject: str
    sentence: str


def examine(site: Site) -> Iterator[Finding]:
    """Everything there is to say about this installation."""
    yield _python(site)
    yield _environment(site.root / ".venv", site.root / "requirements.lock", subject="product")
    yield _environment(site.root / "nlu" / ".venv", site.root / "nlu" / "requirements.lock", subject="nlu")
    yield _disk(site)
    yield from _settings(site)
    yield from _tokens(site)
    yield from _connectors(site)
    yield _secrets(site)
    yield _sign_in(site)
    yield _database(site)
    yield from _ports(site)
    yield _model(site)
    examined = content.examine(site)
    yield _content(examined)
    if examined.book is not None:
        yield _numbers(examined.book, countries=content.countries(site), today=datetime.now(UTC).date())


def _good(subject: str, sentence: str) -> Finding:
    return Finding(grade=Grade.GOOD, subject=subject, sentence=sentence)


def _note(subject: str, sentence: str) -> Finding:
    return Finding(grade=Grade.NOTE, subject=subject, sentence=sentence)


def _bad(subject: str, sentence: str) -> Finding:
    return Finding(grade=Grade.BAD, subject=subject, sentence=sentence)


def _python(site: Site) -> Finding:
    ours = sys.version.split()[0]
    if not site.nlu_python.exists():
        return _note("python", f"{ours}; Python 3.10 for the model comes with the first './porchlight up'.")
    answer = subprocess.run(  # noqa: S603
        [site.nlu_python, "-c", "import sys; print(sys.version.split()[0])"],
        capture_output=True,
        text=True,
        check=False,
    )
    theirs = answer.stdout.strip()
    if not theirs.startswith("3.10."):
        return _bad(
            "python", "The model's interpreter does not work. Remove nlu/.venv and run './porchlight train'."
        )
    return _good("python", f"{ours} for the product, {theirs} for the model")


def _environment(folder: Path, lock: Path, *, subject: str) -> Finding:
    if not (folder / "bin" / "python").exists():
        return _note(subject, "Not installed yet; './porchlight up' does it (2 GB for the model).")
    stamps = [folder / "porchlight.lock", folder / "product.lock"]
    if any(stamp.exists() and stamp.read_bytes() == lock.read_bytes() for stamp in stamps):
        return _good(subject, "installed as the lock file says")
    return _note(subject, "Differs from its lock file; the next command that needs it brings it up to date.")


def _disk(site: Site) -> Finding:
    place = next(folder for folder in (site.data, *site.data.parents) if folder.exists())
    free = shutil.disk_usage(place).free // 1_000_000
    if free < FREE_MEGABYTES:
        return _bad(
            "disk", f"Only {free} MB are free below {place}. Free some space, or move the data with --data."
        )
    return _good("disk", f"{free / 1000:.0f} GB free")


def _settings(site: Site) -> Iterator[Finding]:
    file = site.root / ".env"
    try:
        own = read_settings_file(file)
    except LaunchError as error:
        yield _bad("settings", str(error))
        return
    unknown = sorted(name for name in {*own, *site.settings} if name.startswith(PREFIX) and name not in KNOWN)
    for name in unknown:
        close = get_close_matches(name, KNOWN, n=1)
        yield _bad(
            "settings", f"{name} is no setting.{f' Did you mean {close[0]}?' if close else ' Remove it.'}"
        )
    if not unknown:
        yield _good(
            "settings", f"{len(own)} in .env, all known" if own else "none in .env; the defaults hold"
        )


def _tokens(site: Site) -> Iterator[Finding]:
    telegram = site.setting("PORCHLIGHT_TELEGRAM_TOKEN")
    if telegram and not _TELEGRAM_TOKEN.fullmatch(telegram):
        yield _bad(
            "telegram", "PORCHLIGHT_TELEGRAM_TOKEN is not of the form 123456:ABC… that BotFather gives."
        )
    elif telegram and site.setting("PORCHLIGHT_TELEGRAM_MODE") == "webhook":
        if site.setting("PORCHLIGHT_TELEGRAM_SECRET"):
            yield _good("telegram", "token looks right; updates come by webhook")
        else:
            yield _bad(
                "telegram", "Webhook mode needs PORCHLIGHT_TELEGRAM_SECRET (16 or more letters and digits)."
            )
    elif telegram:
        yield _good("telegram", "token looks right; updates are polled")
    viber = site.setting("PORCHLIGHT_VIBER_TOKEN")
    if viber and not _VIBER_TOKEN.fullmatch(viber):
        yield _bad("viber", "PORCHLIGHT_VIBER_TOKEN is not three groups of 16 hexadecimal digits.")
    elif viber:
        yield _note(
            "viber",
            "token looks right. Messages outside the 24 h after a visitor's last are billed by Viber.",
        )


def _connectors(site: Site) -> Iterator[Finding]:
    for name, parts in _CONNECTORS.items():
        settings = [f"PORCHLIGHT_{part}" for part in parts]
        missing = [setting for setting in settings if not site.setting(setting)]
        if not missing:
            yield _good(name, "set up; './porchlight connectors check' tells what it would refuse")
        elif len(missing) < len(settings):
            yield _bad(name, f"Set {' and '.join(missing)} as well, or nothing is connected.")


def _secrets(site: Site) -> Finding:
    file = secrets.secrets_file(site.data)
    names = (secrets.SECRET_KEY, secrets.REFERRAL_SECRET_KEY, secrets.SERVICE_SECRET)
    if not file.exists() and not all(site.setting(name) for name in names):
        return _note("secrets", "None yet; the first start makes them.")
    try:
        secrets.ensure(site.data, settings=site.settings)
        secrets.newer_master_keys(site)
    except LaunchError as error:
        return _bad("secrets", str(error))
    return _good("secrets", "present, strong, and readable by their owner only")


def _sign_in(site: Site) -> Finding:
    """How well the console's door is shut, once it can be reached from elsewhere."""
    address = site.setting("PORCHLIGHT_CONSOLE_URL") or site.setting("PORCHLIGHT_REFERRAL_URL") or ""
    parts = urlsplit(address)
    if not address or parts.hostname in _LOOPBACK:
        return _good("sign-in", "the console is open to this machine alone")
    if parts.scheme != "https":
        return _bad(
            "sign-in",
            "PORCHLIGHT_CONSOLE_URL is not https: passwords and children's words would travel in the open.",
        )
    if site.setting("PORCHLIGHT_SECOND_FACTOR") in (None, "", "nobody"):
        return _note(
            "sign-in",
            "A password alone lets people in from elsewhere. Set PORCHLIGHT_SECOND_FACTOR=everybody, or at"
            " least supervisors; each then adds a passkey or an app at the next sign-in.",
        )
    if not site.setting("PORCHLIGHT_TRUSTED_PROXIES"):
        return _note(
            "sign-in",
            "Behind a reverse proxy, name it in PORCHLIGHT_TRUSTED_PROXIES, or wrong passwords cannot be told"
            " apart by where they come from.",
        )
    return _good("sign-in", "https, a second factor, and proxies are named")


def _database(site: Site) -> Finding:
    urls = [
        url
        for name in ("PORCHLIGHT_DATABASE_URL", "PORCHLIGHT_REFERRAL_DATABASE_URL")
        if (url := site.setting(name))
    ]
    for url in urls:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.Error as error:
            return _bad(
                "database", f"A database that the settings name does not answer: {str(error).strip()}"
            )
    if len(urls) == 2:
        return _good("database", "both answer where the settings say")
    try:
        found = find_binaries(site.postgres_binaries)
    except LaunchError as error:
        return _bad("database", str(error))
    if not found:
        return _bad(
            "database",
            "No PostgreSQL is here. Run './porchlight up' to install one, or install your system's.",
        )
    return _good("database", f"PostgreSQL {found[0].major} of our own, binaries from the {found[0].source}")


def _ports(site: Site) -> Iterator[Finding]:
    for port, purpose, option, path in (
        (8000, "web chat", "--port", "/healthz"),
        (8100, "console", "--console-port", "/healthz"),
        (5005, "model", "--nlu-port", "/status"),
    ):
        if ports.is_free(port):
            yield _good(f"port {port}", f"free for the {purpose}")
        elif _answers(f"http://127.0.0.1:{port}{path}"):
            yield _good(f"port {port}", f"the {purpose} is up")
        else:
            owner = ports.owner_of(port) or "another program"
            yield _bad(
                f"port {port}", f"Taken by {owner}. Stop it, or use './porchlight up {option} {port + 1}'."
            )


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=3, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _model(site: Site) -> Finding:
    if not site.nlu_python.exists():
        return _note("model", "Not trained yet; './porchlight up' does it.")
    try:
        trained = model.current(site)
    except LaunchError as error:
        return _bad("model", str(error))
    if trained is None:
        return _note(
            "model", "Its data changed since it was trained; './porchlight up' or 'train' does it again."
        )
    return _good("model", "trained on the data that is here")


def _content(examined: content.Examined) -> Finding:
    problems = examined.problems
    if problems:
        return _bad(
            "content", f"{len(problems)} problems; './porchlight check' lists them. The first: {problems[0]}"
        )
    return _good("content", "flows, texts, lexicons and directory are in order")


def _numbers(book: Book, *, countries: Sequence[str], today: date) -> Finding:
    """Numbers change hands, so each that is given out is to be called once a year."""
    year_ago = f"{today.year - 1}-{today.month:02}"
    old = [
        f"{country} {dialable(line.phones)[0]} ({line.checked or 'no date'})"
        for country, line in book.directory.checked_before(year_ago, countries=countries)
    ]
    if not old:
        return _good("numbers", "all were checked within the last twelve months")
    return _note(
        "numbers",
        f"Last checked more than twelve months ago: {', '.join(old)}. Call each, and write the month as"
        " 'checked' into a helplines.yaml of your own (docs/own-directory.md).",
    )
