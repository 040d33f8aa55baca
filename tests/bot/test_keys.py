"""A conversation's words are read under its own key alone, and its key under a master key alone."""

from __future__ import annotations

import base64
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.keys import (
    DataKey,
    GivenKeys,
    Keys,
    MasterKeyMissing,
    MasterKeyUnreadable,
    WrappedKey,
    master_keys,
    read_keys,
)
from bot.privacy import Privacy, SealBroken
from tests.bot.conftest import SECRET

PLACE = "inbox.payload:1"
SECOND, THIRD = bytes(range(32)), bytes(range(32, 64))
WHO, OTHER = UUID(int=1), UUID(int=2)


class Clock:
    """Seconds, as a test wants them."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def entry(version: int, key: bytes) -> str:
    return f"{version}:{base64.b64encode(key).decode()}"


def keys_under(versions: dict[int, bytes]) -> Keys:
    return Keys(GivenKeys(versions), older=Privacy(SECRET))


@given(st.text())
def test_words_are_read_back_in_their_place_and_conversation_alone(words: str) -> None:
    older = Privacy(SECRET)
    key, neighbour = DataKey(uuid4(), b"a" * 32, older=older), DataKey(uuid4(), b"b" * 32, older=older)
    sealed = key.seal(words, context=PLACE)

    assert key.unseal(sealed, context=PLACE) == words
    for opens, where in ((key, "inbox.payload:2"), (neighbour, PLACE), (older, PLACE)):
        with pytest.raises(SealBroken):
            opens.unseal(sealed, context=where)
    with pytest.raises(SealBroken):
        key.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), context=PLACE)


def test_a_key_of_another_number_opens_nothing_even_if_its_bytes_are_the_same() -> None:
    older = Privacy(SECRET)
    sealed = DataKey(uuid4(), b"a" * 32, older=older).seal("words", context=PLACE)

    with pytest.raises(SealBroken):
        DataKey(uuid4(), b"a" * 32, older=older).unseal(sealed, context=PLACE)


def test_what_was_sealed_before_there_were_such_keys_still_opens() -> None:
    older = Privacy(SECRET)
    key = DataKey(uuid4(), b"a" * 32, older=older)

    # So many that some nonces begin with the byte that now marks the newer kind.
    for number in range(1500):
        assert key.unseal(older.seal(f"words {number}", context=PLACE), context=PLACE) == f"words {number}"


async def test_a_wrapped_key_that_was_moved_is_refused() -> None:
    _, wrapped = await keys_under({1: SECOND}).make(WHO)

    with pytest.raises(SealBroken):
        await keys_under({1: SECOND}).open(OTHER, wrapped)
    claimed = WrappedKey(number=wrapped.number, wrapped=wrapped.wrapped, master=2)
    with pytest.raises(SealBroken):
        await keys_under({1: SECOND, 2: SECOND}).open(WHO, claimed)
    with pytest.raises(MasterKeyMissing):
        await keys_under({3: SECOND}).open(WHO, wrapped)


async def test_a_key_stays_in_memory_for_a_few_minutes_and_not_after_it_was_destroyed() -> None:
    clock = Clock()
    keys = Keys(GivenKeys({1: SECOND}), older=Privacy(SECRET), clock=clock)
    for who in (WHO, OTHER):
        keys.remember(who, (await keys.make(who))[0])

    keys.forget(WHO)
    assert keys.seen(WHO) is None
    assert keys.seen(OTHER) is not None
    clock.now += 301
    assert keys.seen(OTHER) is None


async def test_only_so_many_keys_stay_in_memory() -> None:
    keys = keys_under({1: SECOND})
    first, _ = await keys.make(WHO)
    keys.remember(WHO, first)

    for number in range(2_000):
        keys.remember(UUID(int=10 + number), first)

    assert keys.seen(WHO) is None
    assert keys.seen(UUID(int=2_009)) is not None


async def test_a_file_of_master_keys_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "master.keys"
    masters = master_keys(Privacy(SECRET), file=file)
    assert await masters.newest() == 1

    file.write_text(entry(2, SECOND))

    assert await masters.newest() == 2
    wrapped = await masters.wrap(b"a key", version=2, context="here")
    given_keys = master_keys(Privacy(SECRET), given=entry(2, SECOND))
    assert await given_keys.unwrap(wrapped, version=2, context="here") == b"a key"


@pytest.mark.parametrize(
    "text",
    [
        entry(1, SECOND),
        entry(2, b"short"),
        entry(2, b"2" * 32),
        "2:not base64!",
        "two:" + entry(2, SECOND).partition(":")[2],
        f"{entry(2, SECOND)} {entry(2, THIRD)}",
        "2",
    ],
)
def test_a_master_key_that_protects_nothing_is_refused(text: str) -> None:
    with pytest.raises(MasterKeyUnreadable):
        read_keys(text)
