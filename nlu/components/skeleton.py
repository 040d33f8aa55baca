"""How does a text sound, whichever letters it is typed in? A skeleton of consonants in Latin letters.

Children type Russian and Bangla in Latin letters and everybody spells it in another way: "травят", "travyat"
and "traviat" all have the skeleton "trbt". So what was learnt from one script serves the other.
"""

import re
from typing import Final

_CYRILLIC: Final = dict(
    zip(
        "абвгґдеёжзиіклмнопрстуўфцчшщыэюя",
        "a b b g g d e e z z i i k l m n o p r s t u u f s s s s i e u a".split(),
        strict=True,
    )
)
_BANGLA: Final = dict(
    zip(
        "কখগঘঙচছজঝঞটঠডঢণতথদধনপফবভমযরলশষসৎংঅআইঈউঊএঐওঔঋািীুূেৈোৌৃ",
        (
            "k k g g n s s z z n t t d d n t t d d n p f b b m z r l s s s t n "
            "o a i i u u e oi o ou ri a i i u u e oi o ou ri"
        ).split(),
        strict=True,
    )
)
# Signs that are heard in nothing, or differ from one writer to the next.
_SILENT: Final = dict.fromkeys("йхъьহ\u0983\u0981\u09cd\u09bc", "")
_LETTERS: Final = str.maketrans({**_CYRILLIC, **_BANGLA, **_SILENT})

_PAIRS: Final = {
    **dict.fromkeys(("shch", "sch", "ch", "sh", "ts"), "s"),
    **{"zh": "z", "jh": "z", "kh": "k", "gh": "g", "bh": "b", "ph": "f", "th": "t", "dh": "d", "ck": "k"},
}
_PAIR: Final = re.compile("|".join(sorted(_PAIRS, key=len, reverse=True)))
_SINGLE: Final = str.maketrans(
    {"j": "z", "v": "b", "w": "b", "q": "k", "c": "s", "x": "ks", "h": "", "y": ""}
)
_TWICE: Final = re.compile(r"(\w)\1+")
_VOWELS: Final = re.compile(r"(?<=\w)[aeiou]+")


def skeleton(text: str) -> str:
    """The skeleton of a normalised text; words stay apart, the first sound of a word stays even if a vowel."""
    sounds = text.translate(_LETTERS)
    sounds = _PAIR.sub(lambda pair: _PAIRS[pair[0]], sounds).translate(_SINGLE)
    return _VOWELS.sub("", _TWICE.sub(r"\1", sounds))
