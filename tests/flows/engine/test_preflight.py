"""No flow claims or buys anything on a machine that could not finish it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.flows.part import generate_part
from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.flows.video import generate_video
from prefect_together_video.tasks.session.planning import edition_now
from together_video.errors import ConfigurationError
from together_video.ledger.plans import plan_videos
from together_video.polling.policy import PollPolicy

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]


@pytest.fixture(params=["decoder", "spool", "proxy", "certificates"])
def trouble(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, decoder_with: Make
) -> str:
    """Breaks the machine in one way; gives what the sentence must name."""
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    kind: str = request.param
    if kind == "decoder":
        decoder_with("import av; av.open = None")
        return "PyAV"
    if kind == "spool":
        (tmp_path / "file").touch()
        monkeypatch.setenv("TOGETHER_VIDEO_SPOOL", str(tmp_path / "file"))
        return "TOGETHER_VIDEO_SPOOL"
    if kind == "proxy":
        monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
        return "ALL_PROXY"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    return "SSL_CERT_FILE"


async def in_flight(archive: VideoArchive) -> set[str]:
    async with archive.open() as ledger:
        return set(await ledger.in_flight())


@pytest.mark.parametrize("kind", ["video", "batch", "part"])
async def test_nothing_is_claimed_or_bought(
    kind: str, trouble: str, api: Any, archive: VideoArchive, small: Make, poll: PollPolicy
) -> None:
    """One clear sentence and exit code 2, before the first claim."""
    request = small("a fox")
    place: dict[str, Any] = {"poll": poll, "together": api.credentials(), "archive": archive}
    if kind == "video":
        state = await generate_video.fn(request=request, **place)
    elif kind == "batch":
        state = await generate_batch.fn(requests=[request], **place)
    else:
        plans = plan_videos([request], edition_now("once"), "b")
        state = await generate_part.fn(plans=plans, **place)
    error = result_of(state.data)
    assert isinstance(error, ConfigurationError)
    assert trouble in error.message
    assert "\n" not in error.message
    assert error.exit_code == 2
    assert api.posts == 0
    assert await in_flight(archive) == set()


async def test_what_is_bought_waits_for_a_machine_that_can(
    start_api: Make, archive: VideoArchive, small: Make, poll: PollPolicy, decoder_with: Make
) -> None:
    """A collector whose decoder is broken refuses no file: another one brings the video into the archive."""
    api = start_api(generation_seconds=1)
    place: dict[str, Any] = {"together": api.credentials(), "archive": archive}
    soon = PollPolicy.fixed(0.05, deadline=0.01)
    await generate_video.fn(request=small("a fox"), poll=soon, **place)
    bought = await in_flight(archive)
    assert len(bought) == api.charges == 1
    cure = decoder_with("import av; av.open = None")
    state = await collect_videos.fn(wait=10, **place)
    cure()
    assert isinstance(result_of(state.data), ConfigurationError)
    assert await in_flight(archive) == bought
    state = await collect_videos.fn(wait=10, **place)
    assert result_of(state.data).counts["archived"] == 1
    assert await in_flight(archive) == set()
