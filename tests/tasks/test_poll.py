"""The wait: what ends it, what does not, and how long it sleeps in between."""

import itertools

import httpx
import pytest

from prefect_together_video.tasks.steps.poll import poll_job
from together_video.api.client import TogetherClient
from together_video.api.settings import Timeouts
from together_video.errors import (
    AccountRefused,
    JobDeadlinePassed,
    JobFailed,
    JobInDoubt,
    JobWithoutVideo,
    RequestRefused,
)
from together_video.job_status import JobStatus
from together_video.jobs import VideoJob
from together_video.polling.learner import Learner
from together_video.polling.policy import PollPolicy

EVERY_5 = PollPolicy.fixed(5, deadline=120)


@pytest.fixture
def said():
    """What a wait had to say."""
    return []


@pytest.fixture
def look(client, turned_clock, said):
    """Watches a job by the turned clock; anything may be replaced."""

    async def make(job_id, policy=EVERY_5, client=client, **more):
        return await poll_job(
            job_id,
            client,
            policy,
            log=said.append,
            clock=turned_clock,
            chance=lambda: 0.5,
            **{"sleep": turned_clock.sleep, **more},
        )

    return make


@pytest.fixture
async def job(client, plan):
    """A job that takes ten seconds of the turned clock, unless the sandbox is told otherwise."""
    return await client.create(plan.request)


def scripted(*answers):
    """A client whose retrieves are answered so, one after the other, the last for ever."""
    rest = itertools.chain(answers, itertools.repeat(answers[-1]))

    def answer(request):
        found = next(rest)
        return httpx.Response(found) if isinstance(found, int) else httpx.Response(200, json=found)

    return TogetherClient("key", transport=httpx.MockTransport(answer))


DONE = {"id": "job-1", "status": "completed", "outputs": {"video_url": "https://files/1.mp4"}}


@pytest.mark.anyio
@pytest.mark.parametrize("generation", ["2025", "2026"])
async def test_until_it_is_done(new_api, plan, look, turned_clock, generation):
    """The job is asked until it is completed, in either generation of the answers."""
    api = new_api(generation=generation)
    async with TogetherClient("key", api.url) as client:
        created = await client.create(plan.request)
        finished = await look(created.id, client=client)
    assert finished.status is JobStatus.COMPLETED
    assert finished.video_url
    assert set(turned_clock.slept) == {5.0}
    assert sum(turned_clock.slept) >= 10


@pytest.mark.anyio
async def test_waits_grow(new_api, plan, look, turned_clock):
    """First the long wait, then short ones that grow to the ceiling."""
    api = new_api(generation_seconds=49)
    policy = PollPolicy(first_seconds=10, interval_seconds=4, growth=2, ceiling_seconds=15, jitter=0)
    async with TogetherClient("key", api.url) as client:
        created = await client.create(plan.request)
        await look(created.id, policy, client=client)
    assert turned_clock.slept[:5] == [10, 4, 8, 15, 15]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500, "times": 8},
        {"kind": "status", "status": 502, "times": 3},
        {"kind": "status", "status": 503, "times": 3},
        {"kind": "status", "status": 504, "times": 3},
        {"kind": "status", "status": 529, "times": 3},
        {"kind": "status", "status": 404, "times": 4},
        {"kind": "reset", "times": 3},
        {"kind": "garbage", "times": 3},
        {"kind": "no_id", "times": 3},
        {"kind": "hang", "times": 2},
        {"kind": "unknown_status", "times": 4},
        {"kind": "no_url", "times": 5},
        {"kind": "rate_limit", "times": 2},
    ],
)
async def test_passing_trouble(api, job, look, fault):
    """A paid job is not lost to looks that fail for a while."""
    api.faults({"on": "retrieve", **fault})
    patience = Timeouts(read_seconds=0.5 if fault["kind"] == "hang" else 30)
    async with TogetherClient("key", api.url, timeouts=patience) as client:
        finished = await look(job.id, client=client)
    assert finished.video_url
    assert api.bill()["retrieves"] > fault["times"]
    assert api.posts == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "kind", "looks"),
    [
        (401, AccountRefused, 1),
        (402, AccountRefused, 1),
        (403, AccountRefused, 1),
        (400, RequestRefused, 1),
        (422, RequestRefused, 1),
        (404, RequestRefused, 5),
    ],
)
async def test_refusals(api, job, look, status, kind, looks):
    """What no repetition can change ends the wait at once; a 404 once it lasts."""
    api.faults({"on": "retrieve", "kind": "status", "status": status})
    with pytest.raises(kind) as caught:
        await look(job.id)
    assert caught.value.status == status
    assert api.bill()["retrieves"] == looks


@pytest.mark.anyio
async def test_only_a_row_of_404_is_lasting(look):
    """Any other answer in between begins the count again."""
    async with scripted(*[404] * 4, {"id": "job-1", "status": "queued"}, *[404] * 4, DONE) as client:
        assert (await look("job-1", client=client)).video_url


@pytest.mark.anyio
@pytest.mark.parametrize("deadline", [0.001, 120])
async def test_an_old_job_that_is_not_known_is_forgotten(look, deadline):
    """A day after its create, 404 is not a delay: a collector reports it at the first poll, a run at the fifth."""
    policy = PollPolicy(first_seconds=0, deadline_seconds=deadline)
    async with scripted(404) as client:
        with pytest.raises(JobInDoubt, match=r"accepted 30 h ago.*may have been billed") as caught:
            await look("job-1", policy, client, age=30 * 3600)
    assert caught.value.job_id == "job-1"
    async with scripted(404, 404, DONE) as client:
        assert (await look("job-1", client=client, age=30 * 3600)).video_url
    async with scripted(404) as client:
        with pytest.raises((RequestRefused, JobDeadlinePassed), match="404"):
            await look("job-1", policy, client, age=20 * 3600)


@pytest.mark.anyio
async def test_a_look_takes_no_longer_than_what_is_left(look, turned_clock):
    """The deadline is passed by one short look, not by all the time that an answer may take."""
    given = []

    def silence(request):
        given.append(request.extensions["timeout"]["read"])
        turned_clock.now += given[-1]
        raise httpx.ReadTimeout("silence", request=request)

    async with TogetherClient("key", transport=httpx.MockTransport(silence)) as client:
        with pytest.raises(JobDeadlinePassed):
            await look("job-1", PollPolicy.fixed(10, deadline=60), client)
    # From 10 s to 40 s, from 50 s to 60 s: the last look would have lasted until 80 s.
    assert given == [30, 10]


@pytest.mark.anyio
async def test_the_servers_hint_is_kept(api, job, look, turned_clock):
    """After a 429 nobody asks before the time that the server gave."""
    api.faults({"on": "retrieve", "kind": "rate_limit", "times": 1, "seconds": 42})
    await look(job.id)
    assert turned_clock.slept[:2] == [5, 42]


@pytest.mark.anyio
async def test_a_hint_beyond_the_deadline(api, job, look, turned_clock):
    """A hint does not stretch the deadline: one last look falls on it."""
    api.faults({"on": "retrieve", "kind": "rate_limit", "times": 1, "seconds": 1000})
    assert (await look(job.id)).video_url
    assert turned_clock.slept == [5, pytest.approx(115)]


@pytest.mark.anyio
async def test_the_deadline(new_api, plan, look, turned_clock):
    """The last look falls on the deadline, and what is said then names the job and what becomes of it."""
    api = new_api(generation_seconds=200)
    async with TogetherClient("key", api.url) as client:
        created = await client.create(plan.request)
        with pytest.raises(JobDeadlinePassed, match="keeps running at the provider and is billed") as caught:
            await look(created.id, PollPolicy.fixed(25, deadline=60), client=client)
    assert (caught.value.job_id, caught.value.retryable) == (created.id, False)
    assert turned_clock.slept == [25, 25, pytest.approx(10)]
    assert api.bill()["retrieves"] == 3


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "said_last"),
    [
        ({"on": "retrieve", "kind": "status", "status": 500}, "HTTP 500"),
        ({"on": "retrieve", "kind": "unknown_status"}, "not finished"),
    ],
)
async def test_trouble_until_the_deadline(api, job, look, fault, said_last):
    """An error that persists ends at the deadline, with the last error in the message."""
    api.faults(fault)
    with pytest.raises(JobDeadlinePassed, match=said_last) as caught:
        await look(job.id)
    assert caught.value.job_id == job.id


@pytest.mark.anyio
@pytest.mark.parametrize("generation", ["2025", "2026"])
@pytest.mark.parametrize("shape", ["list", "dict", "text"])
async def test_failed(new_api, plan, look, generation, shape):
    """A failed job ends the wait with the provider's reason, in every form in which it is given."""
    fault = {"on": "create", "kind": "job_failed", "shape": shape, "message": "no such fox", "code": "noFox"}
    api = new_api(generation=generation, faults=[fault])
    async with TogetherClient("key", api.url) as client:
        created = await client.create(plan.request)
        with pytest.raises(JobFailed, match="no such fox") as caught:
            await look(created.id, client=client)
    assert (caught.value.job_id, caught.value.job.status) == (created.id, JobStatus.FAILED)
    assert caught.value.job.raw["id"] == created.id
    assert not caught.value.retryable


@pytest.mark.anyio
@pytest.mark.parametrize("state", ["cancelled", "canceled"])
async def test_cancelled(new_api, plan, look, state):
    """A cancelled job ends the wait, in both spellings."""
    api = new_api(faults=[{"on": "create", "kind": "job_failed", "state": state}])
    async with TogetherClient("key", api.url) as client:
        created = await client.create(plan.request)
        with pytest.raises(JobFailed) as caught:
            await look(created.id, client=client)
    assert caught.value.job.status is JobStatus.CANCELLED


@pytest.mark.anyio
async def test_completed_and_no_link(api, job, look):
    """A completed job that never gives a link is left for a later run, by its id."""
    api.faults({"on": "retrieve", "kind": "no_url"})
    with pytest.raises(JobWithoutVideo, match="but gives no link") as caught:
        await look(job.id)
    assert (caught.value.job_id, caught.value.retryable) == (job.id, False)


@pytest.mark.anyio
async def test_no_status_and_unknown_status_are_waited_out(look, said):
    """Neither is an end; each is said once."""
    paused = {"id": "job-1", "status": "paused", "outputs": None}
    async with scripted({"id": "job-1"}, {"id": "job-1", "status": None}, paused, paused, DONE) as client:
        assert (await look("job-1", client=client)).video_url
    assert [line.partition(": ")[2] for line in said] == [
        "no status (unknown; waiting)",
        "paused (unknown; waiting)",
        "completed",
    ]


@pytest.mark.anyio
async def test_a_learner_says_when(new_api, plan, look, turned_clock):
    """With what earlier runs took known, looks begin shortly before the end, a 429 is waited for as ever, and
    the deadline holds.
    """
    learner = Learner(PollPolicy(deadline_seconds=100))
    learner.recall("m", [45.0 + number % 10 for number in range(30)])
    api = new_api(generation_seconds=50)
    async with TogetherClient("key", api.url) as client:
        created = await client.create(plan.request)
        api.faults({"on": "retrieve", "kind": "rate_limit", "times": 1, "seconds": 20})
        finished = await look(created.id, learner.wait(created.id, "m", age=0), client)
        assert finished.video_url
        assert 40 < turned_clock.slept[0] < 58
        assert turned_clock.slept[1] == 20
        assert len(turned_clock.slept) == 2
    turned_clock.slept.clear()
    async with scripted({"id": "job-1", "status": "queued"}) as client:
        with pytest.raises(JobDeadlinePassed):
            await look("job-1", learner.wait("job-1", "m", age=0), client)
    assert sum(turned_clock.slept) == pytest.approx(100)
    assert len(turned_clock.slept) < 25


@pytest.mark.anyio
async def test_what_others_teach_puts_a_look_off(look, turned_clock):
    """Nothing is known, so looks begin early; then others end after 200 s, and the next look waits for that."""
    learner = Learner(PollPolicy(), lambda _: 40.0)
    wait = learner.wait("job-1", "m", age=0)
    first = wait.wait_within(0, elapsed=0, chance=0.5)
    done = [{**DONE, "id": f"other-{number}"} for number in range(30)]

    async def sleep(seconds):
        if not turned_clock.slept:
            for other in done:
                learner.done(VideoJob.from_json(other), "m", age=250, resumed=False)
        await turned_clock.sleep(seconds)

    async with scripted(DONE) as client:
        assert (await look("job-1", wait, client, sleep=sleep)).video_url
    assert len(turned_clock.slept) == 2
    assert turned_clock.slept[0] == first < 50
    assert 150 < sum(turned_clock.slept) < 250
