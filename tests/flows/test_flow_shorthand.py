"""Presets, sweeps and negative prompts through the flows, as the Prefect UI's form and files give them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.video import generate_video
from together_video.errors import InputError
from together_video.inputs.presets import Presets
from together_video.ledger.records import Sweep
from together_video.ledger.summary import Summary
from together_video.polling.policy import PollPolicy
from together_video.prompts import Brief
from together_video.requests import VideoRequest

SHORT = {"model": "pixverse/pixverse-v5", "width": 64, "height": 48, "seconds": "1", "fps": 8}


async def records(archive: Any) -> list[dict[str, Any]]:
    """The records in the bucket."""
    async with archive.open() as ledger:
        listed = await ledger.store.list(ledger.layout.key("records", ""))
        return [json.loads((await ledger.store.get(found.key)).data) for found in listed]


@pytest.mark.anyio
async def test_a_form_has_presets(api: Any, archive: Any, poll: PollPolicy) -> None:
    """Beside one request: what it leaves open is filled, and stands in its record."""
    state = await generate_video.fn(
        VideoRequest.model_validate({**SHORT, "prompt": "a fox", "guidance_scale": 7}),
        presets=Presets(quality="preview", adherence="strict", aspect="9:16"),
        poll=poll,
        together=api.credentials(),
        archive=archive,
    )
    assert isinstance(state.data, Summary)
    assert state.data.is_good
    (video,) = state.data.videos
    assert (video.width, video.height) == (64, 48)
    (record,) = await records(archive)
    request = record["plan"]["request"]
    assert (request["steps"], request["guidance_scale"]) == (10, 7)


@pytest.mark.anyio
async def test_presets_of_a_batch_hold_for_its_list(api: Any, archive: Any, poll: PollPolicy) -> None:
    """And sweeps that come with the list are kept with each video."""
    requests = [VideoRequest.model_validate({**SHORT, "prompt": prompt}) for prompt in ("a fox", "an owl")]
    sweep = Sweep(label="line 4", values={"prompt": "a fox"}, columns=2)
    state = await generate_batch.fn(
        requests=requests,
        sweeps=[sweep, None],
        presets=Presets(quality="production"),
        poll=poll,
        together=api.credentials(),
        archive=archive,
    )
    assert state.is_completed()
    kept = {record["plan"]["request"]["prompt"]: record["plan"] for record in await records(archive)}
    assert {plan["request"]["steps"] for plan in kept.values()} == {35}
    assert kept["a fox"]["sweep"] == sweep.model_dump(mode="json")
    assert kept["an owl"]["sweep"] is None


@pytest.mark.anyio
async def test_a_file_on_the_worker_may_hold_sweeps(
    api: Any, archive: Any, poll: PollPolicy, tmp_path: Path
) -> None:
    """As on the command line; the settings' presets hold for what a line does not say."""
    path = tmp_path / "sweep.jsonl"
    path.write_text(json.dumps({**SHORT, "prompt": "a fox", "seed": [1, 2], "steps": 12}) + "\n")
    state = await generate_batch.fn(
        file=str(path),
        settings={"adherence": "creative"},
        presets=Presets(adherence="strict", quality="preview"),
        poll=poll,
        together=api.credentials(),
        archive=archive,
    )
    assert state.is_completed()
    plans = [record["plan"] for record in await records(archive)]
    assert sorted(plan["sweep"]["values"]["seed"] for plan in plans) == ["1", "2"]
    assert {(plan["request"]["steps"], plan["request"]["guidance_scale"]) for plan in plans} == {(12, 6)}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sweeps": [None]}, "1 sweeps for 2 requests"),
        ({"presets": Presets(aspect="9:16"), "model": "ByteDance/Seedance-2.5"}, "does not take a ratio"),
        (
            {"presets": Presets(aspect="9:16"), "model": "minimax/hailuo-02", "strict": True},
            "no size of 9:16",
        ),
    ],
)
async def test_what_cannot_be_used_is_refused(
    api: Any, archive: Any, changes: dict[str, Any], words: str
) -> None:
    """Before anything is sent."""
    given = dict(changes)
    model = given.pop("model", "google/veo-3.1")
    requests = [VideoRequest(model=model, prompt=prompt) for prompt in ("a fox", "an owl")]
    state = await generate_batch.fn(requests=requests, together=api.credentials(), archive=archive, **given)
    assert isinstance(state.data, InputError)
    assert words in state.data.message
    assert api.posts == 0


@pytest.mark.anyio
@pytest.mark.parametrize(("model", "written"), [("Wan-AI/wan2.7-t2v", True), ("pixverse/pixverse-v5", False)])
async def test_a_brief_writes_negative_prompts_where_they_are_taken(
    start_api: Callable[..., Any], archive: Any, poll: PollPolicy, model: str, written: bool
) -> None:
    """In each request and record with the chat model that wrote the prompt."""
    api = start_api()
    small = {"seconds": "1", "fps": 8}
    settings = {**small, "resolution": "720P"} if written else {**SHORT, "model": model}
    state = await generate_batch.fn(
        brief=Brief(subject="lighthouses", count=1, model=model, negative_prompts=True),
        settings=settings,
        poll=poll,
        together=api.credentials(),
        archive=archive,
    )
    assert state.is_completed(), state.message
    (record,) = await records(archive)
    request = record["plan"]["request"]
    assert bool(request["negative_prompt"]) is written
    assert request["prompt"]
    assert record["plan"]["origin"]["chat_model"] == Brief(subject="x").chat_model


@pytest.mark.anyio
async def test_the_prompts_fit_the_model_of_the_settings(
    start_api: Callable[..., Any], archive: Any, poll: PollPolicy
) -> None:
    """A model in the settings, and not in the brief, has its own limits."""
    api = start_api()
    state = await generate_batch.fn(
        brief=Brief(subject="lighthouses", count=1, negative_prompts=True),
        settings={"model": "Wan-AI/wan2.7-t2v", "seconds": "1", "fps": 8, "resolution": "720P"},
        poll=poll,
        together=api.credentials(),
        archive=archive,
    )
    assert state.is_completed(), state.message
    (record,) = await records(archive)
    assert record["plan"]["request"]["negative_prompt"]
