"""The commands that make a video again, ready to paste into a shell."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

from together_video.gallery.public import is_public
from together_video.labels import MOST
from together_video.ledger.records import VideoPlan
from together_video.ledger.redo import REDO_OF
from together_video.tries import new_seed

#: A terminal can act on these characters when they are pasted, even inside quotes. Line ends are safe there.
_UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_OPTIONS = {"prompt", "seed", "media", "extra", "labels", "label_in_id", "generate_audio"}


@dataclass(frozen=True)
class Commands:
    """A command that makes one video again: `start`, then one of `take`, `seed` and `edit`, then `end`. A part that is
    None is not available.

    The parts are quoted for sh, so a page only has to join the non-empty ones with spaces.
    """

    start: str
    take: str
    seed: str | None = None
    edit: str | None = None
    end: str = ""

    @property
    def another_take(self) -> str:
        return " ".join(part for part in (self.start, self.take, self.end) if part)


def commands_of(plan: VideoPlan, *, take: int) -> Commands | None:
    """The commands for another take with this number, for a new seed, and for the same request with an edited prompt.

    None if a command would need something that a page must not contain (see `public`), or characters that a terminal
    can act on.

    Example:
        ```python
        commands = commands_of(plan, take=2)
        print(commands.start, commands.take)  # together-video generate 'a fox' --model acme/dream-1 --take 2
        ```
    """
    request = plan.request
    if not is_public(plan):
        return None
    fields = request.model_dump(mode="json", exclude_none=True)
    prompt = request.prompt or ""
    # A prompt that starts with a dash would be read as an option.
    end = ["--", prompt] if prompt.startswith("-") else []
    words = ["together-video", "generate", *([prompt] if prompt and not end else [])]
    for name, value in fields.items():
        if name not in _NOT_OPTIONS:
            words += _option(name, _number(value))
    if request.generate_audio is not None:
        words.append("--generate-audio" if request.generate_audio else "--no-generate-audio")
    for name in ("media", "extra"):
        value = request.payload().get("media") if name == "media" else request.extra
        if value:
            words += _option(name, json.dumps(value, ensure_ascii=False))
    labels = {name: value for name, value in request.labels.items() if name != REDO_OF}
    for name, value in labels.items():
        words += _option("label", f"{name}={value}")
    if request.label_in_id:
        words.append("--label-in-id")
    if plan.edition != "once":
        words += _option("edition", plan.edition)
    if any(_UNSAFE.search(word) for word in [*words, *end]):
        return None
    same = [] if request.seed is None else _option("seed", request.seed)
    # As in a redo list of a review, so that a review knows this clip already has another take.
    redo_of = _option("label", f"{REDO_OF}={plan.id}") if len(labels) < MOST else []
    return Commands(
        start=shlex.join(words),
        take=shlex.join([*same, *_option("take", take), *redo_of]),
        seed=shlex.join(_option("seed", _other_seed(plan))),
        edit=shlex.join(same),
        end=shlex.join(end),
    )


def retake_of(storyboard: str, shot: int, take: int) -> Commands | None:
    """The command for another take of a film's shot. None if the file name contains characters that a terminal can act
    on.
    """
    start = _film(storyboard)
    return None if start is None else Commands(start=start, take=f"--retake {shot}:{take}")


def cut_of(storyboard: str) -> str | None:
    """The command for the next cut of a film, without the name of the marks file. None as for `retake_of`."""
    start = _film(storyboard)
    return None if start is None else f"{start} --from-review"


def _film(storyboard: str) -> str | None:
    if _UNSAFE.search(storyboard) or "\n" in storyboard:
        return None
    # A name that starts with a dash would be read as an option.
    return shlex.join(
        ["together-video", "film", f"./{storyboard}" if storyboard.startswith("-") else storyboard]
    )


def _option(name: str, value: Any) -> list[str]:
    option, text = f"--{name.replace('_', '-')}", str(value)
    return [f"{option}={text}"] if text.startswith("-") else [option, text]


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _other_seed(plan: VideoPlan) -> int:
    """Derived from the video alone, so pasting the command twice pays only once."""
    asked = plan.request.seed
    return new_seed(int(plan.id[:8], 16) if asked is None else asked, plan.attempt + 1)
