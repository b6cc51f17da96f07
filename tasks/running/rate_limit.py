"""A limit on creates that all workers share: Prefect's global concurrency limit, if the operator has made one of this
name with a slot decay:

    prefect gcl create together-video-create --limit 10 --slot-decay-per-second 0.5
"""

from __future__ import annotations

import asyncio

import httpx
from anyio.lowlevel import RunVar

from prefect_together_video.tasks.running.prefect_run import flow_context
from prefect_together_video.tasks.running.runs import run_logger

RATE_LIMIT = "together-video-create"

#: Whether the limit exists, looked up once per run and event loop: Prefect warns at each acquisition of a limit that
#: does not exist.
_known: RunVar[dict[str, asyncio.Future[bool]]] = RunVar("known rate limits")


async def wait_for_rate_limit() -> None:
    """Wait for a slot. Without such a limit, or outside of a run, this does nothing. A Prefect server that is down does
    not stop a run.
    """
    if flow_context() is None:
        return
    from prefect.concurrency.asyncio import rate_limit
    from prefect.runtime import flow_run

    from prefect_together_video.tasks.running.prefect_compat import ConcurrencySlotAcquisitionError

    if not await _is_limited(str(flow_run.id)):
        return
    try:
        await rate_limit(RATE_LIMIT)
    except (httpx.HTTPError, ConcurrencySlotAcquisitionError) as error:
        run_logger().warning("The rate limit %s could not be used: %s", RATE_LIMIT, error)


async def _is_limited(run: str) -> bool:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    try:
        known = _known.get()
    except LookupError:
        _known.set(known := {})
    if (asked := known.get(run)) is not None:
        return await asyncio.shield(asked)
    answer = known[run] = asyncio.get_running_loop().create_future()
    found = False
    try:
        async with get_client() as client:
            await client.read_global_concurrency_limit_by_name(RATE_LIMIT)
        found = True
    except ObjectNotFound:
        pass
    except httpx.HTTPError as error:
        run_logger().warning("Prefect did not answer whether the rate limit %s exists: %s", RATE_LIMIT, error)
    finally:
        answer.set_result(found)
    return found
