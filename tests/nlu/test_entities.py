"""Do the lists find what children name, in each language, and leave alone what only looks like it?"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.components.entities import EntityRules
from nlu.components.entity_lists import LISTS, VALUES, ListsInvalid, problems_in_lists
from tests.nlu_server import INTERPRETER, ROOT

RULES = EntityRules.load()


def found(text: str, kind: str) -> list[int | str]:
    return [each.value for each in RULES.find(text) if each.kind == kind]


@pytest.mark.parametrize(
    ("text", "platforms"),
    [
        ("they made a fake of me on insta and tiktok", ["instagram", "tiktok"]),
        ("someone on snap sends me pics", ["snapchat"]),
        ("block on yt / discord / fb", ["youtube", "discord", "facebook"]),
        ("they posted it on tt", ["tiktok"]),
        ("https://vk.com/id1 wrote to me", ["vk"]),
        ("i met him in free fire, then pubg", ["free_fire", "pubg"]),
        ("в инсте и в инст, потом в телеге", ["instagram", "instagram", "telegram"]),
        ("тг вк вайбер вацап ютуб", ["telegram", "vk", "viber", "whatsapp", "youtube"]),
        ("пишет мне в дс, скинул в тт", ["discord", "tiktok"]),
        ("с роблокса и из тик тока", ["roblox", "tiktok"]),
        ("как пожаловаться в лайки", ["likee"]),
        ("зарегали меня в одноклассниках", ["odnoklassniki"]),
        ("у інсце, у тэлеграме і ў дыскордзе", ["instagram", "telegram", "discord"]),
        ("выклаў у тыкток, з ютуба прыбралі", ["tiktok", "youtube"]),
        ("v tg i v inste, odin iz diskorda", ["telegram", "instagram", "discord"]),
        ("ফেসবুকে আর মেসেঞ্জারে, ইমোতে না", ["facebook", "facebook", "imo"]),
        ("ফেবু ইনস্টাগ্রামের টিকটকের", ["facebook", "instagram", "tiktok"]),
        ("ওয়াটসঅ্যাপে ছবি, হোয়াটসঅ্যাপেও", ["whatsapp", "whatsapp"]),
        ("ফ্রি ফায়ারে গালি দেয়, পাবজিতেও", ["free_fire", "pubg"]),
        ("imo te chobi chay, fbte dey", ["imo", "facebook"]),
        ("messenger e bole, insta te na", ["facebook", "instagram"]),
        ("ИНСТАААА!!!", ["instagram"]),
    ],
)
def test_apps_are_found_by_their_nicknames(text: str, platforms: list[str]) -> None:
    assert found(text, "platform") == platforms


@pytest.mark.parametrize(
    "text",
    [
        "i like him, likes and likeee",
        "he snapped at me and i snap back",
        "imo he is wrong",
        "a messenger app for kids",
        "вкусно, вклад, авк, втг",
        "ставят лайки под фото",
        "мы в контакте с ней",
        "я дома, дом",
        "какой-то мессенджер",
        "@insta_girl @vk wrote",
        "attt tt",
        "мои одноклассники",
        "ইমোজি",
    ],
)
def test_words_that_look_like_an_app_are_none(text: str) -> None:
    assert found(text, "platform") == []


@pytest.mark.parametrize(
    ("text", "ages"),
    [
        ("i am 12", [(12, "self")]),
        ("im 12yo", [(12, "self")]),
        ("im12", [(12, "self")]),
        ("I'm thirteen and he's 27", [(13, "self"), (27, "other")]),
        ("my daughter is 9", [(9, "other")]),
        ("for an 8 year old", [(8, "other")]),
        ("i'm forty two", [(42, "self")]),
        ("i'm 14f", [(14, "self")]),
        ("мне 13", [(13, "self")]),
        ("мне тринадцать", [(13, "self")]),
        ("мне уже 12 лет", [(12, "self")]),
        ("дочке 9 лет", [(9, "other")]),
        ("мне 13 а ему 25", [(13, "self"), (25, "other")]),
        ("мне двадцать пять", [(25, "self")]),
        ("14-летняя девочка", [(14, None)]),
        ("мне 11 гадоў", [(11, "self")]),
        ("дачцэ дзесяць гадоў", [(10, "other")]),
        ("яму трыццаць", [(30, "other")]),
        ("mne 13, emu 27", [(13, "self"), (27, "other")]),
        ("synu 12 let", [(12, "other")]),
        ("আমার বয়স ১২", [(12, "self")]),
        ("আমার বয়স 12 বছর", [(12, "self")]),
        ("আমার বয়স বারো", [(12, "self")]),
        ("আমার ১৩, ওর ২৬", [(13, "self"), (26, "other")]),
        ("আমার মেয়ের বয়স ৯", [(9, "other")]),
        ("ami 12 bochor", [(12, "self")]),
        ("ami 14", [(14, "self")]),
        ("amar cheler age 9", [(9, "other")]),
    ],
)
def test_ages_are_found_and_whose_they_are(text: str, ages: list[tuple[int, str | None]]) -> None:
    assert [(each.value, each.whose) for each in RULES.find(text) if each.kind == "age"] == ages


@pytest.mark.parametrize(
    "text",
    [
        "мне 5 раз написали",
        "мне 10 человек написали",
        "мне пришло 300 сообщений",
        "мне 12 лет назад",
        "мне 100 рублей должны",
        "мне 3",
        "мне 12:30 писали",
        "уже 5 лет терплю",
        "в 7 классе",
        "i am in class 7",
        "class 7",
        "im 7th grade",
        "im 5 minutes away",
        "i am 100% sure",
        "i am 8 months clean",
        "im 18+",
        "5 years ago",
        "мяне 12 чалавек дражняць, мне 12 чалавек пішуць",
        "я в 6 «А»",
        "ক্লাস ৭",
        "আমি ক্লাস ৭ এ পড়ি",
        "৫ বছর আগে",
        "আমার ৫ জন বন্ধু",
        "ami class 7 e pori",
        "ami 10 bar bolsi",
        "mne 300 soobsheniy, mne 5 raz",
    ],
)
def test_other_numbers_are_no_ages(text: str) -> None:
    assert found(text, "age") == []


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("my stepdad hits my mum", ["stepfather", "mother"]),
        ("my ex and her best friend", ["ex", "friend"]),
        ("a friend from the internet", ["online_friend"]),
        ("some stranger, a grown man", ["stranger", "adult"]),
        ("a boy from my class told my coach", ["classmate", "coach"]),
        ("отчим бьёт маму", ["stepfather", "mother"]),
        ("бывший парень слил фото подруге", ["ex", "friend"]),
        ("мой парень и двоюродный брат", ["boyfriend", "cousin"]),
        ("одноклассники и классная руководительница", ["classmate", "teacher"]),
        ("познакомились в интернете", ["online_friend"]),
        ("какой-то мужик, незнакомый человек", ["stranger", "stranger"]),
        ("айчым, маці і сяброўка", ["stepfather", "mother", "friend"]),
        ("аднакласніца сказала настаўніцы", ["classmate", "teacher"]),
        ("сястры і бабулі", ["sibling", "grandparent"]),
        ("otchim i podruga, trener", ["stepfather", "friend", "coach"]),
        ("আম্মু আর আব্বুকে বলছি", ["mother", "father"]),
        ("সৎ বাবা মারে, স্যারকে বলব", ["stepfather", "teacher"]),
        ("আমার বান্ধবীর চাচাতো ভাই", ["friend", "cousin"]),
        ("অচেনা লোক, মামা, খালা", ["stranger", "uncle", "aunt"]),
        ("ammu ke bolbo, amar mama mare", ["mother", "uncle"]),
        ("amar bondhu ar class er chele ra", ["friend", "classmate"]),
    ],
)
def test_people_are_found_by_who_they_are(text: str, people: list[str]) -> None:
    assert found(text, "relationship") == people


@pytest.mark.parametrize(
    "text",
    [
        "friend request",
        "друг друга",
        "они друг с другом",
        "твою мать",
        "в другом месте",
        "мне написал другой",
        "папка с фото",
        "в одноклассниках",
        "mother tongue",
        "for example",
        "ফ্রেন্ডলিস্ট",
    ],
)
def test_words_that_look_like_a_person_are_none(text: str) -> None:
    assert found(text, "relationship") == []


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("since september", ["since:september"]),
        ("for 3 weeks", ["duration:3w"]),
        ("for a month now", ["duration:1m"]),
        ("two days ago", ["ago:2d"]),
        ("yesterday and every day", ["day:yesterday", "repeated:daily"]),
        ("for the past few months", ["duration:months"]),
        ("с сентября", ["since:september"]),
        ("с 2022 года", ["since:2022"]),
        ("уже месяц", ["duration:1m"]),
        ("уже три недели, каждый день", ["duration:3w", "repeated:daily"]),
        ("полгода назад", ["ago:6m"]),
        ("позавчера, в пятницу", ["day:day_before_yesterday", "day:friday"]),
        ("уже несколько недель", ["duration:weeks"]),
        ("з верасня", ["since:september"]),
        ("ужо два тыдні, штодня", ["duration:2w", "repeated:daily"]),
        ("учора", ["day:yesterday"]),
        ("uzhe 2 nedeli, kazhdyj den", ["duration:2w", "repeated:daily"]),
        ("গত সপ্তাহ থেকে", ["since:last_week"]),
        ("তিন মাস ধরে রোজ", ["duration:3m", "repeated:daily"]),
        ("গতকাল, ২ দিন আগে", ["day:yesterday", "ago:2d"]),
        ("সেপ্টেম্বর থেকে", ["since:september"]),
        ("roj mare, 3 din dhore", ["repeated:daily", "duration:3d"]),
        ("goto soptaho theke", ["since:last_week"]),
    ],
)
def test_times_are_found(text: str, times: list[str]) -> None:
    assert found(text, "time") == times


@pytest.mark.parametrize(
    "text", ["may i ask", "день рождения", "one day", "mon kharap", "уже час ночи", "в среднем"]
)
def test_words_that_look_like_a_time_are_none(text: str) -> None:
    assert found(text, "time") == []


def test_offsets_are_those_of_the_text_as_it_was_sent() -> None:
    text = "  /ПИШЕТ  в  Инсте\u200b,\n😀 мне  ТРИНАДЦАТЬ, ফেসবুকে য়"

    assert [text[each.start : each.end] for each in RULES.find(text)] == [
        "Инсте\u200b",
        "ТРИНАДЦАТЬ",
        "ফেসবুকে",
    ]


def test_a_phrase_does_not_go_on_in_the_next_sentence() -> None:
    assert RULES.find("ещё напиши мне. 12 человек там") == []


@settings(deadline=None)
@given(st.text() | st.text(alphabet=st.sampled_from("мне 12лет,.\u200b'’_4i am\u09bc১২ব٣²ﷺ\ud83d/@\n")))
def test_any_text_is_read_twice_alike_and_its_entities_stand_in_order(text: str) -> None:
    entities = RULES.find(text)

    assert entities == RULES.find(text)
    ends = [0, *(each.end for each in entities)]
    assert all(end <= each.start < each.end <= len(text) for end, each in zip(ends, entities, strict=False))


@pytest.mark.parametrize(
    "piece", ["мне 12 лет ", "a", "1", "а'", "1.", "_", "уже ", "in insta ", "৫\u09bc", "(", " "]
)
def test_a_flood_of_anything_comes_to_an_end(piece: str) -> None:
    # A rule whose time grows with the square of the text would stand here for minutes.
    flood = (piece * 50_000)[:50_000]

    assert RULES.find(flood) == RULES.find(flood)


def test_the_lists_are_in_order() -> None:
    assert [str(problem) for problem in problems_in_lists()] == []


def test_every_app_that_the_bot_can_explain_has_a_name_here() -> None:
    directory = yaml.safe_load((ROOT / "flows" / "directory" / "platforms.yaml").read_text("utf-8"))
    known = yaml.safe_load((LISTS / VALUES).read_text("utf-8"))

    # The lists read Messenger as Facebook, whose it is; the steps of the two differ.
    assert set(directory["platforms"]) - {"other", "messenger"} <= set(known["platform"])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("  telegramm: [телега]", "is no platform"),
        ("  vk: [вк, вк]", "stands already in"),
        ("  vk: [вк]\n  viber: [вк]", "is 'vk' in"),
        ("  vk: [вк]\n  vk: [вконтакте]", "stands here twice"),
        ("  vk: [вk]", "letters that do not belong here"),
        ("  vk: [ফেসবুক]", "letters that do not belong here"),
        ("  vk: [в]", "single letter"),
        ("  vk: [в-к]", "not one word"),
        ("  vk: ['{where} вк']", "no group"),
        ("  vk: ['в <вк']", "go together"),
        ("  vk: ['вк?']", "nothing is left"),
        ("  vk: ['в| вк']", "without a word"),
        ("  vk: [вк~]", "no endings"),
        ("  vk: вк", "a list is expected"),
        ("  vk: [[вк]]", "only words and phrases"),
        ("  vk: [а б в г д е ж з и]", "more than"),
        ("time:\n  later: [потом]", "is no time"),
        ("time:\n  'since:{month}': [с прошлого]", "must hold {month}"),
        ("age:\n  self: [мне мало]", "must hold {age}"),
        ("age:\n  mine: ['мне {age}']", "is none of"),
        ("colours:\n  red: [красный]", "no section"),
        ("numbers:\n  ten: [десять]", "is not a number"),
        ("months:\n  mai: [май]", "is none of"),
        ("  vk: [вк", "not YAML"),
    ],
)
def test_what_is_wrong_in_a_list_is_said_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    shutil.copy(LISTS / VALUES, tmp_path)
    (tmp_path / "ru.yml").write_text(f"locale: ru\nplatform:\n{line}\n", "utf-8")

    said = [str(each) for each in problems_in_lists(tmp_path) if "No list says" not in each.sentence]

    assert any(problem in each and "ru.yml:" in each for each in said), said
    with pytest.raises(ListsInvalid):
        EntityRules.load(tmp_path)


def test_rasa_gets_the_entities_in_its_own_form() -> None:
    done = subprocess.run(
        [
            INTERPRETER,
            "-c",
            "from rasa.shared.nlu.training_data.message import Message\n"
            "from nlu.components.entity_finder import EntityFinder\n"
            "finder = EntityFinder.create({}, None, None, None)\n"
            "told = Message({'text': 'im 12, on insta'})\n"
            "finder.process([told, Message({})])\n"
            "print(told.as_dict(only_output_properties=True)['entities'])",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout) == [
        {"entity": "age", "value": 12, "start": 3, "end": 5, "extractor": "EntityFinder", "role": "self"},
        {"entity": "platform", "value": "instagram", "start": 10, "end": 15, "extractor": "EntityFinder"},
    ]
