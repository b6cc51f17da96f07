"""Artifacts at the end of a run: tried again, beside each other, within bounds, and never an error."""

from __future__ import annotations

import asyncio
import logging

import pytest

from prefect_together_video.flows.reporting import artifact_attempts
from prefect_together_video.flows.reporting.artifact_attempts import PAUSES, make_all


class Server:
    """Answers each artifact with these errors first, and counts what was asked."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.asked = 0
        self.pauses: list[float] = []

    async def make(self) -> None:
        self.asked += 1
        if self._errors:
            raise self._errors.pop(0)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def test_what_fails_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    """With growing pauses; the others are made once, and nothing is said of what was made in the end."""
    busy, well = Server(TimeoutError(), OSError("503")), Server()
    asyncio.run(make_all({"gallery": busy.make, "videos": well.make}, sleep=busy.sleep))
    assert (busy.asked, well.asked) == (3, 1)
    assert busy.pauses == list(PAUSES[:2])
    assert not caplog.records


def test_what_keeps_failing_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """By its key and its last error, with the place where the same can be read."""
    gone, well = Server(*(OSError(f"refused {number}") for number in range(9))), Server()
    with caplog.at_level(logging.WARNING):
        asyncio.run(
            make_all(
                {"gallery": gone.make, "videos": well.make}, instead="The page is s3://b/p.", sleep=gone.sleep
            )
        )
    assert gone.asked == len(PAUSES) + 1
    assert [record.getMessage() for record in caplog.records] == [
        "The run's artifacts could not be made: gallery (refused 3). The page is s3://b/p."
    ]


def test_a_server_that_never_answers_delays_the_run_for_a_bound(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An attempt ends by itself, and so do all of them together."""
    monkeypatch.setattr(artifact_attempts, "ATTEMPT_SECONDS", 0.01)
    monkeypatch.setattr(artifact_attempts, "MOST_SECONDS", 0.05)

    async def never() -> None:
        await asyncio.Event().wait()

    asyncio.run(asyncio.wait_for(make_all({"gallery": never}), 20))
    assert "gallery (TimeoutError)" in caplog.text


def test_a_cancelled_run_makes_no_more_attempts() -> None:
    """A cancellation is not a failure of the server: it passes through."""
    asked = 0

    async def run() -> None:
        async def never() -> None:
            nonlocal asked
            asked += 1
            await asyncio.Event().wait()

        making = asyncio.create_task(make_all({"gallery": never}))
        await asyncio.sleep(0.01)
        making.cancel()
        await making

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert asked == 1
