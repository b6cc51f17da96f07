"""Make several videos on a Dask cluster.

    pip install prefect-dask
    python examples/dask_map.py

To use a cluster that is already running, pass `DaskTaskRunner(address=…)`. Each of its workers needs the same
environment: the key, the bucket and this package.
"""

from __future__ import annotations

from prefect import flow
from prefect_dask import DaskTaskRunner

from prefect_together_video import make_video

SCENES = ["at dawn", "at noon", "at dusk", "by night"]


@flow(task_runner=DaskTaskRunner(cluster_kwargs={"n_workers": 2, "threads_per_worker": 2}), log_prints=True)
def dask_map(scenes: list[str]) -> None:
    requests = [{"prompt": f"a harbour {scene}, time-lapse", "width": 864, "height": 480} for scene in scenes]
    for video in make_video.map(requests).result():
        print(f"{video.uri}: {video.cost_usd} USD")


# Dask starts processes that import this file again: the flow must not run in them.
if __name__ == "__main__":
    dask_map(SCENES)
