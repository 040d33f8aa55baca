"""Who may do what: every route, asked by everybody, answers with the status that the table says.

A route without a row fails, and so does a row without a route.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import select

from referral.cases.desk import Desk
from referral.clock import utc_now
from referral.connectors.endpoints import Endpoints, Wanted
from referral.connectors.happenings import Audience, Kind
from referral.database import transaction
from referral.operators.rules import Role
from referral.operators.tables import Operator
from referral.signature import Signature
from tests.referral.desk import OPENED_AT, PASSWORD, OperatorClient, Service, access_of, case_json

# nobody       is not signed in
# own, other's, waiting   an operator and a case that they hold, that a colleague holds, that nobody holds
# supervisor, editor, auditor   signed in, and a case that an operator holds
# bot          a request with the signature of the service's secret, and no cookie
# forged       the same with the signature of another secret
#
# What a bot with a token may do, tests/referral/sources/test_api.py has.
#
# 401 sign in (or sign) first · 403 not your role · 404 not there for you · 409 not yours · -- no case
# 303 done, and on to a page. Whoever does not hold the case gets 200 for its stream, with "case_gone" in it.
# Nobody has an account elsewhere here, and the console has no name: 404 and 409 for both ways in. 410 there
# is no step under way that could go on, or no second factor. 422 for one's own password: the form is empty.
# Signing in ends the session that a browser had, so leaving comes before.
# 422 the bot of these tests tries nothing out: whoever is let in learns that.
TABLE = """
                                   nobody own other's waiting supervisor editor auditor bot forged
GET  /                             401    200 --      --      200        303    303     401 401
GET  /stream                       401    200 --      --      200        403    403     401 401
GET  /session                      401    204 --      --      204        204    204     401 401
POST /take-next                    401    303 --      --      303        403    403     401 401
GET  /cases/{number}               401    200 404     404     404        403    403     401 401
GET  /cases/{number}/stream        401    200 200     200     200        403    403     401 401
POST /cases/{number}/messages      401    303 409     409     409        403    403     401 401
POST /cases/{number}/notes         401    303 409     409     409        403    403     401 401
POST /cases/{number}/release       401    303 409     409     409        403    403     401 401
POST /cases/{number}/pass-on       401    303 409     409     409        403    403     401 401
POST /cases/{number}/set-aside     401    303 409     409     409        403    403     401 401
POST /cases/{number}/close         401    303 409     409     409        403    403     401 401
POST /cases/{number}/gifts         401    422 409     409     409        403    403     401 401
POST /cases/{number}/macros/{slug} 401    303 409     409     409        403    403     401 401
GET  /cases/{number}/mentions/{entry} 401 404 404     404     404        403    403     401 401
POST /cases/{number}/pick          401    403 403     403     303        403    403     401 401
GET  /supervision                  401    403 --      --      200        403    403     401 401
GET  /reports                      401    403 --      --      200        403    403     401 401
GET  /reports/report.csv           401    403 --      --      200        403    403     401 401
GET  /reports/report.pdf           401    403 --      --      200        403    403     401 401
GET  /reports/report.xlsx          401    403 --      --      200        403    403     401 401
GET  /reports/{edition}.csv        401    403 --      --      200        403    403     401 401
GET  /status                       401    403 --      --      200        403    403     401 401
GET  /settings                     401    403 --      --      200        403    403     401 401
POST /settings                     401    403 --      --      303        403    403     401 401
GET  /reviews                      401    200 --      --      200        403    403     401 401
GET  /reviews/{number}             401    403 403     403     404        403    403     401 401
POST /reviews/{number}             401    403 403     403     404        403    403     401 401
GET  /practice                     401    200 --      --      200        403    403     401 401
POST /practice                     401    303 --      --      303        403    403     401 401
GET  /library                      401    403 --      --      200        403    403     401 401
POST /library                      401    403 --      --      422        403    403     401 401
GET  /library/{number}             401    404 --      --      404        403    403     401 401
POST /library/{number}/remove      401    403 --      --      404        403    403     401 401
GET  /v1/library/{number}          401    401 --      --      401        401    401     404 401
GET  /replies                      401    403 --      --      200        403    403     401 401
POST /replies                      401    403 --      --      303        403    403     401 401
POST /macros                       401    403 --      --      303        403    403     401 401
GET  /operators                    401    403 --      --      200        403    403     401 401
POST /operators                    401    403 --      --      200        403    403     401 401
POST /operators/{number}/disable   401    403 --      --      303        403    403     401 401
POST /operators/{number}/sign-out  401    403 --      --      303        403    403     401 401
GET  /connections                  401    403 --      --      200        403    403     401 401
POST /connections                  401    403 --      --      200        403    403     401 401
POST /connections/sources          401    403 --      --      200        403    403     401 401
POST /connections/sources/{number}/revoke 401 403 --  --      404        403    403     401 401
POST /connections/{name}/secret    401    403 --      --      200        403    403     401 401
POST /connections/{name}/secret/finish 401 403 --     --      303        403    403     401 401
POST /connections/{name}/off       401    403 --      --      303        403    403     401 401
POST /connections/{name}/on        401    403 --      --      303        403    403     401 401
POST /connections/letters/{number}/again 401 403 --   --      404        403    403     401 401
POST /operators/{number}/skills    401    403 --      --      303        403    403     401 401
GET  /hours                        401    403 --      --      200        403    403     401 401
POST /hours                        401    403 --      --      303        403    403     401 401
POST /operators/{number}/reset     401    403 --      --      303        403    403     401 401
POST /operators/{number}/lift      401    403 --      --      303        403    403     401 401
POST /operators/{number}/role      401    403 --      --      303        403    403     401 401
POST /operators/networks/lift      401    403 --      --      303        403    403     401 401
GET  /account                      401    200 --      --      200        200    200     401 401
POST /account/sessions/others/end  401    303 --      --      303        303    303     401 401
POST /account/sessions/{number}/end 401   404 404     404     404        404    404     401 401
POST /account/password             401    422 --      --      422        422    422     401 401
POST /account/app                  401    303 --      --      303        303    303     401 401
GET  /account/app                  401    200 --      --      200        200    200     401 401
POST /account/app/confirm          401    422 --      --      422        422    422     401 401
POST /account/app/remove           401    303 --      --      303        303    303     401 401
POST /account/recovery-codes       401    410 --      --      410        410    410     401 401
POST /account/passkeys/offer       401    409 --      --      409        409    409     401 401
POST /account/passkeys             401    409 --      --      409        409    409     401 401
POST /account/passkeys/{number}/remove 401 410 410    410     410        410    410     401 401
GET  /sign-in/second               410    410 --      --      410        410    410     410 410
POST /sign-in/second               410    410 --      --      410        410    410     410 410
POST /sign-in/passkey/offer        409    409 --      --      409        409    409     409 409
POST /sign-in/passkey              409    409 --      --      409        409    409     409 409
GET  /sign-in/provider             404    404 --      --      404        404    404     404 404
GET  /sign-in/provider/back        404    404 --      --      404        404    404     404 404
GET  /audit                        401    403 --      --      403        403    200     401 401
GET  /tryout                       401    422 --      --      422        422    403     401 401
POST /tryout/turns                 401    422 --      --      422        422    403     401 401
POST /tryout/golden                401    422 --      --      422        422    403     401 401
GET  /tryout/problems              401    422 --      --      422        422    403     401 401
GET  /tryout/flows                 401    422 --      --      422        422    403     401 401
GET  /language                     401    200 --      --      200        200    200     401 401
POST /language                     401    303 --      --      303        303    303     401 401
POST /cases/{number}/typing        401    204 204     204     204        403    403     401 401
POST /sign-out                     401    303 --      --      303        303    303     401 401
GET  /sign-in                      200    200 --      --      200        200    200     200 200
POST /sign-in                      303    303 --      --      303        303    303     303 303
GET  /invitation/{secret}          200    200 --      --      200        200    200     200 200
POST /invitation/{secret}          303    303 --      --      303        303    303     303 303
POST /connectors/chatwoot/{secret} 404 404 -- -- 404 404 404 404 404
POST /v1/cases                     401    401 --      --      401        401    401     201 401
POST /v1/cases/{number}/messages   401    401 401     401     401        401    401     201 401
POST /v1/cases/{number}/presence   401    401 401     401     401        401    401     204 401
POST /v1/cases/{number}/danger     401    401 401     401     401        401    401     200 401
POST /v1/cases/{number}/leave      401    401 401     401     401        401    401     200 401
POST /v1/cases/{number}/revoke     401    401 401     401     401        401    401     200 401
POST /v1/cases/{number}/rating     401    401 401     401     401        401    401     200 401
POST /v1/cases/{number}/forget     401    401 401     401     401        401    401     200 401
GET  /v1/cases/{number}/status     401    401 401     401     401        401    401     200 401
GET  /v1/helpline                  401    401 --      --      401        401    401     200 401
GET  /v1/openapi.json              200    200 --      --      200        200    200     200 200
POST /v1/referrals                 401    401 --      --      401        401    401     401 401
GET  /v1/referrals/{number}        401    401 401     401     401        401    401     401 401
DELETE /v1/referrals/{number}      401    401 401     401     401        401    401     401 401
POST /v1/referrals/{number}/messages 401  401 401     401     401        401    401     401 401
GET  /v1/referrals/{number}/events 401    401 401     401     401        401    401     401 401
POST /v1/referrals/{number}/danger 401    401 401     401     401        401    401     401 401
POST /v1/referrals/{number}/revoke 401    401 401     401     401        401    401     401 401
POST /v1/referrals/{number}/leave  401    401 401     401     401        401    401     401 401
GET  /healthz                      200    200 --      --      200        200    200     200 200
GET  /readyz                       200    200 --      --      200        200    200     200 200
GET  /metrics                      200    200 --      --      200        200    200     200 200
"""

_ANOTHER_SECRET = "whsec_" + "YW5vdGhlciBzZWNyZXQgdGhhbiB0aGUgc2hhcmVkIG9uZQ=="

#: What a form or a body must have for its route to accept it, where the common fields below would not do.
_JSON: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    "/v1/cases": case_json,
    "/v1/cases/{number}/messages": lambda: {"id": str(uuid4()), "text": "x", "sent_at": OPENED_AT},
    "/v1/cases/{number}/presence": lambda: {"writes": True},
    "/v1/cases/{number}/danger": lambda: {"danger": "urgent"},
    "/v1/cases/{number}/rating": lambda: {"face": "good"},
}
_SET = {
    "clock_emergency_minutes": "3",
    "clock_urgent_minutes": "15",
    "clock_concern_minutes": "240",
    "clock_none_minutes": "1440",
    "answer_within_minutes": "10",
    "report_hide_below": "5",
}
_FORMS: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "/sign-in": lambda: {"name": "own", "password": PASSWORD},
    "/invitation/{secret}": lambda: {"password": PASSWORD, "again": PASSWORD},
    # A wrong code would look as if nobody were signed in.
    "/account/app/confirm": dict,
    "/sign-in/second": lambda: {"code": "123456"},
    "/sign-in/passkey": lambda: {"answer": "{}"},
    "/operators/{number}/role": lambda: {"role": "editor"},
    "/operators": lambda: {"name": f"n{secrets.token_hex(8)}", "role": "operator"},
    "/connections/sources": lambda: {"name": f"n{secrets.token_hex(8)}"},
    "/connections": lambda: {
        "label": "x",
        "address": "https://example.org/hook",
        "kinds": "opened",
        "audience": "helpline",
    },
    "/hours": lambda: {"zone": "UTC", **{f"day{day}": "00:00-24:00" for day in range(7)}, "special": ""},
    "/library/{number}/remove": dict,
    "/cases/{number}/set-aside": lambda: {
        **_common_form(),
        "day": f"{utc_now() + timedelta(days=1):%Y-%m-%d}",
        "since": "16:00",
    },
    "/replies": lambda: {"slug": "ours", "locale": "en", "title": "Ours", "text": "Hello."},
    "/macros": lambda: {"slug": "ours", "title": "Ours", "reply": "hello", "then": "stay"},
    "/settings": lambda: {**_SET},
    "/tryout/turns": lambda: {"asked": json.dumps({"turn": {"event": {"kind": "start"}}})},
    "/tryout/golden": lambda: {"golden": "{}"},
}


_ENDPOINT = Wanted(
    label="x",
    address="https://example.org/hook",
    kinds=frozenset({Kind.OPENED}),
    audience=Audience.HELPLINE,
)


def _common_form() -> dict[str, str]:
    return {
        "entry": str(uuid4()),
        "words": "x",
        "reason": "nobody else is here",
        "outcome": "advice_given",
        "code": "violence.cyberbullying",
        "note": "they want to talk on",
        "language": "en",
    }


def _read(table: str) -> Mapping[tuple[str, str], Mapping[str, str]]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    return {(method, path): dict(zip(head, cells, strict=True)) for method, path, *cells in rows}


def _routes(app: FastAPI) -> set[tuple[str, str]]:
    return {
        (method, context.path)
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
        if context.path is not None
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Somebody:
    """Who asks, with what, and what the case is like."""

    cookies: Mapping[str, str]
    form_token: str = ""
    signature: Signature | None = None
    #: Who holds the case that is asked for; nobody if it waits.
    holder: UUID | None


class _World:
    """A running desk with one person of each kind."""

    def __init__(self, service: Service, *, people: Mapping[str, _Somebody], colleague: UUID) -> None:
        self._service = service
        self._colleague = colleague
        self._people = people

    async def ask(self, who: str, method: str, path: str) -> str:
        """The status that this person gets for a request that has all it needs."""
        somebody = self._people[who]
        address = await self._address(path, holder=somebody.holder)
        body, kind = self._body(method, path, form_token=somebody.form_token)
        headers = {"origin": self._service.url, **kind}
        if somebody.signature is not None:
            headers |= somebody.signature.headers(body, number=str(uuid4()), now=utc_now())
        async with (
            httpx.AsyncClient(
                base_url=self._service.url, cookies=dict(somebody.cookies), trust_env=False
            ) as client,
            # A stream never ends; its status is all that is asked.
            client.stream(method, address, headers=headers, content=body) as answer,
        ):
            return str(answer.status_code)

    async def _address(self, path: str, *, holder: UUID | None) -> str:
        if path.startswith("/operators/{number}/"):
            return path.format(number=await self._somebody_to_disable())
        if "{name}" in path:
            return path.format(name=await self._connection())
        if "{secret}" in path:
            return path.format(secret=await self._service.invitation(f"n{secrets.token_hex(8)}"))
        if "{edition}" in path:
            return path.format(edition="chi_v2022")
        if "{entry}" in path or "{slug}" in path:
            return path.format(number=await self._case(holder), entry=uuid4(), slug="to_a_colleague")
        return path.format(number=await self._case(holder)) if "{number}" in path else path

    def _body(self, method: str, path: str, *, form_token: str) -> tuple[bytes, dict[str, str]]:
        if method != "POST":
            return b"", {}
        if path.startswith("/v1/"):
            make = _JSON.get(path)
            return (json.dumps(make()).encode() if make else b""), {"content-type": "application/json"}
        fields = {**_FORMS.get(path, _common_form)(), "to": str(self._colleague), "form_token": form_token}
        request = httpx.Request(method, self._service.url, data=fields)
        return request.read(), {"content-type": request.headers["content-type"]}

    async def _case(self, holder: UUID | None) -> UUID:
        services = self._service.services
        async with self._service.as_bot() as bot:
            case = await bot.open()
        if holder is not None:
            async with transaction(services.sessions) as session:
                desk = Desk(session, operator=holder, privacy=services.privacy, now=services.clock())
                await desk.pick(case, reason="as the test wants it")
        return case

    async def _connection(self) -> str:
        services = self._service.services
        async with transaction(services.sessions) as session:
            endpoints = Endpoints(
                session, privacy=services.privacy, private=False, by=self._colleague, now=services.clock()
            )
            known = {shown.connection.name for shown in await endpoints.everyone()}
            await endpoints.add(_ENDPOINT)
            await session.flush()
            (new,) = {shown.connection.name for shown in await endpoints.everyone()} - known
            return new

    async def _somebody_to_disable(self) -> UUID:
        name = f"n{secrets.token_hex(8)}"
        await self._service.invitation(name)
        async with transaction(self._service.services.sessions) as session:
            return (await session.scalars(select(Operator.number).where(Operator.name == name))).one()


@asynccontextmanager
async def _world(service: Service) -> AsyncIterator[_World]:
    async with AsyncExitStack() as stack:

        async def person(name: str, role: Role) -> tuple[OperatorClient, UUID, str]:
            client = await stack.enter_async_context(service.as_operator(name, role=role))
            cookie = next(iter(client.http.cookies.values()))
            async with transaction(service.services.sessions) as session:
                who = await access_of(service.services, session).who(cookie, in_use=True)
            return client, who.operator, who.form_token

        own, own_number, own_token = await person("own", Role.OPERATOR)
        _, colleague, _ = await person("colleague", Role.OPERATOR)
        people = {
            "nobody": _Somebody(cookies={}, holder=colleague),
            "bot": _Somebody(
                cookies={}, signature=Signature(service.settings.service_secret), holder=colleague
            ),
            "forged": _Somebody(cookies={}, signature=Signature(_ANOTHER_SECRET), holder=colleague),
        }
        for column, holder in (("own", own_number), ("other's", colleague), ("waiting", None)):
            people[column] = _Somebody(cookies=dict(own.http.cookies), form_token=own_token, holder=holder)
        for role in (Role.SUPERVISOR, Role.EDITOR, Role.AUDITOR):
            client, _, token = await person(role, role)
            people[role] = _Somebody(cookies=dict(client.http.cookies), form_token=token, holder=colleague)
        yield _World(service, people=people, colleague=colleague)


async def test_every_route_answers_everybody_as_the_table_says(service: Service) -> None:
    wanted = _read(TABLE)
    assert set(wanted) == _routes(service.app), "every route has one row in the table above"

    found: dict[tuple[str, str], Mapping[str, str]] = {}
    async with _world(service) as world:
        for (method, path), row in wanted.items():
            found[method, path] = {
                who: status if status == "--" else await world.ask(who, method, path)
                for who, status in row.items()
            }

    assert _lines(found) == _lines(wanted)


def _lines(table: Mapping[tuple[str, str], Mapping[str, str]]) -> list[str]:
    return [
        " ".join((*route, *(f"{who}={status}" for who, status in row.items())))
        for route, row in table.items()
    ]
