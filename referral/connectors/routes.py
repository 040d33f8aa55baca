"""Which page do supervisors have about other systems: who is told of cases, who refers, what arrived?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.connectors.endpoints import CHOICES, MAX_ADDRESS, MAX_LABEL, Endpoints, Wanted
from referral.connectors.happenings import Audience, Kind
from referral.connectors.repository import LetterRepository, LetterState
from referral.console.door import CheckedForm, Supervisor
from referral.console.pages import page
from referral.console.views import Views
from referral.errors import FormIncomplete
from referral.services import Services, ServicesIn, TransactionIn
from referral.sources.administration import SourceAdministration
from referral.sources.repository import SourceRepository
from referral.sources.rules import MAX_NAME

router = APIRouter(prefix="/connections")

#: So many deliveries stand on a page.
ROWS = 50
#: What the table's numbers can be.
_MOST_ROWS = 2**63 - 1
_SEE_OTHER = 303


def _endpoints(services: ServicesIn, session: TransactionIn, supervisor: Supervisor) -> Endpoints:
    return Endpoints(
        session,
        privacy=services.privacy,
        private=services.settings.webhooks_private_addresses,
        by=supervisor.operator,
        now=services.clock(),
    )


def _sources(services: ServicesIn, session: TransactionIn, supervisor: Supervisor) -> SourceAdministration:
    return SourceAdministration(session, by=supervisor.operator, now=services.clock())


SourcesIn = Annotated[SourceAdministration, Depends(_sources)]
EndpointsIn = Annotated[Endpoints, Depends(_endpoints)]


@router.get("")
async def connections_page(
    services: ServicesIn,
    supervisor: Supervisor,
    session: TransactionIn,
    endpoints: EndpointsIn,
    state: str = "",
    before: Annotated[int | None, Query(ge=1, le=_MOST_ROWS)] = None,
) -> Response:
    """Every system, and the newest deliveries, without a word of anybody."""
    return await _page(
        services,
        supervisor=supervisor,
        session=session,
        endpoints=endpoints,
        state=LetterState(state) if state in tuple(LetterState) else None,
        before=before,
    )


@router.post("")
async def add(
    services: ServicesIn,
    supervisor: Supervisor,
    session: TransactionIn,
    endpoints: EndpointsIn,
    form: CheckedForm,
) -> Response:
    """A new endpoint; the page shows its secret this once."""
    wanted = _wanted(form)
    secret = await endpoints.add(wanted)
    return await _page(
        services,
        supervisor=supervisor,
        session=session,
        endpoints=endpoints,
        secret=secret,
        secret_of=wanted.label,
    )


@router.post("/sources")
async def add_source(
    services: ServicesIn,
    supervisor: Supervisor,
    session: TransactionIn,
    endpoints: EndpointsIn,
    sources: SourcesIn,
    form: CheckedForm,
) -> Response:
    """Another bot may refer visitors; the page shows its token this once."""
    name = _field(form, "name")
    token = await sources.add(name)
    return await _page(
        services,
        supervisor=supervisor,
        session=session,
        endpoints=endpoints,
        secret=token,
        secret_of=name,
    )


@router.post("/sources/{number}/revoke")
async def revoke_source(number: UUID, sources: SourcesIn, _: CheckedForm) -> Response:
    """Its token opens nothing any more."""
    await sources.revoke(number)
    return _back()


@router.post("/{name}/secret")
async def new_secret(
    name: str,
    services: ServicesIn,
    supervisor: Supervisor,
    session: TransactionIn,
    endpoints: EndpointsIn,
    _: CheckedForm,
) -> Response:
    """Another secret, beside the present one; the page shows it this once."""
    secret = await endpoints.new_secret(name)
    return await _page(
        services,
        supervisor=supervisor,
        session=session,
        endpoints=endpoints,
        secret=secret,
        secret_of=next(shown.label for shown in await endpoints.everyone() if shown.connection.name == name),
    )


@router.post("/{name}/secret/finish")
async def drop_old_secret(name: str, endpoints: EndpointsIn, _: CheckedForm) -> Response:
    """The receiver knows the new secret."""
    await endpoints.drop_old_secret(name)
    return _back()


@router.post("/{name}/off")
async def switch_off(name: str, endpoints: EndpointsIn, _: CheckedForm) -> Response:
    """Nothing more is sent there."""
    await endpoints.switch_off(name)
    return _back()


@router.post("/{name}/on")
async def switch_on(name: str, endpoints: EndpointsIn, _: CheckedForm) -> Response:
    """Send there again."""
    await endpoints.switch_on(name)
    return _back()


@router.post("/letters/{number}/again")
async def send_again(number: UUID, endpoints: EndpointsIn, _: CheckedForm) -> Response:
    """One delivery once more."""
    await endpoints.send_again(number)
    return _back()


async def _page(
    services: Services,
    *,
    supervisor: Supervisor,
    session: TransactionIn,
    endpoints: Endpoints,
    state: LetterState | None = None,
    before: int | None = None,
    secret: str | None = None,
    secret_of: str | None = None,
) -> Response:
    # What was added in this transaction must be there when it is looked for.
    await session.flush()
    letters = await LetterRepository(session).newest(state=state, before=before, limit=ROWS + 1)
    connections = await endpoints.everyone()
    record(session, Act.CASES_LISTED, now=services.clock(), by=supervisor.operator)
    return page(
        services.pages,
        "connections.html",
        operator=supervisor,
        queue=await Views(session, privacy=services.privacy, now=services.clock()).queue(),
        connections=connections,
        labels_of={shown.connection.name: shown.label for shown in connections},
        sources=await SourceRepository(session).everyone(),
        letters=letters[:ROWS],
        older=letters[ROWS - 1][0].seq if len(letters) > ROWS else None,
        state=state,
        states=tuple(LetterState),
        now=services.clock(),
        kinds=CHOICES,
        audiences=tuple(Audience),
        max_label=MAX_LABEL,
        max_name=MAX_NAME,
        max_address=MAX_ADDRESS,
        secret=secret,
        secret_of=secret_of,
    )


def _wanted(form: FormData) -> Wanted:
    try:
        return Wanted(
            label=_field(form, "label"),
            address=_field(form, "address"),
            kinds=frozenset(Kind(str(kind)) for kind in form.getlist("kinds")),
            audience=Audience(_field(form, "audience")),
            with_words=form.get("with_words") == "yes",
        )
    except ValueError:
        raise FormIncomplete from None


def _field(form: FormData, name: str) -> str:
    value = form.get(name)
    if not isinstance(value, str):
        raise FormIncomplete
    return value.strip()


def _back() -> Response:
    return RedirectResponse("/connections", status_code=_SEE_OTHER)
