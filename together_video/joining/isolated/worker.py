"""The process that joins clips: it opens them, decides what is copied, and sends the film's bytes to its parent.

Like the process that opens single files (`together_video.media.isolation.worker`), it has no secrets, writes no files,
ends with its parent, and does not import pydantic.
"""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Callable
from typing import Any

from together_video.media.isolation import channel, limits
from together_video.media.isolation.worker import is_asked, pipes

#: Seconds that it waits for its parent to kill it.
_LATE = 5
#: Bytes of a message from the parent: a few numbers, and the cut.
_MOST = (1 << 16, 16 << 20)
#: Seconds between two reports of progress.
_OFTEN = 0.2
#: Bytes of memory for everything but pictures: packets, sound, the film's index, thread stacks.
_MEMORY = 384 << 20
#: Pictures of the film's size that the encoder keeps; pictures of each of two clips that decoders and scalers keep; and
#: bytes per pixel in each, with padding.
_ENCODED, _DECODED, _OF_PIXEL = 96, 32, 2


def main() -> None:
    """Answer messages until the parent closes the pipe."""
    inlet, outlet = pipes()
    with contextlib.suppress(channel.Ended):
        try:
            import av  # noqa: F401 - fail here if the system cannot load it
            import PIL.Image  # noqa: F401
        except Exception as error:  # noqa: BLE001 - the parent has to report what the system lacks
            channel.send(outlet, {"failed": f"{type(error).__name__}: {error}"[:500]})
            return
        limits.end_with_parent(inlet)
        limits.lay_down()
        memory = limits.Memory()
        channel.send(outlet, {"ready": True})
        while is_asked(inlet):
            message, content = channel.receive(inlet, most=_MOST)
            _Task(outlet, memory, message).run(content)
            limits.end_after(0)


class _Task:
    """One cut, planned or made."""

    def __init__(self, outlet: int, memory: limits.Memory, message: dict[str, Any]) -> None:
        self._outlet, self._memory = outlet, memory
        self._seconds = message["seconds"] + _LATE
        self._makes = message["kind"] == "film"
        self._told = 0.0

    def run(self, content: bytes) -> None:
        from together_video.joining.isolated.recipe import Fault
        from together_video.media.decoder import BeyondBounds, is_out_of_memory

        limits.end_after(self._seconds)
        self._memory.allow(_MEMORY)
        try:
            answer = self._answer(json.loads(content))
        except Fault as fault:
            answer = {
                "fault": {
                    "words": fault.words[:500],
                    "piece": fault.piece,
                    "role": fault.role,
                    "remedy": fault.remedy,
                }
            }
        except channel.Ended:
            raise
        except Exception as error:  # noqa: BLE001 - files from outside can raise anything
            if is_out_of_memory(error):
                answer = {"failed": "joining needs more memory than a film of this size may take"}
            elif isinstance(error, BeyondBounds):
                answer = {"failed": f"a file {error}"[:500]}
            else:
                said = getattr(error, "strerror", None) if isinstance(error, OSError) else None
                answer = {"failed": (said or f"{type(error).__name__}: {error}")[:500]}
        channel.send(self._outlet, {"done": True, "grown": self._memory.grown(), **answer})

    def _answer(self, told: dict[str, Any]) -> dict[str, Any]:
        from together_video.joining.isolated import sound_copy
        from together_video.joining.isolated.laying_out import lay_out
        from together_video.joining.isolated.make import Plan, make
        from together_video.joining.isolated.recipe import Recipe
        from together_video.joining.isolated.survey import survey, with_pictures

        recipe = Recipe.of(told)
        clips = self._each([part.source for part in recipe.parts], functools.cache(survey))
        film = lay_out(recipe, clips)
        if film.encodes:
            clips = self._each(clips, with_pictures)
            film = lay_out(recipe, clips)
        has_sound = recipe.music is not None or any(
            part.narration is not None or (part.keeps_sound and clip.sound is not None)
            for part, clip in zip(recipe.parts, clips, strict=True)
        )
        plan = Plan(recipe, clips, film, has_sound, sound_copy.why_not(recipe, clips) if has_sound else None)
        notes = []
        if self._makes:
            if film.encodes:
                largest = max(clip.width * clip.height for clip in clips)
                pixels = film.width * film.height * _ENCODED + largest * _DECODED * 2
                self._memory.allow(_MEMORY + pixels * _OF_PIXEL)
            notes = make(plan, self._send, lambda number: self._tell_made(number, film.frames))
        return {"plan": _told_of(plan), "notes": notes}

    def _each(self, clips: list[Any], read: Callable[[Any], Any]) -> list[Any]:
        """Read each clip. A fault gets the clip's number in the cut."""
        from together_video.joining.isolated.recipe import Fault

        found = []
        for number, clip in enumerate(clips):
            try:
                found.append(read(clip))
            except Fault as fault:
                raise Fault(fault.words, piece=number, remedy=fault.remedy) from fault
            self._tell({"surveyed": number + 1})
        return found

    def _send(self, at: int, data: bytes) -> None:
        channel.send(self._outlet, {"at": at}, data)
        limits.end_after(self._seconds)

    def _tell_made(self, number: int, frames: int) -> None:
        self._tell({"made": number, "of": frames})

    def _tell(self, message: dict[str, Any]) -> None:
        now = time.monotonic()
        if now - self._told < _OFTEN:
            return
        self._told = now
        channel.send(self._outlet, message)
        limits.end_after(self._seconds)


def _told_of(plan: Any) -> dict[str, Any]:
    """The fields of `together_video.joining.films.JoinPlan`, except the names of the files."""
    film = plan.film
    copied = [0] * len(film.placed)
    for span in film.spans:
        if span.copied:
            copied[span.piece] += span.count
    pieces = []
    for number, one in enumerate(film.placed):
        following = film.placed[number + 1].start if number + 1 < len(film.placed) else film.frames
        pieces.append(
            {
                "first_frame": one.start,
                "frames": one.count,
                "until": following,
                "start": float(one.start / film.fps),
                "skipped": one.skipped,
                "copied": copied[number],
                "crossfade": one.crossfade,
                "why": list(one.why),
                "has_sound": plan.recipe.parts[number].keeps_sound and plan.clips[number].sound is not None,
            }
        )
    sound = "none" if not plan.has_sound else "copied" if plan.sound_why is None else "encoded"
    return {
        "width": film.width,
        "height": film.height,
        "rate": f"{film.fps.numerator}/{film.fps.denominator}",
        "seconds": float(film.frames / film.fps),
        "frames": film.frames,
        "codec": plan.codec,
        "sound": sound,
        "sound_why": plan.sound_why if sound == "encoded" else None,
        "pieces": pieces,
    }
