"""What all benchmarks share: servers, the accounting of a measured process, and results on disk.

The measured program runs as a child process, so that the servers do not count.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx

from benchmarks.children import child, cpu_seconds, working_folder
from prefect_together_video.flows.cli.servers.local_servers import PrefectServer, S3Server, SandboxServer

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
BUCKET = "videos"
#: Tiny and short: the benchmarks measure everything around the videos.
REQUEST = {"model": "pixverse/pixverse-v5", "width": 64, "height": 48, "seconds": "1", "fps": 8}


@dataclass(frozen=True)
class Measured:
    """One child process: seconds of wall and CPU, MB of peak memory, and its requests to each server."""

    wall: float
    cpu: float
    peak_mb: float
    api: dict[str, int]
    s3: dict[str, int]
    output: str
    told: dict[str, Any] = field(default_factory=dict)


class Stage:
    """An S3 server, the sandbox and, if wanted, a Prefect server."""

    def __init__(
        self, folder: Path, stack: ExitStack, *, job_seconds: float, spread: float, prefect: bool
    ) -> None:
        self.folder = folder
        self.s3 = stack.enter_context(S3Server(folder / "s3"))
        # A real API does not draw its videos on the client's machine.
        config = {
            "generation_seconds": (max(0.0, job_seconds - spread), job_seconds + spread),
            "model_rules": False,
            "price": 0.01,
            "one_picture": True,
        }
        self.sandbox = stack.enter_context(SandboxServer(folder / "sandbox", config))
        self.prefect = stack.enter_context(PrefectServer(folder / "prefect")) if prefect else None
        self.s3.wait_ready()
        self.sandbox.wait_ready()
        self.bucket = boto3.client(
            "s3",
            endpoint_url=self.s3.url,
            region_name="us-east-1",
            aws_access_key_id=self.s3.access_key,
            aws_secret_access_key=self.s3.secret_key,
        )
        self.bucket.create_bucket(Bucket=BUCKET)
        # The first call of each kind takes a new server up to half a second; users' servers run for days.
        self.bucket.put_object(Bucket=BUCKET, Key="first", Body=b"object")
        if self.prefect is not None:
            self.prefect.wait_ready(180)
            for path in ("admin/version", "v2/concurrency_limits/none"):
                httpx.get(f"{self.prefect.url}/api/{path}", trust_env=False, timeout=60)

    def environment(self, prefix: str, *, recorded: bool = True) -> dict[str, str]:
        """The environment of a child that archives under `prefix`; `recorded` by the Prefect server."""
        names = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
        found = {name: os.environ[name] for name in names if name in os.environ}
        if self.prefect is not None and recorded:
            found |= self.prefect.environment()
        return {
            **found,
            **self.s3.environment(),
            **self.sandbox.environment(),
            "VIDEO_ARCHIVE_BUCKET": BUCKET,
            "VIDEO_ARCHIVE_PREFIX": prefix,
            "TOGETHER_VIDEO_SPOOL": str(self.folder / "spool" / prefix),
        }

    def bill(self) -> dict[str, int]:
        """The number of API calls so far, by kind."""
        found = httpx.get(f"{self.sandbox.url}/sandbox/bill", trust_env=False, timeout=120).json()
        return {name: found[name] for name in ("posts", "retrieves", "downloads")}

    def run(self, words: Sequence[str], environment: Mapping[str, str]) -> Measured:
        """Run `python WORDS` to its end and measure it.

        Raises:
            RuntimeError: it failed; the message has the end of its output.
        """
        before = self.bill()
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            counts = Path(place) / "counts.json"
            out, err = Path(place) / "out", Path(place) / "err"
            with out.open("wb") as stdout, err.open("wb") as stderr:
                wall, cpu, peak_mb, code = account(
                    [sys.executable, *words], {**environment, "BENCH_COUNTS": str(counts)}, stdout, stderr
                )
            if code:
                raise RuntimeError(f"{' '.join(words)} ended with {code}:\n{err.read_text()[-2000:]}")
            told = json.loads(counts.read_text()) if counts.exists() else {}
            api = {name: count - before[name] for name, count in self.bill().items()}
            return Measured(wall, cpu, peak_mb, api, told.pop("s3", {}), out.read_text(), told)

    def server_cpu(self, seconds: float = 60) -> float:
        """CPU seconds of Prefect's server so far, once it has processed its queue, or after `seconds`."""
        if self.prefect is None:
            return 0.0
        deadline, before = time.monotonic() + seconds, -1.0
        while (now := cpu_seconds(self.prefect.pid)) - before > 0.2 and time.monotonic() < deadline:
            before = now
            time.sleep(2)
        return now

    def stored(self, prefix: str) -> dict[str, int]:
        """All keys under a prefix, and the bytes of each."""
        pages = self.bucket.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {found["Key"]: found["Size"] for page in pages for found in page.get("Contents", [])}


@contextmanager
def stage(*, job_seconds: float, spread: float = 0, prefect: bool = True) -> Iterator[Stage]:
    """Jobs take `job_seconds`, up to `spread` seconds more or less, evenly distributed."""
    with working_folder() as folder, ExitStack() as stack:
        yield Stage(folder, stack, job_seconds=job_seconds, spread=spread, prefect=prefect)


def account(
    command: Sequence[str], environment: Mapping[str, str], stdout: Any, stderr: Any
) -> tuple[float, float, float, int]:
    """Run a command: wall seconds, CPU seconds, peak memory in MB, exit code, by the kernel's count."""
    began = time.perf_counter()
    with child(command, cwd=ROOT, environment=environment, stdout=stdout, stderr=stderr) as process:
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale, process.returncode


def requests_file(folder: Path, name: str, count: int) -> Path:
    """A JSONL file of `count` different requests."""
    path = folder / f"{name}.jsonl"
    lines = (json.dumps({**REQUEST, "prompt": f"{name}: kite {n}"}) + "\n" for n in range(count))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns of text, the first to the left."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def keep(name: str, options: Mapping[str, Any], found: Mapping[str, Any], goals: Sequence[Goal]) -> None:
    """Print the goals' results and write `results/<name>.json`."""
    for goal in goals:
        print(goal.line)
    RESULTS.mkdir(exist_ok=True)
    document = {
        "benchmark": name,
        "options": dict(options),
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        **found,
        "goals": [{"what": g.what, "is": round(g.figure, 3), "goal": g.bound, "met": g.met} for g in goals],
    }
    text = json.dumps(document, indent=1, default=str) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Goal:
    """A figure and its bound; with `least`, it must not be below the bound."""

    what: str
    figure: float
    bound: float
    least: bool = False

    @property
    def met(self) -> bool:
        return self.figure >= self.bound if self.least else self.figure <= self.bound

    @property
    def line(self) -> str:
        sign = "≥" if self.least else "≤"
        return f"{'met   ' if self.met else 'MISSED'}  {self.what}: {self.figure:.3g} (goal {sign} {self.bound:g})"
