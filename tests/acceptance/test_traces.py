"""Can a message be followed through all processes, from the child to the operator and back?"""

from __future__ import annotations

from functools import partial

import pytest

from tests.acceptance.collector import Collector
from tests.acceptance.conftest import operator_of
from tests.acceptance.product import Product
from tests.acceptance.visitor import web_visitor
from tests.referral.desk import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEB, WORKER, DESK = "porchlight-bot-web", "porchlight-bot-worker", "porchlight-referral"

TO_THE_DESK = {(WEB, "accept"), (WORKER, "turn"), (WORKER, "keep"), (WORKER, "deliver"), (DESK, "request")}
UNDERSTOOD = {(WEB, "accept"), (WORKER, "turn"), (WORKER, "understand"), (WORKER, "ask the model")}
TO_THE_CHILD = {(DESK, "request"), (DESK, "deliver"), (WEB, "accept"), (WORKER, "turn")}


async def test_one_trace_leads_from_the_child_to_the_desk_and_another_one_back(
    porchlight: Product, collector: Collector
) -> None:
    async with operator_of(porchlight, "tracy") as tracy, web_visitor(porchlight.bot, locale="en") as child:
        await child.hears_until_quiet()
        await child.writes("they wrote mean things about my dog")
        await child.hears_until_quiet()
        await child.writes("i want to die")
        await child.hears_until_quiet()
        await child.presses("Connect me to a person")
        await child.hears_until_quiet()
        taken = await eventually(tracy.take_next, lambda case: case is not None)
        assert taken is not None
        await tracy.write(taken, "I am here.")
        await child.hears(sender="operator")
        await tracy.close(taken)

        for way in (UNDERSTOOD, TO_THE_DESK, TO_THE_CHILD):
            await eventually(partial(_followed, collector, way), bool)


async def _followed(collector: Collector, way: set[tuple[str, str]]) -> bool:
    return any(way <= spans for spans in collector.traces().values())
