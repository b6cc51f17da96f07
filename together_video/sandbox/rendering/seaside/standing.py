"""A shape in a picture: scaled, leaning, in the light of the hour."""

from __future__ import annotations

import math

from PIL import Image, ImageChops

from together_video.sandbox.rendering.seaside import shapes
from together_video.sandbox.rendering.seaside.colours import Hour, whole
from together_video.sandbox.rendering.seaside.paint import faded, ramp
from together_video.sandbox.rendering.seaside.shapes import Shape


def stand(
    frame: Image.Image,
    shape: Shape,
    part: float,
    foot: tuple[float, float],
    hour: Hour,
    lean: float = 0.0,
) -> None:
    """The shape with its lowest line at `foot`, in the light of the hour, with sub-pixel precision."""
    height = part * frame.height
    scale = shape.colours.height / height
    wide, tall = math.ceil(shape.colours.width / scale) + 4, math.ceil(height) + 4
    left, top = foot[0] - shape.colours.width / scale / 2, foot[1] - height
    x, y = math.floor(left) - 2, math.floor(top) - 2
    cosine, sine = math.cos(lean) * scale, math.sin(lean) * scale
    # It leans around the middle of its foot.
    cx, cy, sx, sy = shape.colours.width / 2, shape.colours.height, foot[0] - x, foot[1] - y
    turned = (cosine, sine, cx - cosine * sx - sine * sy, -sine, cosine, cy + sine * sx - cosine * sy)
    source, hidden, lit = shape.colours, shape.mask, shape.windows
    if scale >= 2:
        factor = int(scale)
        source, hidden, lit = (one.reduce(factor) for one in (source, hidden, lit))
        turned = tuple(value / factor for value in turned)  # type: ignore[assignment]
    colours = source.transform((wide, tall), Image.Transform.AFFINE, turned, Image.Resampling.BILINEAR)
    mask = hidden.transform((wide, tall), Image.Transform.AFFINE, turned, Image.Resampling.BILINEAR)
    tint = Image.new("RGB", (wide, tall), whole((hour.tint[0] * 255, hour.tint[1] * 255, hour.tint[2] * 255)))
    frame.paste(ImageChops.multiply(colours, tint), (x, y), mask)
    if hour.stars > 0.1:
        windows = lit.transform((wide, tall), Image.Transform.AFFINE, turned, Image.Resampling.BILINEAR)
        frame.paste(shapes.GLASS, (x, y), faded(windows, ramp(hour.stars, 0.1, 0.6)))
