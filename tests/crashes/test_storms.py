"""Is every message answered once and in order, whichever process is killed and when?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.conftest import LEDGER
from tests.crashes.conftest import SECONDS, SEEDS
from tests.crashes.ledger import Ledger, compare
from tests.crashes.servers import one_server, pair
from tests.crashes.storm import Kill, kept, plan, storm
from tests.crashes.world import world
from tests.nlu_server import trained_model

Recorder = Callable[[str, object], None]


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_nothing_is_lost_or_said_twice_when_parts_are_killed(
    seed: int, tmp_path: Path, record_property: Recorder
) -> None:
    with one_server() as server, world(server, model=trained_model(), logs=tmp_path) as here:
        kills = plan(list(here.parts), seed=seed, seconds=SECONDS)
        ways = await storm(here, kills=kills, seconds=SECONDS)

    _record(ways, f"storm {seed}, {len(kills)} kills in {SECONDS:.0f} s", record_property)
    assert all(map(kept, ways, ways.values())), {way: str(ledger) for way, ledger in ways.items()}


async def test_nothing_is_lost_when_a_replica_takes_over_from_the_database(
    tmp_path: Path, record_property: Recorder
) -> None:
    with pair() as servers, world(servers, model=trained_model(), logs=tmp_path) as here:
        fall = Kill(part="database", at=SECONDS / 4, away=1)
        ways = await storm(here, kills=[fall], seconds=SECONDS / 2)

    _record(ways, f"failover within {SECONDS / 2:.0f} s", record_property)
    assert all(map(kept, ways, ways.values())), {way: str(ledger) for way, ledger in ways.items()}


def _record(ways: Mapping[str, Ledger], storm: str, record_property: Recorder) -> None:
    for way, ledger in ways.items():
        record_property(LEDGER, f"{storm}, {way}: {ledger}")


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (["a", "b", "c"], "sent 3, arrived 3, lost 0, repeated 0, out of order 0"),
        (["a", "c"], "sent 3, arrived 2, lost 1, repeated 0, out of order 0"),
        (["a", "b", "b", "c"], "sent 3, arrived 3, lost 0, repeated 1, out of order 0"),
        (["b", "a", "c"], "sent 3, arrived 3, lost 0, repeated 0, out of order 1"),
        (["a", "x", "b", "c"], "sent 3, arrived 3, lost 0, repeated 0, out of order 0"),
    ],
)
def test_a_ledger_tells_what_is_missing_doubled_or_late(seen: list[str], told: str) -> None:
    ledger = compare(["a", "b", "c"], seen)

    assert str(ledger) == told
    assert ledger.complete == ("lost 0" in told and "out of order 0" in told)
