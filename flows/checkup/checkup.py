"""Run all checks at the same time and return their lines in a fixed order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import to_thread

from prefect_together_video.flows.checkup.dependencies import check_dependencies
from prefect_together_video.flows.checkup.line import (
    API,
    ARCHIVE,
    BLOCKS,
    CERTIFICATES,
    CLOCK,
    DECODER,
    DEPENDENCIES,
    DEPLOYMENTS,
    DISK,
    OUTPUT,
    POOL,
    PROXY,
    PYTHON,
    SERVER,
    CheckLine,
    State,
    guarded,
    skipped,
)
from prefect_together_video.flows.checkup.machine import (
    check_decoding,
    check_disk,
    check_output,
    check_python,
)
from prefect_together_video.flows.checkup.network import check_certificates, check_proxies
from together_video.api.settings import DEFAULT_BASE_URL, base_url_from_env
from together_video.errors import ConfigurationError, VideoError
from together_video.network.proxies import ProxySettings

if TYPE_CHECKING:
    from prefect_together_video.blocks import TogetherCredentials, VideoArchive

T = TypeVar("T")


#: Seconds for a Prefect server. If something else answers, other addresses are tried as well.
_SERVER_SECONDS = 20.0
#: What to do if a server hangs. Its address can also come from a block.
_HINT = "Check the network, and {} if it is set."


@dataclass(frozen=True)
class Patient:
    """What to examine. The functions raise a ConfigurationError for settings that cannot be used.

    Attributes:
        together: returns the credentials for the API.
        archive: returns the archive.
        server: returns the address of the Prefect server, or None if none is configured.
        proxies: returns the environment's proxy settings.
        encoding: the encoding of stdout.
        shows_all: whether stdout can show every character.
        together_block: the name of the block that `together` loads; None for the environment.
    """

    together: Callable[[], Awaitable[TogetherCredentials]]
    archive: Callable[[], Awaitable[VideoArchive]]
    server: Callable[[], str | None]
    proxies: Callable[[], ProxySettings]
    encoding: str
    shows_all: bool
    together_block: str | None = None


async def examine(patient: Patient) -> list[CheckLine]:
    """Return every line, in order. No check raises, and none takes long."""
    # Importing these takes seconds of CPU on a small machine: do it before the clock of any check starts. If one
    # cannot be imported, the check that needs it says so.
    for module in (
        "prefect_together_video.blocks",
        "prefect_together_video.flows.checkup.api",
        "prefect_together_video.flows.checkup.server",
        "prefect_together_video.flows.server.served_deployments",
    ):
        with suppress(Exception):
            import_module(module)
    together, archive = _once(patient.together), _once(patient.archive)
    certificates = asyncio.create_task(_in_thread(CERTIFICATES, check_certificates))
    proxy = asyncio.create_task(guarded(PROXY, partial(_proxies, patient, together)))
    parts = await asyncio.gather(
        _alone(_in_thread(PYTHON, check_python)),
        _alone(_in_thread(DEPENDENCIES, check_dependencies)),
        _alone(_in_thread(DECODER, check_decoding)),
        _alone(_in_thread(DISK, check_disk)),
        _alone(certificates),
        _alone(proxy),
        _alone(_key(patient, together, (certificates, proxy))),
        _alone(guarded(ARCHIVE, partial(_archive, archive), hint=_HINT.format("AWS_ENDPOINT_URL_S3"))),
        _alone(guarded(CLOCK, partial(_clock, together, archive))),
        _prefect(patient),
        _alone(_in_thread(OUTPUT, partial(check_output, patient.encoding, holds_all=patient.shows_all))),
    )
    return [line for part in parts for line in part]


async def _alone(line: Awaitable[CheckLine]) -> list[CheckLine]:
    return [await line]


async def _in_thread(name: str, check: Callable[[], CheckLine]) -> CheckLine:
    # A disk or a network folder can hang forever: then the thread is abandoned.
    return await guarded(name, lambda: to_thread.run_sync(check, abandon_on_cancel=True))


def _once(make: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    """Share one value or error among all callers. The first call makes it; a caller that gives up does not stop it."""
    made: list[asyncio.Future[T]] = []

    async def get() -> T:
        if not made:
            made.append(asyncio.ensure_future(make()))
        return await asyncio.shield(made[0])

    return get


async def _proxies(patient: Patient, together: Callable[[], Awaitable[TogetherCredentials]]) -> CheckLine:
    return check_proxies(patient.proxies(), await _base_url(together))


async def _base_url(together: Callable[[], Awaitable[TogetherCredentials]]) -> str:
    try:
        return (await together()).base_url
    except VideoError:
        # The line about the key reports this.
        with suppress(ConfigurationError):
            return base_url_from_env()
    return DEFAULT_BASE_URL


async def _key(
    patient: Patient,
    together: Callable[[], Awaitable[TogetherCredentials]],
    way: Iterable[Awaitable[CheckLine]],
) -> CheckLine:
    """Check the key with a call to the API, unless the `way` there is broken: other lines report that."""
    broken = [line.name for line in await asyncio.gather(*way) if line.state is State.FAILED]

    async def check() -> CheckLine:
        from prefect_together_video.flows.checkup.api import check_key

        credentials = await together()
        if broken:
            return skipped(API, f"A key is set. It was not checked: see {broken[0]} above.")
        return await check_key(credentials, patient.together_block)

    return await guarded(API, check, hint=_HINT.format("TOGETHER_BASE_URL"))


async def _archive(archive: Callable[[], Awaitable[VideoArchive]]) -> CheckLine:
    from prefect_together_video.flows.checkup.bucket import check_archive

    return await check_archive(await archive())


async def _clock(
    together: Callable[[], Awaitable[TogetherCredentials]], archive: Callable[[], Awaitable[VideoArchive]]
) -> CheckLine:
    from prefect_together_video.flows.checkup.clock import api_time, check_clock, s3_time

    async def ask_s3() -> Any:
        return await s3_time(await archive())

    async def ask_api() -> Any:
        return await api_time(await _base_url(together))

    return await check_clock({"the S3 server": ask_s3, "the API": ask_api})


async def _prefect(patient: Patient) -> list[CheckLine]:
    """Check the server and, if it answers, what is deployed on it."""
    lines = [await guarded(SERVER, partial(_server, patient), seconds=_SERVER_SECONDS)]
    if lines[0].state in {State.OK, State.WARNING}:
        lines += await _deployed()
    return lines


async def _server(patient: Patient) -> CheckLine:
    from prefect_together_video.flows.checkup.server import check_server

    if (url := patient.server()) is None:
        return skipped(
            SERVER, "None is configured, so runs are not recorded. To use one, set PREFECT_API_URL."
        )
    return await check_server(url)


async def _deployed() -> list[CheckLine]:
    from prefect_together_video.flows.checkup.server import (
        Deployed,
        check_blocks,
        check_pool,
        deployments_line,
        read_deployed,
    )
    from prefect_together_video.flows.server.served_deployments import blocks_of, full_name, read

    entries = read()
    slugs = list(dict.fromkeys(slug for entry in entries for slug in blocks_of(entry).values()))
    pool = next(entry["work_pool"]["name"] for entry in entries if "work_pool" in entry)
    found: list[Deployed] = []

    async def deployments() -> CheckLine:
        found.append(await read_deployed([full_name(entry) for entry in entries]))
        return deployments_line(found[0])

    first = await guarded(DEPLOYMENTS, deployments)
    pools = found[0].pools if found else ()
    on_pool = bool(pools)
    others: Sequence[Coroutine[Any, Any, CheckLine]] = (
        guarded(BLOCKS, partial(check_blocks, slugs, on_pool=on_pool)),
        guarded(POOL, partial(check_pool, pools[0] if on_pool else pool, on_pool=on_pool)),
    )
    return [first, *await asyncio.gather(*others)]
