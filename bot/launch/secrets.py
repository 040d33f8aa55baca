"""Which secrets does this installation have? They are made on the first start and never leave ``var/``."""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from bot.keys import MasterKeyUnreadable, read_keys, write_keys
from bot.launch.errors import LaunchError
from bot.launch.site import Site, read_settings_file

# The linter takes the names of the settings for secrets.
SECRET_KEY = "PORCHLIGHT_SECRET_KEY"  # noqa: S105
REFERRAL_SECRET_KEY = "PORCHLIGHT_REFERRAL_SECRET_KEY"  # noqa: S105
SERVICE_SECRET = "PORCHLIGHT_SERVICE_SECRET"  # noqa: S105
MASTER_KEYS = "PORCHLIGHT_MASTER_KEYS"
MASTER_KEYS_FILE = "PORCHLIGHT_MASTER_KEYS_FILE"
#: 256 bits, as AES-256 and HMAC-SHA256 need.
KEY_BYTES = 32

_ABOVE = """\
# Made by ./porchlight on the first start. Keep a copy of this file apart from the data, or use
# './porchlight backup FILE', which includes it: without it, nothing that visitors wrote can be read again.
"""


class SecretsUnsafe(LaunchError):
    """The secrets can be read by other accounts, or one is too weak."""


def secrets_file(data: Path) -> Path:
    """Where the secrets of an installation lie."""
    return data / "secrets.env"


def master_keys_file(site: Site) -> Path:
    """Where the newer master keys lie; there is no such file before the first rotation."""
    return Path(site.setting(MASTER_KEYS_FILE) or site.data / "master.keys")


def newer_master_keys(site: Site) -> str | None:
    """The newer master keys as they are written, from the settings or their file; None if there are none.

    Raises ``SecretsUnsafe`` when the file is open to others or a key is too weak.
    """
    file, written = master_keys_file(site), site.setting(MASTER_KEYS)
    if written is None and file.exists():
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise SecretsUnsafe(f"{file} can be read by other accounts. Close it: chmod 600 {file}")
        written = file.read_text()
    try:
        return written if read_keys(written or "") else None
    except MasterKeyUnreadable as error:
        raise SecretsUnsafe(str(error)) from error


def replace_master_keys(site: Site, text: str) -> None:
    """Put the master keys of a backup in the place of those that are here."""
    write_keys(master_keys_file(site), read_keys(text))


def ensure(data: Path, *, settings: Mapping[str, str]) -> dict[str, str]:
    """The three secrets: from the settings, else from the file, else made now and written there (0600).

    Raises ``SecretsUnsafe`` when the file is open to others or a secret is too weak to protect a child.
    """
    file = secrets_file(data)
    if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise SecretsUnsafe(f"{file} can be read by other accounts. Close it: chmod 600 {file}")
    kept = read_settings_file(file)
    found = {name: settings.get(name) or kept.get(name) for name in (SECRET_KEY, REFERRAL_SECRET_KEY)}
    found[SERVICE_SECRET] = settings.get(SERVICE_SECRET) or kept.get(SERVICE_SECRET)
    missing = {name: _fresh(name) for name, value in found.items() if not value}
    if missing:
        _write(file, {**kept, **missing})
    complete = {**{name: value for name, value in found.items() if value}, **missing}
    for name, value in complete.items():
        if problem := weakness(name, value):
            raise SecretsUnsafe(problem)
    return complete


def weakness(name: str, value: str) -> str | None:
    """Why this secret does not protect, as a sentence with the remedy; None if it does."""
    encoded = value.removeprefix("whsec_") if name == SERVICE_SECRET else value
    if name == SERVICE_SECRET and not re.fullmatch(r"whsec_[A-Za-z0-9+/]{32,}=*", value):
        return f"{name} must be 'whsec_' and at least 24 random bytes in base64. Remove it to have one made."
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return f"{name} is not base64. Remove it to have one made."
    if len(raw) < (24 if name == SERVICE_SECRET else KEY_BYTES):
        return f"{name} holds {len(raw)} bytes; it must hold {KEY_BYTES}. Remove it to have one made."
    if len(set(raw)) < 8:
        return f"{name} is not random. Remove it to have one made."
    return None


def replace(data: Path, text: str) -> None:
    """Put the secrets of a backup in the place of those that are here."""
    file = secrets_file(data)
    unfinished = file.with_suffix(".restored")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as output:
        output.write(text)
    _write(file, read_settings_file(unfinished))
    unfinished.unlink()


def _fresh(name: str) -> str:
    encoded = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return f"whsec_{encoded}" if name == SERVICE_SECRET else encoded


def _write(file: Path, values: Mapping[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as output:
        output.write(_ABOVE)
        output.writelines(f"{name}={value}\n" for name, value in values.items())
        output.flush()
        os.fsync(output.fileno())
    unfinished.replace(file)
