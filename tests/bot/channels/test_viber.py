"""What is peculiar to Viber: its welcome, links, keyboards, receipts and status codes."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.channels import greeting
from bot.channels.viber import ViberChannel
from bot.messages import AddressGone, Button, IncomingKind, MediaKind, Outgoing, Refused, TryAgain
from tests.bot.channels.line import TIMEOUT, Line, say
from tests.fakes.messenger import Broken, Says
from tests.fakes.viber import FakeViber


@pytest.mark.parametrize("language", ["en", "ru", "be", "bn"])
async def test_opening_is_welcomed_in_the_visitors_language_and_kept_nowhere(
    viber_line: Line, fake_viber: FakeViber, language: str
) -> None:
    child = fake_viber.visitor(language=language)

    child.opens()

    welcome = await child.sees()
    assert welcome.text == greeting.WELCOME[language]
    assert welcome.titles == (greeting.BEGIN[language],)
    assert viber_line.inbox.kept == []


async def test_a_language_that_we_do_not_have_is_welcomed_in_english(
    viber_line: Line, fake_viber: FakeViber
) -> None:
    child = fake_viber.visitor(language="fr")

    child.opens()

    assert (await child.sees()).text == greeting.WELCOME["en"]


async def test_the_welcomes_button_begins_with_what_the_link_said(
    viber_line: Line, fake_viber: FakeViber
) -> None:
    child = fake_viber.visitor(language="en", country="PL")
    child.opens("be-BY-school12")
    await child.sees()

    child.presses("Пачаць")

    came = await viber_line.inbox.gets()
    assert came.kind is IncomingKind.STARTED
    assert (came.locale, came.country, came.campaign) == ("be", "BY", "school12")


async def test_first_words_carry_what_the_link_said(viber_line: Line, fake_viber: FakeViber) -> None:
    child = fake_viber.visitor(language="ru", country="BY")
    child.opens("--poster3")
    await child.sees()

    child.writes("меня травят")

    came = await viber_line.inbox.gets()
    assert (came.kind, came.text) == (IncomingKind.TEXT, "меня травят")
    assert (came.locale, came.country, came.campaign) == ("ru", "BY", "poster3")


async def test_a_link_begins_anew_for_somebody_who_can_be_answered(
    viber_line: Line, fake_viber: FakeViber
) -> None:
    child = fake_viber.visitor()
    child.writes("hello")
    await viber_line.inbox.gets()

    child.opens()
    child.opens("bn-BD-poster")

    came = await viber_line.inbox.gets()
    assert (came.kind, came.locale, came.country) == (IncomingKind.STARTED, "bn", "BD")
    await viber_line.settled()
    assert child.said == ()


@pytest.mark.parametrize(
    "words", ["#m:i want to die", "#m:", "#m:хочу умереть", "#begin to kill me", "#m:m i want to die"]
)
async def test_words_that_only_look_like_a_button_are_words(
    viber_line: Line, fake_viber: FakeViber, words: str
) -> None:
    fake_viber.visitor().writes(words)

    came = await viber_line.inbox.gets()
    assert (came.kind, came.text) == (IncomingKind.TEXT, words)


@pytest.mark.parametrize("payload", ["m", "i:talk_to_human", "n:welcome:country:BY", "n:a_b:c_9:un-known.2"])
async def test_every_payload_comes_back(viber_line: Line, fake_viber: FakeViber, payload: str) -> None:
    child = fake_viber.visitor()
    child.writes("hello")
    await viber_line.inbox.gets()
    message = Outgoing(text="Choose", choices=(Button(title="This", payload=payload),))
    await viber_line.channel.send(child.address, message)
    await child.sees()

    child.presses("This")

    came = await viber_line.inbox.gets()
    assert (came.kind, came.text) == (IncomingKind.CHOICE, payload)


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("picture", MediaKind.PHOTO),
        ("video", MediaKind.VIDEO),
        ("file", MediaKind.FILE),
        ("sticker", MediaKind.STICKER),
        ("contact", MediaKind.CONTACT),
        ("location", MediaKind.LOCATION),
        ("something new", MediaKind.OTHER),
    ],
)
async def test_each_medium_has_its_kind(
    viber_line: Line, fake_viber: FakeViber, sent: str, kind: MediaKind
) -> None:
    fake_viber.visitor().sends(sent)

    came = await viber_line.inbox.gets()
    assert (came.kind, came.media) == (IncomingKind.MEDIA, kind)


async def test_a_link_that_is_sent_is_text(viber_line: Line, fake_viber: FakeViber) -> None:
    fake_viber.visitor().sends("url")

    came = await viber_line.inbox.gets()
    assert (came.kind, came.text) == (IncomingKind.TEXT, "https://media.example/1")


@pytest.mark.parametrize("event", ["delivered", "seen", "failed", "subscribed", "webhook", "action", ""])
async def test_receipts_and_unknown_events_are_taken_and_forgotten(
    viber_line: Line, fake_viber: FakeViber, event: str
) -> None:
    fake_viber.connect(viber_line.webhook)

    fake_viber.event({"event": event, "user_id": "x", "desc": "words"})

    await viber_line.settled()
    assert fake_viber.webhook_statuses[-1] == 200
    assert viber_line.inbox.kept == []
    assert set(viber_line.inbox.seen_by) == ({"x"} if event == "seen" else set())


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (1, TryAgain),
        (2, TryAgain),
        (3, Refused),
        (5, AddressGone),
        (6, AddressGone),
        (9, TryAgain),
        (11, Refused),
        (12, TryAgain),
        (24, TryAgain),
        (99, Refused),
    ],
)
async def test_a_status_is_understood(
    viber_line: Line, fake_viber: FakeViber, status: int, failure: type[Exception]
) -> None:
    fake_viber.fail(Says(code=status, words="i want to die"), method="send_message")

    with pytest.raises(failure) as caught:
        await viber_line.channel.send("x", say("hello"))

    assert "die" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "failure", "after"),
    [(400, Refused, None), (401, TryAgain, None), (429, TryAgain, timedelta(seconds=10))],
)
async def test_an_http_error_is_understood(
    viber_line: Line,
    fake_viber: FakeViber,
    status: int,
    failure: type[Exception],
    after: timedelta | None,
) -> None:
    fake_viber.fail(Broken(status=status), method="send_message")

    with pytest.raises(failure) as caught:
        await viber_line.channel.send("x", say("hello"))

    assert getattr(caught.value, "after", None) == after


async def test_a_wrong_token_is_told_to_the_administrator_without_the_token() -> None:
    with FakeViber() as viber, capture_logs() as logs:
        channel = ViberChannel("the-wrong-token", api_url=viber.url, timeout=TIMEOUT)

        with pytest.raises(TryAgain):
            await channel.send("x", say("hello"))
        await channel.close()

    assert "PORCHLIGHT_VIBER_TOKEN" in logs[0]["event"]
    assert "the-wrong-token" not in str(logs)


async def test_a_keyboard_leaves_room_to_write_and_hides_what_its_buttons_carry(
    viber_line: Line, fake_viber: FakeViber
) -> None:
    child = fake_viber.visitor()
    child.writes("hello")
    await viber_line.inbox.gets()

    await viber_line.channel.send(child.address, say("How old are you?", "< 13", "13 & more"))

    keyboard = (await child.sees()).raw["keyboard"]
    assert (keyboard["InputFieldState"], keyboard["DefaultHeight"]) == ("regular", False)
    assert all(button["Silent"] for button in keyboard["Buttons"])
    assert [button["Text"] for button in keyboard["Buttons"]] == ["&lt; 13", "13 &amp; more"]


async def test_the_longest_bangla_text_fits_into_a_request(viber_line: Line, fake_viber: FakeViber) -> None:
    child = fake_viber.visitor(language="bn")
    child.writes("hello")
    await viber_line.inbox.gets()
    titles = [f"{'ক' * 38} {place}" for place in range(8)]

    await viber_line.channel.send(child.address, say("ক" * 7000, *titles, locale="bn"))

    assert len((await child.sees()).text) == 7000


async def test_names_and_pictures_of_visitors_are_not_asked_for(
    viber_line: Line, fake_viber: FakeViber
) -> None:
    (call,) = fake_viber.calls("set_webhook")

    assert (call["send_name"], call["send_photo"]) == (False, False)
    assert call["url"] == fake_viber.webhook == viber_line.webhook


async def test_a_webhook_that_is_not_there_can_be_set_later(viber_line: Line, fake_viber: FakeViber) -> None:
    with pytest.raises(TryAgain):
        await asyncio.wait_for(viber_line.channel.set_webhook(f"{viber_line.webhook}/nowhere"), 5)


async def test_every_language_has_a_welcome() -> None:
    assert set(greeting.WELCOME) == set(greeting.BEGIN) == {"en", "ru", "be", "bn"}
    assert all(len(json.dumps(text)) < 30_000 for text in greeting.WELCOME.values())
