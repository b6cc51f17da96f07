"""A sandbox in this process, whose clock is turned by hand."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from together_video.sandbox.app import create_app
from together_video.sandbox.config import SandboxConfig

#: Small and short, so that rendering takes a few hundredths of a second.
TINY: dict[str, Any] = {"model": "m", "prompt": "A fox", "width": 64, "height": 48, "seconds": "1", "fps": 8}


class Clock:
    """Unix seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_760_943_438.154804

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slept() -> list[float]:
    """How long the sandbox meant to sleep, each time that it did."""
    return []


@pytest.fixture
def sandbox(clock: Clock, slept: list[float]) -> Callable[..., httpx.AsyncClient]:
    """Makes a client of a new sandbox with the given settings; use it in `async with`."""

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def make(**settings: Any) -> httpx.AsyncClient:
        config = SandboxConfig(**{"generation_seconds": 10.0, "model_rules": False, **settings})
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(config, clock=clock, sleep=sleep)),
            base_url="http://sandbox",
            headers={"authorization": "Bearer key"},
        )

    return make
