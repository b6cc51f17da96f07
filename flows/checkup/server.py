"""Check the Prefect server and what is on it: deployments, the work pool and its workers, and blocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from shlex import quote

import prefect
from packaging.version import InvalidVersion, Version
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import DeploymentStatus, WorkerStatus, WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL

from prefect_together_video.flows.checkup.line import (
    BLOCKS,
    DEPLOYMENTS,
    POOL,
    SERVER,
    CheckLine,
    failed,
    ok,
    skipped,
    warning,
)
from prefect_together_video.flows.server.asking import ServerCheck, ask_server, failing_clearly
from prefect_together_video.flows.server.served_schedules import PAUSED_BY_SERVE
from together_video.text import counted

_DEPLOY = "prefect --no-prompt deploy --all --prefect-file deployments/prefect.yaml"
_SERVE = "together-video serve"


async def check_server(url: str) -> CheckLine:
    """Check that the server answers, and that its version works with this client."""
    return server_line(await ask_server(url, optional=True), prefect.__version__)


def server_line(asked: ServerCheck, own: str) -> CheckLine:
    """The line for this answer of a server to a client of version `own`."""
    if asked.problem is not None:
        return failed(SERVER, asked.problem)
    if asked.version is None:
        return ok(SERVER, f"{asked.url} answers.")
    words = f"{asked.url} answers, version {asked.version}"
    if _is_older(asked.version, own):
        return warning(
            SERVER,
            f"{words}, which is older than Prefect {own} here: it may refuse what runs send.",
            "Upgrade the server first, then the machines that use it.",
        )
    return ok(SERVER, f"{words}.")


def _is_older(version: str, own: str) -> bool:
    try:
        return Version(version) < Version(own)
    except InvalidVersion:
        return False


@dataclass(frozen=True)
class Deployed:
    """Which of our deployments a server has.

    Attributes:
        missing: names of those that it does not have.
        paused: names of those that do not start any run.
        stopped: names of those that `together-video serve` paused when it stopped.
        unserved: names of those that a process should serve, but none does.
        pools: the work pools that they run in.
        count: how many there are.
    """

    missing: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    unserved: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    count: int = 0

    @property
    def on_pool(self) -> bool:
        """Whether any of them runs on workers."""
        return bool(self.pools)

    @classmethod
    def of(cls, found: Mapping[str, DeploymentResponse | None]) -> Deployed:
        there = {name: one for name, one in found.items() if one is not None}
        return cls(
            missing=tuple(name for name in found if name not in there),
            paused=tuple(name for name, one in there.items() if one.paused),
            stopped=tuple(name for name, one in there.items() if one.paused and PAUSED_BY_SERVE in one.tags),
            unserved=tuple(
                name
                for name, one in there.items()
                if not one.work_pool_name and not one.paused and one.status is DeploymentStatus.NOT_READY
            ),
            pools=tuple(sorted({one.work_pool_name for one in there.values() if one.work_pool_name})),
            count=len(there),
        )


async def read_deployed(names: Sequence[str]) -> Deployed:
    """Read these deployments from the configured server."""
    async with _asking() as client:
        found = await asyncio.gather(*(_deployment(client, name) for name in names))
    return Deployed.of(dict(zip(names, found, strict=True)))


@asynccontextmanager
async def _asking() -> AsyncIterator[PrefectClient]:
    """A client for the configured server that raises clear errors.

    Raises:
        ConfigurationError: the server refuses the call, or went away.
    """
    with failing_clearly(PREFECT_API_URL.value() or ""):
        async with get_client() as client:
            yield client


async def _deployment(client: PrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return await client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


def deployments_line(deployed: Deployed) -> CheckLine:
    """The line about deployments. Having none is not a failure: many people only use the command line."""
    if not deployed.count:
        words = "None is deployed. Only runs that start by themselves need them."
        return skipped(DEPLOYMENTS, words, "To serve all from one process:", _SERVE)
    problems = [
        _some(deployed.missing, "not deployed"),
        _some(deployed.paused, "paused", deployed.count),
        _some(deployed.unserved, "not served by any process", deployed.count),
    ]
    if not any(problems):
        return ok(DEPLOYMENTS, f"{counted(deployed.count, 'deployment')}, none of them paused.")
    serving = not deployed.on_pool
    words = " ".join(filter(None, problems))
    if deployed.missing or serving:
        how = ("To serve all:", _SERVE) if serving else ("To deploy all:", _DEPLOY)
        return warning(DEPLOYMENTS, words, *how)
    if deployed.stopped:
        return warning(
            DEPLOYMENTS, words, "together-video serve paused them when it stopped. To resume:", _DEPLOY
        )
    return warning(DEPLOYMENTS, words, "Resume them in the Prefect UI, on the page of each deployment.")


def _some(names: Iterable[str], what: str, of: int = 0) -> str:
    """Such as `a/b is paused.`, or `All 7 are paused.` if there are no others."""
    listed = list(names)
    if len(listed) == of > 1:
        return f"All {of} are {what}."
    return f"{', '.join(listed)} {'is' if len(listed) == 1 else 'are'} {what}." if listed else ""


async def check_blocks(slugs: Sequence[str], *, on_pool: bool) -> CheckLine:
    """Check that the blocks that deployments name are saved. `slugs`: such as video-archive/production."""
    async with _asking() as client:
        saved = await asyncio.gather(*(_is_saved(client, slug) for slug in slugs))
    missing = [slug for slug, there in zip(slugs, saved, strict=True) if not there]
    if not missing:
        return ok(BLOCKS, f"{' and '.join(slugs)} are saved.")
    words = _some(missing, "not saved")
    make, command = "To save them from the environment:", "together-video save-blocks"
    if on_pool:
        return warning(BLOCKS, f"{words} Runs on workers fail without them.", make, command)
    return skipped(BLOCKS, f"{words} Only runs on workers need them.", make, command)


async def _is_saved(client: PrefectClient, slug: str) -> bool:
    kind, _, name = slug.partition("/")
    try:
        await client.read_block_document_by_name(name, kind)
    except ObjectNotFound:
        return False
    return True


async def check_pool(name: str, *, on_pool: bool) -> CheckLine:
    """Check that the work pool of the deployments exists, is not paused, and has a worker."""
    async with _asking() as client:
        try:
            pool = await client.read_work_pool(name)
        except ObjectNotFound:
            return pool_line(name, None, 0, on_pool=on_pool)
        workers = await client.read_workers_for_work_pool(name)
    online = sum(worker.status is WorkerStatus.ONLINE for worker in workers)
    return pool_line(name, pool, online, on_pool=on_pool)


def pool_line(name: str, pool: WorkPool | None, online: int, *, on_pool: bool) -> CheckLine:
    """The line for a work pool with this many workers online. `on_pool`: whether deployments need it."""
    say = warning if on_pool else skipped
    needs = "" if on_pool else " Only deployments for workers need it."
    if pool is None:
        create = f"prefect work-pool create {quote(name)} --type process"
        return say(POOL, f"There is no work pool {name}.{needs}", "To create it:", create)
    if pool.is_paused:
        return say(
            POOL, f"{name} is paused.{needs}", "To resume it:", f"prefect work-pool resume {quote(name)}"
        )
    if not online:
        start = f"prefect worker start --pool {quote(name)}"
        return say(POOL, f"{name} has no worker online.{needs}", "To start one:", start)
    return ok(POOL, f"{name} has {counted(online, 'worker')} online.")
