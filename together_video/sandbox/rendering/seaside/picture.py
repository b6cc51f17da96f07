"""The picture of a drawn clip."""

from __future__ import annotations

from PIL import Image

from together_video.sandbox.rendering.clip import Clip
from together_video.sandbox.rendering.keyframes import Keyframes
from together_video.sandbox.rendering.planes import Planes, planes_of, rgb_of
from together_video.sandbox.rendering.seaside.drawing import Seaside


class DrawnPicture:
    """Like `Picture`, with a scene instead of words. Not to be shared between threads."""

    def __init__(self, clip: Clip, *, halved: bool) -> None:
        self._step = 2 if halved else 1
        self._scene = Seaside(clip)
        # A drawn clip's first keyframe looks like its first moment.
        self._keyframes = Keyframes(clip, self._step, clip.fps // 4)

    def frame(self, number: int) -> Planes:
        """The planes of one frame, counted from 0."""
        drawn = planes_of(self._scene.image(number), self._step)
        return self._keyframes.over(drawn, number)

    def image(self, number: int) -> Image.Image:
        """One frame as an RGB image."""
        return rgb_of(self.frame(number))
