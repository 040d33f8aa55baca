"""Is the inbox in Chatwoot set up so that cases can be answered there? And: set up what can be set up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx

from referral.cases.codes import CODES, ONLINE_HARMS
from referral.cases.coding import Occurred
from referral.cases.rules import OPERATOR_OUTCOMES
from referral.connectors.chatwoot.reading import SIDE_BAR
from referral.connectors.chatwoot.server import ChatwootServer
from referral.connectors.checking import Finding, bad, good, note

_VALUES: Mapping[str, tuple[str, ...]] = {
    "porchlight_outcome": tuple(OPERATOR_OUTCOMES),
    "porchlight_code": tuple(sorted(CODES)),
    "porchlight_occurred": tuple(Occurred),
    "porchlight_online_harm": tuple(sorted(ONLINE_HARMS)),
}
_PREPARE = "'./porchlight connectors prepare' does it."


async def check(server: ChatwootServer, *, webhook: str, signed: bool) -> Sequence[Finding]:
    """Everything there is to say about this inbox."""
    try:
        return [finding async for finding in _check(server, webhook=webhook, signed=signed)]
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        what = {401: "does not take PORCHLIGHT_CHATWOOT_TOKEN", 404: "has no such account or inbox"}
        return [bad("chatwoot", f"Chatwoot {what.get(status, f'answers with {status}')}.")]
    except httpx.HTTPError as error:
        return [bad("chatwoot", f"Chatwoot does not answer ({type(error).__name__}).")]
    except (KeyError, TypeError, ValueError, AttributeError):
        return [bad("chatwoot", "What answers at PORCHLIGHT_CHATWOOT_URL is no Chatwoot.")]


async def prepare(server: ChatwootServer, *, webhook: str) -> Sequence[str]:
    """Set the webhook of the inbox and add the fields that are missing; what was done."""
    done = []
    if (await server.inbox_settings()).get("webhook_url") != webhook:
        await server.set_webhook(webhook)
        done.append("The inbox rings at our address now.")
    there = {item["attribute_key"] for item in await server.attributes()}
    for key, label in SIDE_BAR.items():
        if key not in there:
            await server.add_attribute(key, label=label, values=_VALUES[key])
            done.append(f"Conversations have a field '{label}' now.")
    return done


async def _check(server: ChatwootServer, *, webhook: str, signed: bool) -> AsyncIterator[Finding]:
    profile = await server.profile()
    account = next((item for item in profile["accounts"] if item["id"] == server.account), None)
    if account is None:
        yield bad("chatwoot", f"The token's user does not belong to account {server.account}.")
        return
    yield good("chatwoot", "takes our token")
    if account.get("role") != "administrator":
        yield bad(
            "chatwoot",
            "The token's user is no administrator, so whoever asks for deletion could not be erased there.",
        )
    for finding in _inbox(await server.inbox_settings(), webhook=webhook, signed=signed):
        yield finding
    there = {
        item["attribute_key"]: set(item.get("attribute_values") or ()) for item in await server.attributes()
    }
    for key, label in SIDE_BAR.items():
        if key not in there:
            yield bad("chatwoot", f"Conversations lack the field '{key}' ({label}). {_PREPARE}")
        elif missing := [value for value in _VALUES[key] if value not in there[key]]:
            yield bad("chatwoot", f"The field '{key}' lacks {', '.join(missing[:5])}: delete it. {_PREPARE}")


def _inbox(inbox: Mapping[str, Any], *, webhook: str, signed: bool) -> Sequence[Finding]:
    found = []
    if inbox.get("channel_type") != "Channel::Api":
        found.append(bad("chatwoot", "The inbox is none of the kind 'API'; make one and set its number."))
    if inbox.get("webhook_url") != webhook:
        found.append(bad("chatwoot", f"The inbox does not ring at our address. {_PREPARE}"))
    if not signed:
        found.append(
            note(
                "chatwoot",
                "Rings are not signed; from Chatwoot 4.13 on set PORCHLIGHT_CHATWOOT_WEBHOOK_SECRET to the"
                " inbox's secret.",
            )
        )
    if inbox.get("greeting_enabled"):
        found.append(note("chatwoot", "The inbox's greeting is not passed on to visitors."))
    if inbox.get("csat_survey_enabled"):
        found.append(note("chatwoot", "The inbox's survey is not passed on to visitors."))
    return found
