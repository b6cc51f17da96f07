"""What the texts under `media` are, and the walk over them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from together_video.errors import InputError
from together_video.media.sources import (
    MediaForm,
    anchored,
    anchored_fields,
    form_of,
    inline_bytes,
    media_texts,
    path_of,
    with_media,
)
from together_video.requests import VideoRequest

HANDLE = "aac49721-1964-481a-ae78-8a4e29b91402"
EVERYTHING = {
    "frame_images": [{"input_image": "a.png", "frame": "last"}],
    "frame_videos": [{"video": "b.mp4"}],
    "reference_images": ["https://x/c.png", "d.png"],
    "reference_videos": [{"video": "e.mp4"}],
    "reference_audios": ["f.wav"],
    "source_video": {"video": "g.mp4"},
    "audio_inputs": ["h.mp3", {"audio": "i.mp3"}],
}


def request(**media: object) -> VideoRequest:
    return VideoRequest.model_validate({"model": "m", "prompt": "p", "media": media})


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("https://x/a.png", MediaForm.LINK),
        ("HTTP://x/a.png", MediaForm.LINK),
        ("data:image/png;base64,AAAA", MediaForm.INLINE),
        ("/9j/4AAQSkZJRgABAQ", MediaForm.INLINE),
        ("iVBORw0KGgoAAAANSUhEUg", MediaForm.INLINE),
        ("s3://bucket/a.png", MediaForm.S3),
        (f"archive:media/{'0' * 64}.png", MediaForm.REFERENCE),
        (HANDLE, MediaForm.HANDLE),
        ("photo.jpg", MediaForm.FILE),
        ("./a/b.png", MediaForm.FILE),
        ("/home/me/photo.jpg", MediaForm.FILE),
        ("file:///home/me/photo.jpg", MediaForm.FILE),
        ("AAAA.mp4", MediaForm.FILE),
        ("httpfoo", MediaForm.FILE),
    ],
)
def test_each_form_is_told_from_the_others(text: str, form: MediaForm) -> None:
    """Addresses, inline content, references, handles and paths are told apart by the text alone."""
    assert form_of(text) is form


def test_every_text_of_every_field_is_found_and_changed() -> None:
    """The walk finds all texts with their places, and a change leaves everything else as it was."""
    asked = request(**EVERYTHING)
    places = {place: text for place, _, text in media_texts(asked)}
    assert sorted(places.values()) == [
        "a.png",
        "b.mp4",
        "d.png",
        "e.mp4",
        "f.wav",
        "g.mp4",
        "h.mp3",
        "https://x/c.png",
        "i.mp3",
    ]
    assert places["media.source_video"] == "g.mp4"
    assert places["media.audio_inputs[1]"] == "i.mp3"
    changed = with_media(asked, lambda kind, text: f"{kind}/{text}").payload()["media"]
    assert changed["frame_images"] == [{"input_image": "image/a.png", "frame": "last"}]
    assert changed["source_video"] == {"video": "video/g.mp4"}
    assert changed["audio_inputs"] == ["audio/h.mp3", {"audio": "audio/i.mp3"}]
    assert with_media(asked, lambda _, text: text) == asked


def test_relative_paths_begin_at_their_folder() -> None:
    """Only paths are anchored, absolute ones and file: addresses stay, and ~ is the user's home."""
    folder = Path("/data/batch")
    media = request(reference_images=["a.png", "/b.png", "file:///c.png", "~/d.png", "https://x/e", HANDLE])
    found = anchored(media, folder).payload()["media"]["reference_images"]
    assert found == [
        "/data/batch/a.png",
        "/b.png",
        "file:///c.png",
        str(Path.home() / "d.png"),
        "https://x/e",
        HANDLE,
    ]


def test_fields_are_anchored_in_either_spelling() -> None:
    """Defaults are anchored before they are a request: older spelling, media object, bare and wrong values."""
    fields = {
        "prompt": "a.png",
        "frame_images": [{"input_image": "a.png", "frame": 0}],
        "media": {"source_video": "b.mp4"},
    }
    found = anchored_fields(fields, Path("/f"))
    assert found == {
        "prompt": "a.png",
        "frame_images": [{"input_image": "/f/a.png", "frame": 0}],
        "media": {"source_video": "/f/b.mp4"},
    }
    assert anchored_fields({"reference_images": 5, "media": "x"}, Path("/f")) == {
        "reference_images": 5,
        "media": "x",
    }


def test_inline_content_is_decoded_or_refused() -> None:
    """Data URLs and bare base64, with line breaks too; anything else is a clear sentence."""
    text = base64.encodebytes(b"picture" * 20).decode()
    assert inline_bytes(f"data:image/png;base64,{text}") == inline_bytes(text) == b"picture" * 20
    for bad in ("data:image/png,plain", "data:nothing", "iVBOR!"):
        with pytest.raises(InputError, match="base64"):
            inline_bytes(bad)


def test_file_addresses_name_this_machine() -> None:
    """file:/// and file://localhost/ are paths with their escapes resolved; another host is refused."""
    assert path_of("file:///a%20b.png") == path_of("file://localhost/a%20b.png") == Path("/a b.png")
    with pytest.raises(InputError, match="on this machine"):
        path_of("file://elsewhere/a.png")
