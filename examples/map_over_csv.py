"""Make a video for each row of a CSV file, and report the outcome of each.

    python examples/map_over_csv.py examples/prompts.csv

The columns are request fields. One row that fails does not stop the others: correct it and run the script again.
Videos that are in the archive are not bought again.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from prefect import flow
from prefect.futures import wait

from prefect_together_video import make_video


@flow(log_prints=True)
def map_over_csv(path: str) -> int:
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    futures = make_video.map(rows)
    wait(futures)
    failed = 0
    for row, future in zip(rows, futures, strict=True):
        if future.state.is_completed():
            video = future.result()
            paid = "reused" if video.reused else f"{video.cost_usd} USD"
            print(f"{paid}: {video.uri}")
        else:
            failed += 1
            print(f"failed: {row['prompt']}: {future.state.message}")
    return failed


if __name__ == "__main__":
    sys.exit(1 if map_over_csv(sys.argv[1]) else 0)
