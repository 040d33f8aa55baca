"""How many turns a second does the engine answer, and how long do loading and checking take?

``python -m bench.engine`` prints it: every button of every question, pressed where it stands, on one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from importlib.resources import files

from flows import engine, payload
from flows.checks import check
from flows.events import ChoicePressed
from flows.loader import load
from flows.model import AskNode, Book, is_wait
from flows.run import Run
from flows.state import Frame, State, Wait

#: What the project promises.
MIN_TURNS = 20_000
MAX_CHECK = 5.0
#: Each is measured so many times and the shortest time counts: more is what else the machine did.
TIMES = 7


def turns(book: Book) -> Iterator[tuple[State, ChoicePressed]]:
    """Every answer by a button, with where the conversation stands before it."""
    for flow in book.flows.values():
        for name, node in flow.nodes.items():
            if not is_wait(node):
                continue
            kind = "choice" if isinstance(node, AskNode) else "text"
            frame = Frame(flow=flow.name, node=name)
            for locale in book.locales:
                wait = Wait(kind=kind, token="1.1")  # noqa: S106 - names a wait, opens nothing.
                state = State(locale=locale, country="BY", frames=(frame,), wait=wait)
                standing = Run(book, state, countries=("BY", "BD"))
                question = standing.waiting_at()
                for choice in standing.choices(*question) if question else ():
                    if choice.payload != payload.MENU:
                        yield state, ChoicePressed(payload=choice.payload)


def shortest(work: Callable[[], object], *, times: int = TIMES) -> float:
    """The shortest time that the work took, in seconds."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def main() -> int:
    """Print the figures, and end with 1 if one is worse than promised."""
    root = files("flows")
    book = load(root)
    asked = list(turns(book))

    def answer_all() -> None:
        for state, event in asked:
            engine.resume(book, state, event)

    rate = len(asked) / shortest(answer_all)
    checking = shortest(lambda: check(load(root)), times=3)
    sys.stdout.write(f"engine: {rate:,.0f} turns/s over {len(asked):,} buttons, {MIN_TURNS:,} promised\n")
    sys.stdout.write(f"loading and checking all content: {checking:.2f} s, {MAX_CHECK:.0f} s promised\n")
    return int(rate < MIN_TURNS or checking > MAX_CHECK)


if __name__ == "__main__":
    sys.exit(main())
