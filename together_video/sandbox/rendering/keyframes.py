"""The keyframes of a clip: fully visible at their places, fading into each other in between."""

from __future__ import annotations

import math

from together_video.sandbox.rendering.clip import Clip
from together_video.sandbox.rendering.planes import Planes, blend, image_of, planes_of


class Keyframes:
    """The keyframes of one clip, as planes.

    Args:
        step: as in `planes_of`.
        reach: the number of frames in which a single keyframe fades to or from the clip's own picture.
    """

    def __init__(self, clip: Clip, step: int, reach: int) -> None:
        self._reach = max(1, reach)
        self._planes = [(key.place, planes_of(image_of(key.still), step)) for key in clip.keyframes]

    def are_at(self, number: int) -> bool:
        """Whether a keyframe fills the frame with this number."""
        return any(place == number for place, _ in self._planes)

    def over(self, frame: Planes, number: int) -> Planes:
        """The frame with the keyframes blended in."""
        before = max((key for key in self._planes if key[0] <= number), default=None, key=_place)
        after = min((key for key in self._planes if key[0] > number), default=None, key=_place)
        if before is None and after is None:
            return frame
        if before is None or after is None:
            place, planes = before or after or (0, frame)
            return blend(frame, planes, max(0.0, 1 - abs(number - place) / self._reach))
        done = (number - before[0]) / (after[0] - before[0])
        # In the middle the frame shows through, so that people see which video it is.
        return blend(blend(before[1], after[1], done), frame, 0.45 * math.sin(math.pi * done))


def _place(keyframe: tuple[int, Planes]) -> int:
    return keyframe[0]
