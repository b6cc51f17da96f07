"""The deployments of `deployments/prefect.yaml`, in a form that one process can serve."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import yaml
from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentTriggerTypes
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType
from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError

from prefect_together_video.flows.server.served_schedules import Earlier
from together_video.errors import InputError
from together_video.text import one_line

_TRIGGERS: TypeAdapter[list[DeploymentTriggerTypes]] = TypeAdapter(list[DeploymentTriggerTypes])


class _Entry(BaseModel):
    """The required fields of a deployment in a `prefect.yaml`."""

    name: Annotated[str, StringConstraints(min_length=1, pattern=r"^[^/]+$")]
    #: Workers load a flow by its module; so does this process.
    entrypoint: Annotated[str, StringConstraints(pattern=r"^\w+(\.\w+)+$")]
    parameters: dict[str, Any] = {}
    schedules: list[dict[str, Any]] = []
    triggers: list[dict[str, Any]] = []


class _File(BaseModel):
    deployments: list[_Entry]


def read(file: Path | None = None) -> list[dict[str, Any]]:
    """The deployments of a `prefect.yaml`, as written there: that of the package, or `file`.

    Raises:
        InputError: the file cannot be read, or its deployments cannot be served.
    """
    if file is None:
        text = (
            files("prefect_together_video.deployments").joinpath("prefect.yaml").read_text(encoding="utf-8")
        )
        found: list[dict[str, Any]] = yaml.safe_load(text)["deployments"]
        return found
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        _File.model_validate(document)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(
            f"{file} describes no deployments that can be served: {where}: {first['msg']}.",
            remedy="Each needs a name, and an entrypoint such as prefect_together_video.flows.batch.generate_batch.",
        ) from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise InputError(f"{file} is not YAML: {one_line(str(error), 300)}.") from error
    own: list[dict[str, Any]] = document["deployments"]
    return own


def flow_of(entry: dict[str, Any]) -> Flow[..., Any]:
    """The flow that a deployment runs.

    Raises:
        InputError: there is no such flow.
    """
    module, _, name = entry["entrypoint"].rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"The deployment {entry['name']} names {entry['entrypoint']}: {error}.") from error
    if not isinstance(found, Flow):
        raise InputError(f"The deployment {entry['name']} names {entry['entrypoint']}, which is not a flow.")
    return found


def full_name(entry: dict[str, Any]) -> str:
    """A deployment's name on a server, such as `generate-batch/nightly`."""
    flow = entry["entrypoint"].rpartition(".")[2].replace("_", "-")
    return f"{flow}/{entry['name']}"


def blocks_of(entry: dict[str, Any]) -> dict[str, str]:
    """The blocks that a deployment names, by parameter: `{"archive": "video-archive/production"}`."""
    return {
        name: value["$ref"]["block_document_slug"]
        for name, value in (entry.get("parameters") or {}).items()
        if isinstance(value, dict) and "$ref" in value
    }


async def served(entry: dict[str, Any], saved: Mapping[str, UUID], earlier: Earlier) -> RunnerDeployment:
    """A deployment without a work pool: its runs are processes of the program that serves it.

    Args:
        earlier: its state on the server, where its schedules may have been paused or turned on.
        saved: the ids of the server's blocks; with them the UI's form shows which block is chosen. Parameters that name
            another block are left out, so runs use the environment of the serving process.
    """
    flow = flow_of(entry)
    given = entry.get("parameters") or {}
    blocks = blocks_of(entry)
    chosen = {
        parameter: {"$ref": {"block_document_id": str(saved[block])}}
        for parameter, block in blocks.items()
        if block in saved
    }
    plain = {parameter: value for parameter, value in given.items() if parameter not in blocks}
    limit = entry.get("concurrency_limit")
    return await flow.ato_deployment(
        entry["name"],
        description=entry.get("description"),
        tags=entry.get("tags"),
        parameters={**plain, **chosen},
        schedules=[earlier.kept(Schedule(**schedule)) for schedule in entry.get("schedules", ())],
        paused=earlier.is_paused,
        triggers=list(_TRIGGERS.validate_python(entry.get("triggers", []))),
        concurrency_limit=ConcurrencyLimitConfig.model_validate(limit) if limit else None,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
