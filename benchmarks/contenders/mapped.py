"""The public tasks as a user would map them: `make_video.map` in a sync flow, on Prefect's thread pool."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from prefect import flow

from benchmarks.counting import count_s3
from prefect_together_video import make_video


@flow
def make_videos(requests: list[dict[str, Any]]) -> list[str]:
    return [future.result().uri for future in make_video.map(requests)]


if __name__ == "__main__":
    count_s3()
    lines = Path(sys.argv[1]).read_text().splitlines()
    make_videos([json.loads(line) for line in lines])
