"""The archive step: video, poster, record, and then the clean-up."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from prefect_together_video.tasks.steps.archive import record_failure, store_clip
from prefect_together_video.tasks.steps.download import fetch_clip
from prefect_together_video.tasks.steps.poll import poll_job
from tests.facts import record_of
from together_video.errors import DownloadError, JobFailed, ObjectConflict, StoreUnavailable
from together_video.polling.policy import PollPolicy


@pytest.fixture
async def home(finished, plan, client, ledger, spool):
    """A finished job and its downloaded clip."""
    purchase, job = await finished(plan)
    return purchase, job, await fetch_clip.fn(purchase, job, client, ledger, spool)


@pytest.fixture
def store_it(ledger, spool):
    """Calls the task's function."""

    async def make(home, ledger=ledger):
        return await store_clip.fn(*home, ledger, spool)

    return make


async def keys(ledger):
    return sorted(entry.key for entry in await ledger.store.list(""))


def files(spool):
    return sorted(path.name for path in spool.folder.iterdir())


@pytest.mark.anyio
async def test_the_record(home, store_it, ledger, plan, spool):
    """The record says what was bought, for how much, what lies where with which checksum, and by whom."""
    purchase, job, clip = home
    content = clip.file.path.read_bytes()
    spool.keep_submission(purchase.submission)
    record = await store_it(home)
    assert await ledger.record(plan.id) == record
    assert (record.id, record.state, record.plan) == (plan.id, "archived", plan)
    assert (record.job_id, record.cost_usd) == (purchase.job_id, Decimal("0.28"))
    assert (record.claimed_at, record.submitted_at) == (
        purchase.claim.claimed_at,
        purchase.submission.submitted_at,
    )
    assert record.job == job.raw
    assert record.job["id"] == purchase.job_id
    assert (record.clip, record.notes, record.error) == (clip.info, (), None)
    assert record.run.host
    video, poster = record.video, record.poster
    assert (video.key, video.content_type) == (purchase.claim.video_key, "video/mp4")
    assert (video.size, video.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert await ledger.store.content_sha256(video.key) == video.sha256
    assert (poster.key, poster.content_type) == (purchase.claim.poster_key, "image/jpeg")
    stored = await ledger.store.get(poster.key)
    assert (len(stored.data), hashlib.sha256(stored.data).hexdigest()) == (poster.size, poster.sha256)
    assert stored.data.startswith(b"\xff\xd8")


@pytest.mark.anyio
async def test_nothing_is_left_behind(home, store_it, ledger, plan, spool):
    """Nothing stays in flight or in the spool, not even a job id that had to wait there."""
    purchase, *_ = home
    spool.keep_submission(purchase.submission)
    await store_it(home)
    claim = purchase.claim
    line, *kept = await keys(ledger)
    assert line.startswith("index/")
    assert kept == sorted([claim.video_key, claim.poster_key, f"records/{plan.id}.json"])
    assert files(spool) == []


@pytest.mark.anyio
async def test_the_order(home, store_it, open_ledger, unruly_s3, plan):
    """First the files, then the record and its line in the index, and only then is anything deleted."""
    await store_it(home, await open_ledger(unruly_s3.url))
    steps = [
        path.rpartition("/")[2] for method, path in unruly_s3.calls if method in ("PUT", "POST", "DELETE")
    ]
    assert [name.rpartition(".")[2] for name in steps[:2]] == ["mp4", "jpg"]
    assert steps[2] == f"{plan.id}.json"
    assert steps[3].endswith(".json.gz")
    assert [step.partition("?")[2] for step in steps[4:]] == ["delete"]


@pytest.mark.anyio
async def test_the_same_bytes_are_there(home, store_it, ledger):
    """A video that was uploaded before, perhaps by us, with the answer lost, is taken for what it is."""
    purchase, _, clip = home
    key = purchase.claim.video_key
    await ledger.store.put_file_once(key, clip.file.path, clip.file.sha256, "video/mp4")
    record = await store_it(home)
    assert (record.video.key, record.video.sha256) == (key, clip.file.sha256)


@pytest.mark.anyio
async def test_the_same_bytes_are_there_without_a_checksum(home, store_it, archive, s3_client):
    """Where the store knows no SHA-256 of what lies there, it is read and compared."""
    purchase, _, clip = home
    s3_client.put_object(
        Bucket=archive.bucket, Key=purchase.claim.video_key, Body=clip.file.path.read_bytes()
    )
    assert (await store_it(home)).video.sha256 == clip.file.sha256


@pytest.mark.anyio
async def test_other_bytes_are_there(home, store_it, ledger, plan):
    """Nothing is overwritten: the conflict is said, nothing is recorded, and the file stays."""
    purchase, _, clip = home
    await ledger.store.put_once(purchase.claim.video_key, b"another film", "video/mp4")
    with pytest.raises(ObjectConflict, match="differs from the download"):
        await store_it(home)
    assert await ledger.record(plan.id) is None
    assert list(await ledger.in_flight()) == [plan.id]
    assert clip.file.path.exists()


@pytest.mark.anyio
async def test_another_poster_is_there(home, store_it, ledger):
    """A poster is only a picture of the video: what lies there is recorded as it is."""
    purchase, *_ = home
    await ledger.store.put_once(purchase.claim.poster_key, b"another picture", "image/jpeg")
    record = await store_it(home)
    assert (record.poster.size, record.poster.sha256) == (
        len(b"another picture"),
        hashlib.sha256(b"another picture").hexdigest(),
    )


@pytest.mark.anyio
@pytest.mark.parametrize("at", ["mp4", "records/"])
async def test_stopped_halfway(home, store_it, ledger, open_ledger, unruly_s3, plan, spool, at):
    """Wherever the store fails, the file stays, and the same step finishes the work when done again."""
    unruly_s3.strike = lambda method, path, _: 503 if method == "PUT" and at in path else None
    with pytest.raises(StoreUnavailable):
        await store_it(home, await open_ledger(unruly_s3.url))
    assert home[2].file.path.exists()
    assert list(await ledger.in_flight()) == [plan.id]
    record = await store_it(home)
    assert await ledger.record(plan.id) == record
    assert await ledger.in_flight() == {}
    assert files(spool) == []


@pytest.mark.anyio
@pytest.mark.parametrize("trouble", ["drawing", "bucket"])
async def test_a_poster_that_fails_does_not_hold_a_video_back(
    home, store_it, ledger, open_ledger, unruly_s3, spool, trouble
):
    """A good video that was paid for gets its record without a picture, and the record says why."""
    purchase, job, clip = home
    said = {"drawing": "no picture of this", "bucket": "could not answer the request"}[trouble]
    if trouble == "bucket":
        unruly_s3.strike = lambda method, path, _: 503 if method == "PUT" and ".jpg" in path else None
    else:
        clip = clip.model_copy(update={"poster": None, "notes": (f"There is no poster: {said}",)})
    record = await store_it((purchase, job, clip), await open_ledger(unruly_s3.url))
    assert (record.state, record.poster) == ("archived", None)
    assert [note for note in record.notes if note.startswith("There is no poster: ") and said in note]
    assert await ledger.store.head(record.video.key)
    assert await ledger.in_flight() == {}
    assert files(spool) == []


@pytest.mark.anyio
async def test_the_clean_up_fails(home, store_it, ledger, open_ledger, unruly_s3, plan):
    """The record is the commit: what cannot be removed stays in flight for the collector, and that is all."""
    unruly_s3.strike = lambda method, *_: 503 if method == "POST" else None
    record = await store_it(home, await open_ledger(unruly_s3.url))
    assert await ledger.record(plan.id) == record
    assert list(await ledger.in_flight()) == [plan.id]


@pytest.mark.anyio
async def test_another_run_was_first(home, store_it, ledger, plan):
    """A file that another run of the job took away after recording it: its record is the result."""
    purchase, _, clip = home
    earlier = record_of(plan, state="archived", recorded_at=datetime.now(UTC))
    await ledger.finish(earlier, purchase.claim)
    clip.file.path.unlink()
    assert await store_it(home) == earlier


@pytest.mark.anyio
async def test_the_file_is_gone(home, store_it, ledger, plan):
    """A file that vanished without a record leaves the job in flight for a later run."""
    home[2].file.path.unlink()
    with pytest.raises(DownloadError, match="vanished"):
        await store_it(home)
    assert list(await ledger.in_flight()) == [plan.id]


@pytest.mark.anyio
async def test_notes_say_what_does_not_fit(api, finished, plan, client, ledger, spool, store_it):
    """A clip of another size than ordered is archived all the same, and the record says so."""
    api.faults({"on": "create", "kind": "wrong_size_video"})
    purchase, job = await finished(plan)
    clip = await fetch_clip.fn(purchase, job, client, ledger, spool)
    record = await store_it((purchase, job, clip))
    assert record.state == "archived"
    assert "64" in "".join(record.notes)


@pytest.mark.anyio
async def test_a_failure_is_recorded(api, bought, plan, client, ledger, turned_clock):
    """What the provider gave up on is recorded with its reason, its code and its raw answer."""
    api.faults({"on": "create", "kind": "job_failed", "message": "no such fox", "code": "noFox"})
    purchase = await bought(plan)
    policy = PollPolicy.fixed(5)
    with pytest.raises(JobFailed) as caught:
        await poll_job(
            purchase.job_id,
            client,
            policy,
            log=lambda _: None,
            sleep=turned_clock.sleep,
            clock=turned_clock,
        )
    record = await record_failure(purchase, caught.value, ledger)
    assert await ledger.record(plan.id) == record
    assert (record.state, record.job_id, record.error_code) == ("failed", purchase.job_id, "noFox")
    assert "no such fox" in record.error
    assert record.job["id"] == purchase.job_id
    assert (record.video, record.poster) == (None, None)
    assert await ledger.in_flight() == {}
