"""What every messenger's channel promises, tried on each of them over HTTP."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from prometheus_client import REGISTRY

from bot.messages import AddressGone, File, IncomingKind, MediaKind, Outgoing, Run, TryAgain
from tests.bot.channels.line import SECRET, Line, post, say
from tests.fakes.messenger import Broken, Drops, Hangs, TooMany
from tests.fakes.telegram import PNG
from tests.fakes.viber import FakeViber

_TITLES = ("They call me names", "They share my photo without asking", "Menu")


async def test_a_message_arrives_with_its_buttons(line: Line) -> None:
    child = await line.known()

    await line.channel.send(child.address, say("What happened?\nCall 1098.", *_TITLES))

    seen = await child.sees()
    assert seen.text == "What happened?\nCall 1098."
    assert seen.titles == _TITLES


async def test_long_titles_stand_one_below_the_other(line: Line) -> None:
    child = await line.known()

    await line.channel.send(child.address, say("What happened?", *_TITLES))

    assert (await child.sees()).rows == tuple((title,) for title in _TITLES)


async def test_a_few_short_titles_stand_in_two_columns(line: Line) -> None:
    child = await line.known()

    await line.channel.send(child.address, say("Is it still going on?", "Yes", "No", "Not sure"))

    assert (await child.sees()).rows == (("Yes", "No"), ("Not sure",))


async def test_a_pressed_button_comes_back_as_its_payload(line: Line) -> None:
    child = await line.known()
    await line.channel.send(child.address, say("Is it still going on?", "Yes", "No"))
    await child.sees()

    update = child.presses("No")

    came = await line.inbox.gets()
    assert (came.kind, came.text) == (IncomingKind.CHOICE, "n:flow:node:c1")
    assert (came.address, came.update) == (child.address, str(update))


async def test_a_long_text_is_cut_between_sentences_and_its_buttons_come_last(line: Line) -> None:
    child = await line.known()
    sentence = "Save what they wrote before you block them. "
    text = (sentence * 200).strip()

    await line.channel.send(child.address, say(text, "Menu"))

    first = await child.sees()
    parts = [first]
    while not parts[-1].titles:
        parts.append(await child.sees())
    assert len(parts) == -(-len(text) // line.limit)
    assert " ".join(part.text for part in parts) == text
    assert all(part.text.endswith("them.") for part in parts)
    assert [part.titles for part in parts] == [()] * (len(parts) - 1) + [("Menu",)]


async def test_a_part_that_was_sent_is_not_sent_again_when_a_later_one_is_tried_again(line: Line) -> None:
    child = await line.known()
    message = say("first " * 1200 + "\n\n" + "second " * 900, number="41")
    await line.channel.send(child.address, say("before"))
    line.messenger.fail(Broken(), Broken(), method=line.sending)

    with pytest.raises(TryAgain):
        await line.channel.send(child.address, message)
    with pytest.raises(TryAgain):
        await line.channel.send(child.address, message)
    sent_before = len(child.said)
    await line.channel.send(child.address, message)

    texts = [seen.text for seen in child.said]
    assert sent_before == 1
    assert len(texts) == len(set(texts))
    assert " ".join(" ".join(texts).split()) == "before " + " ".join(message.text.split())


async def test_a_failure_in_the_middle_goes_on_where_it_stopped(line: Line) -> None:
    child = await line.known()
    message = say("first " * 1150 + "\n\n" + "second " * 900, "Menu", number="42")
    line.messenger.fail(None, Broken(), method=line.sending)

    with pytest.raises(TryAgain):
        await line.channel.send(child.address, message)
    await line.channel.send(child.address, message)

    said = " ".join(" ".join(seen.text for seen in child.said).split())
    assert said == " ".join(message.text.split())
    assert child.said[-1].titles == ("Menu",)


async def test_an_operator_can_be_told_from_the_program(line: Line) -> None:
    child = await line.known()

    await line.channel.send(child.address, say("Я здесь, пиши.", sender="operator", locale="ru"))

    assert (await child.sees()).text == "👤 Линия помощи:\nЯ здесь, пиши."


_RICH = (
    Run(text="🙂 Call "),
    Run(text="1098 <b>", bold=True),
    Run(text=" & read "),
    Run(text="this _page_", link="https://a.by/x_y"),
    Run(text="."),
)


async def test_bold_words_are_bold_and_links_lead_somewhere(line: Line) -> None:
    child = await line.known()

    await line.channel.send(child.address, Outgoing(text="🙂 Call 1098 <b>", runs=_RICH))

    seen = await child.sees()
    assert seen.bold == ("1098 <b>",)
    if line.name == "viber":  # It has no links behind words.
        assert seen.text.replace("\u200a", "") == "🙂 Call 1098 <b> & read this _page_ (https://a.by/x_y)."
    else:
        assert seen.text == "🙂 Call 1098 <b> & read this _page_."
        assert seen.links == {"this _page_": "https://a.by/x_y"}


async def test_bold_words_stay_bold_in_each_part_of_a_long_message(line: Line) -> None:
    child = await line.known()
    runs = (Run(text="🙂 " * 2900), Run(text="Save all of it", bold=True), Run(text=" now" * 900))

    await line.channel.send(child.address, Outgoing(text="…", runs=runs))

    await line.channel.send(child.address, say("the end"))
    parts = []
    while (seen := await child.sees()).text != "the end":
        parts.append(seen)
    assert [part.bold for part in parts if part.bold] == [("Save all of it",)]


@pytest.mark.parametrize(
    "typed",
    ["**I** am *here* with _you_, ~now~ ```ok```", "[me](https://a.by) <b>&amp;</b>", "* _ ~ ** 5*3*2"],
)
async def test_what_an_operator_types_is_no_markup(line: Line, typed: str) -> None:
    child = await line.known()

    await line.channel.send(child.address, say(typed, sender="operator"))

    seen = await child.sees()
    assert seen.text.replace("\u200a", "") == f"👤 Helpline:\n{typed}"
    assert (seen.bold, seen.links) == ((), {})


# Every byte, and the ends of lines that a form may lose.
_BYTES = bytes(range(256)) + b"\r\n--\n\r"


@pytest.mark.parametrize(
    ("name", "start"), [("certificate.pdf", b"%PDF-1.7\n"), ("certificate.png", PNG)], ids=["pdf", "png"]
)
async def test_a_document_arrives_as_it_is(line: Line, name: str, start: bytes) -> None:
    child = await line.known()
    link = f"https://a.by/documents/x_y_z.{name[-3:]}"
    file = File(title="Грамата *_x_*", name=name, content=start + _BYTES, link=link)

    await line.channel.hand(child.address, file)

    seen = await child.sees()
    assert seen.file is not None
    assert seen.file.is_picture is (name == "certificate.png")
    if line.channel.fetches_files:
        assert seen.file.address == link
        assert seen.raw.get("size", len(file.content)) == len(file.content)
    else:
        assert (seen.file.name, seen.file.content) == (name, file.content)
        assert seen.text == "Грамата *_x_*"
    assert seen.bold == ()


async def test_a_document_that_cannot_be_delivered_says_why(line: Line) -> None:
    child = await line.known()
    file = File(title="x", name="x.pdf", content=b"%PDF", link="https://a.by/documents/x.pdf")
    method = "send_message" if line.name == "viber" else "sendDocument"
    line.messenger.fail(TooMany(after=3), Broken(), Drops(), method=method)

    for _ in range(3):
        with pytest.raises(TryAgain):
            await line.channel.hand(child.address, file)
    child.blocks()
    await line.settled()
    with pytest.raises(AddressGone):
        await line.channel.hand(child.address, file)
    with pytest.raises(AddressGone):
        await line.channel.hand("123456789", file)


async def test_a_busy_platform_says_when_to_try_again(line: Line) -> None:
    child = await line.known()
    line.messenger.fail(TooMany(after=3), method=line.sending)
    before = _put_off(line)

    with pytest.raises(TryAgain) as caught:
        await line.channel.send(child.address, say("hello"))

    assert caught.value.after == line.busy
    assert _put_off(line) == before + 1


def _put_off(line: Line) -> float:
    """How often this messenger said that it is busy, as monitoring sees it."""
    labels = {"channel": line.channel.name}
    return REGISTRY.get_sample_value("porchlight_platform_busy_total", labels) or 0


@pytest.mark.parametrize("fault", [Broken(), Broken(status=502), Drops()], ids=str)
async def test_a_platform_that_fails_is_tried_again(line: Line, fault: Broken | Drops) -> None:
    child = await line.known()
    line.messenger.fail(fault, method=line.sending)

    with pytest.raises(TryAgain):
        await line.channel.send(child.address, say("hello"))
    await line.channel.send(child.address, say("hello again"))

    assert (await child.sees()).text == "hello again"


async def test_a_platform_that_hangs_is_tried_again(line: Line) -> None:
    child = await line.known()
    line.messenger.fail(Hangs(), method=line.sending)
    channel = line.impatient()

    with pytest.raises(TryAgain):
        await channel.send(child.address, say("hello"))

    await channel.close()


async def test_an_answer_that_is_not_the_platforms_is_tried_again(line: Line) -> None:
    child = await line.known()
    line.messenger.fail(Broken(status=200), method=line.sending)

    with pytest.raises(TryAgain):
        await line.channel.send(child.address, say("hello"))


async def test_a_platform_that_cannot_be_reached_is_tried_again(line: Line) -> None:
    child = await line.known()
    line.messenger.server.stop()

    with pytest.raises(TryAgain):
        await line.channel.send(child.address, say("hello"))


async def test_a_visitor_who_left_is_told_and_cannot_be_written_to(line: Line) -> None:
    child = await line.known()

    child.blocks()

    came = await line.inbox.gets()
    assert (came.kind, came.address) == (IncomingKind.LEFT, child.address)
    with pytest.raises(AddressGone):
        await line.channel.send(child.address, say("hello"))


async def test_somebody_unknown_cannot_be_written_to(line: Line) -> None:
    with pytest.raises(AddressGone):
        await line.channel.send("123456789", say("hello"))


async def test_showing_that_an_answer_comes_never_fails(line: Line) -> None:
    line.messenger.fail(Broken(), Drops(), method="sendChatAction")

    for _ in range(3):
        await line.channel.typing("123456789")


async def test_a_text_comes_with_who_and_which_language(line: Line) -> None:
    child = line.visitor(language="be")

    update = child.writes("  мяне\u202e цкуюць\x00 у чаце  ")

    came = await line.inbox.gets()
    assert came.kind is IncomingKind.TEXT
    assert came.text == "мяне цкуюць у чаце"
    assert (came.channel, came.address) == (line.channel.name, child.address)
    assert (came.update, came.locale) == (str(update), "be")
    assert came.sent_at is not None


async def test_a_language_that_we_do_not_have_is_left_open(line: Line) -> None:
    line.visitor(language="fr").writes("bonjour")

    assert (await line.inbox.gets()).locale is None


async def test_a_photo_is_known_by_its_kind_only(line: Line) -> None:
    line.visitor().sends_photo()

    came = await line.inbox.gets()
    assert (came.kind, came.media, came.text) == (IncomingKind.MEDIA, MediaKind.PHOTO, "")


async def test_words_under_a_photo_are_read(line: Line) -> None:
    line.visitor().sends_photo("i want to die")

    words, photo = await line.inbox.gets(), await line.inbox.gets()
    assert (words.kind, words.text) == (IncomingKind.TEXT, "i want to die")
    assert (photo.kind, photo.media) == (IncomingKind.MEDIA, MediaKind.PHOTO)
    assert words.update != photo.update


async def test_a_second_copy_carries_the_same_number(line: Line) -> None:
    line.messenger.deliver_twice()

    line.visitor().writes("hello")

    assert await line.inbox.gets() == await line.inbox.gets()


async def test_two_messages_of_one_moment_keep_their_order(line: Line) -> None:
    child = line.visitor()
    for number in range(20):
        child.writes(f"message {number}")

    came = [(await line.inbox.gets()).text for _ in range(20)]

    assert came == [f"message {number}" for number in range(20)]


async def test_what_the_inbox_could_not_keep_comes_again(line: Line) -> None:
    line.inbox.down = 2

    line.visitor().writes("hello")

    assert (await line.inbox.gets()).text == "hello"
    assert line.inbox.refused == 2
    await line.settled()


async def test_a_webhook_says_503_while_the_inbox_is_down(webhook_line: Line) -> None:
    webhook_line.inbox.down = 1

    webhook_line.visitor().writes("hello")
    await webhook_line.inbox.gets()
    await webhook_line.settled()

    assert list(webhook_line.messenger.webhook_statuses)[-2:] == [503, 200]


@pytest.mark.parametrize("given", ["", "wrong", "неверно"])
async def test_a_webhook_takes_nothing_from_strangers(webhook_line: Line, given: str) -> None:
    headers = {_proof(webhook_line): given.encode()}

    answer = await post(webhook_line.webhook, b"{}", headers=headers)
    unsigned = await post(webhook_line.webhook, b"{}", headers={})

    assert (answer.status_code, unsigned.status_code) == (401, 401)
    assert answer.json()["detail"].endswith(".")
    assert webhook_line.inbox.kept == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"update_id": "x", "event": 5}',
        b'{"update_id": 1, "message": 5, "event": "message", "message_token": []}',
        b'{"update_id": 1, "message": {"text": "hi"}, "event": "message", "message_token": 1}',
        b'{"message": {}, "event": "message", "message_token": 1, "sender": {"id": 7}}',
    ],
    ids=range(10),
)
async def test_a_webhook_refuses_what_it_cannot_read(webhook_line: Line, body: bytes) -> None:
    answer = await _post(webhook_line, body)

    assert answer.status_code == 400
    assert re.fullmatch(r"This is not .+\.", answer.json()["detail"])
    assert webhook_line.inbox.kept == []


async def test_half_a_letter_does_not_break_anything(webhook_line: Line) -> None:
    child = webhook_line.visitor()

    child.writes("help \ud83d me")

    came = await webhook_line.inbox.gets()
    assert came.text.encode().decode() == came.text
    assert came.text.startswith("help")


async def test_a_replayed_request_is_recognisable_by_its_number(webhook_line: Line) -> None:
    body = _message(webhook_line)

    first, second = await _post(webhook_line, body), await _post(webhook_line, body)

    assert (first.status_code, second.status_code) == (200, 200)
    assert await webhook_line.inbox.gets() == await webhook_line.inbox.gets()


def _proof(line: Line) -> bytes:
    viber = isinstance(line.messenger, FakeViber)
    return b"x-viber-content-signature" if viber else b"x-telegram-bot-api-secret-token"


async def _post(line: Line, body: bytes) -> httpx.Response:
    proof = line.messenger.signature(body) if isinstance(line.messenger, FakeViber) else SECRET
    return await post(line.webhook, body, headers={_proof(line): proof.encode()})


def _message(line: Line) -> bytes:
    if isinstance(line.messenger, FakeViber):
        return json.dumps(
            {
                "event": "message",
                "message_token": 5,
                "timestamp": 1,
                "sender": {"id": "abc="},
                "message": {"type": "text", "text": "hi"},
            }
        ).encode()
    chat = {"id": 5, "type": "private"}
    message = {"message_id": 1, "date": 1, "chat": chat, "text": "hi"}
    return json.dumps({"update_id": 5, "message": message}).encode()
