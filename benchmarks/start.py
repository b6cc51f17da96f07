"""Start: what importing the flows adds to Prefect and boto3, and commands that import neither.

    python -m benchmarks.start --rounds 7

Processes in turn, medians; ratios round by round, of CPU seconds, as those hardly depend on what else
the machine does.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bars import bars
from benchmarks.harness import Goal, account, keep, table

_COMMAND = str(Path(sys.executable).with_name("together-video"))
COMMANDS = {
    "import prefect, boto3, prefect_aws.credentials": (
        sys.executable,
        "-c",
        "import prefect, boto3, prefect_aws.credentials",
    ),
    "import prefect_together_video.flows.batch": (
        sys.executable,
        "-c",
        "import prefect_together_video.flows.batch",
    ),
    "together-video --help": (_COMMAND, "--help"),
    "together-video models": (_COMMAND, "models"),
    "python -c pass": (sys.executable, "-c", "pass"),
}


def seconds(command: Sequence[str]) -> tuple[float, float]:
    """Of wall and of CPU."""
    wall, cpu, _, code = account(command, os.environ, subprocess.DEVNULL, subprocess.DEVNULL)
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}")
    return wall, cpu


def imports_prefect(command: Sequence[str]) -> bool:
    """Whether Python's own list of imports names Prefect."""
    said = subprocess.run(
        command,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return any(line.rpartition("|")[2].strip() == "prefect" for line in said.stderr.splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    for command in COMMANDS.values():
        seconds(command)  # once for nothing: files that are not in the cache yet
    rounds = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(options.rounds)]
    medians = {name: statistics.median(one[name][0] for one in rounds) for name in COMMANDS}
    cpu = {name: statistics.median(one[name][1] for one in rounds) for name in COMMANDS}
    base = "import prefect, boto3, prefect_aws.credentials"
    ratios = {name: statistics.median(one[name][1] / one[base][1] for one in rounds) for name in COMMANDS}
    rows = [[name, f"{medians[name]:.2f}", f"{cpu[name]:.2f}", f"{ratios[name]:.2f}"] for name in COMMANDS]
    print(table(["", "wall s", "CPU s", "of the imports"], rows), "\n")
    goals = [
        Goal(
            "import prefect_together_video.flows.batch, of the imports",
            ratios["import prefect_together_video.flows.batch"],
            1.3,
        )
    ]
    for name in ("together-video --help", "together-video models"):
        goals.append(Goal(f"{name}, seconds", medians[name], 0.5))
        goals.append(Goal(f"{name}, imports Prefect", float(imports_prefect(COMMANDS[name])), 0))
    keep("start", vars(options), {"seconds": medians, "cpu_seconds": cpu, "ratios": ratios}, goals)
    bars("start", [("seconds from start to end", medians)])


if __name__ == "__main__":
    main()
