"""The form of generate-batch: first what the videos are about, then everything else in one optional group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect_together_video.flows.forms.choices import ModelName, Shape
from prefect_together_video.flows.forms.fields import Archive
from prefect_together_video.flows.forms.form import USUAL, amount, chosen, entry, joined, said
from prefect_together_video.flows.forms.groups import BatchMore
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.errors import InputError
from together_video.inputs.presets import make_presets, make_request, overlay
from together_video.prompts import Brief, make_brief
from together_video.requests import VideoRequest

#: The parameters of generate-batch that only the form fills in.
FORM_ONLY = ("subject", "count", "style", "model", "seconds", "shape", "more")
#: The fields of a brief that are in the group.
_OF_BRIEF = ("language", "negative_prompts", "chat_model")

BATCH_FORM = (
    entry(
        "subject",
        str,
        "One sentence is enough. Details make the videos more your own.",
        title="What the videos are about",
        default="",
    ),
    entry("count", int, "How many different videos to make.", title="How many", default=4),
    entry(
        "style",
        str,
        "The look and mood that all videos share, such as: hand-drawn watercolour, calm.",
        title="Style",
        default="",
    ),
    entry("model", ModelName, "The model that makes the videos.", title="Model", default=USUAL),
    amount("seconds", "Length of each video in seconds. Empty for the model's default.", title="Length"),
    entry("shape", Shape, "Shape of the picture.", title="Shape", default=USUAL),
    amount("budget_usd", MEANING["budget_usd"], title="Budget (USD)"),
    entry(
        "approve",
        bool,
        "Show me the plan and its price, and buy nothing before I approve.",
        title="Ask me first",
        default=False,
    ),
    entry("more", BatchMore | None, "All other settings.", title="More"),
    entry("archive", Archive, "Where to keep the videos. Empty for the archive that the environment names."),
)


def asks(given: Mapping[str, Any]) -> bool:
    """Whether these parameters of generate-batch were filled in by the form."""
    return any(given.get(name) not in (None, "", USUAL) for name in FORM_ONLY)


def brief_of(given: Mapping[str, Any]) -> Brief | None:
    """The brief that the form's fields make. If they make none, the brief parameter.

    Raises:
        InputError: it cannot be used, or there are two.
    """
    subject = (given.get("subject") or "").strip()
    if not subject:
        return given.get("brief")
    if given.get("brief") is not None:
        raise InputError("Give either a brief or a subject.")
    more = said(given.get("more"))
    fields = {
        "subject": subject,
        "count": given.get("count"),
        "style": (given.get("style") or "").strip() or None,
        "model": _model(given, more),
        "seconds": given.get("seconds"),
        **{name: more.get(name) for name in _OF_BRIEF},
    }
    return make_brief({name: value for name, value in fields.items() if value is not None})


def from_form(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of generate-batch, with the form's fields converted to the parameters that they stand for.

    Raises:
        InputError: they do not make a brief or a request.
    """
    more = joined(given, given.get("more"))
    brief = brief_of(given)
    rest = {name: value for name, value in given.items() if name not in FORM_ONLY}
    shared = {"model": _model(given, more), "seconds": given.get("seconds")}
    shared = {name: value for name, value in shared.items() if value is not None}
    words = {"quality": more.pop("quality", None), "adherence": more.pop("adherence", None)}
    shape = given.get("shape")
    words["aspect"] = None if shape in (None, "", USUAL) else shape
    words = {name: value for name, value in words.items() if value is not None}
    for name in (*_OF_BRIEF, "other_model"):
        more.pop(name, None)
    if "settings" in more:
        more["settings"] = chosen(more["settings"])
    rest |= {**more, "brief": brief}
    if words:
        known = rest.get("presets")
        rest["presets"] = make_presets({**words, **(known.model_dump(exclude_none=True) if known else {})})
    if rest.get("requests"):
        rest["requests"] = [_with(shared, request) for request in rest["requests"]]
    elif all(rest.get(name) is None for name in ("brief", "file", "payload")):
        raise InputError("Say what the videos are about, or give a file or requests under More.")
    elif shared and rest.get("payload") is None:
        settings = rest.get("settings") or {}
        rest["settings"] = {**overlay(settings, shared), **settings}
    return rest


def _model(given: Mapping[str, Any], more: Mapping[str, Any]) -> str | None:
    model = (more.get("other_model") or given.get("model") or "").strip()
    return None if model in ("", USUAL) else model


def _with(shared: Mapping[str, Any], request: VideoRequest) -> VideoRequest:
    """The request, with the form's model and length for what it does not set itself."""
    given = {name: getattr(request, name) for name in request.model_fields_set}
    given = {name: value for name, value in given.items() if value is not None}
    return make_request({**shared, **given})[0]
