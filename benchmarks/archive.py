"""The cost of commands in an archive of 100,000 videos, written by a script, compared with one of 100.

    python -m benchmarks.archive --records 100000
    python -m benchmarks.archive --records 10000 --s3

In a folder, or with `--s3` in a bucket of the tests' S3 server, with requests counted on the wire. Each figure is one
process from start to end, without a Prefect server.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.archived import Written, archived, record_of
from benchmarks.harness import BUCKET, Goal, Measured, Stage, keep, requests_file, stage, table

T = TypeVar("T")

#: New videos between two audits, videos of a small archive, and videos of a batch.
_NEW, _FEW, _BATCH = 200, 100, 50
#: Videos that are uploaded at the same time, and in one chunk.
_AT_ONCE, _CHUNK = 16, 1_000


@dataclass(frozen=True)
class Command:
    """A row of the table: the command line, and how many new videos are archived before it runs."""

    name: str
    words: tuple[str, ...]
    new: int = 0
    #: Whether its cost may depend on the number of videos.
    may_grow: bool = True
    #: Most seconds that it may take with the largest archive.
    seconds: float | None = None
    #: The archive's monthly limit, in USD.
    limit: str = ""


#: In this order: the first audit makes the index. ID and FILE are placeholders for a video and for 50 requests.
COMMANDS = (
    Command("list, no index", ("list",)),
    Command("audit, the first", ("audit",)),
    Command("audit, nothing new", ("audit",)),
    Command(f"audit, {_NEW} new", ("audit",), new=_NEW),
    Command("list", ("list",), seconds=3),
    Command("list --search", ("list", "--search", "kite 47", "--limit", "30"), seconds=3),
    Command("show", ("show", "ID"), may_grow=False),
    Command("gallery --latest 50", ("gallery", "--latest", "50", "--folder", "PAGE")),
    Command("collect, nothing in flight", ("collect",), may_grow=False),
    Command("batch of 50", ("batch", "FILE", "--json"), may_grow=False),
    # It lists the month, which grows.
    Command("batch of 50, monthly limit", ("batch", "FILE", "--json"), limit="1000000"),
)
#: For `--full`: these take as long as the first audit, or longer.
FULL = (
    Command("audit --full", ("audit", "--full")),
    Command("audit --deep", ("audit", "--deep")),
)


class Archive:
    """One archive with its own name, in a folder or in the bucket."""

    def __init__(self, made: Stage, name: str, *, s3: bool) -> None:
        self._made, self._name = made, name
        self._folder = None if s3 else made.folder / name
        self._numbers = itertools.count()

    def write(self, videos: int) -> None:
        """Add so many videos."""
        numbers = itertools.islice(self._numbers, videos)
        if self._folder is not None:
            for one in itertools.chain.from_iterable(archived(numbers)):
                path = self._folder / one.key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(one.content)
            return
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for chunk in batched(archived(numbers, f"{self._name}/"), _CHUNK):
                list(threads.map(self._upload, chunk))

    def _upload(self, objects: list[Written]) -> None:
        for one in objects:
            digest = hashlib.sha256(one.content)
            self._made.bucket.put_object(
                Bucket=BUCKET,
                Key=one.key,
                Body=one.content,
                ContentType=one.kind,
                ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
                Metadata={"sha256": digest.hexdigest()},
            )

    def run(self, command: Command) -> Measured:
        """Archive the new videos and run the command to its end."""
        self.write(command.new)
        words = {
            "ID": record_of(_FEW // 2).id,
            "FILE": str(requests_file(self._made.folder, f"{self._name}-{command.name}", _BATCH)),
            "PAGE": str(self._made.folder / f"{self._name}-page"),
        }
        environment = self._made.environment(self._name)
        if self._folder is not None:
            del environment["VIDEO_ARCHIVE_BUCKET"], environment["VIDEO_ARCHIVE_PREFIX"]
            environment["VIDEO_ARCHIVE_FOLDER"] = str(self._folder)
        if command.limit:
            environment["VIDEO_ARCHIVE_MONTHLY_LIMIT_USD"] = command.limit
        given = [words.get(word, word) for word in command.words]
        return self._made.run(("-m", "benchmarks.contenders.ours", *given), environment)


def batched(found: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` items."""
    waiting = iter(found)
    while chunk := list(itertools.islice(waiting, size)):
        yield chunk


def requests_of(found: Measured) -> str:
    """`12 LIST, 3 GET`."""
    return ", ".join(f"{number} {name}" for name, number in sorted(found.s3.items())) or "-"


def goals_of(command: Command, sizes: dict[int, Measured]) -> list[Goal]:
    """The goals for the largest archive, compared with the smallest."""
    most = max(sizes)
    large, small, where = sizes[most], sizes[_FEW], f"{command.name}, {most:,} videos"
    made = [Goal(f"{where}: MB more than with {_FEW}", large.peak_mb - small.peak_mb, 100)]
    if not command.may_grow:
        made.append(Goal(f"{where}: CPU of that with {_FEW}", large.cpu / small.cpu, 1.25))
    if command.seconds:
        made.append(Goal(f"{where}: seconds", large.wall, command.seconds))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=[100_000])
    parser.add_argument("--s3", action="store_true", help="in a bucket, not in a folder")
    parser.add_argument("--only", default="", help="only commands that begin with this")
    parser.add_argument("--full", action="store_true", help="also the longest audits")
    options = parser.parse_args()
    every = (*COMMANDS, *FULL) if options.full else COMMANDS
    commands = [command for command in every if command.name.startswith(options.only)]
    found: dict[str, dict[int, Measured]] = {command.name: {} for command in commands}
    with stage(job_seconds=1, prefect=False) as made:
        # The smallest archive shows what a command always takes.
        for records in sorted({_FEW, *options.records}):
            archive = Archive(made, str(records), s3=options.s3)
            archive.write(records)
            for command in commands:
                one = found[command.name][records] = archive.run(command)
                print(f"{records:,} videos, {command.name}: {one.wall:.1f} s", flush=True)
    rows = [
        [f"{name}, {records:,}", requests_of(one), f"{one.wall:.1f}", f"{one.cpu:.1f}", f"{one.peak_mb:.0f}"]
        for name, sizes in found.items()
        for records, one in sizes.items()
    ]
    place = "bucket" if options.s3 else "folder"
    print(table([f"command, videos in a {place}", "requests", "wall, s", "CPU, s", "peak, MB"], rows), "\n")
    goals = [goal for command in commands for goal in goals_of(command, found[command.name])]
    commands_found = {
        name: {records: vars(one) | {"output": ""} for records, one in sizes.items()}
        for name, sizes in found.items()
    }
    keep(f"archive-{place}", vars(options), {"commands": commands_found}, goals)


if __name__ == "__main__":
    main()
