"""Requests of any kind that VideoRequest lets through, for Hypothesis."""

from hypothesis import strategies as st

from together_video.catalogue.catalogue import Catalogue

URL = "https://example.com/a.png"

MODELS = st.sampled_from([model.name for model in Catalogue.load().models] + ["nobody/nothing"])
TEXT = st.text(min_size=1, max_size=30)
FRAMES = st.lists(
    st.fixed_dictionaries(
        {"input_image": TEXT}, optional={"frame": st.sampled_from(["first", "last"]) | st.integers(1, 9999)}
    ),
    max_size=2,
    unique_by=lambda frame: frame.get("frame", object()),
)
LINKS = st.lists(TEXT | st.sampled_from([URL, "https://[broken", "https://x/a.ogg"]), max_size=3)
MEDIA = st.fixed_dictionaries(
    {},
    optional={
        "frame_images": FRAMES,
        "frame_videos": st.lists(st.fixed_dictionaries({"video": TEXT}), max_size=2),
        "reference_images": LINKS,
        "reference_videos": st.lists(st.fixed_dictionaries({"video": TEXT}), max_size=2),
        "reference_audios": LINKS,
        "source_video": TEXT,
        "audio_inputs": LINKS,
    },
)
REQUESTS = st.fixed_dictionaries(
    {"model": MODELS},
    optional={
        "prompt": st.text(min_size=1, max_size=20).filter(str.strip),
        "width": st.integers(1, 16_384),
        "height": st.integers(1, 16_384),
        "resolution": TEXT | st.sampled_from(["720p", "1080P", "4k", "2K", "0p"]),
        "ratio": TEXT | st.sampled_from(["16:9", "0:0", "1:99999", "9" * 400 + ":1"]),
        "seconds": st.integers(1, 86_400) | st.decimals("0.001", 86_400, places=3),
        "fps": st.integers(1, 240),
        "steps": st.integers(10, 50),
        "seed": st.integers(),
        "guidance_scale": st.floats(0, exclude_min=True, allow_infinity=False, allow_nan=False),
        "output_format": st.sampled_from(["MP4", "WEBM"]),
        "negative_prompt": TEXT,
        "generate_audio": st.booleans(),
        "media": MEDIA,
        "extra": st.dictionaries(
            st.sampled_from(["settings", "other"]), st.none() | st.just({"audio": False})
        ),
    },
)
