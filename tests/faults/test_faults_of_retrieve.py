"""What can happen while a paid job is waited for: no trouble of a look loses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prefect_together_video.tasks.steps import poll

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("behind", ["seaweed", "folder"], indirect=True)]

Expect = Callable[..., Any]


def on_retrieve(kind: str, **more: Any) -> tuple[dict[str, Any], ...]:
    return ({"on": "retrieve", "kind": kind, **more},)


GONE_WELL = {"sees": "archived", "bucket": "records: archived; videos: jpg, mp4", "then": "reused"}
GOES_ON = {
    "sees": "submitted",
    "bucket": "inflight: claim, job",
    "then": "archived",
    "work": "1 download",
}
#: The deadline passes: the job goes on at the provider.
TOO_LONG = {**GOES_ON, "reads": "It goes on at the provider and is billed"}

CASES: dict[str, dict[str, Any]] = {
    "500 three times, then well": {**GONE_WELL, "rules": on_retrieve("status", status=500, times=3)},
    "429 with a hint, then well": {**GONE_WELL, "rules": on_retrieve("rate_limit", seconds=0.02, times=2)},
    "the connection breaks off twice": {**GONE_WELL, "rules": on_retrieve("reset", times=2)},
    "an answer that is not JSON, twice": {**GONE_WELL, "rules": on_retrieve("garbage", times=2)},
    "an answer without a job id, twice": {**GONE_WELL, "rules": on_retrieve("no_id", times=2)},
    "404 at first, as the job is so new": {
        **GONE_WELL,
        "rules": on_retrieve("status", status=404, times=3),
    },
    "a state that nobody has heard of, then well": {
        **GONE_WELL,
        "rules": on_retrieve("unknown_status", state="dreaming", times=2),
    },
    "completed without a link twice, then with one": {**GONE_WELL, "rules": on_retrieve("no_url", times=2)},
    "404 for ever": {**GOES_ON, "rules": on_retrieve("status", status=404), "reads": "HTTP 404"},
    "401 in mid-run: the key was revoked": {
        **GOES_ON,
        "rules": on_retrieve("status", status=401),
        "reads": "Check the API key",
    },
    "completed and never a link": {
        **GOES_ON,
        "rules": on_retrieve("no_url"),
        "reads": "gives no link to its video. A later run asks again.",
    },
}
LASTING: dict[str, dict[str, Any]] = {
    "500 until the deadline": {**TOO_LONG, "rules": on_retrieve("status", status=500)},
    "an unknown state until the deadline": {
        **TOO_LONG,
        "rules": on_retrieve("unknown_status", state="dreaming"),
    },
    "no answer at all until the deadline": {**TOO_LONG, "rules": on_retrieve("hang")},
}


@pytest.mark.parametrize("fault", CASES)
async def test_a_job_is_not_lost_by_a_look(expect: Expect, fault: str) -> None:
    """What passes is waited out; what does not leaves the job in flight for the next run."""
    await expect("retrieve", fault, **CASES[fault])


@pytest.mark.parametrize("fault", LASTING)
async def test_a_deadline_ends_the_wait_and_not_the_job(scene: Any, expect: Expect, fault: str) -> None:
    """Trouble that outlasts the deadline is told with the job's id, and the next run brings it home."""
    scene.deadline = 0.6
    if fault.startswith("no answer"):
        scene.timeouts = {"read_seconds": 0.2}
    await expect("retrieve", fault, **LASTING[fault])


async def test_a_forgotten_job_is_a_doubt(expect: Expect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long after the create the API does not know the job: it is held, and brought home if it ever does."""
    with monkeypatch.context() as later:
        later.setattr(poll, "FORGOTTEN_AFTER", -1.0)
        await expect(
            "retrieve",
            "404 for ever, more than a day after the create",
            rules=on_retrieve("status", status=404),
            sees="ambiguous",
            reads="does not know job",
            bucket="inflight: claim, job",
            then="archived",
            work="1 download",
        )


async def test_a_job_may_take_longer_than_a_run(scene: Any, expect: Expect) -> None:
    """The job is simply not done: nothing is wrong, and nothing is bought again."""
    scene.deadline, scene.takes = 0.6, 3600.0
    await expect("retrieve", "the job takes longer than the deadline", **TOO_LONG)
