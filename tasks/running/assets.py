"""Archived videos as Prefect assets: servers that show lineage then say which run made which file."""

from __future__ import annotations

import os

from prefect_together_video.tasks.running.prefect_run import is_loaded
from prefect_together_video.tasks.running.runs import run_logger
from together_video.ledger.records import VideoRecord

#: `0`, `false`, `no` or `off` turns them off.
VARIABLE = "TOGETHER_VIDEO_ASSETS"


def show_as_asset(record: VideoRecord, uri: str) -> None:
    """Have the current task run materialise the video under its URI. Outside of a task run this does nothing."""
    if not is_loaded() or os.environ.get(VARIABLE, "").strip().lower() in {"0", "false", "no", "off"}:
        return
    from prefect_together_video.tasks.running.prefect_compat import materialise

    said = {
        "model": record.plan.request.model,
        "prompt": record.plan.request.title,
        "job_id": record.job_id,
        "cost_usd": None if record.cost_usd is None else str(record.cost_usd),
    }
    try:
        materialise(uri, said)
    except Exception as error:  # noqa: BLE001 - the video is in the archive; lineage is an extra
        run_logger().debug("%s is not shown as an asset: %s", uri, error)
