"""How people prove more than a password, see where they are signed in, and are not locked out."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import select, text

from referral.audit.tables import AuditRow
from referral.config import Settings, read
from referral.database import transaction
from referral.errors import SettingsInvalid
from referral.operators import totp
from referral.operators.browsers import browser_of
from referral.operators.networks import network_of, networks, sender
from referral.operators.rules import Role
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import PASSWORD, OperatorClient, Service, access_of, running
from tests.referral.serving import SERVICE_SECRET

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@asynccontextmanager
async def desk(database: str, clock: Time, **changes: Any) -> AsyncIterator[Service]:
    """The service with other settings than usual."""
    settings = Settings(
        referral_database_url=database,
        referral_secret_key=SECRET_KEY,
        service_secret=SERVICE_SECRET,
        **changes,
    )
    async with running(settings, clock=clock) as service:
        yield service


async def sign_in(browser: httpx.AsyncClient, name: str, **headers: str) -> httpx.Response:
    """Name and password, as the form sends them."""
    return await browser.post("/sign-in", data={"name": name, "password": PASSWORD}, headers=headers)


async def guess(browser: httpx.AsyncClient, name: str, times: int, **headers: str) -> list[int]:
    """Wrong passwords; the statuses they get."""
    answers = [
        await browser.post("/sign-in", data={"name": name, "password": f"guess {n}"}, headers=headers)
        for n in range(times)
    ]
    return [answer.status_code for answer in answers]


async def acts(service: Service) -> list[str]:
    """What the audit log says, oldest first."""
    async with transaction(service.services.sessions) as session:
        return list((await session.scalars(select(AuditRow.act).order_by(AuditRow.seq))).all())


class Phone:
    """An authenticator app whose clock is the test's."""

    def __init__(self, secret: str, *, clock: Time) -> None:
        self._totp = pyotp.TOTP(secret)
        self._clock = clock

    def code(self, *, steps: int = 0) -> str:
        return self._totp.at(self._clock() + timedelta(seconds=30 * steps))


async def form_token(person: OperatorClient) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', await person.see("/account"))
    assert found
    return found[1]


async def change(person: OperatorClient, path: str, **fields: str) -> httpx.Response:
    """A form of the page about one's own sign-in."""
    return await person.http.post(path, data={"form_token": await form_token(person), **fields})


async def set_up_app(person: OperatorClient, clock: Time) -> tuple[Phone, list[str]]:
    """An app that is in use, and the recovery codes."""
    await change(person, "/account/app")
    page = await person.see("/account/app")
    shown = re.search(r'<code class="link">([A-Z2-7 ]+)</code>', page)
    assert shown
    phone = Phone(shown[1].replace(" ", ""), clock=clock)
    answer = await change(person, "/account/app/confirm", code=phone.code())
    assert answer.status_code == 200, answer.text
    return phone, re.findall(r"<li><code>([a-z0-9-]+)</code>", answer.text)


# ---- The app ----


async def test_after_the_password_the_app_is_asked_and_each_code_counts_once(
    service: Service, clock: Time
) -> None:
    async with (
        service.as_operator("nina") as nina,
        service.browser() as elsewhere,
        service.browser() as third,
    ):
        phone, codes = await set_up_app(nina, clock)
        clock.forward(timedelta(minutes=1))
        first = await sign_in(elsewhere, "nina")
        inside = await elsewhere.get("/session")
        page = (await elsewhere.get("/sign-in/second")).text
        wrong = await elsewhere.post("/sign-in/second", data={"code": "000000"})
        code = phone.code()
        right = await elsewhere.post("/sign-in/second", data={"code": f" {code[:3]} {code[3:]} "})
        await sign_in(third, "nina")
        replayed = await third.post("/sign-in/second", data={"code": code})
        earlier = await third.post("/sign-in/second", data={"code": phone.code(steps=-1)})
        clock.forward(timedelta(seconds=31))
        next_one = await third.post("/sign-in/second", data={"code": phone.code()})

    assert len(codes) == 10
    assert (first.status_code, first.headers["location"]) == (303, "/sign-in/second")
    assert inside.headers["location"] == "/sign-in"
    assert "The six digits that your app shows" in page
    assert wrong.status_code == 401
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert (replayed.status_code, earlier.status_code) == (401, 401)
    assert next_one.status_code == 303


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phone_may_be_half_a_minute_wrong(steps: int, accepted: bool) -> None:
    now = datetime(2026, 11, 29, 2, tzinfo=UTC)
    secret = totp.new_secret()
    code = pyotp.TOTP(secret).at(now + timedelta(seconds=30 * steps))

    assert (totp.accepted_step(secret, code, now=now, after=None) is not None) is accepted


def test_the_codes_are_those_of_the_standard() -> None:
    # RFC 6238, appendix B, of which apps show the last six digits.
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        assert totp.accepted_step(secret, code, now=datetime.fromtimestamp(seconds, UTC), after=None)


async def test_a_recovery_code_lets_in_once_and_the_rest_are_counted(service: Service, clock: Time) -> None:
    async with service.as_operator("nina") as nina, service.browser() as elsewhere:
        _, codes = await set_up_app(nina, clock)
        statuses = []
        for code in (codes[0], codes[0], codes[1].upper().replace("-", " ")):
            await sign_in(elsewhere, "nina")
            answer = await elsewhere.post("/sign-in/second", data={"code": code})
            statuses.append(answer.status_code)
        page = (await elsewhere.get("/account")).text
        log = await acts(service)

    assert statuses == [303, 401, 303]
    assert "<strong>8</strong> of 10 are left" in page
    assert log.count("recovery_code_used") == 2


async def test_nothing_in_the_database_makes_codes(service: Service, clock: Time) -> None:
    async with service.as_operator("nina") as nina:
        _, codes = await set_up_app(nina, clock)
        async with transaction(service.services.sessions) as session:
            stored = [
                bytes(value)
                for table, column in (("authenticator", "secret"), ("recovery_code", "code_hash"))
                for value in (await session.scalars(text(f"SELECT {column} FROM {table}"))).all()  # noqa: S608
            ]

    assert len(stored) == 11
    assert not any(code.replace("-", "").encode() in value for code in codes for value in stored)
    assert all(len(value) in (32, 61) for value in stored)


async def test_guessing_the_second_step_is_slowed_down_too(service: Service, clock: Time) -> None:
    async with service.as_operator("nina") as nina, service.browser() as elsewhere:
        phone, _ = await set_up_app(nina, clock)
        clock.forward(timedelta(minutes=1))
        await sign_in(elsewhere, "nina")
        guesses = [
            (await elsewhere.post("/sign-in/second", data={"code": f"{n:06}"})).status_code for n in range(5)
        ]
        blocked = await elsewhere.post("/sign-in/second", data={"code": phone.code()})
        clock.forward(timedelta(seconds=31))
        later = await elsewhere.post("/sign-in/second", data={"code": phone.code()})

    assert guesses == [401] * 5
    assert (blocked.status_code, later.status_code) == (429, 303)


async def test_the_second_step_takes_ten_minutes_at_most_and_is_taken_once(
    service: Service, clock: Time
) -> None:
    async with service.as_operator("nina") as nina, service.browser() as elsewhere:
        phone, codes = await set_up_app(nina, clock)
        await sign_in(elsewhere, "nina")
        ticket = dict(elsewhere.cookies)
        clock.forward(timedelta(minutes=11))
        late = await elsewhere.post("/sign-in/second", data={"code": phone.code()})
        await sign_in(elsewhere, "nina")
        ticket = dict(elsewhere.cookies)
        right = await elsewhere.post("/sign-in/second", data={"code": codes[0]})
        async with service.browser() as thief:
            thief.cookies.update(ticket)
            again = await thief.post("/sign-in/second", data={"code": codes[1]})

    assert late.status_code == 410
    assert right.status_code == 303
    assert again.status_code == 410


async def test_a_supervisor_resets_what_was_lost_and_the_log_says_so(service: Service, clock: Time) -> None:
    async with (
        service.as_operator("nina") as nina,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.browser() as elsewhere,
    ):
        await set_up_app(nina, clock)
        page = await vera.see("/operators")
        number = page.split('action="/operators/')[1].split("/")[0]
        reset = await vera.send(f"/operators/{number}/reset")
        inside = await nina.http.get("/session")
        again = await sign_in(elsewhere, "nina")
        log = await acts(service)

    assert "second factor" in page
    assert reset.status_code == 303
    assert inside.headers["location"] == "/sign-in"
    assert again.headers["location"] == "/"
    assert log[-2:] == ["second_factor_reset", "signed_in"]


async def test_another_role_ends_the_sessions_of_the_old_one_and_the_last_supervisor_keeps_theirs(
    service: Service,
) -> None:
    async with (
        service.as_operator("nina") as nina,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.browser() as elsewhere,
    ):
        page = await vera.see("/operators")
        number = page.split('action="/operators/')[1].split("/")[0]
        await vera.send(f"/operators/{number}/role", {"role": "auditor"})
        inside = await nina.http.get("/session")
        await sign_in(elsewhere, "nina")
        seen = [(await elsewhere.get(path)).status_code for path in ("/audit", "/stream")]
        async with transaction(service.services.sessions) as session:
            own = await access_of(service.services, session).named("vera")
        last = await vera.send(f"/operators/{own}/role", {"role": "operator"})
        log = await acts(service)

    assert inside.headers["location"] == "/sign-in"
    assert seen == [200, 403]
    assert last.status_code == 409
    assert log.count("role_changed") == 1


async def test_two_people_never_have_one_e_mail_address(service: Service) -> None:
    async with service.as_operator("vera", role=Role.SUPERVISOR) as vera:
        fields = {"role": "operator", "email": "Desk@example.org"}
        answers = [
            (await vera.send("/operators", {**fields, "name": name})).status_code for name in ("nina", "oleg")
        ]
        nonsense = await vera.send("/operators", {"role": "operator", "name": "olga", "email": "no address"})

    assert answers == [200, 409]
    assert nonsense.status_code == 422


async def test_the_command_line_resets_what_the_only_supervisor_has_lost(
    service: Service, clock: Time
) -> None:
    async with service.as_operator("vera", role=Role.SUPERVISOR) as vera, service.browser() as elsewhere:
        await set_up_app(vera, clock)
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "referral", "operator", "reset", "vera"],
            env={
                **os.environ,
                "PORCHLIGHT_REFERRAL_DATABASE_URL": service.settings.referral_database_url,
                "PORCHLIGHT_REFERRAL_SECRET_KEY": SECRET_KEY,
                "PORCHLIGHT_SERVICE_SECRET": SERVICE_SECRET,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        again = await sign_in(elsewhere, "vera")

    assert done.returncode == 0, done.stderr
    assert again.headers["location"] == "/"


async def test_where_a_second_factor_is_compulsory_nothing_else_can_be_done_before(
    database: str, clock: Time
) -> None:
    async with (
        desk(database, clock, second_factor="supervisors") as service,
        service.as_operator("nina") as nina,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
    ):
        free = await nina.http.get("/")
        sent = [await vera.http.get(path) for path in ("/", "/supervision", "/operators")]
        stream = await vera.http.get("/stream", headers={"accept": "text/event-stream"})
        page = await vera.see("/account")
        before = dict(vera.http.cookies)
        await set_up_app(vera, clock)
        after = dict(vera.http.cookies)
        desk_page = await vera.http.get("/operators")
        last = await change(vera, "/account/app/remove")

    assert free.status_code == 200
    assert {(answer.status_code, answer.headers["location"]) for answer in sent} == {(303, "/account")}
    assert stream.status_code == 403
    assert "One thing before you start" in page
    assert before["porchlight"] != after["porchlight"]
    assert desk_page.status_code == 200
    assert last.status_code == 409


async def test_whoever_signed_in_long_ago_changes_nothing(service: Service, clock: Time) -> None:
    async with service.as_operator("nina") as nina:
        clock.forward(timedelta(minutes=16))
        answers = [
            (await change(nina, path)).status_code
            for path in ("/account/app", "/account/recovery-codes", "/account/app/remove")
        ]

    assert answers == [403] * 3


# ---- Sessions ----


async def test_everybody_sees_where_they_are_signed_in_and_signs_out_there(
    service: Service, clock: Time
) -> None:
    async with (
        service.as_operator("nina") as nina,
        service.as_operator("oleg") as oleg,
        service.browser() as second,
        service.browser() as third,
    ):
        await sign_in(second, "nina", **{"user-agent": FIREFOX})
        await sign_in(third, "nina")
        page = await nina.see("/account")
        number = re.findall(r"/account/sessions/([0-9a-f-]{36})/end", page)
        others = await change(oleg, f"/account/sessions/{number[0]}/end")
        firefox = page.split("Firefox, Windows")[1].split("/account/sessions/")[1].split("/")[0]
        ended = await change(nina, f"/account/sessions/{firefox}/end")
        after_one = [(await browser.get("/session")).status_code for browser in (second, third)]
        all_others = await change(nina, "/account/sessions/others/end")
        after_all = [(await browser.get("/session")).status_code for browser in (third, nina.http)]

    assert len(number) == 2
    assert page.count("This one") == 1
    assert others.status_code == 404
    assert (ended.status_code, all_others.status_code) == (303, 303)
    assert after_one == [303, 204]
    assert after_all == [303, 204]


async def test_signing_in_again_ends_the_session_that_the_browser_had(service: Service) -> None:
    async with service.as_operator("nina") as nina, service.browser() as thief:
        thief.cookies.update(dict(nina.http.cookies))
        before = await thief.get("/session")
        await sign_in(nina.http, "nina")
        after = await thief.get("/session")

    assert before.status_code == 204
    assert after.headers["location"] == "/sign-in"


async def test_another_password_ends_all_other_sessions_and_renews_this_one(service: Service) -> None:
    async with service.as_operator("nina") as nina, service.browser() as elsewhere:
        await sign_in(elsewhere, "nina")
        before = nina.http.cookies["porchlight"]
        new = {"password": "eleven brown otters", "again": "eleven brown otters"}
        wrong = await change(nina, "/account/password", current="not this one", **new)
        weak = await change(
            nina, "/account/password", current=PASSWORD, password="password1234", again="password1234"
        )
        done = await change(nina, "/account/password", current=PASSWORD, **new)
        inside = [(await browser.get("/session")).status_code for browser in (nina.http, elsewhere)]
        old = await sign_in(elsewhere, "nina")

    assert (wrong.status_code, weak.status_code, done.status_code) == (401, 422, 303)
    assert nina.http.cookies["porchlight"] != before
    assert inside == [204, 303]
    assert old.status_code == 401


async def test_how_long_a_session_lasts_is_a_setting(database: str, clock: Time) -> None:
    async with (
        desk(database, clock, session_idle_minutes=5, session_hours=1) as service,
        service.as_operator("nina") as idle,
        service.as_operator("oleg") as busy,
    ):
        clock.forward(timedelta(minutes=4))
        for _ in range(13):
            await busy.see("/")
            clock.forward(timedelta(minutes=4))
        answers = [(await person.http.get("/")).status_code for person in (idle, busy)]
        clock.forward(timedelta(minutes=4))
        over = await busy.http.get("/")

    assert answers == [303, 200]
    assert over.status_code == 303


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14) Chrome/140.0 Mobile Safari/537.36",
            "Chrome, Android",
        ),
        ("curl/8", ""),
        ("", ""),
    ],
)
def test_a_browser_is_called_what_its_owner_calls_it(user_agent: str, name: str) -> None:
    assert browser_of(user_agent) == name


# ---- Lock-outs ----


def proxied(address: str) -> Mapping[str, str]:
    """What a reverse proxy says of whom it asks for."""
    return {"x-forwarded-for": address}


async def test_an_attacker_far_away_locks_nobody_out_at_the_desk(database: str, clock: Time) -> None:
    async with (
        desk(database, clock, trusted_proxies="127.0.0.1") as service,
        service.as_operator("nina") as nina,
        service.browser() as attacker,
        service.browser() as new_browser,
    ):
        statuses = []
        for network in range(60):
            statuses += await guess(attacker, "nina", 1, **proxied(f"203.0.113.{network}"))
        attacked = await sign_in(new_browser, "nina", **proxied("198.51.100.7"))
        nina.http.cookies.delete("porchlight")
        known = await sign_in(nina.http, "nina", **proxied("198.51.100.7"))

    assert statuses == [401] * 50 + [429] * 10
    assert attacked.status_code == 429
    assert known.status_code == 303


async def test_one_address_that_tries_many_names_has_to_wait_and_others_do_not(
    database: str, clock: Time
) -> None:
    async with (
        desk(database, clock, trusted_proxies="127.0.0.1") as service,
        service.as_operator("nina"),
        service.browser() as browser,
    ):
        statuses = []
        for number in range(30):
            statuses += await guess(browser, f"name{number}", 1, **proxied("203.0.113.9"))
        same = await sign_in(browser, "nina", **proxied("203.0.113.9"))
        other = await sign_in(browser, "nina", **proxied("203.0.113.10"))

    assert statuses == [401] * 30
    assert (same.status_code, other.status_code) == (429, 303)


async def test_a_known_browser_guesses_slowly_as_well(service: Service) -> None:
    async with service.as_operator("nina") as nina:
        assert await guess(nina.http, "nina", 6) == [401] * 5 + [429]


async def test_a_supervisor_sees_who_is_held_back_and_lets_them_in_again(
    service: Service, clock: Time
) -> None:
    async with (
        service.as_operator("nina"),
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.browser() as browser,
    ):
        await guess(browser, "nina", 5)
        for other in range(25):
            await guess(browser, f"name{other}", 1)
        page = await vera.see("/operators")
        number = page.split('action="/operators/')[1].split("/")[0]
        await vera.send(f"/operators/{number}/lift")
        still = await sign_in(browser, "nina")
        await vera.send("/operators/networks/lift")
        free = await sign_in(browser, "nina")
        after = await vera.see("/operators")
        log = await acts(service)

    assert "too many wrong passwords, has to wait" in page
    assert "from 1 network:" in page
    assert (still.status_code, free.status_code) == (429, 303)
    assert "has to wait" not in after
    assert log.count("lock_lifted") == 2


async def test_the_table_of_failures_names_neither_people_nor_addresses(service: Service) -> None:
    async with service.browser() as browser:
        await guess(browser, "nina", 2)
    async with transaction(service.services.sessions) as session:
        rows = (await session.execute(text("SELECT * FROM throttle"))).all()

    assert len(rows) == 3
    assert "nina" not in repr(rows)
    assert "127.0.0.1" not in repr(rows)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.5", "", "203.0.113.5"),
        # Whoever comes past our proxies may write what they like: nobody believes it.
        ("203.0.113.5", "198.51.100.1", None),
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1, 10.0.0.3", "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1, nonsense", None),
        ("10.0.0.2", "10.0.0.3", None),
        ("::ffff:10.0.0.2", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", "", None),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str, forwarded: str, found: str | None) -> None:
    address = sender(peer, forwarded=forwarded, proxies=networks("10.0.0.0/8"))

    assert network_of(address) == found


# ---- The networks that the console is open to ----


async def test_the_console_opens_to_listed_networks_alone_and_the_bot_is_not_asked(
    database: str, clock: Time
) -> None:
    async with (
        desk(
            database, clock, console_networks="192.0.2.0/24, 2001:db8::/32", trusted_proxies="127.0.0.1"
        ) as service,
        service.browser() as browser,
        service.as_bot() as bot,
    ):
        found = {
            address: (await browser.get("/sign-in", headers=proxied(address))).status_code
            for address in ("192.0.2.7", "2001:db8::1", "198.51.100.1")
        }
        spoofed = await browser.get("/sign-in", headers=proxied("192.0.2.7, 198.51.100.1"))
        directly = await browser.get("/sign-in")
        style = await browser.get("/static/console.css")
        health = await browser.get("/healthz")
        case = await bot.open()

    assert found == {"192.0.2.7": 200, "2001:db8::1": 200, "198.51.100.1": 403}
    assert (spoofed.status_code, directly.status_code, style.status_code) == (403, 403, 403)
    assert "not open to your network" in directly.text
    assert directly.headers["content-security-policy"]
    assert health.status_code == 200
    assert case


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSOLE_NETWORKS", "everywhere"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("SECOND_FACTOR", "sometimes"),
        ("OIDC_URL", "http://idp.example.org"),
        ("OIDC_ROLES", "desk=king"),
    ],
)
def test_a_setting_that_protects_nobody_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for setting, given in (
        ("REFERRAL_DATABASE_URL", "postgresql:///referral"),
        ("REFERRAL_SECRET_KEY", SECRET_KEY),
        ("SERVICE_SECRET", SERVICE_SECRET),
        ("OIDC_CLIENT_ID", "porchlight"),
        ("OIDC_ROLES_CLAIM", "groups"),
        (name, value),
    ):
        monkeypatch.setenv(f"PORCHLIGHT_{setting}", given)

    with pytest.raises(SettingsInvalid, match=f"PORCHLIGHT_{name}"):
        read()
