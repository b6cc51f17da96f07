"""Several works at once: over when the last of them is, however they end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest
from prefect.context import FlowRunContext

from prefect_together_video.flows.engine.stopping import all_of


async def storing(kept: list[str], steps: int, name: str) -> str:
    """Waits for ever, and needs some steps to store what it has once it is cancelled."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        for _ in range(steps):
            await asyncio.sleep(0)
        kept.append(name)
        raise
    return name


async def at_once(name: str) -> str:
    await asyncio.sleep(0)
    return name


async def failing() -> str:
    await asyncio.sleep(0)
    raise ValueError("a defect")


def test_what_all_return_in_their_order() -> None:
    assert asyncio.run(all_of(at_once(name) for name in "abc")) == ["a", "b", "c"]
    assert asyncio.run(all_of(at_once(name) for name in "")) == []


@pytest.mark.parametrize("times", [1, 2, 5])
def test_cancelled_it_waits_for_the_slowest(times: int) -> None:
    """asyncio.gather would be over with the first."""
    kept: list[str] = []

    async def run() -> None:
        works = asyncio.create_task(all_of([storing(kept, 1, "quick"), storing(kept, 50, "slow")]))
        await asyncio.sleep(0.01)
        for _ in range(times):
            works.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await works

    asyncio.run(run())
    assert kept == ["quick", "slow"]


@pytest.mark.parametrize(("seconds", "said"), [(0.0, 1), (60.0, 0)])
def test_an_end_that_takes_its_time_is_told(
    monkeypatch: pytest.MonkeyPatch, seconds: float, said: int
) -> None:
    """Once, and only where it takes longer than a moment."""
    monkeypatch.setattr("prefect_together_video.flows.engine.stopping._AT_ONCE", seconds)
    told: list[None] = []

    async def run() -> None:
        works = asyncio.create_task(all_of([storing([], 50, "slow")], slow_to_stop=lambda: told.append(None)))
        await asyncio.sleep(0.01)
        works.cancel()
        with pytest.raises(asyncio.CancelledError):
            await works
        await asyncio.sleep(0.01)

    asyncio.run(run())
    assert len(told) == said


def test_a_defect_of_one_ends_the_others_in_order() -> None:
    kept: list[str] = []
    with pytest.raises(ValueError, match="a defect"):
        asyncio.run(all_of([storing(kept, 50, "slow"), failing(), failing()]))
    assert kept == ["slow"]


class Terminated(BaseException):
    """What Prefect's handler of SIGTERM raises, wherever the program is."""


@pytest.fixture
def prefects_handler(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A run that Prefect records, with a handler of SIGTERM that raises."""

    def handle(*_: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, handle)
    monkeypatch.setattr(FlowRunContext, "get", lambda: object())
    yield handle
    signal.signal(signal.SIGTERM, before)


def test_sigterm_waits_until_all_is_stored(prefects_handler: Callable[..., None]) -> None:
    """Prefect has the signal then, and its handler back."""
    kept: list[str] = []

    async def run() -> None:
        asyncio.get_running_loop().call_later(0.05, signal.raise_signal, signal.SIGTERM)
        await all_of([storing(kept, 1, "quick"), storing(kept, 50, "slow")])

    with pytest.raises(Terminated):
        asyncio.run(run())
    assert kept == ["quick", "slow"]
    assert signal.getsignal(signal.SIGTERM) is prefects_handler


def test_without_a_signal_the_handler_is_put_back(prefects_handler: Callable[..., None]) -> None:
    assert asyncio.run(all_of([at_once("a")])) == ["a"]
    assert signal.getsignal(signal.SIGTERM) is prefects_handler
