"""A user's own file of models: it adds, corrects field by field, and is wrong in clear words."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from together_video.catalogue import Catalogue, check, estimate
from together_video.catalogue.models import Certainty
from together_video.catalogue.sizes import Size
from together_video.errors import ConfigurationError
from together_video.requests import VideoRequest

HAILUO, SEEDANCE, WAN = "minimax/hailuo-02", "ByteDance/Seedance-2.0", "Wan-AI/wan2.7-t2v"
Write = Callable[[Any], Path]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the file and names it in the environment; text is written as it is."""

    def write(content: Any) -> Path:
        path = tmp_path / "models.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        monkeypatch.setenv("TOGETHER_VIDEO_CATALOGUE", str(path))
        return path

    return write


def test_a_new_model_needs_no_more_than_its_name(own: Write) -> None:
    """What is not said is unknown, and nothing is checked against it."""
    own([{"name": "acme/dream-1"}])
    model = Catalogue.load().get("acme/dream-1")
    assert (model.organisation, model.title, model.offered) == ("acme", "dream-1", True)
    assert (model.size.pixels, model.seconds.longest, model.price) == (None, None, None)
    request = VideoRequest(model="acme/dream-1", prompt="a fox", width=123, height=45)
    assert check(request) == []
    assert model.sources == ("your-file",)
    assert "your own file" in Catalogue.load().sources["your-file"].title


def test_a_correction_changes_what_it_says_and_nothing_else(own: Write) -> None:
    """Objects merge field by field; the other models stay as they are."""
    before = Catalogue.load()
    own({"models": [{"name": HAILUO, "prompt": {"maximum": 5000}, "fps": [24, 25]}]})
    after = Catalogue.load()
    known, corrected = before.get(HAILUO), after.get(HAILUO)
    assert (corrected.prompt.maximum, corrected.prompt.minimum, corrected.fps) == (5000, 2, (24, 25))
    assert corrected.own == ("prompt", "fps")
    assert corrected.sources == (*known.sources, "your-file")
    same = {"prompt", "fps", "own", "sources"}
    assert corrected.model_dump(exclude=same) == known.model_dump(exclude=same)
    assert [m for m in after.models if m.name != HAILUO] == [m for m in before.models if m.name != HAILUO]


def test_facts_that_hold_only_together_are_replaced_together(own: Write) -> None:
    """A new price drops the old one's tiers, a list of seconds the range, and the other way round."""
    own(
        [
            {"name": SEEDANCE, "price": {"usd": "0.1"}, "seconds": {"choices": [5, 10]}},
            {"name": HAILUO, "seconds": {"minimum": 3, "maximum": 12}},
            {
                "name": WAN,
                "size": {"by": "pixels", "pixels": ["1280x720"]},
                "price": {"usd": "2", "unit": "video"},
            },
        ]
    )
    known = Catalogue.load()
    price = known.get(SEEDANCE).price
    assert price is not None
    assert (price.usd, price.unit, price.certainty, price.tiers) == (
        Decimal("0.1"),
        "second",
        Certainty.OWN,
        {},
    )
    assert estimate(VideoRequest(model=SEEDANCE, prompt="a", seconds="5")).usd == Decimal("0.5")
    assert [known.get(SEEDANCE).seconds.allows(Decimal(n)) for n in (5, 7)] == [True, False]
    assert [known.get(HAILUO).seconds.allows(Decimal(n)) for n in (2, 7, 10)] == [False, True, True]
    size = known.get(WAN).size
    assert (size.pixels, size.tiers, size.ratios) == ((Size(1280, 720),), None, None)


def test_null_takes_a_fact_back(own: Write) -> None:
    """A limit that has turned out to be wrong is no longer a limit."""
    own([{"name": HAILUO, "fps": None, "price": None, "negative_prompt": {"fails": None}}])
    model = Catalogue.load().get(HAILUO)
    assert (model.fps, model.price, model.negative_prompt.fails) == (None, None, False)


def test_findings_name_the_file_as_a_source(own: Write) -> None:
    """So that nobody looks in the documents for a limit of their own."""
    own([{"name": HAILUO, "seconds": {"choices": [6]}}])
    (found,) = check(VideoRequest(model=HAILUO, prompt="ab", seconds="9"))
    assert check(VideoRequest(model=HAILUO, prompt="ab", seconds="6")) == []
    assert found.source is not None
    assert found.source.endswith("your-file")


def test_a_default_and_sources_of_ones_own(own: Write) -> None:
    """The default model may be one that the file adds, with sources that it explains."""
    own(
        {
            "models": [{"name": "acme/dream-1", "tasks": ["text-to-video"], "sources": ["wiki"]}],
            "sources": {"wiki": "our own trials"},
            "default_model": "acme/dream-1",
        }
    )
    known = Catalogue.load()
    assert known.default_model.name == "acme/dream-1"
    assert known.sources["wiki"].title == "our own trials"


def test_a_changed_file_is_read_again(own: Write) -> None:
    """A long-lived worker sees the correction; an unchanged file is read once."""
    path = own([{"name": "acme/dream-1", "fps": [24]}])
    first = Catalogue.load()
    assert Catalogue.load() is first
    own([{"name": "acme/dream-1", "fps": [30]}])
    os.utime(path, ns=(1, 1))
    assert Catalogue.load().get("acme/dream-1").fps == (30,)


def test_without_the_variable_the_packaged_catalogue_holds(
    own: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty variable counts as none."""
    own([{"name": "acme/dream-1"}])
    monkeypatch.setenv("TOGETHER_VIDEO_CATALOGUE", " ")
    assert Catalogue.load().find("acme/dream-1") is None
    assert Catalogue.load().own_file is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not JSON: "),
        ("3", 'must be an object with a list of models: {"models": [...]}'),
        ({"models": {}}, "must be an object with a list of models"),
        ({"model": []}, "unknown field 'model'"),
        ({"default_model": ["x"]}, "default_model: there is no model"),
        (
            {"default_model": "google/veo-2.0"},
            "the default google/veo-2.0 is not an available text-to-video model",
        ),
        ({"sources": {"a": 3}}, "sources.a: must be an object, is 3"),
        ([{"nam": "x"}], "models[1]: must be an object with the model's API name as name"),
        ([{"name": ""}], "name"),
        ([{"name": "a/b"}, {"name": "a/b"}], "models[2] (a/b): is listed twice"),
        ([{"name": "a/b", "own": []}], 'models[1] (a/b): unknown field "own"'),
        ([{"name": "a/b", "fsp": 3}], 'unknown field "fsp" (did you mean "fps"?)'),
        ([{"name": "a/b", "seconds": {"choices": 5}}], "seconds.choices: must be a list, is 5"),
        (
            [{"name": "a/b", "size": {"pixels": ["12"]}}],
            "size.pixels[0]: '12' is not a size such as 1280x720",
        ),
        ([{"name": "a/b", "price": {"usd": "1"}}], "price.unit: is missing"),
        ([{"name": "a/b", "sources": ["q"]}], "sources: q is not among the sources"),
        ([{"name": SEEDANCE, "size": {"tiers": [{"name": "1p"}]}}], "ByteDance/Seedance-2.0 has no tier"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_field(own: Write, content: Any, words: str) -> None:
    """One sentence that begins with the variable and the file."""
    path = own(content)
    with pytest.raises(ConfigurationError) as caught:
        Catalogue.load()
    assert caught.value.message.startswith(f"TOGETHER_VIDEO_CATALOGUE: {path}: ")
    assert words in caught.value.message
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("kind", ["missing", "folder", "bytes"])
def test_a_file_that_cannot_be_read_is_named(
    own: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """No traceback for a file that does not exist, is a folder, or is not text."""
    path = {"missing": tmp_path / "none.json", "folder": tmp_path, "bytes": tmp_path / "b.json"}[kind]
    if kind == "bytes":
        path.write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("TOGETHER_VIDEO_CATALOGUE", str(path))
    with pytest.raises(ConfigurationError, match="TOGETHER_VIDEO_CATALOGUE"):
        Catalogue.load()
