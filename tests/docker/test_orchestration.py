"""Do compose and Kubernetes start what there is, hand out secrets sparingly, and keep the doors shut?"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config import Settings as BotSettings
from referral.config import Settings as DeskSettings
from tests.docker.image import DOCKER, NAMES, ROOT, image

NEEDED = (
    "POSTGRES_PASSWORD",
    "PORCHLIGHT_SECRET_KEY",
    "PORCHLIGHT_REFERRAL_SECRET_KEY",
    "PORCHLIGHT_SERVICE_SECRET",
    "PORCHLIGHT_REPLICATION_PASSWORD",
)
FILLED_IN = dict.fromkeys(NEEDED, "filled-in")
LAYERS = {"one machine": ["compose.yaml"], "many": ["compose.yaml", "compose.scale.yaml"]}
OURS = ("bot", "bot-worker", "bot-migrate", "nlu", "nlu-2", "referral", "referral-migrate", "caddy")
#: What only the launcher or the tests read, and what the images fix by themselves.
NOT_IN_CONTAINERS = {
    "content_dir",
    "telegram_api_url",
    "viber_api_url",
    "primero_mapping_dir",
    "master_keys_file",
}
KUBERNETES = sorted((DOCKER / "kubernetes").glob("*.yaml"))


def _compose(files: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    named = [word for file in files for word in ("-f", str(DOCKER / file))]
    clean = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(
        [str(shutil.which("docker-compose")), *named, "config"],
        capture_output=True,
        text=True,
        check=False,
        env=clean,
    )


@pytest.fixture(scope="module", params=LAYERS)
def composed(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What compose makes of its files when everything is filled in."""
    answer = _compose(LAYERS[request.param], FILLED_IN)
    assert answer.returncode == 0, answer.stderr
    return dict(yaml.safe_load(answer.stdout))


@pytest.mark.parametrize("missing", NEEDED)
def test_compose_starts_nothing_without_a_secret(missing: str) -> None:
    environment = {name: value for name, value in FILLED_IN.items() if name != missing}

    answer = _compose(LAYERS["many"], environment)

    assert answer.returncode != 0
    assert missing in answer.stderr


def test_containers_are_hardened(composed: dict[str, Any]) -> None:
    for name in OURS:
        if (service := composed["services"].get(name)) is not None:
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
            assert "no-new-privileges:true" in service["security_opt"], name


def test_only_the_front_door_is_open(composed: dict[str, Any]) -> None:
    assert [name for name, service in composed["services"].items() if service.get("ports")] == ["caddy"]


def test_the_model_knows_no_secret_and_reaches_nobody(composed: dict[str, Any]) -> None:
    for name, service in composed["services"].items():
        if service.get("image") == "porchlight-nlu":
            assert "environment" not in service, name
            assert list(service["networks"]) == ["inside"], name
    assert composed["networks"]["inside"]["internal"]


def test_bot_and_desk_share_one_secret_and_no_other(composed: dict[str, Any]) -> None:
    services = composed["services"]
    both = {
        name
        for service in ("bot", "referral")
        for name in services[service]["environment"]
        if "SECRET" in name
    }

    shared = {name for name in both if all(name in services[s]["environment"] for s in ("bot", "referral"))}

    assert shared == {"PORCHLIGHT_SERVICE_SECRET"}


@pytest.mark.parametrize(("service", "settings"), [("bot", BotSettings), ("referral", DeskSettings)])
def test_compose_names_only_settings_that_exist(service: str, settings: Any) -> None:
    known = {f"PORCHLIGHT_{name.upper()}" for name in settings.model_fields}
    composed = yaml.safe_load(_compose(LAYERS["one machine"], FILLED_IN).stdout)

    assert set(composed["services"][service]["environment"]) <= known


def test_the_front_door_is_spelt_as_caddy_reads_it() -> None:
    adapted = subprocess.run(
        [
            str(shutil.which("caddy")),
            "adapt",
            "--adapter",
            "caddyfile",
            "--config",
            str(DOCKER / "Caddyfile"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert adapted.returncode == 0, adapted.stderr
    hosts = re.findall(r'"host":\["([^"]+)"\]', json.dumps(json.loads(adapted.stdout), separators=(",", ":")))
    assert sorted(hosts) == ["console.localhost", "localhost"]


@pytest.mark.parametrize(
    "file", [f for f in KUBERNETES if f.name != "kustomization.yaml"], ids=lambda f: f.name
)
def test_kubernetes_knows_every_word(file: Path) -> None:
    validate = Path(sys.executable).parent / "kubernetes-validate"

    said = subprocess.run([validate, "--strict", file], capture_output=True, text=True, check=False)

    assert said.returncode == 0, said.stdout + said.stderr


def test_kustomize_names_every_file_but_the_pattern_of_secrets() -> None:
    kustomization = yaml.safe_load((DOCKER / "kubernetes" / "kustomization.yaml").read_text())

    listed = {*kustomization["resources"], "kustomization.yaml", "secrets.example.yaml"}

    assert listed == {file.name for file in KUBERNETES}
    assert {each["name"] for each in kustomization["images"]} == {f"porchlight-{name}" for name in NAMES}


def test_pods_ask_for_nothing_that_the_strictest_rules_refuse() -> None:
    for name, container, pod in _containers():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["automountServiceAccountToken"] is False, name
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"], name
        assert not context["allowPrivilegeEscalation"], name
        assert context["capabilities"]["drop"] == ["ALL"], name


def test_pods_run_as_the_account_that_the_image_names() -> None:
    for name, container, pod in _containers():
        made = image(container["image"].removeprefix("porchlight-"))
        assert str(pod["securityContext"]["runAsUser"]) == made.user, name


def test_what_kubernetes_sets_are_settings() -> None:
    known = {f"PORCHLIGHT_{name.upper()}" for s in (BotSettings, DeskSettings) for name in s.model_fields}

    for document in _documents():
        if document["kind"] in {"ConfigMap", "Secret"}:
            assert set(document.get("data") or document["stringData"]) <= known


def test_every_model_server_is_named_to_the_bot() -> None:
    documents = _documents()
    bot = next(d for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"] == "bot")
    model = next(d for d in documents if d["kind"] == "StatefulSet")

    named = bot["data"]["PORCHLIGHT_NLU_URL"].split(",")

    assert named == [f"http://nlu-{number}.nlu:5005" for number in range(model["spec"]["replicas"])]


def test_every_setting_of_the_services_can_be_given_to_compose() -> None:
    written = (ROOT / "docker" / "compose.yaml").read_text()
    for settings in (BotSettings, DeskSettings):
        for name in set(settings.model_fields) - NOT_IN_CONTAINERS:
            assert f"PORCHLIGHT_{name.upper()}:" in written, name


def _documents() -> list[dict[str, Any]]:
    return [
        document
        for file in KUBERNETES
        if file.name != "kustomization.yaml"
        for document in yaml.safe_load_all(file.read_text())
    ]


def _containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for document in _documents():
        if document["kind"] in {"Deployment", "StatefulSet"}:
            pod = document["spec"]["template"]["spec"]
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                yield f"{document['metadata']['name']}/{container['name']}", container, pod
