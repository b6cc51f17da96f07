"""The picture of a rendered clip: the prompt in large letters, over colours derived from it.

It is drawn directly into the planes of the video format (Y, Cb, Cr, the latter two often at half the size). Static
parts are drawn once. A frame then costs two copies, and repainting the few boxes with drifting lights, the growing line
and the time.
"""

from __future__ import annotations

import colorsys
import hashlib
import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

from together_video.media.lettering import fit, font_for, shorten
from together_video.sandbox.rendering.clip import Clip, Still
from together_video.sandbox.rendering.keyframes import Keyframes
from together_video.sandbox.rendering.planes import Colour, Planes, image_of, planes_of, rgb_of, video_colour

#: Hues in degrees that stay clear when they are dark. Yellow and nearby greens turn muddy.
_HUES = (0, 12, 24, 152, 164, 176, 188, 200, 212, 224, 238, 252, 266, 282, 300, 318, 336, 348)
_PAPER = (250, 249, 246)


@dataclass(frozen=True)
class _Light:
    colour: Colour
    masks: Planes
    size: int
    speed: float
    phase: float


class Picture:
    """Draws the frames of one clip. Not to be shared between threads.

    Args:
        halved: whether the colour planes have half the width and height (4:2:0).
    """

    def __init__(self, clip: Clip, *, halved: bool) -> None:
        self.clip = clip
        self._step = 2 if halved else 1
        words = clip.prompt.encode("utf-8", "replace")
        self._hue = _HUES[hashlib.sha256(words).digest()[0] % len(_HUES)] / 360
        # The same prompt keeps its colours. Another seed arranges them differently.
        self._random = random.Random(hashlib.sha256(words + b"%d" % clip.seed).digest())  # noqa: S311
        self._unit = min(clip.width, clip.height) / 100
        self._margin = self._even(7 * self._unit)
        self._clock_font = font_for("0", max(9, round(4.2 * self._unit)))
        background = self._background()
        self._bare = self._planes(background)
        letters = self._letters()
        shade = letters.filter(ImageFilter.GaussianBlur(max(0.6, 0.9 * self._unit)))
        self._letter_masks = self._masks(letters)
        self._shade_masks = self._masks(shade.point([round(value * 0.55) for value in range(256)]))
        luma, blue, red = (
            self._lettered(plane, (0, 0, *plane.size), index) for index, plane in enumerate(self._bare)
        )
        self._still: Planes = (luma, blue, red)
        self._lights = [
            self._light(turn, size, speed, index)
            for index, (turn, size, speed) in enumerate(((0.09, 52, 6.0), (-0.07, 38, -8.5), (0.2, 26, 4.5)))
        ]
        self._keyframes = Keyframes(clip, self._step, clip.frames // 3)
        self._insets = [self._framed(still, number) for number, still in enumerate(clip.insets)]

    def frame(self, number: int) -> Planes:
        """The planes of one frame, counted from 0."""
        lit, frame = self._copy(self._bare), self._copy(self._still)
        for box in [self._shine(lit, light, number / self.clip.fps) for light in self._lights]:
            for index, plane in enumerate(frame):
                part = self._scaled(box, index)
                plane.paste(self._lettered(lit[index], part, index), part)
        self._draw_time(frame, number)
        frame = self._keyframes.over(frame, number)
        if self._keyframes.are_at(number):
            # Show only the keyframe here, because another shot may continue from it.
            return frame
        for still, box in self._insets:
            for index, plane in enumerate(frame):
                left, top, *_ = self._scaled(box, index)
                plane.paste(still[index], (left, top))
        return frame

    def image(self, number: int) -> Image.Image:
        """One frame as an RGB image, for people to look at."""
        return rgb_of(self.frame(number))

    def _framed(self, still: Still, number: int) -> tuple[Planes, tuple[int, int, int, int]]:
        """An inset with a light border, and its place: in a row from the upper right corner to the left."""
        rim = max(2, self._even(0.6 * self._unit))
        side = still.width + 2 * rim
        side += side % 2
        card = Image.new("RGB", (side, side), _PAPER)
        card.paste(image_of(still), (rim, rim))
        left = self._even(self.clip.width - self._margin / 2 - (side + rim) * (number + 1))
        top = self._even(self._margin / 2)
        return self._planes(card), (left, top, left + side, top + side)

    def _shine(self, lit: Planes, light: _Light, seconds: float) -> tuple[int, int, int, int]:
        turn = 2 * math.pi * (seconds / light.speed) + light.phase
        x = self._even(self.clip.width * (0.5 + 0.44 * math.cos(turn)) - light.size / 2)
        y = self._even(self.clip.height * (0.5 + 0.36 * math.sin(2 * turn)) - light.size / 2)
        self._stamp(lit, light.colour, (x, y), light.masks)
        width, height = self.clip.width, self.clip.height
        return max(0, x), max(0, y), min(width, x + light.size), min(height, y + light.size)

    def _lettered(self, plane: Image.Image, part: tuple[int, int, int, int], index: int) -> Image.Image:
        """A part of a plane without text, with shadow and letters added."""
        patch = plane.crop(part)
        for colour, masks in (((0, 0, 0), self._shade_masks), (_PAPER, self._letter_masks)):
            patch.paste(video_colour(colour)[index], (0, 0), masks[index].crop(part))
        return patch

    def _draw_time(self, frame: Planes, number: int) -> None:
        clip, margin = self.clip, self._margin
        thick = max(2, self._even(0.6 * self._unit))
        top = self._even(clip.height - margin * 0.55) - thick
        done = number / max(1, clip.frames - 1)
        length = clip.width - 2 * margin
        for colour, reach in ((self._tone(0.08, 0.32, 0.3), length), (_PAPER, round(length * done))):
            for index, value in enumerate(video_colour(colour)):
                left, upper, right, lower = self._scaled((margin, top, margin + reach, top + thick), index)
                frame[index].paste(value, (left, upper, max(left, right), lower))
        text = f"{number / clip.fps:.1f} s"
        left, upper, right, lower = (int(edge) for edge in self._clock_font.getbbox(text, anchor="ls"))
        mask = Image.new("L", (self._even(right - left) + 2, self._even(lower - upper) + 2))
        ImageDraw.Draw(mask).text((-left, -upper), text, font=self._clock_font, fill=255, anchor="ls")
        place = (self._even(clip.width - margin - right), self._even(top - 1.6 * self._unit + upper))
        self._stamp(frame, _PAPER, place, self._masks(mask))

    def _stamp(self, planes: Planes, colour: Colour, place: tuple[int, int], masks: Planes) -> None:
        for index, value in enumerate(video_colour(colour)):
            step = self._step if index else 1
            planes[index].paste(value, (place[0] // step, place[1] // step), masks[index])

    def _letters(self) -> Image.Image:
        """The prompt and the small print as one mask."""
        clip, margin, unit = self.clip, self._margin, self._unit
        letters = Image.new("L", (clip.width, clip.height))
        draw = ImageDraw.Draw(letters)
        room = clip.width - 2 * margin
        small = font_for(clip.model, max(8, round(3.1 * unit)))
        facts = f"{clip.width} x {clip.height}  ·  {clip.fps} fps"
        bottom = clip.height - margin * 0.55 - 2.8 * unit
        for text, height in ((clip.model, margin), (clip.settings, margin + 4.6 * unit), (facts, bottom)):
            draw.text((margin, height), shorten(text, small, room), font=small, fill=195, anchor="ls")
        height = round(clip.height - 2 * margin - 11 * unit)
        text, font = fit(clip.prompt, (room, height), largest=round(11 * unit))
        middle = (margin, margin + 4 * unit + height / 2)
        draw.multiline_text(middle, text, font=font, fill=255, anchor="lm", spacing=font.size * 0.28)
        return letters

    def _background(self) -> Image.Image:
        """A gradient with soft clouds of colour, painted small and enlarged, which is fast."""
        small = (max(8, self.clip.width // 12), max(8, self.clip.height // 12))
        slope = Image.linear_gradient("L").rotate(self._random.choice((-28, 28)), Image.Resampling.BICUBIC)
        slope = slope.crop((48, 48, 208, 208)).resize(small, Image.Resampling.BICUBIC)
        canvas = Image.composite(
            Image.new("RGB", small, self._tone(0.08, 0.13, 0.55)),
            Image.new("RGB", small, self._tone(-0.03, 0.34, 0.50)),
            slope,
        )
        for turn, lightness, strength in ((0.13, 0.42, 0.75), (-0.10, 0.38, 0.70), (0.45, 0.34, 0.30)):
            size = round(max(small) * self._random.uniform(0.55, 0.95))
            across, down = self._random.uniform(-0.2, 0.9), self._random.uniform(-0.1, 1.0)
            at = (round(across * small[0] - size / 4), round(down * small[1] - size / 2))
            canvas.paste(self._tone(turn, lightness, 0.6), at, _glow(size, strength))
        return canvas.resize((self.clip.width, self.clip.height), Image.Resampling.BICUBIC)

    def _light(self, turn: float, size: float, speed: float, index: int) -> _Light:
        pixels = max(4, self._even(size * self._unit))
        phase = index * 2.4 + self._random.uniform(0, 1)
        return _Light(self._tone(turn, 0.7, 0.75), self._masks(_glow(pixels, 0.6)), pixels, speed, phase)

    def _tone(self, turn: float, lightness: float, saturation: float) -> Colour:
        red, green, blue = colorsys.hls_to_rgb((self._hue + turn) % 1, lightness, saturation)
        return round(red * 255), round(green * 255), round(blue * 255)

    def _even(self, pixels: float) -> int:
        """Rounded to a whole pixel of the colour planes too."""
        return round(pixels / 2) * 2

    def _scaled(self, box: tuple[int, int, int, int], index: int) -> tuple[int, int, int, int]:
        if index == 0 or self._step == 1:
            return box
        left, top, right, bottom = box
        return left // 2, top // 2, (right + 1) // 2, (bottom + 1) // 2

    def _masks(self, mask: Image.Image) -> Planes:
        lesser = mask.reduce(self._step)
        return mask, lesser, lesser

    def _planes(self, image: Image.Image) -> Planes:
        return planes_of(image, self._step)

    @staticmethod
    def _copy(planes: Planes) -> Planes:
        luma, blue, red = planes
        return luma.copy(), blue.copy(), red.copy()


def _glow(size: int, strength: float) -> Image.Image:
    """A round light as a mask: full in the middle, zero at the rim."""
    # In Pillow's radial gradient the edge of the square is at 181 = 256 / √2.
    fall = [math.cos(min(1, value / 181) * math.pi / 2) ** 2 for value in range(256)]
    curve = [round(255 * strength * part) for part in fall]
    return Image.radial_gradient("L").point(curve).resize((size, size), Image.Resampling.BICUBIC)
