"""What does the audit log cost the desk? 50 operators take, write and give back cases, with and without it.

``python -m bench.chain`` starts a PostgreSQL of its own, as durable as in use, and prints how long Take next
takes while everybody pauses half a second between two acts, which no person does for long.
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.launch.postgres import EmbeddedPostgres
from referral.cases.desk import Desk
from referral.cases.intake import Intake
from referral.cases.schemas import NewCase
from referral.database import Sessions, migrate, open_engine, sessions_of, transaction
from referral.operators.rules import Role
from referral.operators.tables import Operator
from referral.privacy import Privacy

OPERATORS = 50
ROUNDS = 10
PAUSE_SECONDS = 0.5
CASES = 200

_SWITCHES = {
    "with the log": "ALTER TABLE audit_draft ENABLE TRIGGER USER",
    "without the log": "ALTER TABLE audit_draft DISABLE TRIGGER USER",
}


async def _measure(sessions: Sessions, privacy: Privacy, operators: list[UUID]) -> list[float]:
    """Seconds that each Take next took, commit included."""
    took: list[float] = []

    async def work(operator: UUID) -> None:
        for _ in range(ROUNDS):
            # So that not everybody acts in the same instant.
            await asyncio.sleep(PAUSE_SECONDS * (0.5 + secrets.randbelow(1000) / 1000))
            began = time.perf_counter()
            async with transaction(sessions) as session:
                case = await _desk(session, privacy, operator).take_next()
            took.append(time.perf_counter() - began)
            if case is None:
                continue
            await asyncio.sleep(PAUSE_SECONDS)
            async with transaction(sessions) as session:
                await _desk(session, privacy, operator).write(case.number, entry=uuid4(), words="I am here.")
            await asyncio.sleep(PAUSE_SECONDS)
            async with transaction(sessions) as session:
                await _desk(session, privacy, operator).release(case.number)

    await asyncio.gather(*(work(operator) for operator in operators))
    return took


def _desk(session: AsyncSession, privacy: Privacy, operator: UUID) -> Desk:
    return Desk(session, operator=operator, privacy=privacy, now=datetime.now(UTC))


async def _fill(sessions: Sessions, privacy: Privacy, operators: list[UUID]) -> None:
    now = datetime.now(UTC)
    async with transaction(sessions) as session:
        session.add_all(
            Operator(number=number, name=f"operator{place}", role=Role.OPERATOR)
            for place, number in enumerate(operators)
        )
        intake = Intake(session, privacy=privacy, now=now)
        for _ in range(CASES):
            case = {
                "id": uuid4(),
                "conversation": uuid4().hex,
                "channel": "web",
                "locale": "en",
                "danger": "concern",
                "reason": "insults",
                "opened_at": now,
                "consent": "",
                "card": {},
                "said": [],
                "messages": [],
            }
            await intake.open(NewCase.model_validate(case))


async def main() -> None:
    """Print the figures with the log and without it."""
    privacy = Privacy(base64.b64encode(secrets.token_bytes(32)).decode())
    operators = [uuid4() for _ in range(OPERATORS)]
    with tempfile.TemporaryDirectory(prefix="porchlight-bench-") as folder:
        os.chmod(folder, 0o711)  # noqa: S103 - as root, the server runs as another account.
        server = EmbeddedPostgres(Path(folder))
        server.start()
        try:
            url = server.url("postgres")
            await asyncio.to_thread(migrate, url)
            engine = open_engine(url)
            sessions = sessions_of(engine)
            await _fill(sessions, privacy, operators)
            # Twice, since the first round also warms everything up.
            for name, statement in (*_SWITCHES.items(), *_SWITCHES.items()):
                async with transaction(sessions) as session:
                    await session.execute(text(statement))
                took = await _measure(sessions, privacy, operators)
                cuts = statistics.quantiles(took, n=100)
                print(  # noqa: T201 - a script that prints.
                    f"Take next {name}: p50 {cuts[49] * 1000:.1f} ms, p95 {cuts[94] * 1000:.1f} ms"
                )
            await engine.dispose()
        finally:
            server.stop()


if __name__ == "__main__":
    asyncio.run(main())
