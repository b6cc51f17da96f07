"""Music and narration of films: where they may come from, and what is said before anything is bought."""

from __future__ import annotations

import base64
import random
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.engine.film_run import make_film
from prefect_together_video.flows.reporting.results import Ending
from tests.flows.engine.test_film_run import Film, board, fetched, film
from tests.together_video.joining.test_sound import loudness, samples, wave
from together_video.catalogue.findings import Level
from together_video.film.media_checks import with_media_checked
from together_video.film.plan import FilmPlan
from together_video.joining.sound_checks import check_sound

__all__ = ["film"]
pytestmark = pytest.mark.anyio

SHOTS = ({"prompt": "a harbour at dawn", "audio": "mute"}, {"prompt": "a boat leaves", "audio": "mute"})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server of files on this machine, which the operator trusts; `asked` are the paths that were asked for."""
    folder = tmp_path / "site"
    folder.mkdir()
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, *_: Any) -> None:
            asked.append(self.path)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.folder, server.asked = folder, asked  # type: ignore[attr-defined]
    server.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    monkeypatch.setenv("TOGETHER_VIDEO_TRUSTED_HOSTS", f"127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


async def ending_of(
    film: Film, story: Any, archive: VideoArchive, poll: Any, *, local_files: bool = True
) -> Ending:
    """Of a film that is refused."""
    return await make_film(
        story,
        edition="once",
        in_flight=2,
        poll=poll,
        budget_usd=None,
        price_usd=None,
        retry_failed=False,
        attempts=1,
        new_seed=False,
        fallback_models=None,
        on_ambiguous="hold",
        strict=False,
        local_files=local_files,
        together=film.api.credentials(),  # type: ignore[attr-defined]
        archive=archive,
    )


async def test_music_and_narration_by_links(
    film: Film, archive: VideoArchive, site: Any, tmp_path: Path
) -> None:
    """Each is downloaded once in a run and heard in its place; another content under the same link is another film."""
    wave(site.folder / "tune.wav", 3, 500)
    wave(site.folder / "said.wav", 0.5, 900, peak=20_000)
    told = {"own": "mute", "narration": f"{site.url}/said.wav"}
    story = board(
        SHOTS[0],
        {**SHOTS[1], "audio": told},
        cut={"music": {"file": f"{site.url}/tune.wav?key=5ecret", "fade": 0}},
    )
    first = (await film(story)).film
    assert sorted(site.asked) == ["/said.wav", "/tune.wav?key=5ecret"]
    heard = samples(await fetched(archive, first.key, tmp_path / "film.mp4"))
    assert loudness(heard, 0.2, 0.9) > 0.02
    assert loudness(heard, 1.1, 1.4) > 3 * loudness(heard, 0.2, 0.9)
    assert (await film(story)).film.id == first.id
    wave(site.folder / "tune.wav", 3, 700)
    assert (await film(story)).film.id != first.id
    assert film.api.posts == 2


async def test_music_from_a_bucket(film: Film, archive: VideoArchive, tmp_path: Path) -> None:
    """By its s3:// address."""
    tune = wave(tmp_path / "tune.wav", 3, 500)
    async with archive.open() as ledger:
        assert await ledger.store.put_once("inbox/tune.wav", tune.read_bytes(), "audio/wav")
        address = f"s3://{ledger.place.bucket}/inbox/tune.wav"
    made = (await film(board(*SHOTS, cut={"music": address}))).film
    with av.open(str(await fetched(archive, made.key, tmp_path / "film.mp4"))) as opened:
        assert opened.streams.audio


@pytest.mark.parametrize(
    ("link", "local_files", "words"),
    [
        ("{site}/gone.mp3?key=5ecret", True, "cut.music: {site}/gone.mp3?… answers with HTTP 404."),
        (
            "{site}/page.html",
            True,
            "cut.music: the file is not a sound file: use MP3, WAV, FLAC, OGG, M4A or AAC",
        ),
        ("https://169.254.169.254/latest", True, "cut.music: https://169.254.169.254/latest is not called: "),
        (
            "https://169.254.169.254/latest",
            False,
            "cut.music: https://169.254.169.254/latest cannot be downloaded.",
        ),
        ("http://cdn.example.com/a.mp3", True, "is called over plain http, and links are https"),
    ],
)
async def test_a_link_that_cannot_be_used_buys_nothing(
    film: Film, archive: VideoArchive, poll: Any, site: Any, link: str, local_files: bool, words: str
) -> None:
    """It is named with its place, without its secrets; strangers learn nothing of the network."""
    (site.folder / "page.html").write_text("<html>" * 10)
    story = board(*SHOTS, cut={"music": link.replace("{site}", site.url)})
    ending = await ending_of(film, story, archive, poll, local_files=local_files)
    assert words.replace("{site}", site.url) in ending.message
    assert "5ecret" not in ending.message
    assert film.api.posts == 0


def tune(path: Path, seconds: float = 1.5) -> Path:
    """Sound in the format that the ending of the path names."""
    codec = {".wav": "pcm_s16le", ".mp3": "mp3", ".flac": "flac", ".ogg": "libopus", ".m4a": "aac"}[
        path.suffix
    ]
    said = wave(path.with_suffix(".source.wav"), seconds, 500, rate=24_000)
    with av.open(str(said)) as source, av.open(str(path), "w") as made:
        stream = made.add_stream(codec, rate=24_000)
        for frame in source.decode(audio=0):
            frame.pts = None
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path


def broken(folder: Path) -> dict[str, str]:
    """Files that begin as sound and hold none, and one inline, by what is wrong with them."""
    rubbish = random.Random(7).randbytes(20_000)
    contents = {
        "tag.mp3": b"ID3\x03\0\0\0\0\0\x0a" + bytes(10) + rubbish,
        "mark.mp3": b"\xff\xfb\x90\0" + rubbish,
        "rubbish.wav": b"RIFF\0\0\0\0WAVE" + rubbish,
        "cut.wav": b"RIFF\0\0\0\0WAVEfmt ",
        "rubbish.flac": b"fLaC" + rubbish,
        "zeros.flac": b"fLaC" + bytes(90),
        "rubbish.ogg": b"OggS" + rubbish,
        "rubbish.m4a": b"\0\0\0\x18ftypM4A " + rubbish,
        "page.flac": b"<html>" * 20,
        "empty.mp3": b"",
        "silent.wav": wave(folder / "none.wav", 0, 500).read_bytes(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    body = tune(folder / "body.flac")
    body.write_bytes(body.read_bytes()[:200] + rubbish)
    with av.open(str(folder / "mute.mp4"), "w") as made:
        stream = made.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for _ in range(8):
            made.mux(stream.encode(av.VideoFrame(96, 64, "yuv420p")))
        made.mux(stream.encode(None))
    files = {name: str(folder / name) for name in (*contents, "body.flac", "mute.mp4")}
    return {**files, "inline": "data:audio/mp3;base64,SUQz"}


def errors_of(story: Any) -> list[str]:
    """What `storyboard --check` says."""
    plan = with_media_checked(FilmPlan.of(story, strict=False))
    return [one.message for _, one in plan.all_findings if one.level is Level.ERROR]


async def test_sound_that_cannot_be_decoded_buys_nothing(
    film: Film, archive: VideoArchive, poll: Any, tmp_path: Path
) -> None:
    """A good beginning does not help: the body counts. The check of a storyboard says the same."""
    for name, text in broken(tmp_path).items():
        story = board(*SHOTS, cut={"music": text})
        ending = await ending_of(film, story, archive, poll)
        assert ending.message.startswith("cut.music: the file "), name
        assert ending.message.count(". ") == 0, name
        (said,) = errors_of(story)
        assert ending.message.partition(" the file ")[2].casefold() == said.casefold(), name
    spoken = {**SHOTS[1], "audio": {"own": "mute", "narration": str(tmp_path / "tag.mp3")}}
    ending = await ending_of(film, board(SHOTS[0], spoken), archive, poll)
    assert ending.message.startswith("shot 2: audio.narration: the file cannot be read as audio")
    assert film.api.posts == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("ending", ["wav", "mp3", "flac", "ogg", "m4a"])
def test_each_kind_of_sound_that_films_take(tmp_path: Path, ending: str) -> None:
    """As a file and inline, however short; FLAC, OGG and M4A too, which requests do not take."""
    for seconds in (0.2, 1.5):
        file = tune(tmp_path / f"tune.{ending}", seconds)
        inline = f"data:audio/{ending};base64,{base64.b64encode(file.read_bytes()).decode()}"
        for text in (str(file), inline):
            assert errors_of(board(*SHOTS, cut={"music": text})) == []
        assert check_sound(file) == file.stat().st_size


async def test_a_short_tune_of_each_kind_is_heard(film: Film, tmp_path: Path) -> None:
    """What passes the check goes into the film."""
    kinds = ("wav", "mp3", "flac", "ogg", "m4a")
    for kind in kinds:
        made = await film(board(*SHOTS, cut={"music": str(tune(tmp_path / f"tune.{kind}"))}))
        assert made.film is not None
    assert film.api.posts == 2  # type: ignore[attr-defined]
