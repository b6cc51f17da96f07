"""Films without a Prefect server: what is bought, what is reused, and how the shots meet."""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.cli.galleries.gallery_export import choose
from prefect_together_video.flows.cli.galleries.gallery_pictures import contact_sheet
from prefect_together_video.flows.engine import film_ending
from prefect_together_video.flows.engine.audit_run import audit
from prefect_together_video.flows.engine.film_run import make_film
from prefect_together_video.flows.reporting.progress import Progress, listening
from prefect_together_video.flows.reporting.shared_page import share_page
from prefect_together_video.tasks.steps import join_film
from together_video.errors import FilmError, NoRoomForFilm
from together_video.film.plan import FilmPlan
from together_video.film.reading import storyboard_of
from together_video.film.summary import FilmSummary
from together_video.joining.last_frames import last_frame
from together_video.ledger.summary import VideoState
from together_video.polling.policy import PollPolicy

pytestmark = pytest.mark.anyio

Film = Callable[..., Any]
#: Two chains: shot 2 continues 1, and shots 4 and 5 continue 3.
SHOTS: list[dict[str, Any]] = [
    {"prompt": "a harbour at dawn", "caption": "Dawn"},
    {"prompt": "a boat leaves", "continue": True},
    {"prompt": "the open sea", "crossfade": 0.25},
    {"prompt": "a whale", "continue": True},
    {"prompt": "its tail", "continue": True},
]
DEFAULTS = {"model": "minimax/hailuo-02", "width": 96, "height": 64, "seconds": "1", "fps": 8}


def board(*shots: dict[str, Any], **more: Any) -> Any:
    return storyboard_of(
        {"title": "The harbour", "defaults": DEFAULTS, "shots": list(shots or SHOTS), **more}
    )


def edited(number: int, **fields: Any) -> Any:
    shots = [dict(shot) for shot in SHOTS]
    shots[number - 1] |= fields
    return board(*shots)


@pytest.fixture
def film(start_api: Any, archive: VideoArchive, poll: PollPolicy) -> Film:
    """Makes a film in a sandbox that takes any size, and gives its ending; `film.api` is the sandbox."""
    api = start_api(model_rules=False)

    async def run(storyboard: Any, **more: Any) -> Any:
        usual = {
            "edition": "once",
            "in_flight": 20,
            "poll": poll,
            "budget_usd": None,
            "price_usd": None,
            "retry_failed": False,
            "attempts": 1,
            "new_seed": False,
            "fallback_models": None,
            "on_ambiguous": "hold",
            "strict": False,
            "together": api.credentials(),
            "archive": archive,
        }
        ending = await make_film(storyboard, **{**usual, **more})
        assert isinstance(ending.result, FilmSummary), ending.message
        return ending.result

    run.api = api  # type: ignore[attr-defined]
    return run


def states(summary: FilmSummary) -> list[str]:
    return [one.state.value for one in summary.videos]


async def fetched(archive: VideoArchive, key: str, path: Path) -> Path:
    async with archive.open() as ledger:
        assert await ledger.store.fetch(key, path)
    return path


def picture(frame: Any) -> Image.Image:
    return frame.to_image().convert("RGB")


async def test_a_film_is_bought_once_and_an_edit_buys_what_follows_from_it(
    film: Film, archive: VideoArchive, tmp_path: Path
) -> None:
    """Five shots are five purchases. The same storyboard buys nothing and joins nothing; another prompt in shot 3 buys
    it and the two that continue it; a caption buys nothing, and makes another film of the same shots."""
    first = await film(board())
    assert states(first) == ["archived"] * 5
    assert film.api.posts == 5
    assert first.film is not None
    assert first.film.is_new
    # Three frames stand at both ends of a join, and two are seen at the same time in the crossfade.
    assert first.film.seconds == pytest.approx((5 * 8 - 3 - 2) / 8)
    again = await film(board())
    assert states(again) == ["reused"] * 5
    assert film.api.posts == 5
    assert again.film is not None
    assert (again.film.is_new, again.film.id) == (False, first.film.id)
    other = await film(edited(3, prompt="the open sea at night"))
    assert states(other) == ["reused", "reused", "archived", "archived", "archived"]
    assert film.api.posts == 8
    captioned = await film(edited(2, caption="A boat"))
    assert states(captioned) == ["reused"] * 5
    assert film.api.posts == 8
    assert captioned.film is not None
    assert captioned.film.id != first.film.id
    async with archive.open() as ledger:
        assert (await audit(ledger)).findings == ()
        record = await ledger.films.read(first.film.id)
    assert record is not None
    # The join: the first frame of each chained shot is the last frame of the one before.
    for before, after in pairwise(record.shots):
        if after.first_frame is None:
            continue
        one = await fetched(archive, before.key, tmp_path / "before.mp4")
        two = await fetched(archive, after.key, tmp_path / "after.mp4")
        ending = Image.open(io.BytesIO(last_frame(one))).convert("RGB")
        with av.open(str(two)) as file:
            beginning = picture(next(file.decode(video=0)))
        assert sum(ImageStat.Stat(ImageChops.difference(ending, beginning)).mean) / 3 < 4
    path = await fetched(archive, record.video.key, tmp_path / "film.mp4")
    with av.open(str(path)) as file:
        assert sum(1 for _ in file.decode(video=0)) == record.frames == 35


async def test_a_failed_shot_stops_its_own_chain_only(film: Film) -> None:
    """What is made from a shot that failed is not started; the other chain is made. No film is joined of the rest."""
    film.api.faults({"on": "create", "kind": "job_failed", "match": "open sea", "message": "too wet"})
    summary = await film(board())
    assert states(summary) == ["archived", "archived", "failed", "skipped", "skipped"]
    assert film.api.posts == 3
    assert summary.film is None
    assert not summary.is_good
    assert "shots 3, 4, 5 are not in the archive" in summary.sentence
    # The fault was met once per match: the next attempt makes it.
    film.api.faults()
    summary = await film(board(), retry_failed=True)
    assert states(summary) == ["reused", "reused", "archived", "archived", "archived"]
    assert film.api.posts == 6


async def test_a_run_that_is_stopped_goes_on_where_it_was(film: Film) -> None:
    """Stopped once two shots are in the archive, the same command buys the others only, with the same ids."""
    task: asyncio.Task[Any]

    def stop(change: Progress) -> None:
        if change.outcome is not None and change.outcome.state is VideoState.ARCHIVED and change.done == 2:
            task.cancel()

    with listening(stop):
        task = asyncio.ensure_future(film(board()))
        with pytest.raises(asyncio.CancelledError):
            await task
    assert 2 <= film.api.posts < 5
    summary = await film(board())
    assert film.api.posts == 5
    assert summary.is_good


async def test_a_film_that_was_stopped_while_it_was_joined_is_joined(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is bought again, and the film is the one that it would have been."""

    async def stopped(*_: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(film_ending, "_joined", stopped)
        with pytest.raises(asyncio.CancelledError):
            await film(board(*SHOTS[:2]))
    summary = await film(board(*SHOTS[:2]))
    assert film.api.posts == 2
    assert summary.film is not None
    assert summary.film.is_new


@pytest.mark.parametrize(("error", "may_pass"), [(NoRoomForFilm, True), (FilmError, False)])
async def test_a_film_that_cannot_be_joined_says_whether_that_may_pass(
    film: Film, monkeypatch: pytest.MonkeyPatch, error: type[FilmError], may_pass: bool
) -> None:
    """For the flows: a copy of the summary knows it, and its JSON does not show it."""

    async def broken(*_: Any) -> None:
        raise error("It cannot be joined.")

    monkeypatch.setattr(film_ending, "_joined", broken)
    summary = (await film(board(SHOTS[0]))).model_copy(update={"page": "a"})
    assert (summary.problem, summary.may_pass) == ("It cannot be joined.", may_pass)
    assert "may_pass" not in summary.model_dump_json() + str(summary.as_json())


async def test_a_retake_lies_beside_the_film_until_the_storyboard_uses_it(film: Film) -> None:
    """Take 2 of shot 3 is one purchase and leaves the film as it is. `use: 2` buys what continues shot 3 again, from
    that take, and no take again."""
    first = await film(board())
    # The sandbox makes the same clip of the same request: a shorter one ends with another frame.
    film.api.faults({"on": "create", "kind": "wrong_length_video", "match": "open sea", "share": 0.5})
    summary = await film(board(), retakes={3: None})
    film.api.faults()
    assert film.api.posts == 6
    assert [(one.shot, one.take) for one in summary.retakes] == [(3, 2)]
    assert summary.film is not None
    assert first.film is not None
    assert summary.film.id == first.film.id
    used = await film(edited(3, use=2))
    assert states(used) == ["reused", "reused", "reused", "archived", "archived"]
    assert film.api.posts == 8
    assert used.videos[2].id == summary.retakes[0].id
    assert used.film is not None
    assert used.film.id != first.film.id
    # The same command again asks for the same take; another one has to be named.
    await film(board(), retakes={3: None})
    assert film.api.posts == 8
    await film(board(), retakes={3: 3})
    await film(edited(3, use=2), retakes={3: None})
    assert film.api.posts == 9


async def test_the_budget_holds_for_all_chains(film: Film) -> None:
    """What does not fit is skipped, and what continues it is not started."""
    price = FilmPlan.of(board()).total.usd
    assert price is not None
    summary = await film(board(), budget_usd=price / 5 * 2)
    assert film.api.posts == 2
    assert set(states(summary)) <= {"archived", "skipped"}
    assert summary.film is None


async def test_a_folder_takes_chained_shots_too(film: Film, tmp_path: Path) -> None:
    """Without links the frame travels inside of the request."""
    summary = await film(board(*SHOTS[:2]), archive=VideoArchive(folder=str(tmp_path / "films")))
    assert summary.is_good
    assert summary.film is not None
    assert Path(summary.film.uri.removeprefix("file://")).is_file()


async def test_an_audit_knows_films(film: Film, archive: VideoArchive, s3_client: Any) -> None:
    """A file that is gone, one of another size, and one that no record names: each is found, and nothing else."""
    summary = await film(board(*SHOTS[:1]))
    assert summary.film is not None
    key = summary.film.key
    bucket = archive.place.bucket
    s3_client.put_object(Bucket=bucket, Key=key, Body=b"short")
    s3_client.delete_object(Bucket=bucket, Key=key.replace(".mp4", ".vtt"))
    s3_client.put_object(Bucket=bucket, Key=f"{key}.old", Body=b"x")
    async with archive.open() as ledger:
        found = (await audit(ledger)).findings
    assert sorted((one.kind, one.key) for one in found) == [
        ("missing", key.replace(".mp4", ".vtt")),
        ("orphan", f"{key}.old"),
        ("size", key),
    ]


async def test_joining_ends_soon_when_it_is_stopped(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in a thread, which no cancellation reaches: Ctrl-C does not wait for a whole film."""
    begun, ended = threading.Event(), threading.Event()

    def endless(*_: Any, progress: Callable[[int, int], None]) -> None:
        try:
            while True:
                progress(1, 100)
                begun.set()
        finally:
            ended.set()

    monkeypatch.setattr(join_film, "join", endless)
    task = asyncio.create_task(film(board(SHOTS[0])))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_shared_page_of_a_film_names_no_place_of_the_team(
    film: Film, archive: VideoArchive, tmp_path: Path
) -> None:
    """The film, its captions and its contact sheet are linked; the storyboard, the edit list and the commands, which
    name files of the team, are not. Pictures show the shots, and no other takes."""
    summary = await film(board(*SHOTS[:2]), retakes={1: None})
    assert summary.film is not None
    async with archive.open() as ledger:
        chosen = await choose(ledger, given=summary.film.id[:10], latest=1)
        assert chosen.film is not None
        shared = await share_page(
            ledger,
            chosen.name,
            chosen.title,
            chosen.rows,
            chosen.summary,
            chosen.sentence,
            seconds=60,
            about=chosen.about,
            film=chosen.film,
        )
        assert [(row.in_film.shot, row.in_film.take) for row in chosen.rows if row.in_film] == [
            (1, 1),
            (1, 2),
            (2, 1),
        ]
        assert await contact_sheet(ledger, chosen, tmp_path / "sheet.jpg") == 2
        stored = await ledger.store.get(shared.key)
    assert stored is not None
    page = stored.data.decode()
    for ending in (".mp4?", ".contact-sheet.jpg?", ".vtt?"):
        assert f"{ending}" in page
    assert "data:text/vtt;base64," in page
    for private in (".otio", "storyboard.json", "together-video film"):
        assert private not in page
    assert len([key for key in chosen.files(ledger.layout) if key.endswith(".storyboard.json")]) == 1


async def test_a_film_whose_file_is_gone_is_joined_again(film: Film, archive: VideoArchive) -> None:
    """The same shots give the same bytes, under the name that the record has; nothing is bought."""
    story = board({"prompt": "a lighthouse"})
    first = (await film(story)).film
    assert first is not None
    async with archive.open() as ledger:
        await ledger.store.delete([first.key])
    again = (await film(story)).film
    assert again is not None
    assert (again.key, again.is_new, film.api.posts) == (first.key, True, 1)
    async with archive.open() as ledger:
        head = await ledger.store.head(first.key)
    assert head is not None
    assert head.size == first.size


async def test_retakes_of_shots_that_are_alike_are_one_purchase(film: Film) -> None:
    """And one row each. A take that another shot shows is not bought beside it."""
    story = board({"prompt": "waves"}, {"prompt": "waves"}, {"prompt": "waves", "use": 2})
    summary = await film(story, retakes={1: 3, 2: 3, 3: 2})
    assert film.api.posts == 3
    assert [(one.shot, one.take) for one in summary.retakes] == [(1, 3), (2, 3), (3, 2)]
    assert states(summary) == ["archived"] * 3


async def test_a_last_frame_with_other_content_is_not_sent(film: Film, archive: VideoArchive) -> None:
    """Somebody has put another picture under its name: the next shot is not made from it, and the reason names it."""
    await film(board(*SHOTS[:2]))
    async with archive.open() as ledger:
        listed = await ledger.store.list(ledger.layout.key("media", ""))
        (frame,) = [one.key for one in listed]
        content = io.BytesIO()
        Image.new("RGB", (96, 64), "red").save(content, "PNG")
        await ledger.store.delete([frame])
        data = content.getvalue()
        await ledger.store.put_file_once(frame, data, hashlib.sha256(data).hexdigest(), "image/png")
    summary = await film(board(SHOTS[0], {**SHOTS[1], "prompt": "a boat comes back"}))
    assert film.api.posts == 2
    assert "differs from what its name says" in str(summary.videos[1].error)
