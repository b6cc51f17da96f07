"""The table of models, the sheet of one, and the example of each."""

import json
from collections import Counter

import pytest

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.checks import check
from together_video.catalogue.examples import example_request
from together_video.catalogue.models import Model
from together_video.catalogue.sheets import UNKNOWN, sheet, table_rows

MODELS = Catalogue.load().models


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_an_example_passes_every_check(model: Model):
    """No finding but that a retired model is retired, not even with strictness."""
    found = check(example_request(model))
    gone = ("advice" if model.still_documented else "warning", "model")
    assert [(each.level.value, each.field) for each in found] == ([] if model.offered else [gone])


def test_an_example_shows_how_the_model_is_asked():
    """Pixels or tiers, a prompt or a frame, whichever is the model's way."""
    known = Catalogue.load()
    lite = example_request(known.get("ByteDance/Seedance-1.0-lite"))
    assert (lite.width, lite.height, lite.seconds) == (1248, 704, "5")
    wan = example_request(known.get("Wan-AI/wan2.7-r2v"))
    assert (wan.resolution, wan.ratio, wan.width) == ("1080P", "16:9", None)
    assert wan.media is not None
    assert wan.media.reference_images == ("https://example.com/fox.png",)
    kling = example_request(known.get("kwaivgI/kling-2.1-pro"))
    assert kling.prompt is None
    assert kling.media is not None
    assert kling.media.frame_images is not None


def test_the_table_has_every_model_with_those_on_offer_first():
    """One row a model; what is retired stands at the end."""
    rows = table_rows()
    assert {row.model for row in rows} == {model.name for model in MODELS}
    offered = [row.offered for row in rows]
    assert offered[:22] == ["yes"] * 22
    assert Counter(offered[22:]) == {"retired": 12, "not listed": 6, "ended 2026-09-24": 2}


def test_a_row_tells_the_essentials():
    """Hand-checked rows: per video, by tier, without a documented unit, and hardly known."""
    rows = {row.model: row for row in table_rows()}
    hailuo = rows["minimax/hailuo-02"]
    assert (hailuo.seconds, hailuo.sizes, hailuo.fps) == ("10", "1366x768, 1920x1080", "25")
    assert (hailuo.prompt, hailuo.price) == ("2-3000 characters", "0.49 USD/video of 10 s")
    assert rows["pixverse/pixverse-v5"].sizes == "270x360 … 1920x1080 (20)"
    assert rows["ByteDance/Seedance-2.0"].price == "0.16 to 1.05 USD/s"
    assert rows["ByteDance/Seedance-2.0"].audio == "yes, can be off"
    assert rows["Wan-AI/wan2.7-t2v"].price == "0.02 to 0.10 USD/s"
    assert rows["google/veo-3.1"].price == "0.08 USD/s"
    assert rows["kwaivgI/kling-2.1-master"].prompt == "2-2500 characters, optional"
    assert (rows["Wan-AI/wan2.7-videoedit"].price, rows["Wan-AI/wan2.7-videoedit"].certainty) == (
        UNKNOWN,
        "unknown",
    )
    assert rows["kwaivgI/kling-2.1-pro"].prompt == "not supported"
    assert rows["vidu/vidu-q3"].seconds == UNKNOWN


def test_a_sheet_tells_everything():
    """Table of sizes, media with their limits, the notes, the sources by title."""
    known = Catalogue.load()
    wan = dict(sheet(known.get("Wan-AI/wan2.7-i2v")))
    assert "720P (16:9 1280x720, 9:16 720x1280" in wan["Size"]
    assert wan["Seconds"] == "2-15, 5 by default"
    assert wan["Media"].endswith("needs frame_images or frame_videos")
    assert "Wan 2.7 quickstart" in wan["Sources"]
    newest = sheet(known.get("ByteDance/Seedance-2.5"))
    assert [text for label, text in newest if label == "Note"] == list(
        known.get("ByteDance/Seedance-2.5").notes
    )
    assert dict(newest)["Ratios"] == "not supported"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_sheet_ends_with_an_example_that_can_be_sent(model: Model):
    """The example is JSON, for this model; no text of a sheet is empty or a Python value."""
    lines = sheet(model)
    example = json.loads(dict(lines)["Example request"])
    assert example["model"] == model.name
    assert all(text and "None" not in text and "Decimal" not in text for _, text in lines)
