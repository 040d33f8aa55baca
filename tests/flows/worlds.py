"""Which content do the tests talk to? The real one, and a small one that they know by heart."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from flows import engine
from flows.effects import Effect, Say
from flows.events import DangerLevel, Event, Guess, Mention, TextReceived, Understanding
from flows.loader import load
from flows.model import Book
from flows.state import State

REAL = Path(__file__).parents[2] / "flows"
SMALL = Path(__file__).parent / "content"


def copy_small(folder: Path) -> Path:
    """A copy of the small content, with the real directory and the engine's own words, to be changed."""
    root = folder / "flows"
    shutil.copytree(SMALL, root)
    shutil.copytree(REAL / "directory", root / "directory")
    for locale in ("en", "ru"):
        for sheet in ("engine", "directory", "tips"):
            shutil.copy(REAL / "texts" / locale / f"{sheet}.yaml", root / "texts" / locale)
    return root


@cache
def small_book() -> Book:
    """The small content."""
    with TemporaryDirectory() as folder:
        return load(copy_small(Path(folder)))


@cache
def real_book() -> Book:
    """What visitors really read."""
    return load(REAL)


def text(
    words: str = "…",
    *,
    means: str = "unknown",
    sure: float = 0.9,
    danger: DangerLevel = DangerLevel.NONE,
    by: str = "model",
    locale: str | None = None,
    ranking: tuple[Guess, ...] = (),
    doubt: str | None = None,
    mentions: tuple[Mention, ...] = (),
) -> TextReceived:
    """A text and how it was understood."""
    understanding = Understanding(
        intent=means,
        confidence=sure,
        danger=danger,
        by=by,
        locale=locale,
        ranking=ranking,
        doubt=doubt,
        mentions=mentions,
    )
    return TextReceived(text=words, understanding=understanding)


def danger_text(
    words: str = "I want to die", *, intent: str = "suicidal", locale: str = "en"
) -> TextReceived:
    """A text in which the lexicon found danger."""
    return text(words, means=intent, sure=1.0, danger=DangerLevel.EMERGENCY, by="lexicon", locale=locale)


class Talk:
    """A conversation; the state goes through JSON between two turns, as it does in the database."""

    def __init__(
        self,
        book: Book,
        *,
        locale: str = "en",
        country: str | None = "BY",
        countries: tuple[str, ...] = ("BY", "BD"),
        state: State | None = None,
    ) -> None:
        self.book = book
        self.countries = countries
        self.state = state or engine.begin(book, locale=locale, country=country)
        self.effects: tuple[Effect, ...] = ()

    def hear(self, event: Event) -> tuple[Effect, ...]:
        """One turn; the effects of it."""
        state = State.from_json(self.state.to_json())
        turn = engine.resume(self.book, state, event, countries=self.countries)
        self.state, self.effects = turn.state, turn.effects
        return turn.effects

    @property
    def says(self) -> list[str]:
        """The keys of what was said in the last turn."""
        return [effect.key for effect in self.effects if isinstance(effect, Say)]

    @property
    def messages(self) -> list[Say]:
        """What was said in the last turn."""
        return [effect for effect in self.effects if isinstance(effect, Say)]

    @property
    def payloads(self) -> list[str]:
        """What the buttons of the last turn send back."""
        return [choice.payload for message in self.messages for choice in message.choices]
