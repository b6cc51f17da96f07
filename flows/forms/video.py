"""The form of generate-video: the request, its take and the budget first, all the rest in one optional group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect_together_video.flows.forms.fields import Archive
from prefect_together_video.flows.forms.form import amount, entry, joined
from prefect_together_video.flows.forms.groups import VideoMore
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.inputs.presets import make_presets
from together_video.requests import VideoRequest

#: What the group says of the preset that stands under another name.
_PRESETS = {"shape": "aspect", "quality": "quality", "adherence": "adherence"}

VIDEO_FORM = (
    entry("request", VideoRequest, "What to make, as the API takes it.", default=...),
    entry("take", int, "Another number makes another video of the same request.", title="Take", default=1),
    amount("budget_usd", MEANING["budget_usd"], title="Budget (USD)"),
    entry("more", VideoMore | None, "All other settings.", title="More"),
    entry("archive", Archive, "Where the videos are kept; else the environment's."),
)


def video_from_form(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of generate-video, with those of the form's group in their places.

    Raises:
        InputError: its shape cannot be used.
    """
    more = joined(given, given.get("more"))
    words = {preset: more.pop(name) for name, preset in _PRESETS.items() if name in more}
    rest = {name: value for name, value in given.items() if name != "more"} | more
    if words:
        known = rest.get("presets")
        rest["presets"] = make_presets({**words, **(known.model_dump(exclude_none=True) if known else {})})
    return rest
