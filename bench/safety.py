"""How long does the crisis check take, for usual messages and for texts that were made to slow it down?

``python -m bench.safety`` prints it.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from importlib.resources import files

from flows.safety import Lexicon, load_lexicons

#: As long as a message may be on the channels that we have (Telegram: 4,096).
LENGTH = 4_000
#: A text is read so many times and the shortest time counts: more is what else the machine did.
TIMES = 7
#: What the project promises, in milliseconds.
MAX_HOSTILE, MAX_USUAL = 20.0, 1.3

#: As people write to us: short and long, of every script, with danger and without.
USUAL = (
    "hi",
    "i want to die",
    "everyone in my class chat calls me a pig",
    "i dont know what to do anymore my friend told me she wants to die and she cut herself what should i do",
    "how do i block someone on telegram",
    "меня травят в школе и я больше не хочу жить",
    "скажите пожалуйста как удалить чужую фейковую страницу с моими фотографиями в инстаграме",
    "мяне б'юць дома, што рабіць",
    "আমি আর বাঁচতে চাই না, কেউ আমার কথা শোনে না",
    "ami more jete chai",
)

#: Said again and again: letters torn apart, look-alikes, digits and signs, hidden letters, openings of
#: phrases, emoji and characters that stand for several words.
REPEATED = (
    *(
        "a ",
        "1 ",
        "1! ",
        "i.",
        "d i e ",
        "d.i.e.",
        "s u i c i d e ",
        "m y s e l f ",
        "h e ",
        "н е ",
        "х о ч у ",
    ),
    *("i d ", "e i ", "want ", "хочу ", "আমি ", "মরে ", "i want to die ", "не хочу ", "die laughing ", "no "),
    *("*", "a*", "s*e ", "s**e ", "k1l ", "к1l ", "su1c1de ", "х0чу ", "13 ", "@$ ", "a@a ", "dіе "),
    *("😂😭", "😂 ", "🇧🇩 ", "1😂", "½", "㏂", "ﷺ", "wanttodie", "x", "\n", "die\n", "die. "),
)


def hostile_texts(lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    """Texts of ``LENGTH`` characters, each with what it is: one thing repeated, or a heap of known words."""
    for part in REPEATED:
        yield f"«{part.strip() or 'new line'}» repeated", (part * LENGTH)[:LENGTH]
    for file in lexicon.files:
        ways = (way for rule in file.rules for part in rule.parts for way in part.ways)
        words = sorted({word.removesuffix("~") for way in ways for row in way for word in row} | file.fillers)
        long = [word for word in words if len(word) > 3]
        heaps = {
            "words": words,
            "short words": [word for word in words if len(word) <= 3],
            "torn words": [" ".join(word) for word in long],
            "words torn in two": [f"{word[:2]} {word[2:]}" for word in long],
            "words with digits": [word.translate(str.maketrans("ieoasои", "130450!")) for word in long],
            "hidden words": [f"{word[0]}*{word[-1]}" for word in long],
            "half hidden words": [f"{word[:2]}**{word[-1]}" for word in long],
            "words with a wrong letter": [word[:2] + "q" + word[3:] for word in long],
            "first letters": sorted({word[0] for word in words}),
            "words written together": ["".join(long[place : place + 6])[:60] for place in range(len(long))],
        }
        # The same at each run, so that two runs can be compared.
        chance = random.Random(file.locale)  # noqa: S311
        for name, heap in heaps.items():
            for between in (" ", "."):
                picked = between.join(chance.choice(heap) for _ in range(LENGTH))
                yield f"{file.locale}: {name}, with «{between}»", picked[:LENGTH]


def milliseconds(lexicon: Lexicon, text: str, *, times: int = TIMES) -> float:
    """How long the check takes for this text."""
    shortest = float("inf")
    for _ in range(times):
        begun = time.perf_counter()
        lexicon.first_match(text)
        shortest = min(shortest, time.perf_counter() - begun)
    return 1000 * shortest


def main() -> int:
    """Print the slowest texts of each kind, and end with 1 if one is slower than promised."""
    lexicon = load_lexicons(files("flows") / "lexicons")
    hostile = sorted(
        ((milliseconds(lexicon, text), name) for name, text in hostile_texts(lexicon)), reverse=True
    )
    usual = sorted(((milliseconds(lexicon, text), text) for text in USUAL), reverse=True)
    for title, found, most in (("hostile", hostile, MAX_HOSTILE), ("usual", usual, MAX_USUAL)):
        sys.stdout.write(f"{title}: at most {found[0][0]:.1f} ms of {most:.1f} ms promised\n")
        for taken, name in found[:12]:
            sys.stdout.write(f"  {taken:6.2f} ms  {name}\n")
    return int(hostile[0][0] > MAX_HOSTILE or usual[0][0] > MAX_USUAL)


if __name__ == "__main__":
    sys.exit(main())
