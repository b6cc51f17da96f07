"""Flows of others that are stopped in the middle, and tasks that run in other processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.public.conftest import FOX, World

_FLOW = """
import json, sys
from prefect import flow
from prefect_together_video import make_video, create_video, wait_for_video

FOX = {"model": "pixverse/pixverse-v5", "width": 64, "height": 48, "seconds": 1, "fps": 8}

@flow
def mapped(count):
    videos = make_video.map([{**FOX, "prompt": f"fox {number}"} for number in range(count)]).result()
    print("MADE", json.dumps([video.uri for video in videos]))

@flow
def waiting(count):
    wait_for_video(create_video({**FOX, "prompt": "fox 0"}))

if __name__ == "__main__":
    globals()[sys.argv[1]](int(sys.argv[2]))
"""


@pytest.fixture
def start(tmp_path: Path, world: World) -> Callable[..., subprocess.Popen[str]]:
    """Starts one of the flows in a process of its own."""
    script = tmp_path / "theirs.py"
    script.write_text(_FLOW)

    def begin(name: str, count: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(script), name, str(count)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(os.environ),
            start_new_session=True,
        )

    return begin


def _until_bought(world: World, count: int) -> None:
    for _ in range(600):
        if len(world.bought) >= count:
            return
        time.sleep(0.1)
    raise AssertionError(f"only {len(world.bought)} videos were bought")


@pytest.mark.slow
def test_killed_and_run_again_nothing_is_bought_twice(
    world: World, start: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 with some of twenty videos on their way; the second run archives each of them once."""
    # How long a claim without a job is taken for a living one.
    monkeypatch.setenv("TOGETHER_VIDEO_CREATE_SECONDS", "10")
    monkeypatch.setenv("TOGETHER_VIDEO_CLAIM_MARGIN_SECONDS", "20")
    first = start("mapped", 20)
    _until_bought(world, 5)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    paid = len(world.bought)
    second = start("mapped", 20)
    said = second.communicate(timeout=200)[0]
    bought = world.bought
    assert len(bought) == len(set(bought)), said
    # A create that was under way when the process died is in doubt: held, and not repeated.
    held = world.keys("inflight/")
    assert len(world.videos) + len({key.split("/")[1] for key in held}) == 20, said
    assert paid <= len(bought) <= 20


@pytest.mark.slow
@pytest.mark.parametrize("name", ["waiting", "mapped"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_it_waits_it_ends_soon(
    new_world: Callable[..., World],
    start: Callable[..., subprocess.Popen[str]],
    name: str,
    number: signal.Signals,
) -> None:
    """Also where the waiting is done by threads of Prefect's; the jobs are kept and not bought again."""
    world = new_world(generation_seconds=600)
    run = start(name, 3)
    _until_bought(world, 3 if name == "mapped" else 1)
    time.sleep(2)
    run.send_signal(number)
    began = time.monotonic()
    said = run.communicate(timeout=60)[0]
    assert time.monotonic() - began < 30, said
    assert run.returncode != 0
    facts = {key.rpartition("/")[2] for key in world.keys("inflight/")}
    assert facts == {"claim.json", "job.json"}, said


@pytest.mark.slow
def test_delayed_to_a_task_worker(world: World, tmp_path: Path) -> None:
    """`.delay()` hands the task to another process, which has the same environment."""
    worker = tmp_path / "worker.py"
    worker.write_text(
        "from prefect.task_worker import serve\n"
        "from prefect_together_video import make_video\n"
        "if __name__ == '__main__':\n"
        "    serve(make_video)\n"
    )
    caller = tmp_path / "caller.py"
    caller.write_text(
        "from prefect_together_video import make_video\n"
        f"make_video.delay({ {**FOX, 'prompt': 'a fox far away'}!r})\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(worker)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        subprocess.run([sys.executable, str(caller)], check=True, timeout=60)
        for _ in range(900):
            if world.videos:
                break
            time.sleep(0.1)
        assert len(world.videos) == 1
        assert world.bought == ["a fox far away"]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


@pytest.mark.slow
def test_mapped_over_processes_of_dask(world: World, tmp_path: Path) -> None:
    """Twenty on two Dask workers, twice: arguments and results are pickled, and each video is bought once."""
    script = tmp_path / "dask_flow.py"
    script.write_text(
        "from prefect import flow\n"
        "from prefect_dask import DaskTaskRunner\n"
        "from prefect_together_video import make_video\n"
        "CLUSTER = {'n_workers': 2, 'threads_per_worker': 10, 'dashboard_address': None}\n"
        "FOX = {'model': 'pixverse/pixverse-v5', 'width': 64, 'height': 48, 'seconds': 1, 'fps': 8}\n"
        "@flow(task_runner=DaskTaskRunner(cluster_kwargs=CLUSTER))\n"
        "def mapped():\n"
        "    futures = make_video.map([{**FOX, 'prompt': f'fox {number}'} for number in range(20)])\n"
        "    print('REUSED', sum(future.result().reused for future in futures))\n"
        "if __name__ == '__main__':\n"
        "    mapped()\n"
    )
    reused = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, timeout=200, env=dict(os.environ)
        )
        assert done.returncode == 0, done.stdout + done.stderr
        reused.append(done.stdout.partition("REUSED ")[2].split()[0])
    assert reused == ["0", "20"]
    assert len(world.videos) == len(world.bought) == 20
