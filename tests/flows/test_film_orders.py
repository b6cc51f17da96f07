"""What a film is made of, other than a storyboard in Python: an event, a file, a brief, the parts of a form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.film import generate_film
from prefect_together_video.flows.reporting.results import result_of
from together_video.errors import InputError
from together_video.film.summary import FilmSummary
from together_video.polling.policy import PollPolicy

pytestmark = pytest.mark.anyio

DEFAULTS = {"model": "pixverse/pixverse-v5", "width": 64, "height": 48, "seconds": "1", "fps": 8}
STORY: dict[str, Any] = {
    "title": "Owls",
    "defaults": DEFAULTS,
    "shots": ["an owl", {"prompt": "its nest", "continue": True}],
}


@pytest.fixture
def api(start_api: Any) -> Any:
    """A sandbox that takes any size."""
    return start_api(model_rules=False)


@pytest.fixture
def film(api: Any, archive: VideoArchive, poll: PollPolicy) -> Any:
    """Runs the flow's own function, and gives the summary or the error."""

    async def run(**given: Any) -> Any:
        state = await generate_film.fn(poll=poll, together=api.credentials(), archive=archive, **given)
        return result_of(state.data)

    return run


async def test_an_event_asks_for_a_film(film: Any, api: Any) -> None:
    """With its edition, and at most the budget that the deployment allows; what cannot be used is refused."""
    payload = json.dumps({"storyboard": STORY, "edition": "order 7", "budget_usd": 5, "shop": {"order": 7}})
    made = await film(payload=payload, local_files=False, budget_usd=3)
    assert isinstance(made, FilmSummary), made
    assert made.is_good
    assert made.shots[1].title == "its nest"
    assert api.posts == 2
    other = await film(payload=json.dumps({"storyboard": STORY}), local_files=False, budget_usd=0.01)
    assert other.counts["skipped"] == 2, "another edition, within the smaller budget"
    away = {**STORY, "shots": [{"prompt": "its den", "from": "/etc/hostname"}]}
    for wrong, words in (
        ("[]", "not a JSON object"),
        (json.dumps({"storyboard": {**STORY, "shots": [{"promt": "x"}]}}), "promt"),
        (
            json.dumps({"storyboard": STORY, "brief": {"subject": "owls"}}),
            "Give one of storyboard, brief or file",
        ),
        (json.dumps({"shop": 7}), "Give one of storyboard, brief or file"),
        (json.dumps({"storyboard": away}), "Shot 1: media.frame_images[0] names a file"),
    ):
        refused = await film(payload=wrong, local_files=False)
        assert isinstance(refused, InputError), wrong
        assert words in refused.message
    assert api.posts == 2


async def test_a_file_and_a_brief_make_a_film(film: Any, api: Any, tmp_path: Path) -> None:
    """A file of this machine where such may be named; a brief's storyboard is written once, with the settings given."""
    file = tmp_path / "story.json"
    file.write_text(json.dumps(STORY))
    assert (await film(file=str(file))).is_good
    assert "may not read files" in (await film(file=str(file), local_files=False)).message
    brief = {"subject": "a heron at dawn", "shots": 2, "model": DEFAULTS["model"]}
    given = generate_film.validate_parameters(
        {"brief": brief, "settings": {"width": 64, "height": 48, "fps": 8}}
    )
    made = await film(brief=given["brief"], settings=given["settings"])
    assert made.is_good
    assert (made.film.width, made.film.height) == (64, 48)
    asked = api.posts
    again = await film(brief=given["brief"], settings=given["settings"])
    assert again.counts["reused"] == 2
    assert api.posts == asked
    wrong = await film(brief=given["brief"], settings={"width": "wide"})
    assert wrong.message.startswith("The settings: "), wrong
    assert "belong to a brief" in (await film(file=str(file), settings={"width": 64})).message


async def test_the_parts_of_a_form_make_a_film(film: Any, api: Any) -> None:
    """What nobody filled in says nothing, and what is said twice is refused."""
    given = generate_film.validate_parameters(
        {
            "title": "Owls",
            "shots": STORY["shots"],
            "defaults": DEFAULTS,
            "look": None,
            "more": {"attempts": 2},
        }
    )
    form = {name: given[name] for name in ("title", "shots", "defaults", "look", "more")}
    assert (await film(**form)).is_good
    refused = await film(**form, attempts=3)
    assert "Set attempts in one place" in refused.message
    assert api.posts == 2
