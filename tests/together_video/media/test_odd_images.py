"""Images as cameras, phones and web pages make them: taken, taken with a note, or refused with what converts them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from together_video.errors import MediaRefused
from together_video.media.files import MediaFile, inspect_bytes, inspect_file
from together_video.media.sources import MediaKind

DATA = Path(__file__).parents[2] / "data"


def picture(mode: str = "RGB") -> Image.Image:
    return Image.linear_gradient("L").resize((64, 48)).convert(mode)


def written(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def taken(data: bytes) -> MediaFile:
    return inspect_bytes(data, "photo", MediaKind.IMAGE)


def turned(value: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return written(picture(), "JPEG", exif=exif)


def test_a_cameras_file_of_several_pictures_is_a_jpeg() -> None:
    """A JPEG with a preview behind it (Multi-Picture Format): what is sent is the file as it is."""
    found = inspect_file(DATA / "phone.jpg", MediaKind.IMAGE)
    assert (found.content_type, found.reference.rpartition(".")[2]) == ("image/jpeg", "jpg")
    assert found.size == (DATA / "phone.jpg").stat().st_size
    two = written(picture(), "MPO", save_all=True, append_images=[picture("L")])
    assert taken(two).content_type == "image/jpeg"


@pytest.mark.parametrize("value", range(2, 9))
def test_a_picture_that_is_turned_by_a_note_is_pointed_out(value: int) -> None:
    """Each orientation of EXIF but the upright one."""
    (note,) = taken(turned(value)).notes
    assert "EXIF orientation" in note
    assert "magick FILE -auto-orient photo.jpg" in note


@pytest.mark.parametrize("value", [0, 1])
def test_an_upright_picture_gives_no_note(value: int) -> None:
    """With and without the note in it."""
    assert taken(turned(value)).notes == ()
    assert taken(written(picture(), "JPEG")).notes == ()


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (written(picture("L"), "JPEG"), "image/jpeg"),
        (written(picture(), "JPEG", progressive=True), "image/jpeg"),
        (written(picture("I;16"), "PNG"), "image/png"),
        (written(picture("RGBA"), "PNG"), "image/png"),
        (written(picture("P"), "PNG"), "image/png"),
        (written(picture("1"), "PNG"), "image/png"),
        (written(picture("LA"), "PNG"), "image/png"),
        (written(picture("RGBA"), "WEBP", lossless=True), "image/webp"),
    ],
)
def test_every_kind_of_pixels_is_taken(data: bytes, content_type: str) -> None:
    """Grey, 16 bits, transparent, with a palette, progressive."""
    assert (taken(data).content_type, taken(data).notes) == (content_type, ())


def test_colours_of_print_are_pointed_out() -> None:
    """A CMYK JPEG is taken, and the note says how to change it."""
    (note,) = taken(written(picture("CMYK"), "JPEG")).notes
    assert "magick FILE -colorspace sRGB photo.jpg" in note


@pytest.mark.parametrize("form", ["WEBP", "PNG"])
def test_an_animation_is_no_image(form: str) -> None:
    """With the command that takes its first picture."""
    frames = [picture(), picture().rotate(90), picture().rotate(180)]
    data = written(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(MediaRefused, match=r"an animation of 3 pictures.*magick 'FILE\[0\]' photo.png"):
        taken(data)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC image"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a HEIF image"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "an AVIF image"),
        (written(picture(), "GIF"), "a GIF image"),
        (written(picture(), "TIFF"), "a TIFF image"),
        (written(picture(), "BMP"), "a BMP image"),
        (written(picture(), "ICO"), "an ICO image"),
    ],
)
def test_another_format_is_refused_with_what_converts_it(data: bytes, named: str) -> None:
    """The one command, whatever the format; nothing has to be installed to know it."""
    with pytest.raises(MediaRefused, match=r"convert it with magick FILE photo\.jpg") as caught:
        taken(data + bytes(200))
    assert named in caught.value.message
