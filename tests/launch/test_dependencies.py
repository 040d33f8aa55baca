"""What we are made of: a release stops at a known hole, and the bill of materials leaves nothing out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.launch.dependencies import FENCED, LOCKS, read_audit, write_bill
from bot.launch.site import Site

FOUND = {"id": "PYSEC-2030-1", "fix_versions": ["2.0"], "aliases": [], "description": "…"}


def _answer(*packages: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_known_hole_in_the_product_stops_a_release() -> None:
    audit = read_audit(_answer({"name": "lamp", "version": "1.0", "vulns": [FOUND]}), lock="product")

    assert audit.refused
    assert [str(each) for each in audit.advisories] == ["product: lamp 1.0: PYSEC-2030-1, mended in 2.0"]


def test_the_fenced_models_packages_are_listed_but_stop_nothing() -> None:
    audit = read_audit(_answer({"name": "lamp", "version": "1.0", "vulns": [FOUND]}), lock="model")

    assert "model" in FENCED
    assert audit.advisories
    assert not audit.refused


def test_what_could_not_be_asked_is_counted_and_never_called_sound() -> None:
    known = {"name": "lamp", "version": "1.0", "vulns": []}

    audit = read_audit(_answer(known, {"name": "wick", "skip_reason": "not found"}), lock="product")

    assert (audit.asked, audit.unknown) == (2, 1)


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        read_audit("", lock="product")


def test_the_bill_of_materials_lists_every_package_of_the_lock_file(tmp_path: Path) -> None:
    site = Site.here()

    files = write_bill(site, tmp_path)

    for file, lock in zip(files, LOCKS.values(), strict=True):
        locked = set(re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==", (site.root / lock).read_text(), re.MULTILINE))
        listed = {component["name"] for component in json.loads(file.read_text())["components"]}
        assert listed == locked
