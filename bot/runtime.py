"""Puts the bot's parts together for the web process and for the worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.channels.telegram import TelegramChannel
from bot.channels.viber import ViberChannel
from bot.config import Settings
from bot.documents.orders import Press
from bot.documents.shelf import Shelf
from bot.first_aid import FirstAid, Reception
from bot.keys import master_keys
from bot.messages import Channel
from bot.privacy import Privacy
from bot.referral_client import ReferralClient
from bot.store import Store, open_engine
from flows.loader import load
from flows.model import Book
from flows.safety import Lexicon, load_lexicons


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What both processes need; made by ``running``."""

    settings: Settings
    privacy: Privacy
    book: Book
    lexicon: Lexicon
    engine: AsyncEngine
    store: Store
    telegram: TelegramChannel | None
    viber: ViberChannel | None
    first_aid: FirstAid
    reception: Reception
    press: Press

    @property
    def channels(self) -> Mapping[str, Channel]:
        """The channels that messages are pushed to, by name."""
        return _by_name(self.telegram, self.viber)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Runtime]:
    """All parts, opened and closed; raises what is wrong with content or settings."""
    privacy = Privacy(settings.secret_key)
    book = load(settings.content_dir, own_directory=settings.directory_dir)
    lexicon = load_lexicons(settings.content_dir / "lexicons")
    engine = open_engine(settings.database_url)
    masters = master_keys(privacy, given=settings.master_keys, file=settings.master_keys_file)
    # What is wrong with them is said now and not to a visitor.
    await masters.newest()
    store = Store(engine, privacy=privacy, masters=masters)
    telegram = _telegram(settings)
    viber = _viber(settings)
    referral = ReferralClient(settings.referral_url, secret=settings.service_secret)
    press = Press(book=book, countries=settings.countries, library=Shelf(referral).fetch)
    first_aid = FirstAid(
        book=book,
        lexicon=lexicon,
        countries=settings.countries,
        locale=settings.locale,
        country=settings.country,
    )
    try:
        yield Runtime(
            settings=settings,
            privacy=privacy,
            book=book,
            lexicon=lexicon,
            engine=engine,
            store=store,
            telegram=telegram,
            viber=viber,
            first_aid=first_aid,
            reception=Reception(store=store, first_aid=first_aid, channels=_by_name(telegram, viber)),
            press=press,
        )
    finally:
        for channel in (telegram, viber):
            if channel is not None:
                await channel.close()
        press.close()
        await referral.close()
        await engine.dispose()


def _by_name(*channels: TelegramChannel | ViberChannel | None) -> dict[str, Channel]:
    return {channel.name: channel for channel in channels if channel is not None}


def _telegram(settings: Settings) -> TelegramChannel | None:
    if settings.telegram_token is None:
        return None
    return TelegramChannel(
        settings.telegram_token, api_url=settings.telegram_api_url, secret=settings.telegram_secret
    )


def _viber(settings: Settings) -> ViberChannel | None:
    if settings.viber_token is None:
        return None
    return ViberChannel(settings.viber_token, api_url=settings.viber_api_url)
