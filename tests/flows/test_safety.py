"""Does the crisis check hear through every disguise, keep idioms apart from danger, and never break?"""

from __future__ import annotations

import random
from importlib.resources import files
from itertools import pairwise

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.events import DangerLevel
from flows.normaliser import joined, normalise, readings, squeeze, tokenise, twin
from flows.safety import INTENTS, MAX_RUN, Match
from tests.flows.test_safety_sentences import HEARD, LEFT_ALONE, lexicon

#: What nobody may miss, however it is typed.
CORE = {
    "en": (
        "i want to die",
        "kill myself",
        "end my life",
        "suicide",
        "kms",
        "dont want to live",
        "cut myself",
    ),
    "ru": ("хочу умереть", "не хочу жить", "покончить с собой", "суицид", "убью себя", "режу себя"),
    "be": ("хачу памерці", "не хачу жыць", "скончыць з сабой", "самагубства", "рэжу сябе"),
    "bn": ("মরে যেতে চাই", "বাঁচতে চাই না", "আত্মহত্যা করব", "মরতে ইচ্ছা করে", "নিজেকে শেষ করে দেব"),
    "ru-Latn": ("hochu umeret", "ne hochu zhit", "pokonchit s soboi", "ubyu sebya"),
    "bn-Latn": ("more jete chai", "bachte chai na", "suicide korbo", "morte chai"),
}
ALPHABETIC = [phrase for locale, phrases in CORE.items() if locale != "bn" for phrase in phrases]
EVERY = [phrase for phrases in CORE.values() for phrase in phrases]

LEET = {"i": "1!", "o": "0", "e": "3", "a": "4@", "s": "5$", "t": "7", "о": "0", "з": "3", "ч": "4", "б": "6"}
LOOK_ALIKE = dict(zip("aceopxykmtіасеорхукмт", "асеорхукмтiaceopxykmt", strict=True))
INVISIBLE = "\u200b\u200d\u2060\u00ad\ufeff\u202e\u0301"


#: A machine that is busy with something else must not make a property fail.
unhurried = settings(deadline=None)


def heard(text: str) -> Match | None:
    return lexicon().first_match(text)


def seeds() -> st.SearchStrategy[random.Random]:
    return st.randoms(use_true_random=False)


def inside(letters: str, place: int) -> bool:
    """Whether this place of a word has a letter before and after it."""
    return 0 < place < len(letters) - 1


@unhurried
@given(phrase=st.sampled_from(EVERY), chance=seeds())
def test_capitals_do_not_hide_danger(phrase: str, chance: random.Random) -> None:
    shouted = "".join(letter.upper() if chance.random() < 0.5 else letter for letter in phrase)

    assert heard(shouted)


@unhurried
@given(phrase=st.sampled_from(EVERY), chance=seeds())
def test_stretched_letters_do_not_hide_danger(phrase: str, chance: random.Random) -> None:
    stretched = "".join(letter * chance.randint(1, 6) if letter != " " else letter for letter in phrase)

    assert heard(stretched)


@unhurried
@given(phrase=st.sampled_from(EVERY), chance=seeds())
def test_invisible_characters_do_not_hide_danger(phrase: str, chance: random.Random) -> None:
    laced = "".join(letter + chance.choice(INVISIBLE) * chance.randint(0, 2) for letter in phrase)

    assert heard(laced)


@unhurried
@given(
    phrase=st.sampled_from(ALPHABETIC),
    between=st.sampled_from(" .-_*·"),
    words=st.sampled_from((" ", "  ", "   ", " / ", "\n")),
)
def test_letters_typed_apart_do_not_hide_danger(phrase: str, between: str, words: str) -> None:
    apart = words.join(between.join(word) for word in phrase.split())

    assert heard(apart)


@pytest.mark.parametrize("text", ["ম রে যে তে চা ই", "আ ত্ম হ ত্যা ক র ব", "বাঁ চ তে  চা ই  না"])
def test_bangla_letters_typed_apart_do_not_hide_danger(text: str) -> None:
    assert heard(text)


@unhurried
@given(phrase=st.sampled_from(ALPHABETIC), chance=seeds())
def test_digits_for_letters_do_not_hide_danger(phrase: str, chance: random.Random) -> None:
    words = []
    for word in phrase.split():
        swapped = [
            chance.choice(LEET[letter])
            if inside(word, place) and letter in LEET and chance.random() < 0.6
            else letter
            for place, letter in enumerate(word)
        ]
        words.append("".join(swapped))

    assert heard(" ".join(words))


@unhurried
@given(phrase=st.sampled_from(ALPHABETIC), chance=seeds())
def test_letters_of_another_alphabet_do_not_hide_danger(phrase: str, chance: random.Random) -> None:
    disguised = "".join(
        LOOK_ALIKE.get(letter, letter) if chance.random() < 0.5 else letter for letter in phrase
    )

    assert heard(disguised)


@unhurried
@given(phrase=st.sampled_from([phrase for phrase in EVERY if " " in phrase and " з " not in phrase]))
def test_words_written_together_do_not_hide_danger(phrase: str) -> None:
    assert heard(phrase.replace(" ", ""))
    assert heard("#" + phrase.replace(" ", ""))


@unhurried
@given(phrase=st.sampled_from(ALPHABETIC), emoji=st.sampled_from("😭💔🔪😂🥺🖤"))
def test_emoji_between_the_words_do_not_hide_danger(phrase: str, emoji: str) -> None:
    assert heard(emoji + f" {emoji} ".join(phrase.split()) + emoji)


@unhurried
@given(phrase=st.sampled_from(EVERY), before=st.sampled_from(("привет, ", "lol ", "ok. ", "আচ্ছা, ")))
def test_danger_is_heard_in_the_middle_of_other_words(phrase: str, before: str) -> None:
    assert heard(f"{before}{phrase}, 123 zzz")


@pytest.mark.parametrize(
    "text",
    [
        "su*cide",
        "s**cide",
        "commit su•cide",
        "k*ll mys*lf",
        "i want to d*e",
        "𝐢 𝐰𝐚𝐧𝐭 𝐭𝐨 𝐝𝐢𝐞",
        "ⓚⓜⓢ",
        "🇰🇲🇸",
        "ｋｍｓ",
        "sui cide",
        "kill my self",
        "suicde",
        "sucidal",
        "i want 2 die",
        "I Want To Die",
        "су*цид",
        "хочу умeреть",
        "нехочу жить",
        "хочуумереть",
        "хочу умереть!!!!!!",
        "хочу... умереть",
        "хочу блин просто умереть",
        "хачу памерцi",
        "মরে যেতে চাইইই",
        "আমি বাচতে চাই না",
        "আমি বাঁচতে চাইনা",
    ],
)
def test_a_disguise_seen_in_the_wild_does_not_hide_danger(text: str) -> None:
    assert heard(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u09a1\u09bc", "\u09dc"),
        ("\u09af\u09bc", "\u09df"),
        ("\u09c7\u09be", "\u09cb"),
        ("ক\u09cd\u200dষ", "ক\u09cdষ"),
        ("বাঁচতে", "বাচতে"),
        ("ёлка", "елка"),
        ("ўсё", "усе"),
        ("б'юць", "б’юць"),
        ("don't", "dont"),
        ("ﬁ", "fi"),
        ("moooore", "more"),
        ("жыць", "жиць"),
    ],
)
def test_spellings_that_look_or_sound_equal_are_equal(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("d!e", "die"),
        ("su1c1de", "suicide"),
        ("k1l", "kil"),
        ("х0чу", "хочу"),
        ("кil", "kil"),
        ("умеpeт", "умерет"),
    ],
)
def test_a_disguised_word_can_be_read_as_what_it_looks_like(word: str, meant: str) -> None:
    assert meant in readings(word)


@pytest.mark.parametrize("word", ["die", "умерет", "মরতে", "1098"])
def test_a_plain_word_is_read_as_itself_alone(word: str) -> None:
    assert readings(word) == (word,)


def test_a_word_of_look_alikes_has_a_twin_and_others_have_none() -> None:
    assert twin("не") == "he"
    assert twin("жит") is None


@unhurried
@given(st.text())
def test_normalising_twice_changes_nothing_more_for_words(text: str) -> None:
    words = [token.text for token in tokenise(text)]

    assert all(word and squeeze(word) == word for word in words)


@unhurried
@given(st.text(alphabet="abcаб", min_size=1), st.text(alphabet="abcаб", min_size=1))
def test_two_pieces_join_without_a_doubled_letter(one: str, other: str) -> None:
    whole = joined(squeeze(one), squeeze(other))

    assert all(before != after for before, after in pairwise(whole))


@unhurried
@given(st.text(max_size=300))
@example("\ud800 i want to die")
@example("*" * 4000)
@example("a*" * 2000)
@example("́" * 3000)
@example("ﷺ" * 500)
def test_no_text_breaks_the_check(text: str) -> None:
    for match in lexicon().matches(text):
        assert match.intent in INTENTS


@unhurried
@given(
    st.lists(
        st.sampled_from(
            (
                "want",
                "to",
                "die",
                "of",
                "laughter",
                "не",
                "хочу",
                "жить",
                "a",
                "😂",
                "d",
                "i",
                "k1l",
                "s*e",
                ".",
            )
        ),
        max_size=60,
    )
)
def test_no_heap_of_lexicon_words_breaks_the_check(words: list[str]) -> None:
    lexicon().matches(" ".join(words))
    lexicon().matches("".join(words))


@pytest.mark.parametrize("filler", ["x ", "want ", "a ", "хочу ", "😂 ", "k1!| ", "আমি "])
def test_danger_at_the_end_of_a_very_long_text_is_heard(filler: str) -> None:
    assert heard(filler * (4000 // len(filler)) + "\nkill myself")


def test_a_prefix_is_not_taken_for_a_word_written_together_with_the_next() -> None:
    assert heard("позову старшего брата, он их побьет") is None
    assert heard("i want to diet") is None


def test_a_run_of_letters_beyond_the_limit_is_not_searched_for_words() -> None:
    assert heard("wanttodie")
    assert heard("x" * 4 + "wantto" * MAX_RUN) is None


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("lol i died laughing but really i want to kill myself", "suicidal"),
        ("i want to die of laughter. no honestly i want to die", "suicidal"),
        ("умираю от смеха хотя если честно не хочу жить", "suicidal"),
        ("не хочу умирать но и жить не хочу", "suicidal"),
        ("হাসতে হাসতে মরে গেলাম কিন্তু সত্যি আমি মরতে চাই", "suicidal"),
        ("i don't want to die but he is outside my door with a knife", "immediate_danger"),
        ("dead tired of living", "suicidal"),
        ("смертельно устала жить", "suicidal"),
    ],
)
def test_an_idiom_cancels_itself_and_nothing_else(text: str, intent: str) -> None:
    match = heard(text)

    assert match is not None
    assert match.intent == intent


@pytest.mark.parametrize("end", [". ", ".", "!", "!!!", "…", "...", "।", "\n"])
@pytest.mark.parametrize(
    ("danger", "joke"),
    [
        ("мяне зараз б'юць", "у гульні мяне забіваюць"),
        ("они сейчас меня бьют", "в игре меня убивают"),
        ("хочу умереть", "от смеха"),
        ("i want to die", "laughing at it"),
        ("আমি মরে যেতে চাই", "হাসতে হাসতে"),
        ("hochu umeret", "ot smeha"),
        ("ami more jete chai", "hashte hashte"),
    ],
)
def test_a_joke_in_the_next_sentence_cancels_nothing(danger: str, end: str, joke: str) -> None:
    assert heard(danger + end + joke)


@pytest.mark.parametrize(
    "text", ["i want to die!help me", "i want to d!e!help", "хочу умереть!помогите", "k!ll myself!!!pls"]
)
def test_an_exclamation_mark_without_a_space_hides_no_word(text: str) -> None:
    match = heard(text)

    assert match is not None
    assert match.intent == "suicidal"


def test_a_dot_in_a_number_or_an_abbreviation_ends_no_joke() -> None:
    assert heard("i died 12.50 times laughing") is None
    assert heard("хочу умереть т.е от смеха") is None


def test_somebody_who_used_to_cut_is_no_emergency() -> None:
    match = heard("I used to cut, not any more")

    assert match is None or match.danger is not DangerLevel.EMERGENCY


def test_a_knife_emoji_alone_is_no_danger() -> None:
    assert heard("🔪") is None
    assert heard("💀💀💀 bruh") is None


def test_the_most_dangerous_of_several_matches_is_told_first() -> None:
    matches = lexicon().matches("i cut myself and now i want to die")

    assert matches[0].intent == "suicidal"
    assert {"suicidal", "self_harm"} <= {match.intent for match in matches}


def test_a_friend_in_crisis_is_not_taken_for_the_visitor() -> None:
    match = heard("my friend wants to kill herself")

    assert match is not None
    assert match.intent == "friend_in_crisis"


def test_words_that_two_languages_share_are_told_in_the_visitors_own() -> None:
    in_russian = lexicon().first_match("занимаюсь селфхармом", locale="ru")
    in_belarusian = lexicon().first_match("занимаюсь селфхармом", locale="be")

    assert in_russian is not None
    assert in_belarusian is not None
    assert (in_russian.locale, in_belarusian.locale) == ("ru", "be")


def test_without_a_known_language_the_first_in_order_is_told() -> None:
    match = lexicon().first_match("селфхарм")

    assert match is not None
    assert match.locale == "ru"


def test_the_visitors_language_never_hides_danger_in_another() -> None:
    for locale, table in HEARD.items():
        for text in table["suicidal"]:
            assert all(
                lexicon().first_match(text, locale=other) for other in ("en", "ru", "be", "bn", None, "xx")
            ), f"{locale}: {text}"


def test_an_everyday_sentence_stays_quiet_in_every_language() -> None:
    for sentences in LEFT_ALONE.values():
        for text in sentences:
            assert lexicon().first_match(text, locale="xx") is None, text


def test_latin_spellings_are_answered_in_the_script_that_has_texts() -> None:
    russian, bangla = heard("hochu umeret"), heard("more jete chai")

    assert russian is not None
    assert bangla is not None
    assert (russian.locale, bangla.locale) == ("ru", "bn")


def test_no_group_is_less_dangerous_than_its_intent() -> None:
    intents = yaml.safe_load((files("flows") / "intents.yaml").read_text(encoding="utf-8"))["intents"]
    for file in lexicon().files:
        for rule in file.rules:
            if rule.match is not None:
                lowest = DangerLevel(intents[rule.match.intent]["danger"])
                assert rule.match.danger.rank >= lowest.rank, rule.match.rule
