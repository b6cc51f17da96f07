"""Music and narration of films: where they may come from, and what is said before anything is bought."""

from __future__ import annotations

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
from tests.flows.engine.test_film_run import Film, board, fetched, film
from tests.together_video.joining.test_sound import loudness, samples, wave
from together_video.film.media_checks import with_media_checked
from together_video.film.plan import FilmPlan

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
        ("{site}/page.html", True, "cut.music: the file is no sound file: MP3, WAV, FLAC, OGG, M4A and AAC"),
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
    ending = await make_film(
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
        together=film.api.credentials(),
        archive=archive,
    )
    assert words.replace("{site}", site.url) in ending.message
    assert "5ecret" not in ending.message
    assert film.api.posts == 0


async def test_a_check_takes_each_kind_of_sound_that_films_take(tmp_path: Path) -> None:
    """FLAC too, which requests do not take; a text is refused, and so is a damaged WAV."""
    files = {
        "tune.flac": b"fLaC" + bytes(90),
        "page.flac": b"<html>" * 20,
        "cut.wav": b"RIFF\0\0\0\0WAVEfmt ",
    }
    found = {}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        plan = FilmPlan.of(board(*SHOTS, cut={"music": str(tmp_path / name)}), strict=False)
        found[name] = [one.message for one in with_media_checked(plan).findings]
    assert [bool(words) for words in found.values()] == [False, True, True]
