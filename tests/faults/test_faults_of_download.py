"""What can happen to the file of a finished job: nothing but a whole video is archived."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("behind", ["seaweed", "folder"], indirect=True)]

#: A clip that was trimmed without re-encoding.
EDIT_LIST = Path(__file__).parents[1] / "data" / "edit-list.mp4"

Expect = Callable[..., Any]


def rule(on: str, kind: str, **more: Any) -> tuple[dict[str, Any], ...]:
    return ({"on": on, "kind": kind, **more},)


GONE_WELL = {"sees": "archived", "bucket": "records: archived; videos: jpg, mp4", "then": "reused"}
LATER = {
    "sees": "submitted",
    "bucket": "inflight: claim, job",
    "then": "archived",
    "work": "1 download",
}

CASES: dict[str, dict[str, Any]] = {
    "the link has expired: a fresh one is requested": {
        **GONE_WELL,
        "rules": rule("link", "link_expired", times=1),
    },
    "every link has expired": {
        **LATER,
        "rules": rule("link", "link_expired"),
        "reads": "The link to the video answers with HTTP 403",
    },
    "404 behind the link, each time": {
        **LATER,
        "rules": rule("link", "status", status=404),
        "reads": "HTTP 404",
    },
    "the link is not ready: 400 six times, then it works": {
        **GONE_WELL,
        "rules": rule("link", "status", status=400, times=6),
    },
    "the link is not ready: 425 six times, then it works": {
        **GONE_WELL,
        "rules": rule("link", "status", status=425, times=6),
    },
    "the link is accepted (202) three times, then it works": {
        **GONE_WELL,
        "rules": rule("link", "status", status=202, times=3),
    },
    "a Content-Encoding header that means nothing": {
        **GONE_WELL,
        "rules": rule("download", "headers", headers={"content-encoding": "aws-chunked"}),
    },
    "a Content-Type that is not for video": {
        **GONE_WELL,
        "rules": rule("download", "headers", headers={"content-type": "text/html; charset=utf-8"}),
    },
    "an edit list hides the first frames": {
        **GONE_WELL,
        "rules": rule("download", "file", body=base64.b64encode(EDIT_LIST.read_bytes()).decode()),
    },
    "a whole file in a format that cannot be opened here": {
        **GONE_WELL,
        "bucket": "records: archived; videos: mp4",
        "rules": rule("download", "file", body=base64.b64encode(bytes(range(256)) * 8).decode()),
    },
    "the link redirects to a private address": {
        **LATER,
        "rules": rule("link", "status", status=302, headers={"location": "http://169.254.169.254/latest"}),
        "reads": "169.254.169.254 is at a private address",
    },
    "the link redirects to an impossible address": {
        **LATER,
        "rules": rule(
            "link", "status", status=302, headers={"location": "https://cdn.example.com:70000/v.mp4"}
        ),
        "reads": "broke off",
    },
    "500 behind the link twice": {**GONE_WELL, "rules": rule("link", "status", status=500, times=2)},
    "the connection breaks before the file arrives": {
        **GONE_WELL,
        "rules": rule("download", "reset", times=1),
    },
    "the file is cut short once": {**GONE_WELL, "rules": rule("download", "truncated", times=1)},
    "the file is cut short each time": {
        **LATER,
        "rules": rule("download", "truncated"),
        "reads": "broke off",
    },
    "an HTML page instead of the file, once": {
        **GONE_WELL,
        "rules": rule("download", "wrong_content", times=1),
    },
    "an HTML page instead of the file, each time": {
        **LATER,
        "rules": rule("download", "wrong_content"),
        "reads": "web page or an XML answer, not a video",
    },
    "broken JSON instead of the file, each time": {
        **LATER,
        "rules": rule("download", "garbage"),
        "reads": "JSON answer, not a video",
    },
    "an empty file, each time": {
        **LATER,
        "rules": rule("download", "garbage", body=""),
        "reads": "empty",
    },
}


GIVEN_UP = {
    "404 behind the link, more than a day after the create": rule("link", "status", status=404),
    "no video behind the link, more than a day after the create": rule("download", "garbage"),
}


@pytest.mark.parametrize("fault", GIVEN_UP)
async def test_a_file_that_never_comes_is_a_doubt(scene: Any, expect: Expect, fault: str) -> None:
    """It is billed and will hardly come: it is told, and who says resubmit may buy it again."""
    scene.timeouts = {"doubt_after_seconds": 0.001}
    doubt = {**LATER, "sees": "ambiguous", "reads": "--on-ambiguous resubmit"}
    await expect("download", fault, **doubt, rules=GIVEN_UP[fault])


async def test_a_network_that_is_down_is_no_doubt(scene: Any, expect: Expect) -> None:
    """However old the job is: its file is there, and --on-ambiguous resubmit buys nothing."""

    async def first() -> Any:
        scene.timeouts = {"doubt_after_seconds": 0.001}
        await scene.run()
        return await scene.run(on_ambiguous="resubmit")

    fault = "the connection to the files breaks each time, more than a day after the create"
    words = {**LATER, "reads": "The download broke off", "first": first}
    await expect("download", fault, rules=rule("download", "reset"), **words)


@pytest.mark.parametrize("fault", CASES)
async def test_only_a_whole_video_is_archived(expect: Expect, fault: str) -> None:
    """What passes is downloaded again; what does not leaves the job in flight, and nothing under videos/."""
    await expect("download", fault, **CASES[fault])


async def test_a_silent_download_is_begun_again(scene: Any, expect: Expect) -> None:
    """Nothing comes for longer than the time between two pieces."""
    scene.timeouts = {"download_seconds": 1}
    rules = rule("download", "hang", times=1)
    await expect("download", "the download stalls once", rules=rules, **GONE_WELL)
