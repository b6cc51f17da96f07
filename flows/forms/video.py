"""The form of generate-video: first the request, take and budget, then everything else in one optional group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect_together_video.flows.forms.fields import Request
from prefect_together_video.flows.forms.form import amount, chosen, entry, joined
from prefect_together_video.flows.forms.groups import VideoMore
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.errors import InputError, Spent
from together_video.inputs.presets import make_presets, make_request
from together_video.requests import VideoRequest

#: Fields of the group and the presets that they set.
_PRESETS = {"shape": "aspect", "quality": "quality", "adherence": "adherence"}

VIDEO_FORM = (
    entry("request", Request, "What to make, as the API takes it.", default=...),
    entry("take", int, "Another number makes another video of the same request.", title="Take", default=1),
    amount("budget_usd", MEANING["budget_usd"], title="Budget (USD)"),
    entry("more", VideoMore | None, "All other settings.", title="More"),
)


def video_from_form(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of generate-video, with the form's group converted to the parameters that it stands for.

    Raises:
        InputError: its details or its shape cannot be used, or a detail contradicts the request.
    """
    more = joined(given, given.get("more"))
    details = chosen(more.pop("details", {}))
    words = {preset: more.pop(name) for name, preset in _PRESETS.items() if name in more}
    rest = {name: value for name, value in given.items() if name != "more"} | more
    if details:
        rest["request"] = _detailed(rest["request"], details)
    if words:
        known = rest.get("presets")
        rest["presets"] = make_presets({**words, **(known.model_dump(exclude_none=True) if known else {})})
    return rest


def _detailed(request: VideoRequest, details: Mapping[str, Any]) -> VideoRequest:
    """The request with these fields added."""
    said = {name: getattr(request, name) for name in request.model_fields_set}
    said = {name: value for name, value in said.items() if value not in (None, {}, False)}
    made = make_request({**said, **details})[0]
    for name in sorted(said.keys() & details.keys()):
        if getattr(made, name) != said[name]:
            raise InputError(
                f"The request says {name} {said[name]!s:.100}, but Details say {details[name]!s:.100}. Nothing was "
                "bought.",
                spent=Spent.NOTHING,
                remedy=f"Set {name} in one place.",
            )
    return made
