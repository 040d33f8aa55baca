"""Who is this at the organisation's own sign-in (OpenID Connect: code with PKCE, state and nonce)?

Nothing is stored before somebody has come back with a good answer: state, nonce and verifier travel in a
sealed cookie.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from referral.clock import Clock
from referral.errors import ProviderRefused, ProviderUnreachable, StepOver
from referral.operators import tickets
from referral.operators.access import Account
from referral.operators.registration import Registration
from referral.operators.tickets import Errand
from referral.pager.address import AddressForbidden, public_address
from referral.privacy import Privacy

log = structlog.get_logger(__name__)

#: Signatures that only the provider can make: neither none nor one by a shared secret.
_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
#: Clocks differ.
_LEEWAY_SECONDS = 60
_SECONDS = 10
#: What a provider answers is a page of text at most.
_MOST_BYTES = 256 * 1024
#: How long what a provider says about itself is believed.
_KNOWN_FOR = timedelta(hours=1)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: RFC 8176: the account was proved by more than one thing.
_MORE_THAN_ONE = "mfa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where a browser is sent, and what it carries until it comes back."""

    address: str
    ticket: str


class Provider:
    """The organisation's sign-in, over HTTP."""

    def __init__(self, registration: Registration, *, privacy: Privacy, clock: Clock) -> None:
        self._registration = registration
        # Neither a proxy of the environment nor a redirect has a part in how somebody comes in.
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False)
        self._privacy = privacy
        self._clock = clock
        self._description: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._known_until: datetime | None = None

    async def close(self) -> None:
        """End the connections."""
        await self._client.aclose()

    async def depart(self) -> Departure:
        """Send somebody there; raises ``ProviderUnreachable``."""
        await self._discover()
        content = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        asked = {
            "response_type": "code",
            "client_id": self._registration.client,
            "redirect_uri": self._registration.callback,
            "scope": "openid email profile",
            "state": content["state"],
            "nonce": content["nonce"],
            "code_challenge": _challenge(content["verifier"]),
            "code_challenge_method": "S256",
        }
        ticket = tickets.issue(self._privacy, Errand.PROVIDER, content, now=self._clock())
        address = str(self._description["authorization_endpoint"])
        return Departure(
            address=f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", ticket=ticket
        )

    async def account(self, answer: Mapping[str, str], *, ticket: str | None) -> Account:
        """Who came back; raises ``ProviderRefused``, ``ProviderUnreachable`` or ``StepOver``."""
        step = tickets.read(self._privacy, Errand.PROVIDER, ticket, now=self._clock())
        if not hmac.compare_digest(answer.get("state", "").encode(), step.content["state"].encode()):
            raise StepOver
        # RFC 9207: the answer says who gave it, so that one provider's cannot be passed off as another's.
        if answer.get("iss", self._registration.issuer) != self._registration.issuer:
            raise _refused("answer of another issuer")
        if not answer.get("code"):
            raise _refused("no code")
        await self._discover()
        token = await self._redeem(answer["code"], verifier=step.content["verifier"])
        claims = await self._claims(token, nonce=step.content["nonce"])
        return self._account(claims)

    def _account(self, claims: Mapping[str, Any]) -> Account:
        asked = self._registration
        told = claims.get(asked.claim)
        known_as = told if isinstance(told, str) else None
        by_email = asked.claim == "email"
        if by_email and claims.get("email_verified") is not True:
            known_as = None
        groups = claims.get(asked.roles_claim) if asked.roles_claim else None
        names = groups if isinstance(groups, list) else [groups]
        ways = claims.get("amr")
        return Account(
            issuer=asked.issuer,
            subject=claims["sub"],
            email=known_as if by_email else None,
            name=None if by_email else known_as,
            role=next((role for group, role in asked.roles.items() if group in names), None),
            second_factor=isinstance(ways, list) and _MORE_THAN_ONE in ways,
        )

    async def _redeem(self, code: str, *, verifier: str) -> str:
        asked = self._registration
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asked.callback,
            "client_id": asked.client,
            "code_verifier": verifier,
        }
        ways = self._description.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = None
        if asked.secret and "client_secret_basic" in ways:
            basic = httpx.BasicAuth(asked.client, asked.secret)
        elif asked.secret:
            form["client_secret"] = asked.secret
        found = await self._fetch("POST", str(self._description["token_endpoint"]), form=form, basic=basic)
        token = found.get("id_token")
        if not isinstance(token, str):
            raise _refused("no id token")
        return token

    async def _claims(self, token: str, *, nonce: str) -> Mapping[str, Any]:
        asked = self._registration
        try:
            claims = (await self._decode(token)).claims
            jwt.JWTClaimsRegistry(
                now=int(self._clock().timestamp()),
                leeway=_LEEWAY_SECONDS,
                iss={"essential": True, "value": asked.issuer},
                aud={"essential": True, "value": asked.client},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise _refused(type(error).__name__) from error
        # OpenID Connect Core 3.1.3.7: a token for several is ours only if it was issued to us.
        if claims.get("azp", asked.client) != asked.client:
            raise _refused("issued to another client")
        return claims

    async def _decode(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, await self._key_set(), algorithms=_ALGORITHMS)
        except InvalidKeyIdError:
            # The provider has new keys since we looked.
            self._keys = None
            return jwt.decode(token, await self._key_set(), algorithms=_ALGORITHMS)

    async def _key_set(self) -> KeySet:
        if self._keys is None:
            found: Any = await self._fetch("GET", str(self._description["jwks_uri"]))
            self._keys = KeySet.import_key_set(found)
        return self._keys

    async def _discover(self) -> None:
        now = self._clock()
        if self._known_until is not None and now < self._known_until:
            return
        issuer = self._registration.issuer
        found = await self._fetch("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer") != issuer or not all(isinstance(found.get(name), str) for name in needed):
            log.warning("provider describes itself otherwise than the settings do")
            raise ProviderUnreachable
        if not _is_safe(str(found["authorization_endpoint"])):
            raise ProviderUnreachable
        self._description, self._keys = found, None
        self._known_until = now + _KNOWN_FOR

    async def _fetch(
        self, method: str, url: str, *, form: Mapping[str, str] | None = None, basic: httpx.Auth | None = None
    ) -> dict[str, Any]:
        """A JSON object, from an address that was looked at before; no redirect, no big answer."""
        try:
            request = await self._request(method, url, form=form)
            answer = await self._client.send(request, auth=basic, stream=True)
            try:
                body = b""
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise ProviderUnreachable
            finally:
                await answer.aclose()
            if answer.is_client_error:
                raise _refused(f"status {answer.status_code}")
            answer.raise_for_status()
            found = json.loads(body)
        except (httpx.HTTPError, OSError, ValueError, AddressForbidden) as error:
            log.warning("provider unreachable", reason=type(error).__name__)
            raise ProviderUnreachable from error
        if not isinstance(found, dict):
            raise ProviderUnreachable
        return found

    async def _request(self, method: str, url: str, *, form: Mapping[str, str] | None) -> httpx.Request:
        if not _is_safe(url):
            raise AddressForbidden
        address = httpx.URL(url)
        headers = {"accept": "application/json"}
        extensions: dict[str, Any] = {"timeout": httpx.Timeout(_SECONDS).as_dict()}
        if not self._registration.private and address.host not in _LOOPBACK:
            headers["host"] = address.netloc.decode()
            extensions["sni_hostname"] = address.host
            address = address.copy_with(host=await public_address(url))
        return self._client.build_request(method, address, data=form, headers=headers, extensions=extensions)


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _challenge(verifier: str) -> str:
    """RFC 7636, S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _refused(reason: str) -> ProviderRefused:
    """Why, for the administrator; the person learns only that it did not work."""
    log.warning("provider's answer refused", reason=reason)
    return ProviderRefused()
