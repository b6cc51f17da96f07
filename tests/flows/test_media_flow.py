"""Media on their whole way: from a file, an address or inline, through the archive, into the video."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.engine.audit_run import audit
from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.flows.video import generate_video
from together_video.errors import InputError
from together_video.ledger.summary import Summary, VideoState
from together_video.media.files import inspect_file
from together_video.media.references import references_of
from together_video.media.sources import MediaKind
from together_video.polling.policy import PollPolicy
from together_video.requests import Media, VideoRequest

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
RED, BLUE = (224, 16, 16), (16, 16, 224)


@pytest.fixture
def archive(seaweed: Any, new_archive: Make) -> VideoArchive:
    """An archive on a server that checks signatures, under a prefix."""
    return new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key), prefix="some/where")


@pytest.fixture
async def ledger(archive: VideoArchive, anyio_backend: str) -> AsyncIterator[Ledger]:
    async with archive.open() as opened:
        yield opened


@pytest.fixture
def video(api: Any, archive: VideoArchive, poll: PollPolicy, small: Make) -> Make:
    """Runs the flow for one video with these media; gives its state."""

    async def run(prompt: str = "a fox", fields: dict[str, Any] | None = None, **media: Any) -> Any:
        request = small(prompt, **(fields or {}), media=media)
        return await generate_video.fn(
            request=request, poll=poll, together=api.credentials(), archive=archive
        )

    return run


@pytest.fixture
def batch(api: Any, archive: VideoArchive, poll: PollPolicy) -> Make:
    async def run(**parameters: Any) -> Any:
        usual = {"poll": poll, "together": api.credentials(), "archive": archive}
        return await generate_batch.fn(**{**usual, **parameters})

    return run


def summary_of(state: Any) -> Summary:
    found = result_of(state.data)
    assert isinstance(found, Summary), found
    return found


async def keys(ledger: Ledger, *folder: str) -> list[str]:
    return [found.key for found in await ledger.store.list(ledger.layout.key(*folder, ""))]


async def middle_of(ledger: Ledger, key: str | None, frame: int) -> tuple[int, int, int]:
    """The colour in the middle of one frame of an archived video."""
    found = await ledger.store.get(key or "")
    assert found is not None
    with av.open(io.BytesIO(found.data)) as file:
        image = [shown.to_image() for shown in file.decode(video=0)][frame]
    return image.getpixel((image.width // 2, image.height // 2))


def near(found: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return max(abs(one - other) for one, other in zip(found, wanted, strict=True)) < 30


async def test_a_file_becomes_a_keyframe(video: Make, ledger: Ledger, media_folder: Path, api: Any) -> None:
    """A local picture is kept once by its content, fetched by the provider, and fills the first frame."""
    frames = [{"input_image": str(media_folder / "red.png")}, {"input_image": str(media_folder / "blue.jpg")}]
    (made,) = summary_of(await video(frame_images=frames)).videos
    assert made.state is VideoState.ARCHIVED, made.error
    assert near(await middle_of(ledger, made.key, 0), RED)
    assert near(await middle_of(ledger, made.key, -1), BLUE)
    record = await ledger.record(made.id)
    assert record is not None
    references = references_of(record.plan.request)
    assert sorted(await keys(ledger, "media")) == sorted(map(ledger.layout.referenced, references))
    for reference, name in zip(references, ("red.png", "blue.jpg"), strict=True):
        stored = await ledger.store.get(ledger.layout.referenced(reference))
        assert stored is not None
        assert stored.data == (media_folder / name).read_bytes()


async def test_the_same_picture_under_another_name_is_the_same_video(
    video: Make, ledger: Ledger, media_folder: Path, api: Any
) -> None:
    """Another name, another folder, an s3:// address: one id, one upload, one create."""
    first = summary_of(await video(reference_images=[str(media_folder / "red.png")])).videos[0]
    kept = {found.key: found.written_at for found in await ledger.store.list(ledger.layout.key("media", ""))}
    other = media_folder / "elsewhere" / "photo.dat"
    other.parent.mkdir()
    other.write_bytes((media_folder / "red.png").read_bytes())
    assert await ledger.store.put_once("inbox/a b.png", other.read_bytes(), "image/png")
    for address in (str(other), other.as_uri(), f"s3://{ledger.place.bucket}/inbox/a b.png"):
        again = summary_of(await video(reference_images=[address])).videos[0]
        assert (again.state, again.id) == (VideoState.REUSED, first.id)
    assert api.charges == api.posts == 1
    now = {found.key: found.written_at for found in await ledger.store.list(ledger.layout.key("media", ""))}
    assert now == kept


async def test_every_kind_of_media_arrives(
    video: Make, ledger: Ledger, media_folder: Path, media_server: str
) -> None:
    """Videos and audio as files, links, inline and in the archive: all are taken into one video."""
    stored = summary_of(await video("first", reference_images=[str(media_folder / "red.png")])).videos[0]
    record = await ledger.record(stored.id)
    assert record is not None
    (reference,) = references_of(record.plan.request)
    (made,) = summary_of(
        await video(
            frame_videos=[{"video": f"{media_server}/clip.mp4"}],
            reference_images=[reference, f"{media_server}/blue.jpg"],
            reference_videos=[{"video": str(media_folder / "clip.mp4")}],
            audio_inputs=[str(media_folder / "voice.wav"), {"audio": f"{media_server}/song.mp3"}],
        )
    ).videos
    assert made.state is VideoState.ARCHIVED, made.error
    found = await ledger.record(made.id)
    assert found is not None
    assert found.clip is not None
    assert found.clip.has_audio
    assert near(await middle_of(ledger, made.key, 0), (16, 200, 16))


async def test_links_need_no_credentials_and_end(
    video: Make, ledger: Ledger, media_folder: Path, seaweed: Any
) -> None:
    """The link to a kept picture works for anybody, and not without its signature; it lasts seven days."""
    made = summary_of(await video(reference_images=[str(media_folder / "red.png")])).videos[0]
    record = await ledger.record(made.id)
    assert record is not None
    ((_, link),) = (await ledger.media.links(references_of(record.plan.request))).items()
    async with httpx.AsyncClient() as anybody:
        assert (await anybody.get(link)).content == (media_folder / "red.png").read_bytes()
        assert (await anybody.get(link.partition("?")[0])).status_code == 403
    assert "X-Amz-Expires=604800" in link
    assert await ledger.media.links([]) == {}
    with pytest.raises(InputError, match="is not a reference"):
        await ledger.media.links(["archive:records/x.json"])


@pytest.mark.parametrize("generation", ["2025", "2026"])
async def test_no_signature_is_kept_or_said(
    start_api: Make,
    archive: VideoArchive,
    ledger: Ledger,
    poll: PollPolicy,
    small: Make,
    media_folder: Path,
    caplog: pytest.LogCaptureFixture,
    generation: str,
) -> None:
    """The provider repeats the request, refuses it, fails it: no signed link is in the bucket, a log or a result."""
    caplog.set_level(logging.DEBUG, "together_video")
    api = start_api(generation=generation)
    api.faults(
        {"on": "create", "kind": "job_failed", "match": "failing"},
        {"on": "create", "kind": "status", "status": 422, "match": "refused"},
        {"on": "create", "kind": "garbage", "match": "unclear"},
    )
    media = {"frame_images": [{"input_image": str(media_folder / "red.png")}]}
    prompts = ("a fox", "a failing fox", "a refused fox", "an unclear fox")
    state = await generate_batch.fn(
        requests=[small(prompt, media=media) for prompt in prompts],
        poll=poll,
        together=api.credentials(),
        archive=archive,
    )
    states = [found.state.value for found in summary_of(state).videos]
    assert states == ["archived", "failed", "refused", "ambiguous"]
    said = caplog.text + summary_of(state).model_dump_json() + str(state.message)
    for key in await keys(ledger):
        stored = await ledger.store.get(key)
        assert stored is not None
        said += key + stored.data.decode("utf-8", "replace")
    assert "archive:media/" in said
    assert "X-Amz" not in said
    assert "Signature" not in said


async def test_dead_links_stop_their_video_only(
    batch: Make, small: Make, media_server: str, api: Any, ledger: Ledger
) -> None:
    """A link that is gone is refused before the claim, with a sentence; the other videos are made."""
    requests = [
        small("good", media={"reference_images": [f"{media_server}/red.png"]}),
        small("gone", media={"reference_images": [f"{media_server}/gone.png"]}),
        small("nobody there", media={"source_video": "http://127.0.0.1:1/a.mp4"}),
    ]
    videos = summary_of(await batch(requests=requests)).videos
    assert [found.state.value for found in videos] == ["archived", "refused", "refused"]
    assert videos[1].error == f"{media_server}/gone.png answers with HTTP 404. Nothing was created."
    assert "cannot be reached" in (videos[2].error or "")
    assert api.posts == 1
    assert await keys(ledger, "inflight") == []


async def test_a_dead_link_does_not_stop_what_is_bought(
    batch: Make, small: Make, media_server: str, media_folder: Path, api: Any
) -> None:
    """A job that an earlier run bought is brought home, although its picture is gone by now."""
    request = small("a fox", media={"reference_images": [f"{media_server}/red.png"]})
    api.faults({"on": "retrieve", "kind": "unknown_status"})
    first = await batch(requests=[request], poll=PollPolicy.fixed(0.1, deadline=0.5))
    assert summary_of(first).videos[0].state is VideoState.SUBMITTED
    api.faults()
    (media_folder / "red.png").unlink()
    again = await batch(requests=[request])
    assert summary_of(again).videos[0].state is VideoState.ARCHIVED
    assert api.posts == 1


async def test_bad_media_of_a_file_name_their_line(
    batch: Make, small_file: Make, media_folder: Path, tmp_path: Path, api: Any, ledger: Ledger
) -> None:
    """A file of requests with media that are missing or wrong is refused as a whole, before anything is stored."""
    lines = [
        {"prompt": "good", "model": "pixverse/pixverse-v5", "media": {"reference_images": ["media/red.png"]}},
        {
            "prompt": "gone",
            "model": "pixverse/pixverse-v5",
            "media": {"reference_images": ["media/gone.png"]},
        },
        {
            "prompt": "song",
            "model": "pixverse/pixverse-v5",
            "frame_images": [{"input_image": "media/song.mp3"}],
        },
    ]
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    state = await batch(file=str(path))
    assert isinstance(state.data, InputError)
    text = state.data.message
    assert f"line 2: media.reference_images[0]: {media_folder}/gone.png: there is no such file" in text
    assert f"line 3: media.frame_images[0]: {media_folder}/song.mp3: is not an image" in text
    assert api.posts == 0
    assert await keys(ledger) == []


async def test_paths_in_a_file_begin_at_its_folder(
    batch: Make, media_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    """Lines name files from where their file lies, settings from where the command was given."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (media_folder / "blue.jpg").rename(elsewhere / "blue.jpg")
    monkeypatch.chdir(elsewhere)
    path = tmp_path / "requests.jsonl"
    line = {"prompt": "a fox", "media": {"frame_images": [{"input_image": "media/red.png"}]}}
    path.write_text(json.dumps(line))
    settings = {"model": "pixverse/pixverse-v5", "width": 64, "height": 48, "seconds": "1", "fps": 8}
    state = await batch(file=str(path), settings={**settings, "media": {"reference_images": ["blue.jpg"]}})
    (made,) = summary_of(state).videos
    assert made.state is VideoState.ARCHIVED, made.error
    assert len(await keys(ledger, "media")) == 2


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://{bucket}/nothing.png", "there is no such object"),
        ("s3://no-such-bucket-here/a.png", "there is no such object|no bucket"),
        ("s3://{bucket}/text.png", "is not an image, but text"),
        ("archive:media/" + "0" * 64 + ".png", "the archive has no such content"),
    ],
)
async def test_objects_that_cannot_be_used(
    video: Make, ledger: Ledger, api: Any, address: str, words: str
) -> None:
    """A missing bucket, object or kept content, or one that is not an image: a sentence, and nothing is created."""
    await ledger.store.put_once("text.png", b"only words", "image/png")
    state = await video(reference_images=[address.format(bucket=ledger.place.bucket)])
    assert isinstance(state.data, InputError), state
    assert api.posts == 0
    assert re.search(words, state.data.message), state.data.message
    assert await keys(ledger, "media") == []


async def test_of_many_videos_it_is_said_whose_media_cannot_be_used(
    batch: Make, ledger: Ledger, api: Any, tmp_path: Path
) -> None:
    """Each with its line or number and its field, all at once, before anything is created."""
    gone, kept = f"s3://{ledger.place.bucket}/gone.png", "archive:media/" + "0" * 64 + ".png"
    await ledger.store.put_once("text.png", b"only words", "image/png")
    lines = [
        {"prompt": "a fox"},
        {"prompt": "an owl", "media": {"frame_images": [{"input_image": gone}]}},
        {"prompt": "a hare", "media": {"reference_images": [gone, f"s3://{ledger.place.bucket}/text.png"]}},
    ]
    path = tmp_path / "requests.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    by_line = await batch(file=str(path), settings={"model": "pixverse/pixverse-v5"})
    requests = [VideoRequest.model_validate({"model": "pixverse/pixverse-v5", **line}) for line in lines]
    by_number = await batch(requests=requests)
    for state, name in ((by_line, "line"), (by_number, "request")):
        assert isinstance(state.data, InputError), state
        said = state.data.message.splitlines()
        assert said[0] == "The media of 2 of 3 requests cannot be used; nothing was sent."
        assert said[1].startswith(f"  {name} 2: media.frame_images[0]: {gone}: there is no such object")
        assert said[2].startswith(f"  {name} 3: media.reference_images[0]: {gone}: there is no such object")
        assert f"{name} 3: media.reference_images[1]: " in said[3]
        assert "is not an image" in said[3]
    requests[0] = requests[0].model_copy(update={"media": Media(reference_images=(kept,))})
    state = await batch(requests=[requests[0]])
    assert state.data.message.startswith(
        f"media.reference_images[0]: {kept}: the archive has no such content"
    )
    assert api.posts == 0


async def test_the_audit_knows_media(video: Make, ledger: Ledger, media_folder: Path) -> None:
    """Kept media are not orphans; one that a record names and that is gone, or is another, is a finding."""
    await video(reference_images=[str(media_folder / "red.png")])
    assert (await audit(ledger, deep=True)).findings == ()
    (key,) = await keys(ledger, "media")
    await ledger.store.delete([key])
    assert [(found.kind, found.key) for found in (await audit(ledger, deep=False)).findings] == [
        ("missing", key)
    ]
    await ledger.store.put_once(key, b"something else")
    assert [(found.kind, found.key) for found in (await audit(ledger, deep=True)).findings] == [
        ("checksum", key)
    ]


async def test_other_content_under_a_name_is_not_sent(
    video: Make, ledger: Ledger, media_folder: Path, api: Any
) -> None:
    """Where the archive holds something else under a content's name, nothing is created."""
    await video(reference_images=[str(media_folder / "red.png")])
    (key,) = await keys(ledger, "media")
    await ledger.store.delete([key])
    await ledger.store.put_once(key, b"something else")
    state = await video("another", reference_images=[str(media_folder / "red.png")])
    assert "differs from what its name says" in str(state.message)
    assert api.posts == 1


async def test_a_file_that_changes_while_it_is_read(ledger: Ledger, media_folder: Path) -> None:
    """What was looked at and what is uploaded are the same bytes, or nothing is uploaded."""
    found = inspect_file(media_folder / "red.png", MediaKind.IMAGE)
    (media_folder / "red.png").write_bytes((media_folder / "blue.jpg").read_bytes())
    with pytest.raises(InputError, match="changed while it was read"):
        await ledger.media.keep(found)
    (media_folder / "red.png").unlink()
    with pytest.raises(InputError, match="can no longer be read"):
        await ledger.media.keep(found)
    assert await keys(ledger) == []
