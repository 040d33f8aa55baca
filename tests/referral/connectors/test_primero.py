"""Primero: what becomes of a case there, what a mapping file may say, what the check tells before go-live."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from referral.cases.rules import CaseState, DangerLevel
from referral.config import Settings
from referral.connectors.checking import Finding, Grade
from referral.connectors.happenings import (
    Audience,
    Closed,
    Coding,
    Consent,
    DangerRaised,
    Facts,
    Forgotten,
    Happening,
    Opened,
)
from referral.connectors.primero.check import check
from referral.connectors.primero.mapping import MappingInvalid, load, read
from referral.connectors.protocol import Answer, Arrived, Letter, Refused, Unavailable
from referral.operators.rules import Role
from tests.fakes.primero import PASSWORD, USER
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.connectors.primero import PrimeroReceiver
from tests.referral.desk import eventually, running
from tests.referral.serving import SERVICE_SECRET, FakeBot, serving

_AT = datetime(2026, 11, 29, 2, tzinfo=UTC)
_PATIENCE = timedelta(seconds=30)
_CONSENT = Consent(sentence="The helpline may pass this on.", others=True)


@pytest.fixture
def primero(clock: Time) -> PrimeroReceiver:
    return PrimeroReceiver(clock)


def facts(number: UUID, **changes: object) -> Facts:
    """A child in Belarus."""
    values = {
        "number": number,
        "designation": "quiet heron",
        "state": CaseState.WAITING,
        "danger": DangerLevel.CONCERN,
        "channel": "telegram",
        "locale": "ru",
        "country": "BY",
        "role": "child",
        "reason": "insults",
        "opened_at": _AT,
        "received_at": _AT,
    }
    return Facts.model_validate(values | changes)


def opened(number: UUID, *, consent: Consent | None = _CONSENT, **changes: object) -> Opened:
    """The beginning of a case."""
    card = {"harm": "insults", "how_long": "weeks"} if consent else None
    return Opened(at=_AT, case=facts(number, **changes), consent=consent, card=card)


def closed(number: UUID) -> Closed:
    """Its end."""
    coding = Coding(
        outcome="school",
        code="violence.cyberbullying",
        occurred="online",
        online_harm="harassment",
        counselled=True,
        actions=("school",),
    )
    return Closed(
        at=_AT,
        case=facts(number, state=CaseState.CLOSED),
        consent=_CONSENT,
        card={"harm": "insults"},
        coding=coding,
    )


async def tell(primero: PrimeroReceiver, *happenings: Happening) -> list[Answer]:
    """What our connector makes of Primero's answers."""
    async with _served(primero) as (client, url):
        connector = primero.connector(client, url=url, patience=_PATIENCE)
        return [
            await connector.send(Letter(number=uuid4(), attempt=1, happening=happening), now=_AT)
            for happening in happenings
        ]


async def findings(primero: PrimeroReceiver, folder: Path | None = None) -> Sequence[Finding]:
    """What the check says of our own mapping files, or those of a folder."""
    mappings, problems = read(folder)
    assert problems == []
    wanted = {"BY": mappings["BY"]}
    async with _served(primero) as (client, url):
        return await check(primero.server(client, url=url, patience=_PATIENCE), wanted)


def refused(found: Sequence[Finding]) -> list[str]:
    """The sentences about what would be refused."""
    return [finding.sentence for finding in found if finding.grade is Grade.BAD]


@asynccontextmanager
async def _served(primero: PrimeroReceiver) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    async with serving(primero.app()) as url, httpx.AsyncClient(trust_env=False) as client:
        yield client, url


async def test_a_case_becomes_a_record_that_case_workers_can_refer_on(primero: PrimeroReceiver) -> None:
    number = uuid4()
    answers = await tell(primero, opened(number, danger=DangerLevel.EMERGENCY))

    record = primero.records[str(number)]
    assert answers == [Arrived(reference=str(number))]
    assert record["name_first"] == "quiet heron"
    assert record["risk_level"] == "high"
    assert record["urgent_protection_concern"] == "true"
    assert record["protection_concerns"] == ["other"]
    assert "how long: weeks" in record["protection_concerns_other"]
    assert record["registration_date"] == "2026-11-29"
    assert primero.refer(str(number))


async def test_whoever_agreed_to_the_helpline_alone_cannot_be_referred_on(primero: PrimeroReceiver) -> None:
    number = uuid4()
    await tell(primero, opened(number, consent=Consent(sentence="An operator reads it.", others=False)))

    assert primero.records[str(number)]["consent_for_services"] is True
    assert not primero.refer(str(number))


async def test_without_consent_there_is_no_record(primero: PrimeroReceiver) -> None:
    number = uuid4()
    answers = await tell(primero, opened(number, consent=None))

    assert answers == [Arrived()]
    assert primero.records == {}


async def test_the_end_adds_the_code_and_leaves_the_rest_to_case_workers(primero: PrimeroReceiver) -> None:
    number = uuid4()
    await tell(primero, opened(number))
    primero.records[str(number)] |= {"name_first": "Somebody's name", "risk_level": "high"}
    await tell(primero, closed(number))

    record = primero.records[str(number)]
    assert "code: violence.cyberbullying" in record["protection_concerns_other"]
    assert (record["name_first"], record["risk_level"], record["status"]) == (
        "Somebody's name",
        "high",
        "open",
    )


async def test_more_danger_reaches_the_record(primero: PrimeroReceiver) -> None:
    number = uuid4()
    case = facts(number, danger=DangerLevel.EMERGENCY)
    await tell(primero, opened(number), DangerRaised(at=_AT, case=case, consent=_CONSENT, card={}))

    assert primero.records[str(number)]["risk_level"] == "high"


async def test_the_same_letter_twice_makes_one_record(primero: PrimeroReceiver) -> None:
    number = uuid4()
    answers = await tell(primero, opened(number), opened(number))

    assert answers == [Arrived(reference=str(number))] * 2
    assert primero.heard(number) == ["created"]


async def test_a_deletion_empties_and_hides_the_record_and_says_what_remains(
    primero: PrimeroReceiver,
) -> None:
    number = uuid4()
    answers = await tell(primero, opened(number), Forgotten(at=_AT, number=number))

    record = primero.records[str(number)]
    assert not primero.knows(number)
    assert record["record_state"] is False
    assert isinstance(answers[1], Arrived)
    assert "history" in (answers[1].remains or "")


async def test_supervisors_read_that_a_deletion_leaves_the_history(
    primero: PrimeroReceiver, database: str, bot: FakeBot, clock: Time
) -> None:
    async with serving(primero.app()) as url, serving(bot.app()) as bot_url:
        settings = Settings(
            referral_database_url=database,
            referral_secret_key=SECRET_KEY,
            service_secret=SERVICE_SECRET,
            bot_url=bot_url,
            primero_url=url,
            primero_user=USER,
            primero_password=PASSWORD,
            primero_audience=Audience.HELPLINE,
        )
        async with (
            running(settings, clock=clock) as service,
            service.as_bot() as child,
            service.as_operator("sam", role=Role.SUPERVISOR) as sam,
        ):

            async def page() -> str:
                return await sam.see("/connections")

            await eventually(page, lambda seen: "primero" in seen)
            case = await child.open()
            await eventually(page, lambda seen: "Arrived" in seen)
            await child.post(f"/v1/cases/{case}/forget")
            await eventually(page, lambda seen: "administrator must erase its history" in seen)


async def test_a_deletion_of_what_never_arrived_is_done(primero: PrimeroReceiver) -> None:
    assert await tell(primero, Forgotten(at=_AT, number=uuid4())) == [Arrived()]


async def test_a_refusal_names_the_fields_and_no_words(primero: PrimeroReceiver) -> None:
    primero.access["protection_concern"] = "r"
    (answer,) = await tell(primero, opened(uuid4()))

    assert isinstance(answer, Refused)
    assert answer.reason.startswith("422 risk_level")
    assert "weeks" not in answer.reason


async def test_a_wrong_password_parks_nothing(primero: PrimeroReceiver) -> None:
    primero.password = "another"
    assert await tell(primero, opened(uuid4())) == [Unavailable(reason="401")]


async def test_a_country_without_a_mapping_is_for_somebody_to_look_at(primero: PrimeroReceiver) -> None:
    (answer,) = await tell(primero, opened(uuid4(), country="PL"))
    assert isinstance(answer, Refused)


async def test_our_own_mappings_fit_the_forms_that_primero_comes_with(primero: PrimeroReceiver) -> None:
    found = await findings(primero)

    assert refused(found) == []
    assert "Primero takes all 8 fields" in [finding.sentence for finding in found]
    assert primero.records == {}


async def test_the_check_foretells_what_primero_would_refuse(primero: PrimeroReceiver) -> None:
    primero.forms[0]["fields"][0]["name"] = "name_firs"
    primero.lookups[2]["values"].pop()
    primero.access["consent"] = "r"
    primero.forms[2]["fields"][1] |= {"type": "tick_box", "option_strings_source": None}
    primero.actions.remove("enable_disable_record")

    sentences = refused(await findings(primero))
    (answer,) = await tell(primero, opened(uuid4()))

    assert sentences == [
        "Our role lacks the permission 'enable_disable_record' for cases, which we need to hide a record"
        " whose visitor asked for deletion.",
        "'name_first' is on no form of this module. Did you mean 'name_firs'?",
        "'consent_for_services' stands on the form 'consent', which our role may only read.",
        "'disclosure_other_orgs' stands on the form 'consent', which our role may only read.",
        "'risk_level' has no option low; it has high, medium.",
        "'urgent_protection_concern' is a tick_box in Primero, which takes true or false only.",
    ]
    # What was foretold is what happens.
    assert isinstance(answer, Refused)
    assert set(re.findall(r"name_first|consent_for_services|disclosure_other_orgs", answer.reason)) == {
        "name_first",
        "consent_for_services",
        "disclosure_other_orgs",
    }


async def test_the_check_says_when_a_list_needs_a_list(primero: PrimeroReceiver) -> None:
    primero.forms[2]["fields"][0]["multi_select"] = True
    assert refused(await findings(primero)) == [
        "'risk_level' is a select_box with several choices in Primero, so write 'as_list: true'."
    ]


async def test_the_check_says_who_is_not_let_in(primero: PrimeroReceiver) -> None:
    primero.password = "another"
    assert refused(await findings(primero)) == [
        "Primero does not take PORCHLIGHT_PRIMERO_USER with PORCHLIGHT_PRIMERO_PASSWORD."
    ]


async def test_the_check_says_when_nobody_answers() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        server = PrimeroReceiver(Time()).server(client, url="http://127.0.0.1:9", patience=_PATIENCE)
        assert refused(await check(server, load())) == ["Primero does not answer (ConnectError)."]


def test_every_problem_of_a_mapping_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "PL.yaml").write_text(
        """\
country: BY
module: primeromodule
fields:
  id: {take: case_number}
  name_first: {take: designaton}
  risk_level: {take: danger, options: {none: low, sever: high}}
  sex: {always: unknown, take: role}
  consent_for_services: {always: true}
""",
        "utf-8",
    )

    with pytest.raises(MappingInvalid) as error:
        load(tmp_path)

    lines = str(error.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        f"PL.yaml:{n}" for n in (1, 2, 4, 5, 6, 6, 7, 8, 3)
    ]
    assert "did you mean 'designation'?" in lines[3]
    assert "an 'otherwise', since there is none for concern, urgent, emergency" in lines[5]
    assert "must be taken from consent_given" in lines[7]
    assert "'disclosure_other_orgs' is missing" in lines[8]


def test_a_folder_of_ones_own_replaces_our_file_of_that_country(tmp_path: Path) -> None:
    (tmp_path / "BY.yaml").write_text(
        """\
country: BY
module: primeromodule-cp
owned_by: nina
fields:
  consent_for_services: {take: consent_given}
  disclosure_other_orgs: {take: consent_for_others}
  since_when: {take: card.how_long}
""",
        "utf-8",
    )

    mappings = load(tmp_path)
    record = mappings["BY"].created(opened(uuid4()))

    assert set(mappings) == {"BY", "BD"}
    assert (record["owned_by"], record["since_when"]) == ("nina", "weeks")
