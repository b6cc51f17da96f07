"""Files and inline content, looked at before they are sent anywhere."""

from __future__ import annotations

import base64
import hashlib
import os
import wave
from pathlib import Path

import pytest
from PIL import Image

from together_video.errors import MediaRefused
from together_video.inputs.media import take_in
from together_video.media.files import AudioLimits, inspect_bytes, inspect_file
from together_video.media.sources import LARGEST_INLINE, MediaKind
from together_video.requests import VideoRequest

LIMITS = AudioLimits(3, 30, 15_000_000)
IMAGE, VIDEO, AUDIO = MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO


def request(prompt: str = "p", **media: object) -> VideoRequest:
    return VideoRequest.model_validate({"model": "m", "prompt": prompt, "media": media})


@pytest.mark.parametrize(
    ("name", "kind", "ending", "content_type"),
    [
        ("red.png", IMAGE, "png", "image/png"),
        ("blue.jpg", IMAGE, "jpg", "image/jpeg"),
        ("clip.mp4", VIDEO, "mp4", "video/mp4"),
        ("voice.wav", AUDIO, "wav", "audio/wav"),
        ("song.mp3", AUDIO, "mp3", "audio/mpeg"),
    ],
)
def test_what_a_file_is_follows_from_its_content(
    media_folder: Path, name: str, kind: MediaKind, ending: str, content_type: str
) -> None:
    """Type, size and reference come from the bytes: a wrong name changes nothing."""
    content = (media_folder / name).read_bytes()
    misnamed = media_folder / "file.dat"
    misnamed.write_bytes(content)
    found = inspect_file(misnamed, kind, LIMITS if kind is AUDIO else None)
    sha256 = hashlib.sha256(content).hexdigest()
    assert (found.reference, found.sha256, found.size) == (
        f"archive:media/{sha256}.{ending}",
        sha256,
        len(content),
    )
    assert found.content_type == content_type
    assert found == inspect_file(misnamed, kind)
    assert inspect_bytes(content, "inline", kind).reference == found.reference


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("missing.png", IMAGE, "there is no such file on the machine that runs this"),
        ("folder", IMAGE, "is a folder"),
        ("empty.png", IMAGE, "is empty"),
        ("text.jpg", IMAGE, "is not an image, but text: use a JPEG, PNG or WEBP"),
        ("text.jpg", VIDEO, "is not a video, but text: use an MP4"),
        ("text.jpg", AUDIO, "is not an audio file, but text: use a WAV or MP3"),
        ("clip.mp4", IMAGE, "is not an image: use"),
        ("red.png", VIDEO, "is not a video: use"),
        ("picture.gif", IMAGE, "is a GIF image; JPEG, PNG and WEBP"),
        ("cut.png", IMAGE, "is a broken image"),
        ("cut.mp4", VIDEO, "cannot be read as a video|no frame"),
        ("short.wav", AUDIO, "lasts 1.0 s; audio must last 3 to 30 s"),
        ("long.wav", AUDIO, "lasts 31.0 s"),
        ("pipe", IMAGE, "is not a regular file"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    media_folder: Path, name: str, kind: MediaKind, words: str
) -> None:
    """Missing, empty, of another kind, broken, too short or too long: each says what it is."""
    (media_folder / "folder").mkdir()
    (media_folder / "empty.png").touch()
    (media_folder / "text.jpg").write_text("these are only words")
    Image.new("RGB", (9, 9)).save(media_folder / "picture.gif")
    for whole, cut in (("red.png", "cut.png"), ("clip.mp4", "cut.mp4")):
        (media_folder / cut).write_bytes((media_folder / whole).read_bytes()[:-60])
    (media_folder / "cut.mp4").write_bytes((media_folder / "clip.mp4").read_bytes()[:40])
    for seconds, file in ((1, "short.wav"), (31, "long.wav")):
        with wave.open(str(media_folder / file), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(16_000) * seconds)
    os.mkfifo(media_folder / "pipe")
    with pytest.raises(MediaRefused, match=words):
        inspect_file(media_folder / name, kind, LIMITS if kind is AUDIO else None)


def test_size_is_bounded(media_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file above the bound of its kind is refused before it is read, audio by the documents' bound."""
    monkeypatch.setitem(__import__("together_video.media.files", fromlist=["LARGEST"]).LARGEST, IMAGE, 100)
    with pytest.raises(MediaRefused, match="has 0 MB; image files may have at most 0 MB"):
        inspect_file(media_folder / "red.png", IMAGE)
    with pytest.raises(MediaRefused, match="audio may have at most 0 MB"):
        inspect_file(media_folder / "voice.wav", AUDIO, AudioLimits(3, 30, 1000))


def test_a_file_that_changes_is_read_again(media_folder: Path) -> None:
    """What was seen of a path is forgotten once its content is another."""
    first = inspect_file(media_folder / "red.png", IMAGE)
    (media_folder / "red.png").write_bytes((media_folder / "blue.jpg").read_bytes())
    assert inspect_file(media_folder / "red.png", IMAGE).reference != first.reference


def test_requests_come_to_name_content(media_folder: Path) -> None:
    """The same picture under two names, and inline, is the same request; each content is kept once."""
    copy = media_folder / "another name.png"
    copy.write_bytes((media_folder / "red.png").read_bytes())
    intake = take_in([request(reference_images=[str(path)]) for path in (media_folder / "red.png", copy)])
    assert intake.requests[0] == intake.requests[1]
    assert intake.requests[0].fingerprint() == intake.requests[1].fingerprint()
    assert list(intake.files) == [intake.requests[0].payload()["media"]["reference_images"][0]]


def test_small_inline_images_stay_and_large_ones_are_kept(media_folder: Path) -> None:
    """A data URL travels as it is while it is small; a large one, and any audio, becomes a reference."""
    noise = media_folder / "noise.png"
    Image.frombytes("RGB", (200, 200), os.urandom(120_000)).save(noise)
    small, large, sound = (
        base64.b64encode((media_folder / name).read_bytes()).decode()
        for name in ("red.png", "noise.png", "voice.wav")
    )
    assert len(large) > LARGEST_INLINE
    intake = take_in(
        [request(reference_images=[small, large, f"data:image/png;base64,{large}"], audio_inputs=[sound])]
    )
    images = intake.requests[0].payload()["media"]["reference_images"]
    assert images[0] == small
    assert images[1] == images[2] == inspect_file(noise, IMAGE).reference
    assert len(intake.files) == 2
    assert intake.files[images[1]].data == noise.read_bytes()


def test_all_that_is_wrong_is_said_at_once(media_folder: Path) -> None:
    """Each problem with its line and its place; of inline content the content is not repeated."""
    good = request(reference_images=[str(media_folder / "red.png")])
    bad = request(frame_images=[{"input_image": "gone.png"}], audio_inputs=[str(media_folder / "red.png")])
    inline = request(reference_images=["data:image/png;base64,AAAA"])
    with pytest.raises(MediaRefused) as caught:
        take_in([good, bad, inline], names=["line 1", "line 3", "line 4"])
    text = caught.value.message
    assert text.startswith("The media of 2 of 3 requests cannot be used; nothing was sent.")
    assert "line 3: media.frame_images[0]: gone.png: there is no such file" in text
    assert "line 3: media.audio_inputs[0]: " in text
    assert "line 4: media.reference_images[0]: inline content: is not an image" in text
    assert "line 1" not in text
    assert "AAAA" not in text
    with pytest.raises(
        MediaRefused, match=r"^media.source_video: s3://bucket: is not the address of an object"
    ):
        take_in([request(source_video="s3://bucket")])
    with pytest.raises(MediaRefused, match="is not a reference to media"):
        take_in([request(source_video="archive:../records/x.json")])


def test_addresses_of_objects_wait_until_they_are_fetched(media_folder: Path) -> None:
    """s3:// addresses are listed once and stay; with a copy at hand they become references."""
    asked = [request(source_video="s3://b/clip.mp4"), request("q", source_video="s3://b/clip.mp4")]
    first = take_in(asked)
    assert (first.elsewhere, first.requests) == (("s3://b/clip.mp4",), asked)
    second = take_in(asked, fetched={"s3://b/clip.mp4": media_folder / "clip.mp4"})
    assert second.elsewhere == ()
    assert second.requests[0].payload()["media"]["source_video"].startswith("archive:media/")
