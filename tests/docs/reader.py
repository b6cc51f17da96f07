"""Somebody who follows a page: has the files that it names, fills in what it leaves open, and runs its commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.docs.command_blocks import Block, Shown
from tests.docs.markdown import ROOT
from tests.docs.not_run import why_not

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

BUCKET = "my-videos"
#: What a page writes as `NAME=…`.
FILLED_IN = {
    "TOGETHER_API_KEY": "key",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_PROFILE": "videos",
}
#: Files of requests that pages name and do not show.
_REQUESTS = {
    "prompts.csv": "prompt,seconds,campaign\na fox in the snow,5,spring\na lighthouse at dusk,5,spring\n",
    "prompts.jsonl": '{"prompt": "a fox in the snow", "seconds": 5}\n"waves on a black beach"\n',
}
_MEDIA = {
    ".jpg": "blue.jpg",
    ".png": "red.png",
    ".mp4": "clip.mp4",
    ".wav": "voice.wav",
    ".mp3": "song.mp3",
}
_MARK = "@@ command"


class Failed(AssertionError):
    """A command of a page that did not end well."""


class Reader:
    """One page in one folder. `given` is the environment; `replaced` are texts that stand for what only a test has."""

    def __init__(
        self,
        page: str,
        folder: Path,
        given: Mapping[str, str],
        replaced: Mapping[str, str],
        media: Path,
        s3: S3Client,
    ) -> None:
        self.page, self.folder, self.s3, self._media = page, folder, s3, media
        self._replaced = dict(replaced)
        self._state = folder / ".state"
        self._state.mkdir()
        self._environment = dict(given)

    def save(self, shown: Shown) -> None:
        """Write a file that the page shows, over the one that is there: that is an edit."""
        (self.folder / shown.name).write_text(shown.text, encoding="utf-8")

    def run(self, block: Block) -> str:
        """Run what can run of a block, in the shell that the blocks before have left; gives what was printed."""
        commands = [command for command in block.commands if not why_not(command)]
        if not commands:
            return ""
        ready = [self._filled_in(command) for command in commands]
        for command in ready:
            self._write_files(command)
        script = "\n".join(f"printf '\\n{_MARK} %s\\n' {n}\n{command}" for n, command in enumerate(ready))
        env, here = self._state / "env", self._state / "here"
        before = f'. "{env}"; cd "$(cat "{here}")"\n' if env.exists() else ""
        done = subprocess.run(
            ["bash", "-ec", f'{before}{script}\nexport -p > "{env}"; pwd > "{here}"'],
            env=self._environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        if done.returncode:
            number = int(done.stdout.rpartition(f"{_MARK} ")[2].split()[0])
            raise Failed(
                f"{self.page}:{block.line}: {commands[number]}\nran as: {ready[number]}\n"
                f"exit code {done.returncode}\n{done.stdout.rpartition(_MARK)[2]}"
            )
        return re.sub(rf"\n{_MARK} \d+\n", "", done.stdout)

    # What a reader fills in.

    def _filled_in(self, command: str) -> str:
        """The command with this archive's ids, and with the addresses of the test's servers."""
        command = re.sub(r"\b([A-Z_]+)=…", lambda found: f"{found[1]}={FILLED_IN[found[1]]}", command)
        for text, real in self._replaced.items():
            command = command.replace(text, real)
        ids: tuple[tuple[str, Callable[[], str]], ...] = (
            (r"\b20\d{6}T\d{6}(?:-[0-9a-f]{6})?\b", lambda: self._newest("batches")),
            (r"\bjob-[0-9a-f]{6}\b", self._job_id),
            (r"(?<=marks-)[0-9a-f]{24}\b|\b[0-9a-f]{8}(?=\s|$)", lambda: self._newest("films")),
            (r"(?<![-/\w])[0-9a-f]{24}\b", lambda: self._newest("records").removesuffix(".json")),
        )
        for pattern, real_id in ids:
            command = re.sub(pattern, lambda _, made=real_id: made(), command)
        return command

    def _keys(self) -> list[tuple[float, str]]:
        """Everything in the archive, the oldest first."""
        if folder := self._archive_folder():
            found = [path for path in folder.rglob("*") if path.is_file()]
            return sorted((path.stat().st_mtime, path.relative_to(folder).as_posix()) for path in found)
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return sorted((entry["LastModified"].timestamp(), entry["Key"]) for entry in listed)

    def _archive_folder(self) -> Path | None:
        env = self._state / "env"
        named = re.search(r'VIDEO_ARCHIVE_FOLDER="([^"]+)"', env.read_text() if env.exists() else "")
        return self.folder / named[1] if named else None

    def _newest(self, kind: str) -> str:
        names = [found[1] for _, key in self._keys() if (found := re.search(rf"\b{kind}/([^/]+)", key))]
        assert names, f"{self.page}: there is nothing in {kind}/ of the archive"
        return names[-1]

    def _read(self, name: str) -> Any:
        key = next(key for _, key in self._keys() if key.endswith(name))
        if folder := self._archive_folder():
            return json.loads((folder / key).read_bytes())
        return json.loads(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def _job_id(self) -> str:
        return str(self._read(f"records/{self._newest('records')}")["job_id"])

    # What a reader has.

    def _write_files(self, command: str) -> None:
        """The files that a command reads, if neither the page nor a command has made them."""
        for name in re.findall(r"(?<![\w/.])[\w-]+\.\w+\b", command):
            path = self.folder / name
            if path.exists() or re.search(rf"(?:-o|--output|>|--\w+)[ =]{re.escape(name)}", command):
                continue
            if name in _REQUESTS:
                path.write_text(_REQUESTS[name], encoding="utf-8")
            elif path.suffix in _MEDIA:
                shutil.copy(self._media / _MEDIA[path.suffix], path)
            elif path.suffix == ".json" and re.search(r"\breview\b|--from-review", command):
                path.write_text(json.dumps(self._marks(name)), encoding="utf-8")
        for name in ("deployments", "examples", "prefect.yaml"):
            if name in command or "prefect --no-prompt deploy" in command:
                self._copy(name)

    def _copy(self, name: str) -> None:
        """From the checkout, in which the reader stands."""
        source, target = ROOT / name, self.folder / name
        if target.exists():
            return
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)

    def _marks(self, name: str) -> dict[str, Any]:
        """As a gallery exports them: the newest clip has a star on a film's page, else it is rejected."""
        video = self._newest("records").removesuffix(".json")
        mark = "star" if name.startswith("marks-") else "reject"
        made = {"id": video, "mark": mark, "note": "", "at": "2026-11-27T13:00:00Z"}
        return {"review": 1, "batch": None, "who": "Ann", "marks": [made]}


def environment(home: Path, **more: str) -> dict[str, str]:
    """A shell of somebody who has installed the package and nothing else."""
    programs = Path(sys.executable).parent
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "DO_NOT_TRACK": "1",
        **more,
    }
