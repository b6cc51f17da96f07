"""The names of runs in Prefect's UI, and their tags: how many videos of what, their batch and their labels."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePath

from prefect_together_video.tasks.running.prefect_run import flow_context
from prefect_together_video.tasks.running.runs import run_logger
from together_video.ledger.records import VideoPlan
from together_video.prompts import Brief
from together_video.requests import VideoRequest
from together_video.text import counted, one_line

#: Longest name of a file or subject within a run's name, and longest tag, in characters.
_WHAT, _TAG = 60, 80
#: Most tags for labels: a file with a different label on each line would fill the page.
_MOST_TAGS = 10
#: Seconds that naming a run may take.
_SECONDS = 5.0


def batch_name(
    brief: Brief | None, requests: Sequence[VideoRequest] | None, file: str | None, count: int | None = None
) -> str:
    """`4 videos: lighthouses of the north`, `1 video` or `12 videos of prompts.csv`; without a count `videos of …`.

    Args:
        count: how many videos there are, once that is known.
    """
    if brief is not None:
        return f"{counted(count or brief.count, 'video')}: {one_line(brief.subject, _WHAT)}"
    if requests and file is None:
        return counted(count or len(requests), "video")
    what = one_line(PurePath(file).name, _WHAT) if file else "an unknown source"
    known = count or (len(requests) if requests else None)
    return f"{counted(known, 'video') if known else 'videos'} of {what}"


def film_name(title: str) -> str:
    """`film: the keeper of the light`"""
    return f"film: {one_line(title, _WHAT)}"


def tags_of(plans: Iterable[VideoPlan], batch_id: str | None, but: Collection[str] = ()) -> list[str]:
    """`batch:<id>` if there is one, and a tag for each label, such as `campaign:spring`; at most ten of those.

    Args:
        but: names of labels without tags, because each plan has a different value.
    """
    labels = dict.fromkeys(
        one_line(f"{name}:{value}", _TAG)
        for plan in plans
        for name, value in plan.request.labels.items()
        if name not in but
    )
    return [*([f"batch:{batch_id}"] if batch_id else []), *list(labels)[:_MOST_TAGS]]


async def name_run(flow: str, name: str | None, tags: Iterable[str]) -> None:
    """Name the current run of this flow, and add tags. Within a run of another flow, and outside of one, nothing
    happens. No video depends on it: errors are logged.

    A name that already contains the count stays, such as one that the inbox gave.

    Task runs get no tags: Prefect asks its server for a concurrency slot for each tag of each task run.
    """
    context = flow_context()
    if context is None or context.flow_run is None or context.flow is None or context.flow.name != flow:
        return
    from prefect.client.orchestration import get_client

    run = context.flow_run
    if name is not None and _count(run.name) == _count(name):
        name = None
    try:
        async with asyncio.timeout(_SECONDS), get_client() as client:
            await client.update_flow_run(run.id, name=name, tags=[*dict.fromkeys([*run.tags, *tags])])
        if name is not None:
            run.name = name
    except Exception as error:  # noqa: BLE001 - Prefect's client raises whatever its parts do
        run_logger().debug("The run could not be named: %s", str(error) or type(error).__name__)


def _count(name: str) -> list[str]:
    """`["12", "videos"]`: the words of a name that say how many videos there are."""
    return name.replace(":", " ").split()[:2]
