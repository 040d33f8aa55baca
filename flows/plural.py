"""Which form of a text goes with this number? The plural rules of CLDR, for whole numbers that are counted.

A text that holds a number is written once for every form that its language has: ``place_known#one``,
``place_known#few``. Fractions are never counted here, so the form that a language keeps for them is not one.
Source of the rules: https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

ONE, FEW, MANY, OTHER = "one", "few", "many", "other"
#: Every form that a key may name.
FORMS = (ONE, FEW, MANY, OTHER)
#: So many numbers are shown to a translator for each form, out of the first hundred and more.
_MAX_EXAMPLES = 4
_EXAMPLES_UNTIL = 130


def _english(number: int) -> str:
    return ONE if number == 1 else OTHER


def _bangla(number: int) -> str:
    return ONE if number in (0, 1) else OTHER


def _russian(number: int) -> str:
    if number % 10 == 1 and number % 100 != 11:
        return ONE
    return FEW if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else MANY


def _polish(number: int) -> str:
    if number == 1:
        return ONE
    return FEW if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else MANY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    forms: tuple[str, ...]
    form: Callable[[int], str]


_AS_ENGLISH = _Rule(forms=(ONE, OTHER), form=_english)
_AS_RUSSIAN = _Rule(forms=(ONE, FEW, MANY), form=_russian)
#: A language that is not named here counts as English does, as most do that are not Slavic, Baltic or Arabic.
_RULES: Mapping[str, _Rule] = {
    "ru": _AS_RUSSIAN,
    "be": _AS_RUSSIAN,
    "uk": _AS_RUSSIAN,
    "pl": _Rule(forms=(ONE, FEW, MANY), form=_polish),
    "bn": _Rule(forms=(ONE, OTHER), form=_bangla),
    "hi": _Rule(forms=(ONE, OTHER), form=_bangla),
}


def forms(locale: str) -> tuple[str, ...]:
    """The forms that a language has, the one of most numbers last."""
    return _RULES.get(locale, _AS_ENGLISH).forms


def form(number: int, *, locale: str) -> str:
    """The form that goes with a number from 0 on."""
    return _RULES.get(locale, _AS_ENGLISH).form(number)


def examples(named: str, *, locale: str) -> tuple[int, ...]:
    """Some numbers from 1 on that a form goes with."""
    fitting = (number for number in range(1, _EXAMPLES_UNTIL) if form(number, locale=locale) == named)
    return tuple(number for number, _ in zip(fitting, range(_MAX_EXAMPLES), strict=False))
