"""Each rule of the check with a request that passes and one that does not."""

from typing import Any

import pytest
from hypothesis import given, settings

from tests.together_video.catalogue.any_request import REQUESTS
from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.checks import check, refuse_errors
from together_video.catalogue.findings import Level
from together_video.catalogue.pricing import estimate
from together_video.errors import RequestInvalid
from together_video.requests import VideoRequest

LITE, HAILUO, VEO = "ByteDance/Seedance-1.0-lite", "minimax/hailuo-02", "google/veo-3.1"
SEEDANCE2, SEEDANCE25 = "ByteDance/Seedance-2.0", "ByteDance/Seedance-2.5"
WAN, WAN_I2V, KLING = "Wan-AI/wan2.7-t2v", "Wan-AI/wan2.7-i2v", "kwaivgI/kling-2.1-pro"
FLUX, DIRECTOR = "black-forest-labs/FLUX-3", "minimax/video-01-director"
URL = "https://example.com/a.png"
FRAME = {"input_image": URL}
VIDEO = {"video": "https://example.com/a.mp4"}


def asked(model: str, **fields: Any) -> VideoRequest:
    return VideoRequest.model_validate({"model": model, "prompt": "a fox in the snow", **fields})


def findings(model: str, **fields: Any) -> list[tuple[str, str]]:
    """Level and field of every finding, but that the model is retired."""
    found = check(asked(model, **fields))
    return [(each.level.value, each.field) for each in found if each.field != "model"]


def message(model: str, **fields: Any) -> str:
    """The one message of a request that breaks one rule; advice aside."""
    every = check(asked(model, **fields))
    found = [each for each in every if each.level is not Level.ADVICE and each.rule != "model_is_offered"]
    assert len(found) == 1
    return found[0].message


def frames(*places: object) -> dict[str, Any]:
    return {"frame_images": [{**FRAME, "frame": place} if place is not None else FRAME for place in places]}


PASSING: list[tuple[str, dict[str, Any]]] = [
    (LITE, {}),
    (LITE, {"prompt": "ab"}),
    (LITE, {"prompt": "a" * 3000}),
    (FLUX, {"prompt": "a" * 32_000}),
    (KLING, {"prompt": None, "media": frames("first")}),
    (LITE, {"negative_prompt": "blurry"}),
    (WAN, {"negative_prompt": "a" * 500}),
    (LITE, {"width": 1248, "height": 704}),
    (FLUX, {"width": 123, "height": 457}),
    (WAN, {"resolution": "720P", "ratio": "9:16"}),
    (SEEDANCE25, {"resolution": "480p"}),
    (LITE, {"seconds": 5}),
    (WAN, {"seconds": "15"}),
    (VEO, {"seconds": 6}),
    (FLUX, {"seconds": 10}),
    ("pixverse/pixverse-v5", {"fps": 16}),
    (FLUX, {"fps": 60}),
    (LITE, {"steps": 50, "guidance_scale": 10, "output_quality": 20}),
    (WAN, {"output_format": "MP4"}),
    (LITE, {"output_format": "WEBM"}),
    (WAN, {"seed": 2_147_483_647}),
    (LITE, {"seed": -1}),
    (VEO, {"generate_audio": True}),
    (WAN, {"generate_audio": True}),
    (SEEDANCE2, {"extra": {"settings": {"audio": False}}}),
    (WAN_I2V, {"media": {"frame_videos": [VIDEO]}}),
    (WAN_I2V, {"media": {**frames("first", "last"), "audio_inputs": ["https://example.com/a.MP3?x=1"]}}),
    (SEEDANCE25, {"media": {"reference_images": [URL] * 30, "reference_audios": [URL] * 10}}),
    (SEEDANCE25, {"media": frames(None, None)}),
    (HAILUO, {"media": {"reference_images": [URL], **frames(0)}}),
    ("alibaba/happyhorse-1.1-r2v", {"media": {"reference_images": [URL]}}),
    (LITE, {"media": frames("first", 120)}),
    (FLUX, {"media": {"frame_images": []}}),
    (LITE, {"extra": {"watermark": False}}),
]


@pytest.mark.parametrize(("model", "fields"), PASSING)
def test_what_the_documents_allow_passes(model: str, fields: dict[str, Any]):
    """A request within what is documented gives no finding at all."""
    assert findings(model, **fields) == []


BROKEN: list[tuple[str, dict[str, Any], str, str]] = [
    # What cannot work.
    (LITE, {"prompt": None}, "error", "prompt"),
    (LITE, {"prompt": "a"}, "error", "prompt"),
    (LITE, {"prompt": "a" * 3001}, "error", "prompt"),
    (KLING, {"prompt": None}, "error", "media.frame_images"),
    (WAN_I2V, {}, "error", "media.frame_images"),
    (WAN_I2V, {"media": {"frame_images": [], "audio_inputs": [URL]}}, "error", "media.frame_images"),
    ("Wan-AI/wan2.7-videoedit", {}, "error", "media.source_video"),
    (SEEDANCE25, {"media": {**frames(None), "reference_images": [URL]}}, "error", "media.reference_images"),
    (WAN, {"media": {"reference_images": [URL]}}, "error", "media.reference_images"),
    # What is outside of the documents.
    (KLING, {"media": frames("first")}, "warning", "prompt"),
    (HAILUO, {"negative_prompt": "blurry"}, "warning", "negative_prompt"),
    (WAN, {"negative_prompt": "a" * 501}, "warning", "negative_prompt"),
    (LITE, {"width": 1280, "height": 720}, "warning", "width"),
    (LITE, {"width": 640}, "warning", "height"),
    (LITE, {"height": 640}, "warning", "width"),
    (FLUX, {"height": 640}, "warning", "width"),
    (WAN, {"width": 1280, "height": 720}, "warning", "width"),
    (WAN, {"height": 720}, "warning", "height"),
    (WAN, {"resolution": "720p"}, "warning", "resolution"),
    (WAN, {"resolution": "480P"}, "warning", "resolution"),
    (LITE, {"resolution": "720p"}, "warning", "resolution"),
    (WAN, {"ratio": "21:9"}, "warning", "ratio"),
    (SEEDANCE25, {"ratio": "16:9"}, "warning", "ratio"),
    (LITE, {"ratio": "16:9"}, "warning", "ratio"),
    (LITE, {"seconds": 6}, "warning", "seconds"),
    (WAN, {"seconds": 1}, "warning", "seconds"),
    (WAN, {"seconds": 16}, "warning", "seconds"),
    (WAN, {"seconds": "5.5"}, "warning", "seconds"),
    (LITE, {"fps": 25}, "warning", "fps"),
    (LITE, {"guidance_scale": 12.5}, "warning", "guidance_scale"),
    (LITE, {"guidance_scale": 7.5}, "warning", "guidance_scale"),
    ("kwaivgI/kling-2.1-master", {"prompt": None}, "warning", "prompt"),
    (SEEDANCE25, {"media": {"reference_audios": [URL]}}, "warning", "media.reference_audios"),
    (LITE, {"media": frames(None, None, None)}, "warning", "media.frame_images"),
    (WAN_I2V, {"media": {**frames("first"), "reference_images": [URL]}}, "error", "media.reference_images"),
    (WAN, {"output_format": "WEBM"}, "warning", "output_format"),
    (WAN, {"seed": -1}, "warning", "seed"),
    ("google/veo-3.0", {"generate_audio": True}, "warning", "generate_audio"),
    (SEEDANCE2, {"generate_audio": False}, "warning", "generate_audio"),
    (WAN, {"generate_audio": False}, "warning", "generate_audio"),
    (SEEDANCE25, {"extra": {"settings": {"audio": False}}}, "warning", "extra.settings.audio"),
    ("Wan-AI/Wan2.2-I2V-A14B", {}, "warning", "media"),
    (HAILUO, {"media": {"source_video": VIDEO}}, "warning", "media.source_video"),
    (SEEDANCE25, {"media": {"reference_videos": [VIDEO] * 11}}, "warning", "media.reference_videos"),
    (
        SEEDANCE25,
        {"media": {"reference_audios": ["data:audio/wav;base64,AA"]}},
        "warning",
        "media.reference_audios",
    ),
    (LITE, {"media": {"frame_images": [{"input_image": "A" * 60_001}]}}, "warning", "media.frame_images"),
    (WAN, {"media": {"audio_inputs": ["https://example.com/a.ogg"]}}, "warning", "media.audio_inputs"),
    (DIRECTOR, {"media": {"reference_images": [URL]}}, "warning", "media.reference_images"),
    ("alibaba/happyhorse-1.1-t2v", {"media": frames("first")}, "warning", "media.frame_images"),
    (DIRECTOR, {"media": frames("last")}, "warning", "media.frame_images"),
    (DIRECTOR, {"media": frames(None, None)}, "warning", "media.frame_images"),
    (LITE, {"media": frames("first", 60)}, "warning", "media.frame_images"),
    (FLUX, {"seconds": 5, "fps": 24, "media": frames(121)}, "warning", "media.frame_images"),
    # What may work better, and what nobody knows.
    (HAILUO, {"seconds": 6}, "advice", "seconds"),
    (FLUX, {"seconds": 11}, "advice", "seconds"),
    (FLUX, {"fps": 120}, "advice", "fps"),
    (LITE, {"guidance_scale": 11}, "advice", "guidance_scale"),
    (LITE, {"generate_audio": True}, "advice", "generate_audio"),
    (FLUX, {"resolution": "720p"}, "advice", "resolution"),
    (FLUX, {"ratio": "16:9"}, "advice", "ratio"),
    ("MiniMaxAI/MiniMax-H3", {"resolution": "720p"}, "advice", "resolution"),
    ("MiniMaxAI/MiniMax-H3", {"width": 1280, "height": 720}, "advice", "width"),
    (FLUX, {"media": {"reference_images": [URL]}}, "advice", "media.reference_images"),
]


@pytest.mark.parametrize(("model", "fields", "level", "field"), BROKEN)
def test_what_the_documents_do_not_allow_is_found(model: str, fields: dict[str, Any], level: str, field: str):
    """Each broken rule gives its finding, on its field, with its weight."""
    assert (level, field) in findings(model, **fields)


@pytest.mark.parametrize(
    ("model", "fields", "would_pass"),
    [
        (LITE, {"width": 1280, "height": 720}, "the nearest is 1248x704"),
        (LITE, {"width": 640}, "has 640x640, 640x1504"),
        (LITE, {"resolution": "480p"}, "here 864x480"),
        (LITE, {"ratio": "1:1"}, "here 640x640"),
        (WAN, {"width": 720, "height": 1280}, "give resolution 720P and ratio 9:16"),
        (WAN, {"resolution": "1080p"}, "writes its tier 1080P, not '1080p'"),
        (WAN, {"resolution": "2k"}, "it has 720P, 1080P; 1080P is the nearest"),
        (WAN, {"ratio": "2:1"}, "; 16:9 is the nearest"),
        (WAN, {"seconds": 1}, "makes 2-15 s, not 1; the nearest is 2"),
        (VEO, {"seconds": 5}, "makes 4, 6, 8 s, not 5; the nearest is 4"),
        (WAN, {"seconds": "5.5"}, "6 is safe"),
        ("pixverse/pixverse-v5", {"fps": 30}, "makes 16 or 24 frames per second, not 30; the nearest is 24"),
        (LITE, {"prompt": "a" * 4000}, "has 4000 characters; ByteDance/Seedance-1.0-lite takes at most 3000"),
        (SEEDANCE2, {"generate_audio": False}, "set settings.audio through extra"),
        (WAN_I2V, {}, "needs media.frame_images or media.frame_videos"),
        (WAN, {"media": {"source_video": VIDEO}}, "it takes media.audio_inputs"),
        (LITE, {"media": frames("first", 60)}, "takes only the first and the last frame, not frame 60"),
        (LITE, {"media": frames(None, None, None)}, "takes only the first and the last frame, not frame 60"),
        (SEEDANCE2, {"media": frames(None, None, None)}, "frame, not frame 60"),
        ("openai/sora-2", {"media": frames(None, None, None)}, "not frames between, the last"),
        (
            SEEDANCE25,
            {"media": {"reference_audios": [URL]}},
            "together with media.reference_images or media.reference_v",
        ),
        (
            LITE,
            {"guidance_scale": 7.5},
            "whole number, such as 8: a gateway that validates requests refuses 7.5",
        ),
        (FLUX, {"seconds": 5, "fps": 24, "media": frames("first", 121)}, "5 s at 24 fps end with frame 120"),
    ],
)
def test_a_message_says_what_would_pass(model: str, fields: dict[str, Any], would_pass: str):
    """One whole sentence with the nearest size, length, tier or field."""
    found = message(model, **fields)
    assert would_pass in found
    assert found.endswith(".")


def test_an_unknown_model_is_one_error():
    """Nothing else can be said of a request to a model that does not exist."""
    found = check(asked("google/veo-9"))
    assert [(each.level, each.field) for each in found] == [(Level.ERROR, "model")]
    assert "did you mean google/veo-" in found[0].message


def test_a_retired_model_is_a_warning_that_names_others():
    """It may still answer, so it is not refused."""
    found = check(asked("google/veo-3.0"))
    assert [each.level for each in found] == [Level.WARNING]
    assert "2026-10-07" in found[0].message
    assert "google/veo-3.1" in found[0].message


def test_a_model_that_only_the_newest_list_leaves_out_is_not_refused_for_it():
    """Another page still describes it, so even strictness lets it pass; what its maker ended names the day."""
    (found,) = check(asked("google/veo-2.0"), strict=True)
    assert (found.level, "still describe it" in found.message) == (Level.ADVICE, True)
    (ended,) = check(asked("openai/sora-2"))
    assert (ended.level, ended.message[:46]) == (Level.WARNING, "OpenAI ended openai/sora-2 on 2026-09-24.")


def test_findings_name_their_sources():
    """Every source of a finding is one that the catalogue explains."""
    known = Catalogue.load()
    for model, fields, _, _ in BROKEN:
        for finding in check(asked(model, **fields)):
            sources = finding.source.split(", ") if finding.source else []
            assert set(sources) <= set(known.sources)
    limits = next(each for each in check(asked(VEO, seconds=5)))
    assert limits.source == "puter-table, rust-client"


def test_strict_makes_warnings_errors_and_leaves_advice():
    """`--strict` holds a request to what is documented, not to what is advised."""
    request = asked(LITE, seconds=6, guidance_scale=11)
    assert [each.level for each in check(request)] == [Level.WARNING, Level.ADVICE]
    assert [each.level for each in check(request, strict=True)] == [Level.ERROR, Level.ADVICE]


def test_a_request_with_errors_is_refused_with_all_of_them():
    """The error carries every message, and the first field."""
    with pytest.raises(RequestInvalid) as caught:
        refuse_errors(asked(WAN_I2V, prompt="a" * 5001))
    assert caught.value.field == "prompt"
    assert "at most 5000" in caught.value.message
    assert "needs media.frame_images" in caught.value.message


def test_a_request_without_errors_is_let_through_with_its_warnings():
    """What is only unusual is told, and does not stop anything, unless the check is strict."""
    request = asked(LITE, seconds=6)
    assert [each.field for each in refuse_errors(request)] == ["seconds"]
    with pytest.raises(RequestInvalid, match="the nearest is 5"):
        refuse_errors(request, strict=True)


def test_text_of_the_user_is_cut_and_escaped_in_messages():
    """A long or hostile field does not spoil the line that it is told on."""
    text = message(WAN, resolution="\x1b[31m" + "9" * 500)
    assert "\x1b" not in text
    assert len(text) < 200


@settings(max_examples=150)
@given(fields=REQUESTS)
def test_no_request_makes_the_check_or_the_estimate_fail(fields: dict[str, Any]):
    """Whatever VideoRequest lets through gets findings and a price, never an exception."""
    request = VideoRequest.model_validate(fields)
    for finding in check(request):
        assert finding.message.endswith(".")
        assert finding.message.isprintable()
    cost = estimate(request)
    if cost.usd is None or cost.low_usd is None:
        assert cost.usd is cost.low_usd is None
    else:
        assert cost.usd >= cost.low_usd > 0
