"""Frames of the demo's film as one picture: `docs/screenshots/film.png`. It needs no browser."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
from PIL import Image

#: The frames that are shown, in seconds of the film; frames in a row; pixels of a frame and between two frames.
MOMENTS = (1.4, 3.4, 7.0, 10.2, 12.0, 14.0)
ACROSS = 3
FRAME = (320, 180)
GAP = 6


def film_picture(folder: Path) -> Image.Image:
    """Make the film of the demo in `folder`, and lay out some of its frames."""
    program = Path(sys.executable).with_name("together-video")
    words = [program, "demo", "--film", "--json", "--folder", folder]
    said = subprocess.run(words, check=True, capture_output=True).stdout  # noqa: S603
    key = json.loads(said)["film"]["key"]
    return sheet(frames_at(folder / "film" / key.rpartition("/")[2], MOMENTS))


def frames_at(file: Path, moments: tuple[float, ...]) -> list[Image.Image]:
    """The first frame at or after each of these moments, which must be in order."""
    wanted, found = list(moments), []
    with av.open(str(file)) as container:
        for frame in container.decode(video=0):
            if wanted and frame.time is not None and frame.time >= wanted[0]:
                found.append(frame.to_image().resize(FRAME, Image.Resampling.LANCZOS))
                wanted.pop(0)
    return found


def sheet(frames: list[Image.Image]) -> Image.Image:
    """The frames side by side, in rows."""
    rows = -(-len(frames) // ACROSS)
    size = (ACROSS * (FRAME[0] + GAP) - GAP, rows * (FRAME[1] + GAP) - GAP)
    picture = Image.new("RGB", size, "white")
    for number, frame in enumerate(frames):
        down, across = divmod(number, ACROSS)
        picture.paste(frame, (across * (FRAME[0] + GAP), down * (FRAME[1] + GAP)))
    return picture
