"""How a passkey is added, and how somebody comes in with one (WebAuthn: discoverable, user verified)."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.errors import FormIncomplete, PasskeyRefused, PasskeysUnavailable, StepOver
from referral.operators import tickets
from referral.operators.factor_repository import FactorRepository
from referral.operators.repository import OperatorRepository
from referral.operators.tables import Operator, Passkey
from referral.operators.tickets import Errand
from referral.privacy import Privacy

MAX_NAME = 40
_CONSOLE = "Porchlight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relying:
    """For which site passkeys are made; browsers bind them to its name."""

    name: str
    origin: str

    @classmethod
    def of(cls, console: str) -> Self | None:
        """The console's; none where it has a number instead of a name, since browsers refuse that."""
        parts = urlsplit(console)
        host = parts.hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return cls(name=host, origin=f"{parts.scheme}://{parts.netloc}") if host else None
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a browser is asked, and what it carries until it answers."""

    options: str
    ticket: str


class Passkeys:
    """Passkeys, within one transaction."""

    def __init__(
        self, session: AsyncSession, *, relying: Relying | None, privacy: Privacy, now: datetime
    ) -> None:
        if relying is None:
            raise PasskeysUnavailable
        self._session = session
        self._stored = FactorRepository(session)
        self._operators = OperatorRepository(session)
        self._relying = relying
        self._privacy = privacy
        self._now = now

    async def offer_new(self, operator: UUID, *, name: str) -> Offer:
        """Ask a browser for a new passkey that it does not have yet."""
        known = [
            PublicKeyCredentialDescriptor(id=one.credential_id)
            for one in await self._stored.passkeys(operator)
        ]
        options = generate_registration_options(
            rp_id=self._relying.name,
            rp_name=_CONSOLE,
            user_id=operator.bytes,
            user_name=name,
            exclude_credentials=known,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        content = {"challenge": bytes_to_base64url(options.challenge), "operator": str(operator)}
        return self._offer(Errand.PASSKEY_ADDED, content, options=options_to_json(options))

    async def add(self, operator: UUID, *, answer: str, ticket: str | None, name: str) -> None:
        """A passkey that has proved itself counts from now on; raises ``PasskeyRefused``, ``StepOver``."""
        name = name.strip()
        if not 1 <= len(name) <= MAX_NAME:
            raise FormIncomplete(
                "Please give the passkey a name of at most %(most)s characters.", most=MAX_NAME
            )
        step = tickets.read(self._privacy, Errand.PASSKEY_ADDED, ticket, now=self._now)
        if step.content["operator"] != str(operator):
            raise StepOver
        try:
            verified = verify_registration_response(
                credential=answer,
                expected_challenge=base64url_to_bytes(step.content["challenge"]),
                expected_rp_id=self._relying.name,
                expected_origin=self._relying.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError) as error:
            raise PasskeyRefused from error
        await self._spend(step)
        if await self._stored.passkey(verified.credential_id) is not None:
            raise PasskeyRefused("This passkey is here already.")
        self._stored.add(
            Passkey(
                number=uuid4(),
                operator_id=operator,
                credential_id=verified.credential_id,
                public_key=verified.credential_public_key,
                sign_count=verified.sign_count,
                name=name,
                added_at=self._now,
            )
        )
        record(self._session, Act.PASSKEY_ADDED, now=self._now, by=operator)

    def offer_sign_in(self) -> Offer:
        """Ask a browser for any passkey that it has for this console."""
        options = generate_authentication_options(
            rp_id=self._relying.name, user_verification=UserVerificationRequirement.REQUIRED
        )
        content = {"challenge": bytes_to_base64url(options.challenge)}
        return self._offer(Errand.PASSKEY_SIGN_IN, content, options=options_to_json(options))

    async def whose(self, *, answer: str, ticket: str | None) -> Operator | PasskeyRefused:
        """Who has proved to be there; a refusal is returned, so that it stands in the log."""
        step = tickets.read(self._privacy, Errand.PASSKEY_SIGN_IN, ticket, now=self._now)
        passkey = await self._named(answer)
        if passkey is None:
            return self._refuse(None)
        operator = await self._operators.get(passkey.operator_id)
        if operator is None or operator.disabled_at is not None:
            return self._refuse(passkey.operator_id)
        try:
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=base64url_to_bytes(step.content["challenge"]),
                expected_rp_id=self._relying.name,
                expected_origin=self._relying.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError):
            return self._refuse(operator.number)
        await self._spend(step)
        passkey.sign_count, passkey.used_at = verified.new_sign_count, self._now
        return operator

    async def _named(self, answer: str) -> Passkey | None:
        try:
            credential_id = base64url_to_bytes(json.loads(answer)["rawId"])
        except (ValueError, KeyError, TypeError):
            return None
        return await self._stored.passkey(credential_id)

    async def _spend(self, step: tickets.Ticket) -> None:
        if not await self._operators.spend(step.number, until=step.until, now=self._now):
            raise StepOver

    def _refuse(self, operator: UUID | None) -> PasskeyRefused:
        record(self._session, Act.PASSKEY_REFUSED, now=self._now, about=operator)
        return PasskeyRefused()

    def _offer(self, errand: Errand, content: dict[str, str], *, options: str) -> Offer:
        return Offer(options=options, ticket=tickets.issue(self._privacy, errand, content, now=self._now))
