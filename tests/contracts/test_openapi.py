"""Whatever a program sends, it is answered as the interfaces say, and nothing breaks.

Schemathesis reads what each interface says about itself and makes requests of it: such as it asks for, and
such as it must refuse. The same requests in every run, so that a red run is red again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import requests
import schemathesis
from fastapi.openapi.utils import get_openapi
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.auth import AuthBase
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bot.app import create_app
from bot.config import Settings as BotSettings
from referral.cases import api
from referral.config import Settings
from referral.operators.rules import Role
from referral.signature import Signature
from referral.sources.api import document
from tests.bot.conftest import SECRET
from tests.contracts.tryout import NOWHERE
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import PATIENCE, Service, case_json, running
from tests.referral.serving import SERVICE_SECRET, serving
from tests.referral.sources.test_api import referral_json, token_of

pytestmark = [
    pytest.mark.slow,
    # The services run in this process and may draw a random number while Hypothesis makes up a request.
    pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies"),
]

#: Requests for each operation, of the kind that it asks for and of the kind that it must refuse.
_REQUESTS = 8
#: More than all of this module's requests together.
_MOST_A_MINUTE = 100_000

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class Credentials(AuthBase):
    """What a request is let in by: a token, and the signature that both services share."""

    def __init__(self, token: str = "") -> None:
        self._token = token
        self._signature = Signature(SERVICE_SECRET)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        if isinstance(body, str):
            request.body = body = body.encode()
        assert isinstance(body, bytes)
        # The library that signs takes text; what is no text is refused for that.
        if _is_text(body):
            number, now = str(uuid4()), datetime.now(UTC)
            request.headers.update(self._signature.headers(body, number=number, now=now))
        if self._token:
            request.headers["authorization"] = f"Bearer {self._token}"
        return request


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.fixture
async def busy(database: str, clock: Time) -> AsyncIterator[Service]:
    """A desk that lets a program ask as often as it likes, and a bot that never answers."""
    wanted = Settings(
        referral_database_url=database,
        referral_secret_key=SECRET_KEY,
        service_secret=SERVICE_SECRET,
        bot_url=NOWHERE,
        source_requests_per_minute=_MOST_A_MINUTE,
    )
    async with running(wanted, clock=clock) as service:
        yield service


async def test_other_bots_are_answered_as_their_interface_says(busy: Service) -> None:
    async with busy.as_operator("vera", role=Role.SUPERVISOR) as vera:
        credentials = Credentials(await token_of(vera))

    def refer(session: requests.Session) -> str:
        headers = {"idempotency-key": str(uuid4())}
        answer = session.post(f"{busy.url}/v1/referrals", json=referral_json(), headers=headers)
        return str(answer.json()["id"])

    await asyncio.to_thread(_explore, document(), url=busy.url, credentials=credentials, known=refer)


async def test_the_bot_is_answered_as_the_desks_interface_says(busy: Service) -> None:
    described = get_openapi(title="The bot's", version="1", routes=api.router.routes)

    def open_case(session: requests.Session) -> str:
        return str(session.post(f"{busy.url}/v1/cases", json=case_json()).json()["id"])

    await asyncio.to_thread(_explore, described, url=busy.url, credentials=Credentials(), known=open_case)


async def test_pages_and_the_desk_are_answered_as_the_bots_interface_says(database_url: str) -> None:
    wanted = BotSettings(
        database_url=database_url,
        secret_key=SECRET,
        service_secret=SERVICE_SECRET,
        nlu_url=NOWHERE,
        referral_url=NOWHERE,
    )
    app = create_app(wanted)
    async with serving(app) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as page:
            begun = (await page.post("/chat/v1/conversations", json={"locale": "en"})).json()

        await asyncio.to_thread(
            _explore, app.openapi(), url=url, credentials=Credentials(begun["token"]), known=None
        )


def _explore(
    described: Mapping[str, Any],
    *,
    url: str,
    credentials: Credentials,
    known: Callable[[requests.Session], str] | None,
) -> None:
    """Ask for every operation; ``known`` makes something that a path can name."""
    # A stream of events never ends.
    schema = schemathesis.openapi.from_dict(dict(described)).exclude(path="/chat/v1/events")
    with requests.Session() as session:
        session.trust_env = False
        session.auth = credentials
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            wanted = schemathesis.GenerationMode.POSITIVE
            _ask(operation, mode=wanted, url=url, session=session, known=known)
            # Where nothing is asked for, nothing can be wrong.
            if operation.body or any(True for _ in operation.iter_parameters()):
                unwanted = schemathesis.GenerationMode.NEGATIVE
                _ask(operation, mode=unwanted, url=url, session=session, known=known)


def _ask(
    operation: schemathesis.APIOperation[Any, Any, Any, Any],
    *,
    mode: schemathesis.GenerationMode,
    url: str,
    session: requests.Session,
    known: Callable[[requests.Session], str] | None,
) -> None:
    @settings(
        max_examples=_REQUESTS,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=st.booleans())
    def ask(case: schemathesis.Case[Any], is_known: bool) -> None:
        if is_known and known is not None and "number" in (case.path_parameters or {}):
            case.path_parameters["number"] = known(session)
        answer = case.call(base_url=url, session=session, auth=session.auth, timeout=PATIENCE)
        case.validate_response(answer, checks=_CHECKS)

    ask()
