"""Archived videos as Prefect assets."""

from __future__ import annotations

import time

import httpx
import pytest
from prefect import flow

from prefect_together_video import archive_video, create_video, make_video, wait_for_video
from tests.public.conftest import FOX, World, of

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def _materialised(url: str, uris: list[str], *, wanted: int) -> dict[str, dict[str, str]]:
    """What the server has heard of these assets; events arrive a moment after the run."""
    seen: dict[str, dict[str, str]] = {}
    for _ in range(100):
        asked = {
            "filter": {
                "event": {"name": ["prefect.asset.materialization.succeeded"]},
                "resource": {"id": uris},
            }
        }
        events = httpx.post(f"{url}/events/filter", json=asked).raise_for_status().json()["events"]
        seen = {event["resource"]["prefect.resource.id"]: event["payload"] for event in events}
        if len(seen) >= wanted:
            break
        time.sleep(0.1)
    return seen


def test_each_archived_video_is_materialised(world: World, prefect_api: str) -> None:
    """Under its URI, with what it is; one that was there before is not."""

    @flow
    def two() -> list[str]:
        return [archive_video(wait_for_video(create_video(FOX))).uri, make_video(of("an owl")[0]).uri]

    uris = two()
    two()
    seen = _materialised(prefect_api, uris, wanted=2)
    assert set(seen) == set(uris)
    assert seen[uris[1]]["prompt"] == "an owl"
    assert seen[uris[0]]["model"] == FOX["model"]


def test_assets_can_be_turned_off(world: World, prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one setting, for batches that are large."""

    @flow
    def one(prompt: str) -> str:
        return make_video(of(prompt)[0]).uri

    monkeypatch.setenv("TOGETHER_VIDEO_ASSETS", "off")
    without = one("a fox")
    monkeypatch.delenv("TOGETHER_VIDEO_ASSETS")
    later = one("an owl")
    assert set(_materialised(prefect_api, [without, later], wanted=1)) == {later}
