"""What can happen to the one call that costs money, and what is never sent twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prefect_together_video.tasks.session import buying

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("behind", ["seaweed", "folder"], indirect=True)]

Expect = Callable[..., Any]


def on_create(kind: str, **more: Any) -> tuple[dict[str, Any], ...]:
    return ({"on": "create", "kind": kind, **more},)


GONE_WELL = {"sees": "archived", "bucket": "records: archived; videos: jpg, mp4", "then": "reused"}
REFUSED = {
    "sees": "refused",
    "bucket": "nothing",
    "billed": 0,
    "then": "archived",
    "work": "1 create, 1 download",
}
#: Nobody refused the video: it was not begun.
PUT_OFF = {**REFUSED, "sees": "skipped", "reads": "Not started: "}
HELD = {
    "sees": "ambiguous",
    "reads": "It may have been charged, so it is held and not repeated.",
    "bucket": "inflight: ambiguous, claim",
    "then": "ambiguous",
}
FAILED = {"sees": "failed", "bucket": "records: failed", "then": "failed"}

CASES: dict[str, dict[str, Any]] = {
    "503 (overloaded) twice, then it works": {**GONE_WELL, "rules": on_create("status", status=503, times=2)},
    "503 (overloaded) each time": {**PUT_OFF, "rules": on_create("status", status=503), "reads": "HTTP 503"},
    "429 (slow down) with a hint, then it works": {
        **GONE_WELL,
        "rules": on_create("rate_limit", seconds=0.02, times=1),
    },
    "429 with a hint of two hours": {
        **PUT_OFF,
        "rules": on_create("rate_limit", seconds=7200),
        "reads": "The API accepts no creates until",
    },
    "500, and the job was made": {**HELD, "rules": on_create("status", status=500, created=True)},
    "500, and no job was made": {**HELD, "rules": on_create("status", status=500), "billed": 0},
    "502 with a gateway's HTML page, and the job was made": {
        **HELD,
        "rules": on_create("status", status=502, created=True, body="<h1>Bad Gateway</h1>"),
    },
    "504 (gateway timeout), and the job was made": {
        **HELD,
        "rules": on_create("status", status=504, created=True),
    },
    "408 (request timeout)": {**HELD, "rules": on_create("status", status=408), "billed": 0},
    "the connection breaks before the answer": {**HELD, "rules": on_create("reset")},
    "the answer is not JSON": {**HELD, "rules": on_create("garbage")},
    "the answer has no job id": {**HELD, "rules": on_create("no_id")},
    "400: content moderation": {**REFUSED, "rules": on_create("moderation"), "reads": "content moderation"},
    "404: the model is not offered": {
        **REFUSED,
        "rules": on_create("status", status=404, message="Unable to access model"),
        "reads": "Unable to access model",
    },
    "422: a field is refused": {
        **REFUSED,
        "rules": on_create("status", status=422, message="width: not supported"),
        "reads": "width: not supported",
    },
    "401: the key is refused": {
        **REFUSED,
        "rules": on_create("status", status=401),
        "reads": "Check the API key",
    },
    "402: no credit left": {**REFUSED, "rules": on_create("status", status=402), "reads": "no credit left"},
    "403: the account is not allowed to": {
        **REFUSED,
        "rules": on_create("status", status=403),
        "reads": "privacy settings",
    },
    "the API redirects to another host": {
        **REFUSED,
        "rules": on_create("status", status=307, headers={"location": "https://elsewhere.test/v2/videos"}),
        "reads": "The key was not sent there",
    },
    "the provider reports the job as failed": {
        **FAILED,
        "rules": on_create("job_failed", code="unsupportedParameter", message="not this prompt"),
        "reads": "not this prompt (unsupportedParameter)",
    },
    "the provider cancels the job": {
        **FAILED,
        "rules": on_create("job_failed", state="cancelled"),
        "reads": "cancelled",
    },
    "the job failed, and you buy it again": {
        **FAILED,
        "rules": on_create("job_failed"),
        "reads": "failed",
        "then": "archived",
        "again": {"retry_failed": True},
        "work": "1 create, 1 download",
    },
    "no clear answer, and you buy it again": {
        **HELD,
        "rules": on_create("status", status=500, created=True),
        "then": "archived",
        "again": {"on_ambiguous": "resubmit"},
        "work": "1 create, 1 download",
    },
    "the finished video does not have the requested length": {
        **GONE_WELL,
        "rules": on_create("wrong_length_video"),
    },
    "the finished video does not have the requested size": {
        **GONE_WELL,
        "rules": on_create("wrong_size_video"),
    },
    "the provider never reports the cost": {**GONE_WELL, "rules": on_create("no_cost")},
}


@pytest.mark.parametrize("fault", CASES)
async def test_a_create_is_never_repeated_in_doubt(expect: Expect, fault: str) -> None:
    """Each answer to the POST: what proves that nothing was made is tried again or told, the rest is held."""
    await expect("create", fault, **CASES[fault])


async def test_a_create_without_an_answer_is_held(scene: Any, expect: Expect) -> None:
    """The POST was sent and its time ran out: it may have been charged."""
    scene.timeouts = {"create_seconds": 1.5}
    await expect("create", "no answer in time, and the job was made", rules=on_create("hang"), **HELD)


async def test_a_create_that_never_left_is_put_off(scene: Any, expect: Expect) -> None:
    """Nobody listens at the API's address: nothing was sent, and six attempts say so."""
    scene.base_url = "http://127.0.0.1:9"
    await expect("create", "no connection to the API", **{**PUT_OFF, "reads": "nothing was sent"})


async def test_a_create_that_may_never_pass_gives_up(
    scene: Any, expect: Expect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """429 for ever: the step's time limit ends the wait, and no claim is left behind."""
    patient = buying.buy_video
    monkeypatch.setattr(buying, "buy_video", patient.with_options(timeout_seconds=1))
    await expect(
        "create",
        "429 (slow down) until the step's time is up",
        rules=on_create("rate_limit", seconds=0.3),
        cure=lambda: monkeypatch.setattr(buying, "buy_video", patient),
        **{**PUT_OFF, "reads": "took longer than its time limit"},
    )
