"""One look into the inbox of a bucket and of a folder: what is made, where each file goes, what a second look buys."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows import inbox as inbox_flow
from prefect_together_video.flows.engine import film_ending
from prefect_together_video.flows.inbox import watch_inbox
from prefect_together_video.flows.reporting.results import result_of
from together_video.errors import AccountRefused, FilmError, InputError, StoreUnavailable, VideoError
from together_video.inputs.inbox import MOST_TRIES, InboxReport

pytestmark = pytest.mark.anyio

#: What the lines of a file share.
LINE = {
    "model": "pixverse/pixverse-v5",
    "width": 64,
    "height": 48,
    "seconds": "1",
    "fps": 8,
}
#: As many attempts as a test needs in place of `MOST_TRIES`.
FEW = 2
#: A film of two shots.
FILM = json.dumps({"title": "Owls", "defaults": LINE, "shots": ["an owl", "a second owl"]}).encode()


@pytest.fixture(params=["bucket", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> VideoArchive:
    if request.param == "folder":
        return VideoArchive(folder=str(tmp_path / "films"))
    archive: VideoArchive = request.getfixturevalue("archive")
    return archive


async def look(api: Any, place: VideoArchive, **more: Any) -> InboxReport:
    state = await watch_inbox.fn(together=api.credentials(), archive=place, **more)
    report = result_of(state.data)
    report = getattr(report, "result", report)
    assert isinstance(report, InboxReport), report
    return report


async def texts(ledger: Ledger, *folders: str) -> dict[str, str]:
    """The files below a folder of the inbox, by their names there."""
    start = ledger.layout.key("inbox", *folders, "")
    found = {}
    for one in await ledger.store.list(start):
        stored = await ledger.store.get(one.key)
        assert stored is not None
        found[one.key.removeprefix(start)] = stored.data.decode()
    return found


async def test_each_file_is_made_once_and_moved(api: Any, place: VideoArchive, tmp_path: Path) -> None:
    """The good one is made and goes to done/, the bad one to refused/ with the reason; a copy of it is free."""
    good = "".join(json.dumps({**LINE, "prompt": prompt}) + "\n" for prompt in ("a fox", "an owl")).encode()
    bad = json.dumps({**LINE, "promt": "a fox"}).encode() + b"\n"
    if place.folder is not None:
        # Whoever drops files there makes the folder.
        (tmp_path / "films").mkdir()
    async with place.open() as ledger:
        store, layout = ledger.store, ledger.layout
        assert await store.put_once(layout.key("inbox", "good.jsonl"), good)
        assert await store.put_once(layout.key("inbox", "bad.jsonl"), bad)
        report = await look(api, place)
        assert {row.name: row.state for row in report.files} == {"good.jsonl": "done", "bad.jsonl": "refused"}
        assert api.charges == 2
        left = [found.key for found in await store.list(layout.key("inbox", ""))]
        assert sorted(key.split("/")[-2] for key in left) == ["done", "done", "refused", "refused"]
        (reason,) = [key for key in left if key.endswith(".reason.txt")]
        stored = await store.get(reason)
        assert stored is not None
        assert "promt" in stored.data.decode()
        assert await store.put_once(layout.key("inbox", "again.jsonl"), good)
        (row,) = (await look(api, place)).files
        assert row.state == "done"
        assert row.summary is not None
        assert {video.state.value for video in row.summary.videos} == {"reused"}
        assert (await look(api, place)).files == ()
    assert api.charges == 2


@pytest.mark.parametrize(
    "link", ["https://cdn.test:70000/a.png", "https://cdn.test:-1/a.png", "https://10.0.0.5/a.png"]
)
async def test_a_file_with_a_link_that_leads_nowhere_is_refused_without_a_word_of_why(
    api: Any, archive: VideoArchive, link: str
) -> None:
    """Who may write to the bucket learns nothing of the network of the machine that reads it."""
    line = {"model": "minimax/hailuo-02", "prompt": "a fox", "frame_images": [{"input_image": link}]}
    async with archive.open() as ledger:
        store, layout = ledger.store, ledger.layout
        assert await store.put_once(layout.key("inbox", "x.jsonl"), json.dumps(line).encode())
        (row,) = (await look(api, archive)).files
        assert row.state == "refused"
        assert row.moved_to is not None
        reason = await store.get(f"{row.moved_to}.reason.txt")
        assert reason is not None
        assert "could not be reached" in reason.data.decode()
        assert not {"private", "HTTP", "port", "resolve"} & set(reason.data.decode().split())
        assert (await look(api, archive)).files == ()
    assert api.charges == 0


async def test_a_file_that_always_breaks_the_look_is_refused_in_the_end(
    api: Any, archive: VideoArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not known to pass is tried so often, and no more; the others are made meanwhile."""

    def broken(*_: Any, **__: Any) -> Any:
        raise ExceptionGroup("two", [ValueError("\x1b[31mred"), OSError(5, "broken", "/srv/secret")])

    monkeypatch.setattr(inbox_flow, "read_film_or_order", broken)
    async with archive.open() as ledger:
        store, layout = ledger.store, ledger.layout
        assert await store.put_once(layout.key("inbox", "x.jsonl"), b"{}")
        states = []
        for _ in range(MOST_TRIES):
            (row,) = (await look(api, archive)).files
            states.append(row.state)
            assert "\x1b" not in row.message
            assert "srv" not in str(await texts(ledger)), "files of this machine are not named in the bucket"
        assert states == ["kept"] * (MOST_TRIES - 1) + ["refused"]
        assert (await look(api, archive)).files == ()
        left = [
            found.key.removeprefix(layout.key("inbox", ""))
            for found in await store.list(layout.key("inbox", ""))
        ]
        assert sorted(key.split("/")[0] for key in left) == ["refused", "refused"]


async def test_a_file_that_is_too_large_is_told_once(
    api: Any, archive: VideoArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_flow, "LARGEST", 3)
    async with archive.open() as ledger:
        assert await ledger.store.put_once(ledger.layout.key("inbox", "x.jsonl"), b"{}  ")
        (row,) = (await look(api, archive)).files
        assert row.state == "refused"
        assert (await look(api, archive)).files == ()


async def test_a_file_is_kept_while_the_archive_or_the_account_is_the_trouble(
    api: Any, archive: VideoArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: Any, **__: Any) -> Any:
        return AccountRefused("The key is not valid.", status=401)

    monkeypatch.setattr(inbox_flow, "_make", refused)
    async with archive.open() as ledger:
        line = json.dumps({**LINE, "prompt": "a fox"}).encode()
        assert await ledger.store.put_once(ledger.layout.key("inbox", "x.jsonl"), line)
        for _ in range(MOST_TRIES + 2):
            (row,) = (await look(api, archive)).files
            assert row.state == "kept"
        # Not for ever, though.
        monkeypatch.setattr(inbox_flow, "_LONGEST_WAIT", timedelta(seconds=-60))
        (row,) = (await look(api, archive)).files
        assert row.state == "refused"
        assert "key is not valid. It has waited" in row.message


async def full_disk(*_: Any, **__: Any) -> Any:
    return OSError(errno.ENOSPC, "No space left on device")


async def test_a_file_is_kept_while_the_disk_of_the_machine_is_full(
    api: Any, archive: VideoArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step it stops: none of them says anything about the file."""
    monkeypatch.setattr(inbox_flow, "MOST_TRIES", FEW)
    monkeypatch.setattr(inbox_flow, "_make", full_disk)
    async with archive.open() as ledger:
        line = json.dumps({**LINE, "prompt": "a fox"}).encode()
        assert await ledger.store.put_once(ledger.layout.key("inbox", "x.jsonl"), line)
        for _ in range(FEW + 1):
            (row,) = (await look(api, archive)).files
            assert row.state == "kept"
        assert await texts(ledger, "tried") == {}


async def test_a_paid_film_waits_for_room_and_for_the_archive(
    start_api: Any, archive: VideoArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its shots are there, and neither a full disk nor an archive that is away refuses it, however often."""
    api = start_api(model_rules=False)
    monkeypatch.setattr(inbox_flow, "MOST_TRIES", FEW)

    async def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("The archive does not answer.")

    def usage(folder: Any) -> Any:
        return SimpleNamespace(free=1200 if "together-video-film-" in str(folder) else 10**12)

    async with archive.open() as ledger:
        assert await ledger.store.put_once(ledger.layout.key("inbox", "owls.json"), FILM)
        for _ in range(FEW + 1):
            with monkeypatch.context() as patch:
                patch.setattr(shutil, "disk_usage", usage)
                (row,) = (await look(api, archive)).files
            assert row.state == "kept"
            assert "disk for temporary files has 1.2 kB left" in row.message
        for _ in range(FEW + 1):
            with monkeypatch.context() as patch:
                patch.setattr(film_ending, "fetch_clips", away)
                (row,) = (await look(api, archive)).files
            assert (row.state, "does not answer" in row.message) == ("kept", True)
        assert await texts(ledger, "tried") == {}
        (row,) = (await look(api, archive)).files
        assert row.state == "done"
    assert api.charges == 2


async def test_a_film_that_fails_in_another_way_is_refused_in_the_end(
    start_api: Any, place: VideoArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its marks go with it, so that the same file can be dropped again and gets as many tries as before. What lies in
    the bucket names no folder of this machine."""
    api = start_api(model_rules=False)
    monkeypatch.setattr(inbox_flow, "MOST_TRIES", FEW)
    if place.folder is not None:
        (tmp_path / "films").mkdir()
    path = Path(tempfile.gettempdir()) / "together-video-film-a1b2" / "film.mp4"

    async def broken(*_: Any, **__: Any) -> Any:
        raise FilmError(f"The film cannot be written to {path}: Input/output error.")

    async def looks(count: int) -> list[str]:
        with monkeypatch.context() as patch:
            patch.setattr(film_ending, "_joined", broken)
            return [(await look(api, place)).files[0].state for _ in range(count)]

    async with place.open() as ledger:
        key = ledger.layout.key("inbox", "owls.json")
        assert await ledger.store.put_once(key, FILM)
        assert await looks(FEW - 1) == ["kept"] * (FEW - 1)
        marks = await texts(ledger, "tried")
        assert len(marks) == FEW - 1
        assert set(marks.values()) == {
            "The film cannot be written to a temporary folder: Input/output error."
        }
        (row,) = (await look(api, place)).files
        assert row.state == "done"
        assert await texts(ledger, "tried") == {}
        assert await ledger.store.put_once(key, FILM)
        assert await looks(FEW) == ["kept"] * (FEW - 1) + ["refused"]
        assert await texts(ledger, "tried") == {}
        (reason,) = [
            text for name, text in (await texts(ledger, "refused")).items() if name.endswith("reason.txt")
        ]
        assert "written to a temporary folder: Input" in reason
    assert api.charges == 2


@pytest.mark.parametrize("end", ["refused", "given up"])
async def test_a_file_that_is_refused_takes_its_marks_along(
    api: Any, archive: VideoArchive, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Also where it is refused for another reason than the errors that were counted."""
    error: Exception = VideoError("It broke.")

    async def made(*_: Any, **__: Any) -> Any:
        return error

    monkeypatch.setattr(inbox_flow, "_make", made)
    async with archive.open() as ledger:
        line = json.dumps({**LINE, "prompt": "a fox"}).encode()
        assert await ledger.store.put_once(ledger.layout.key("inbox", "x.jsonl"), line)
        await look(api, archive)
        assert len(await texts(ledger, "tried")) == 1
        if end == "refused":
            error = InputError("It cannot work.")
        else:
            monkeypatch.setattr(inbox_flow, "_LONGEST_WAIT", timedelta(seconds=-60))
        (row,) = (await look(api, archive)).files
        assert row.state == "refused"
        assert await texts(ledger, "tried") == {}


async def test_a_file_at_which_the_machine_ends_is_not_read_for_ever(
    api: Any, archive: VideoArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of memory, say: no error is seen, and the marks of the attempts are all that is left of them."""

    class Ended(BaseException):
        pass

    def end(*_: Any, **__: Any) -> Any:
        raise Ended

    read = inbox_flow.read_film_or_order
    async with archive.open() as ledger:
        line = json.dumps({**LINE, "prompt": "a fox"}).encode()
        assert await ledger.store.put_once(ledger.layout.key("inbox", "x.jsonl"), line)
        monkeypatch.setattr(inbox_flow, "read_film_or_order", end)
        for _ in range(MOST_TRIES):
            with pytest.raises(Ended):
                await watch_inbox.fn(together=api.credentials(), archive=archive)
        monkeypatch.setattr(inbox_flow, "read_film_or_order", read)
        (row,) = (await look(api, archive)).files
        assert (row.state, "did not finish" in row.message) == ("refused", True)
        left = [found.key for found in await ledger.store.list(ledger.layout.key("inbox", "tried", ""))]
        assert left == []
    assert api.charges == 0


async def test_a_name_that_is_no_text_stops_no_other_file(api: Any, tmp_path: Path) -> None:
    films = tmp_path / "films"
    (films / "inbox").mkdir(parents=True)
    (films / "inbox" / os.fsdecode(b"aa\xff.csv")).write_bytes(b"sedd\n1\n")
    (films / "inbox" / "good.jsonl").write_text(json.dumps({**LINE, "prompt": "a fox"}))
    (row,) = (await look(api, VideoArchive(folder=str(films)))).files
    assert (row.name, row.state) == ("good.jsonl", "done")


async def test_a_storyboard_is_a_film(start_api: Any, place: VideoArchive, tmp_path: Path) -> None:
    """In YAML and in JSON; one that cannot work, names a file of the machine or costs too much is refused with the
    reason, and nothing of it is bought. A shot that failed is not a reason to make the rest again and again."""
    api = start_api(model_rules=False)
    if place.folder is not None:
        (tmp_path / "films").mkdir()
    film = {"title": "Owls", "defaults": LINE, "shots": ["an owl", "a second owl"]}
    away = {**film, "shots": ["a fox", {"prompt": "its den", "from": "/etc/hostname"}]}
    sound = {**film, "cut": {"music": "/etc/hostname"}}
    dear = {**film, "shots": [f"owl {number}" for number in range(60)]}
    files = {
        "owls.yaml": b"title: Foxes\ndefaults: {model: pixverse/pixverse-v5, width: 64, height: 48, seconds: 1, fps: 8}"
        b"\nshots: [a fox, {prompt: a den, continue: true}]\n",
        "owls.json": json.dumps(film).encode(),
        "bad.yml": b"title: Foxes\nshots:\n- promt: a fox\n",
        "away.json": json.dumps(away).encode(),
        "sound.json": json.dumps(sound).encode(),
        "dear.json": json.dumps(dear).encode(),
    }
    async with place.open() as ledger:
        for name, data in files.items():
            assert await ledger.store.put_once(ledger.layout.key("inbox", name), data)
        report = await look(api, place, limit_usd=5)
        rows = {row.name: row for row in report.files}
        assert {name: row.state for name, row in rows.items()} == {
            name: "done" if name.startswith("owls") else "refused" for name in files
        }
        assert api.charges == 4
        assert "the film was joined" in rows["owls.yaml"].message
        assert "promt" in rows["bad.yml"].message
        assert "may cost" in rows["dear.json"].message
        for name in ("away.json", "sound.json"):
            assert "hostname" not in rows[name].message.replace("/etc/hostname", ""), "what is on the machine"
        api.faults({"on": "create", "kind": "job_failed", "match": "harbour", "message": "too dark"})
        chain = {
            "title": "Harbour",
            "defaults": LINE,
            "shots": ["a harbour", {"prompt": "a boat", "continue": True}],
        }
        assert await ledger.store.put_once(
            ledger.layout.key("inbox", "chain.json"), json.dumps(chain).encode()
        )
        (row,) = (await look(api, place)).files
        assert row.state == "done"
        assert "no film" in row.message
        assert (await look(api, place)).files == ()
