"""How visitors on Telegram reach us and we reach them, through python-telegram-bot and the Bot API."""

from __future__ import annotations

import asyncio
import hmac
import os
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    MessageEntity,
)
from telegram.constants import ChatAction
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter, TelegramError, TimedOut
from telegram.request import HTTPXRequest

from bot.channels import greeting
from bot.channels.presentation import Progress, parts_of, rows_of, units, words_of
from bot.channels.reading import Unreadable, read_object, refusal
from bot.channels.telegram_updates import ALLOWED, incoming_of, read_update
from bot.channels.tls import trusted
from bot.messages import (
    Accept,
    AddressGone,
    BotError,
    Button,
    DeliveryFailed,
    File,
    InboxDown,
    Outgoing,
    Refused,
    Run,
    TryAgain,
)
from bot.metrics import PLATFORM_BUSY

log = structlog.get_logger()

# With it python-telegram-bot 22 gives durations as timedelta, as version 23 always will; it asks at run time.
os.environ.setdefault("PTB_TIMEDELTA", "1")

#: In UTF-16 units: https://core.telegram.org/bots/api#sendmessage
MAX_TEXT = 4096

#: How long Telegram holds a request for updates open while nothing happens.
POLL = timedelta(seconds=25)

#: How long we wait for an answer to anything else.
TIMEOUT = timedelta(seconds=15)

#: The pause after updates could not be fetched or stored.
PAUSE = timedelta(seconds=1)

#: https://core.telegram.org/bots/api#setwebhook, ``secret_token``.
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")

# Telegram's description is a fixed English text, but only these words of it may enter a log.
_REASONS = (
    ("message is too long", "the text is too long"),
    ("text is empty", "the text is empty"),
    ("button_data_invalid", "a button's payload is invalid"),
    ("button", "a button is invalid"),
    ("can't parse", "the text cannot be parsed"),
)

# https://core.telegram.org/api/errors; a "user is deactivated" comes as 403.
_NOBODY = ("chat not found", "user not found", "peer_id_invalid")


# The last ones come when an answer is JSON but none of the Bot API's, as from a proxy between us.
_FAILED = (TelegramError, AttributeError, KeyError, TypeError, ValueError)


class WebhookSecretMissing(BotError):
    """Webhook mode needs PORCHLIGHT_TELEGRAM_SECRET: 1 to 256 letters, digits, dashes or underscores."""


class TelegramChannel:
    """One bot on Telegram."""

    name = "telegram"
    fetches_files = False

    def __init__(
        self,
        token: str,
        *,
        api_url: str = "https://api.telegram.org",
        secret: str | None = None,
        timeout: timedelta = TIMEOUT,
        pause: timedelta = PAUSE,
    ) -> None:
        self._timeout = timeout
        seconds = timeout.total_seconds()
        self._requests = tuple(
            _Requests(
                read_timeout=seconds,
                write_timeout=seconds,
                media_write_timeout=seconds,
                connect_timeout=seconds,
                pool_timeout=seconds,
                httpx_kwargs={"verify": trusted()},
            )
            for _ in range(2)
        )
        self._bot = _Bot(
            token,
            base_url=f"{api_url.rstrip('/')}/bot",
            request=self._requests[0],
            get_updates_request=self._requests[1],
        )
        self._secret = secret
        self._pause = pause.total_seconds()
        self._greeted = False
        self._progress = Progress()
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, address: str, message: Outgoing) -> None:
        """Deliver a message, in parts if it is long; raises ``TryAgain``, ``AddressGone`` or ``Refused``."""
        parts = parts_of(words_of(message), limit=MAX_TEXT)
        for place in range(self._progress.of(message.number), len(parts)):
            last = place == len(parts) - 1
            try:
                await self._bot.send_message(
                    chat_id=address,
                    text="".join(run.text for run in parts[place]),
                    entities=_entities(parts[place]),
                    reply_markup=_keyboard(message.choices) if last and message.choices else None,
                    # A preview would fetch and show pages that a child did not ask to see.
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
            except _FAILED as error:
                failure = _failure(error)
                if not isinstance(failure, TryAgain):
                    self._progress.done(message.number)
                raise failure from error
            self._progress.sent(message.number)
        self._progress.done(message.number)

    async def hand(self, address: str, file: File) -> None:
        """Deliver a document, a picture as one; raises ``TryAgain``, ``AddressGone`` or ``Refused``."""
        content = InputFile(file.content, filename=file.name)
        try:
            if file.is_picture:
                await self._bot.send_photo(chat_id=address, photo=content, caption=file.title)
            else:
                await self._bot.send_document(chat_id=address, document=content, caption=file.title)
        except _FAILED as error:
            raise _failure(error) from error

    async def typing(self, address: str) -> None:
        """Show that an answer is coming; never raises."""
        try:
            await self._bot.send_chat_action(chat_id=address, action=ChatAction.TYPING)
        except _FAILED as error:
            log.debug("typing could not be shown", channel=self.name, error=type(error).__name__)

    async def greet(self) -> bool:
        """Set the command menu and the descriptions in each language; whether it worked (never raises)."""
        try:
            # The empty code is for everybody whose language we do not have.
            for code, locale in [("", "en"), *((locale, locale) for locale in greeting.COMMANDS)]:
                commands = [BotCommand(name, text) for name, text in greeting.COMMANDS[locale].items()]
                await self._bot.set_my_commands(commands, language_code=code or None)
                await self._bot.set_my_short_description(
                    greeting.SHORT_DESCRIPTION[locale], language_code=code or None
                )
                await self._bot.set_my_description(greeting.DESCRIPTION[locale], language_code=code or None)
        except _FAILED as error:
            _failure(error)
            log.warning("the command menu could not be set", channel=self.name, error=type(error).__name__)
            return False
        return True

    async def set_webhook(self, url: str) -> None:
        """Have updates posted to this address; raises ``TryAgain`` or ``Refused``."""
        try:
            await self._bot.set_webhook(url, secret_token=self._required_secret(), allowed_updates=ALLOWED)
        except _FAILED as error:
            raise _failure(error) from error

    async def poll(self, accept: Accept) -> None:
        """Fetch updates and hand them over until cancelled; what was not accepted is fetched again."""
        # The worker begins anew after an error of ours; the menu need not.
        self._greeted = self._greeted or await self.greet()
        await self._leave_webhook()
        offset: int | None = None
        while True:
            try:
                updates = await self._bot.fetch(offset=offset, wait=POLL, patience=self._timeout)
            except _FAILED as error:
                await self._after_failed_fetch(error)
                continue
            # After a week of silence Telegram goes on with random numbers, which may be lower:
            # an offset is sent once, to confirm, and not kept.
            offset = await self._hand_over(updates, accept)

    def router(self, accept: Accept) -> APIRouter:
        """``POST /telegram/webhook``; raises ``WebhookSecretMissing``."""
        secret = self._required_secret().encode()
        router = APIRouter()

        @router.post("/telegram/webhook")
        async def webhook(request: Request) -> JSONResponse:
            given = request.headers.get("x-telegram-bot-api-secret-token", "").encode("utf-8", "replace")
            if not hmac.compare_digest(given, secret):
                return refusal(
                    401,
                    error="wrong_secret",
                    detail="X-Telegram-Bot-Api-Secret-Token is not the secret that was set for this webhook.",
                )
            try:
                await self._take(read_object(await request.body()), accept)
            except Unreadable:
                return refusal(400, error="unreadable", detail="This is not an update of the Bot API.")
            except InboxDown:
                return refusal(503, error="inbox_down", detail="It could not be stored. Send it again.")
            return JSONResponse({})

        return router

    async def close(self) -> None:
        """Close all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for request in self._requests:
            await request.shutdown()

    def _required_secret(self) -> str:
        if self._secret is None or not _SECRET.fullmatch(self._secret):
            raise WebhookSecretMissing
        return self._secret

    async def _leave_webhook(self) -> None:
        # While a webhook is set, Telegram answers every request for updates with 409.
        try:
            await self._bot.delete_webhook(drop_pending_updates=False)
        except _FAILED as error:
            _failure(error)
            log.warning("the webhook could not be removed", channel=self.name, error=type(error).__name__)

    async def _after_failed_fetch(self, error: Exception) -> None:
        failure = _failure(error)
        log.warning("updates could not be fetched", channel=self.name, error=type(error).__name__)
        after = failure.after if isinstance(failure, TryAgain) else None
        await asyncio.sleep(after.total_seconds() if after else self._pause)

    async def _hand_over(self, updates: Sequence[tuple[int, dict[str, Any]]], accept: Accept) -> int | None:
        """Hand over updates in order; the offset that confirms what was taken, None if nothing was."""
        offset: int | None = None
        for number, raw in updates:
            try:
                await self._take(raw, accept)
            except Unreadable:
                log.error("an update could not be read and is left out", channel=self.name)
            except InboxDown:
                log.warning("the inbox is down: updates stay with Telegram", channel=self.name)
                await asyncio.sleep(self._pause)
                break
            offset = number + 1
        return offset

    async def _take(self, raw: dict[str, Any], accept: Accept) -> None:
        update = read_update(raw)
        if update.callback_query is not None:
            self._soon(update.callback_query.id)
        for incoming in incoming_of(update):
            await accept(incoming)

    def _soon(self, query: str) -> None:
        task = asyncio.create_task(self._acknowledge(query))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _acknowledge(self, query: str) -> None:
        # Until then the pressed button shows a spinner; the answer itself comes as a message.
        try:
            await self._bot.answer_callback_query(query)
        except _FAILED as error:
            log.debug("a press could not be acknowledged", channel=self.name, error=type(error).__name__)


class _Requests(HTTPXRequest):
    """The SDK's requests, with a limit for the whole of each: its own are for every step."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Ask; raises ``TimedOut`` also where the answer comes a byte a second."""
        step = kwargs.get("read_timeout")
        try:
            async with asyncio.timeout(2 * (step if isinstance(step, float) else self.read_timeout or 0.0)):
                return await super().do_request(*args, **kwargs)
        except TimeoutError as error:
            raise TimedOut from error


class _Bot(Bot):
    """The SDK's client, which can also fetch updates without parsing them."""

    async def fetch(
        self, *, offset: int | None, wait: timedelta, patience: timedelta
    ) -> list[tuple[int, dict[str, Any]]]:
        """Updates by number, oldest first.

        ``get_updates`` fails as a whole on one update that it cannot parse, and logs its words.
        """
        data = {"offset": offset, "timeout": int(wait.total_seconds()), "allowed_updates": list(ALLOWED)}
        found = await self._post("getUpdates", data, read_timeout=(wait + patience).total_seconds())
        updates = [(update["update_id"], update) for update in found]
        return sorted(updates, key=lambda update: int(update[0]))


def _entities(runs: Sequence[Run]) -> list[MessageEntity]:
    """What is bold and what leads where, by place.

    Telegram parses nothing then, so that no odd letter in a text can ever be a mistake in its markup.
    """
    found = []
    place = 0
    for run in runs:
        length = units(run.text)
        if run.bold:
            found.append(MessageEntity(MessageEntity.BOLD, place, length))
        if run.link:
            found.append(MessageEntity(MessageEntity.TEXT_LINK, place, length, url=run.link))
        place += length
    return found


def _keyboard(choices: Sequence[Button]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(choice.title, callback_data=choice.payload) for choice in row]
            for row in rows_of(choices)
        ]
    )


def _failure(error: Exception) -> DeliveryFailed:
    """What a failed call means for a delivery; an error of the set-up is told to the administrator."""
    described = str(error).lower()
    match error:
        case RetryAfter():
            PLATFORM_BUSY.labels(channel="telegram").inc()
            after = error.retry_after
            return TryAgain(after if isinstance(after, timedelta) else timedelta(seconds=after))
        case Forbidden():
            return AddressGone()
        case InvalidToken():
            log.error("Telegram does not know this bot: check PORCHLIGHT_TELEGRAM_TOKEN and _API_URL")
            return TryAgain()
        case BadRequest() if any(nobody in described for nobody in _NOBODY):
            return AddressGone()
        case BadRequest():
            return Refused(next((reason for sign, reason in _REASONS if sign in described), "bad request"))
        case _:
            # Time-outs, broken connections, 5xx, a second worker that polls (409): it may work later.
            return TryAgain()
