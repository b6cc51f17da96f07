"""A link that is refused: how long it is tried again, how often, and by which link."""

import httpx
import pytest

from prefect_together_video.tasks.steps.ready_link import download_ready
from together_video.api.client import TogetherClient
from together_video.errors import AccountRefused, DownloadBroken, LinkRefused
from together_video.jobs import VideoJob

VIDEO = b"\0\0\0\x20ftypisom" + bytes(range(256)) * 4
JOB = VideoJob(id="job-1", video_url="https://files.test/old")


class Body(httpx.AsyncByteStream):
    def __init__(self, data):
        self.data = data

    async def __aiter__(self):
        yield self.data


class Storage:
    """Files behind links, and the API that gives links. `answers` are statuses of the file, the last for ever."""

    def __init__(self, *answers, api=200):
        self.answers, self.api = list(answers), api
        self.links, self.slept, self.said = [], [], []

    def __call__(self, request):
        if request.url.path.startswith("/v2/videos/"):
            if self.api != 200:
                return httpx.Response(self.api, json={"error": {"message": "no"}})
            url = f"https://files.test/fresh-{len(self.links)}"
            return httpx.Response(
                200, json={"id": "job-1", "status": "completed", "outputs": {"video_url": url}}
            )
        self.links.append(request.url.path)
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return httpx.Response(status, stream=Body(VIDEO if status == 200 else b"<Error/>"))

    async def sleep(self, seconds):
        self.slept.append(seconds)

    async def download(self, path, *, seconds=120.0):
        async with TogetherClient("key", transport=httpx.MockTransport(self)) as client:
            return await download_ready(
                JOB,
                path,
                client,
                max_bytes=10**6,
                seconds=seconds,
                log=self.said.append,
                clock=lambda: sum(self.slept),
                sleep=self.sleep,
            )


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 403, 404, 425, 429, 202, 204, 409, 500, 503])
async def test_a_link_that_is_not_ready_is_tried_again(tmp_path, status):
    """Whatever the storage says until the file is there, for a minute."""
    storage = Storage(*[status] * 8, 200)
    file = await storage.download(tmp_path / "clip.mp4")
    assert file.path.read_bytes() == VIDEO
    assert storage.slept == [0, 1, 2, 4, 8, 15, 15, 15]
    assert len(storage.said) == 1
    assert f"HTTP {status}" in storage.said[0]


@pytest.mark.anyio
async def test_the_first_link_may_have_expired(tmp_path):
    """A fresh one is requested at once, without a message."""
    storage = Storage(403, 200)
    await storage.download(tmp_path / "clip.mp4")
    assert storage.links == ["/old", "/fresh-1"]
    assert (storage.slept, storage.said) == ([0], [])


@pytest.mark.anyio
async def test_fresh_links_are_asked_for_now_and_then(tmp_path):
    """At every second try: the one before may have become ready."""
    storage = Storage(*[404] * 4, 200)
    await storage.download(tmp_path / "clip.mp4")
    assert storage.links == ["/old", "/fresh-1", "/fresh-1", "/fresh-3", "/fresh-3"]


@pytest.mark.anyio
@pytest.mark.parametrize("seconds", [0.0, 30.0, 120.0, 600.0])
async def test_it_ends(tmp_path, seconds):
    """Not before the time is up, and by one pause before it at most; a fresh link is tried in any case."""
    storage = Storage(404)
    with pytest.raises(LinkRefused, match="HTTP 404"):
        await storage.download(tmp_path / "clip.mp4", seconds=seconds)
    assert max(0, seconds - 15) <= sum(storage.slept) <= seconds
    assert len(storage.links) >= 2


@pytest.mark.anyio
async def test_an_api_that_does_not_answer_takes_no_link_away(tmp_path):
    """The old link is tried on; a key that is refused ends it."""
    storage = Storage(404, 404, 200, api=500)
    await storage.download(tmp_path / "clip.mp4")
    assert set(storage.links) == {"/old"}
    with pytest.raises(AccountRefused):
        await Storage(404, api=401).download(tmp_path / "clip.mp4")


@pytest.mark.anyio
async def test_another_error_is_not_waited_out(tmp_path):
    """A job without a link that can be used."""
    async with TogetherClient("key", transport=httpx.MockTransport(Storage(200))) as client:
        with pytest.raises(DownloadBroken):
            await download_ready(
                JOB.model_copy(update={"video_url": "ftp://files.test/x"}),
                tmp_path / "clip.mp4",
                client,
                max_bytes=10,
                seconds=120,
                log=print,
            )
