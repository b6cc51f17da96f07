"""What `deployments/prefect.yaml` describes, as deployments that one process can serve."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.resources import files
from typing import Any
from uuid import UUID

import yaml
from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentTriggerTypes
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType
from pydantic import TypeAdapter

_TRIGGERS: TypeAdapter[list[DeploymentTriggerTypes]] = TypeAdapter(list[DeploymentTriggerTypes])


def read() -> list[dict[str, Any]]:
    """The deployments of `prefect.yaml`, as they stand there."""
    text = files("prefect_together_video.deployments").joinpath("prefect.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["deployments"]
    return found


def full_name(entry: dict[str, Any]) -> str:
    """A deployment's name on a server, such as `generate-batch/nightly`."""
    flow = entry["entrypoint"].rpartition(".")[2].replace("_", "-")
    return f"{flow}/{entry['name']}"


def blocks_of(entry: dict[str, Any]) -> dict[str, str]:
    """The blocks that a deployment names, by parameter: `{"archive": "video-archive/production"}`."""
    return {
        name: value["$ref"]["block_document_slug"]
        for name, value in entry["parameters"].items()
        if isinstance(value, dict) and "$ref" in value
    }


async def served(entry: dict[str, Any], saved: Mapping[str, UUID]) -> RunnerDeployment:
    """A deployment without a work pool: runs are processes of whoever serves it.

    Args:
        saved: the ids of the server's blocks, by which the UI's form shows the one that is chosen. Parameters that
            name another block are left out, so that runs take the environment of the serving process.
    """
    module, _, name = entry["entrypoint"].rpartition(".")
    flow: Flow[..., Any] = getattr(import_module(module), name)
    blocks = blocks_of(entry)
    chosen = {
        parameter: {"$ref": {"block_document_id": str(saved[block])}}
        for parameter, block in blocks.items()
        if block in saved
    }
    plain = {parameter: value for parameter, value in entry["parameters"].items() if parameter not in blocks}
    limit = entry.get("concurrency_limit")
    return await flow.ato_deployment(
        entry["name"],
        description=entry["description"],
        tags=entry["tags"],
        parameters={**plain, **chosen},
        schedules=[Schedule(**schedule) for schedule in entry.get("schedules", ())],
        triggers=list(_TRIGGERS.validate_python(entry.get("triggers", []))),
        concurrency_limit=ConcurrencyLimitConfig.model_validate(limit) if limit else None,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
