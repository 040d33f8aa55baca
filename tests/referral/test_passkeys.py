"""How people come in with a passkey: a real browser, whose authenticator is Chromium's virtual one."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import BrowserContext, CDPSession, Page, Route, expect
from sqlalchemy import select

from referral.audit.tables import AuditRow
from referral.config import Settings
from referral.database import transaction
from referral.operators.passkeys import Relying
from referral.operators.rules import Role
from tests.referral.browser import chromium
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import PASSWORD, Service, running
from tests.referral.serving import SERVICE_SECRET

_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Device:
    """A computer with a browser, and an authenticator in it."""

    def __init__(self, context: BrowserContext, page: Page, *, cdp: CDPSession, authenticator: str) -> None:
        self.context = context
        self.page = page
        self._cdp = cdp
        self._authenticator = authenticator

    async def count_backwards(self) -> None:
        """The authenticator was copied before its last use: the copy has not counted that."""
        which = {"authenticatorId": self._authenticator}
        found = await self._cdp.send("WebAuthn.getCredentials", which)
        for credential in found["credentials"]:
            await self._cdp.send("WebAuthn.clearCredentials", which)
            await self._cdp.send(
                "WebAuthn.addCredential", {**which, "credential": {**credential, "signCount": 0}}
            )

    async def verify_nobody(self) -> None:
        """Whoever holds it does not know how to unlock it."""
        which = {"authenticatorId": self._authenticator}
        await self._cdp.send("WebAuthn.setUserVerified", {**which, "isUserVerified": False})

    async def leave(self) -> None:
        await self.page.get_by_text("Menu", exact=True).click()
        await self.page.locator("[data-sign-out] button").click()
        await expect(self.page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()


@asynccontextmanager
async def _named_desk(database: str, clock: Time) -> AsyncIterator[tuple[Service, str]]:
    """The service as ``localhost``, since passkeys are bound to a name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    console = f"http://localhost:{port}"
    settings = Settings(
        referral_database_url=database,
        referral_secret_key=SECRET_KEY,
        service_secret=SERVICE_SECRET,
        console_url=console,
    )
    async with running(settings, clock=clock, port=port) as service:
        yield service, console


@asynccontextmanager
async def _device(console: str) -> AsyncIterator[Device]:
    async with chromium() as browser:
        context = await browser.new_context(base_url=console, locale="en")
        page = await context.new_page()
        page.set_default_timeout(30_000)
        cdp = await context.new_cdp_session(page)
        await cdp.send("WebAuthn.enable")
        made = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
        yield Device(context, page, cdp=cdp, authenticator=made["authenticatorId"])


async def _arrive(service: Service, page: Page, name: str, *, role: Role = Role.OPERATOR) -> None:
    await page.goto(f"/invitation/{await service.invitation(name, role=role)}")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("The same once more").fill(PASSWORD)
    await page.get_by_role("button", name="Set password and sign in").click()
    await page.get_by_text("Menu", exact=True).click()
    await page.get_by_role("link", name="How I sign in").click()


async def _add_passkey(page: Page, name: str) -> None:
    await page.get_by_label("What shall it be called?").fill(name)
    await page.get_by_role("button", name="Add a passkey").click()


async def _acts(service: Service) -> list[str]:
    async with transaction(service.services.sessions) as session:
        return list((await session.scalars(select(AuditRow.act).order_by(AuditRow.seq))).all())


async def test_a_passkey_is_added_signs_in_alone_and_is_removed(database: str, clock: Time) -> None:
    async with _named_desk(database, clock) as (service, console), _device(console) as device:
        page = device.page
        refused: list[str] = []
        page.on(
            "console", lambda said: refused.append(said.text) if "Content Security" in said.text else None
        )
        await _arrive(service, page, "nina")
        await _add_passkey(page, "My phone")
        await expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
        codes = await page.locator(".codes li").count()
        await page.get_by_role("link", name="I have kept them").click()
        await expect(page.locator(".people").first).to_contain_text("My phone")

        # The same authenticator is not added twice.
        await _add_passkey(page, "The same again")
        await expect(page.get_by_text("This device has a passkey for you already.")).to_be_visible()

        await device.leave()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text("Menu", exact=True)).to_be_visible()
        await page.goto("/account")
        await expect(page.locator(".people").first).to_contain_text("Last used")

        await page.get_by_role("button", name="Remove the passkey My phone").click()
        await expect(page.get_by_role("button", name="Remove the passkey My phone")).to_have_count(0)
        await device.leave()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text("This passkey is not known here")).to_be_visible()
        log = await _acts(service)

    assert codes == 10
    assert refused == []
    assert [act for act in log if "passkey" in act] == ["passkey_added", "passkey_removed", "passkey_refused"]


async def test_with_a_passkey_the_password_alone_lets_nobody_in(database: str, clock: Time) -> None:
    async with _named_desk(database, clock) as (service, console), _device(console) as device:
        page = device.page
        await _arrive(service, page, "nina")
        await _add_passkey(page, "My phone")
        await page.get_by_role("link", name="I have kept them").click()
        await device.leave()
        await page.get_by_label("Name").fill("nina")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
        await page.goto("/")
        await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        await page.goto("/sign-in/second")
        await page.get_by_role("button", name="Use a passkey").click()
        await expect(page.get_by_text("Menu", exact=True)).to_be_visible()


async def test_a_copied_authenticator_and_one_that_nobody_unlocked_are_refused(
    database: str, clock: Time
) -> None:
    async with _named_desk(database, clock) as (service, console), _device(console) as device:
        page = device.page
        await _arrive(service, page, "nina")
        await _add_passkey(page, "My phone")
        await page.get_by_role("link", name="I have kept them").click()
        await device.leave()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text("Menu", exact=True)).to_be_visible()
        await device.leave()
        await device.count_backwards()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text("This passkey is not known here")).to_be_visible()
        await device.verify_nobody()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text("No passkey was chosen.")).to_be_visible()
        log = await _acts(service)

    assert log.count("passkey_refused") == 1


async def test_an_answer_counts_once_and_for_its_own_challenge(database: str, clock: Time) -> None:
    async with _named_desk(database, clock) as (service, console), _device(console) as device:
        page = device.page
        await _arrive(service, page, "nina")
        await _add_passkey(page, "My phone")
        await page.get_by_role("link", name="I have kept them").click()
        await device.leave()
        sent: list[str] = []
        tickets: list[str] = []

        async def note(route: Route) -> None:
            sent.append(route.request.post_data or "")
            tickets.extend(
                cookie["value"]
                for cookie in await device.context.cookies()
                if cookie["name"] == "porchlight-step"
            )
            await route.continue_()

        await page.route("**/sign-in/passkey", note)
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text("Menu", exact=True)).to_be_visible()
        form = {"content-type": "application/x-www-form-urlencoded"}
        async with service.browser() as thief:
            origin = {**form, "origin": console, "host": console.removeprefix("http://")}
            answers = []
            for ticket in (tickets[0], "", None):
                if ticket is None:
                    # A challenge of the thief's own does not fit the answer.
                    await thief.post("/sign-in/passkey/offer", headers=origin)
                else:
                    thief.cookies.set("porchlight-step", ticket)
                answers.append(
                    (await thief.post("/sign-in/passkey", content=sent[0], headers=origin)).status_code
                )
                thief.cookies.clear()

    assert answers[1:] == [410, 401]
    # Its counter has moved on as well, so that the answer is refused even before the ticket is.
    assert answers[0] in (401, 410)


@pytest.mark.parametrize(
    ("console", "name"),
    [
        ("https://desk.example.org", "desk.example.org"),
        ("http://localhost:8100", "localhost"),
        ("http://127.0.0.1:8100", None),
        ("http://[::1]:8100", None),
    ],
)
def test_passkeys_are_for_consoles_with_a_name(console: str, name: str | None) -> None:
    relying = Relying.of(console)

    assert (relying and relying.name) == name
