"""The prompts of a brief: asked for once, stored before use, found again."""

import httpx
import pytest

from prefect_together_video.tasks.steps.prompts import write_prompts
from together_video.api.client import TogetherClient
from together_video.errors import AccountRefused, ArchiveError, PromptError, RequestRefused
from together_video.prompts import Brief, brief_id

BRIEF = Brief(subject="foxes in the snow", count=3)


@pytest.fixture
def write(client, ledger):
    """Calls the task's function; anything may be replaced."""

    async def make(brief=BRIEF, edition="once", ledger=ledger):
        return await write_prompts.fn(brief, edition, 500, client, ledger)

    return make


@pytest.mark.anyio
async def test_written_once(write, api, ledger):
    """A brief is paid for once: its prompts are stored, and found by every later run of the edition."""
    first = await write()
    assert len(set(first.prompts)) == 3
    assert await ledger.prompts(brief_id(BRIEF, "once")) == first
    chats = api.bill()["chats"]
    assert await write() == first
    assert api.bill()["chats"] == chats
    assert (await write(edition="2026-11-21")).id != first.id
    assert api.bill()["chats"] > chats


@pytest.mark.anyio
@pytest.mark.parametrize("form", ["json_schema_flat", "json_object"])
async def test_other_formats(new_api, ledger, form):
    """A model that refuses one response format is asked in the next."""
    api = new_api(chat_formats=[form])
    async with TogetherClient("key", api.url) as client:
        prompts = await write_prompts.fn(BRIEF, "once", 500, client, ledger)
    assert len(prompts.prompts) == 3
    assert api.bill()["chats"] > 1


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["cut", "too_few", "duplicates"])
async def test_an_answer_that_does_not_do(write, api, kind):
    """What is missing after one bad answer is requested again."""
    api.faults({"on": "chat", "kind": kind, "times": 1})
    prompts = await write()
    assert len(set(prompts.prompts)) == 3
    assert api.bill()["chats"] > 1


@pytest.mark.anyio
async def test_a_model_that_cannot(ledger):
    """After some rounds it is said that this model gives no prompts, and nothing is stored."""
    empty = {"choices": [{"message": {"content": '{"prompts": []}'}, "finish_reason": "stop"}]}
    silent = httpx.MockTransport(lambda _: httpx.Response(200, json=empty))
    async with TogetherClient("key", transport=silent) as client:
        with pytest.raises(PromptError, match="no usable prompt"):
            await write_prompts.fn(BRIEF, "once", 500, client, ledger)
    assert await ledger.prompts(brief_id(BRIEF, "once")) is None


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "kind"), [(401, AccountRefused), (404, RequestRefused)])
async def test_refused(write, api, status, kind):
    """A refusal that no other format can fix is raised at once."""
    api.faults({"on": "chat", "kind": "status", "status": status})
    with pytest.raises(kind):
        await write()
    assert api.bill()["chats"] == 1


@pytest.mark.anyio
async def test_nothing_is_used_before_it_is_stored(write, open_ledger, unruly_s3):
    """Prompts that could not be stored are not handed out: a later run would write others."""
    unruly_s3.strike = lambda method, *_: 503 if method == "PUT" else None
    with pytest.raises(ArchiveError):
        await write(ledger=await open_ledger(unruly_s3.url))
