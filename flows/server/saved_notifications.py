"""The automations of `deployments/automations.yaml`, saved with a notification block and the user's thresholds."""

from __future__ import annotations

from importlib.resources import files
from typing import Any
from uuid import UUID

import yaml
from prefect.client.orchestration import PrefectClient, get_client
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prefect_together_video.flows.server.asking import failing_clearly, reach_configured
from together_video.errors import ConfigurationError, InputError
from together_video.ledger.alerts import PERCENTS, percents_above


class Thresholds(BaseModel):
    """When an alert is sent."""

    model_config = ConfigDict(frozen=True)

    failed_above: int = Field(default=25, ge=0, le=99)
    month_percent: int = 80
    nightly_hours: float = Field(default=26, ge=1, le=8_784)

    @classmethod
    def of(cls, **given: float) -> Thresholds:
        """Raises InputError: one of them is out of bounds."""
        try:
            found = cls.model_validate(given)
        except ValidationError as error:
            raise InputError(
                "--failed-above must be from 0 to 99 percent, --nightly-hours from 1 to 8784."
            ) from error
        if found.month_percent not in PERCENTS:
            raise InputError(f"--month-percent must be one of {', '.join(map(str, PERCENTS))}.")
        return found


def described(block: UUID, thresholds: Thresholds) -> list[AutomationCore]:
    """The automations as `automations.yaml` describes them, with this block and these thresholds."""
    text = (
        files("prefect_together_video.deployments").joinpath("automations.yaml").read_text(encoding="utf-8")
    )
    return [_filled(found, block, thresholds) for found in yaml.safe_load(text)["automations"]]


def _filled(found: dict[str, Any], block: UUID, thresholds: Thresholds) -> AutomationCore:
    trigger = found["trigger"]
    match = trigger.get("match", {})
    if "together-video.failed-percent" in match:
        match["together-video.failed-percent"] = percents_above(thresholds.failed_above)
    if "together-video.percent" in match:
        match["together-video.percent"] = [f"{thresholds.month_percent:03}"]
    if trigger["posture"] == "Proactive":
        trigger["within"] = thresholds.nightly_hours * 3600
    for action in found["actions"]:
        action["block_document_id"] = str(block)
    return AutomationCore.model_validate(found)


async def save_notifications(block: str, thresholds: Thresholds | None = None) -> list[str]:
    """Create or update the automations on the configured Prefect server. Returns their names.

    One that was paused stays paused.

    Raises:
        ConfigurationError: there is no server, it goes away in the meantime, or it has no such block.
    """
    server = await reach_configured("Automations are kept by a Prefect server: set PREFECT_API_URL.")
    with failing_clearly(server):
        async with get_client() as client:
            wanted = described(await _document(client, block), thresholds or Thresholds())
            for automation in wanted:
                await _save(client, automation)
    return [automation.name for automation in wanted]


async def _save(client: PrefectClient, automation: AutomationCore) -> None:
    earlier = await client.read_automations_by_name(automation.name)
    if not earlier:
        await client.create_automation(automation)
        return
    first, *others = earlier
    kept = automation.model_copy(update={"enabled": first.enabled})
    await client.update_automation(first.id, kept)
    for other in others:
        await client.delete_automation(other.id)


async def _document(client: PrefectClient, block: str) -> UUID:
    kind, _, name = block.partition("/")
    try:
        return (await client.read_block_document_by_name(name, kind)).id
    except ObjectNotFound as error:
        raise ConfigurationError(
            f"This Prefect server has no block {block!r}. Make one in the UI under Blocks, such as a Slack "
            "Webhook, and name it by type and name: slack-webhook/videos."
        ) from error
