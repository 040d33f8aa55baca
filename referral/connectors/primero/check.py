"""Which fields of a mapping would this Primero refuse? Asked before go-live, and without making a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import httpx

from referral.connectors.checking import Finding, Grade, bad, good, note
from referral.connectors.primero.mapping import CountryMapping, MappedField, Mappings
from referral.connectors.primero.server import PrimeroServer
from referral.connectors.primero.sources import Shape

#: Lists of a deployment number some hundreds at most; Primero gives pages.
_LOOKUPS_PER_PAGE = 1_000
_MOST_PAGES = 20

_LOOKUP = "lookup "
#: Lists that are not lookups: places, agencies, users. Their options cannot be told before.
_LISTS_OF_RECORDS = ("Location", "ReportingLocation", "Agency", "User", "Facility")
_TEXTS = ("text_field", "textarea")
#: Every other kind cannot be written through the API, or not by us.
_WRITABLE = (*_TEXTS, "radio_button", "tick_box", "select_box", "numeric_field", "date_field")

#: What the connector's role must be allowed to do with cases, and why.
_ACTIONS = {
    "create": "to make records",
    "write": "to add how a case ended",
    "enable_disable_record": "to hide a record whose visitor asked for deletion",
}
_EVERYTHING = "manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field as Primero describes it."""

    name: str
    form: str
    kind: str
    multi_select: bool
    #: The ids that it accepts; None where any word is fine, or nobody can tell before.
    options: tuple[str, ...] | None
    #: What the connector's role may do with the form it stands on: ``rw``, ``r`` or nothing.
    access: str


async def check(server: PrimeroServer, mappings: Mappings) -> Sequence[Finding]:
    """Everything there is to say about these mappings and this server."""
    try:
        return [finding async for finding in _check(server, mappings)]
    except httpx.HTTPError as error:
        return [bad("PORCHLIGHT_PRIMERO_URL", f"Primero does not answer ({type(error).__name__}).")]
    except _Unanswered as answer:
        return [bad("PORCHLIGHT_PRIMERO_URL", str(answer))]
    except (KeyError, TypeError, ValueError, AttributeError):
        return [bad("PORCHLIGHT_PRIMERO_URL", "What answers there is no Primero of version 2.")]


class _Unanswered(Exception):
    """Primero refused a question that everything else hangs on."""


async def _check(server: PrimeroServer, mappings: Mappings) -> Any:
    user = await _user(server)
    yield good("sign-in", f"Primero knows us as {user['user_name']}")
    for finding in _permissions(user):
        yield finding
    lookups = await _lookups(server)
    for mapping in mappings.values():
        fields = await _fields(server, mapping.module, lookups=lookups, user=user)
        for finding in judge(mapping, fields):
            yield finding


async def _user(server: PrimeroServer) -> Mapping[str, Any]:
    who = await server.sign_in()
    if who.status_code == 401:
        raise _Unanswered("Primero does not take PORCHLIGHT_PRIMERO_USER with PORCHLIGHT_PRIMERO_PASSWORD.")
    response = await server.user(_data(who, "Primero does not let us sign in")["id"])
    user: Mapping[str, Any] = _data(response, "Our role may not read its own permissions")
    return user


def _permissions(user: Mapping[str, Any]) -> Iterator[Finding]:
    listed = user.get("permissions", {}).get("list", [])
    allowed = {action for item in listed if item["resource"] == "cases" for action in item["actions"]}
    missing = {} if _EVERYTHING in allowed else {k: why for k, why in _ACTIONS.items() if k not in allowed}
    for action, why in missing.items():
        yield bad("role", f"Our role lacks the permission '{action}' for cases, which we need {why}.")
    if not missing:
        yield good("role", "may make, change and hide cases")


async def _lookups(server: PrimeroServer) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for page in range(1, _MOST_PAGES + 1):
        response = await server.lookups(page=page, per=_LOOKUPS_PER_PAGE)
        lists = _data(response, "Our role may not read lookups")
        for item in lists:
            found[item["unique_id"]] = tuple(str(value["id"]) for value in item["values"])
        if len(lists) < _LOOKUPS_PER_PAGE:
            break
    return found


async def _fields(
    server: PrimeroServer,
    module: str,
    *,
    lookups: Mapping[str, tuple[str, ...]],
    user: Mapping[str, Any],
) -> Mapping[str, FormField]:
    """Each field by its name; one that stands on several forms as on the one that opens it widest."""
    access = user.get("permitted_form") or dict.fromkeys(user.get("permitted_form_unique_ids", ()), "rw")
    found: dict[str, FormField] = {}
    for form in _data(await server.forms(module=module), "Our role may not read forms"):
        if module not in form.get("module_ids", [module]) or form.get("is_nested"):
            continue
        for raw in form.get("fields", ()):
            described = FormField(
                name=raw["name"],
                form=form["unique_id"],
                kind=raw["type"],
                multi_select=bool(raw.get("multi_select")),
                options=_options(raw, lookups=lookups),
                access=access.get(form["unique_id"], ""),
            )
            known = found.get(described.name)
            if known is None or len(described.access) > len(known.access):
                found[described.name] = described
    return found


def _options(raw: Mapping[str, Any], *, lookups: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    source = raw.get("option_strings_source") or ""
    if source.startswith(_LISTS_OF_RECORDS):
        return None
    if source.startswith(_LOOKUP):
        return lookups.get(source.removeprefix(_LOOKUP).strip(), ())
    text = raw.get("option_strings_text") or ()
    # Older servers keep a list for each language.
    items = next(iter(text.values()), ()) if isinstance(text, dict) else text
    return tuple(str(item["id"]) for item in items) or None


def judge(mapping: CountryMapping, fields: Mapping[str, FormField]) -> Iterator[Finding]:
    """What this server would say to each field of a mapping."""
    refused = 0
    for item in mapping.fields:
        subject = f"{mapping.file}:{item.line}"
        for finding in _judge_field(item, fields.get(item.name), names=tuple(fields), subject=subject):
            refused += finding.grade is Grade.BAD
            yield finding
    if not refused:
        yield good(mapping.file, f"Primero takes all {len(mapping.fields)} fields")


def _judge_field(
    item: MappedField, found: FormField | None, *, names: Sequence[str], subject: str
) -> Iterator[Finding]:
    if found is None:
        close = get_close_matches(item.name, names, n=1)
        meant = f" Did you mean '{close[0]}'?" if close else ""
        yield bad(subject, f"'{item.name}' is on no form of this module.{meant}")
        return
    if found.access != "rw":
        may = "only read" if found.access else "not open"
        yield bad(subject, f"'{item.name}' stands on the form '{found.form}', which our role may {may}.")
    if found.kind not in _WRITABLE:
        yield bad(subject, f"'{item.name}' is a {found.kind}, which cannot be filled from outside.")
        return
    if problem := _wrong_kind(item, found):
        yield bad(subject, f"'{item.name}' is a {_called(found)} in Primero, {problem}.")
    elif found.kind in ("select_box", "radio_button"):
        yield from _judge_options(item, found, subject=subject)


def _called(found: FormField) -> str:
    return f"{found.kind} with several choices" if found.multi_select else found.kind


def _wrong_kind(item: MappedField, found: FormField) -> str:
    """How the shape of what we send misses the kind of the field; empty if it does not."""
    shape = item.take.shape if item.take else None
    sent = item.possible() or ()
    flags = any(isinstance(value, bool) for value in sent)
    lists = item.as_list or shape is Shape.CHOICES or any(isinstance(value, list) for value in sent)
    match found.kind:
        case "tick_box" if not flags or not all(isinstance(value, bool) for value in sent):
            return "which takes true or false only"
        case "date_field" if shape is not Shape.DATE and not item.always:
            return "and what we would send is no date"
        case "numeric_field" if not all(type(value) is int for value in sent) or not sent:
            return "and what we would send is no number"
        case "select_box" if found.multi_select and not lists:
            return "so write 'as_list: true'"
        case "select_box" | "radio_button" if lists and not found.multi_select:
            return "so it takes one word and no list"
        case "select_box" if flags:
            return "so it needs 'options' for true and false"
        case "radio_button" if flags and not set(found.options or ()) <= {"true", "false"}:
            return "so it needs 'options' for true and false"
        case "text_field" | "textarea" if flags or lists:
            return "and what we would send is no text"
    return ""


def _judge_options(item: MappedField, found: FormField, *, subject: str) -> Iterator[Finding]:
    if found.options is None:
        yield note(subject, f"'{item.name}' takes its options from a list of records; try one case by hand.")
        return
    sent = item.possible()
    if sent is None:
        yield bad(subject, f"'{item.name}' takes certain words only, so it needs 'options' and 'otherwise'.")
        return
    words = dict.fromkeys(
        str(word).lower() if isinstance(word, bool) else str(word)
        for value in sent
        for word in (value if isinstance(value, list) else [value])
    )
    wrong = [word for word in words if word not in found.options]
    if wrong:
        there = ", ".join(found.options[:12]) + (", …" if len(found.options) > 12 else "")
        yield bad(
            subject,
            f"'{item.name}' has no option {', '.join(wrong)}; it has {there or 'none at all'}.",
        )


def _data(response: httpx.Response, refusal: str) -> Any:
    if response.status_code in (401, 403):
        raise _Unanswered(f"{refusal} ({response.status_code}).")
    if not response.is_success:
        raise _Unanswered(f"Primero answers with {response.status_code}.")
    body = response.json()
    return body.get("data", body)
