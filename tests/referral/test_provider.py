"""How people come in with an account of their organisation: a stand-in, real HTTP, real signatures.

It can be told to break each rule that keeps strangers out.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from referral.audit.tables import AuditRow
from referral.config import Settings
from referral.database import transaction
from referral.operators.rules import Role
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import PASSWORD, Service, access_of, running
from tests.referral.serving import SERVICE_SECRET, serving
from tests.referral.test_ways_in import set_up_app

CLIENT, SECRET = "porchlight", "a secret that both know"
NINA = {"sub": "u-17", "email": "Nina@Example.org", "email_verified": True}


def _key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


KEY, ANOTHER_KEY = _key("first"), _key("first")


@dataclass(slots=True)
class StandIn:
    """A provider that keeps the rules of OpenID Connect, unless it is told otherwise."""

    url: str = ""
    #: Who signs in there.
    claims: dict[str, Any] = field(default_factory=lambda: dict(NINA))
    #: What is wrong in the token it gives; a claim with None is left out.
    wrong: dict[str, Any] = field(default_factory=dict)
    #: Seconds from now.
    issued_in: int = 0
    expires_in: int = 300
    key: RSAKey = field(default_factory=lambda: KEY)
    #: What it publishes, if that is not the key it signs with.
    published: RSAKey | None = None
    unsigned: bool = False
    #: What it says about itself that is not so.
    description: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        """Its HTTP side."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    async def _describe(self, _: Request) -> Response:
        known = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }
        return JSONResponse(known | self.description, status_code=self.status)

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        answer = urlencode({"code": code, "state": asked["state"], "iss": self.url})
        return RedirectResponse(f"{asked['redirect_uri']}?{answer}")

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        asked = self._codes.pop(str(form.get("code")), None)
        told = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or told != f"{CLIENT}:{SECRET}"
            or proof != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now + self.issued_in,
            "exp": now + self.expires_in,
            "nonce": asked["nonce"],
            **self.claims,
            **self.wrong,
        }
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": self._sign(claims)})

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [(self.published or self.key).as_dict(private=False)]})

    def _sign(self, claims: dict[str, Any]) -> str:
        claims = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        if not self.unsigned:
            return token
        head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        return f"{head}.{token.split('.')[1]}."


@asynccontextmanager
async def _world(database: str, clock: Time, **changes: Any) -> AsyncIterator[tuple[Service, StandIn]]:
    """The desk, and a provider that it knows."""
    provider = StandIn()
    async with serving(provider.app()) as url:
        provider.url = url
        settings = Settings(
            **{
                "referral_database_url": database,
                "referral_secret_key": SECRET_KEY,
                "service_secret": SERVICE_SECRET,
                "oidc_url": url,
                "oidc_client_id": CLIENT,
                "oidc_client_secret": SECRET,
                **changes,
            }
        )
        async with running(settings, clock=clock) as service:
            yield service, provider


async def _invite(
    service: Service, name: str, *, email: str | None = None, role: Role = Role.OPERATOR
) -> None:
    async with transaction(service.services.sessions) as session:
        await access_of(service.services, session).invite(name, role=role, email=email)


async def _come(browser: httpx.AsyncClient) -> httpx.Response:
    """There and back, as a browser goes; what the desk answers in the end."""
    return await browser.get(await _go(browser))


async def _go(browser: httpx.AsyncClient) -> str:
    """The path with which the provider sends the browser back."""
    away = await browser.get("/sign-in/provider")
    assert away.status_code == 303, away.text
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        back = await elsewhere.get(away.headers["location"])
    parts = urlsplit(back.headers["location"])
    return f"{parts.path}?{parts.query}"


async def _inside(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/session")).status_code == 204


async def _acts(service: Service) -> list[str]:
    async with transaction(service.services.sessions) as session:
        return list((await session.scalars(select(AuditRow.act).order_by(AuditRow.seq))).all())


async def test_who_was_invited_by_e_mail_comes_in_and_keeps_the_account_whatever_it_is_called(
    database: str, clock: Time
) -> None:
    async with _world(database, clock) as (service, provider), service.browser() as browser:
        await _invite(service, "nina", email="nina@example.org")
        door = (await browser.get("/sign-in")).text
        first = await _come(browser)
        at_home = await _inside(browser)
        provider.claims["email"] = "married@example.org"
        again = await _come(browser)
        async with service.browser() as stranger:
            # Somebody else at the organisation gets her old address.
            provider.claims = {**NINA, "sub": "u-99"}
            refused = await _come(stranger)
            outside = not await _inside(stranger)
        log = await _acts(service)

    assert "Sign in with your organisation" in door
    assert first.status_code == 200
    assert 'http-equiv="refresh"' in first.text
    assert at_home
    assert again.status_code == 200
    assert refused.status_code == 403
    assert outside
    assert log == [
        "operator_invited",
        "account_bound",
        "signed_in",
        "signed_in",
        "sign_in_refused",
    ]


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "u-1", "email": "stranger@example.org", "email_verified": True},
        {"sub": "u-1", "email": "nina@example.org", "email_verified": False},
        {"sub": "u-1", "email": "nina@example.org", "email_verified": "true"},
        {"sub": "u-1", "email": "nina@example.org"},
        {"sub": "u-1"},
        {"sub": "u-1", "email": "nina", "email_verified": True},
    ],
)
async def test_who_was_not_invited_stays_outside(database: str, clock: Time, claims: dict[str, Any]) -> None:
    async with _world(database, clock) as (service, provider), service.browser() as browser:
        await _invite(service, "nina", email="nina@example.org")
        await _invite(service, "vera", role=Role.SUPERVISOR)
        provider.claims = claims
        if claims.get("email") == "nina":
            # A name that somebody has given themselves is no address.
            claims["email"] = "vera"
        answer = await _come(browser)
        inside = await _inside(browser)

    # ``vera`` was invited by name; that is for a claim that holds names, which the e-mail address is not.
    assert answer.status_code == 403
    assert not inside


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another one"},
        {"nonce": None},
        {"exp": None},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"iss": "https://another.example.org"},
        {"sub": None},
    ],
)
async def test_a_token_that_is_not_for_this_sign_in_is_refused(
    database: str, clock: Time, wrong: dict[str, Any]
) -> None:
    async with _world(database, clock) as (service, provider), service.browser() as browser:
        await _invite(service, "nina", email="nina@example.org")
        provider.wrong = wrong
        answer = await _come(browser)
        inside = await _inside(browser)
        log = await _acts(service)

    assert answer.status_code == 401
    assert "did not let you in" in answer.text
    assert not inside
    assert log == ["operator_invited"]


@pytest.mark.parametrize(("issued_in", "expires_in"), [(-7200, -3600), (3600, 7200)])
async def test_a_token_of_another_time_is_refused(
    database: str, clock: Time, issued_in: int, expires_in: int
) -> None:
    async with _world(database, clock) as (service, provider), service.browser() as browser:
        await _invite(service, "nina", email="nina@example.org")
        provider.issued_in, provider.expires_in = issued_in, expires_in
        answer = await _come(browser)
        inside = await _inside(browser)

    assert answer.status_code == 401
    assert "did not let you in" in answer.text
    assert not inside


async def test_a_token_without_a_signature_or_with_another_key_is_refused(database: str, clock: Time) -> None:
    async with _world(database, clock) as (service, provider), service.browser() as browser:
        await _invite(service, "nina", email="nina@example.org")
        provider.unsigned = True
        unsigned = await _come(browser)
        provider.unsigned, provider.key, provider.published = False, ANOTHER_KEY, KEY
        forged = await _come(browser)
        inside = await _inside(browser)

    assert (unsigned.status_code, forged.status_code) == (401, 401)
    assert not inside


async def test_new_keys_of_the_provider_are_looked_up(database: str, clock: Time) -> None:
    async with _world(database, clock) as (service, provider), service.browser() as browser:
        await _invite(service, "nina", email="nina@example.org")
        before = await _come(browser)
        provider.key = _key("second")
        after = await _come(browser)

    assert (before.status_code, after.status_code) == (200, 200)


async def test_an_answer_is_for_the_browser_that_asked_and_counts_once(database: str, clock: Time) -> None:
    async with _world(database, clock) as (service, _), service.browser() as browser:
        await _invite(service, "nina", email="nina@example.org")
        back = await _go(browser)
        async with service.browser() as other:
            without = await other.get(back)
            await other.get("/sign-in/provider")
            with_its_own = await other.get(back)
        code = parse_qs(urlsplit(back).query)["code"][0]
        other_state = await browser.get(f"/sign-in/provider/back?code={code}&state=another")
        other_issuer = await browser.get(f"{back}".replace("iss=http", "iss=https"))
        denied = await browser.get(back.replace("code=", "error=access_denied&nothing="))
        right = await browser.get(back)
        replayed = await browser.get(back)

    assert (without.status_code, with_its_own.status_code, other_state.status_code) == (410, 410, 410)
    assert (other_issuer.status_code, denied.status_code) == (401, 401)
    assert right.status_code == 200
    assert replayed.status_code in (401, 410)


async def test_somebody_with_a_second_factor_is_asked_unless_the_provider_has(
    database: str, clock: Time
) -> None:
    async with (
        _world(database, clock, oidc_claim="preferred_username", second_factor="everybody") as (
            service,
            provider,
        ),
        service.as_operator("nina") as nina,
        service.browser() as browser,
    ):
        await set_up_app(nina, clock)
        provider.claims = {"sub": "u-17", "preferred_username": "Nina"}
        asked = await _come(browser)
        before = await _inside(browser)
        provider.claims["amr"] = ["pwd", "mfa"]
        trusted = await _come(browser)
        after = await _inside(browser)

    assert re.search(r"url=/sign-in/second", asked.text)
    assert not before
    assert re.search(r"url=/\"", trusted.text)
    assert after


async def test_groups_make_roles_only_where_a_setting_says_so(database: str, clock: Time) -> None:
    async with (
        _world(
            database,
            clock,
            oidc_roles_claim="groups",
            oidc_roles="desk-leads=supervisor, desk=operator, texts=editor",
        ) as (service, provider),
        service.as_operator("vera", role=Role.SUPERVISOR),
        service.browser() as browser,
    ):
        await _invite(service, "nina", email="nina@example.org")
        found = []
        for groups in (["desk-leads", "desk"], ["texts"], ["cooks"], "desk", None):
            provider.claims["groups"] = groups
            await _come(browser)
            found.append((await browser.get("/supervision")).status_code)
        log = await _acts(service)

    assert found == [200, 403, 403, 403, 403]
    assert log.count("role_changed") == 3


async def test_the_last_supervisor_stays_one_whatever_the_groups_say(database: str, clock: Time) -> None:
    async with (
        _world(database, clock, oidc_roles_claim="groups", oidc_roles="texts=editor") as (service, provider),
        service.browser() as browser,
    ):
        await _invite(service, "nina", email="nina@example.org", role=Role.SUPERVISOR)
        provider.claims["groups"] = ["texts"]
        await _come(browser)
        page = await browser.get("/operators")

    assert page.status_code == 200


async def test_who_is_disabled_does_not_come_in_by_another_way(database: str, clock: Time) -> None:
    async with (
        _world(database, clock) as (service, _),
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.browser() as browser,
    ):
        await _invite(service, "nina", email="nina@example.org")
        first = await _come(browser)
        page = await vera.see("/operators")
        number = page.split('action="/operators/')[1].split("/")[0]
        await vera.send(f"/operators/{number}/disable")
        refused = await _come(browser)
        inside = await _inside(browser)

    assert (first.status_code, refused.status_code) == (200, 403)
    assert not inside


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://another.example.org"},
        {"token_endpoint": "http://192.168.0.1/token"},
        {"token_endpoint": "https://10.0.0.1/token"},
        {"jwks_uri": "http://metadata.example.org/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
    ],
)
async def test_a_provider_leads_neither_elsewhere_nor_into_our_own_network(
    database: str, clock: Time, description: dict[str, Any]
) -> None:
    async with _world(database, clock) as (service, provider), service.browser() as browser:
        await _invite(service, "nina", email="nina@example.org")
        provider.description = description
        away = await browser.get("/sign-in/provider")
        if away.status_code == 303:
            away = await _come(browser)
        inside = await _inside(browser)

    assert away.status_code == 503
    assert not inside


async def test_while_the_provider_is_down_the_password_still_works(database: str, clock: Time) -> None:
    async with (
        _world(database, clock) as (service, provider),
        service.as_operator("nina"),
        service.browser() as browser,
    ):
        provider.status = 503
        away = await browser.get("/sign-in/provider")
        inside = await browser.post("/sign-in", data={"name": "nina", "password": PASSWORD})

    assert away.status_code == 503
    assert "does not answer at the moment" in away.text
    assert inside.status_code == 303
