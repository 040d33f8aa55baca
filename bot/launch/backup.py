"""How is an installation saved into one file, and put back?

The file is a tar with a dump of each database, the secrets and a manifest. Newer versions of PostgreSQL read
the dumps, so this is also the way to a new major version.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bot.launch import secrets
from bot.launch.errors import LaunchError
from bot.launch.postgres import Binaries, EmbeddedPostgres, find_binaries
from bot.launch.services import databases
from bot.launch.site import Site

FORMAT = 1
_DUMPS = {"bot.dump": "PORCHLIGHT_DATABASE_URL", "referral.dump": "PORCHLIGHT_REFERRAL_DATABASE_URL"}
_SECRETS = "secrets.env"
#: Only in an installation that has rotated them.
_MASTER_KEYS = "master.keys"
_MANIFEST = "manifest.json"


class BackupFailed(LaunchError):
    """The file was not written, or not read."""


def backup(site: Site, file: Path) -> None:
    """Write everything that matters into ``file`` (0600); the services may run meanwhile."""
    known = secrets.ensure(site.data, settings=site.settings)
    if file.exists():
        raise BackupFailed(f"{file} is there already. Name a new file, so that no older backup is lost.")
    with ExitStack() as stack:
        server, urls = stack.enter_context(databases(site))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="porchlight-backup-")))
        for dump, setting in _DUMPS.items():
            _run(
                [
                    _tool("pg_dump", server),
                    "--format=custom",
                    "--no-owner",
                    f"--file={folder / dump}",
                    urls[setting],
                ]
            )
        # After the dumps: the keys that a rotation meanwhile has replaced are kept until the next one.
        _write(file, folder=folder, known=known, master_keys=secrets.newer_master_keys(site))


def restore(site: Site, file: Path, *, force: bool) -> None:
    """Put a backup back; refuses to overwrite what is there unless ``force``, and while services run."""
    with _opened(file) as folder:
        manifest = json.loads((folder / _MANIFEST).read_text())
        if manifest.get("format") != FORMAT:
            raise BackupFailed(f"{file} was written by a version of Porchlight that this one cannot read.")
        given = site.setting("PORCHLIGHT_DATABASE_URL") and site.setting("PORCHLIGHT_REFERRAL_DATABASE_URL")
        if not given and EmbeddedPostgres(site.data, binaries=site.postgres_binaries).is_in_use():
            raise BackupFailed(
                "Porchlight runs on this data right now. Stop it (Ctrl-C in ./porchlight up) first."
            )
        with databases(site) as (server, urls):
            full = [dump for dump, setting in _DUMPS.items() if _has_tables(urls[setting])]
            if (full or secrets.secrets_file(site.data).exists()) and not force:
                raise BackupFailed(
                    f"There is data in {site.data} already. './porchlight restore {file} --force' replaces it"
                    " for good; './porchlight backup FILE' saves it first."
                )
            for dump, setting in _DUMPS.items():
                _empty(urls[setting])
                _run(
                    [
                        _tool("pg_restore", server),
                        "--no-owner",
                        "--exit-on-error",
                        "--single-transaction",
                        "--schema=public",
                        f"--dbname={urls[setting]}",
                        str(folder / dump),
                    ]
                )
        secrets.replace(site.data, (folder / _SECRETS).read_text())
        if (folder / _MASTER_KEYS).exists():
            secrets.replace_master_keys(site, (folder / _MASTER_KEYS).read_text())


def _write(file: Path, *, folder: Path, known: Mapping[str, str], master_keys: str | None) -> None:
    manifest = {"format": FORMAT, "written_at": datetime.now(UTC).isoformat(timespec="seconds")}
    contents = {
        _MANIFEST: json.dumps(manifest).encode(),
        _SECRETS: "".join(f"{name}={value}\n" for name, value in known.items()).encode(),
    }
    if master_keys is not None:
        contents[_MASTER_KEYS] = master_keys.encode()
    unfinished = file.with_name(f"{file.name}.unfinished")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as output:
        with tarfile.open(fileobj=output, mode="w") as archive:
            for name, data in contents.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(data), 0o600
                archive.addfile(entry, io.BytesIO(data))
            for dump in _DUMPS:
                archive.add(folder / dump, arcname=dump)
        output.flush()
        os.fsync(output.fileno())
    unfinished.replace(file)


@contextmanager
def _opened(file: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="porchlight-restore-") as place:
        folder = Path(place)
        try:
            with tarfile.open(file) as archive:
                for name in (_MANIFEST, _SECRETS, *_DUMPS):
                    archive.extract(name, folder, filter="data")
                if _MASTER_KEYS in archive.getnames():
                    archive.extract(_MASTER_KEYS, folder, filter="data")
        except (OSError, tarfile.TarError, KeyError) as error:
            raise BackupFailed(f"{file} is not a backup of Porchlight, or it is damaged: {error}") from error
        yield folder


def _tool(name: str, server: EmbeddedPostgres | None) -> Path:
    if server is not None:
        return server.tool(name)
    # A newer pg_dump reads an older server, never the other way round.
    fitting = [each for each in find_binaries() if each.tool(name).exists()]
    if not fitting:
        raise BackupFailed(f"No {name} is here. Install PostgreSQL's client programs.")
    newest: Binaries = max(fitting, key=lambda each: each.major)
    return newest.tool(name)


def _run(command: list[str | Path]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if answer.returncode:
        raise BackupFailed(f"{Path(command[0]).name} failed: {answer.stderr.strip()[-600:]}")


def _has_tables(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone()
    return bool(row and row[0])


def _empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
