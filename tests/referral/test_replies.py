"""Replies at hand, macros, notes that name a colleague, and the day after which Viber bills."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.cases.rules import mentioned
from referral.cases.window import closes_at, is_closed
from referral.errors import FormIncomplete
from referral.operators.rules import Role
from referral.replies.rules import LOCALES, PLACEHOLDERS, Macro, Reply, checked_macro, checked_reply, filled
from referral.replies.shipped import reviewed_by, shipped_macros, shipped_replies
from tests.referral.conftest import Time
from tests.referral.desk import Service
from tests.referral.serving import FakeBot

CONTACTS = {"helpline": "8-801-100-16-11", "emergency": "112"}


def test_every_language_has_the_same_replies_and_all_of_them_may_be_stored() -> None:
    by_locale = {locale: {slug for slug, of in shipped_replies() if of == locale} for locale in LOCALES}

    assert len(by_locale["en"]) >= 25
    assert all(slugs == by_locale["en"] for slugs in by_locale.values())
    for reply in shipped_replies().values():
        checked_reply(reply)
    assert {reply.template for reply in shipped_replies().values()} == {True, False}


def test_the_same_reply_has_the_same_placeholders_in_every_language() -> None:
    for (slug, _), reply in shipped_replies().items():
        english = shipped_replies()[slug, "en"]
        found = [{name for name in PLACEHOLDERS if f"{{{name}}}" in each.text} for each in (reply, english)]
        assert found[0] == found[1], slug


def test_no_shipped_reply_claims_a_review_that_was_not() -> None:
    assert [reviewed_by(locale) for locale in LOCALES] == [None] * len(LOCALES)


def test_shipped_macros_use_replies_that_there_are() -> None:
    known = frozenset(slug for slug, _ in shipped_replies())
    for macro in shipped_macros().values():
        checked_macro(macro, replies=known)


@given(st.text(max_size=50), st.dictionaries(st.sampled_from(PLACEHOLDERS), st.text(min_size=1)))
def test_a_reply_never_goes_out_with_a_hole(text: str, values: dict[str, str]) -> None:
    sent = filled(text.replace("{", "").replace("}", "") + "{helpline}", values)

    assert (sent is None) == ("helpline" not in values)


def test_a_placeholder_that_nobody_fills_is_refused() -> None:
    with pytest.raises(FormIncomplete, match="password"):
        checked_reply(Reply(slug="x1", locale="en", title="x", text="Tell me your {password}"))


def test_a_macro_that_does_nothing_is_refused() -> None:
    with pytest.raises(FormIncomplete):
        checked_macro(Macro(slug="x1", title="x"), replies=frozenset())


def test_names_with_an_at_sign_are_mentions_and_addresses_are_not() -> None:
    names = ("nina", "olga.k", "п.петров")

    assert mentioned("please @Nina, and @olga.k.", names=names) == {"nina", "olga.k"}
    assert mentioned("@п.петров?", names=names) == {"п.петров"}
    assert not mentioned("mail nina@nina or @@nina or nina", names=names)


def test_only_viber_has_a_day_and_it_ends_after_exactly_that() -> None:
    heard = datetime(2026, 11, 29, 12, tzinfo=UTC)
    day = timedelta(hours=24)

    assert closes_at("telegram", heard_at=heard) is None
    assert not is_closed("web", heard_at=heard, now=heard + 100 * day)
    assert not is_closed("viber", heard_at=heard, now=heard + day - timedelta(seconds=1))
    assert is_closed("viber", heard_at=heard, now=heard + day)


async def test_a_reply_is_offered_in_both_languages_and_stands_so_in_the_thread(
    service: Service, bot: FakeBot
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        await client.open(contacts=CONTACTS)
        case = await operator.take_next()
        page = await operator.see(f"/cases/{case}")
        words = shipped_replies()["hello", "ru"].text.replace("{operator}", "nina")
        assert words in page
        assert "Hi, I am nina from the helpline, a person and not a program." in page
        fields = {"entry": str(uuid4()), "words": words, "reply": "hello"}
        sent = await operator.send(f"/cases/{case}/messages", fields)
        changed = {"entry": str(uuid4()), "words": words + " Как ты?", "reply": "hello"}
        await operator.send(f"/cases/{case}/messages", changed)
        thread = (await operator.see(f"/cases/{case}")).partition('class="write"')[0]

    assert sent.status_code == 303
    assert thread.count("Hi, I am nina from the helpline") == 1


async def test_a_reply_that_needs_a_number_nobody_told_is_not_offered(service: Service) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        await client.open()
        page = await operator.see(f"/cases/{await operator.take_next()}")

    assert 'data-reply="take_your_time"' in page
    assert 'data-reply="other_ways"' not in page


async def test_supervisors_change_replies_and_take_them_out_of_use(service: Service) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as operator,
        service.as_operator("olga", role=Role.SUPERVISOR) as supervisor,
    ):
        await client.open()
        case = await operator.take_next()
        ours = {"slug": "take_your_time", "locale": "ru", "title": "Время", "text": "Времени много."}
        assert (await supervisor.send("/replies", ours)).status_code == 303
        gone = {"slug": "breathe", "locale": "ru", "title": "x", "text": "x", "hide": "yes"}
        assert (await supervisor.send("/replies", gone)).status_code == 303
        wrong = await supervisor.send("/replies", ours | {"text": "{name}"})
        page = await operator.see(f"/cases/{case}")
        refused = await operator.send("/replies", ours)

    assert "Времени много." in page
    assert 'data-reply="breathe"' not in page
    assert wrong.status_code == 422
    assert refused.status_code == 403


async def test_a_macro_answers_and_closes_in_one_press(service: Service, bot: FakeBot) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        await client.open()
        case = await operator.take_next()
        answer = await operator.send(f"/cases/{case}/macros/advised_goodbye", {"entry": str(uuid4())})
        status = await client.status(_known(case))
        await bot.until(lambda heard: heard.kinds[-2:] == ["case.message", "case.closed"])

    assert answer.status_code == 303
    assert status["state"] == "closed"


async def test_a_macro_of_our_own_gives_the_case_back(service: Service) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as operator,
        service.as_operator("olga", role=Role.SUPERVISOR) as supervisor,
    ):
        macro = {"slug": "later", "title": "Later", "reply": "one_moment", "then": "release"}
        assert (await supervisor.send("/macros", macro)).status_code == 303
        await client.open()
        case = await operator.take_next()
        await operator.send(f"/cases/{case}/macros/later", {"entry": str(uuid4())})
        status = await client.status(_known(case))

    assert status["state"] == "waiting"


async def test_whoever_is_named_in_a_note_sees_it_and_nothing_else_of_the_case(service: Service) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as nina,
        service.as_operator("olga") as olga,
        service.as_operator("vera") as vera,
    ):
        await client.open()
        case = await nina.take_next()
        entry = uuid4()
        note = {"entry": str(entry), "words": "@olga did she write on Monday? @nina @nobody"}
        await nina.send(f"/cases/{case}/notes", note)
        path = f"/cases/{case}/mentions/{entry}"
        before = await olga.see("/")
        own = await nina.see("/")
        unread = await nina.see(f"/cases/{case}")
        strangers = await vera.http.get(path)
        shown = await olga.see(path)
        whole = await olga.http.get(f"/cases/{case}")
        after = await olga.see("/")
        read = await nina.see(f"/cases/{case}")

    assert path in before
    assert path not in own
    assert strangers.status_code == 404
    assert "did she write on Monday?" in shown
    assert "меня травят в чате" not in shown
    assert whole.status_code == 404
    assert path not in after
    assert "@olga has not read this yet" in unread
    assert "@olga has read this" in read


async def test_a_day_after_a_viber_visitor_was_heard_a_message_must_be_confirmed(
    service: Service, clock: Time
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        await client.open(channel="viber", opened_at=clock().isoformat(), messages=[])
        case = _known(await operator.take_next())
        fresh = await operator.see(f"/cases/{case}")
        free = await operator.write(case, "привет")
        yesterday = (clock() - timedelta(hours=25)).isoformat()
        late = await client.open(channel="viber", opened_at=yesterday, messages=[])
        assert await operator.take_next() == late
        page = await operator.see(f"/cases/{late}")
        refused = await operator.write(late, "ты ещё здесь?")
        fields = {"entry": str(uuid4()), "words": "ты ещё здесь?", "billed": "yes"}
        confirmed = await operator.send(f"/cases/{late}/messages", fields)
        await client.say(late, "да")
        again = await operator.write(late, "хорошо")

    assert "Free to write until" in fresh
    assert free.status_code == 303
    assert "Last heard more than 24 hours ago" in page
    assert page.index('data-reply="back_in_touch"') < page.index('data-reply="hello"')
    assert refused.status_code == 409
    assert confirmed.status_code == 303
    assert again.status_code == 303


async def test_nobody_must_confirm_on_telegram(service: Service) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        await client.open()
        case = _known(await operator.take_next())
        answer = await operator.write(case, "привет")
        page = await operator.see(f"/cases/{case}")

    assert answer.status_code == 303
    assert "24 hours" not in page.partition("data-replies")[0]


def _known(case: UUID | None) -> UUID:
    assert case is not None
    return case
