"""The bot's public web application: web chat, webhooks of messengers, events of the helpline, health."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bot import health, oversight, referral_events
from bot.announcement import announce
from bot.config import Settings, TelegramMode
from bot.documents.routes import Documents
from bot.limits import BodyLimit
from bot.presence import Presence
from bot.problem import REFUSALS
from bot.referral_client import ReferralClient
from bot.runtime import Runtime, running
from bot.tryout import routes as tryout
from bot.webchat import numbers, page
from bot.webchat.hub import Hub
from bot.webchat.routes import WebChat

log = structlog.get_logger()


def create_app(settings: Settings) -> FastAPI:
    """The application; everything is opened when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            running(settings) as runtime,
            tryout.opened(runtime) as tryout_routes,
            oversight.opened(runtime) as oversight_routes,
        ):
            hub = Hub(settings.database_url)
            referral = ReferralClient(settings.referral_url, secret=settings.service_secret)
            _mount(app, runtime, hub, referral)
            app.include_router(tryout_routes)
            app.include_router(oversight_routes)
            tasks = [asyncio.create_task(hub.listen()), asyncio.create_task(announce(runtime))]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await referral.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, responses=REFUSALS)
    app.add_middleware(BodyLimit)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _broken)
    return app


def _mount(app: FastAPI, runtime: Runtime, hub: Hub, referral: ReferralClient) -> None:
    settings = runtime.settings
    presence = Presence(store=runtime.store, privacy=runtime.privacy, referral=referral)
    chat = WebChat(
        privacy=runtime.privacy,
        store=runtime.store,
        reception=runtime.reception,
        first_aid=runtime.first_aid,
        hub=hub,
        presence=presence,
    )
    app.include_router(chat.router())
    shown = numbers.shown(runtime.book, countries=settings.countries)
    app.include_router(page.router(settings, numbers=shown, dial=numbers.short(runtime.book)))
    documents = Documents(store=runtime.store, press=runtime.press, locale=settings.locale)
    app.include_router(documents.router())
    app.include_router(referral_events.router(store=runtime.store, secret=settings.service_secret))
    if runtime.telegram and settings.telegram_mode is TelegramMode.WEBHOOK:
        app.include_router(runtime.telegram.router(runtime.reception.accept))
    if runtime.viber:
        app.include_router(
            runtime.viber.router(runtime.reception.accept, saw=partial(presence.hint, "viber", saw=True))
        )
    app.include_router(health.router(runtime))


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  # Starlette hands over what it was registered for.
    # Our own refusals carry both; the framework's, such as an unknown address, a phrase.
    told: object = error.detail
    detail = told if isinstance(told, dict) else {"error": "refused", "detail": told}
    return JSONResponse(detail, status_code=error.status_code, headers=error.headers)


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
    # Which field is wrong and why, but never what it holds.
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = [
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in error.errors()
    ]
    return JSONResponse({"error": "unreadable", "detail": "; ".join(problems)}, status_code=422)


async def _broken(request: Request, error: Exception) -> JSONResponse:
    # The path as it was asked for may hold the token of a document.
    route = getattr(request.scope.get("route"), "path", None)
    log.error("a request failed", path=route, error=type(error).__name__)
    return JSONResponse(
        {"error": "broken", "detail": "Something broke on our side. Please try again."}, status_code=500
    )
