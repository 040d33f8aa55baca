"""Can a psychologist edit the lexicons: each complete, each phrase alive, each mistake told in a sentence?"""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from flows.safety import INTENTS, Lexicon, LexiconInvalid, Match, Part, load_lexicons, parse_phrase
from tests.flows.test_safety_sentences import lexicon

LOCALES = ("en", "ru", "be", "bn", "ru-Latn", "bn-Latn")

GOOD = """\
locale: en
order: 1
fillers: [really]
typos: [goodbye]
lists:
  want: [want, would like]
unless:
  - die laughing
groups:
  suicidal:
    danger: emergency
    phrases:
      - <want> to (die|be dead)
      - say * goodbye
    unless:
      - want to die of laughter
"""


def written(folder: Path, text: str, *, locale: str = "en") -> Path:
    (folder / locale).mkdir(exist_ok=True)
    (folder / locale / "crisis.yaml").write_text(text, encoding="utf-8")
    return folder


def loaded(folder: Path, text: str = GOOD) -> Lexicon:
    return load_lexicons(written(folder, text))


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(LexiconInvalid) as caught:
        loaded(folder, text)
    return [str(problem) for problem in caught.value.problems]


def sample(parts: tuple[Part, ...]) -> list[str]:
    """A few sentences that say these parts, each way of each part at least once."""
    ways = [[" ".join(_spoken(words) for words in way) for way in part.ways] for part in parts]
    longest = max(map(len, ways))
    return [" ".join(way[number % len(way)] for way in ways) for number in range(longest)]


def _spoken(words: frozenset[str]) -> str:
    word = min(words)
    return "7" if word == "#" else word.removesuffix("~")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_has_every_intent_with_enough_phrases(locale: str) -> None:
    [file] = [file for file in lexicon().files if file.locale == locale]
    phrases = Counter(rule.match.intent for rule in file.rules if rule.match)
    suicidal, others = (30, 12) if locale.endswith("Latn") else (60, 20)

    assert phrases["suicidal"] >= suicidal
    assert all(phrases[intent] >= others for intent in INTENTS), phrases


@pytest.mark.parametrize("locale", LOCALES)
def test_every_phrase_of_every_file_can_be_heard(locale: str) -> None:
    [file] = [file for file in lexicon().files if file.locale == locale]
    dead = []
    for rule in file.rules:
        if rule.match is None:
            continue
        heard = [match.rule for text in sample(rule.parts) for match in lexicon().matches(text)]
        if rule.match.rule not in heard:
            dead.append(rule.phrase)

    assert not dead, "these phrases are never found, perhaps because an idiom always cancels them"


def test_a_phrase_is_heard_in_each_of_its_ways(tmp_path: Path) -> None:
    small = loaded(tmp_path)

    for want, die in product(("want", "would like"), ("die", "be dead")):
        assert small.first_match(f"i {want} to {die}")


def test_a_match_tells_intent_danger_language_and_phrase(tmp_path: Path) -> None:
    match = loaded(tmp_path).first_match("I want to die")

    assert match == Match(
        intent="suicidal",
        danger=match.danger if match else pytest.fail("not heard"),
        locale="en",
        rule="en/suicidal: <want> to (die|be dead)",
    )
    assert match.danger.value == "emergency"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("say goodbye", True),
        ("say a goodbye", True),
        ("say my last goodbye", True),
        ("say one two three goodbye", False),
        ("say it. Goodbye", False),
        ("say really really really really goodbye", True),
        ("say goodbeye", True),
        ("say 😭 goodbye", True),
    ],
)
def test_a_gap_allows_two_words_and_no_end_of_sentence(tmp_path: Path, text: str, found: bool) -> None:
    assert (loaded(tmp_path).first_match(text) is not None) is found


def test_three_dots_allow_five_words(tmp_path: Path) -> None:
    wide = loaded(tmp_path, GOOD.replace("say * goodbye", "say ... goodbye"))

    assert wide.first_match("say a b c d e goodbye")
    assert wide.first_match("say a b c d e f goodbye") is None


@pytest.mark.parametrize(
    "text", ["want to die laughing", "want to die of laughter", "want to really die laughing"]
)
def test_an_idiom_of_the_file_or_the_group_cancels(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path).first_match(text) is None


def test_an_idiom_that_does_not_hold_the_last_word_cancels_nothing(tmp_path: Path) -> None:
    tired = GOOD.replace("die laughing", "dead tired").replace("say * goodbye", "tired of living")

    assert loaded(tmp_path, tired).first_match("i am dead tired of living")


def test_an_idiom_of_one_intent_leaves_the_others_alone(tmp_path: Path) -> None:
    both = GOOD + "  friend_in_crisis:\n    danger: emergency\n    phrases:\n      - she * die\n"
    match = loaded(tmp_path, both).first_match("she says i want to die of laughter")

    assert match is None
    match = loaded(tmp_path, both).first_match("she can die of laughter")
    assert match is not None
    assert match.intent == "friend_in_crisis"


@pytest.mark.parametrize(
    ("phrase", "said", "unsaid"),
    [
        ("umer~ now", "umerla now", "ume now"),
        ("# kms", "5 kms", "five kms"),
        ("go (far|) away", "go away", "go very away"),
        ("go (far|very far|) away", "go very far away", "go very away"),
        ("self-harm", "self harm", "self"),
        ("one (two|) (three|) four", "one four", "one five"),
    ],
)
def test_stems_numbers_and_optional_words(tmp_path: Path, phrase: str, said: str, unsaid: str) -> None:
    small = loaded(tmp_path, GOOD.replace("say * goodbye", f'"{phrase}"'))

    assert small.first_match(said)
    assert small.first_match(unsaid) is None


@pytest.mark.parametrize(
    ("phrase", "sentence"),
    [
        ("* to die", "begins with a gap"),
        ("to die *", "ends with a gap"),
        ("(to die", "A ) is missing"),
        ("to) die", "no ) here"),
        ("to | die", "no | here"),
        ("(to|*) die", "no * here"),
        ("(to|(two)) die", "no ( here"),
        ("() die", "nothing between ( and )"),
        ("(to|) die", "first part may be left out"),
        ("<must> die", "no list <must>"),
        ("me", "fewer than 3 letters"),
        ("x~ die", "too short"),
        ("die !!!", "holds no letter"),
    ],
)
def test_a_phrase_with_a_mistake_is_refused_with_a_sentence(
    tmp_path: Path, phrase: str, sentence: str
) -> None:
    [problem] = problems(tmp_path, GOOD.replace("say * goodbye", f'"{phrase}"'))

    assert problem.startswith("en/crisis.yaml, line 14: ")
    assert sentence in problem


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("locale: en", "locale: ru", "The folder is «en» but the file says «ru»"),
        ("order: 1\n", "", "«order» is missing"),
        ("order: 1", "order: first", "whole number"),
        ("danger: emergency", "danger: big", "«big» is not known"),
        ("danger: emergency", "danger: none", "«none» is not known"),
        ("  suicidal:", "  talk_to_human:", "«talk_to_human» is not known"),
        ("    phrases:", "    phrase:", "«phrase» is not known"),
        ("fillers: [really]", "fillers: really", "a list is expected"),
        ("fillers: [really]", "fillers: [so much]", "single word"),
        ("say * goodbye", "<want> to (die|be dead)", "twice"),
        ("typos: [goodbye]", "order: 2", "stands here twice"),
        ("say * goodbye", "say: goodbye", "a word or a phrase is expected"),
        ("groups:\n", "groups: [a]\n", "This is not YAML"),
        ("order: 1", "order: [1", "This is not YAML"),
        ("order: 1", "order: \x07", "a character that is not allowed"),
        ("  want: [want, would like]", "  want: [want, (]", "no ( here"),
        ("lists:\n  want: [want, would like]", "lists: [a]", "Here lines of the form"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_a_sentence(
    tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    found = problems(tmp_path, GOOD.replace(before, after, 1))

    assert any(sentence in problem for problem in found), found


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace("say * goodbye", "say *"))
    written(tmp_path, GOOD.replace("locale: en", "locale: ru").replace("emergency", "huge"), locale="ru")
    (tmp_path / "be").mkdir()

    with pytest.raises(LexiconInvalid) as caught:
        load_lexicons(tmp_path)

    assert {problem.file for problem in caught.value.problems} == {
        "be/crisis.yaml",
        "en/crisis.yaml",
        "ru/crisis.yaml",
    }


def test_a_file_in_another_encoding_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ru").mkdir()
    (tmp_path / "ru" / "crisis.yaml").write_bytes("locale: ru # привет".encode("cp1251"))

    with pytest.raises(LexiconInvalid, match="UTF-8"):
        load_lexicons(tmp_path)


def test_a_folder_without_lexicons_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LexiconInvalid, match="nobody in danger would be noticed"):
        load_lexicons(tmp_path)


def test_words_that_yaml_takes_for_something_else_stay_words(tmp_path: Path) -> None:
    small = loaded(
        tmp_path,
        GOOD.replace("say * goodbye", "no\n      - yes please\n      - 1098").replace("- no\n", "- nope\n"),
    )

    assert small.first_match("yes please")
    assert small.first_match("1098")


def test_a_phrase_is_parsed_into_parts() -> None:
    want, die = parse_phrase("want * (die|be dead|)", lists={})

    assert want.gap == 2
    assert die.optional
    assert die.ways == (
        (frozenset({"die"}),),
        (frozenset({"be"}), frozenset({"dead"})),
    )
