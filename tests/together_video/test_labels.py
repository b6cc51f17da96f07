"""Labels: what they are called, where they come from, and that they cost nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from together_video.errors import ConfigurationError, InputError
from together_video.inputs.files import read_requests
from together_video.labels import labels_of_options
from together_video.ledger.layout import Layout, check_template
from together_video.ledger.records import VideoPlan
from together_video.requests import VideoRequest


def request(**fields: Any) -> VideoRequest:
    return VideoRequest.model_validate({"model": "a/b", "prompt": "a fox", **fields})


def test_labels_are_kept_and_never_sent() -> None:
    """They are cleaned, sorted, and part of neither what is sent nor what is bought."""
    labelled = request(labels={"Scene Nr.": 3, " campaign ": " spring ", "empty": "", "none": None})
    assert labelled.labels == {"campaign": "spring", "scene_nr": "3"}
    assert labelled.payload() == request().payload()
    assert labelled.fingerprint() == request().fingerprint()
    assert VideoRequest.model_validate_json(labelled.model_dump_json()) == labelled


def test_labels_make_another_request_where_that_is_asked_for() -> None:
    """Other labels, another id; no labels, the same as ever."""
    ids = {
        VideoPlan(request=request(labels={"campaign": name}, label_in_id=True)).id
        for name in ("spring", "autumn")
    }
    assert len(ids | {VideoPlan(request=request()).id}) == 3
    assert request(label_in_id=True).fingerprint() == request().fingerprint()
    assert "label" not in json.dumps(request(labels={"a": "b"}, label_in_id=True).payload())


@pytest.mark.parametrize(
    "labels",
    ["spring", ["spring"], {"": "x"}, {"a" * 60: "x"}, {"a": ["x"]}, {"a": True}, {"a": "x" * 300}, {"a": "x\ny"},
     {"a": "\x1b[31mred"}, {str(number): "x" for number in range(40)}, {"A": "x", "a": "y"}],
    ids=str,
)  # fmt: skip
def test_labels_that_cannot_be_kept_are_an_error(labels: Any) -> None:
    """One sentence of pydantic's."""
    with pytest.raises(ValueError, match="label"):
        request(labels=labels)


def test_columns_of_ones_own_are_labels(tmp_path: Path) -> None:
    """Whatever they are called; an empty cell gives none."""
    path = tmp_path / "a.csv"
    path.write_text("ID,Campaign,prompt,Shot Nr.,label.mood\n7,spring,a fox,2,calm\n8,,an owl,,\n")
    first, second = (one.request for one in read_requests(path, default_model="a/b"))
    assert first.labels == {"campaign": "spring", "id": "7", "mood": "calm", "shot_nr": "2"}
    assert second.labels == {"id": "8"}


@pytest.mark.parametrize(
    ("header", "meant"),
    [("promt", "prompt"), ("Sedd", "seed"), ("secnds", "seconds"), ("negative promt", "negative_prompt")],
)
def test_a_slip_of_the_pen_is_no_label(tmp_path: Path, header: str, meant: str) -> None:
    """A name that is nearly a field's is an error with the name that was meant."""
    path = tmp_path / "a.csv"
    path.write_text(
        f"prompt,{header},model\na fox,x,a/b\n" if meant != "prompt" else f"{header},model\na fox,a/b\n"
    )
    with pytest.raises(InputError, match=f'did you mean "{meant}"'):
        read_requests(path)


@pytest.mark.parametrize(
    ("header", "cell", "field", "value"),
    [
        ("Aspect Ratio", "9:16", "ratio", "9:16"),
        ("Frame Rate", "24", "fps", 24),
        ("Duration", "5s", "seconds", "5"),
        ("Length (s)", "5", "seconds", "5"),
        ("Negative", "rain", "negative_prompt", "rain"),
        ("CFG scale", "7", "guidance_scale", 7.0),
        ("Seed value", "3", "seed", 3),
        ("format", "webm", "output_format", "WEBM"),
    ],
)
def test_other_words_for_a_field_are_understood(
    tmp_path: Path, header: str, cell: str, field: str, value: object
) -> None:
    """As people call it; nothing that changes the video is kept as a mere label."""
    path = tmp_path / "a.csv"
    path.write_text(f"prompt,{header}\na fox,{cell}\n")
    (found,) = read_requests(path, {"model": "minimax/hailuo-02"} if field != "ratio" else None)
    if field != "ratio":
        assert getattr(found.request, field) == value
    assert found.request.labels == {}


@pytest.mark.parametrize(
    "header", ["image", "First Frame", "last frame", "Image URL", "reference", "video", "audio", "size"]
)
def test_a_column_that_means_media_is_no_label(tmp_path: Path, header: str) -> None:
    """It is refused with the field to write: the video without it would be another."""
    path = tmp_path / "a.csv"
    path.write_text(f"prompt,{header}\na fox,fox.png\n")
    with pytest.raises(InputError, match="is not a request field: name it "):
        read_requests(path, default_model="a/b")


def test_labels_of_lines_and_of_options_add_up(tmp_path: Path) -> None:
    """A line's own wins."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "a fox", "labels": {"scene": 3, "mood": "calm"}}\n"an owl"\n')
    options = {"labels": labels_of_options(["mood=dark", "Campaign=spring=2026"])}
    first, second = (one.request.labels for one in read_requests(path, options, "a/b"))
    assert first == {"campaign": "spring=2026", "mood": "calm", "scene": "3"}
    assert second == {"campaign": "spring=2026", "mood": "dark"}
    with pytest.raises(InputError, match="write NAME=VALUE"):
        labels_of_options(["spring"])


def test_labels_name_files() -> None:
    """`{label.NAME}` in the template, made safe for a path; a video without it has a folder that says so."""
    template = check_template("{label.campaign}/{label.shot-nr}/{id}")
    layout = Layout(template=template)
    moment = datetime(2026, 11, 27, tzinfo=UTC)
    labelled = VideoPlan(request=request(labels={"campaign": "Frühling / 2026", "shot-nr": "../7"}))
    assert layout.media(labelled, moment)[0] == f"videos/fruhling-2026/7/{labelled.id}.mp4"
    bare = VideoPlan(request=request())
    assert (
        Layout(template=check_template("{label.Campaign}/{id}"))
        .media(labelled, moment)[0]
        .startswith("videos/fruhling-2026/")
    )
    assert layout.media(bare, moment)[0] == f"videos/no-campaign/no-shot-nr/{bare.id}.mp4"
    for broken in ("{label}/{id}", "{label.__class__}/{id}", "{label.a.b}/{id}", "{label[0]}/{id}"):
        with pytest.raises(ConfigurationError):
            check_template(broken)
