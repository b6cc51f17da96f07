"""The processes that open files from outside: what happens to a file when one dies, hangs, or cannot be started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from together_video.errors import MediaRefused
from together_video.media import bounds
from together_video.media.clips import Inspection, inspect_clip
from together_video.media.files import inspect_bytes, inspect_file
from together_video.media.isolation import pool, process
from together_video.media.sources import MediaKind

CLIP = Path(__file__).parents[3] / "tasks" / "session" / "tiny.mp4"
ROOT = Path(__file__).parents[3]

DecoderWith = Callable[[str], Callable[[], None]]

#: Replaces what reads clips and images in the worker by a function of its memory.
READER = """
import os, sys, time
from together_video.media.isolation import read_clips, read_inputs

def told(memory):
    {body}

def reading(real):
    return lambda source, memory, **more: told(memory) or real(source, memory, **more)

read_clips.read_clip = reading(read_clips.read_clip)
read_inputs.read_image = reading(read_inputs.read_image)
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc and limits of memory are Linux's")


@pytest.fixture(autouse=True)
def own_workers() -> Iterator[None]:
    pool.close()
    yield
    pool.close()


@pytest.fixture
def picture(media_folder: Path) -> bytes:
    return (media_folder / "red.png").read_bytes()


def whole(found: Inspection) -> bool:
    return found.info is not None and found.poster is not None and not found.notes


def is_gone(pid: int) -> bool:
    """Whether the process has ended, within some seconds."""
    for _ in range(500):
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def worker_at_work(beside: int = 0) -> int:
    """The one process that opens a file now, but not `beside`."""
    for _ in range(1000):
        found = [pid for pid in pool.workers() if pid != beside]
        if found:
            return found[0]
        time.sleep(0.01)
    raise AssertionError("no worker was started")


def test_one_worker_serves_one_file_after_the_other() -> None:
    """It starts with the first file."""
    assert pool.workers() == []
    assert whole(inspect_clip(CLIP))
    (first,) = pool.workers()
    assert whole(inspect_clip(CLIP))
    assert pool.workers() == [first]


def test_files_of_many_threads_are_opened_two_at_a_time() -> None:
    """However many ask."""
    found: list[Inspection] = []
    threads = [threading.Thread(target=lambda: found.append(inspect_clip(CLIP))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(whole(one) for one in found)
    assert (len(found), len(pool.workers()) <= bounds.AT_ONCE) == (12, True)


@pytest.mark.parametrize("kills", [1, 2])
def test_a_worker_that_is_killed_at_its_work(decoder_with: DecoderWith, picture: bytes, kills: int) -> None:
    """The file gets a second try; then it is archived as it is, and the next one is opened."""
    cure = decoder_with(
        READER.format(
            body=f"time.sleep(60 if memory <= {(bounds.FIRST_MEMORY, bounds.MEMORY)[kills - 1]} else 0)"
        )
    )
    found: list[Inspection] = []
    thread = threading.Thread(target=lambda: found.append(inspect_clip(CLIP)))
    thread.start()
    killed = 0
    for _ in range(kills):
        killed = worker_at_work(beside=killed)
        time.sleep(0.5)
        os.kill(killed, signal.SIGKILL)
    thread.join(30)
    if kills == 1:
        assert whole(found[0])
    else:
        assert found[0].info is None
        assert "the process that opens it died (SIGKILL ended it)" in found[0].notes[0]
        assert found[0].doubt
    cure()
    assert whole(inspect_clip(CLIP))
    assert inspect_bytes(picture, "photo", MediaKind.IMAGE).content_type == "image/png"


def test_a_worker_that_hangs(
    decoder_with: DecoderWith, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time is over; nothing speaks for a second download."""
    cure = decoder_with(READER.format(body="time.sleep(60)"))
    monkeypatch.setattr(bounds, "SECONDS", 1.0)
    found = inspect_clip(CLIP)
    assert (found.info, found.doubt) == (None, None)
    assert (
        "its content could not be checked: it takes more than 1 s to open here. It is archived"
        in found.notes[0]
    )
    with pytest.raises(MediaRefused, match=r"^cannot be used: it takes more than 1 s to open here$"):
        inspect_bytes(picture, "photo", MediaKind.IMAGE)
    cure()
    assert whole(inspect_clip(CLIP))


@linux
def test_a_file_that_needs_too_much_memory(decoder_with: DecoderWith, picture: bytes) -> None:
    """The bound is named; nothing speaks for a second download."""
    decoder_with(READER.format(body="bytearray(700 << 20)"))
    found = inspect_clip(CLIP)
    assert (found.info, found.doubt) == (None, None)
    assert "it needs more than 512 MiB of memory to open here" in found.notes[0]
    with pytest.raises(MediaRefused, match="needs more than 512 MiB of memory"):
        inspect_bytes(picture, "photo", MediaKind.IMAGE)


@linux
def test_a_file_that_needs_much_memory_gets_it(decoder_with: DecoderWith) -> None:
    """In a second try, after which another worker takes the place of the first."""
    decoder_with(
        READER.format(body="kept.append(bytearray(300 << 20))").replace("import os", "kept = []\nimport os")
    )
    assert whole(inspect_clip(CLIP))
    assert pool.workers() == []


def test_a_worker_that_has_served_many_files_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not add up."""
    monkeypatch.setattr(pool, "_FILES", 2)
    inspect_clip(CLIP)
    first = pool.workers()
    inspect_clip(CLIP)
    assert (len(first), pool.workers()) == (1, [])
    assert whole(inspect_clip(CLIP))


def test_a_worker_that_ended_while_it_was_idle() -> None:
    """Nobody notices."""
    inspect_clip(CLIP)
    (idle,) = pool.workers()
    os.kill(idle, signal.SIGKILL)
    assert is_gone(idle)
    assert whole(inspect_clip(CLIP))


@pytest.mark.parametrize(
    "answer", ["{'info': {'width': 'wide'}}, b''", "{'more': 1}, b''", "{'why': 'x' * 70_000}, b''"]
)
def test_an_answer_that_cannot_be_read(decoder_with: DecoderWith, answer: str) -> None:
    """The worker has seen bytes of others: what it says is looked at."""
    decoder_with(READER.format(body=f"return ({answer})"))
    found = inspect_clip(CLIP)
    assert found.info is None
    assert "the process that opens it died" in found.notes[0]


@pytest.mark.parametrize("how", ["frozen", "gone", "refused", "broken"])
def test_no_worker_can_be_started(
    how: str, monkeypatch: pytest.MonkeyPatch, picture: bytes, tmp_path: Path
) -> None:
    """A clip is archived as it is, without a second download; an input is refused in one sentence."""

    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    if how == "frozen":
        monkeypatch.setattr(sys, "frozen", True, raising=False)
    elif how == "gone":
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    elif how == "refused":
        monkeypatch.setattr(subprocess, "Popen", refuse)
    else:
        monkeypatch.setattr(process, "PROGRAM", "raise SystemExit(3)")
    found = inspect_clip(CLIP)
    assert (found.info, found.poster, found.doubt) == (None, None, None)
    assert "no process can be started (" in found.notes[0]
    with pytest.raises(MediaRefused, match="no process can be started") as caught:
        inspect_bytes(picture, "photo", MediaKind.IMAGE)
    assert "\n" not in caught.value.message
    monkeypatch.undo()
    assert whole(inspect_clip(CLIP))


@linux
def test_a_worker_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment it has what starts Python, and it ignores what a terminal says."""
    for name in ("TOGETHER_API_KEY", "AWS_SECRET_ACCESS_KEY", "PREFECT_API_KEY", "HTTPS_PROXY", "PYTHONPATH"):
        monkeypatch.setenv(name, "hidden")
    inspect_clip(CLIP)
    (pid,) = pool.workers()
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"hidden" not in environment
    assert {entry.partition(b"=")[0].decode() for entry in environment.split(b"\0") if entry} <= {
        *process._ENVIRONMENT,
        "MALLOC_ARENA_MAX",
    }
    assert os.getsid(pid) == pid
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, name)
    assert whole(inspect_clip(CLIP))
    assert pool.workers() == [pid]


@linux
def test_a_worker_is_limited_by_the_system() -> None:
    """No core dumps, no files, few open ones, and a bound of memory."""
    inspect_clip(CLIP)
    (pid,) = pool.workers()
    limits = {
        line[:26].strip(): line[26:].split()[0]
        for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    }
    assert (limits["Max core file size"], limits["Max file size"], limits["Max open files"]) == (
        "0",
        "0",
        "32",
    )
    assert bounds.FIRST_MEMORY < int(limits["Max data size"]) < bounds.FIRST_MEMORY + (100 << 20)


def run(script: str, *, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-c", script, str(CLIP)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


INSPECT = """
import os, sys, time
from together_video.media import clips
from together_video.media.isolation import pool
"""


def test_a_package_in_the_working_directory_is_not_imported(tmp_path: Path) -> None:
    """Neither one of our name nor one of a decoder's."""
    for name in ("together_video", "av", "PIL", "json"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(
            f"open({str(tmp_path / 'seen')!r}, 'w')\nraise SystemExit(9)"
        )
    done = run(INSPECT + "print(clips.inspect_clip(sys.argv[1]).info.width)", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("64\n", "")
    assert not (tmp_path / "seen").exists()


def test_a_relative_path_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: bytes) -> None:
    """The worker works elsewhere; and a name need not be UTF-8."""
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"photo \xff.png") if sys.platform == "linux" else "photo.png"
    Path(name).write_bytes(picture)
    assert inspect_file(Path(name), MediaKind.IMAGE).content_type == "image/png"
    Path("clip.mp4").write_bytes(CLIP.read_bytes())
    assert whole(inspect_clip("clip.mp4"))


@linux
def test_no_worker_is_left_at_the_end() -> None:
    """Without a word, and without a call to close anything."""
    done = run(INSPECT + "clips.inspect_clip(sys.argv[1]); print(*pool.workers())")
    assert done.stderr == ""
    assert is_gone(int(done.stdout))


@linux
@pytest.mark.parametrize(
    "body", ["None", "time.sleep(60)", "[0 for _ in iter(int, 1)]"], ids=["idle", "asleep", "busy"]
)
def test_no_worker_outlives_a_killed_parent(body: str) -> None:
    """Whatever it is at."""
    script = f"""
import sys, threading, time
from together_video.media import clips
from together_video.media.isolation import pool, process
process.PROGRAM = process.PROGRAM.replace("main()\\n", {READER.format(body=body)!r} + "main()\\n")
threading.Thread(target=clips.inspect_clip, args=sys.argv[1:], daemon=True).start()
while not pool.workers():
    time.sleep(0.01)
time.sleep(0.3)
print(*pool.workers(), flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(CLIP)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        parent.kill()
    assert is_gone(pid)


@linux
def test_a_fork_has_workers_of_its_own() -> None:
    """Neither takes the answers of the other, and each ends its own."""
    done = run(
        INSPECT
        + """
clips.inspect_clip(sys.argv[1])
before = pool.workers()
pid = os.fork()
if not pid:
    assert pool.workers() == []
    width = clips.inspect_clip(sys.argv[1]).info.width
    print(width, len(pool.workers()), set(pool.workers()) & set(before), flush=True)
    pool.close()
    os._exit(0)
os.waitpid(pid, 0)
print(clips.inspect_clip(sys.argv[1]).info.width, pool.workers() == before)
"""
    )
    # Python 3.12 and later warn of forks where there are threads.
    assert (done.stdout, "Traceback" in done.stderr) == ("64 1 set()\n64 True\n", False)


@linux
def test_a_fork_holds_no_worker_alive() -> None:
    """A worker ends with the process that started it, even if a fork of that keeps running."""
    script = (
        INSPECT
        + """
clips.inspect_clip(sys.argv[1])
print(*pool.workers(), flush=True)
if not os.fork():
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
"""
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(CLIP)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, copy = int(parent.stdout.readline()), int(parent.stdout.readline())
        parent.kill()
        gone = is_gone(pid)
        os.kill(copy, signal.SIGKILL)
    assert gone
