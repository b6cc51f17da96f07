"""The steps in flows of others: sync and async, submitted and mapped, run twice, by blocks and by values."""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect import flow, task, unmapped
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import SecretStr

from prefect_together_video import (
    ArchivedVideo,
    TogetherCredentials,
    VideoArchive,
    VideoJobRef,
    aarchive_video,
    acreate_video,
    adownload_video,
    agenerate_prompts,
    amake_video,
    archive_video,
    await_for_video,
    create_video,
    download_video,
    generate_prompts,
    make_video,
    wait_for_video,
)
from prefect_together_video.tasks.session.session import Session
from tests.public.conftest import FOX, World, of
from together_video.errors import (
    ConfigurationError,
    CreateAmbiguous,
    InputError,
    JobFailed,
    MediaRefused,
    VideoError,
)
from together_video.requests import VideoRequest

NewWorld = Callable[..., World]

# Prefect's own client of a sync flow leaves its connection to the server to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_each_step_in_a_sync_flow(world: World) -> None:
    """As the README has it: four calls, and the video is in the bucket, paid once."""

    @flow
    def one() -> str:
        ref = create_video(FOX)
        assert ref.state == "submitted"
        job = wait_for_video(ref)
        assert job.state == "completed"
        clip = download_video(job)
        assert clip.path is not None
        assert clip.path.stat().st_size > 500
        video = archive_video(clip)
        assert not video.reused
        assert not clip.path.exists()
        return video.uri

    assert world.holds(one())
    assert world.bought == ["a fox in the snow"]
    assert world.keys("inflight/") == []


def test_run_again_every_step_passes_the_archived_video_through(world: World) -> None:
    """What create_video returns the second time fits each later step, and nothing is bought."""

    @flow
    def one() -> ArchivedVideo:
        ref = create_video(FOX)
        states.append(ref.state)
        return archive_video(download_video(wait_for_video(ref)))

    states: list[str] = []
    first, second = one(), one()
    assert states == ["submitted", "archived"]
    assert (first.reused, second.reused) == (False, True)
    assert second.model_copy(update={"reused": False}) == first
    assert len(world.bought) == 1


def test_each_step_in_an_async_flow(world: World) -> None:
    """Under the names with an a."""

    @flow
    async def one() -> ArchivedVideo:
        ref = await acreate_video(FOX)
        return await aarchive_video(await adownload_video(await await_for_video(ref)))

    assert world.holds(asyncio.run(one()).uri)
    assert len(world.bought) == 1


def test_the_plain_names_can_be_awaited_in_an_async_flow(world: World) -> None:
    """As with Prefect's own pairs; gathered, they run at the same time."""

    @flow
    async def one() -> list[ArchivedVideo]:
        ref = await create_video(FOX)  # type: ignore[misc]
        first = archive_video(await download_video(await wait_for_video(ref)))  # type: ignore[misc]
        return await asyncio.gather(first, amake_video(of("an owl")[0]))

    made = asyncio.run(one())
    assert all(world.holds(video.uri) for video in made)
    assert world.bought == ["a fox in the snow", "an owl"]


def test_an_async_name_in_a_sync_flow_is_an_error(world: World) -> None:
    """Else nobody would await it, and the run would be Completed with nothing made."""

    @flow
    def wrong() -> None:
        acreate_video(FOX)

    @flow
    async def around() -> None:
        wrong()

    @task
    def in_a_task() -> None:
        amake_video.with_options(name="other")(FOX)

    @flow
    def with_a_task() -> None:
        in_a_task()

    for call in (wrong, lambda: asyncio.run(around()), with_a_task):
        with pytest.raises(TypeError, match="in sync code, call"):
            call()
    assert world.bill()["posts"] == 0


def test_an_event_loop_of_its_own_in_a_sync_flow(world: World) -> None:
    """Sync code may start one, and await there."""

    @flow
    def one() -> str:
        async def inside() -> ArchivedVideo:
            return await amake_video(FOX)

        return asyncio.run(inside()).uri

    assert world.holds(one())


@pytest.mark.parametrize("is_async", [False, True])
def test_submitted_and_mapped(world: World, is_async: bool) -> None:
    """Futures, in both kinds of flow; a step waits for what it is given."""

    def body() -> list[ArchivedVideo]:
        ref = create_video.submit(FOX)
        clip = download_video.submit(wait_for_video.submit(ref))
        after = make_video.submit(of("an owl")[0], wait_for=[clip])
        mapped = make_video.map(of("a hare", "a lynx"), take=unmapped(2))
        steps = archive_video.map(download_video.map(wait_for_video.map(create_video.map(of("a wolf")))))
        return [
            archive_video.submit(clip).result(),
            after.result(),
            *mapped.result(),
            *steps.result(),
        ]

    if is_async:

        @flow
        async def several() -> list[ArchivedVideo]:
            return body()

        made = asyncio.run(several())
    else:
        made = flow(body)()
    assert all(world.holds(video.uri) for video in made)
    assert world.bought == ["a fox in the snow", "a hare", "a lynx", "a wolf", "an owl"]


def test_the_async_tasks_can_be_submitted_as_well(world: World) -> None:
    """Prefect gives each of them an event loop of its own."""

    @flow
    def several() -> list[ArchivedVideo]:
        return amake_video.map(of("a fox", "an owl", "a hare")).result()  # type: ignore[return-value]

    assert len(several()) == 3
    assert world.bought == ["a fox", "a hare", "an owl"]


def test_twenty_mapped_share_one_client_and_buy_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One session for all of them, in two runs; the second buys nothing."""
    opened: list[object] = []
    real = Session.open.__func__  # type: ignore[attr-defined]

    async def counted(cls: type[Session], *blocks: Any) -> Session:
        opened.append(blocks)
        return await real(cls, *blocks)  # type: ignore[no-any-return]

    monkeypatch.setattr(Session, "open", classmethod(counted))

    @flow
    def many() -> list[ArchivedVideo]:
        return make_video.map(of(*(f"fox {number}" for number in range(20)))).result()

    first, second = many(), many()
    assert len(opened) == 1
    assert len(world.videos) == len(set(world.bought)) == len(world.bought) == 20
    assert {video.reused for video in first} == {False}
    assert {video.reused for video in second} == {True}


def test_a_prompt_alone_and_a_request(new_world: NewWorld) -> None:
    """The catalogue's default model is taken where nobody chose one."""
    world = new_world(model_rules=True)

    @flow
    def several() -> list[str]:
        return [
            make_video("a fox").model,
            make_video("a fox", model="minimax/hailuo-02").model,
            make_video(VideoRequest(prompt="an owl")).model,
            make_video(VideoRequest(prompt="an owl"), model="minimax/hailuo-02").model,
            make_video(
                VideoRequest(prompt="a hare", model="pixverse/pixverse-v5"), model="minimax/hailuo-02"
            ).model,
        ]

    default = VideoRequest(prompt="any").model
    hailuo = "minimax/hailuo-02"
    assert several() == [default, hailuo, default, hailuo, "pixverse/pixverse-v5"]
    assert len(world.bought) == 5


@pytest.mark.parametrize(
    "request_",
    [
        17,
        None,
        {"prompt": "a fox", "modle": "x"},
        {},
        "",
        {"prompt": "a fox", "model": "minimax/hailuo-02", "seconds": "long"},
    ],
)
def test_what_is_no_request_is_refused(world: World, request_: Any) -> None:
    """In one sentence, before anything is sent."""

    @flow
    def one() -> None:
        create_video(request_)

    with pytest.raises(InputError):
        one()
    assert world.bill()["posts"] == 0


def test_values_are_small_plain_and_hold_no_secret(world: World) -> None:
    """They survive JSON and pickle, and each step takes them back from JSON."""

    @flow
    def one() -> list[VideoJobRef]:
        ref = create_video(FOX)
        job = wait_for_video(json.loads(ref.model_dump_json()))
        clip = download_video(json.loads(job.model_dump_json()))
        return [ref, job, clip]

    @flow
    def the_rest(clip: Any) -> ArchivedVideo:
        return archive_video(clip)

    refs = one()
    for ref in refs:
        text = ref.model_dump_json()
        assert len(text) < 1500
        assert VideoJobRef.model_validate_json(text) == ref == pickle.loads(pickle.dumps(ref))  # noqa: S301 - our own
        assert "a-key-of-ours" not in text
        assert "http" not in text
    video = the_rest(json.loads(refs[-1].model_dump_json()))
    assert ArchivedVideo.model_validate_json(video.model_dump_json()) == video
    assert pickle.loads(pickle.dumps(video)) == video  # noqa: S301 - our own


def test_another_process_goes_on_from_the_value(world: World, tmp_path: Path) -> None:
    """It has nothing but the environment and the JSON of a created job; no file lies on its disk."""

    @flow
    def one() -> VideoJobRef:
        return download_video(create_video(FOX))

    ref = one()
    script = tmp_path / "rest.py"
    script.write_text(
        "import json, sys\n"
        "from prefect import flow\n"
        "from prefect_together_video import archive_video, wait_for_video\n"
        "@flow\n"
        "def rest():\n"
        "    print(archive_video(wait_for_video(json.loads(sys.argv[1]))).uri)\n"
        "if __name__ == '__main__':\n"
        "    rest()\n"
    )
    import os

    environment = {**os.environ, "TOGETHER_VIDEO_SPOOL": str(tmp_path / "another disk")}
    done = subprocess.run(
        [sys.executable, str(script), ref.model_dump_json()],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert world.holds(done.stdout.strip().splitlines()[-1])
    assert len(world.bought) == 1


def test_blocks_that_are_given_and_blocks_by_name(
    world: World, new_archive: Callable[..., VideoArchive], moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved block's name travels with the job; a block that was never saved must be given again."""
    together = TogetherCredentials(api_key=SecretStr("another-key"), base_url=world.api.url)
    named, unsaved = new_archive(moto_url), new_archive(moto_url, prefix="mine")
    together.save("theirs", overwrite=True)
    named.save("theirs", overwrite=True)
    monkeypatch.delenv("TOGETHER_API_KEY")
    monkeypatch.delenv("VIDEO_ARCHIVE_BUCKET")

    @flow
    def by_name() -> ArchivedVideo:
        ref = create_video(FOX, together="theirs", archive="video-archive/theirs")
        assert (ref.together, ref.archive) == ("theirs", "video-archive/theirs")
        return archive_video(wait_for_video(ref))

    @flow
    def by_block() -> ArchivedVideo:
        ref = create_video(FOX, together=together, archive=unsaved)
        monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", world.bucket)
        monkeypatch.setenv("TOGETHER_API_KEY", "a-key-of-ours")
        with pytest.raises(ConfigurationError, match=f"belongs to s3://{unsaved.bucket}/mine/.*archive=…"):
            wait_for_video(ref)
        return archive_video(wait_for_video(ref, archive=unsaved, together=together), archive=unsaved)

    assert by_name().bucket == named.bucket
    assert by_block().bucket == unsaved.bucket
    assert len(world.bought) == 2

    @flow
    def nobody() -> None:
        make_video(FOX, archive="nobody")

    with pytest.raises(ConfigurationError, match="no Video Archive block named 'nobody'"):
        nobody()


def test_a_video_can_be_linked_and_copied(world: World, tmp_path: Path) -> None:
    """By the value alone."""

    @flow
    def one() -> ArchivedVideo:
        return make_video(FOX)

    video = one()
    link = video.presigned_url(60)
    assert "X-Amz-Expires=60" in link
    assert video.download(tmp_path) == tmp_path / Path(video.key).name
    assert video.download(tmp_path / "fox.mp4").read_bytes()[4:8] == b"ftyp"
    assert asyncio.run(video.adownload(tmp_path / "again.mp4")).stat().st_size == video.size
    assert asyncio.run(video.apresigned_url(60)).startswith("http")
    with pytest.raises(ConfigurationError, match="604,800"):
        video.presigned_url(700_000)


def test_a_job_that_fails_is_recorded_and_not_bought_again(new_world: NewWorld) -> None:
    """Only where that is asked for."""
    world = new_world(faults=[{"on": "create", "kind": "job_failed", "times": 1}])

    @flow
    def one(**options: Any) -> ArchivedVideo:
        return archive_video(wait_for_video(create_video(FOX, **options)))

    with pytest.raises(JobFailed):
        one()
    assert len(world.keys("records/")) == 1
    with pytest.raises(JobFailed, match="This happened in an earlier run"):
        one()
    assert world.bill()["posts"] == 1
    assert not one(retry_failed=True).reused
    assert world.bill()["posts"] == 2


def test_a_failed_video_is_made_by_another_attempt_or_another_model(new_world: NewWorld) -> None:
    """In the same task run; called again it is reused, and the value names both models."""
    fails = {"on": "create", "kind": "job_failed", "code": "server_error", "times": 3}
    world = new_world(faults=[fails])

    @flow
    def one(**options: Any) -> ArchivedVideo:
        return make_video(FOX, attempts=2, fallback_models=["pixverse/pixverse-v6"], **options)

    made = one()
    assert (made.model, made.asked_model) == ("pixverse/pixverse-v6", FOX["model"])
    assert world.bill()["posts"] == 4
    again = one()
    assert (again.reused, again.video_id) == (True, made.video_id)
    assert world.bill()["posts"] == 4


def test_attempts_out_of_bounds_are_refused(new_world: NewWorld) -> None:
    """Before anything is sent, as is a model that does not exist."""
    world = new_world()

    @flow
    def one(**options: Any) -> ArchivedVideo:
        return make_video(FOX, **options)

    with pytest.raises(InputError, match="attempts: must be at most 10"):
        one(attempts=11)
    with pytest.raises(InputError, match="There is no model 'no/such'"):
        one(fallback_models=["no/such"])
    assert world.bill()["posts"] == 0


def test_an_ambiguous_create_is_not_repeated_by_retries(new_world: NewWorld) -> None:
    """However many retries the user gives the task."""
    world = new_world(faults=[{"on": "create", "kind": "reset", "times": 1}])

    @flow
    def one(**options: Any) -> ArchivedVideo:
        return make_video.with_options(retries=3, retry_delay_seconds=0)(FOX, **options)

    for _ in range(2):
        with pytest.raises(CreateAmbiguous, match='on_ambiguous="resubmit" in any case'):
            one()
    assert world.bill()["posts"] == 1
    assert one(on_ambiguous="resubmit").uri
    assert world.bill()["posts"] == 2


def test_an_error_after_the_create_says_that_the_job_is_kept(new_world: NewWorld) -> None:
    """And what to do: the next run archives it, and buys nothing."""
    world = new_world(faults=[{"on": "download", "kind": "wrong_content", "times": 5}])

    @flow
    def one() -> ArchivedVideo:
        return make_video(FOX)

    from prefect_together_video.tasks.session import finishing

    quick = finishing.fetch_clip.with_options(retries=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finishing, "fetch_clip", quick)
        with pytest.raises(VideoError, match=r"It is billed.*is kept.*neither buys it again"):
            one()
        world.api.configure(faults=[]) if hasattr(world.api, "configure") else None
    assert len(world.bought) == 1


def test_prompts_of_a_brief_are_mapped(world: World) -> None:
    """The chat model is asked once; the stored prompts are used again."""

    @flow
    def lighthouses() -> list[str]:
        written = generate_prompts({"subject": "lighthouses of the north", "count": 3})
        return list(written.prompts)

    @flow
    async def the_same() -> list[str]:
        return list((await agenerate_prompts({"subject": "lighthouses of the north", "count": 3})).prompts)

    first = lighthouses()
    assert len(first) == 3
    assert asyncio.run(the_same()) == first
    assert world.bill()["chats"] == 1

    @flow
    def wrong() -> None:
        generate_prompts({"subject": "x", "count": -1})

    with pytest.raises(InputError, match="count"):
        wrong()


def test_a_step_given_something_else_says_so(world: World) -> None:
    """Such as a coroutine that nobody awaited."""

    @flow
    def one(given: Any) -> None:
        wait_for_video(given)

    for given in ("a fox", 5, {"video_id": "x"}, None):
        with pytest.raises(InputError, match="is not a job"):
            one(given)


def test_a_reference_that_the_archive_does_not_know(world: World) -> None:
    """Forged or from another archive: an error, not a traceback, and nothing is bought."""

    @flow
    def one(ref: VideoJobRef) -> None:
        wait_for_video(ref)

    forged = VideoJobRef(
        video_id="a" * 24, state="submitted", title="x", model="m", location=f"s3://{world.bucket}/"
    )
    with pytest.raises(VideoError):
        one(forged)
    with pytest.raises(InputError, match="is not a job"):
        VideoJobRef.of({**forged.model_dump(), "video_id": "../../x"})
    assert world.bill()["posts"] == 0


def test_media_of_a_request_are_checked_and_kept(world: World, tmp_path: Path) -> None:
    """A file that is no image stops the video before anything is sent."""
    (tmp_path / "no.jpg").write_bytes(b"no picture")

    @flow
    def one() -> None:
        make_video({**FOX, "media": {"frame_images": [{"input_image": str(tmp_path / "no.jpg")}]}})

    with pytest.raises(MediaRefused):
        one()
    assert world.bill()["posts"] == 0


def test_few_threads_and_many_videos(world: World) -> None:
    """A bounded runner makes them in turn."""

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
    def many() -> list[ArchivedVideo]:
        return make_video.map(of(*(f"fox {number}" for number in range(6)))).result()

    assert len({video.uri for video in many()}) == 6
    assert len(world.bought) == 6


def test_an_archive_in_a_folder(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps, with nothing but a key and a folder."""
    monkeypatch.delenv("VIDEO_ARCHIVE_BUCKET")
    monkeypatch.setenv("VIDEO_ARCHIVE_FOLDER", str(tmp_path / "films"))

    @flow
    def one() -> list[ArchivedVideo]:
        by_steps = archive_video(download_video(wait_for_video(create_video(FOX))))
        return [by_steps, *make_video.map(of("an owl", FOX["prompt"])).result()]

    made = one()
    assert [video.reused for video in made] == [False, False, True]
    for video in made:
        assert video.bucket is None
        assert video.uri == (tmp_path / "films" / video.key).as_uri()
        assert (tmp_path / "films" / video.key).stat().st_size == video.size
    assert made[0].download(tmp_path / "copy.mp4").stat().st_size == made[0].size
    with pytest.raises(VideoError, match="folder"):
        made[0].presigned_url()
    assert len(world.bought) == 2
