"""The forms of Prefect's UI: every field says what it is, and what may be left out is a plain field."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from prefect import Flow
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools import ValidationError, validate

from prefect_together_video.flows.audit import audit_archive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.flows.film import generate_film
from prefect_together_video.flows.forms.film import film_from_form
from prefect_together_video.flows.inbox import watch_inbox
from prefect_together_video.flows.spend import report_spend
from prefect_together_video.flows.video import generate_video
from together_video.errors import InputError
from together_video.film.reading import storyboard_of
from together_video.prompts import Brief
from together_video.requests import VideoRequest

FLOWS: list[Flow[..., Any]] = [
    generate_video,
    generate_batch,
    generate_film,
    collect_videos,
    watch_inbox,
    audit_archive,
    report_spend,
]


def schema_of(flow: Flow[..., Any]) -> dict[str, Any]:
    return parameter_schema(flow).model_dump_for_openapi()


#: All that Prefect's first UI keeps of a schema, which it then has its server hold a form's values against.
_KEPT = {
    "position", "block_type_slug", "$ref", "anyOf", "allOf", "example", "default", "const", "description", "enum",
    "format", "items", "prefixItems", "required", "title", "type", "maxItems", "minItems",
}  # fmt: skip


def first_ui(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as Prefect's first UI sends it."""
    kept = {name: said for name, said in schema.items() if name in _KEPT}
    for inner in {"properties", "definitions"} & schema.keys():
        kept[inner] = {name: first_ui(said) for name, said in schema[inner].items()}
    return kept


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_field_of_a_form_is_described(flow: Flow[..., Any]) -> None:
    """Parameters and the fields of our own models have a title and a description."""
    schema = schema_of(flow)
    ours = [found for name, found in schema["definitions"].items() if name in {
        "VideoRequest", "Media", "FrameImage", "VideoRef", "AudioRef", "Brief", "Presets", "PollPolicy",
        "TogetherCredentials", "VideoArchive", "Timeouts", "More", "BatchMore", "VideoMore", "InboxMore",
        "FilmMore", "StoryBrief", "Shot", "Transition", "Audio", "Look", "Cut", "Music",
    }]  # fmt: skip
    assert ours
    for place in [schema, *ours]:
        for name, field in place["properties"].items():
            if name == "$ref":  # no field: what tells a reference from a block
                continue
            assert field.get("description"), name
            assert field.get("title") or "$ref" in field, name


def test_what_may_be_left_out_is_a_plain_field() -> None:
    """Text and numbers need no button to be pressed first; choices, switches and objects keep theirs."""
    shown = schema_of(generate_video)
    details = shown["definitions"]["VideoMore"]["properties"]["details"]["properties"]
    first = shown["properties"]["request"]["properties"]
    assert list(first) == ["prompt", "model", "seconds", "width", "height", "seed"]
    assert not first.keys() & details.keys()
    fields = {**first, **details}
    assert fields.keys() == VideoRequest.model_fields.keys()
    plain = {name for name, field in fields.items() if "type" in field}
    assert set(fields) - plain == {"seconds", "output_format", "generate_audio", "media"}
    assert fields["steps"] == {
        "type": "integer",
        "minimum": 10,
        "maximum": 50,
        "title": "Steps",
        "description": VideoRequest.model_fields["steps"].description,
    }
    assert fields["output_format"]["anyOf"][0]["enum"] == ["MP4", "WEBM"]
    form = schema_of(generate_batch)
    more = form["definitions"]["BatchMore"]["properties"]
    assert {name for name, field in more.items() if "anyOf" in field} == {"settings"}
    settings = more["settings"]["anyOf"][0]
    assert settings["title"] == "Settings"
    assert settings["properties"]["width"] == fields["width"]
    # Also with the oldest pydantic, which has no other way to leave out a default of null.
    assert {name for name, field in form["properties"].items() if "anyOf" in field} == {"more", "archive"}
    for flow, amounts in ((generate_batch, {"seconds", "budget_usd"}), (generate_video, {"budget_usd"}),
                          (watch_inbox, {"limit_usd"}), (generate_film, {"budget_usd"})):  # fmt: skip
        fields = schema_of(flow)["properties"]
        for name in amounts:
            assert fields[name]["type"] == "number", (flow.name, name)
            assert "default" not in fields[name], (flow.name, name)
            assert name not in schema_of(flow).get("required", []), (flow.name, name)


def test_a_form_has_what_people_need_first() -> None:
    """In this order; what belongs to programs is not among it, and the models on offer are a list."""
    form = schema_of(generate_batch)["properties"]
    assert list(form) == [
        "subject", "count", "style", "model", "seconds", "shape", "budget_usd", "approve", "more", "archive",
    ]  # fmt: skip
    assert {"default", "minimax/hailuo-02"} <= set(form["model"]["enum"])
    assert form["model"]["default"] == "default"
    for flow in (generate_batch, generate_video, generate_film, watch_inbox):
        shown = json.dumps(schema_of(flow))
        for internal in ("sweeps", "poll", "local_files", "tries", "payload"):
            assert f'"{internal}"' not in shown, (flow.name, internal)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_each_field_of_a_form_is_a_parameter(flow: Flow[..., Any]) -> None:
    """The form fills in the parameters of the flow's function."""
    assert set(schema_of(flow)["properties"]) <= set(inspect.signature(flow.fn).parameters)


def test_the_server_takes_parameters_that_are_not_in_the_form() -> None:
    """Events, deployments and `run_deployment` name them, and null for what was left empty in the form."""
    given = {
        "poll": {"first_seconds": 0},
        "local_files": False,
        "edition": "daily",
        "brief": {"subject": "foxes"},
    }
    empty = {"subject": "", "more": None, "model": "default"}
    validate({**given, **empty}, schema_of(generate_batch), raise_on_error=True)
    validate({"seconds": None, "budget_usd": None}, schema_of(generate_batch), raise_on_error=True)
    for wrong in ({"seconds": 0}, {"model": "acme/unknown"}, {"shape": "round"}, {"more": {"attempts": 0}}):
        with pytest.raises(ValidationError):
            validate(wrong, schema_of(generate_batch), raise_on_error=True)


def test_the_form_of_a_film() -> None:
    """The parts of a storyboard, with shots as plain objects: the first UI shows choices within a list as JSON.

    What both UIs send of an untouched field says nothing. The server leaves the storyboard itself, with its short
    forms, to the flow.
    """
    form = schema_of(generate_film)
    assert list(form["properties"]) == [
        "title", "shots", "look", "defaults", "cut", "brief", "budget_usd", "approve", "more", "archive",
    ]  # fmt: skip
    assert form["properties"]["shots"]["items"] == {"$ref": "#/definitions/Shot"}
    shown = form["definitions"]["Shot"]["properties"]
    assert list(shown)[:5] == ["prompt", "continue", "seconds", "caption", "transition"]
    assert {name for name, field in shown.items() if "anyOf" in field} == {"seconds"}
    assert shown["transition"]["default"] == {"kind": "cut"}
    untouched = {"continue": False, "seconds": None, "extend": False, "transition": {"kind": "cut"},
                 "audio": {"own": "keep", "narration": None}}  # fmt: skip
    groups = {"look": None, "defaults": {"seconds": None, "width": 96, "height": 64, "labels": {}},
              "cut": {"width": None, "crf": 18, "fade_in": 0, "music": None, "captions": "vtt"}}  # fmt: skip
    crossfade = {"kind": "crossfade", "seconds": None}
    sent = {"title": "Foxes", "shots": [{**untouched, "prompt": "a fox", "name": ""},
            {**untouched, "continue": True, "prompt": "an owl", "transition": crossfade}],
            **groups, "brief": None, "more": None, "approve": False, "archive": None}  # fmt: skip
    for schema in (form, first_ui(form)):
        validate(sent, schema, raise_on_error=True)
        validate({"title": "", "shots": [], "brief": {"subject": "foxes"}}, schema, raise_on_error=True)
    made = film_from_form(generate_film.validate_parameters(sent))["storyboard"]
    shots = [{"prompt": "a fox"}, {"prompt": "an owl", "continue": True, "crossfade": 0.5}]
    plain = {"title": "Foxes", "shots": shots, "defaults": {"width": 96, "height": 64}}
    assert made == storyboard_of(plain)
    short = {
        "title": 1984,
        "shots": ["a fox", {"prompt": "an owl", "width": 864, "audio": "mute", "crossfade": 1}],
    }
    validate({"storyboard": short}, form, raise_on_error=True)
    assert generate_film.validate_parameters({"storyboard": short})["storyboard"] == storyboard_of(short)
    with pytest.raises(InputError, match="either title and shots, or brief"):
        film_from_form({**sent, "brief": {"subject": "foxes"}})
    with pytest.raises(InputError, match="shots: is missing"):
        film_from_form({"title": "Foxes"})


def test_the_server_takes_what_the_flows_take() -> None:
    """Null for what may be left out, seconds as text and as a number, any settings; and not what is wrong."""
    request = VideoRequest(model="m", prompt="p").model_dump(mode="json")
    assert request["width"] is None
    validate({"request": request}, schema_of(generate_video), raise_on_error=True)
    brief = Brief(subject="foxes").model_dump(mode="json")
    validate({"brief": brief, "budget_usd": None}, schema_of(generate_batch), raise_on_error=True)
    lists = [{"model": "m", "seconds": 5}, {"model": "m", "seconds": "5"}]
    settings = {"seconds": 5, "width": 864, "aspect": "9:16", "media": {}}
    more = {"requests": lists, "settings": settings}
    validate({"more": more}, schema_of(generate_batch), raise_on_error=True)
    for wrong in ({"steps": 9}, {"width": "wide"}, {"prompt": ""}, {"output_format": "GIF"}):
        with pytest.raises(ValidationError):
            validate({"request": {**request, **wrong}}, schema_of(generate_video), raise_on_error=True)


def test_a_prompt_alone_is_a_request() -> None:
    """As `prefect deployment run generate-video/on-demand --params` and events send it; forms need no model."""
    from prefect_together_video.flows.video import generate_video
    from together_video.catalogue import Catalogue

    given = generate_video.validate_parameters({"request": {"prompt": "a red kite"}})
    assert given["request"].model == Catalogue.load().default_model.name
    schema = schema_of(generate_video)["properties"]["request"]
    assert "model" not in schema.get("required", [])
    # A form's field that was left empty.
    assert VideoRequest.model_validate({"prompt": "a kite", "model": None}) == VideoRequest(prompt="a kite")


@pytest.mark.parametrize("made", [generate_video, generate_batch])
@pytest.mark.parametrize(
    "reference", [{"block_document_slug": "video-archive/production"}, {"block_document_id": "1"}]
)
def test_the_server_takes_references_to_saved_blocks(made: Any, reference: dict[str, str]) -> None:
    """As deployments name them: a reference is not also a block without fields."""
    saved = {"together": {"$ref": reference}, "archive": {"$ref": reference}}
    given: dict[str, Any] = {"request": {"prompt": "a fox"}} if made is generate_video else {"requests": []}
    validate({**given, **saved}, schema_of(made), raise_on_error=True)
    # As the server looks at a deployment's own parameters.
    validate({**given, **saved}, schema_of(made), raise_on_error=True, preprocess=False, ignore_required=True)
    for schema in (schema_of(made), first_ui(schema_of(made))):
        validate({**given, **saved}, schema, raise_on_error=True)
        for archive in ({"bucket": "videos"}, {"folder": "~/Videos"}, None):
            validate({**given, "archive": archive}, schema, raise_on_error=True)
