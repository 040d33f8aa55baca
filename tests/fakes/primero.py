"""A local server that behaves as Primero v2's API does for one role, as strict about fields as the real one.

::

    primero = FakePrimero()
    primero.app()                                  # a Starlette application, to be served
    primero.records[number]                        # what it keeps, by id
    primero.refer(number)                          # whether a case worker could refer the record on
    primero.forms[0]["fields"].append(...)         # another deployment has other fields
    primero.access["consent"] = "r"                # and another role

What it enforces stands in Primero's own sources (``primeroims/primero``, 2.x): HTTP Basic or a token,
``RecordJsonValidatorService`` (unknown or unpermitted names and wrong types are 422, with the name in
``errors[].detail``), ``PermittedFieldService`` and ``PermittedFormFieldsService`` (only fields of forms that
the role may write; ``id`` on creation only), 204 for a record made under an id of the caller's, 409 for an id
that is there, ``PATCH`` that merges, ``DELETE`` that hides and deletes nothing, consent before a referral.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

USER, PASSWORD, TOKEN = "porchlight", "a password of Primero", "a-token"
MODULE = "primeromodule-cp"

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CORE: Mapping[str, Callable[[Any], bool]] = {
    "id": lambda value: isinstance(value, str) and _UUID.fullmatch(value) is not None,
    "status": lambda value: isinstance(value, str),
    "record_state": lambda value: isinstance(value, bool),
    "owned_by": lambda value: isinstance(value, str),
    "module_id": lambda value: value in ("primeromodule-cp", "primeromodule-gbv", "primeromodule-mrm"),
}


def _field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "editable": True,
        "disabled": False,
        "visible": True,
        "multi_select": False,
        "display_name": {"en": name},
        "option_strings_source": None,
    } | more


def _form(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "unique_id": name,
        "name": {"en": name},
        "parent_form": "case",
        "module_ids": [MODULE],
        "is_nested": False,
        "visible": True,
        "fields": list(fields),
    }


def _lookup(name: str, *options: str) -> dict[str, Any]:
    return {
        "unique_id": name,
        "name": {"en": name},
        "values": [{"id": option, "display_text": {"en": option}} for option in options],
    }


def default_forms() -> list[dict[str, Any]]:
    """The part of the forms that Primero comes with that anybody would map to."""
    return [
        _form(
            "basic_identity",
            _field("name_first", "text_field"),
            _field("sex", "select_box", option_strings_source="lookup lookup-gender"),
            _field("age", "numeric_field"),
            _field("registration_date", "date_field"),
            _field("location_current", "select_box", option_strings_source="Location"),
        ),
        _form(
            "consent",
            _field("consent_for_services", "tick_box"),
            _field("disclosure_other_orgs", "tick_box"),
        ),
        _form(
            "protection_concern",
            _field("risk_level", "select_box", option_strings_source="lookup lookup-risk-level"),
            _field("urgent_protection_concern", "radio_button", option_strings_source="lookup lookup-yes-no"),
            _field(
                "protection_concerns",
                "select_box",
                multi_select=True,
                option_strings_source="lookup lookup-protection-concerns",
            ),
            _field("protection_concerns_other", "text_field"),
        ),
        _form("services", _field("services_section", "subform"), _field("a_heading", "separator")),
    ]


def default_lookups() -> list[dict[str, Any]]:
    """The lists that those forms take their options from."""
    return [
        _lookup("lookup-gender", "male", "female"),
        _lookup("lookup-yes-no", "true", "false"),
        _lookup("lookup-risk-level", "high", "medium", "low"),
        _lookup(
            "lookup-protection-concerns",
            "sexually_exploited",
            "gbv_survivor",
            "trafficked_smuggled",
            "physically_or_mentally_abused",
            "mentally_distressed",
            "child_headed_household",
            "other",
        ),
    ]


class _Refused(Exception):
    def __init__(self, status: int, *details: str) -> None:
        super().__init__(status)
        self.status = status
        self.details = details


class FakePrimero:
    """Primero for one user."""

    def __init__(self) -> None:
        self.forms = default_forms()
        self.lookups = default_lookups()
        #: What the role may do with each form.
        self.access = {form["unique_id"]: "rw" for form in self.forms}
        self.actions = ["read", "create", "write", "enable_disable_record", "referral"]
        self.password = PASSWORD
        self.records: dict[str, dict[str, Any]] = {}
        #: What was done to each record, once for each change.
        self.history: dict[str, list[str]] = {}

    def app(self) -> Starlette:
        """The API."""
        return Starlette(
            routes=[Route("/api/v2/{path:path}", self.receive, methods=["GET", "POST", "PATCH", "DELETE"])]
        )

    async def receive(self, request: Request) -> Response:
        """One request, carried out."""
        return self.answer(request, await request.body())

    def answer(self, request: Request, body: bytes) -> Response:
        """The same with a body that was read already."""
        try:
            return self._answer(request, body)
        except _Refused as refused:
            errors = [
                {"code": refused.status, "resource": request.url.path, "message": "refused", "detail": detail}
                for detail in refused.details or ("",)
            ]
            return JSONResponse({"errors": errors}, status_code=refused.status)

    def refer(self, number: str) -> bool:
        """True if a case worker may refer this record to somebody else (``Referral#consent_given?``)."""
        record = self.records[number]
        return bool(record.get("consent_for_services") and record.get("disclosure_other_orgs"))

    def _answer(self, request: Request, body: bytes) -> Response:
        content = json.loads(body) if body else {}
        path = request.path_params["path"]
        if path == "tokens" and request.method == "POST":
            if content["user"] != {"user_name": USER, "password": self.password}:
                raise _Refused(401)
            who = {"id": 7, "user_name": USER, "group_permission": "self"}
            return JSONResponse(who, headers={"authorization": f"Bearer {TOKEN}"})
        self._authenticate(request)
        match request.method, path.split("/"):
            case "GET", ["users", "7"]:
                return JSONResponse(
                    {"data": self._user(extended=request.query_params.get("extended") == "true")}
                )
            case "GET", ["forms"]:
                return JSONResponse({"data": self.forms})
            case "GET", ["lookups"]:
                return self._page(self.lookups, request)
            case "POST", ["cases"]:
                return self._create(content["data"])
            case "PATCH", ["cases", number]:
                return self._change(number, content["data"])
            case "DELETE", ["cases", number]:
                return self._change(number, {"record_state": False})
            case "POST", ["cases", number, "referrals"]:
                if not self.refer(number) and not content["data"].get("consent_overridden"):
                    raise _Refused(422, "consent")
                return JSONResponse({"data": {"status": "in_progress"}})
        raise _Refused(404)

    def _authenticate(self, request: Request) -> None:
        basic = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        if request.headers.get("authorization") not in (f"Basic {basic}", f"Bearer {TOKEN}"):
            raise _Refused(401)

    def _user(self, *, extended: bool) -> dict[str, Any]:
        user = {"id": 7, "user_name": USER, "role_unique_id": "role-porchlight"}
        if not extended:
            return user
        return user | {
            "permissions": {"list": [{"resource": "cases", "actions": self.actions}]},
            "permitted_form_unique_ids": list(self.access),
            "permitted_form": self.access,
        }

    def _page(self, items: list[Any], request: Request) -> Response:
        per, page = int(request.query_params.get("per", 20)), int(request.query_params.get("page", 1))
        metadata = {"total": len(items), "per": per, "page": page}
        return JSONResponse({"data": items[per * (page - 1) : per * page], "metadata": metadata})

    def _create(self, data: dict[str, Any]) -> Response:
        if "create" not in self.actions:
            raise _Refused(403)
        self._validate(data, core=frozenset(_CORE))
        number = data.get("id", f"{len(self.records):08x}-0000-4000-8000-000000000000")
        if number in self.records:
            raise _Refused(409, "id")
        self.records[number] = {"owned_by": USER, "record_state": True} | data | {"id": number}
        self.history[number] = ["created"]
        if "id" in data:
            return Response(status_code=204)
        return JSONResponse({"data": self.records[number]})

    def _change(self, number: str, data: dict[str, Any]) -> Response:
        if number not in self.records:
            raise _Refused(404)
        if "write" not in self.actions or (
            "record_state" in data and "enable_disable_record" not in self.actions
        ):
            raise _Refused(403)
        self._validate(data, core=frozenset(_CORE) - {"id"})
        before = dict(self.records[number])
        self.records[number] |= data
        changed = sorted(name for name in data if before.get(name) != data[name])
        if changed:
            self.history[number].append("changed " + ", ".join(changed))
        return JSONResponse({"data": {"id": number} | data})

    def _validate(self, data: Mapping[str, Any], *, core: frozenset[str]) -> None:
        fields = {
            field["name"]: field
            for form in self.forms
            if self.access.get(form["unique_id"]) == "rw"
            for field in form["fields"]
        }
        wrong = [
            name
            for name, value in data.items()
            if not (
                _CORE[name](value) if name in core else name in fields and self._fits(fields[name], value)
            )
        ]
        if wrong:
            raise _Refused(422, *wrong)

    def _fits(self, field: Mapping[str, Any], value: Any) -> bool:
        options = self._options(field)
        match field["type"]:
            case "tick_box":
                return isinstance(value, bool)
            case "text_field" | "textarea":
                return value is None or isinstance(value, str)
            case "numeric_field":
                return value is None or type(value) is int
            case "date_field":
                return value is None or _is_date(value)
            case "radio_button":
                flags = bool(options) and set(options) <= {"true", "false"}
                return value is None or value in options or (flags and isinstance(value, bool))
            case "select_box" if field["multi_select"]:
                return value is None or (isinstance(value, list) and all(item in options for item in value))
            case "select_box":
                return value is None or (isinstance(value, str) and value in options)
        return False

    def _options(self, field: Mapping[str, Any]) -> list[str]:
        name = (field["option_strings_source"] or "").removeprefix("lookup ")
        return [
            value["id"]
            for lookup in self.lookups
            if lookup["unique_id"] == name
            for value in lookup["values"]
        ]


def _is_date(value: Any) -> bool:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True
