"""Steps outside of a Prefect run: the retries, delays and time limit that their tasks carry."""

import asyncio
import socket

import pytest
from prefect.cache_policies import NO_CACHE

from prefect_together_video.tasks.running.retries import Step, worth_repeating
from prefect_together_video.tasks.running.runs import current_run, repeat, step
from prefect_together_video.tasks.steps.archive import store_clip
from prefect_together_video.tasks.steps.create import buy_video
from prefect_together_video.tasks.steps.download import fetch_clip
from prefect_together_video.tasks.steps.prompts import write_prompts
from prefect_together_video.tasks.steps.wait import await_job
from together_video.errors import (
    ApiOverloaded,
    CreateAmbiguous,
    DownloadBroken,
    RequestRefused,
    StoreUnavailable,
)


def failing(*errors):
    """A call that raises these, one after the other, and then returns how often it was made."""
    calls = []

    async def call():
        calls.append(None)
        if len(calls) <= len(errors):
            raise errors[len(calls) - 1]
        return len(calls)

    return call


def with_policy(**policy):
    async def nothing():
        pass

    return Step(nothing, "nothing", "Does nothing.", "nothing", **{"retry_jitter_factor": 0, **policy})


OVERLOADED = ApiOverloaded("busy")


@pytest.mark.anyio
async def test_a_step_runs_directly():
    """Outside of a run the function itself is called, with its arguments, and no server is looked for."""

    async def double(number, *, by=2):
        return number * by

    assert await step(Step(double, "double", "Doubles.", "double"), 4, by=3) == 12


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("policy", "slept"),
    [
        ({}, [2, 4, 8]),
        ({"retry_jitter_factor": 0.5}, [2.5, 5, 10]),
        ({"retry_delay_seconds": [1, 7]}, [1, 7, 7]),
        ({"retry_delay_seconds": 3}, [3, 3, 3]),
    ],
)
async def test_delays(turned_clock, policy, slept):
    """Delays are the step's own, with its jitter; its task has the same ones."""
    call = failing(OVERLOADED, OVERLOADED, OVERLOADED)
    made = with_policy(retries=3, **policy).task
    assert made.retry_jitter_factor == policy.get("retry_jitter_factor", 0)
    assert made.retry_delay_seconds == policy.get("retry_delay_seconds", [2, 4, 8])
    done = await repeat(with_policy(retries=3, **policy), call, sleep=turned_clock.sleep, chance=lambda: 0.5)
    assert done == 4
    assert turned_clock.slept == slept


@pytest.mark.anyio
async def test_retries_end(turned_clock):
    """After the last attempt its error is raised, without another delay."""
    last = StoreUnavailable("still away")
    call = failing(OVERLOADED, OVERLOADED, last, OVERLOADED)
    with pytest.raises(StoreUnavailable) as caught:
        await repeat(with_policy(retries=2, retry_delay_seconds=1), call, sleep=turned_clock.sleep)
    assert caught.value is last
    assert turned_clock.slept == [1, 1]


@pytest.mark.anyio
async def test_a_retry_is_a_line_with_the_title_and_the_error_as_data(turned_clock, caplog):
    """So that a display can count these lines and still say why."""
    policy = with_policy(retries=1, retry_delay_seconds=2)
    with caplog.at_level("WARNING"):
        await repeat(policy, failing(OVERLOADED), title="a fox", sleep=turned_clock.sleep)
        await repeat(policy, failing(OVERLOADED), sleep=turned_clock.sleep)
    said = [record.getMessage() for record in caplog.records]
    assert said == ["a fox: busy. Trying again in 2 s.", "busy. Trying again in 2 s."]
    assert [record.retry_of for record in caplog.records] == ["busy", "busy"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [RequestRefused("no"), CreateAmbiguous("perhaps", video_id="v", fresh=True), ValueError("a defect")],
)
async def test_not_worth_repeating(turned_clock, error):
    """An error that says so itself, or says nothing, is raised at once."""
    with pytest.raises(type(error)):
        await repeat(with_policy(retries=3), failing(error), sleep=turned_clock.sleep)
    assert turned_clock.slept == []


@pytest.mark.anyio
async def test_the_time_limit(turned_clock):
    """An attempt that takes too long ends, and is not made again: what it did is unknown."""
    attempts = []

    async def hangs():
        attempts.append(None)
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await repeat(with_policy(retries=3, timeout_seconds=0.05), hangs, sleep=turned_clock.sleep)
    assert len(attempts) == 1


@pytest.mark.anyio
async def test_a_create_is_repeated_only_if_nothing_was_created(
    plan, client, ledger, spool, api, turned_clock
):
    """Two refusals of an overloaded API, then one charge; and no second POST after a broken answer."""

    async def create(plan):
        call = buy_video.fn
        return await repeat(buy_video, lambda: call(plan, client, ledger, spool), sleep=turned_clock.sleep)

    api.faults({"on": "create", "kind": "status", "status": 503, "times": 2})
    assert [(await create(plan)).job_id] == api.jobs
    assert len(turned_clock.slept) == 2
    api.faults({"on": "create", "kind": "status", "status": 500, "created": True})
    with pytest.raises(CreateAmbiguous):
        await create(plan.model_copy(update={"take": 2}))
    assert (api.posts, len(api.jobs)) == (4, 2)


@pytest.mark.anyio
async def test_a_broken_download_is_repeated(turned_clock):
    """A download that broke off is made again, as its task says."""
    call = failing(DownloadBroken("cut short"))
    assert await repeat(fetch_clip, call, sleep=turned_clock.sleep) == 2
    assert 2 <= turned_clock.slept[0] <= 3


@pytest.mark.parametrize("policy", [buy_video, await_job, fetch_clip, store_clip, write_prompts])
def test_each_task_has_a_policy(policy):
    """No task retries without asking the error, runs without a limit, or takes a result from a cache; and the policy of
    a step without Prefect is that of its task.
    """
    alone, policy = policy, policy.task
    assert (alone.retries, alone.timeout_seconds) == (policy.retries, policy.timeout_seconds)
    assert (alone.delays, alone.retry_jitter_factor) == (
        policy.retry_delay_seconds,
        policy.retry_jitter_factor,
    )
    assert policy.retries > 0
    assert policy.retry_condition_fn is worth_repeating
    assert policy.timeout_seconds
    assert policy.cache_policy == NO_CACHE
    assert policy.retry_jitter_factor
    assert "{" in policy.task_run_name


def test_outside_of_a_run():
    """Without a run the ledger still says on which machine it was."""
    run = current_run()
    assert (run.flow_run_id, run.host) == (None, socket.gethostname())
