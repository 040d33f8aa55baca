"""What a visitor sees, hears and presses on the chat page, in a real browser."""

from __future__ import annotations

import asyncio
import re

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Route, expect

from bot.documents.orders import Order
from bot.webchat.page import CHANGE_LANGUAGE
from tests.bot.webchat.site import HELLO, Site, book, say
from tests.bot.webchat.tab import Tabs

pytestmark = pytest.mark.asyncio(loop_scope="package")

PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
SMALL = {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True}

MESSAGES = "**/chat/v1/messages"
CONVERSATIONS = "**/chat/v1/conversations"
EVENTS = "**/chat/v1/events"
PRESENCE = "**/chat/v1/presence"

#: What WCAG 2.2 AA asks for, as far as axe-core can tell.
AA = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}

NOT_SENT = "Not sent yet"
BELARUS_LINE = "8-801-100-16-11"


async def test_the_greeting_comes_without_the_visitor_doing_anything(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")

    await expect(tab.said(HELLO["en"])).to_be_visible()
    await expect(tab.page.get_by_role("button", name="I'm under 13")).to_be_visible()
    await expect(tab.page.locator("#dots")).to_be_hidden()


async def test_what_the_address_says_reaches_the_bot(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=be&country=by&campaign=school_7")
    await tab.greeted()

    (begun,) = site.stand_in.begun
    assert (begun["locale"], begun["country"], begun["campaign"]) == ("be", "BY", "school_7")


async def test_nonsense_in_the_address_does_not_keep_the_greeting_away(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=xx&country=Narnia&campaign=%3Cscript%3E")
    await tab.greeted()

    (begun,) = site.stand_in.begun
    assert (begun["locale"], begun["country"], begun["campaign"]) == ("en", None, None)


async def test_a_message_is_shown_and_the_answers_button_goes_back(tabs: Tabs, site: Site) -> None:
    site.stand_in.answers["they call me a pig"] = [say("That is not all right.", "Save proof", "Block them")]
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()

    await tab.writes("they call me a pig")
    await expect(tab.own("they call me a pig")).to_be_visible()
    await tab.page.get_by_role("button", name="Save proof").click()

    await expect(tab.said("You wrote: i:button_0")).to_be_visible()
    await expect(tab.own("Save proof")).to_be_visible()
    assert site.stand_in.received == ["they call me a pig", "i:button_0"]


async def test_buttons_of_older_messages_still_work(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    await tab.writes("first something else")
    await expect(tab.said("first something else")).to_be_visible()

    await tab.page.get_by_role("button", name="I'm a parent").click()

    await expect(tab.said("You wrote: i:button_2")).to_be_visible()


async def test_dots_show_that_an_answer_is_coming(tabs: Tabs, site: Site) -> None:
    site.stand_in.answers["say nothing"] = []
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()

    await tab.writes("say nothing")

    await expect(tab.page.locator("#dots")).to_be_visible()
    await tab.writes("now speak")
    await expect(tab.said("now speak")).to_be_visible()
    await expect(tab.page.locator("#dots")).to_be_hidden()


async def test_two_messages_written_quickly_keep_their_order(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    slow = True

    async def first_is_slow(route: Route) -> None:
        nonlocal slow
        if slow:
            slow = False
            await asyncio.sleep(0.3)
        await route.continue_()

    await tab.page.route(MESSAGES, first_is_slow)
    await tab.writes("one")
    await tab.writes("two")

    await expect(tab.said("You wrote: two")).to_be_visible()
    assert site.stand_in.received == ["one", "two"]


async def test_what_is_written_without_a_connection_is_sent_once_when_it_is_back(
    tabs: Tabs, site: Site
) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    await tab.context.set_offline(True)
    await tab.writes("is anybody there")
    await tab.writes("please")

    await expect(tab.own("is anybody there").get_by_text(NOT_SENT)).to_be_visible()
    await tab.context.set_offline(False)

    await expect(tab.said("You wrote: please")).to_be_visible()
    await expect(tab.page.get_by_text(NOT_SENT)).to_have_count(0)
    assert site.stand_in.received == ["is anybody there", "please"]


async def test_a_visitor_who_is_cut_off_sees_whom_to_call(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    await tab.context.set_offline(True)
    await tab.writes("hello?")

    await expect(tab.page.get_by_text("No connection right now")).to_be_visible()
    await expect(tab.page.locator("#numbers").get_by_role("link", name=BELARUS_LINE)).to_be_visible()

    await tab.context.set_offline(False)
    await expect(tab.said("hello?")).to_be_visible()
    await expect(tab.page.get_by_text("No connection right now")).to_be_hidden()
    await expect(tab.page.locator("#numbers")).to_be_hidden()


async def test_a_message_whose_receipt_was_lost_is_not_said_twice(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    ids: list[str] = []

    async def lose_the_first_receipt(route: Route) -> None:
        ids.append((route.request.post_data_json or {})["id"])
        answer = await route.fetch()
        if len(ids) == 1:
            await route.abort()
        else:
            await route.fulfill(response=answer)

    await tab.page.route(MESSAGES, lose_the_first_receipt)
    await tab.writes("did you get this")
    await tab.writes("and this")

    await expect(tab.said("You wrote: and this")).to_be_visible()
    assert site.stand_in.received == ["did you get this", "and this"]
    assert ids[0] == ids[1] != ids[2]


async def test_danger_is_answered_with_the_number_although_nothing_can_be_stored(
    tabs: Tabs, broken_site: Site
) -> None:
    tab = await tabs.open(f"{broken_site.url}/?locale=en&country=BY")
    await tab.writes("hello")
    await tab.writes("i want to die")

    care = tab.said("do not have to be alone")
    await expect(care.get_by_role("link", name=BELARUS_LINE)).to_have_attribute("href", "tel:88011001611")
    await expect(tab.own("i want to die").get_by_text(NOT_SENT)).to_be_visible()
    # The page goes on trying, but says its care once.
    async with tab.page.expect_response(MESSAGES), tab.page.expect_response(CONVERSATIONS):
        pass
    await expect(care).to_have_count(1)


async def test_a_page_opened_during_an_outage_greets_when_it_is_over(
    tabs: Tabs, site: Site, broken_site: Site
) -> None:
    tab = await tabs.blank()
    begun = 0

    async def broken_at_first(route: Route) -> None:
        nonlocal begun
        begun += 1
        url = route.request.url.replace(site.url, broken_site.url if begun == 1 else site.url)
        await route.fulfill(response=await route.fetch(url=url))

    await tab.page.route(CONVERSATIONS, broken_at_first)
    await tab.page.goto(f"{site.url}/?locale=en&country=BY")

    await expect(tab.said("Something is broken on our side")).to_be_visible()
    await expect(tab.said(HELLO["en"])).to_be_visible()


async def test_a_message_written_during_an_outage_goes_on_in_the_same_conversation(
    tabs: Tabs, site: Site, broken_site: Site
) -> None:
    tab = await tabs.blank()

    async def broken(route: Route) -> None:
        await route.fulfill(response=await route.fetch(url=f"{broken_site.url}/chat/v1/conversations"))

    await tab.page.route(CONVERSATIONS, broken)
    await tab.page.goto(f"{site.url}/?locale=en")
    await expect(tab.said("Something is broken on our side")).to_be_visible()

    await tab.writes("can you hear me")

    await expect(tab.said("You wrote: can you hear me")).to_be_visible()


async def test_a_broken_line_is_taken_up_again_without_repeating_anything(tabs: Tabs, site: Site) -> None:
    tab = await tabs.blank()
    asked: list[str] = []
    early = (
        'id: 1\r\ndata: {"type": "message", "text": "An early word.", "choices": [], "from": "bot"}\r\n\r\n'
    )

    async def break_twice(route: Route) -> None:
        asked.append(route.request.headers["last-event-id"])
        if len(asked) <= 2:
            await route.fulfill(content_type="text/event-stream", body=early)
        else:
            await route.continue_()

    await tab.page.route(EVENTS, break_twice)
    await tab.page.goto(f"{site.url}/?locale=en")

    await tab.greeted()
    await expect(tab.said("An early word.")).to_have_count(1)
    assert asked[:3] == ["0", "1", "1"]


async def test_a_reload_shows_the_thread_again_and_goes_on(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    await tab.writes("before")
    await expect(tab.said("You wrote: before")).to_be_visible()

    await tab.page.reload()

    await expect(tab.said("You wrote: before")).to_be_visible()
    await expect(tab.said(HELLO["en"])).to_have_count(1)
    await tab.writes("after")
    await expect(tab.said("You wrote: after")).to_be_visible()
    assert len(site.stand_in.begun) == 1


async def test_a_closed_tab_ends_the_conversation_and_nothing_is_left_in_the_browser(
    tabs: Tabs, site: Site
) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    await tab.page.close()

    another = await tab.context.new_page()
    await another.goto(f"{site.url}/?locale=en")
    await expect(another.locator(".choices")).to_be_visible()

    assert len(site.stand_in.begun) == 2
    assert await another.evaluate("localStorage.length") == 0
    assert await tab.context.cookies() == []


async def test_a_token_that_is_not_valid_any_more_begins_anew(tabs: Tabs, site: Site) -> None:
    tab = await tabs.blank()
    await tab.page.add_init_script(
        """sessionStorage.setItem('chat', '{"token": "old.token", "locale": "en"}')"""
    )

    await tab.page.goto(f"{site.url}/?locale=en")

    await expect(tab.said(HELLO["en"])).to_be_visible()


async def test_a_page_that_stays_empty_shows_whom_to_call(tabs: Tabs, site: Site) -> None:
    tab = await tabs.blank()
    await tab.page.clock.install()
    await tab.page.route(CONVERSATIONS, _never)
    await tab.page.goto(f"{site.url}/?locale=en")
    await expect(tab.page.locator("#numbers")).to_be_hidden()

    await tab.page.clock.fast_forward(11_000)

    await expect(tab.page.locator("#numbers").get_by_role("link", name=BELARUS_LINE)).to_be_visible()


async def test_leaving_quickly_leaves_nothing_behind(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open("https://homework.example/")
    await tab.page.goto(f"{site.url}/?locale=en")
    await tab.greeted()
    entries = await tab.page.evaluate("history.length")

    await tab.leave.click()

    await expect(tab.page).to_have_url("https://en.wikipedia.org/")
    assert await tab.page.evaluate("history.length") == entries
    await tab.page.go_back()
    assert tab.page.url == "https://homework.example/"
    await tab.page.goto(f"{site.url}/healthz")
    assert await tab.page.evaluate("sessionStorage.length") == 0


async def test_pressing_escape_three_times_leaves(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=ru")
    await tab.greeted()

    await tab.page.keyboard.press("Escape")
    await tab.page.keyboard.press("Escape")
    await expect(tab.page.locator("#leave-count")).to_have_text("Нажми Esc ещё раз, чтобы уйти со страницы.")
    await tab.page.keyboard.press("Escape")

    await expect(tab.page).to_have_url("https://ru.wikipedia.org/")


async def test_escape_now_and_then_does_not_leave(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()

    for _ in range(3):
        await tab.page.keyboard.press("Escape")
        await tab.page.keyboard.press("a")

    await expect(tab.field).to_have_value("aaa")
    await expect(tab.page.locator("#leave-count")).to_be_empty()


async def test_everything_works_by_keyboard(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    keyboard = tab.page.keyboard

    # Shift+Enter begins a line, Enter sends, and the focus stays.
    await keyboard.type("one")
    await keyboard.press("Shift+Enter")
    await keyboard.type("two")
    await keyboard.press("Enter")
    await expect(tab.own("one")).to_be_visible()
    await expect(tab.field).to_be_focused()
    await expect(tab.field).to_have_value("")
    await expect(tab.said("You wrote: one")).to_be_visible()
    assert site.stand_in.received == ["one\ntwo"]

    # The newest buttons are one step back from the field.
    site.stand_in.answers["ask me"] = [say("Well?", "Yes", "No")]
    await keyboard.type("ask me")
    await keyboard.press("Enter")
    await expect(tab.page.get_by_role("button", name="No", exact=True)).to_be_visible()
    await keyboard.press("Shift+Tab")
    await expect(tab.page.get_by_role("button", name="No", exact=True)).to_be_focused()
    assert "solid" in await tab.style(":focus", "outlineStyle")
    await keyboard.press("Enter")
    await expect(tab.said("You wrote: i:button_1")).to_be_visible()

    # The way out is the first stop of the page.
    await tab.page.reload()
    await tab.greeted()
    await tab.page.locator(".brand").click()
    await keyboard.press("Tab")
    await expect(tab.leave).to_be_focused()
    await keyboard.press("Space")
    await expect(tab.page).to_have_url("https://en.wikipedia.org/")


async def test_enter_is_a_new_line_on_a_phone(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en", **PHONE)
    await tab.greeted()

    await tab.field.tap()
    await tab.page.keyboard.type("one")
    low = await tab.field.evaluate("element => element.offsetHeight")
    await tab.page.keyboard.press("Enter")
    await tab.page.keyboard.type("two")

    await expect(tab.field).to_have_value("one\ntwo")
    assert await tab.field.evaluate("element => element.offsetHeight") > low
    assert site.stand_in.received == []


async def test_a_text_that_is_too_long_is_kept_and_gets_a_kind_word(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()

    await tab.writes("a" * 4001)
    await expect(tab.page.get_by_text("That is a lot for one message")).to_be_visible()
    await expect(tab.field).to_have_value("a" * 4001)

    await tab.writes("short")
    await expect(tab.said("You wrote: short")).to_be_visible()
    await expect(tab.page.get_by_text("That is a lot for one message")).to_be_hidden()
    assert site.stand_in.received == ["short"]


async def test_a_message_that_is_refused_says_so_and_does_not_hold_up_the_next(
    tabs: Tabs, site: Site
) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()

    # Nothing is left of this one when the server has taken out what cannot be seen.
    await tab.writes("\u202e\u202d")
    await tab.writes("next")

    await expect(tab.page.get_by_text("This could not be sent")).to_be_visible()
    await expect(tab.said("You wrote: next")).to_be_visible()


async def test_numbers_can_be_tapped_and_links_open_safely(tabs: Tabs, site: Site) -> None:
    words = (
        "Call 8-801-100-16-11 or +375 (17) 263-03-03, in danger 112, চাইল্ড হেল্পলাইন ১০৯৮."
        " Day and night, 24/7, 100%, checked 2026-04. See https://talk2ok.by/a?b=1."
    )
    site.stand_in.answers["numbers"] = [say(words)]
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    await tab.writes("numbers")
    message = tab.said("Day and night")
    await expect(message).to_be_visible()

    links = await message.locator("a").evaluate_all(
        "all => all.map(link => [link.getAttribute('href'), link.rel, link.target])"
    )

    assert links == [
        ["tel:88011001611", "", ""],
        ["tel:+375172630303", "", ""],
        ["tel:112", "", ""],
        ["tel:1098", "", ""],
        ["https://talk2ok.by/a?b=1", "noopener noreferrer", "_blank"],
    ]


async def test_bold_words_are_bold_and_links_lead_away_from_their_words(tabs: Tabs, site: Site) -> None:
    runs = [
        {"text": "Do this\nnow: ", "bold": False, "link": ""},
        {"text": "call 1098 <i>", "bold": True, "link": ""},
        {"text": " or read\n\n", "bold": False, "link": ""},
        {"text": "this page", "bold": True, "link": "https://talk2ok.by/a"},
        {"text": " or ", "bold": False, "link": ""},
        {"text": "that", "bold": False, "link": "javascript:document.title=1"},
    ]
    site.stand_in.answers["rich"] = [{**say("Do this"), "runs": runs}]
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()

    await tab.writes("rich")

    message = tab.said("call 1098")
    await expect(message.locator("p:not(.name)")).to_have_text(
        ["Do this", "now: call 1098 <i> or read", re.compile("^this page .* or that$")]
    )
    assert await message.locator("strong").all_text_contents() == [
        "call 1098 <i>",
        "this page (opens in a new tab)",
    ]
    links = await message.locator("a").evaluate_all(
        "all => all.map(link => [link.getAttribute('href'), link.rel, link.target])"
    )
    assert links == [["tel:1098", "", ""], ["https://talk2ok.by/a", "noopener noreferrer", "_blank"]]


async def test_a_document_is_a_link_that_leaves_the_chat_open(tabs: Tabs, site: Site) -> None:
    order = Order(
        document="plan",
        form="pdf",
        locale="en",
        role=None,
        country=None,
        slots={},
        title="My <plan>",
        handed_on="2026-11-29",
        token="a-B_" * 8,
    )
    site.stand_in.answers["plan"] = [order.payload(), say("There.")]
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()

    await tab.writes("plan")

    await expect(tab.said("There.")).to_be_visible()
    link = tab.page.get_by_role("link", name="My <plan> (PDF)")
    await expect(link).to_have_attribute("href", f"/documents/{'a-B_' * 8}.pdf")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")


async def test_nothing_that_is_said_is_read_as_html(tabs: Tabs, site: Site) -> None:
    attack = '<img src=x onerror="document.title=1"><b>bold</b> https://x.example/"onmouseover="x'
    site.stand_in.answers[attack] = [say(attack, "<i>button</i>", sender="operator")]
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()

    await tab.writes(attack)

    await expect(tab.said("<b>bold</b>")).to_be_visible()
    await expect(tab.own("<b>bold</b>")).to_be_visible()
    await expect(tab.page.get_by_role("button", name="<i>button</i>")).to_be_visible()
    assert await tab.page.locator(".message img, .message b, .message i, [onmouseover]").count() == 0


async def test_a_person_who_writes_an_answer_is_announced_until_it_is_there(tabs: Tabs, site: Site) -> None:
    site.stand_in.answers["hello"] = [say("I am Anna.", sender="operator")]
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    await tab.writes("hello")
    await expect(tab.said("I am Anna.")).to_be_visible()
    assert site.stand_in.spoke_with is not None

    await site.stand_in.store.tell_page(site.stand_in.spoke_with, "writing")
    await expect(tab.page.get_by_text("The helpline is writing…")).to_be_visible()
    async with tab.page.expect_request(PRESENCE) as told:
        await tab.page.locator("#text").press_sequentially("I am")
    assert (await told.value).post_data_json == {"writes": True, "saw": True}
    await tab.page.keyboard.press("Enter")
    await expect(tab.said("You wrote: I am")).to_be_visible()
    await expect(tab.page.get_by_text("The helpline is writing…")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_shuts_nobody_out(tabs: Tabs, site: Site, scheme: str) -> None:
    site.stand_in.answers["hello"] = [say("Call 112.", "Save proof"), say("I am Anna.", sender="operator")]
    tab = await tabs.open(f"{site.url}/?locale=en", color_scheme=scheme, reduced_motion="reduce")
    await tab.greeted()
    await tab.writes("hello")
    await expect(tab.said("I am Anna.")).to_be_visible()

    found = (await Axe().run(tab.page, options=AA)).response["violations"]

    assert [(violation["id"], violation["nodes"][0]["target"]) for violation in found] == []


async def test_who_speaks_can_be_read_and_heard(tabs: Tabs, site: Site) -> None:
    site.stand_in.answers["hello"] = [say("I am Anna.", sender="operator"), say("A word of mine.")]
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    await tab.writes("hello")
    await expect(tab.said("A word of mine.")).to_be_visible()

    log = tab.page.get_by_role("log")
    await expect(log).to_have_attribute("aria-live", "polite")
    names = await log.locator(".name").all_inner_texts()
    assert names[-3:] == ["Me", "Helpline (a person)", "Porchlight (program)"]
    # Every message names its sender to a screen reader, also the second in a row.
    assert await log.locator(".message").count() == len(names)


async def test_a_thread_that_is_shown_again_is_not_announced(tabs: Tabs, site: Site) -> None:
    tab = await tabs.blank()
    await tab.page.add_init_script(_NOTE_HOW_LIVE)
    await tab.page.goto(f"{site.url}/?locale=en")
    await tab.greeted()
    assert await tab.page.evaluate("howLive") == ["polite", "polite"]

    await tab.page.reload()

    await tab.greeted()
    assert await tab.page.evaluate("howLive") == ["off", "off"]
    await expect(tab.page.get_by_role("log")).to_have_attribute("aria-live", "polite")


async def test_another_language_before_a_word_was_said_is_a_new_greeting(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en&country=BY&campaign=school_7")
    await tab.greeted()
    entries = await tab.page.evaluate("history.length")

    await tab.page.get_by_role("link", name="Беларуская").click()

    await expect(tab.said(HELLO["be"])).to_be_visible()
    await expect(tab.said(HELLO["en"])).to_have_count(0)
    assert await tab.page.evaluate("history.length") == entries
    assert (site.stand_in.begun[-1]["country"], site.stand_in.begun[-1]["campaign"]) == ("BY", "school_7")


async def test_another_language_later_keeps_the_conversation_and_tells_the_bot(
    tabs: Tabs, site: Site
) -> None:
    pressed = CHANGE_LANGUAGE.format(locale="ru")
    site.stand_in.answers[pressed] = [say("Теперь по-русски.", locale="ru")]
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    await tab.writes("first words")
    await expect(tab.said("first words")).to_be_visible()

    await tab.page.get_by_role("link", name="Русский").click()

    await expect(tab.said("Теперь по-русски.")).to_be_visible()
    await expect(tab.said("Теперь по-русски.")).to_have_attribute("lang", "ru")
    await expect(tab.said("first words")).to_be_visible()
    assert len(site.stand_in.begun) == 1
    # Once is enough.
    await tab.page.reload()
    await expect(tab.said("Теперь по-русски.")).to_be_visible()
    assert site.stand_in.received == ["first words", pressed]


async def test_the_button_behind_the_language_switch_exists() -> None:
    flow, node, _ = CHANGE_LANGUAGE.removeprefix("n:").split(":")

    assert getattr(book().flows[flow].nodes[node], "options", None) == "locales"


@pytest.mark.parametrize("locale", ["en", "ru", "be", "bn"])
async def test_the_smallest_phone_never_scrolls_sideways(tabs: Tabs, site: Site, locale: str) -> None:
    long = (
        "Республиканскаядетскаятелефоннаялиния" * 2 + " https://childhelplineinternational.org/helplines/x/y"
    )
    site.stand_in.answers["long"] = [say(long, "A rather long title of a button that says it all")]
    tab = await tabs.open(f"{site.url}/?locale={locale}", **SMALL)
    await tab.greeted()
    await tab.page.locator("summary").click()
    await tab.writes("long")
    await expect(tab.said("childhelpline")).to_be_visible()

    assert await tab.page.evaluate("document.documentElement.scrollWidth") == 320
    await expect(tab.leave).to_be_in_viewport()
    targets = await tab.page.locator("button:visible, #leave, .languages a, summary").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(box => [box.width, box.height])"
    )
    assert [target for target in targets if min(target) < 44] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_words_stand_out_from_what_is_behind_them(tabs: Tabs, site: Site, scheme: str) -> None:
    site.stand_in.answers["speak"] = [
        say("Call 112.", sender="operator"),
        say("Call 112, see https://a.by", "A"),
    ]
    tab = await tabs.open(f"{site.url}/?locale=en", color_scheme=scheme)
    await tab.greeted()
    await tab.page.locator("summary").click()
    await tab.writes("speak")
    await expect(tab.said("a.by")).to_be_visible()

    shades = await tab.page.locator("p, a, summary, li, .choices button, textarea, .brand").evaluate_all(
        _SHADES
    )

    # WCAG 2.2 AA, 1.4.3.
    too_faint = [name for name, front, back in shades if _contrast(front, back) < 4.5]
    assert too_faint == []
    assert (_brightness(_rgb(await tab.style("body", "backgroundColor"))) > 0.5) == (scheme == "light")


async def test_bangla_is_drawn_with_a_bangla_font(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=bn")
    await expect(tab.said(HELLO["bn"])).to_be_visible()
    devtools = await tab.context.new_cdp_session(tab.page)
    await devtools.send("DOM.enable")
    await devtools.send("CSS.enable")
    document = await devtools.send("DOM.getDocument")
    node = await devtools.send(
        "DOM.querySelector", {"nodeId": document["root"]["nodeId"], "selector": ".message p:not(.name)"}
    )

    fonts = (await devtools.send("CSS.getPlatformFontsForNode", node))["fonts"]

    most = max(fonts, key=lambda font: font["glyphCount"])
    assert "Bengali" in most["familyName"]
    height, size = await tab.style(".message p:not(.name)", "lineHeight"), await tab.style("body", "fontSize")
    assert float(height[:-2]) / float(size[:-2]) >= 1.7


async def test_who_wants_no_motion_gets_none(tabs: Tabs, site: Site) -> None:
    tab = await tabs.blank(reduced_motion="reduce")
    await tab.page.route(CONVERSATIONS, _never)
    await tab.page.goto(f"{site.url}/?locale=en")

    await expect(tab.page.locator("#dots")).to_be_visible()
    assert await tab.style("#dots i", "animationName") == "none"


async def test_without_scripts_the_numbers_and_the_way_out_are_there(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=bn", java_script_enabled=False)

    await expect(tab.page.locator("noscript p")).to_contain_text("JavaScript")
    await expect(tab.page.get_by_role("link", name=BELARUS_LINE)).to_have_attribute("href", "tel:88011001611")
    await expect(tab.page.get_by_role("link", name="1098", exact=True)).to_be_visible()
    await expect(tab.page.locator("#write")).to_be_hidden()
    await tab.leave.click()
    await expect(tab.page).to_have_url("https://bn.wikipedia.org/")


async def test_the_title_tells_nothing(tabs: Tabs, site: Site) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")

    await expect(tab.page).to_have_title("Chat")


async def _never(route: Route) -> None:
    """Leave the request without an answer."""


#: How the log announced each message when it was added.
_NOTE_HOW_LIVE = """
window.howLive = [];
new MutationObserver(all => all.forEach(change => change.addedNodes.forEach(node => {
    if (node.classList && node.classList.contains('message')) {
        howLive.push(node.parentNode.getAttribute('aria-live'));
    }
}))).observe(document, {childList: true, subtree: true});
"""

_SHADES = """all => all.filter(one => one.offsetParent && one.innerText !== '').map(one => {
    let behind = one;
    while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
    const front = getComputedStyle(one).color;
    return [one.innerText || one.tagName, front, getComputedStyle(behind).backgroundColor];
})"""

Colour = tuple[float, float, float]


def _rgb(css: str) -> Colour:
    red, green, blue = (float(part) for part in re.findall(r"[\d.]+", css)[:3])
    return red, green, blue


def _brightness(colour: Colour) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [part / 255 for part in colour]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(front: str, back: str) -> float:
    dark, bright = sorted((_brightness(_rgb(front)), _brightness(_rgb(back))))
    return (bright + 0.05) / (dark + 0.05)


async def test_a_link_into_a_class_counts_where_a_conversation_is_under_way_too_and_once(
    tabs: Tabs, site: Site
) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en")
    await tab.greeted()
    await tab.writes("first words")
    await expect(tab.said("You wrote: first words")).to_be_visible()

    await tab.page.goto(f"{site.url}/?locale=en&class=48217390")
    await expect(tab.said("You wrote: 48217390")).to_be_visible()
    await tab.page.reload()
    await expect(tab.said("You wrote: 48217390")).to_be_visible()

    assert site.stand_in.received.count("48217390") == 1


async def test_a_link_into_a_class_at_the_beginning_is_told_to_the_bot_at_once(
    tabs: Tabs, site: Site
) -> None:
    tab = await tabs.open(f"{site.url}/?locale=en&class=48217390")
    await tab.greeted()

    assert site.stand_in.begun[-1]["campaign"] == "class_48217390"
    assert "48217390" not in site.stand_in.received
