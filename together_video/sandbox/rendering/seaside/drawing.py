"""The frames of a drawn clip: sky, lighthouse and ship between waves, at each moment."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageChops

from together_video.sandbox.rendering.clip import Clip
from together_video.sandbox.rendering.seaside import shapes
from together_video.sandbox.rendering.seaside.colours import LAMP_LIGHT, MOON_LIGHT, SUN_LIGHT, Hour, whole
from together_video.sandbox.rendering.seaside.lamp import beam, shine_lamp
from together_video.sandbox.rendering.seaside.moments import Moment, at, moments_of
from together_video.sandbox.rendering.seaside.paint import disc, faded, ramp, shine, slope
from together_video.sandbox.rendering.seaside.standing import stand
from together_video.sandbox.rendering.seaside.water import ROWS, Water

#: The height of the horizon, as a fraction of the picture's height.
_HORIZON = 0.60
#: The rows of waves behind the lighthouse and behind the ship.
_BEHIND_TOWER, _BEHIND_SHIP = 1, 3
#: Where the sun and the moon are, from the left edge.
_SUN_AT = 0.24
#: All movement repeats after this many seconds, so a clip that continues another one finds the same waves.
_ROUND = 5.0


class Seaside:
    """Draws the frames of one clip. Not to be shared between threads."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._size = (clip.width, clip.height)
        self._moments = moments_of(clip.prompt)
        self._rounds = max(1, round(clip.seconds / _ROUND))
        # The same seed for all prompts, so that the sky of the next shot has the same stars.
        chance = random.Random(clip.seed)  # noqa: S311 - a picture
        wide, tall = self._size
        self._line = round(tall * _HORIZON)
        self._stars = shapes.stars((wide, self._line), chance)
        self._clouds = shapes.clouds((wide, self._line), chance)
        self._water = Water(self._size, self._line, _SUN_AT, chance)
        self._tower = shapes.lighthouse(round(tall * max(0.1, max(one.tower for one in self._moments))))
        self._ship = shapes.ship(round(tall * max(0.1, max(one.ship for one in self._moments))))
        self._glow = shapes.glow(256)
        self._gulls = [shapes.gull(max(8, tall // 22), math.sin(2 * math.pi * turn / 8)) for turn in range(8)]
        self._flock = [(chance.uniform(0, 1), chance.uniform(0.16, 0.42), chance.random()) for _ in range(5)]

    def image(self, number: int) -> Image.Image:
        """One frame, counted from 0, in RGB."""
        share = number / max(1, self._clip.frames - 1)
        turn = self._rounds * number / max(1, self._clip.frames)
        now = at(self._moments, share)
        frame = self._sky(now.hour, turn)
        self._water.fill(frame, now.hour)
        lamp = self._lamp_at(now)
        if now.lamp > 0.02 and now.tower > 0:
            beam(frame, now, lamp, turn)
        for row in range(ROWS):
            if row == _BEHIND_TOWER and now.tower > 0:
                stand(frame, self._tower, now.tower, self._foot_of_tower(now), now.hour)
                shine_lamp(frame, self._glow, now, lamp, turn)
            if row == _BEHIND_SHIP:
                self._water.glitter(frame, now.hour, turn)
            if row == _BEHIND_SHIP and now.ship > 0.02:
                self._sail(frame, now, turn)
            self._water.wave(frame, row, now, turn)
        if now.hour.stars < 0.3:
            self._fly(frame, turn, 1 - now.hour.stars / 0.3)
        return frame

    def _sky(self, hour: Hour, turn: float) -> Image.Image:
        wide = self._size[0]
        frame = Image.new("RGB", self._size)
        frame.paste(slope((hour.top, hour.middle, hour.horizon), (wide, self._line)), (0, 0))
        if hour.stars > 0.02:
            frame.paste((255, 255, 255), (0, 0), faded(self._stars, hour.stars))
        self._sun(frame, hour)
        # Clouds that crossed the picture would jump between two clips, so they move a little and back.
        moved = ImageChops.offset(self._clouds, round(wide * 0.012 * math.sin(2 * math.pi * turn)), 0)
        frame.paste(whole(hour.cloud), (0, 0), moved)
        return frame

    def _sun(self, frame: Image.Image, hour: Hour) -> None:
        wide, tall = self._size
        sun = (wide * _SUN_AT, self._line - hour.sun * tall)
        shine(frame, self._glow, sun, tall * 0.9, SUN_LIGHT, 0.55 * ramp(hour.sun, -0.2, 0.02))
        if hour.sun > -0.06:
            disc(frame, sun, tall * 0.052, (255, 244, 214), 1.0)
        if hour.stars > 0.4:
            seen = ramp(hour.stars, 0.4, 1.0)
            moon = (wide * _SUN_AT, tall * (0.30 - 0.10 * seen))
            shine(frame, self._glow, moon, tall * 0.5, MOON_LIGHT, 0.30 * seen)
            disc(frame, moon, tall * 0.040, MOON_LIGHT, seen)

    def _foot_of_tower(self, now: Moment) -> tuple[float, float]:
        wide, tall = self._size
        below = self._line + (tall - self._line) * (0.10 + 0.30 * ramp(now.tower, 0.15, 0.9))
        return wide * (0.80 - 0.04 * ramp(now.tower, 0.2, 0.9)), below

    def _lamp_at(self, now: Moment) -> tuple[float, float]:
        """The position of the lamp in the picture."""
        x, foot = self._foot_of_tower(now)
        height = now.tower * self._size[1]
        across, down = self._tower.light
        wide = height * self._tower.colours.width / self._tower.colours.height
        return x + (across - 0.5) * wide, foot - height * (1 - down)

    def _sail(self, frame: Image.Image, now: Moment, turn: float) -> None:
        wide, tall = self._size
        # Small ships are far away, so nearer to the horizon.
        below = self._line + (tall - self._line) * (0.12 + 0.62 * ramp(now.ship, 0.05, 0.5))
        roll = 0.055 * now.swell * math.sin(2 * math.pi * (turn * 2 + 0.1))
        rise = tall * 0.035 * now.ship * now.swell * math.sin(2 * math.pi * turn * 2)
        foot = (wide * now.ship_at, below + rise)
        stand(frame, self._ship, now.ship, foot, now.hour, roll)
        if now.hour.stars > 0.1:
            height = now.ship * tall
            stern = (
                foot[0] + (self._ship.light[0] - 0.5) * height * 1.2,
                foot[1] - height * (1 - self._ship.light[1]),
            )
            shine(frame, self._glow, stern, height * 0.5, LAMP_LIGHT, 0.9 * ramp(now.hour.stars, 0.1, 0.7))

    def _fly(self, frame: Image.Image, turn: float, seen: float) -> None:
        wide, tall = self._size
        for index, (x, y, phase) in enumerate(self._flock):
            across = (x + 0.03 * math.sin(2 * math.pi * (turn + phase))) * wide
            down = (y + 0.015 * math.sin(2 * math.pi * (turn * 2 + phase))) * tall
            wings = self._gulls[int((turn * 6 + phase) * 8) % 8]
            size = round(wings.width * (0.7 + 0.1 * index))
            frame.paste(
                (60, 54, 72), (round(across), round(down)), faded(wings.resize((size, size)), 0.8 * seen)
            )
