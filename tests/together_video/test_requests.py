"""Requests: what is accepted, what is sent, and which requests are the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from together_video.requests import MAX_DEPTH, MAX_PROMPT, FrameImage, Media, VideoRef, VideoRequest

CAT = "https://cdn.pixabay.com/photo/2020/05/20/08/27/cat-5195431_1280.jpg"
SUNSET = "A serene sunset over the ocean with gentle waves"
NEON = "A futuristic city at night with neon lights reflecting on wet streets"
FIRST, MIDDLE, LAST = "aac49721-1964-481a", "c00abf5f-6cdb-4642", "3ad204c3-a9de-4963"

#: Every field, as a user may write it, and as it must travel.
FIELDS: dict[str, tuple[Any, Any]] = {
    "model": ("m", "m"),
    "prompt": ("A fox", "A fox"),
    "width": (1366, 1366),
    "height": (768, 768),
    "resolution": ("720P", "720P"),
    "ratio": ("16:9", "16:9"),
    "seconds": (6, "6"),
    "fps": (24, 24),
    "steps": (30, 30),
    "seed": (-1, -1),
    "guidance_scale": (7.5, 7.5),
    "output_format": ("webm", "WEBM"),
    "output_quality": (0, 0),
    "negative_prompt": ("blurry", "blurry"),
    "generate_audio": (False, False),
    "media": ({"source_video": "https://a/v.mp4"}, {"source_video": "https://a/v.mp4"}),
}

#: Bodies of the documents' examples, old and new, with what the newest documents want of them.
EXAMPLES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (body := {"prompt": SUNSET, "model": "minimax/video-01-director", "width": 1366, "height": 768}, body),
    (
        {
            "prompt": NEON,
            "model": "minimax/hailuo-02",
            "width": 1366,
            "height": 768,
            "seconds": 6,
            "fps": 30,
            "steps": 30,
            "guidance_scale": 8.0,
            "output_format": "MP4",
            "output_quality": 20,
            "seed": 42,
            "negative_prompt": "blurry, low quality, distorted",
        },
        {
            "prompt": NEON,
            "model": "minimax/hailuo-02",
            "width": 1366,
            "height": 768,
            "seconds": "6",
            "fps": 30,
            "steps": 30,
            "guidance_scale": 8,
            "output_format": "MP4",
            "output_quality": 20,
            "seed": 42,
            "negative_prompt": "blurry, low quality, distorted",
        },
    ),
    (
        {
            "prompt": "A cat dancing energetically",
            "model": "minimax/hailuo-02",
            "width": 1366,
            "height": 768,
            "seconds": 6,
            "reference_images": [CAT],
        },
        {
            "prompt": "A cat dancing energetically",
            "model": "minimax/hailuo-02",
            "width": 1366,
            "height": 768,
            "seconds": "6",
            "media": {"reference_images": [CAT]},
        },
    ),
    (
        {
            "prompt": "Smooth transition from day to night",
            "model": "minimax/hailuo-02",
            "width": 1366,
            "height": 768,
            "fps": 24,
            "frame_images": [{"input_image": "aGVsbG8=", "frame": 0}],
        },
        {
            "prompt": "Smooth transition from day to night",
            "model": "minimax/hailuo-02",
            "width": 1366,
            "height": 768,
            "fps": 24,
            "media": {"frame_images": [{"input_image": "aGVsbG8=", "frame": "first"}]},
        },
    ),
    (
        {
            "prompt": "an astronaut riding a horse on the moon",
            "model": "minimax/hailuo-02",
            "guidance_scale": 6.0,
            "seed": 100,
        },
        {
            "prompt": "an astronaut riding a horse on the moon",
            "model": "minimax/hailuo-02",
            "guidance_scale": 6,
            "seed": 100,
        },
    ),
    (
        body := {
            "model": "minimax/hailuo-02",
            "prompt": "A person walking through a forest",
            "steps": 10,
        },
        body,
    ),
    (
        {
            "model": "minimax/hailuo-02",
            "prompt": "Smooth camera zoom out",
            "frame_images": [{"input_image": "$BASE64_IMAGE", "frame": 0}],
        },
        {
            "model": "minimax/hailuo-02",
            "prompt": "Smooth camera zoom out",
            "media": {"frame_images": [{"input_image": "$BASE64_IMAGE", "frame": "first"}]},
        },
    ),
    (
        body := {
            "model": "together/video-model",
            "prompt": "A cartoon of an astronaut riding a horse on the moon",
        },
        body,
    ),
    (
        {
            "model": "together/video-model",
            "frame_images": [
                {"input_image": FIRST, "frame": 0},
                {"input_image": MIDDLE, "frame": 48},
                {"input_image": LAST, "frame": "last"},
            ],
        },
        {
            "model": "together/video-model",
            "media": {
                "frame_images": [
                    {"input_image": FIRST, "frame": "first"},
                    {"input_image": MIDDLE, "frame": 48},
                    {"input_image": LAST, "frame": "last"},
                ]
            },
        },
    ),
    (
        {
            "prompt": "...",
            "model": "...",
            "media": {
                "frame_images": [],
                "frame_videos": [],
                "reference_images": [],
                "reference_videos": [],
                "source_video": "",
                "audio_inputs": [],
            },
        },
        {"prompt": "...", "model": "..."},
    ),
]


@pytest.mark.parametrize(("body", "payload"), EXAMPLES)
def test_the_documents_examples_become_what_the_newest_documents_want(
    body: dict[str, Any], payload: dict[str, Any]
) -> None:
    """A body out of any document is accepted and sent in the newest form, types included."""
    sent = VideoRequest.model_validate(body).payload()
    assert json.dumps(sent, sort_keys=True) == json.dumps(payload, sort_keys=True)


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "model"])
def test_a_field_is_sent_as_documented_and_only_if_it_is_set(name: str) -> None:
    """One field set means one field sent, beside the model."""
    given_, sent = FIELDS[name]
    payload = VideoRequest.model_validate({"model": "m", name: given_}).payload()
    assert payload == {"model": "m", name: sent}
    assert type(payload[name]) is type(sent)


def test_the_table_above_holds_every_field() -> None:
    """A field that is added to the request must be added to these tests."""
    assert {*FIELDS, "extra", "labels", "label_in_id"} == set(VideoRequest.model_fields)


def test_fields_set_to_none_are_not_sent() -> None:
    """An explicit None is the same as nothing."""
    nothing = {name: None for name in FIELDS if name != "model"}
    request = VideoRequest.model_validate({"model": "m", **nothing, "frame_images": None})
    assert request.payload() == {"model": "m"}


def test_every_kind_of_media_travels() -> None:
    """Media objects keep the shape in which the documents have them."""
    media = {
        "frame_images": [
            {"input_image": "https://a/1.png", "frame": "last"},
            {"input_image": "x", "frame": 9},
        ],
        "frame_videos": [{"video": "https://a/2.mp4"}],
        "reference_images": ["https://a/3.png"],
        "reference_videos": [{"video": "https://a/4.mp4"}],
        "reference_audios": ["https://a/5.mp3"],
        "source_video": {"video": "https://a/6.mp4"},
        "audio_inputs": ["https://a/7.wav", {"audio": "https://a/8.wav"}],
    }
    assert set(media) == set(Media.model_fields)
    assert VideoRequest.model_validate({"model": "m", "media": media}).payload()["media"] == media


def test_empty_media_are_dropped_one_by_one() -> None:
    """An empty list beside a full one does not travel."""
    media = {"frame_images": [], "reference_images": ["https://a/1.png"]}
    sent = VideoRequest.model_validate({"model": "m", "media": media}).payload()
    assert sent == {"model": "m", "media": {"reference_images": ["https://a/1.png"]}}


def test_deprecated_fields_join_the_media_that_are_there() -> None:
    """What is under media already stays, whether as a dict or as an object."""
    frames = [{"input_image": "a", "frame": 0}]
    for media in ({"source_video": "v"}, Media(source_video="v")):
        request = VideoRequest.model_validate({"model": "m", "media": media, "frame_images": frames})
        assert request.media == Media(
            source_video="v", frame_images=(FrameImage(input_image="a", frame="first"),)
        )


def test_a_deprecated_field_given_twice_is_refused() -> None:
    """Nobody has to guess which of the two was meant."""
    body = {"model": "m", "reference_images": ["a"], "media": {"reference_images": ["b"]}}
    with pytest.raises(ValidationError, match="reference_images is given twice"):
        VideoRequest.model_validate(body)


def test_the_users_own_body_is_left_as_it_was() -> None:
    """Moving deprecated fields does not change the dict that was passed in."""
    body = {"model": "m", "media": {"source_video": "v"}, "reference_images": ["a"]}
    before = json.dumps(body)
    VideoRequest.model_validate(body)
    assert json.dumps(body) == before


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [
        (6, "6"),
        (6.0, "6"),
        ("6", "6"),
        (" 6s ", "6"),
        ("6.50", "6.5"),
        (0.5, "0.5"),
        (10, "10"),
        (1e2, "100"),
    ],
)
def test_seconds_are_sent_as_plain_text(seconds: object, sent: str) -> None:
    """The API takes a string, without needless zeros and never as 1E+1."""
    assert VideoRequest.model_validate({"model": "m", "seconds": seconds}).payload()["seconds"] == sent


@pytest.mark.parametrize(
    "seconds", [0, -1, "six", "", "nan", "inf", float("nan"), True, [6], "1e99", "1e-9", 86_401, "5 s s"]
)
def test_seconds_that_are_none_are_refused(seconds: object) -> None:
    """A length must be a positive number that a video can have."""
    with pytest.raises(ValidationError, match="seconds"):
        VideoRequest.model_validate({"model": "m", "seconds": seconds})


@pytest.mark.parametrize(
    ("scale", "sent"), [(7, "7"), (7.0, "7"), ("7", "7"), (7.5, "7.5"), (6.1, "6.1"), (0.5, "0.5")]
)
def test_whole_guidance_goes_as_an_integer(scale: object, sent: str) -> None:
    """The OpenAPI document says integer; fractions go all the same, as the guides have them."""
    payload = VideoRequest.model_validate({"model": "m", "guidance_scale": scale}).payload()
    assert json.dumps(payload["guidance_scale"]) == sent


@pytest.mark.parametrize(
    ("frame", "sent"),
    [(0, "first"), ("0", "first"), ("first", "first"), ("last", "last"), (48, 48), ("48", 48)],
)
def test_frame_zero_is_the_first(frame: object, sent: object) -> None:
    """The older documents count from 0, the newer ones say "first"."""
    assert FrameImage.model_validate({"input_image": "a", "frame": frame}).frame == sent


@pytest.mark.parametrize("frame", [-1, "middle", 1.5, False])
def test_a_frame_that_is_none_is_refused(frame: object) -> None:
    """Only first, last or a number from 1 on."""
    with pytest.raises(ValidationError):
        FrameImage.model_validate({"input_image": "a", "frame": frame})


def test_more_than_two_frame_images_without_a_frame_are_spread_by_the_service() -> None:
    """They travel without places: first, last and evenly spaced between. Some places and some gaps are an error."""
    images = [{"input_image": "a"}, {"input_image": "b"}, {"input_image": "c"}]
    request = VideoRequest.model_validate({"model": "m", "frame_images": images})
    assert request.payload()["media"]["frame_images"] == images
    images[2]["frame"] = "3"
    with pytest.raises(ValidationError, match="either all of them a frame"):
        VideoRequest.model_validate({"model": "m", "frame_images": images})


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ((None,), ("first",)),
        ((0,), ("first",)),
        (("last",), ("last",)),
        ((None, None), ("first", "last")),
        ((None, "last"), ("first", "last")),
        (("first", None), ("first", "last")),
        (("last", None), ("last", "first")),
        ((None, "first"), ("last", "first")),
        ((48, None), (48, "last")),
    ],
)
def test_a_place_that_is_not_said_is_the_usual_one(given: tuple[Any, ...], meant: tuple[Any, ...]) -> None:
    """One image is the first frame, of two the other is the last: said or not, it is the same request."""

    def asked(places: tuple[Any, ...]) -> VideoRequest:
        images = [
            {"input_image": str(number), **({} if place is None else {"frame": place})}
            for number, place in enumerate(places)
        ]
        return VideoRequest.model_validate({"model": "m", "media": {"frame_images": images}})

    assert asked(given).fingerprint() == asked(meant).fingerprint()
    assert [image["frame"] for image in asked(given).payload()["media"]["frame_images"]] == list(meant)


def test_two_images_on_one_frame_are_refused() -> None:
    """0 and "first" are the same frame."""
    images = [{"input_image": "a", "frame": 0}, {"input_image": "b", "frame": "first"}]
    with pytest.raises(ValidationError, match="same frame"):
        VideoRequest.model_validate({"model": "m", "frame_images": images})


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""},
        {"model": "  "},
        {"model": "m" * 201},
        {"prompt": ""},
        {"prompt": " \n"},
        {"prompt": "x" * (MAX_PROMPT + 1)},
        {"prompt": "half a character: \ud83e"},
        {"width": 0},
        {"height": -768},
        {"width": 16_385},
        {"width": 12.5},
        {"fps": 0},
        {"fps": 241},
        {"steps": 9},
        {"steps": 51},
        {"guidance_scale": 0},
        {"guidance_scale": float("inf")},
        {"output_quality": -1},
        {"output_format": "AVI"},
        {"output_format": 4},
        {"resolution": ""},
        {"negative_prompt": ""},
        {"media": {"frame_image": []}},
        {"media": ["a"]},
        {"media": {"source_video": "\ud800"}},
        {"frame_images": [{"image": "a"}]},
        {"frame_images": "a"},
        {"lora": "x"},
    ],
)
def test_what_no_model_takes_is_refused(wrong: dict[str, Any]) -> None:
    """A value out of the API's own bounds, or an unknown field, is not a valid request."""
    with pytest.raises(ValidationError):
        VideoRequest.model_validate({"model": "m", **wrong})


def test_bounds_are_inclusive() -> None:
    """The longest prompt and the smallest and largest steps pass."""
    assert VideoRequest(model="m", prompt="x" * MAX_PROMPT, steps=10).payload()["steps"] == 10
    assert VideoRequest(model="m", steps=50, width=16_384, fps=240).payload()["steps"] == 50


@pytest.mark.parametrize("text", ["GIF", "gif"])
def test_gif_is_refused_in_words(text: str) -> None:
    """The oldest document has GIF; the message says what is possible now."""
    with pytest.raises(ValidationError, match="GIF is no longer produced by the API: use MP4 or WEBM"):
        VideoRequest.model_validate({"model": "m", "output_format": text})


def test_unknown_fields_travel_through_extra_only() -> None:
    """`extra` is merged into the body as it is."""
    extra = {"settings": {"audio": True, "list": [1, None, "x"]}, "style": "noir"}
    assert VideoRequest(model="m", extra=extra).payload() == {"model": "m", **extra}


@pytest.mark.parametrize("name", [*VideoRequest.model_fields, "frame_images", "reference_images"])
def test_extra_never_shadows_a_field(name: str) -> None:
    """A known name in `extra` would change what was checked behind the check's back."""
    with pytest.raises(ValidationError, match=f"extra repeats known fields: {name}"):
        VideoRequest.model_validate({"model": "m", "extra": {name: "x"}})


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {"a": [float("-inf")]}, "\ud800", nested(MAX_DEPTH), [10**5000]]
)
def test_extra_that_cannot_be_written_is_refused_before_it_is_paid_for(value: Any) -> None:
    """What JSON, UTF-8 or the ledger cannot hold must not come up after the claim."""
    with pytest.raises(ValidationError):
        VideoRequest(model="m", extra={"x": value})


def test_extra_may_be_nested_a_little() -> None:
    """The bound on nesting leaves room for any real field."""
    assert VideoRequest(model="m", extra={"x": nested(MAX_DEPTH - 1)}).payload()["x"] == nested(MAX_DEPTH - 1)


def test_names_are_trimmed_and_titles_are_short() -> None:
    """A title is one line of at most 60 characters; without a prompt it names the model."""
    assert VideoRequest(model=" m ").model == "m"
    assert VideoRequest(model="m", prompt="a\n  fox").title == "a fox"
    assert VideoRequest(model="m").title == "m without a prompt"
    long = VideoRequest(model="m", prompt="fox " * 40).title
    assert long.endswith("fox…")
    assert len(long) <= 60


def test_a_request_cannot_be_changed() -> None:
    """The fingerprint that was claimed stays that of what is sent."""
    request = VideoRequest(model="m", prompt="A fox")
    with pytest.raises(ValidationError, match="frozen"):
        request.prompt = "A cat"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"seconds": 6}, {"seconds": "6.0s"}),
        ({"guidance_scale": 7}, {"guidance_scale": "7.0"}),
        ({"output_format": "mp4"}, {"output_format": "MP4"}),
        (
            {"frame_images": [{"input_image": "a", "frame": 0}]},
            {"media": {"frame_images": [{"input_image": "a", "frame": "first"}]}},
        ),
        ({"reference_images": ["a"]}, {"media": Media(reference_images=("a",))}),
        ({"width": 10, "height": 20}, {"height": "20", "width": 10.0}),
        ({"media": {}}, {}),
        ({"media": {"reference_images": []}}, {"media": None, "extra": {}}),
        ({"extra": {"a": 1, "b": {"c": 2, "d": 3}}}, {"extra": {"b": {"d": 3, "c": 2}, "a": 1}}),
        ({"media": {"source_video": {"video": "v"}}}, {"media": {"source_video": VideoRef(video="v")}}),
    ],
)
def test_equal_requests_have_equal_fingerprints_however_written(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """The same video asked for in other words must not be bought twice."""
    first, second = (VideoRequest.model_validate({"model": "m", **body}) for body in (one, other))
    assert first.canonical() == second.canonical()
    assert first.fingerprint() == second.fingerprint()


@pytest.mark.parametrize("name", list(FIELDS))
def test_every_field_changes_the_fingerprint(name: str) -> None:
    """Two requests that differ in one field are two requests."""
    base = VideoRequest(model="another", output_format="MP4")
    changed = VideoRequest.model_validate({"model": "another", "output_format": "MP4", name: FIELDS[name][0]})
    assert base.fingerprint() != changed.fingerprint()


def test_the_fingerprint_never_changes_between_versions() -> None:
    """Stored ids rest on this text: a change of it would buy everything again."""
    request = VideoRequest(
        model="m", prompt="Füchse", seconds="6", guidance_scale=7, extra={"b": [1.5, None]}
    )
    assert request.canonical() == (
        '{"b":[1.5,null],"guidance_scale":7,"model":"m","prompt":"Füchse","seconds":"6"}'
    )
    assert request.fingerprint() == "37d781da0ecccf9562759e50eccf54546af9f1f62a739ff9d03ecedc0c2988c8"


WORDS = st.text(min_size=1, max_size=30).filter(lambda text: text.strip() != "")
BODIES = st.fixed_dictionaries(
    {"model": WORDS},
    optional={
        "prompt": WORDS,
        "width": st.integers(1, 16_384),
        "height": st.integers(1, 16_384),
        "resolution": WORDS,
        "seconds": st.integers(1, 60) | st.floats(0.1, 60).map(lambda value: round(value, 3)),
        "fps": st.integers(1, 240),
        "steps": st.integers(10, 50),
        "seed": st.integers(),
        "guidance_scale": st.integers(1, 20) | st.floats(0.1, 20),
        "output_format": st.sampled_from(["MP4", "mp4", "WEBM"]),
        "generate_audio": st.booleans(),
        "reference_images": st.lists(WORDS, max_size=3),
        "frame_images": st.lists(
            st.fixed_dictionaries({"input_image": WORDS}, optional={"frame": st.integers(0, 9)}), max_size=1
        ),
        "extra": st.dictionaries(
            st.text(min_size=1, max_size=5).map("x-{}".format),
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | WORDS,
            max_size=3,
        ),
    },
)


@given(BODIES, st.randoms(use_true_random=False))
def test_the_order_of_fields_does_not_matter(body: dict[str, Any], random: Any) -> None:
    """Shuffled, written as JSON and read again, validated twice: one request, one fingerprint."""
    request = VideoRequest.model_validate(body)
    names = list(body)
    random.shuffle(names)
    shuffled = VideoRequest.model_validate({name: body[name] for name in names})
    stored = VideoRequest.model_validate_json(request.model_dump_json())
    assert request.canonical() == shuffled.canonical() == stored.canonical()


@given(BODIES)
def test_the_payload_is_a_request_of_its_own(body: dict[str, Any]) -> None:
    """What is sent is JSON without nulls of its own or deprecated fields, and reads back as the same request."""
    request = VideoRequest.model_validate(body)
    payload = json.loads(json.dumps(request.payload(), allow_nan=False))
    assert not {"extra", "frame_images", "reference_images"} & set(payload)
    own = {name: value for name, value in payload.items() if name in VideoRequest.model_fields}
    assert None not in own.values()
    assert payload == {**own, **request.extra}
    again = VideoRequest.model_validate({**own, "extra": request.extra})
    assert again.fingerprint() == request.fingerprint()
