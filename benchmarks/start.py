"""Start: the time from a command's start to its first POST, compared with a bare script with the official SDK; and what
importing the flows adds to Prefect and boto3.

    python -m benchmarks.start --rounds 7

Processes run in turn; medians count, and ratios are computed per round. On a busy machine, trust the ratios of CPU
seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import boto3

from benchmarks.bars import bars
from benchmarks.children import ending_by_sigterm, working_folder
from benchmarks.first_post import Api, Sent, listening_api
from benchmarks.harness import BUCKET, REQUEST, Goal, account, keep, table
from prefect_together_video.flows.cli.servers.local_servers import PrefectServer, S3Server

_COMMAND = str(Path(sys.executable).with_name("together-video"))
_PREFECT = "import prefect, boto3, prefect_aws.credentials"
_FLOWS = "import prefect_together_video.flows.batch"
COMMANDS = {
    _PREFECT: (sys.executable, "-c", _PREFECT),
    _FLOWS: (sys.executable, "-c", _FLOWS),
    "together-video --help": (_COMMAND, "--help"),
    "together-video models": (_COMMAND, "models"),
    "python -c pass": (sys.executable, "-c", "pass"),
}
_SDK = "POST of a bare script with the official SDK"
_FOLDER = "POST of together-video generate, folder"
_BUCKET = "POST of together-video generate, bucket"
_BATCH = "POST of together-video batch, folder"
_CALL = "import prefect, and one call of its API"
_RECORDED = "POST of together-video generate, recorded by Prefect"
#: What one round measures: names, and functions that run each once.
Measures = dict[str, Callable[[], Sent]]


def ended(command: Sequence[str], environment: dict[str, str] | None = None) -> Sent:
    """Seconds from the start of a command to its end."""
    wall, cpu, _, code = account(command, environment or os.environ, subprocess.DEVNULL, subprocess.DEVNULL)
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}")
    return Sent(wall, cpu)


def first_posts(folder: Path, stack: ExitStack, *, prefect: bool) -> Measures:
    """Each measurement makes another video, so that none is reused."""
    api: Api = stack.enter_context(listening_api())
    s3 = stack.enter_context(S3Server(folder / "s3"))
    server = stack.enter_context(PrefectServer(folder / "prefect")) if prefect else None
    s3.wait_ready()
    client = boto3.client(
        "s3",
        endpoint_url=s3.url,
        region_name="us-east-1",
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
    )
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="first", Body=b"object")
    home = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "TOGETHER_VIDEO_SPOOL": str(folder / "spool"),
    }
    in_folder = {**home, "VIDEO_ARCHIVE_FOLDER": str(folder / "archive")}
    in_bucket = {**home, **s3.environment(), "VIDEO_ARCHIVE_BUCKET": BUCKET}
    number = iter(range(1_000_000))

    def generate(environment: dict[str, str]) -> Sent:
        return api.time([_COMMAND, "generate", f"kite {next(number)}", "--json"], environment)

    def batch() -> Sent:
        file = folder / "kites.txt"
        file.write_text(f"a red kite over the sea {next(number)}\n", encoding="utf-8")
        return api.time([_COMMAND, "batch", str(file), "--json"], in_folder)

    words = [sys.executable, "-m", "benchmarks.contenders.first", str(REQUEST["model"]), "a kite"]
    made: Measures = {
        _SDK: lambda: api.time(words, home),
        _FOLDER: lambda: generate(in_folder),
        _BUCKET: lambda: generate(in_bucket),
        _BATCH: batch,
    }
    if server is not None:
        server.wait_ready(300)
        recorded = {**in_folder, **server.environment()}
        made[_CALL] = lambda: ended([sys.executable, "-m", "benchmarks.contenders.prefect_call"], recorded)
        made[_RECORDED] = lambda: generate(recorded)
    return made


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


def goals(rounds: Sequence[dict[str, Sent]]) -> list[Goal]:
    """All goals; ratios are medians of the ratios of each round."""

    def wall(name: str) -> float:
        return statistics.median(one[name].wall for one in rounds)

    def ratio(name: str, base: str, figure: str) -> float:
        return statistics.median(getattr(one[name], figure) / getattr(one[base], figure) for one in rounds)

    made = []
    for name in (_FOLDER, _BUCKET, _BATCH):
        made.append(Goal(f"{name}: seconds", wall(name), 2.5))
        made.append(Goal(f"{name}: of the bare script's seconds", ratio(name, _SDK, "wall"), 2.0))
        made.append(Goal(f"{name}: of the bare script's CPU", ratio(name, _SDK, "cpu"), 2.0))
    if _RECORDED in rounds[0]:
        more = statistics.median(one[_RECORDED].wall - one[_CALL].wall for one in rounds)
        made.append(Goal(f"{_RECORDED}: seconds more than {_CALL}", more, 1.5))
        more = statistics.median(one[_RECORDED].cpu - one[_CALL].cpu for one in rounds)
        made.append(Goal(f"{_RECORDED}: CPU seconds more than {_CALL}", more, 1.5))
    made.append(Goal(f"{_FLOWS}: of the CPU of {_PREFECT}", ratio(_FLOWS, _PREFECT, "cpu"), 1.3))
    for name in ("together-video --help", "together-video models"):
        made.append(Goal(f"{name}: seconds", wall(name), 0.5))
        made.append(Goal(f"{name}: imports Prefect", float(imports_prefect(COMMANDS[name])), 0))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--no-prefect", action="store_true", help="without a Prefect server, which takes long to start"
    )
    options = parser.parse_args()
    with ending_by_sigterm(), working_folder() as folder, ExitStack() as stack:
        measures = first_posts(folder, stack, prefect=not options.no_prefect)
        for name, command in COMMANDS.items():
            measures[name] = lambda command=command: ended(command)  # type: ignore[misc]
        for measure in measures.values():
            measure()  # a warm-up: files that are not in the cache yet
        names = list(measures)
        rounds = []
        for number in range(options.rounds):
            # Each round begins with another command, so that none always follows the same one.
            order = names[number % len(names) :] + names[: number % len(names)]
            rounds.append({name: measures[name]() for name in order})
    wall = {name: statistics.median(one[name].wall for one in rounds) for name in names}
    cpu = {name: statistics.median(one[name].cpu for one in rounds) for name in names}
    print(table(["", "wall s", "CPU s"], [[n, f"{wall[n]:.2f}", f"{cpu[n]:.2f}"] for n in names]), "\n")
    keep("start", vars(options), {"seconds": wall, "cpu_seconds": cpu}, goals(rounds))
    bars("start", [("seconds", wall), ("CPU seconds", cpu)])


if __name__ == "__main__":
    main()
