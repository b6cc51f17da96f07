"""Films in a real Prefect server: names, tasks, artifacts and the end, as its API shows them."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
from prefect import flow

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.film import generate_film
from tests.flows.seen_runs import follow
from together_video.errors import InputError
from together_video.film.reading import storyboard_of
from together_video.film.summary import FilmSummary
from together_video.polling.policy import PollPolicy

pytestmark = [
    pytest.mark.usefixtures("prefect_api"),
    # Prefect leaves connections to its own server to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]

DEFAULTS = {"model": "minimax/hailuo-02", "width": 96, "height": 64, "seconds": "1", "fps": 8}
SHOTS: list[dict[str, Any]] = [
    {"prompt": "a harbour at dawn"},
    {"prompt": "a boat leaves", "continue": True},
    {"prompt": "the open sea", "caption": "Far out"},
]


def board(*shots: Any, **more: Any) -> Any:
    return storyboard_of(
        {"title": "The harbour", "defaults": DEFAULTS, "shots": list(shots or SHOTS), **more}
    )


@pytest.fixture
def film_api(start_api: Any) -> Any:
    """A sandbox that takes any size."""
    return start_api(model_rules=False)


@pytest.fixture
def parameters(film_api: Any, archive: VideoArchive, poll: PollPolicy) -> dict[str, Any]:
    return {"poll": poll, "together": film_api.credentials(), "archive": archive}


def artifacts(run: Any, prefect_api: str) -> dict[str, Any]:
    wanted = {"flow_runs": {"id": {"any_": [str(run.id)]}}}
    found = httpx.post(f"{prefect_api}/artifacts/filter", json=wanted, trust_env=False).json()
    return {one["key"]: one for one in found}


def test_a_film_is_readable_in_its_run(parameters: dict[str, Any], prefect_api: str) -> None:
    """A name, tasks and tags that tell what is made, and the artifact `film` with each shot, its price and its link.

    As a flow that another one calls, too: the caller gets the summary, and the storyboard may be plain values.
    """
    seen = follow(generate_film(board(), **parameters, return_state=True))
    run = seen.flow_run
    assert run.name == "film: The harbour"
    assert sorted(tag.split(":")[0] for tag in run.tags) == ["batch", "film"]
    assert run.state is not None
    assert run.state.is_completed()
    assert (run.state.message or "").startswith(
        "3 videos: 3 archived; 0.84 USD paid in this run; the film was joined"
    )
    titles = [shot["prompt"] for shot in SHOTS]
    steps = ("create", "wait", "download", "archive")
    assert set(seen.tasks) == {
        *(f"{step}: {title}" for step in steps for title in titles),
        *(f"fetch: shot {number}: {title}" for number, title in enumerate(titles, 1)),
        "last frame: shot 1",
        "join: The harbour",
    }
    made = artifacts(run, prefect_api)
    assert {"film", "videos", "cost-by-model"} <= set(made)
    text = made["film"]["data"]
    rows = re.findall(r"<tr><td valign=\"top\">(\d+)</td>.*?</tr>", text)
    assert rows == ["1", "2", "3"]
    assert text.count("0.28\N{NO-BREAK SPACE}USD") == 3
    summary = seen.summary
    assert isinstance(summary, FilmSummary)
    assert summary.film is not None
    for key in (summary.film.key, *(one.key for one in summary.videos)):
        assert f"/{key}?X-Amz" in text

    @flow
    async def premiere(story: dict[str, Any]) -> Any:
        return await generate_film(story, **parameters)  # type: ignore[arg-type]

    called = asyncio.run(premiere(board().model_dump(mode="json", exclude_defaults=True)))
    assert called.film.id == summary.film.id
    assert called.counts["reused"] == 3


def test_a_shot_that_failed_is_told_in_the_run(
    parameters: dict[str, Any], prefect_api: str, film_api: Any
) -> None:
    """The run is Failed and says which shots are missing; the artifact says why, and shows the others."""
    film_api.faults({"on": "create", "kind": "job_failed", "match": "harbour", "message": "too | <b>dark"})
    seen = follow(generate_film(board(), **parameters, return_state=True))
    assert seen.flow_run.state is not None
    assert seen.flow_run.state.is_failed()
    assert "no film: shots 1, 2 are not in the archive" in (seen.flow_run.state.message or "")
    text = artifacts(seen.flow_run, prefect_api)["film"]["data"]
    assert "failed: " in text
    assert "<b>" not in text
    assert "skipped: Not started: shot 1 is not in the archive" in text


def test_a_storyboard_that_no_server_takes_is_refused_in_a_sentence(parameters: dict[str, Any]) -> None:
    """Prefect's own error repeats half a megabyte. The file is named instead, and its server takes it."""
    large = board(*({"prompt": f"kite {number} {'of silk ' * 400}"} for number in range(200)))
    with pytest.raises(InputError) as refused:
        asyncio.run(generate_film(large, **parameters))
    assert len(refused.value.message) < 400
    assert "as the parameter file" in refused.value.message
