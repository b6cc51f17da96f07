"""Loading the catalogue and finding models in it."""

import json
from importlib import resources
from typing import Any

import pytest
from pydantic import ValidationError

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.models import Certainty
from together_video.errors import RequestInvalid


def document() -> dict[str, Any]:
    """The packaged JSON, to be broken by a test."""
    text = resources.files("together_video.catalogue").joinpath("catalogue.json").read_text(encoding="utf-8")
    loaded = json.loads(text)
    assert isinstance(loaded, dict)
    return loaded


def refusal(name: str) -> str:
    with pytest.raises(RequestInvalid) as caught:
        Catalogue.load().get(name)
    assert caught.value.field == "model"
    return caught.value.message


def test_the_packaged_catalogue_is_read_once():
    """Every caller gets the same object."""
    assert Catalogue.load() is Catalogue.load()


def test_a_model_is_found_by_its_api_name():
    """The exact name finds the model, and `find` gives None when `get` raises."""
    known = Catalogue.load()
    assert known.get("minimax/hailuo-02").title == "MiniMax Hailuo 02"
    assert known.find("minimax/hailuo-03") is None


def test_the_default_model_makes_videos_from_text_at_a_known_price():
    """The default model is offered, documented and priced."""
    model = Catalogue.load().default_model
    assert model.offered
    assert model.knows_text
    assert model.price is not None
    assert model.price.certainty is Certainty.DOCUMENTED
    assert model.size.pixels


def test_a_name_in_another_case_is_told_the_right_one():
    """API names are case-sensitive: the message says so and gives the name."""
    message = refusal("bytedance/seedance-1.0-LITE")
    assert message.endswith("names are case-sensitive, write ByteDance/Seedance-1.0-lite.")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("minimax/hailuo-2", "minimax/hailuo-02"),
        ("veo-3.1", "google/veo-3.1"),
        ("wan2.7-t2v", "Wan-AI/wan2.7-t2v"),
        ("seedance", "ByteDance/Seedance-2.5"),
        ("kling", "kwaivgI/kling-1.6-pro"),
        ("kling 2.1 master", "kwaivgI/kling-2.1-master"),
    ],
)
def test_a_misspelt_name_is_told_the_near_ones(typed: str, meant: str):
    """A slip of the finger, or a name without its organisation, is understood."""
    assert f"did you mean {meant}" in refusal(typed)


def test_a_name_like_no_other_is_told_the_default():
    """Where nothing is near, one model that works is named; a long name is cut short."""
    message = refusal("q" * 300)
    assert "try ByteDance/Seedance-1.0-lite" in message
    assert "add it to your own file (TOGETHER_VIDEO_CATALOGUE)" in message
    assert len(message) < 280


def test_offered_models_can_be_listed_by_organisation():
    """Retired models are not among them."""
    names = [model.name for model in Catalogue.load().offered_by("Google")]
    assert names == ["google/veo-3.1", "google/veo-3.1-lite"]
    assert Catalogue.load().offered_by("OpenAI") == ()


def test_a_catalogue_is_built_from_text():
    """The JSON text alone makes a catalogue that equals the packaged one."""
    assert Catalogue.from_json(json.dumps(document())) == Catalogue.load()


def test_a_catalogue_survives_its_own_json():
    """What is written out as JSON is read back as the same."""
    known = Catalogue.load()
    assert Catalogue.from_json(known.model_dump_json(by_alias=True)) == known


def test_a_model_named_twice_is_refused():
    """Two entries of one name would leave open which of them holds."""
    broken = document()
    broken["models"].append(broken["models"][0])
    with pytest.raises(ValidationError, match="named twice: minimax/video-01-director"):
        Catalogue.from_json(json.dumps(broken))


def test_a_source_that_is_not_listed_is_refused():
    """Every fact leads to a source that says what it is."""
    broken = document()
    broken["models"][0]["sources"] = ["hearsay"]
    with pytest.raises(ValidationError, match="not listed: hearsay"):
        Catalogue.from_json(json.dumps(broken))


@pytest.mark.parametrize("name", ["google/veo-3.0", "Wan-AI/wan2.7-i2v", "nobody/nothing"])
def test_a_default_that_cannot_be_used_is_refused(name: str):
    """A retired, image-only or unknown model cannot be the default."""
    broken = document()
    broken["default_model"] = name
    with pytest.raises(ValidationError, match="not an available text-to-video model"):
        Catalogue.from_json(json.dumps(broken))


def test_a_price_for_a_tier_that_does_not_exist_is_refused():
    """A typing error in the tiers of a price would otherwise never be found."""
    broken = document()
    model = next(each for each in broken["models"] if each["name"] == "ByteDance/Seedance-2.0")
    model["price"]["tiers"]["721p"] = {"usd": "1"}
    with pytest.raises(ValidationError, match="has no tier 721p"):
        Catalogue.from_json(json.dumps(broken))


def test_a_field_that_nobody_knows_is_refused():
    """A misspelt field is not silently ignored."""
    broken = document()
    broken["models"][0]["framerate"] = [24]
    with pytest.raises(ValidationError, match="framerate"):
        Catalogue.from_json(json.dumps(broken))


def test_a_size_that_is_none_is_refused():
    """Sizes are written as width x height, in whole pixels."""
    broken = document()
    broken["models"][0]["size"]["pixels"] = ["1366*768"]
    with pytest.raises(ValidationError, match="not a size such as 1280x720"):
        Catalogue.from_json(json.dumps(broken))
