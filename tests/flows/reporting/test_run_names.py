"""What runs are called, and their tags."""

from __future__ import annotations

import pytest

from prefect_together_video.flows.reporting.run_names import batch_name, tags_of
from together_video.ledger.records import VideoPlan
from together_video.prompts import Brief
from together_video.requests import VideoRequest

REQUEST = VideoRequest(model="m", prompt="a fox")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (
            (Brief(subject="lighthouses\nof the north", count=3), None, None),
            "3 videos: lighthouses of the north",
        ),
        ((Brief(subject="foxes", count=3), None, None, 1), "1 video: foxes"),
        ((None, [REQUEST], None), "1 video"),
        ((None, [REQUEST] * 2, None), "2 videos"),
        ((None, None, "/data/prompts.csv"), "videos of prompts.csv"),
        ((None, None, "/data/prompts.csv", 12), "12 videos of prompts.csv"),
        ((None, [REQUEST], "an event"), "1 video of an event"),
        ((None, None, "x" * 500, 1), f"1 video of {'x' * 59}…"),
    ],
)
def test_runs_are_called_by_their_count_and_their_source(given: tuple[object, ...], name: str) -> None:
    """In good grammar, and short."""
    assert batch_name(*given) == name  # type: ignore[arg-type]


def test_tags_are_the_batch_and_a_few_labels() -> None:
    """Each once, each short, and not one for every line of a file."""
    plans = [
        VideoPlan(request=REQUEST.model_copy(update={"labels": {"campaign": "spring", "line": f"{number}"}}))
        for number in range(50)
    ]
    tags = tags_of(plans, "b1")
    assert tags[:3] == ["batch:b1", "campaign:spring", "line:0"]
    assert len(tags) == 11
    long = VideoPlan(request=REQUEST.model_copy(update={"labels": {"note": "n" * 500}}))
    assert [len(tag) for tag in tags_of([long], None)] == [80]
