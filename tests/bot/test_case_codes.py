"""What is kept of a private code, whom does it tell what, and how many may be guessed? A real database."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from bot.case_codes import MOST_TRIES, MOST_TRIES_OF_ALL, CaseCodes, CodedCase, TriedOften, try_table
from bot.privacy import Privacy
from bot.store import Store
from tests.bot.test_worker import execute

CODE, WRONG = "4821739056", "0000000001"


@pytest.fixture
def codes(privacy: Privacy) -> CaseCodes:
    return CaseCodes(privacy=privacy)


async def _somebody(store: Store, privacy: Privacy) -> UUID:
    address = uuid4().hex
    await store.accept(channel="web", address=address, update=address, event={"kind": "started"})
    return privacy.conversation("web", address)


async def _case(store: Store, privacy: Privacy, codes: CaseCodes) -> UUID:
    case, who = uuid4(), await _somebody(store, privacy)
    async with store.transaction() as connection:
        await store.case_opened(connection, case, conversation=who)
        await codes.give(connection, case, CODE)
    return case


async def _looks_up(store: Store, codes: CaseCodes, who: UUID, code: str) -> CodedCase | None:
    async with store.transaction() as connection:
        return await codes.look_up(connection, who, code)


async def test_a_code_leads_to_its_case_from_any_conversation_and_its_digits_are_kept_nowhere(
    store: Store, privacy: Privacy, codes: CaseCodes, database_url: str
) -> None:
    case = await _case(store, privacy, codes)

    found = await _looks_up(store, codes, await _somebody(store, privacy), CODE)

    assert found == CodedCase(number=case, closed_at=None)
    kept = await execute(database_url, "SELECT encode(token, 'escape') FROM case_code")
    assert CODE not in str(kept)


async def test_a_code_that_is_over_or_erased_is_answered_like_one_that_never_was(
    store: Store, privacy: Privacy, codes: CaseCodes, database_url: str
) -> None:
    await _case(store, privacy, codes)
    who = await _somebody(store, privacy)

    await execute(database_url, "UPDATE case_code SET ends_at = now()")
    over = await _looks_up(store, codes, who, CODE)
    await execute(database_url, "UPDATE case_code SET ends_at = now() + interval '1 day'")
    await execute(database_url, "DELETE FROM referral_case")
    erased = await _looks_up(store, codes, who, CODE)
    never = await _looks_up(store, codes, who, WRONG)

    assert over is erased is never is None
    assert await execute(database_url, "SELECT count(*) FROM case_code_try") == [(3,)]


async def test_after_some_wrong_codes_no_code_is_looked_at_for_an_hour(
    store: Store, privacy: Privacy, codes: CaseCodes, database_url: str
) -> None:
    case = await _case(store, privacy, codes)
    who, other = await _somebody(store, privacy), await _somebody(store, privacy)
    for _ in range(MOST_TRIES):
        assert await _looks_up(store, codes, who, WRONG) is None

    with pytest.raises(TriedOften):
        await _looks_up(store, codes, who, CODE)
    assert await _looks_up(store, codes, other, CODE) is not None
    await execute(database_url, "UPDATE case_code_try SET tried_at = now() - interval '61 minutes'")

    assert await _looks_up(store, codes, who, CODE) == CodedCase(number=case, closed_at=None)


async def test_whoever_guesses_from_many_conversations_is_stopped_as_well(
    store: Store, privacy: Privacy, codes: CaseCodes
) -> None:
    await _case(store, privacy, codes)
    guesser, fresh = await _somebody(store, privacy), await _somebody(store, privacy)
    async with store.transaction() as connection:
        tries = [{"conversation_id": guesser}] * MOST_TRIES_OF_ALL
        await connection.execute(try_table.insert(), tries)

    with pytest.raises(TriedOften):
        await _looks_up(store, codes, fresh, CODE)


async def test_codes_and_tries_are_erased_when_they_are_over(
    store: Store, privacy: Privacy, codes: CaseCodes, database_url: str
) -> None:
    await _case(store, privacy, codes)
    await _looks_up(store, codes, await _somebody(store, privacy), WRONG)
    await execute(database_url, "UPDATE case_code SET ends_at = now() - interval '1 second'")
    await execute(database_url, "UPDATE case_code_try SET tried_at = now() - interval '61 minutes'")

    async with store.transaction() as connection:
        await codes.end_due(connection)

    rows = "SELECT (SELECT count(*) FROM case_code), (SELECT count(*) FROM case_code_try)"
    assert await execute(database_url, rows) == [(0, 0)]
