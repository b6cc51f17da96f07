"""The download: what is on this machine or in the bucket is used before the link is asked."""

import hashlib

import pytest

from prefect_together_video.tasks.running.runs import repeat
from prefect_together_video.tasks.steps.download import fetch_clip
from together_video.api.client import TogetherClient
from together_video.errors import DownloadBroken, DownloadError, LinkRefused, StoreUnavailable
from together_video.ledger.spool import Spool

NOISE = b"<!doctype html><h1>Not a video</h1>"


@pytest.fixture
def download(client, ledger, spool):
    """Calls the task's function; anything may be replaced."""

    async def make(purchase, job, **other):
        given = {"client": client, "ledger": ledger, "spool": spool, **other}
        return await fetch_clip.fn(purchase, job, given["client"], given["ledger"], given["spool"])

    return make


def downloads(api):
    return api.bill()["downloads"]


@pytest.mark.anyio
async def test_a_download(download, finished, plan, api, spool):
    """The file is in the spool under its job's name, whole, and says what it is; the key stayed at home."""
    purchase, job = await finished(plan)
    clip = await download(purchase, job)
    assert clip.file.path == spool.video(purchase.claim, purchase.job_id)
    content = clip.file.path.read_bytes()
    assert (clip.file.size, clip.file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (clip.info.width, clip.info.height) == (64, 48)
    assert list(spool.folder.iterdir()) == [clip.file.path]
    assert api.bill()["keys_sent_to_links"] == 0


@pytest.mark.anyio
async def test_what_an_earlier_process_left_is_used(download, finished, plan, api):
    """A whole file in the spool is taken as it is, even if the link is dead by now."""
    purchase, job = await finished(plan)
    first = await download(purchase, job)
    api.faults({"on": "link", "kind": "link_expired"}, {"on": "retrieve", "kind": "status", "status": 500})
    assert await download(purchase, job) == first
    assert downloads(api) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("content", [b"", NOISE])
async def test_a_broken_leftover_is_replaced(download, finished, plan, api, spool, content):
    """A file that is not a video is removed, and the link is used."""
    purchase, job = await finished(plan)
    path = spool.video(purchase.claim, purchase.job_id)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    clip = await download(purchase, job)
    assert clip.info.width == 64
    assert path.read_bytes() != content
    assert downloads(api) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("resumed", [True, False])
async def test_an_earlier_upload_is_used_when_resumed(download, finished, plan, api, ledger, resumed):
    """A run that resumes another run's job takes what that run had uploaded; the first run has nothing there."""
    purchase, job = await finished(plan, resumed=resumed)
    first = await download(purchase, job)
    await ledger.store.put_file_once(
        purchase.claim.video_key, first.file.path, first.file.sha256, "video/mp4"
    )
    first.file.path.unlink()
    again = await download(purchase, job)
    assert again == first
    assert downloads(api) == (1 if resumed else 2)


@pytest.mark.anyio
async def test_a_broken_upload_is_not_used(download, finished, plan, api, ledger):
    """An object in the bucket that is not a video does not stop the download."""
    purchase, job = await finished(plan, resumed=True)
    await ledger.store.put_once(purchase.claim.video_key, NOISE, "video/mp4")
    clip = await download(purchase, job)
    assert clip.info.width == 64
    assert downloads(api) == 1


@pytest.mark.anyio
async def test_a_bucket_that_does_not_answer(download, finished, plan, open_ledger, unruly_s3):
    """Whether there is an earlier upload must be known: it may be the one that is recorded."""
    purchase, job = await finished(plan, resumed=True)
    unruly_s3.strike = lambda *_: 503
    with pytest.raises(StoreUnavailable):
        await download(purchase, job, ledger=await open_ledger(unruly_s3.url))


@pytest.mark.anyio
async def test_an_expired_link(download, finished, plan, api):
    """An expired link is not a loss: the job gives a fresh one, with one poll."""
    purchase, job = await finished(plan)
    before = api.bill()["retrieves"]
    api.faults({"on": "link", "kind": "link_expired", "times": 1})
    clip = await download(purchase, job)
    assert clip.info.width == 64
    assert api.bill()["retrieves"] == before + 1


@pytest.mark.anyio
@pytest.mark.parametrize("also", [[], [{"on": "retrieve", "kind": "no_url"}]])
async def test_a_link_that_stays_expired(download, finished, plan, api, also, link_clock):
    """For two minutes, then the job is left for a later run."""
    purchase, job = await finished(plan)
    before = api.bill()["retrieves"]
    api.faults({"on": "link", "kind": "link_expired"}, *also)
    with pytest.raises(LinkRefused) as caught:
        await download(purchase, job)
    assert not caught.value.retryable
    assert api.bill()["retrieves"] > before
    assert 105 <= sum(link_clock) <= 120


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["wrong_content", "truncated"])
async def test_a_file_that_is_none(download, finished, plan, api, spool, turned_clock, kind):
    """A web page, or half a file, is worth another try. A complete file that is not a video is kept for inspection."""
    purchase, job = await finished(plan)
    api.faults({"on": "download", "kind": kind, "times": 1})
    with pytest.raises(DownloadBroken) as caught:
        await download(purchase, job)
    assert caught.value.retryable
    assert not list(spool.folder.glob("*.part"))
    api.faults({"on": "download", "kind": kind, "times": 1})
    clip = await repeat(fetch_clip, lambda: download(purchase, job), sleep=turned_clock.sleep)
    assert clip.info.width == 64
    assert len(turned_clock.slept) > 1
    assert [path for path in spool.folder.iterdir() if path.is_file()] == [clip.file.path]
    kept = [path.read_bytes()[:9] for path in spool.folder.glob("refused/*")]
    assert kept == ([b"<!doctype"] if kind == "wrong_content" else [])


@pytest.mark.anyio
async def test_a_spool_that_cannot_be_written(download, finished, plan, tmp_path):
    """A disk that refuses is named; the video stays at the provider."""
    purchase, job = await finished(plan)
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="The provider still has it"):
        await download(purchase, job, spool=Spool(tmp_path / "file" / "spool"))


class Robbed(TogetherClient):
    """Loses each file at once, as to a run of the same job that is quicker and tidies up."""

    async def download(self, url, path, *, max_bytes):
        file = await super().download(url, path, max_bytes=max_bytes)
        path.unlink()
        return file


@pytest.mark.anyio
async def test_a_file_that_another_run_takes_away(download, finished, plan, api):
    """Two runs of one job share its file: who finds it gone tries again."""
    purchase, job = await finished(plan)
    async with Robbed("key", api.url) as client:
        with pytest.raises(DownloadBroken, match="removed its file"):
            await download(purchase, job, client=client)
