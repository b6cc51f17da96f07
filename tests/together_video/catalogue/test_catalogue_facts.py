"""The catalogue against the documents' tables, written down here a second time."""

from datetime import date
from decimal import Decimal

import pytest

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.models import Certainty, Model, Task
from together_video.catalogue.sizes import Size

# API name, offered, tasks, seconds, number of pixel sizes, frame rates, keyframes, prompt length, price.
# A dash: not documented.
TABLE = """
minimax/video-01-director   yes t2v+i2v         5     1  25    first      2..3000  0.28/video
minimax/hailuo-02           yes t2v+i2v         10    2  25    first      2..3000  0.49/video
MiniMaxAI/MiniMax-H3        yes -               -     0  -     -          -..-     0.1391/second
google/veo-2.0              no  t2v+i2v         5     2  24    first,last 2..3000  2.5/video
google/veo-3.0              no  t2v+i2v         8     4  24    first      2..3000  1.6/video
google/veo-3.0-audio        no  t2v+i2v         8     4  24    first      2..3000  3.2/video
google/veo-3.0-fast         no  t2v+i2v         8     4  24    first      2..3000  0.8/video
google/veo-3.0-fast-audio   no  t2v+i2v         8     4  24    first      2..3000  1.2/video
google/veo-3.1              yes t2v+i2v         4,6,8 4  24    first,last -..-     0.08/second
google/veo-3.1-lite         yes t2v+i2v         4,6,8 4  24    first,last -..-     0.05/second
ByteDance/Seedance-1.0-lite yes t2v+i2v         5     10 24    first,last 2..3000  0.143/video
ByteDance/Seedance-1.0-pro  yes t2v+i2v         5     10 24    first,last 2..3000  0.57/video
ByteDance/Seedance-2.0      yes t2v+i2v+r2v+v2v 4-15  0  24    first,last -..-     0.16/second
ByteDance/Seedance-2.5      yes t2v+i2v+r2v     4-30  0  24    first,last 2..10000 0.115/second
pixverse/pixverse-v5        yes t2v+i2v         5     20 16,24 first,last 2..2048  0.3/video
pixverse/pixverse-v5.6      yes -               -     0  -     -          -..-     0.1326/second
pixverse/pixverse-v6        yes -               -     0  -     -          -..-     0.09/second
kwaivgI/kling-2.1-master    no  t2v+i2v         5     3  24    first      2..2500  0.92/video
kwaivgI/kling-2.1-standard  no  i2v             5     3  24    first      none     0.18/video
kwaivgI/kling-2.1-pro       no  i2v             5     3  24    first,last none     0.3234/video
kwaivgI/kling-2.0-master    no  t2v+i2v         5     3  24    first      2..2500  0.92/video
kwaivgI/kling-1.6-standard  no  t2v+i2v         5     3  30,24 first      2..2500  0.19/video
kwaivgI/kling-1.6-pro       no  i2v             5     3  24    first      none     0.32/video
Wan-AI/Wan2.2-I2V-A14B      no  i2v             -     0  -     -          -..-     0.31/video
Wan-AI/Wan2.2-T2V-A14B      no  t2v             -     0  -     -          -..-     0.66/video
Wan-AI/wan2.7-t2v           yes t2v             2-15  0  30    -          -..5000  0.1/second
Wan-AI/wan2.7-i2v           yes i2v             2-15  0  30    first,last -..5000  0.1/second
Wan-AI/wan2.7-r2v           yes r2v             2-10  0  30    -          -..5000  0.1/second
Wan-AI/wan2.7-videoedit     no  v2v             2-10  0  30    -          -..5000  -
alibaba/happyhorse-1.0-t2v  no  t2v             -     0  -     -          -..-     0.24/second
alibaba/happyhorse-1.0-i2v  no  i2v             -     0  -     first      -..-     0.24/second
alibaba/happyhorse-1.0-r2v  no  r2v             -     0  -     -          -..-     0.24/second
alibaba/happyhorse-1.1-t2v  yes t2v             -     0  -     -          -..-     0.14/second
alibaba/happyhorse-1.1-i2v  yes i2v             -     0  -     first      -..-     0.14/second
alibaba/happyhorse-1.1-r2v  yes r2v             -     0  -     -          -..-     0.14/second
vidu/vidu-2.0               no  t2v+i2v         8     9  24    first,last 2..3000  0.28/video
vidu/vidu-q1                yes t2v+i2v         5     3  24    first,last 2..3000  0.22/video
vidu/vidu-q3                yes -               -     0  -     -          -..-     0.0975/second
vidu/vidu-q3-turbo          yes -               -     0  -     -          -..-     0.195/second
openai/sora-2               no  t2v+i2v         8     2  -     first      1..4000  0.8/video
openai/sora-2-pro           no  t2v+i2v         8     2  -     first      1..4000  2.4/video
black-forest-labs/FLUX-3    yes -               -     0  -     -          -..-     0.17/second
"""

TASKS = {"t2v": Task.TEXT, "i2v": Task.IMAGE, "r2v": Task.REFERENCE, "v2v": Task.VIDEO}
ROWS = [line.split() for line in TABLE.strip().splitlines()]


def numbers(text: str) -> tuple[int, ...] | None:
    return None if text == "-" else tuple(int(part) for part in text.split(","))


def model(name: str) -> Model:
    return Catalogue.load().get(name)


def test_the_models_are_those_of_the_table():
    """No model is missing and none has been made up."""
    assert [row[0] for row in ROWS] == [each.name for each in Catalogue.load().models]
    assert len(ROWS) == 42


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_model_has_the_numbers_of_the_table(row: list[str]):
    """Every number of the documents' tables is in the catalogue as it stands there."""
    name, offered, tasks, seconds, sizes, fps, keyframes, prompt, price = row
    found = model(name)
    assert found.offered is (offered == "yes")
    assert found.tasks == (None if tasks == "-" else tuple(TASKS[task] for task in tasks.split("+")))
    if "-" in seconds and seconds != "-":
        assert (found.seconds.minimum, found.seconds.maximum) == tuple(map(int, seconds.split("-")))
        assert (found.seconds.choices, found.seconds.default) == (None, 5)
    else:
        assert found.seconds.choices == numbers(seconds)
        assert (found.seconds.minimum, found.seconds.maximum, found.seconds.default) == (None, None, None)
    assert len(found.size.pixels or ()) == int(sizes)
    assert found.fps == numbers(fps)
    assert found.keyframes == (None if keyframes == "-" else tuple(keyframes.split(",")))
    if prompt == "none":
        assert found.prompt.use == "unsupported"
    else:
        limits = [None if part == "-" else int(part) for part in prompt.split("..")]
        assert [found.prompt.minimum, found.prompt.maximum] == limits
    if price == "-":
        assert found.price is None
    else:
        usd, unit = price.split("/")
        assert found.price is not None
        assert (found.price.usd, found.price.unit) == (Decimal(usd), unit)
        assert found.price.unit_documented


def test_the_sizes_are_those_of_the_documents():
    """Hand-picked sizes: a short list, a long one, and the table of a tier-sized model."""
    assert model("minimax/hailuo-02").size.pixels == (Size(1366, 768), Size(1920, 1080))
    lite = model("ByteDance/Seedance-1.0-lite").size.pixels or ()
    assert (lite[0], lite[3], lite[-1]) == (Size(864, 480), Size(960, 416), Size(640, 1504))
    pixverse = model("pixverse/pixverse-v5").size.pixels or ()
    assert (pixverse[0], pixverse[8], pixverse[-1]) == (Size(640, 360), Size(405, 540), Size(1080, 1920))
    for kind in ("t2v", "i2v", "r2v", "videoedit"):
        size = model(f"Wan-AI/wan2.7-{kind}").size
        assert (size.default_tier, size.default_ratio) == ("1080P", "16:9")
        assert [tier.name for tier in size.tiers or ()] == ["720P", "1080P"]
        low, high = size.tiers or ()
        assert (low.sizes["4:3"], high.sizes["1:1"]) == (Size(1104, 832), Size(1440, 1440))


def test_tiers_keep_the_spelling_of_their_model():
    """Wan writes 720P, Seedance 720p, MiniMax H3 2k; Seedance 2.5 takes no ratio at all."""
    tiers = {
        name: [tier.name for tier in model(name).size.tiers or ()]
        for name in ("ByteDance/Seedance-2.0", "ByteDance/Seedance-2.5", "MiniMaxAI/MiniMax-H3")
    }
    assert tiers == {
        "ByteDance/Seedance-2.0": ["480p", "720p", "1080p", "4k"],
        "ByteDance/Seedance-2.5": ["480p", "720p"],
        "MiniMaxAI/MiniMax-H3": ["2k"],
    }
    assert model("ByteDance/Seedance-2.5").size.ratios == ()
    assert model("ByteDance/Seedance-2.0").size.ratios == ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9")


def test_prices_by_tier_are_those_of_the_documents():
    """The rates of Seedance 2.x, those for a video as input included."""
    price = model("ByteDance/Seedance-2.0").price
    assert price is not None
    assert {name: str(rate.usd) for name, rate in price.tiers.items()} == {
        "720p": "0.16",
        "1080p": "0.4",
        "4k": "0.836",
    }
    assert {name: str(rate.usd) for name, rate in price.tiers_with_video.items()} == {
        "1080p": "0.48",
        "4k": "1.05",
    }
    newer = model("ByteDance/Seedance-2.5").price
    assert newer is not None
    assert {name: str(rate.usd) for name, rate in newer.tiers.items()} == {"480p": "0.115", "720p": "0.249"}
    assert newer.tiers["720p"].starting_from


def test_what_a_price_is_given_for_is_kept():
    """The length and the size beside a documented price."""
    covers = {name: model(name).price.covers for name in ("minimax/hailuo-02", "openai/sora-2-pro")}  # type: ignore[union-attr]
    assert (covers["minimax/hailuo-02"].seconds, covers["minimax/hailuo-02"].lines) == (10, 768)
    assert (covers["openai/sora-2-pro"].seconds, covers["openai/sora-2-pro"].lines) == (8, 1080)


def test_a_price_of_a_third_party_is_marked_as_such():
    """Only Together's own documentation counts as documented."""
    certainty = {each.name: each.price.certainty for each in Catalogue.load().models if each.price}
    assert certainty["kwaivgI/kling-2.1-master"] is Certainty.THIRD_PARTY
    assert certainty["kwaivgI/kling-2.1-pro"] is Certainty.THIRD_PARTY
    assert certainty["Wan-AI/wan2.7-t2v"] is Certainty.ASSUMED
    assert certainty["vidu/vidu-q1"] is Certainty.DOCUMENTED
    assert sum(each is Certainty.THIRD_PARTY for each in certainty.values()) == 12


def test_media_rules_are_those_of_the_documents():
    """What is needed, how many, and what does not go together."""
    required = {each.name: each.media.required for each in Catalogue.load().models if each.media.required}
    assert required == {
        "kwaivgI/kling-2.1-standard": (("frame_images",),),
        "kwaivgI/kling-2.1-pro": (("frame_images",),),
        "kwaivgI/kling-1.6-pro": (("frame_images",),),
        "Wan-AI/wan2.7-i2v": (("frame_images", "frame_videos"),),
        "Wan-AI/wan2.7-r2v": (("reference_images", "reference_videos"),),
        "Wan-AI/wan2.7-videoedit": (("source_video",),),
        "alibaba/happyhorse-1.0-i2v": (("frame_images",),),
        "alibaba/happyhorse-1.0-r2v": (("reference_images",),),
        "alibaba/happyhorse-1.1-i2v": (("frame_images",),),
        "alibaba/happyhorse-1.1-r2v": (("reference_images",),),
    }
    accepted = model("ByteDance/Seedance-2.5").media.accepted or {}
    assert {field.value: rule.maximum for field, rule in accepted.items()} == {
        "frame_images": 2,
        "reference_images": 30,
        "reference_videos": 10,
        "reference_audios": 10,
    }


def test_the_corrections_of_november_are_in():
    """What was found wrong on 2026-11-26, each with its source."""
    models = {each.name: each for each in Catalogue.load().models}
    by_the_second = [each for each in models.values() if each.price and "pricing" in each.sources]
    assert len(by_the_second) == 13
    assert {each.price.unit for each in by_the_second if each.price} == {"second"}
    for kind in ("t2v", "i2v", "r2v"):
        wan = models[f"Wan-AI/wan2.7-{kind}"]
        assert wan.price is not None
        assert (wan.price.usd, wan.price.low_usd) == (Decimal("0.1"), Decimal("0.02"))
        assert "field-reports" in wan.sources
    assert [
        models[f"Wan-AI/wan2.7-{kind}"].media.rejects_others for kind in ("t2v", "i2v", "r2v", "videoedit")
    ] == [True] * 4
    assert {each.name for each in models.values() if each.still_documented} == {
        "google/veo-2.0",
        "kwaivgI/kling-2.1-standard",
        "Wan-AI/wan2.7-videoedit",
        "alibaba/happyhorse-1.0-t2v",
        "alibaba/happyhorse-1.0-i2v",
        "alibaba/happyhorse-1.0-r2v",
    }
    assert {each.name for each in models.values() if each.ended == date(2026, 9, 24)} == {
        "openai/sora-2",
        "openai/sora-2-pro",
    }
    assert {each.name.rpartition("/")[2] for each in models.values() if not each.size.certain} == {
        *("MiniMax-H3", "pixverse-v5.6", "pixverse-v6", "vidu-q3", "vidu-q3-turbo", "FLUX-3"),
        *(f"happyhorse-1.{minor}-{kind}" for minor in (0, 1) for kind in ("t2v", "i2v", "r2v")),
        *("Wan2.2-I2V-A14B", "Wan2.2-T2V-A14B"),
    }
    assert {each.name for each in models.values() if each.prompt.use == "optional"} == {
        "kwaivgI/kling-2.1-master",
        "kwaivgI/kling-2.0-master",
        "kwaivgI/kling-1.6-standard",
    }
    assert models["google/veo-3.1"].sizes_from == "rust-client"
    assert models["google/veo-3.1"].limits_from == "puter-table, rust-client"
