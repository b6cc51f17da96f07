"""A film before it is made: requests, chains, what cannot work, price and length."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from together_video.catalogue.findings import Level
from together_video.catalogue.sizes import Size
from together_video.errors import InputError
from together_video.film.plan import FilmPlan
from together_video.film.reading import storyboard_of
from together_video.film.shot_requests import PENDING_CLIP, PENDING_FRAME, styled

PIXVERSE = {"model": "pixverse/pixverse-v5", "seconds": 5, "width": 1280, "height": 720}


def planned(*shots: Any, strict: bool = False, **fields: Any) -> FilmPlan:
    board = storyboard_of({"title": "A film", "defaults": PIXVERSE, **fields, "shots": list(shots)})
    return FilmPlan.of(board, strict=strict)


def said(plan: FilmPlan, number: int | None) -> list[str]:
    return [str(found) for place, found in plan.all_findings if place == number]


def payloads(plan: FilmPlan) -> list[dict[str, Any]]:
    return [one.request.payload() for one in plan.shots]


def test_defaults_hold_where_a_shot_says_nothing() -> None:
    """As in request files: what is said wins, and a shape and a size are rivals."""
    first, second = payloads(planned("a", {"prompt": "b", "seconds": 8, "aspect": "1:1", "seed": 3}))
    assert first == {**PIXVERSE, "seconds": "5", "prompt": "a"}
    assert (second["seconds"], second["seed"], second["prompt"]) == ("8", 3, "b")
    assert second["width"] == second["height"]


@pytest.mark.parametrize(
    ("prompt", "style", "whole"),
    [
        ("a fox", "watercolour, calm", "a fox. Watercolour, calm."),
        ("A fox runs.", "Watercolour.", "A fox runs. Watercolour."),
        ("A fox in WATERCOLOUR, calm and slow", "watercolour, calm", "A fox in WATERCOLOUR, calm and slow"),
        ("Where is it?  ", "noir", "Where is it? Noir."),
    ],
)
def test_the_style_is_the_last_sentence(prompt: str, style: str, whole: str) -> None:
    """Once, however often it is added."""
    assert styled(prompt, style) == whole
    assert styled(whole, style) == whole


def test_the_style_goes_into_each_prompt() -> None:
    """And none is made up for a shot that has no prompt."""
    found = payloads(planned("a", {"from": "https://x.org/a.png"}, look={"style": "noir"}))
    assert [body.get("prompt") for body in found] == ["a. Noir.", None]


def test_the_negative_prompt_goes_where_one_is_taken() -> None:
    """Wan is documented to take one, PixVerse is not; a shot's own stands in front."""
    wan = {"model": "Wan-AI/wan2.7-t2v", "seconds": 5, "ratio": "16:9", "resolution": "720P"}
    look = {"negative_prompt": "flicker"}
    found = planned("a", {"prompt": "b", "negative_prompt": "fog"}, defaults=wan, look=look)
    assert [one.request.negative_prompt for one in found.shots] == ["flicker", "fog, flicker"]
    without = planned("a", look=look)
    assert without.shots[0].request.negative_prompt is None
    assert "note: look.negative_prompt: pixverse/pixverse-v5 is not documented to take" in said(without, 1)[0]


def test_reference_images_go_where_they_are_taken() -> None:
    """Beside a first frame, or to a model without them, they are left out, and that is said."""
    seedance = {"model": "ByteDance/Seedance-2.5", "seconds": 5}
    look = {"reference_images": ["https://x.org/a.png"]}
    found = planned("a", {"prompt": "b", "continue": True}, defaults=seedance, look=look)
    assert payloads(found)[0]["media"] == {"reference_images": ["https://x.org/a.png"]}
    assert payloads(found)[1]["media"] == {"frame_images": [{"input_image": PENDING_FRAME, "frame": "first"}]}
    assert [found.level for found in found.shots[1].findings if found.field == "look.reference_images"] == [
        Level.NOTE
    ]
    other = planned("a", look=look)
    assert "media" not in payloads(other)[0]
    assert [text for text in said(other, 1) if text.startswith("warning: look.reference_images")]
    assert planned("a", look=look, strict=True).errors


def test_a_shot_has_reference_images_of_its_own() -> None:
    """In place of the film's; an empty list leaves them out."""
    seedance = {"model": "ByteDance/Seedance-2.5", "seconds": 5}
    found = planned(
        {"prompt": "a", "reference_images": ["https://x.org/b.png"]},
        {"prompt": "b", "media": {"reference_images": []}},
        defaults=seedance,
        look={"reference_images": ["https://x.org/a.png"]},
    )
    assert payloads(found)[0]["media"] == {"reference_images": ["https://x.org/b.png"]}
    assert "media" not in payloads(found)[1]


def test_chains_are_runs_of_shots_that_are_made_from_each_other() -> None:
    """Each begins with a shot of its own."""
    follows = {"prompt": "x", "continue": True}
    assert planned("a", follows, follows, "b", "c", follows).chains == ((1, 2, 3), (4,), (5, 6))


def test_the_frame_takes_its_place() -> None:
    """Of a shot that continues, beside the last frame that is one's own."""
    plan = planned("a", {"prompt": "b", "continue": True, "to": "https://x.org/z.png"})
    request = plan.request_of(2, first_frame="archive:media/" + "a" * 64 + ".png")
    assert request.media is not None
    assert [(image.input_image, image.frame) for image in request.media.frame_images or ()] == [
        ("archive:media/" + "a" * 64 + ".png", "first"),
        ("https://x.org/z.png", "last"),
    ]
    assert plan.request_of(1) == plan.shots[0].request
    with pytest.raises(ValueError, match="shot 2 needs first_frame"):
        plan.request_of(2)
    with pytest.raises(InputError, match="no shot 3: the film has 2"):
        plan.request_of(3)


def test_the_clip_takes_its_place() -> None:
    """Of a shot that extends."""
    wan = {"model": "Wan-AI/wan2.7-i2v", "seconds": 5, "resolution": "720P"}
    plan = planned(
        {"prompt": "a", "from": "https://x.org/a.png"}, {"prompt": "b", "extend": True}, defaults=wan
    )
    assert payloads(plan)[1]["media"] == {"frame_videos": [{"video": PENDING_CLIP}]}
    request = plan.request_of(2, clip_before="https://x.org/a.mp4")
    assert request.payload()["media"] == {"frame_videos": [{"video": "https://x.org/a.mp4"}]}
    assert not plan.errors
    with pytest.raises(ValueError, match="shot 2 needs clip_before"):
        plan.request_of(2, first_frame="https://x.org/a.png")


@pytest.mark.parametrize(
    ("shot", "words"),
    [
        (
            {"model": "Wan-AI/wan2.7-t2v", "continue": True},
            "error: continue: Wan-AI/wan2.7-t2v does not take media.frame_images; it takes media.audio_inputs. "
            "Wan-AI/wan2.7-i2v does.",
        ),
        (
            {"model": "Wan-AI/wan2.7-t2v", "extend": True},
            "error: extend: Wan-AI/wan2.7-t2v does not take media.frame_videos; it takes media.audio_inputs. "
            "Wan-AI/wan2.7-i2v does.",
        ),
        (
            {"model": "minimax/hailuo-02", "to": "https://x.org/a.png"},
            "warning: to: minimax/hailuo-02 takes only the first frame, not the last.",
        ),
        ({"model": "pixverse/nothing"}, "error: model: There is no model 'pixverse/nothing'"),
        ({"seconds": 9}, "warning: seconds: pixverse/pixverse-v5 makes"),
        ({"width": 1000, "height": 1000}, "warning: width: pixverse/pixverse-v5 has no size 1000x1000"),
    ],
)
def test_each_shot_is_checked_by_the_catalogue(shot: dict[str, Any], words: str) -> None:
    """In the words of the storyboard."""
    found = said(planned("a", {"prompt": "b", **shot}), 2)
    assert [text for text in found if text.startswith(words)], found


def test_a_prompt_may_be_too_long_with_the_style() -> None:
    """What was added is named, as nobody would count it."""
    plan = planned("a" * 2040, look={"style": "watercolour"})
    (finding,) = [found for _, found in plan.errors]
    assert finding.message.endswith("The style of the film is part of it.")
    with pytest.raises(InputError, match=r"Shot 1: The prompt has 2054 characters"):
        plan.refuse_errors()


def test_a_shape_for_all_spares_a_model_that_has_but_one() -> None:
    """A shot that asks for it itself is refused."""
    fields = {"model": "ByteDance/Seedance-2.5", "seconds": 5}
    plan = planned("a", defaults={**fields, "aspect": "16:9"})
    assert [text for text in said(plan, 1) if text.startswith("warning: aspect")]
    with pytest.raises(InputError, match=r"Shot 1: aspect: ByteDance/Seedance-2\.5 does not take a ratio"):
        planned({"prompt": "a", "aspect": "16:9"}, defaults=fields)


def test_the_film_is_priced_with_each_clip_once() -> None:
    """A shot that is made like another one is not bought again, unless another take is used."""
    plan = planned("aa", "bb", "aa", {"prompt": "aa", "use": 2})
    assert [one.same_as for one in plan.shots] == [None, None, 1, None]
    assert plan.total.usd == 3 * (plan.shots[0].estimate.usd or 0)
    assert "one clip is bought and shown twice" in said(plan, 3)[0]


def test_shots_behind_different_shots_are_different() -> None:
    """The same request after another frame is another clip."""
    follows = {"prompt": "x", "continue": True}
    plan = planned("a", follows, "b", follows, "a", follows)
    assert [one.same_as for one in plan.shots] == [None, None, None, None, 1, 2]


def test_the_length_of_the_film_is_less_by_its_crossfades() -> None:
    """Both shots are seen meanwhile."""
    assert planned("a", "b", {"prompt": "c", "crossfade": 0.5}).form.seconds == Decimal("14.5")
    assert planned("a", {"prompt": "b", "model": "vidu/vidu-q3", "seconds": 4}).form.seconds == 9


@pytest.mark.parametrize(
    "shots",
    [
        ["a", {"prompt": "b", "crossfade": 5}],
        ["a", {"prompt": "b", "crossfade": 2.5}, {"prompt": "c", "crossfade": 2.5}],
    ],
)
def test_a_shot_is_longer_than_its_crossfades(shots: list[Any]) -> None:
    """Those at both of its ends."""
    found = [text for text in said(planned(*shots), 2) if text.startswith("error: transition")]
    assert found == ["error: transition: Crossfades of 5 s use up all of this shot of 5 s."] or found[
        0
    ].startswith("error: transition: Crossfades of 5.0 s use up all")


def test_the_film_has_the_size_of_most_shots() -> None:
    """The others are scaled, and that is said."""
    square = {"prompt": "b", "width": 720, "height": 720}
    plan = planned("a", square, "c")
    assert plan.form.size == Size(1280, 720)
    assert plan.form.same_size == (1, 3)
    assert "note: size: 720x720 is scaled to 1280x720, the size of the film." in said(plan, 2)
    asked = planned("a", square, cut={"width": 720, "height": 720})
    assert asked.form.same_size == (2,)


def test_an_unknown_size_is_not_guessed() -> None:
    """The sizes of most shots are not documented."""
    assert planned("a", "b", defaults={"model": "vidu/vidu-q3"}).form.size is None


def test_the_film_has_the_rate_of_most_shots() -> None:
    """Or that of its cut."""
    wan = {"prompt": "b", "model": "Wan-AI/wan2.7-t2v", "width": None, "height": None}
    seedance = {"model": "ByteDance/Seedance-2.5", "seconds": 5}
    plan = planned("a", "b", wan, defaults=seedance)
    assert plan.form.fps == 24
    assert "note: fps: 30 frames per second become 24, the rate of the film." in said(plan, 3)
    assert planned("a", defaults=seedance, cut={"fps": 25}).form.fps == 25


def test_fades_are_shorter_than_the_film() -> None:
    """What is longer cannot be made."""
    plan = planned("a", cut={"fade_in": 3, "fade_out": 3})
    assert said(plan, None) == [
        "error: cut.fade_out: Fades of 6.0 s are longer than the film, which lasts 5 s."
    ]


def test_captions_that_nobody_wrote() -> None:
    """A track of none is a slip."""
    assert said(planned("a", cut={"captions": "burned"}), None) == [
        "note: cut.captions: No shot has a caption."
    ]


def test_titles_for_people() -> None:
    """The name, otherwise the first words of the prompt, without the style."""
    plan = planned({"prompt": "b", "name": "harbour"}, "a fox\nruns", look={"style": "noir"})
    assert [one.title for one in plan.shots] == ["harbour", "a fox runs"]
