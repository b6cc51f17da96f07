"""Where the links of a gallery to Prefect's form lead, and that nothing waits or fails for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL, temporary_settings

from prefect_together_video.flows.reporting import redo_form
from together_video.ledger.records import VideoPlan
from together_video.requests import VideoRequest

pytestmark = pytest.mark.anyio

PLAN = VideoPlan(request=VideoRequest(model="m", prompt="a fox"))
ID = "0b6c8f9e-1111-4222-8333-444455556666"


@contextmanager
def configured(url: str | None, ui: str | None = None) -> Iterator[None]:
    values = {PREFECT_API_URL: url, **({PREFECT_UI_URL: ui} if ui else {})}
    with temporary_settings({name: value for name, value in values.items() if value}, restore_defaults=[]):
        yield


def says(unruly: Any, deployment: Any) -> None:
    """Has a server answer as Prefect's does."""

    def strike(_: str, path: str, __: dict[str, str]) -> Any:
        if path.endswith("/version"):
            return 200, '"3.9.1"', {"content-type": "application/json"}
        return deployment if "/deployments/name/" in path else 404

    unruly.strike = strike


async def test_without_a_server_there_are_no_links() -> None:
    """A server that Prefect starts for one run has no page that stays."""
    assert PREFECT_API_URL.value() is None
    assert await redo_form.redo([PLAN]) is None


@pytest.mark.parametrize("answer", [404, (200, "<html>")])
async def test_a_server_without_the_deployment_gives_no_links(
    new_unruly: Callable[..., Any], answer: Any
) -> None:
    """Whatever it answers, nothing is raised."""
    server = new_unruly("")
    says(server, answer)
    with configured(f"{server.url}/api"):
        assert await redo_form.redo([PLAN]) is None


async def test_a_server_that_does_not_answer_is_not_waited_for(
    new_unruly: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is made without links."""
    monkeypatch.setattr(redo_form, "_SECONDS", 0.2)
    server = new_unruly("")
    server.strike = lambda *_: time.sleep(20) or 404
    begun = time.monotonic()
    with configured(f"{server.url}/api"):
        assert await redo_form.redo([PLAN]) is None
    assert time.monotonic() - begun < 10
