"""What can happen to the Prefect server that watches: the videos do not depend on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_together_video.flows.cli.options import PlaceOptions
from prefect_together_video.flows.cli.running import run_flow
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.video import generate_video
from together_video.polling.policy import PollPolicy

Expect = Callable[..., Any]
GONE_WELL = {"sees": "archived", "bucket": "records: archived; videos: jpg, mp4", "then": "reused"}


class Wire:
    """A way to a server that can be cut, and mended: as if the server were killed, and started again.

    It passes bytes on, so that websockets go through as well.
    """

    def __init__(self, upstream: str) -> None:
        address = urlsplit(upstream)
        self._upstream = (address.hostname, address.port)
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._listen()

    def cut(self) -> None:
        """All connections end, and new ones are refused."""
        # Closing alone does not wake a thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listen()

    def _listen(self) -> None:
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._upstream)
            self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65_536):
                target.sendall(piece)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()


@pytest.fixture
def wire(prefect_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A way to the session's Prefect server that can be cut; this process has its own."""
    for name, value in prefect_server.environment().items():
        monkeypatch.setenv(name, value)
    made = Wire(prefect_server.url)
    with temporary_settings({PREFECT_API_URL: f"{prefect_server.url}/api"}):
        yield made
    made.cut()


def parameters(scene: Any) -> dict[str, Any]:
    return {
        "request": scene.request,
        "poll": PollPolicy.fixed(0.02, deadline=60),
        "together": scene.api.credentials(),
        "archive": scene.archive,
    }


def by_command(scene: Any) -> tuple[str, str]:
    """The flow as the command line runs it: the state, or what it says instead of one."""
    terminal = Terminal(quiet=True)
    said: list[str] = []
    terminal.complain = said.append  # type: ignore[method-assign]
    code, result = run_flow(generate_video, parameters(scene), PlaceOptions(), terminal)
    if result is None:
        return {2: "not begun", 130: "interrupted"}.get(code, "unknown"), " ".join(said)
    return scene.told(result)


def already(told: tuple[str, str]) -> Callable[[], Any]:
    """What a run that has ended before told, where the table looks for its first run."""

    async def tell() -> tuple[str, str]:
        return told

    return tell


@pytest.fixture
def keep_signals() -> Iterator[None]:
    """The command sets a handler for its own process, which must not stay; and tests that run in the
    background of a script have SIGINT ignored.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def run_while_the_wire_is_cut(
    scene: Any, shell: Any, wire: Wire, server: Any, *, seconds: float | None, **more: str
) -> tuple[tuple[str, str], str]:
    """The installed command. Once its job is made the wire is cut, and mended after `seconds` unless None.

    Gives what it tells of its video, and all that it said on stderr.
    """
    scene.takes = 3600.0
    command = shell.start(
        *("generate", scene.request.prompt, "--json", "--poll-interval", "0.2", "--deadline", "60"),
        *("--model", scene.request.model, "--width", "64", "--height", "48", "--seconds", "1", "--fps", "8"),
        **{**server.environment(), "PREFECT_API_URL": f"{wire.url}/api"},
        TOGETHER_API_KEY="key",
        TOGETHER_BASE_URL=scene.api.url,
        VIDEO_ARCHIVE_BUCKET=scene.archive.bucket,
        AWS_ENDPOINT_URL_S3=scene.s3.url,
        AWS_ACCESS_KEY_ID=scene.place.pair[0],
        AWS_SECRET_ACCESS_KEY=scene.place.pair[1],
        AWS_REGION="us-east-1",
        TOGETHER_VIDEO_SPOOL=str(scene.spool),
        **more,
    )
    with command as process:
        try:
            made = threading.Event()
            _until_made(scene.api, made)
            wire.cut()
            if seconds is not None:
                made.clear()
                made.wait(seconds)
                wire.mend()
            scene.now += 7200
            out, err = process.communicate(timeout=120)
        except BaseException:
            process.kill()
            raise
    assert out, err
    (video,) = json.loads(out)["videos"]
    return (video["state"], video["error"] or ""), err


@pytest.mark.slow
def test_a_server_that_is_away_for_a_while_changes_nothing(
    scene: Any, expect: Expect, shell: Any, wire: Wire, prefect_server: Any
) -> None:
    """Gone between the create and the archive, and back: the run ends well, and the server has all of it."""
    told, _ = run_while_the_wire_is_cut(scene, shell, wire, prefect_server, seconds=1.5)

    async def seen_by_the_server() -> tuple[str, set[str]]:
        async with get_client() as client:
            (run,) = [found for found in await client.read_flow_runs() if scene.request.prompt in found.name]
            only = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
            for _ in range(100):
                tasks = await client.read_task_runs(flow_run_filter=only)
                if len(tasks) == 4 and all(found.state and found.state.is_completed() for found in tasks):
                    break
                await asyncio.sleep(0.1)
            return run.state_name or "", {found.name.split(":")[0] for found in tasks}

    assert asyncio.run(seen_by_the_server()) == ("Completed", {"create", "wait", "download", "archive"})
    wire.cut()
    fault = "the Prefect server stops during the run and comes back"
    with temporary_settings({PREFECT_API_URL: None}):
        asyncio.run(expect("prefect", fault, first=already(told), **GONE_WELL))


@pytest.mark.slow
def test_a_server_that_stays_away_loses_no_video(
    scene: Any, expect: Expect, shell: Any, wire: Wire, prefect_server: Any
) -> None:
    """Gone for good: the video is archived and reported; only the server does not know."""
    # Prefect's client would ask for five minutes before it gives up.
    patience = {"PREFECT_CLIENT_MAX_RETRIES": "0"}
    told, said = run_while_the_wire_is_cut(scene, shell, wire, prefect_server, seconds=None, **patience)
    assert "Traceback" not in said
    assert "went away and was not told how the run ended" in " ".join(said.split())
    fault = "the Prefect server stops during the run for good"
    with temporary_settings({PREFECT_API_URL: None}):
        asyncio.run(expect("prefect", fault, first=already(told), **GONE_WELL))


def test_a_server_that_is_away_at_the_start_stops_the_run(
    scene: Any, expect: Expect, keep_signals: None
) -> None:
    """Configured and down: said at once, before anything is bought."""

    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        told = by_command(scene)
    words = {"sees": "not begun", "reads": "does not answer. Start it, or unset PREFECT_API_URL"}
    asyncio.run(
        expect(
            "prefect",
            "a Prefect server is configured, but down",
            first=already(told),
            bucket="nothing",
            billed=0,
            then="archived",
            work="1 create, 1 download",
            **words,
        )
    )


def test_no_server_is_needed(scene: Any, expect: Expect, keep_signals: None) -> None:
    """None is configured: the same steps with the same retries, and only nobody records the run."""
    fault = "no Prefect server is configured"
    asyncio.run(expect("prefect", fault, first=already(by_command(scene)), **GONE_WELL))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_command_says_what_goes_on(
    scene: Any, expect: Expect, keep_signals: None, ending: signal.Signals
) -> None:
    """The sentence tells how many jobs go on, that they are billed, and how they come home."""
    scene.takes = 3600.0
    job_is_made = threading.Event()

    def interrupt() -> None:
        assert job_is_made.wait(30)
        os.kill(os.getpid(), ending)

    threading.Thread(target=interrupt, daemon=True).start()
    threading.Thread(target=_until_made, args=(scene.api, job_is_made), daemon=True).start()
    told = by_command(scene)
    asyncio.run(
        expect(
            "prefect",
            "Ctrl-C during the run"
            if ending is signal.SIGINT
            else "SIGTERM during the run, as from a cancelled deployment",
            first=already(told),
            sees="interrupted",
            reads="1 job keeps running at the provider and will be billed",
            bucket="inflight: claim, job",
            then="archived",
            work="1 download",
        )
    )


def _until_made(api: Any, made: threading.Event) -> None:
    """The job id is in the bucket once the job is asked for."""
    while not api.bill()["retrieves"]:
        made.wait(0.02)
    made.set()
