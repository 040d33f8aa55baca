"""How the referral service is put together: the bot's API, the console, and the deliveries behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import httpx
import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from referral.audit import routes as audit
from referral.audit.repository import record
from referral.audit.rules import Act
from referral.background import beside
from referral.cases import api
from referral.changes import Changes
from referral.clock import Clock, utc_now
from referral.config import Settings
from referral.connectors import routes as connections
from referral.connectors.chatwoot import routes as chatwoot
from referral.connectors.chatwoot.reading import ChatwootReading
from referral.connectors.registry import Registry, chatwoot_of, connectors_of
from referral.connectors.repository import LetterRepository
from referral.connectors.sending import Sending
from referral.connectors.webhooks import Webhooks
from referral.console import account, choice, people, routes, sign_in, stream
from referral.console.address import AllowList
from referral.console.board import Board
from referral.console.headers import STATIC, SecurityHeaders
from referral.console.pages import STATIC_FOLDER, Pages, page
from referral.console.reader import Reading
from referral.database import is_behind, open_engine, sessions_of, transaction
from referral.errors import DatabaseDown, NotForYourRole, ReferralError, SecondFactorNeeded, SignInNeeded
from referral.events.delivery import Delivery, DeliveryWorker
from referral.events.hints import Hints
from referral.events.repository import EventRepository
from referral.hours import routes as hours
from referral.language import LOCALES, Languages, gettext, marked
from referral.library import routes as library
from referral.limits import BodyLimit
from referral.metrics import Metrics
from referral.operators.networks import networks
from referral.operators.passkeys import Relying
from referral.operators.passwords import Passwords
from referral.operators.provider import Provider
from referral.oversight import routes as oversight
from referral.oversight.client import OversightClient
from referral.pager.worker import Pager, senders_of
from referral.policy.keeper import PolicyKeeper
from referral.privacy import Privacy
from referral.rehearsal import routes as rehearsal
from referral.replies import routes as replies
from referral.reports import routes as reports
from referral.reviews import routes as reviews
from referral.services import Services, ServicesIn, TransactionIn, services_of
from referral.signature import Signature
from referral.sources import api as sources
from referral.traces import TracedRequests
from referral.tryout import routes as tryout
from referral.tryout.client import TryOutClient
from referral.watch import Watch

log = structlog.get_logger(__name__)

#: An event that is older than this and still here means that the bot is not listening.
_SLOW_DELIVERY = timedelta(seconds=60)
_READY_SECONDS = 2.0

#: What people read when a request does not even reach one of our pages.
_NOT_UNDERSTOOD = marked("This address or form is not understood: please go back and load the page again.")
_HTTP_SENTENCES = {404: marked("There is no such page."), 405: marked("This page takes no such form.")}

_DATABASE_ERRORS = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, psycopg.OperationalError)


def create_app(settings: Settings, *, clock: Clock = utc_now, locales: Path = LOCALES) -> FastAPI:
    """The whole service; nothing is connected until its lifespan begins."""
    languages = Languages(locales)
    engine = open_engine(settings.referral_database_url)
    signature = Signature(settings.service_secret)
    privacy = Privacy(settings.referral_secret_key)
    proxies = networks(settings.trusted_proxies)
    sessions, changes = sessions_of(engine), Changes(settings.referral_database_url)
    services = Services(
        settings=settings,
        sessions=sessions,
        privacy=privacy,
        signature=signature,
        passwords=Passwords(),
        changes=changes,
        board=Board(sessions, changes=changes, privacy=privacy, clock=clock),
        metrics=Metrics(),
        pages=Pages(languages),
        tryout=TryOutClient(settings.bot_url, signature=signature, clock=clock),
        hints=Hints(settings.bot_url, signature=signature, clock=clock),
        oversight=OversightClient(settings.bot_url, signature=signature, clock=clock),
        policy=PolicyKeeper(settings),
        provider=_provider(settings, privacy=privacy, clock=clock),
        relying=Relying.of(settings.console),
        proxies=proxies,
        clock=clock,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with _running(services, engine=engine):
            yield

    app = FastAPI(
        title="Porchlight referral", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.services = services
    app.include_router(api.router)
    app.include_router(sources.router)
    app.include_router(stream.router)
    app.include_router(routes.router)
    app.include_router(sign_in.router)
    app.include_router(account.router)
    app.include_router(people.router)
    app.include_router(choice.router)
    app.include_router(reports.router)
    app.include_router(rehearsal.router)
    app.include_router(oversight.router)
    app.include_router(reviews.router)
    app.include_router(hours.router)
    app.include_router(replies.router)
    app.include_router(library.router)
    app.include_router(tryout.router)
    app.include_router(audit.router)
    app.include_router(connections.router)
    app.include_router(chatwoot.router)
    app.add_api_route("/healthz", _healthz)
    app.add_api_route("/readyz", _readyz)
    app.add_api_route("/metrics", _metrics)
    app.mount(STATIC.rstrip("/"), StaticFiles(directory=STATIC_FOLDER))
    _add_error_handlers(app)
    app.add_middleware(BodyLimit)
    if settings.console_networks:
        allowed = networks(settings.console_networks)
        app.add_middleware(AllowList, allowed=allowed, proxies=proxies)
    app.add_middleware(Reading, languages=languages, zone=settings.report_time_zone)
    app.add_middleware(SecurityHeaders, secure=settings.secure)
    app.add_middleware(TracedRequests)
    return app


def _provider(settings: Settings, *, privacy: Privacy, clock: Clock) -> Provider | None:
    if settings.registration is None:
        return None
    return Provider(settings.registration, privacy=privacy, clock=clock)


@asynccontextmanager
async def _running(services: Services, *, engine: AsyncEngine) -> AsyncIterator[None]:
    settings = services.settings
    # Neither a proxy of the environment nor a redirect has a part in what we send to the bot and to pagers.
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        delivery = Delivery(
            sessions=services.sessions,
            privacy=services.privacy,
            signature=services.signature,
            client=client,
            address=f"{settings.bot_url.rstrip('/')}/referral/events",
            clock=services.clock,
            count=services.metrics.count_delivery,
        )
        worker = DeliveryWorker(
            settings.referral_database_url,
            delivery=delivery,
            sessions=services.sessions,
            concurrency=settings.delivery_concurrency,
        )
        senders = senders_of(settings, client=client)
        pager = Pager(services.sessions, senders=senders, clock=services.clock, console=settings.console)
        watch = Watch(services, channels=senders)
        webhooks = Webhooks(client, privacy=services.privacy, private=settings.webhooks_private_addresses)
        sending = Sending(
            services.sessions,
            registry=Registry(connectors_of(settings, client=client), webhooks=webhooks),
            privacy=services.privacy,
            changes=services.changes,
            clock=services.clock,
            count=services.metrics.count_letter,
        )
        reading = _chatwoot(services, client=client)
        listening = beside(services.changes.listen())
        try:
            async with (
                listening,
                worker.running(),
                pager.running(),
                watch.running(),
                sending.running(),
                reading,
            ):
                yield
        finally:
            await services.tryout.close()
            await services.hints.close()
            await services.oversight.close()
            if services.provider is not None:
                await services.provider.close()
            await engine.dispose()


def _chatwoot(services: Services, *, client: httpx.AsyncClient) -> AbstractAsyncContextManager[None]:
    """Reads what agents answer in Chatwoot, where one is set up."""
    if not services.settings.chatwoot_url:
        return nullcontext()
    return ChatwootReading(
        services.sessions,
        server=chatwoot_of(services.settings, client=client),
        privacy=services.privacy,
        changes=services.changes,
        clock=services.clock,
    ).running()


async def _healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


async def _readyz(services: ServicesIn) -> Response:
    """The database answers and has the tables of this version; and what does not work as it should."""
    try:
        async with asyncio.timeout(_READY_SECONDS), transaction(services.sessions) as session:
            revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
            if is_behind(revision):
                return JSONResponse({"status": "down", "degraded": ["migrations"]}, status_code=503)
            _, oldest = await EventRepository(session).pending()
            in_trouble = await LetterRepository(session).in_trouble()
    except (*_DATABASE_ERRORS, exc.ProgrammingError, TimeoutError):
        return JSONResponse({"status": "down", "degraded": ["database"]}, status_code=503)
    degraded = []
    if oldest is not None and services.clock() - oldest > _SLOW_DELIVERY:
        degraded.append("delivery to the bot")
    if in_trouble:
        degraded.append("connections")
    if not services.changes.listening:
        degraded.append("live pages")
    return JSONResponse({"status": "degraded" if degraded else "ok", "degraded": degraded})


async def _metrics(services: ServicesIn, session: TransactionIn) -> Response:
    """Figures for Prometheus."""
    body = await services.metrics.exposition(session, now=services.clock())
    return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _note_refusal(request: Request) -> None:
    """Write down who was refused; in a transaction of its own, since that of the request came to nothing."""
    services = services_of(request)
    async with transaction(services.sessions) as session:
        record(session, Act.ACCESS_REFUSED, now=services.clock(), by=request.state.somebody.operator)


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(ReferralError)
    async def referral_error(request: Request, error: ReferralError) -> Response:
        if isinstance(error, SignInNeeded) and not _wants_json(request):
            return RedirectResponse("/sign-in", status_code=303)
        if isinstance(error, SecondFactorNeeded) and not _wants_json(request):
            return RedirectResponse("/account", status_code=303)
        if isinstance(error, NotForYourRole):
            await _note_refusal(request)
        answer = _answer(request, status=error.http_status, slug=error.slug, sentence=error.sentence)
        answer.headers.update(error.headers)
        return answer

    @app.exception_handler(RequestValidationError)
    async def not_understood(request: Request, error: RequestValidationError) -> Response:
        sentence = _sentence(error.errors()) if _wants_json(request) else gettext(_NOT_UNDERSTOOD)
        return _answer(request, status=422, slug="request_invalid", sentence=sentence)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        slug = phrase.lower().replace(" ", "_")
        sentence = gettext(_HTTP_SENTENCES.get(error.status_code, f"{phrase}."))
        return _answer(request, status=error.status_code, slug=slug, sentence=sentence)

    async def database_down(request: Request, _: Exception) -> Response:
        log.error("database unreachable")
        error = DatabaseDown()
        return _answer(request, status=error.http_status, slug=error.slug, sentence=error.sentence)

    @app.exception_handler(exc.DBAPIError)
    async def database_refused(request: Request, error: exc.DBAPIError) -> Response:
        # The message of such an error quotes the row, which is nobody's business: only its kind is logged.
        diagnosis = getattr(error.orig, "diag", None)
        log.error(
            "database refused",
            reason=type(error.orig).__name__,
            constraint=getattr(diagnosis, "constraint_name", None),
        )
        unexpected = ReferralError()
        return _answer(
            request, status=unexpected.http_status, slug=unexpected.slug, sentence=unexpected.sentence
        )

    for kind in _DATABASE_ERRORS:
        app.add_exception_handler(kind, database_down)


def _answer(request: Request, *, status: int, slug: str, sentence: str) -> Response:
    if _wants_json(request):
        return JSONResponse({"error": slug, "detail": sentence}, status_code=status)
    services: Services = request.app.state.services
    return page(services.pages, "error.html", status=status, code=status, sentence=sentence)


def _wants_json(request: Request) -> bool:
    return "text/html" not in request.headers.get("accept", "")


def _sentence(problems: Sequence[dict[str, object]]) -> str:
    """Where and what, never the value: it may be a visitor's words."""
    found = []
    for problem in problems[:5]:
        place = problem["loc"]
        names = [str(part) for part in place if part != "body"] if isinstance(place, tuple) else []
        what = str(problem["msg"]).removeprefix("Value error, ")
        found.append(f"{'.'.join(names) or 'body'}: {what}")
    return "; ".join(found)
