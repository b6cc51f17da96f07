"""What users paused or turned on, kept when `together-video serve` starts again.

Prefect replaces the schedules of a deployment each time the deployment is made, and its own `serve` turns on what it
paused. So the state on the server is read before a deployment is made: a schedule that the server knows stays on or off
as it is there, and a deployment that somebody else paused stays paused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Schedule

#: The tag of a deployment that `serve` itself paused when it stopped.
PAUSED_BY_SERVE = "paused-until-served"


@dataclass(frozen=True)
class Earlier:
    """The state of a deployment on the server before it is made again."""

    #: Whether each schedule is on, by its slug.
    active: dict[str, bool]
    #: Whether somebody other than `serve` paused the whole deployment.
    is_paused: bool = False

    @classmethod
    def of(cls, found: DeploymentResponse) -> Earlier:
        return cls(
            {schedule.slug: schedule.active for schedule in found.schedules if schedule.slug},
            found.paused and PAUSED_BY_SERVE not in found.tags,
        )

    def kept(self, schedule: Schedule) -> Schedule:
        """The schedule, on or off as the server has it; one that the server does not know stays as given."""
        return replace(schedule, active=self.active.get(schedule.slug or "", schedule.active))


async def read_earlier(client: PrefectClient, name: str) -> Earlier:
    """The state of the deployment of this name (`generate-batch/nightly`) on the server."""
    try:
        return Earlier.of(await client.read_deployment_by_name(name))
    except ObjectNotFound:
        return Earlier({})


async def what_is_off(client: PrefectClient, name: str) -> list[str]:
    """What is turned off in a deployment, and the command that turns it on; a sentence each.

    Raises:
        ObjectNotFound: there is no such deployment.
    """
    found = await client.read_deployment_by_name(name)
    if found.paused:
        command = f"prefect api POST /deployments/{found.id}/resume_deployment"
        return [f"{name} was paused on this server and stays paused. To turn it on: {command}"]
    return [
        f"The schedule of {name} is paused. To turn it on: prefect deployment schedule resume {name} {schedule.id}"
        for schedule in found.schedules
        if not schedule.active
    ]


async def pause_until_served(client: PrefectClient, name: str) -> None:
    """Pause a deployment until it is served again. One that is already paused stays as it is.

    Raises:
        ObjectNotFound: there is no such deployment.
    """
    found = await client.read_deployment_by_name(name)
    if found.paused:
        return
    # The tag first: a pause without it would count as a user's at the next start.
    tags = [*(tag for tag in found.tags if tag != PAUSED_BY_SERVE), PAUSED_BY_SERVE]
    await client.update_deployment(found.id, DeploymentUpdate(tags=tags))
    await client.pause_deployment(found.id)
