"""Media on the command line: the options, the check, and every example of their page."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from prefect_together_video.flows.cli.media_options import MEDIA_OPTIONS, with_media_options
from prefect_together_video.flows.cli.options import RequestOptions
from together_video.catalogue import Catalogue
from together_video.errors import InputError

PAGE = Path(__file__).parents[3] / "docs/media.md"
SMALL = ("--width", "64", "--height", "48", "--seconds", "1", "--fps", "8")
#: A file of each kind, which the names on the page stand for.
STAND_INS = {
    ".jpg": "blue.jpg",
    ".png": "red.png",
    ".mp4": "clip.mp4",
    ".wav": "voice.wav",
    ".mp3": "song.mp3",
}


def section() -> str:
    return PAGE.read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    (block,) = re.findall(r"```bash\n(.*?)```", section(), re.S)
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("together-video")]


@pytest.fixture
def page_folder(media_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: all files that the examples name."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("day.jpg", "night.jpg", "walk.mp4", "dancer.mp4", "singer.png", "song.mp3", "voice.wav"):
        shutil.copy(media_folder / STAND_INS[Path(name).suffix], folder / name)
    shutil.copy(media_folder / "blue.jpg", media_folder / "cat.jpg")
    monkeypatch.chdir(folder)
    return folder


#: The one field that no model on offer takes.
EDIT = shlex.split(
    "together-video generate 'paint it' --model Wan-AI/wan2.7-videoedit --source-video s3://my-videos/inbox/walk.mp4"
)


@pytest.mark.parametrize("words", [*commands(), EDIT], ids=" ".join)
def test_each_example_of_the_page(
    command: Callable[..., Any],
    surroundings: dict[str, Any],
    page_folder: Path,
    media_server: str,
    moto_url: str,
    words: list[str],
) -> None:
    """The command makes its video, with files, an address and an object in place of the page's."""
    bucket = surroundings["VIDEO_ARCHIVE_BUCKET"]
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=moto_url, **keys)
    client.upload_file(str(page_folder / "walk.mp4"), bucket, "inbox/walk.mp4")
    client.close()
    given = [
        word.replace("https://example.com", media_server).replace("s3://my-videos", f"s3://{bucket}")
        for word in words[1:]
    ]
    done = command(*given, *SMALL, "--poll-interval", "0.1", "--json", **surroundings)
    assert done.code == 0, done.err
    (video,) = json.loads(done.out)["videos"]
    assert (video["state"], video["model"]) == ("archived", words[words.index("--model") + 1])


def test_the_examples_show_each_kind() -> None:
    """The page has an example for every option that names media, but for what no model on offer takes."""
    said = {word for words in commands() for word in words}
    untaken = {"source_video"}
    for model in Catalogue.load().models:
        untaken -= set(model.media.accepted or ()) if model.offered else set()
    assert {f"--{name.replace('_', '-')}" for name in MEDIA_OPTIONS} - said == {
        f"--{name.replace('_', '-')}" for name in untaken
    }


def test_the_file_of_requests_of_the_page(
    command: Callable[..., Any], surroundings: dict[str, Any], page_folder: Path
) -> None:
    """The lines of the page pass the check, which stores and sends nothing, and make their videos."""
    (lines,) = re.findall(r"```jsonl\n(.*?)```", section(), re.S)
    small = {"width": 64, "height": 48, "seconds": "1", "fps": 8}
    (page_folder / "requests.jsonl").write_text(
        "\n".join(json.dumps({**json.loads(line), **small}) for line in lines.splitlines())
    )
    checked = command("check", "requests.jsonl")
    assert checked.code == 0, checked.out + checked.err
    done = command("batch", "requests.jsonl", "--poll-interval", "0.1", "--json", **surroundings)
    assert done.code == 0, done.err
    assert [video["state"] for video in json.loads(done.out)["videos"]] == ["archived", "archived"]


def test_check_looks_at_local_media(command: Callable[..., Any], media_folder: Path) -> None:
    """A picture that is missing or none is found with its line, without any key or bucket."""
    lines = [
        {"prompt": "a", "model": "pixverse/pixverse-v5", "media": {"reference_images": ["red.png"]}},
        {"prompt": "b", "model": "pixverse/pixverse-v5", "media": {"reference_images": ["song.mp3"]}},
        {"prompt": "c", "model": "pixverse/pixverse-v5", "media": {"reference_images": ["s3://b/a.png"]}},
    ]
    path = media_folder / "requests.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    found = command("check", str(path))
    assert found.code == 2
    assert "line 2: error media.reference_images[0]: " in found.out
    assert "is not an image" in found.out
    assert "line 1: error media" not in found.out
    batch = command("batch", str(path))
    assert batch.code == 2
    assert "line 2: " in batch.err


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("a.png", {"input_image": "a.png"}),
        ("a.png@last", {"input_image": "a.png", "frame": "last"}),
        ("a.png@48", {"input_image": "a.png", "frame": "48"}),
        ("photo@2x.png", {"input_image": "photo@2x.png"}),
        ("https://me@host/@user/a.png", {"input_image": "https://me@host/@user/a.png"}),
        ("https://host/@7@first", {"input_image": "https://host/@7", "frame": "first"}),
        ("a.png@middle", {"input_image": "a.png@middle"}),
        ("@last", {"input_image": "@last"}),
    ],
)
def test_only_the_end_of_a_keyframe_names_its_place(text: str, entry: dict[str, str]) -> None:
    """An @ inside of an address or a name means nothing."""
    assert with_media_options({"frame_images": [text]}) == {"media": {"frame_images": [entry]}}


def test_options_and_the_media_object() -> None:
    """Each option becomes its field in the API's shape, beside --media; the same field twice is refused."""
    options = RequestOptions(
        frame_videos=["a.mp4"],
        reference_videos=["b.mp4"],
        reference_audios=["c.wav"],
        source_video="d.mp4",
        audio_inputs=["e.mp3"],
        media='{"reference_images": ["f.png"]}',
    )
    assert options.request_fields()["media"] == {
        "reference_images": ["f.png"],
        "frame_videos": [{"video": "a.mp4"}],
        "reference_videos": [{"video": "b.mp4"}],
        "reference_audios": ["c.wav"],
        "source_video": "d.mp4",
        "audio_inputs": ["e.mp3"],
    }
    with pytest.raises(InputError, match="by --source-video and in --media"):
        RequestOptions(source_video="a.mp4", media='{"source_video": "b.mp4"}').request_fields()
