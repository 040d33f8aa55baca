"""Everything that the dashboard and the alerts ask for exists, and every alert says what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

import bot.metrics  # noqa: F401  # Registers what the bot counts.
from referral.metrics import Metrics

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker" / "observe"


def read(name: str) -> Any:
    """A file of the folder; JSON is YAML as well."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


ALERTS: list[dict[str, Any]] = read("alerts.yaml")["groups"][0]["rules"]
QUESTIONS: dict[str, str] = {alert["alert"]: alert["expr"] for alert in ALERTS} | {
    panel["title"]: target["expr"]
    for panel in json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    for target in panel["targets"]
}

#: A series and the labels that are asked for, or by which it is summed.
_SERIES = re.compile(r"(porchlight_\w+)(?:\{([^}]*)\})?")
_BY = re.compile(r"by \(([^)]*)\)")
_LABEL = re.compile(r'(\w+)(?:=|!=|=~|!~)"')
#: What Prometheus adds by itself.
_ADDED = frozenset({"le", "instance", "job"})


def known() -> dict[str, frozenset[str]]:
    """Every series that the services have, with its labels."""
    found: dict[str, frozenset[str]] = {}
    for registry in (REGISTRY, Metrics().registry):
        for collector, names in registry._collector_to_names.items():
            labels = frozenset(getattr(collector, "_labelnames", ()))
            found |= {name: found.get(name, frozenset()) | labels for name in names}
    return found


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_what_is_asked_for_exists(question: str) -> None:
    series = known()
    asked = _SERIES.findall(question)

    assert asked
    for name, labels in asked:
        assert name in series
        assert set(_LABEL.findall(labels)) <= series[name] | _ADDED
    summed = {label.strip() for labels in _BY.findall(question) for label in labels.split(",")}
    assert summed <= frozenset[str]().union(*(series[name] for name, _ in asked)) | _ADDED
    assert question.count("(") == question.count(")")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_says_what_to_do(alert: dict[str, Any]) -> None:
    file, _, anchor = alert["annotations"]["runbook"].partition("#")
    sections = re.findall(r"^## (.+)\n\n(.+)$", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    told = {re.sub(r"[^a-z0-9-]", "", title.lower().replace(" ", "-")): words for title, words in sections}

    assert alert["annotations"]["summary"].endswith(".")
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert len(told[anchor].split()) > 8


def test_prometheus_asks_the_services_of_compose() -> None:
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))
    asked = {
        name
        for job in read("prometheus.yaml")["scrape_configs"]
        for each in job["dns_sd_configs"]
        for name in each["names"]
    }

    assert asked <= set(compose["services"])
