"""What is peculiar to Telegram: commands, links, edits, albums, groups, polling, its errors."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import cast

import pytest
from structlog.testing import capture_logs

from bot.channels import greeting
from bot.channels.telegram import TelegramChannel, WebhookSecretMissing
from bot.messages import AddressGone, IncomingKind, MediaKind, Refused, TryAgain
from tests.bot.channels.line import PAUSE, SECRET, TIMEOUT, Inbox, Line, say, webhook_telegram
from tests.fakes.messenger import Broken, Drops, Hangs, Says, TooMany
from tests.fakes.telegram import FakeTelegram

LANGUAGES = {"", "en", "ru", "be", "bn"}


async def test_polling_begins_with_a_menu_in_each_language(
    telegram_line: Line, telegram: FakeTelegram
) -> None:
    profile = telegram.profile

    assert set(profile.commands) == set(profile.short_descriptions) == set(profile.descriptions) == LANGUAGES
    assert profile.commands["ru"]["person"] == "Поговорить с человеком"
    assert profile.commands[""] == profile.commands["en"]


async def test_a_menu_that_cannot_be_set_does_not_keep_messages_away() -> None:
    inbox = Inbox()
    with FakeTelegram() as telegram:
        telegram.fail(Broken(), method="setMyCommands")
        telegram.fail(Drops(), method="deleteWebhook")
        channel = TelegramChannel(telegram.token, api_url=telegram.url, timeout=TIMEOUT, pause=PAUSE)
        polling = asyncio.create_task(channel.poll(inbox.accept))

        telegram.visitor().writes("hello")

        assert (await inbox.gets()).text == "hello"
        await _stop(polling)
        await channel.close()


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        ("/help", "i:help"),
        ("/person", "i:talk_to_human"),
        ("/talk_to_human", "i:talk_to_human"),
        ("/language", "i:change_language"),
        ("/forget", "i:delete_my_data"),
        ("/stop", "i:stop"),
        ("/menu", "m"),
        ("/MENU@porchlight_bot", "m"),
    ],
)
async def test_a_command_is_a_choice(
    telegram_line: Line, telegram: FakeTelegram, command: str, payload: str
) -> None:
    telegram.visitor().writes(command)

    came = await telegram_line.inbox.gets()
    assert (came.kind, came.text) == (IncomingKind.CHOICE, payload)


@pytest.mark.parametrize(
    "words", ["/stop it or i will kill myself", "/хелп", "/suicide", "/", "/bye@0.0 i will kill myself"]
)
async def test_a_slash_hides_no_words(telegram_line: Line, telegram: FakeTelegram, words: str) -> None:
    telegram.visitor().writes(words)

    came = await telegram_line.inbox.gets()
    assert (came.kind, came.text) == (IncomingKind.TEXT, words)


async def test_start_begins_in_the_language_of_the_messenger(
    telegram_line: Line, telegram: FakeTelegram
) -> None:
    telegram.visitor(language="bn").starts()

    came = await telegram_line.inbox.gets()
    assert (came.kind, came.locale, came.country, came.campaign) == (IncomingKind.STARTED, "bn", None, None)


async def test_a_link_says_language_country_and_campaign(telegram_line: Line, telegram: FakeTelegram) -> None:
    telegram.visitor(language="ru").starts("be-BY-school-12")

    came = await telegram_line.inbox.gets()
    assert came.kind is IncomingKind.STARTED
    assert (came.locale, came.country, came.campaign) == ("be", "BY", "school-12")


async def test_words_typed_behind_start_are_read_as_well(telegram_line: Line, telegram: FakeTelegram) -> None:
    telegram.visitor().starts("i want to die")

    started, words = await telegram_line.inbox.gets(), await telegram_line.inbox.gets()
    assert (started.kind, words.kind) == (IncomingKind.STARTED, IncomingKind.TEXT)
    assert words.text == "i want to die"
    assert started.update != words.update


async def test_an_edited_text_comes_as_edited(telegram_line: Line, telegram: FakeTelegram) -> None:
    child = telegram.visitor()
    child.writes("nothing")
    await telegram_line.inbox.gets()

    child.edits("i want to die")

    came = await telegram_line.inbox.gets()
    assert (came.kind, came.text) == (IncomingKind.EDITED, "i want to die")


async def test_a_moving_live_location_is_no_edit(telegram_line: Line, telegram: FakeTelegram) -> None:
    child = telegram.visitor()
    place = {"location": {"longitude": 1.0, "latitude": 2.0}}
    telegram.update(
        {"edited_message": {"message_id": 1, "date": 1, "edit_date": 2, "chat": child.chat} | place}
    )

    child.writes("next")

    assert (await telegram_line.inbox.gets()).text == "next"


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("photo", MediaKind.PHOTO),
        ("video", MediaKind.VIDEO),
        ("voice", MediaKind.VOICE),
        ("sticker", MediaKind.STICKER),
        ("location", MediaKind.LOCATION),
        ("contact", MediaKind.CONTACT),
        ("document", MediaKind.FILE),
        ("dice", MediaKind.OTHER),
    ],
)
async def test_each_medium_has_its_kind(
    telegram_line: Line, telegram: FakeTelegram, sent: str, kind: MediaKind
) -> None:
    telegram.visitor().sends(sent)

    came = await telegram_line.inbox.gets()
    assert (came.kind, came.media) == (IncomingKind.MEDIA, kind)


async def test_the_photos_of_an_album_count_as_one(telegram_line: Line, telegram: FakeTelegram) -> None:
    telegram.visitor().sends_album(3)

    assert len({(await telegram_line.inbox.gets()).update for _ in range(3)}) == 1


async def test_groups_are_not_listened_to(telegram_line: Line, telegram: FakeTelegram) -> None:
    child = telegram.visitor()

    child.writes_in_group("i want to die")
    child.writes("only this")

    assert (await telegram_line.inbox.gets()).text == "only this"


async def test_a_notice_of_the_messenger_itself_is_no_message(
    telegram_line: Line, telegram: FakeTelegram
) -> None:
    child = telegram.visitor()
    timer = {"message_auto_delete_timer_changed": {"message_auto_delete_time": 86400}}

    telegram.update({"message": {"message_id": 1, "date": 1, "chat": child.chat} | timer})
    child.writes("next")

    assert (await telegram_line.inbox.gets()).text == "next"


async def test_taking_a_block_away_says_nothing(telegram_line: Line, telegram: FakeTelegram) -> None:
    child = telegram.visitor()

    child.blocks()
    child.comes_back()
    child.writes("i am back")

    came = [await telegram_line.inbox.gets(), await telegram_line.inbox.gets()]
    assert [one.kind for one in came] == [IncomingKind.LEFT, IncomingKind.TEXT]


async def test_a_pressed_button_stops_turning_even_when_nothing_can_be_stored(
    telegram_line: Line, telegram: FakeTelegram
) -> None:
    child = telegram.visitor()
    child.writes("hello")
    await telegram_line.inbox.gets()
    await telegram_line.channel.send(child.address, say("More?", "Yes"))
    await child.sees()
    telegram_line.inbox.down = 3

    child.presses("Yes")

    await telegram.called("answerCallbackQuery")
    assert (await telegram_line.inbox.gets()).kind is IncomingKind.CHOICE
    assert child.waiting_queries == []


async def test_typing_is_shown(telegram_line: Line, telegram: FakeTelegram) -> None:
    child = telegram.visitor()
    child.writes("hello")
    await telegram_line.inbox.gets()

    await telegram_line.channel.typing(child.address)

    assert child.typings == 1


async def test_a_text_goes_out_plain_without_previews(telegram_line: Line, telegram: FakeTelegram) -> None:
    child = telegram.visitor()
    child.writes("hello")
    await telegram_line.inbox.gets()

    await telegram_line.channel.send(child.address, say("1098 *free* <b> https://help.example"))

    seen = await child.sees()
    assert seen.text == "1098 *free* <b> https://help.example"
    assert "parse_mode" not in seen.raw
    assert seen.raw["link_preview_options"] == {"is_disabled": True}


async def test_nothing_is_confirmed_before_it_is_kept(telegram_line: Line, telegram: FakeTelegram) -> None:
    telegram_line.inbox.down = 3

    number = telegram.visitor().writes("hello")
    await telegram_line.inbox.gets()
    kept_at = len(telegram.calls("getUpdates"))
    await telegram_line.settled()

    calls = telegram.calls("getUpdates")
    assert all("offset" not in call for call in calls[:kept_at])
    assert calls[kept_at]["offset"] == str(number + 1)


async def test_a_batch_is_confirmed_up_to_what_was_kept(telegram: FakeTelegram, telegram_line: Line) -> None:
    with telegram.out_of_order():
        child = telegram.visitor()
        first = child.writes("one")
        child.writes("two")
        child.writes("three")

    texts = [(await telegram_line.inbox.gets()).text for _ in range(3)]
    await telegram_line.settled()

    assert texts == ["one", "two", "three"]
    assert telegram.calls("getUpdates")[-1]["offset"] == str(first + 3)


async def test_what_follows_a_refused_update_waits_for_it(
    telegram: FakeTelegram, telegram_line: Line
) -> None:
    telegram_line.inbox.down = 1
    with telegram.out_of_order():
        child = telegram.visitor()
        child.writes("one")
        child.writes("two")

    assert [(await telegram_line.inbox.gets()).text for _ in range(2)] == ["one", "two"]


async def test_what_a_stopped_worker_did_not_confirm_the_next_one_gets() -> None:
    with FakeTelegram() as telegram:
        first, second = Inbox(down=1_000_000), Inbox()
        channel = TelegramChannel(telegram.token, api_url=telegram.url, timeout=TIMEOUT, pause=PAUSE)
        polling = asyncio.create_task(channel.poll(first.accept))
        telegram.visitor().writes("hello")
        await telegram.called("getUpdates", times=3)
        await _stop(polling)

        polling = asyncio.create_task(channel.poll(second.accept))

        assert (await second.gets()).text == "hello"
        assert first.kept == []
        await _stop(polling)
        await channel.close()


async def test_polling_outlives_every_trouble(telegram_line: Line, telegram: FakeTelegram) -> None:
    child = telegram.visitor()
    telegram.fail(
        Broken(),
        Broken(status=200),
        Drops(),
        Drops(afterwards=True),
        Says(code=409, words="Conflict: terminated by other getUpdates request"),
        Says(code=401, words="Unauthorized"),
        method="getUpdates",
    )

    child.writes("one")
    child.writes("two")

    texts = [(await telegram_line.inbox.gets()).text for _ in range(2)]
    await telegram_line.settled()
    assert texts == ["one", "two"]


async def test_an_update_that_cannot_be_read_does_not_stop_the_others(
    telegram_line: Line, telegram: FakeTelegram
) -> None:
    child = telegram.visitor()
    telegram.update({"message": 5})
    telegram.update({"message": {"text": "a secret"}})

    with capture_logs() as logs:
        child.writes("next")
        came = await telegram_line.inbox.gets()

    assert came.text == "next"
    assert "a secret" not in str(logs)


async def test_polling_takes_over_from_a_webhook() -> None:
    inbox = Inbox()
    with FakeTelegram() as telegram:
        telegram.connect("http://127.0.0.1:9/gone", secret=SECRET)
        channel = TelegramChannel(telegram.token, api_url=telegram.url, timeout=TIMEOUT, pause=PAUSE)
        polling = asyncio.create_task(channel.poll(inbox.accept))

        telegram.visitor().writes("hello")

        assert (await inbox.gets()).text == "hello"
        assert telegram.webhook == ""
        await _stop(polling)
        await channel.close()


async def test_the_webhook_is_set_with_its_secret_and_only_what_we_read() -> None:
    async with webhook_telegram() as line:
        (call,) = line.messenger.calls("setWebhook")

    assert call["secret_token"] == SECRET
    assert call["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]


async def test_a_webhook_that_telegram_refuses_is_told(telegram_line: Line, telegram: FakeTelegram) -> None:
    channel = TelegramChannel(telegram.token, api_url=telegram.url, secret=SECRET, timeout=TIMEOUT)

    with pytest.raises(Refused):
        await channel.set_webhook("no address")
    await channel.close()


@pytest.mark.parametrize("secret", [None, "", "with a blank", "ключ", "x" * 257])
async def test_a_webhook_without_a_proper_secret_is_not_opened(secret: str | None) -> None:
    channel = TelegramChannel("1:x", secret=secret)

    with pytest.raises(WebhookSecretMissing):
        channel.router(Inbox().accept)
    await channel.close()


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (Says(code=403, words="Forbidden: user is deactivated"), AddressGone),
        (Says(code=403, words="Forbidden: bot was blocked by the user"), AddressGone),
        (Says(code=400, words="Bad Request: chat not found"), AddressGone),
        (Says(code=401, words="Unauthorized"), TryAgain),
        (Says(code=404, words="Not Found"), TryAgain),
        (Says(code=503, words="Service Unavailable"), TryAgain),
        (Says(code=418, words="a teapot"), TryAgain),
    ],
    ids=str,
)
async def test_an_error_is_understood(
    telegram_line: Line, telegram: FakeTelegram, fault: Says, failure: type[Exception]
) -> None:
    telegram.fail(fault, method="sendMessage")

    with pytest.raises(failure):
        await telegram_line.channel.send("901", say("hello"))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Bad Request: message is too long", "the text is too long"),
        ("Bad Request: message text is empty", "the text is empty"),
        ("Bad Request: BUTTON_DATA_INVALID", "a button's payload is invalid"),
        ("Bad Request: can't parse entities in: i want to die", "the text cannot be parsed"),
        ("Bad Request: i want to die, 100:porchlight-test-token", "bad request"),
    ],
)
async def test_a_refusal_repeats_no_words_of_a_message(
    telegram_line: Line, telegram: FakeTelegram, words: str, reason: str
) -> None:
    telegram.fail(Says(code=400, words=words), method="sendMessage")

    with pytest.raises(Refused) as caught:
        await telegram_line.channel.send("901", say("hello"))

    assert caught.value.reason == reason


async def test_a_wrong_token_is_told_to_the_administrator_without_the_token() -> None:
    with FakeTelegram() as telegram, capture_logs() as logs:
        channel = TelegramChannel("100:wrong", api_url=telegram.url, timeout=TIMEOUT)

        with pytest.raises(TryAgain):
            await channel.send("901", say("hello"))
        assert not await channel.greet()
        await channel.close()

    assert "PORCHLIGHT_TELEGRAM_TOKEN" in logs[0]["event"]
    assert "100:wrong" not in str(logs)


async def test_a_limit_on_fetching_is_waited_for(telegram_line: Line, telegram: FakeTelegram) -> None:
    child = telegram.visitor()
    child.writes("one")
    await telegram_line.inbox.gets()
    telegram.fail(TooMany(after=1), method="getUpdates")
    started = asyncio.get_running_loop().time()

    child.writes("two")

    while (await telegram_line.inbox.gets()).text != "two":
        pass
    await telegram_line.settled()
    assert asyncio.get_running_loop().time() - started >= timedelta(seconds=1).total_seconds()


async def test_closing_does_not_wait_for_a_hanging_acknowledgement() -> None:
    async with webhook_telegram() as line:
        telegram = cast("FakeTelegram", line.messenger)
        child = telegram.visitor()
        child.writes("hello")
        await line.inbox.gets()
        await line.channel.send(child.address, say("More?", "Yes"))
        await child.sees()
        telegram.fail(Hangs(), method="answerCallbackQuery")

        child.presses("Yes")

        assert (await line.inbox.gets()).kind is IncomingKind.CHOICE


def test_every_language_says_all_of_it_within_telegrams_limits() -> None:
    for commands in greeting.COMMANDS.values():
        assert set(commands) == set(greeting.COMMAND_PAYLOADS)
        assert all(1 <= len(text) <= 256 for text in commands.values())
    for texts, most in ((greeting.SHORT_DESCRIPTION, 120), (greeting.DESCRIPTION, 512)):
        assert set(texts) == LANGUAGES - {""}
        assert all(1 <= len(text) <= most for text in texts.values())


async def _stop(polling: asyncio.Task[None]) -> None:
    polling.cancel()
    with suppress(asyncio.CancelledError):
        await polling
