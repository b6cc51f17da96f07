"""No surprise purchases: what is deployed buys nothing by itself, and what a user has paused or turned on stays so."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.responses import DeploymentResponse

from prefect_together_video.blocks import TogetherCredentials
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.forms.batch import from_form
from prefect_together_video.flows.server.served_deployments import full_name, read, served
from prefect_together_video.flows.server.served_schedules import (
    PAUSED_BY_SERVE,
    Earlier,
    pause_until_served,
    read_earlier,
    what_is_off,
)
from together_video.errors import InputError
from together_video.prompts import Brief, PromptWriting
from together_video.prompts.briefs import PLACEHOLDER

NIGHTLY = "generate-batch/nightly"

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]

Start = Callable[..., tuple[subprocess.Popen[bytes], Path]]


def nightly() -> dict[str, Any]:
    return next(entry for entry in read() if full_name(entry) == NIGHTLY)


async def serve_again(client: PrefectClient) -> DeploymentResponse:
    """The nightly deployment, made as `together-video serve` makes it."""
    made = await served(nightly(), {}, await read_earlier(client, NIGHTLY))
    await made.apply()
    return await client.read_deployment_by_name(NIGHTLY)


async def turn(client: PrefectClient, found: DeploymentResponse, *, on: bool) -> None:
    (schedule,) = found.schedules
    await client.update_deployment_schedule(found.id, schedule.id, active=on)


def test_only_the_nightly_batch_is_paused() -> None:
    """It is the only schedule that buys by itself; the safety net and the audit run from the first day."""
    off = {
        full_name(entry)
        for entry in read()
        for schedule in entry.get("schedules", ())
        if not schedule.get("active", True)
    }
    assert off == {NIGHTLY}
    assert "schedule resume generate-batch/nightly" in nightly()["description"]


async def test_its_brief_is_refused_before_anybody_is_asked(archive: Any) -> None:
    """The run fails and says what to edit; no chat model is asked, and nothing is bought."""
    asked = {name: nightly()["parameters"][name] for name in ("subject", "count", "more")}
    assert asked["subject"] == PLACEHOLDER
    given = generate_batch.validate_parameters(asked)
    assert from_form(given)["edition"] == "daily@Europe/Berlin"
    nobody = TogetherCredentials(api_key="key", base_url="http://127.0.0.1:9")
    state = await generate_batch.fn(**{**given, "together": nobody, "archive": archive})
    assert state.is_failed()
    assert state.message is not None
    assert state.message.startswith("The brief is still the placeholder of prefect.yaml.")
    assert "`subject`" in state.message


@pytest.mark.parametrize(
    "subject", [PLACEHOLDER, f"  {PLACEHOLDER.upper()} ", PLACEHOLDER.replace(" ", "\n")]
)
def test_a_placeholder_is_known_however_it_is_spaced(subject: str) -> None:
    """No way to a chat model is open to it."""
    with pytest.raises(InputError, match="still the placeholder"):
        PromptWriting(Brief(subject=subject, count=1), 500)
    PromptWriting(Brief(subject=f"{subject} and foxes", count=1), 500)


async def test_a_restart_keeps_what_the_user_has_chosen(place: Any) -> None:
    """A schedule stays off, or on, over any number of restarts of `serve`; so does a deployment that a user paused."""
    async with get_client() as client:
        found = await serve_again(client)
        assert not found.schedules[0].active
        (sentence,) = await what_is_off(client, NIGHTLY)
        assert sentence.endswith(f"prefect deployment schedule resume {NIGHTLY} {found.schedules[0].id}")
        await pause_until_served(client, NIGHTLY)
        stopped = await client.read_deployment_by_name(NIGHTLY)
        assert (stopped.paused, PAUSED_BY_SERVE in stopped.tags) == (True, True)

        found = await serve_again(client)
        assert (found.paused, found.schedules[0].active, PAUSED_BY_SERVE in found.tags) == (
            False,
            False,
            False,
        )
        await turn(client, found, on=True)
        assert await what_is_off(client, NIGHTLY) == []
        await pause_until_served(client, NIGHTLY)
        found = await serve_again(client)
        assert (found.paused, found.schedules[0].active) == (False, True)

        # Somebody pauses the deployment as a whole, while it is served or afterwards.
        await client.pause_deployment(found.id)
        await pause_until_served(client, NIGHTLY)
        found = await serve_again(client)
        assert (found.paused, found.schedules[0].active) == (True, True)
        (sentence,) = await what_is_off(client, NIGHTLY)
        place.run(*shlex.split(sentence.partition("turn it on: ")[2]))
        assert await what_is_off(client, NIGHTLY) == []


def test_a_schedule_that_the_server_does_not_know_is_as_the_file_has_it() -> None:
    """A new one in the file is not taken for an old one, and one without a slug is never changed."""
    from prefect.schedules import Cron

    earlier = Earlier({"nightly": True})
    assert earlier.kept(Cron("0 1 * * *", slug="weekly", active=False)).active is False
    assert earlier.kept(Cron("0 1 * * *", active=False)).active is False
    assert earlier.kept(Cron("0 1 * * *", slug="nightly", active=False)).active is True


@pytest.mark.slow
async def test_prefect_turns_it_on_by_the_commands_of_the_page(place: Any) -> None:
    """`prefect deploy --all` leaves it off; the ID that `schedule ls` prints is the one that `resume` takes."""
    place.run("prefect", "work-pool", "create", "together-video", "--type", "process", "--overwrite")
    place.run("together-video", "save-blocks")
    place.run("prefect", "--no-prompt", "deploy", "--all", "--prefect-file", "deployments/prefect.yaml")
    async with get_client() as client:
        found = {f"{one.name}": one for one in await client.read_deployments()}
        assert [s.active for s in found["nightly"].schedules] == [False]
        others = [s.active for name, one in found.items() if name != "nightly" for s in one.schedules]
        assert others
        assert all(others)
        listed = place.run("prefect", "deployment", "schedule", "ls", NIGHTLY)
        (schedule,) = found["nightly"].schedules
        assert str(schedule.id) in listed
        place.run("prefect", "deployment", "schedule", "resume", NIGHTLY, str(schedule.id))
        assert (await client.read_deployment_by_name(NIGHTLY)).schedules[0].active


@pytest.mark.slow
async def test_serve_says_what_is_off_and_takes_a_file_of_ones_own(
    place: Any, start: Start, tmp_path: Path
) -> None:
    """The command that it prints works while it serves, and still counts after a restart."""
    own = yaml.safe_load(Path("deployments/prefect.yaml").read_text())
    mine = {**nightly(), "parameters": {**nightly()["parameters"], "subject": "owls"}}
    file = tmp_path / "prefect.yaml"
    file.write_text(yaml.safe_dump({**own, "deployments": [mine]}))

    def served_now() -> tuple[subprocess.Popen[bytes], str]:
        process, log = start("together-video", "serve", "--prefect-file", str(file))
        deadline = time.monotonic() + 90
        while "Serving these for" not in (said := log.read_text(errors="replace")):
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)
        return process, " ".join(said.split())

    process, said = served_now()
    assert f"The schedule of {NIGHTLY} is paused." in said
    command = shlex.split(said.partition("turn it on: ")[2].partition(" Serving")[0])
    place.run(*command)
    process.terminate()
    assert process.wait(60) == 0
    process, said = served_now()
    assert "is paused" not in said
    async with get_client() as client:
        found = await client.read_deployment_by_name(NIGHTLY)
    assert (found.paused, [s.active for s in found.schedules]) == (False, [True])
    assert found.parameters["subject"] == "owls"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("deployments: 7", "deployments"),
        ("deployments: [{name: a/b, entrypoint: os.path}]", "deployments.0.name"),
        ("deployments: [{name: a, entrypoint: 'flow.py:make'}]", "deployments.0.entrypoint"),
        ("{", "is not YAML"),
    ],
)
def test_a_file_that_cannot_be_served_is_named(tmp_path: Path, text: str, words: str) -> None:
    """In one sentence, before anything is made on the server."""
    file = tmp_path / "prefect.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=words):
        read(file)
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    "entrypoint", ["prefect_together_video.flows.nothing", "nowhere.make", "os.path.join"]
)
async def test_an_entrypoint_that_is_no_flow_is_named(entrypoint: str) -> None:
    with pytest.raises(InputError, match="The deployment a names"):
        await served({"name": "a", "entrypoint": entrypoint}, {}, Earlier({}))
