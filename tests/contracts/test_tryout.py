"""The console's real client and the real bot mean the same by a conversation that is tried out."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from referral.clock import utc_now
from referral.errors import BotMisunderstood, BotUnreachable, TryOutRefused
from referral.signature import Signature
from referral.tryout.client import TryOutClient
from referral.tryout.schemas import ClassDeed, OpenCase, Remind, Turn
from tests.contracts.tryout import NOWHERE, Stage, plays_as_saved, stage
from tests.flows.worlds import REAL
from tests.referral.conftest import Time
from tests.referral.serving import SERVICE_SECRET


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A copy of the real content, to be changed."""
    names = ("definitions", "texts", "lexicons", "directory", "documents")
    for name in names:
        shutil.copytree(REAL / name, tmp_path / "flows" / name)
    shutil.copy(REAL / "intents.yaml", tmp_path / "flows")
    return tmp_path / "flows"


@pytest.fixture
async def tried(database_url: str, database: str, clock: Time, content: Path) -> AsyncIterator[Stage]:
    async with stage(
        bot_database=database_url, desk_database=database, clock=clock, content=content
    ) as ready:
        yield ready


@pytest.fixture
async def client(tried: Stage) -> AsyncIterator[TryOutClient]:
    made = TryOutClient(tried.bot_url, signature=Signature(SERVICE_SECRET), clock=utc_now)
    yield made
    await made.close()


class Talk:
    """A conversation that is tried out, as the page holds it."""

    def __init__(self, client: TryOutClient, **given: str) -> None:
        self._client = client
        self._given = given
        self.turns: list[Turn] = []

    async def __call__(self, **event: Any) -> Turn:
        wanted: dict[str, Any] = {"event": event, **self._given}
        if self.turns:
            wanted |= {"state": self.turns[-1].state, "offered": self.turns[-1].offered}
        self.turns.append(await self._client.turn(wanted))
        return self.turns[-1]

    async def saved(self, name: str = "a test") -> str:
        golden = {"name": name, "given": self._given, "turns": [turn.golden for turn in self.turns]}
        return (await self._client.golden(golden)).yaml


async def _rows(url: str) -> dict[str, int]:
    """How many rows each table of a database holds."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        tables = await (
            await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).fetchall()
        counts = {}
        for (table,) in tables:
            row = await (await connection.execute(f'SELECT count(*) FROM "{table}"')).fetchone()  # noqa: S608
            counts[table] = row[0] if row else 0
        return counts


async def test_a_whole_conversation_is_tried_and_nothing_happens(
    client: TryOutClient, database_url: str, database: str
) -> None:
    before = await _rows(database_url), await _rows(database)
    talk = Talk(client, locale="en", country="BY", role="child")

    welcome = await talk(kind="start")
    insults = await talk(kind="text", text="they call me names at school")
    danger = await talk(kind="text", text="i want to die")
    connect = await talk(kind="press", payload="n:danger:care:connect")
    taken = await talk(kind="helpline", act="taken")
    wrote = await talk(kind="helpline", act="wrote", text="I am Nina. I am here.")
    answer = await talk(kind="text", text="thank you")
    closed = await talk(kind="helpline", act="closed")

    assert welcome.says[0].key == "welcome.hello"
    assert insults.understood is not None
    assert (insults.understood.intent, insults.understood.by) == ("insults", "model")
    assert (insults.at and insults.at.flow, insults.understood.ranking[1].intent) == (
        "incident_questions",
        "rumours",
    )
    assert danger.understood is not None
    assert (danger.understood.by, danger.understood.why[0].words) == ("lexicon", "want to die")
    assert danger.danger == "emergency"
    assert [effect.seconds for effect in danger.deeds if isinstance(effect, Remind)] == [300]
    assert [place.flow for place in danger.under_way][-2:] == ["insults", "incident_questions"]
    (case,) = [effect for effect in connect.deeds if isinstance(effect, OpenCase)]
    assert (case.danger, case.card["country"], connect.mode) == ("emergency", "BY", "waiting")
    assert taken.mode == "live"
    assert [(say.sender, say.text) for say in wrote.says] == [("operator", "I am Nina. I am here.")]
    assert [effect.kind for effect in answer.deeds] == ["relay"]
    assert answer.understood is not None
    assert answer.understood.by == "operator"
    assert (closed.mode, closed.danger) == ("bot", "none")
    assert (await _rows(database_url), await _rows(database)) == before


async def test_classes_and_tips_are_told_and_carried_out_nowhere(client: TryOutClient) -> None:
    talk = Talk(client, locale="en", country="BY", role="teacher")
    opened = await talk(kind="press", payload="n:class_mode:offer:begin")
    tips = await talk(kind="press", payload="n:daily_tip:offer:yes")

    assert [deed.act for deed in opened.deeds if isinstance(deed, ClassDeed)] == ["open_class"]
    assert [deed.kind for deed in tips.deeds] == ["next_tip"]


async def test_every_text_names_its_file_and_the_node_that_said_it(
    client: TryOutClient, content: Path
) -> None:
    talk = Talk(client, locale="ru", role="parent")

    await talk(kind="enter", flow="blackmail", intent="blackmail")
    await talk(kind="press", payload="m")

    for turn in talk.turns:
        assert turn.says
        for say in turn.says:
            assert say.by is not None
            lines = (content / say.file).read_text(encoding="utf-8").splitlines()
            assert say.file.startswith("texts/ru/")
            assert lines[say.line - 1].partition("@")[0].partition(":")[0] == say.key.partition(".")[2]
            nodes = (content / say.by.file).read_text(encoding="utf-8").splitlines()
            assert nodes[say.by.line - 1].strip().startswith(f"{say.by.node}:")


async def test_letting_time_pass_goes_on_as_after_a_silence(client: TryOutClient) -> None:
    talk = Talk(client, country="BD")

    asked = await talk(kind="enter", flow="danger", intent="suicidal")
    silent = await talk(kind="timer")
    again = await talk(kind="timer")

    assert asked.at is not None
    assert asked.at.timer_seconds == 300
    assert (silent.at and silent.at.node, silent.nothing_happened) == ("nudge", False)
    assert again.nothing_happened


async def test_a_saved_conversation_plays_as_it_was_tried(client: TryOutClient, tmp_path: Path) -> None:
    talk = Talk(client, locale="en", country="BY", role="child")
    await talk(kind="start")
    await talk(kind="text", text="they call me names at school")
    await talk(kind="press", payload="n:incident_questions:how_long:just_tell")
    await talk(kind="press", payload="n:insults:what_helps:block")
    await talk(kind="text", text="telegram")
    await talk(kind="text", text="hmm, dunno")
    await talk(kind="text", text="i want to die")
    await talk(kind="timer")
    await talk(kind="text", text="x", means="talk_to_human")
    await talk(kind="media", media="voice")
    await talk(kind="press", payload="n:handover:offer:yes")
    await talk(kind="helpline", act="taken")
    await talk(kind="helpline", act="wrote", text="Hello")
    await talk(kind="text", text="they call me names and i want to die")
    await talk(kind="helpline", act="returned")
    await talk(kind="helpline", act="closed")
    await talk(kind="left")

    turns = plays_as_saved(await talk.saved(), tmp_path)

    assert [turn["bot"] for turn in turns] == [
        [say.key or say.sender for say in turn.says] for turn in talk.turns
    ]
    acts = [next(iter(turn)) for turn in turns]
    assert acts[:3] == ["start", "intent", "press"]
    assert {"lexicon", "timer", "helpline", "media", "left"} <= set(acts)


async def test_a_conversation_that_began_inside_a_flow_can_be_saved(
    client: TryOutClient, tmp_path: Path
) -> None:
    talk = Talk(client, locale="be", country="BY")
    await talk(kind="enter", flow="advice_block")
    await talk(kind="text", text="вайбер")

    turns = plays_as_saved(await talk.saved(), tmp_path)

    assert turns[0]["flow"] == "advice_block"
    assert turns[0]["bot"] == ["advice_block.which"]


async def test_an_editor_tries_the_files_as_they_are_now(client: TryOutClient, content: Path) -> None:
    sheet = content / "texts" / "en" / "insults.yaml"
    words = sheet.read_text(encoding="utf-8")
    before = await client.content()

    sheet.write_text(words.replace("That hurts", "That really hurts"), encoding="utf-8")
    changed = await client.content()
    turn = await Talk(client)(kind="enter", flow="insults", intent="insults")
    sheet.write_text("believe: [", encoding="utf-8")
    broken = await client.content()
    still = await Talk(client)(kind="enter", flow="insults", intent="insults")

    assert (before.live, before.readable, before.problems) == (True, True, [])
    assert (changed.live, changed.readable) == (False, True)
    assert turn.says[0].text.startswith("That really hurts")
    assert not broken.readable
    assert any("texts/en/insults.yaml, line" in problem for problem in broken.problems)
    assert still.says[0].text == turn.says[0].text


async def test_bold_words_and_links_are_tried_as_visitors_see_them(
    client: TryOutClient, content: Path
) -> None:
    sheet = content / "texts" / "en" / "insults.yaml"
    words = sheet.read_text(encoding="utf-8")
    sheet.write_text(words.replace("That hurts", "**That** hurts, [see](https://a.by)"), encoding="utf-8")

    says = (await Talk(client)(kind="enter", flow="insults", intent="insults")).says

    assert says[0].text.startswith("That hurts, see (https://a.by)")
    shown = [(run.text, run.bold, run.link) for run in says[0].runs]
    assert shown[:3] == [("That", True, ""), (" hurts, ", False, ""), ("see", False, "https://a.by")]
    assert says[1].runs == []


async def test_an_editor_can_say_what_was_meant_instead_of_the_model(
    client: TryOutClient, tried: Stage
) -> None:
    meant = await Talk(client)(kind="text", text="they call me names", means="threats")

    assert tried.rasa.asked == []
    assert meant.understood is not None
    assert (meant.understood.by, meant.understood.intent) == ("you", "threats")
    assert (meant.at and meant.at.flow) == "incident_questions"
    assert [place.flow for place in meant.under_way] == ["threats"]


REFUSED: Sequence[dict[str, Any]] = (
    {"event": {"kind": "start"}, "state": {}},
    {"event": {"kind": "start"}, "state": {"v": 1, "locale": 5}},
    {"event": {"kind": "enter", "flow": "no_such_flow"}},
    {"event": {"kind": "text", "text": "a", "means": "no_such_intent"}},
    {"event": {"kind": "text", "text": " \u202e "}},
    {"event": {"kind": "text", "text": "x" * 10_001}},
    {"event": {"kind": "press", "payload": "x" * 65}},
    {"event": {"kind": "dance"}},
    {"event": {"kind": "start"}, "country": "Belarus"},
    {"event": {"kind": "start"}, "role": "pupil"},
    {"event": {"kind": "start"}, "surname": "x"},
    {"event": {"kind": "start"}, "offered": ["x"] * 101},
    {"event": {"kind": "text", "text": "a" * 300_000}},
    {},
)


async def test_what_cannot_be_tried_is_refused_with_a_sentence(client: TryOutClient) -> None:
    for wanted in REFUSED:
        with pytest.raises(TryOutRefused) as refused:
            await client.turn(wanted)

        assert len(refused.value.sentence) > 10, wanted


TAMPERED: Sequence[dict[str, Any]] = (
    {"frames": 5},
    {"frames": [{"flow": 1, "node": 2, "intent": 3}]},
    {"turn": "often"},
    {"slots": ["x"]},
    {"wait": {"kind": 1, "token": []}},
    {"mode": "asleep"},
    {"danger": 3},
    {"said": [1]},
    {"v": 99},
    {"unknown": 1},
)


async def test_a_state_that_was_tampered_with_is_refused(client: TryOutClient) -> None:
    begun = await client.turn({"event": {"kind": "start"}})

    for change in TAMPERED:
        with pytest.raises(TryOutRefused, match="begin it again"):
            await client.turn({"event": {"kind": "media", "media": "photo"}, "state": begun.state | change})


async def test_a_state_that_names_what_is_gone_goes_on(client: TryOutClient) -> None:
    begun = await client.turn({"event": {"kind": "start"}})
    lost = begun.state | {"frames": [{"flow": "gone", "node": "gone", "intent": ""}]}

    turn = await client.turn({"event": {"kind": "text", "text": "hmm"}, "state": lost})

    assert turn.says


async def test_a_stranger_cannot_try_anything(tried: Stage) -> None:
    stranger = TryOutClient(
        tried.bot_url,
        signature=Signature("whsec_" + "YW5vdGhlciBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRl"),
        clock=utc_now,
    )
    async with httpx.AsyncClient(base_url=tried.bot_url, trust_env=False) as http:
        unsigned = [
            await http.post("/tryout/v1/turns", json={"event": {"kind": "start"}}),
            await http.post("/tryout/v1/goldens", json={}),
            await http.get("/tryout/v1/content"),
            await http.get("/tryout/v1/flows/insults"),
        ]

    with pytest.raises(BotMisunderstood):
        await stranger.content()
    await stranger.close()
    assert {answer.status_code for answer in unsigned} == {401}


async def test_a_bot_that_is_away_is_told_from_a_refusal() -> None:
    client = TryOutClient(NOWHERE, signature=Signature(SERVICE_SECRET), clock=utc_now)

    with pytest.raises(BotUnreachable):
        await client.content()
    await client.close()


async def test_every_flow_can_be_drawn_and_a_flow_that_there_is_not_is_said(client: TryOutClient) -> None:
    content = await client.content()

    drawings = await asyncio.gather(*(client.drawing(flow.name, locale="bn") for flow in content.flows[:20]))
    with pytest.raises(TryOutRefused, match="no flow"):
        await client.drawing("no_such_flow", locale="en")

    assert all(drawing.tree.startswith(drawing.name) for drawing in drawings)


async def test_no_word_that_was_tried_reaches_a_log(
    client: TryOutClient, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = f"canary{uuid4().hex}"
    talk = Talk(client)
    await talk(kind="text", text=f"{canary} i want to die")
    await talk(kind="helpline", act="wrote", text=canary)
    with pytest.raises(TryOutRefused):
        await Talk(client)(kind="text", text=canary, means=canary)
    with pytest.raises(TryOutRefused):
        await client.turn({"event": {"kind": canary}})

    logged = capsys.readouterr()

    assert canary not in json.dumps([logged.out, logged.err])
