"""What commands cost in an archive of 10,000 and of 100,000 videos, which a script has written.

    python -m benchmarks.archive --records 10000 100000
    python -m benchmarks.archive --records 10000 --s3

In a folder, or with `--s3` in a bucket of the S3 server of the tests, where requests are counted on the wire. Each
figure is a process of its own, from its start to its end, with no Prefect server.
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

from benchmarks.archived import Written, archived
from benchmarks.harness import BUCKET, Goal, Measured, Stage, keep, stage, table

T = TypeVar("T")

#: Videos that are new between two audits, and those of an archive that is small.
_NEW, _FEW = 200, 100
#: Videos that are uploaded at the same time, and before the next are made.
_AT_ONCE, _CHUNK = 16, 1_000


@dataclass(frozen=True)
class Command:
    """A row of the table: words of the command line, and how many new videos are archived before it runs."""

    name: str
    words: tuple[str, ...]
    new: int = 0


COMMANDS = (
    Command("audit, the first", ("audit",)),
    Command("audit, nothing new", ("audit",)),
    Command(f"audit, {_NEW} new", ("audit",), new=_NEW),
    Command("audit --full", ("audit", "--full")),
    Command("audit --deep", ("audit", "--deep")),
)


class Archive:
    """One archive under a name of its own, in a folder or in the bucket."""

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
        """Archive what is new, and run the command to its end."""
        self.write(command.new)
        environment = self._made.environment(self._name)
        if self._folder is not None:
            del environment["VIDEO_ARCHIVE_BUCKET"], environment["VIDEO_ARCHIVE_PREFIX"]
            environment["VIDEO_ARCHIVE_FOLDER"] = str(self._folder)
        return self._made.run(("-m", "benchmarks.contenders.ours", *command.words), environment)


def batched(found: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of so many."""
    waiting = iter(found)
    while chunk := list(itertools.islice(waiting, size)):
        yield chunk


def requests_of(found: Measured) -> str:
    """`12 LIST, 3 GET`."""
    return ", ".join(f"{number} {name}" for name, number in sorted(found.s3.items())) or "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--s3", action="store_true", help="in a bucket, not in a folder")
    parser.add_argument("--only", default="", help="commands that begin so")
    options = parser.parse_args()
    commands = [command for command in COMMANDS if command.name.startswith(options.only)]
    found: dict[str, dict[int, Measured]] = {command.name: {} for command in commands}
    with stage(job_seconds=1, prefect=False) as made:
        # The smallest shows what a command takes anyway.
        for records in sorted({_FEW, *options.records}):
            archive = Archive(made, str(records), s3=options.s3)
            archive.write(records)
            for command in commands:
                found[command.name][records] = archive.run(command)
                print(f"{records} {command.name}", flush=True)
    rows = [
        [f"{name}, {records:,}", requests_of(one), f"{one.wall:.1f}", f"{one.cpu:.1f}", f"{one.peak_mb:.0f}"]
        for name, sizes in found.items()
        for records, one in sizes.items()
    ]
    place = "bucket" if options.s3 else "folder"
    print(table([f"command, videos in a {place}", "requests", "wall, s", "CPU, s", "peak, MB"], rows), "\n")
    most = max(options.records)
    goals = [
        Goal(f"growth of memory, MB, {name}, {most:,} videos", sizes[most].peak_mb - sizes[_FEW].peak_mb, 100)
        for name, sizes in found.items()
    ]
    commands_found = {
        name: {records: vars(one) | {"output": ""} for records, one in sizes.items()}
        for name, sizes in found.items()
    }
    keep(f"archive-{place}", vars(options), {"commands": commands_found}, goals)


if __name__ == "__main__":
    main()
