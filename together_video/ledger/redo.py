"""Another take of a clip that a review rejected. Pure: the request, and whether a purchase answers it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from together_video.labels import MOST
from together_video.ledger.records import VideoPlan, video_id
from together_video.ledger.reviews import Mark
from together_video.requests import VideoRequest
from together_video.tries import new_seed as seed_of_try

#: The label of a redo: the id of the clip that it replaces. The clip's own review stays with the clip.
REDO_OF = "redo_of"


class Redo(NamedTuple):
    """One line of a redo list: the clip, and the purchase that will replace it."""

    clip: str
    request: VideoRequest
    take: int
    note: str

    @property
    def line(self) -> str:
        """As a line of a request file."""
        fields = self.request.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return json.dumps({**fields, "model": self.request.model, "take": self.take})


def redo_labels(request: VideoRequest, clip: str) -> dict[str, str]:
    """The labels of another take of this clip: those of its request, and the clip's id. If there are too many, the last
    one is dropped.
    """
    labels = {name: text for name, text in request.labels.items() if name != REDO_OF}
    return dict(list(labels.items())[: MOST - 1]) | {REDO_OF: clip}


def redo_of(plan: VideoPlan, clip: str, note: str, take: int, *, new_seed: bool = False) -> Redo:
    """The request of a clip as another take. It is the same request except for its labels, and for its seed with
    `new_seed`, which depends on the clip's seed and the take.
    """
    request = plan.request
    labels = redo_labels(request, clip)
    changed: dict[str, object] = {"labels": dict(sorted(labels.items()))}
    if new_seed and request.seed is not None:
        changed["seed"] = seed_of_try(request.seed, take)
    return Redo(clip, request.model_copy(update=changed), take, note)


def redo_id(redo: Redo, edition: str) -> str:
    """The id of the redo's purchase."""
    return video_id(redo.request, take=redo.take, edition=edition)


def answers(plan: VideoPlan, clip: str) -> bool:
    """Whether an existing purchase is the redo of this clip, and not somebody else's take."""
    return plan.request.labels.get(REDO_OF) == clip


def rejected(marks: Iterable[Mark]) -> list[Mark]:
    """The marks that reject a clip, always in the same order."""
    return sorted((mark for mark in marks if mark.mark == "reject"), key=lambda mark: mark.id)
