"""What can happen while waiting for a paid job: no failed poll loses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prefect_together_video.flows.collect import collect_videos
from together_video.polling.policy import PollPolicy

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
TOO_LONG = {**GOES_ON, "reads": "It keeps running at the provider and is billed"}

#: The provider gave up on the job; `--retry-failed` buys again.
GIVEN_UP = {"sees": "failed", "bucket": "records: failed", "then": "failed"}

CASES: dict[str, dict[str, Any]] = {
    "500 three times, then it works": {**GONE_WELL, "rules": on_retrieve("status", status=500, times=3)},
    "429 with a hint, then it works": {
        **GONE_WELL,
        "rules": on_retrieve("rate_limit", seconds=0.02, times=2),
    },
    "the connection breaks twice": {**GONE_WELL, "rules": on_retrieve("reset", times=2)},
    "an answer that is not JSON, twice": {**GONE_WELL, "rules": on_retrieve("garbage", times=2)},
    "an answer without a job id, twice": {**GONE_WELL, "rules": on_retrieve("no_id", times=2)},
    "404 at first, because the job is new": {
        **GONE_WELL,
        "rules": on_retrieve("status", status=404, times=3),
    },
    "an unknown state, then it works": {
        **GONE_WELL,
        "rules": on_retrieve("unknown_status", state="dreaming", times=2),
    },
    "the status is succeeded": {**GONE_WELL, "rules": on_retrieve("renamed_status", state="succeeded")},
    "the status is an unknown word, and there is a link": {
        **GONE_WELL,
        "rules": on_retrieve("renamed_status", state="dreamt"),
    },
    "the status is expired": {
        **GIVEN_UP,
        "rules": on_retrieve("unknown_status", state="expired"),
        "reads": "the provider reports it as expired and gives no reason",
    },
    "the status says that content moderation rejected it": {
        **GIVEN_UP,
        "rules": on_retrieve("unknown_status", state="moderation_rejected"),
        "reads": "reports it as moderation_rejected",
    },
    "the status is failed, and there is a video": {
        **GONE_WELL,
        "rules": on_retrieve("renamed_status", state="failed"),
    },
    "completed without a link twice, then with one": {**GONE_WELL, "rules": on_retrieve("no_url", times=2)},
    "404 each time": {**GOES_ON, "rules": on_retrieve("status", status=404), "reads": "HTTP 404"},
    "401 during the run: the key was revoked": {
        **GOES_ON,
        "rules": on_retrieve("status", status=401),
        "reads": "Check the API key",
    },
    "completed, but never a link": {
        **GOES_ON,
        "rules": on_retrieve("no_url"),
        "reads": "gives no link to its video. A later run polls it again.",
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
    """An error that outlasts the deadline is reported with the job's id, and the next run collects it."""
    scene.deadline = 0.6
    if fault.startswith("no answer"):
        scene.timeouts = {"read_seconds": 0.2}
    await expect("retrieve", fault, **LASTING[fault])


#: More than a day after the create.
DOUBTS = {
    "404 each time, more than a day after the create": (
        on_retrieve("status", status=404),
        "does not know job",
    ),
    "a job that hangs, more than a day after the create": (
        on_retrieve("unknown_status", state="in_progress"),
        "is neither done nor failed",
    ),
    "an unknown state, more than a day after the create": (
        on_retrieve("unknown_status", state="dreaming"),
        "its status is 'dreaming'",
    ),
}


@pytest.mark.parametrize("fault", DOUBTS)
async def test_a_job_that_does_not_end_is_a_doubt(scene: Any, expect: Expect, fault: str) -> None:
    """It is held, told at the first look, and archived if it ends after all."""
    rules, reads = DOUBTS[fault]
    scene.timeouts = {"doubt_after_seconds": 0.001}
    await expect(
        "retrieve",
        fault,
        rules=rules,
        sees="ambiguous",
        reads=reads,
        bucket="inflight: claim, job",
        then="archived",
        work="1 download",
    )


async def test_a_job_that_hangs_is_bought_again_and_archived_if_it_comes(scene: Any, expect: Expect) -> None:
    """Closed by resubmit: the second video is archived, the first job stays in flight, so it is not lost."""
    rules = on_retrieve("unknown_status", state="in_progress")

    async def first() -> Any:
        scene.timeouts = {"doubt_after_seconds": 0.001}
        assert (await scene.run())[0] == "ambiguous"
        told = await scene.run(on_ambiguous="resubmit", poll=PollPolicy.fixed(0.02, deadline=0.3))
        scene.timeouts = {}
        return told

    await expect(
        "retrieve",
        "a job that hangs for more than a day is bought again",
        rules=rules,
        first=first,
        sees="ambiguous",
        reads="is neither done nor failed",
        bucket="inflight: claim, claim, job, job; records: abandoned",
        billed=2,
        then="archived",
        work="1 download",
    )
    state = await collect_videos.fn(together=scene.api.credentials(), archive=scene.archive)
    assert state.is_completed(), state.message
    assert scene.bucket() == "records: abandoned, archived, archived; videos: jpg, jpg, mp4, mp4"
    assert len(scene.api.bill()["jobs"]) == 2


async def test_a_job_may_take_longer_than_a_run(scene: Any, expect: Expect) -> None:
    """The job is simply not done: nothing is wrong, and nothing is bought again."""
    scene.deadline, scene.takes = 0.6, 3600.0
    await expect("retrieve", "the job takes longer than the deadline", **TOO_LONG)
