"""What an installation has of its own: settings, secrets and ports."""

from __future__ import annotations

import base64
import os
import socket
import stat
from pathlib import Path

import pytest

from bot.config import Settings as BotSettings
from bot.launch import ports, secrets
from bot.launch.errors import LaunchError
from bot.launch.site import KNOWN, Site, read_settings_file
from referral.config import Settings as ReferralSettings

GOOD = base64.b64encode(bytes(range(1, 33))).decode()


def test_the_secrets_are_made_once_and_stay(tmp_path: Path) -> None:
    first = secrets.ensure(tmp_path, settings={})

    assert secrets.ensure(tmp_path, settings={}) == first
    assert len(set(first.values())) == 3


def test_only_the_owner_may_read_the_secrets(tmp_path: Path) -> None:
    secrets.ensure(tmp_path, settings={})

    assert stat.S_IMODE(secrets.secrets_file(tmp_path).stat().st_mode) == 0o600


def test_secrets_that_others_can_read_are_refused(tmp_path: Path) -> None:
    secrets.ensure(tmp_path, settings={})
    secrets.secrets_file(tmp_path).chmod(0o640)

    with pytest.raises(LaunchError, match="chmod 600"):
        secrets.ensure(tmp_path, settings={})


def test_a_secret_from_the_settings_wins_and_is_not_written_down(tmp_path: Path) -> None:
    found = secrets.ensure(tmp_path, settings={secrets.SECRET_KEY: GOOD})

    assert found[secrets.SECRET_KEY] == GOOD
    assert GOOD not in secrets.secrets_file(tmp_path).read_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (secrets.SECRET_KEY, "swordfish"),
        (secrets.SECRET_KEY, base64.b64encode(b"short").decode()),
        (secrets.REFERRAL_SECRET_KEY, base64.b64encode(bytes(32)).decode()),
        (secrets.SERVICE_SECRET, GOOD),
        (secrets.SERVICE_SECRET, "whsec_c2hvcnQ="),
    ],
)
def test_a_weak_secret_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(LaunchError, match=name):
        secrets.ensure(tmp_path, settings={name: value})


def test_both_services_take_the_secrets_that_are_made(tmp_path: Path) -> None:
    made = secrets.ensure(tmp_path, settings={})

    ReferralSettings(
        referral_database_url="postgresql:///referral",
        referral_secret_key=made[secrets.REFERRAL_SECRET_KEY],
        service_secret=made[secrets.SERVICE_SECRET],
    )
    BotSettings(
        database_url="postgresql:///bot",
        secret_key=made[secrets.SECRET_KEY],
        service_secret=made[secrets.SERVICE_SECRET],
    )


def test_every_setting_of_the_services_is_known_here() -> None:
    used = {
        f"PORCHLIGHT_{name.upper()}" for each in (BotSettings, ReferralSettings) for name in each.model_fields
    }

    assert used <= KNOWN


def test_every_setting_is_in_the_example() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text()

    assert {name for name in KNOWN if name not in example} == set()


def test_a_variable_that_is_set_wins_over_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# For tests\nPORCHLIGHT_COUNTRY=BY\nexport PORCHLIGHT_LOCALE='be'\nPORCHLIGHT_PUBLIC_URL=\n"
    )
    monkeypatch.setenv("PORCHLIGHT_COUNTRY", "BD")

    site = Site(root=tmp_path, data=tmp_path, settings={**read_settings_file(file), **os.environ})

    assert site.setting("PORCHLIGHT_COUNTRY") == "BD"
    assert site.setting("PORCHLIGHT_LOCALE") == "be"
    assert site.setting("PORCHLIGHT_PUBLIC_URL") is None


def test_a_settings_file_that_is_no_text_is_an_error_in_words(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"\xff\xfe\x00P")

    with pytest.raises(LaunchError, match="UTF-8"):
        read_settings_file(file)


def test_a_taken_port_is_named_with_its_owner_and_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(LaunchError) as refused:
            ports.require_free(port, purpose="the web chat", option="--port")

    assert f"Port {port}, meant for the web chat, is taken by python" in str(refused.value)
    assert f"(process {os.getpid()})" in str(refused.value)
    assert f"--port {port + 1}" in str(refused.value)


def test_a_free_port_is_free() -> None:
    ports.require_free(ports.free_port(), purpose="the web chat", option="--port")
