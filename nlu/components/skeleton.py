"""How does a text sound, whichever letters it is typed in? A skeleton of consonants in Latin letters.

Children type Russian and Bangla in Latin letters and everybody spells it in another way: "травят", "travyat"
and "traviat" all have the skeleton "trbt". So what was learnt from one script serves the other.
"""

import re
from typing import Final

# Each sound with the letters of Cyrillic and Bangla that are typed so.
_SOUNDS: Final = {
    "a": "аяআা",
    "b": "бвবভ",
    "d": "дডঢদধ",
    "e": "еёэএে",
    "f": "фফ",
    "g": "гґগঘ",
    "i": "иіыইঈিী",
    "k": "кকখ",
    "l": "лল",
    "m": "мম",
    "n": "нঙঞণনং",
    "o": "оঅওো",
    "oi": "ঐৈ",
    "ou": "ঔৌ",
    "p": "пপ",
    "r": "рর",
    "ri": "ঋৃ",
    "s": "сцчшщচছশষস",
    "t": "тটঠতথৎ",
    "u": "уўюউঊুূ",
    "z": "жзজঝয",
}
# Signs that are heard in nothing, or differ from one writer to the next.
_SILENT: Final = dict.fromkeys("йхъьহ\u0983\u0981\u09cd\u09bc", "")
_LETTERS: Final = str.maketrans(
    {letter: sound for sound, letters in _SOUNDS.items() for letter in letters} | _SILENT
)

_PAIRS: Final = {
    **dict.fromkeys(("shch", "sch", "ch", "sh", "ts"), "s"),
    **dict.fromkeys(("zh", "jh"), "z"),
    **dict.fromkeys(("kh", "ck"), "k"),
    "gh": "g",
    "bh": "b",
    "ph": "f",
    "th": "t",
    "dh": "d",
}
_PAIR: Final = re.compile("|".join(sorted(_PAIRS, key=len, reverse=True)))
_SINGLE: Final = str.maketrans(
    {"j": "z", "v": "b", "w": "b", "q": "k", "c": "s", "x": "ks", "h": "", "y": ""}
)
_TWICE: Final = re.compile(r"(\w)\1+")
_VOWELS: Final = re.compile(r"(?<=\w)[aeiou]+")


def skeleton(text: str) -> str:
    """The skeleton of a normalised text; words stay apart, the first sound of each stays, also a vowel."""
    sounds = text.translate(_LETTERS)
    sounds = _PAIR.sub(lambda pair: _PAIRS[pair[0]], sounds).translate(_SINGLE)
    return _VOWELS.sub("", _TWICE.sub(r"\1", sounds))
