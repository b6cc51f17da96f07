"""Automations that send what became of batches by one of Prefect's notification blocks."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from prefect.automations import Automation
from prefect.client.orchestration import get_client
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.exceptions import ObjectNotFound

from prefect_together_video.flows.server.asking import failing_clearly, reach_configured
from together_video.errors import ConfigurationError

#: What chat programs would read as links, mentions or pictures in a text of others, and what is written instead.
_MARKUP = {"<": "＜", "[": "［", "@": "＠", "://": "：//"}


def _shown(field: str) -> str:
    """A field of an event's payload that holds words of others, as an expression of a template."""
    return "".join([f"event.payload.{field}", *(f" | replace({a!r}, {b!r})" for a, b in _MARKUP.items())])


#: Name, event, subject and body of each; the texts are Jinja templates over the event.
_MESSAGES = (
    (
        "together-video batch summary",
        "together-video.batch.finished",
        "{{ " + _shown("title") + " }}: {{ 'done' if event.payload.is_good else 'not everything is there' }}",
        "{{ event.payload.sentence }}.{% if event.payload.page_uri %} Gallery: "
        "{{ event.payload.page_uri }}{% endif %}",
    ),
    (
        "together-video ambiguous video",
        "together-video.video.ambiguous",
        "A video may have been paid for and has no job id",
        "{{ " + _shown("title") + " }}: {{ " + _shown("error") + " }}",
    ),
    (
        "together-video approval wanted",
        "together-video.plan.waiting",
        "{{ " + _shown("title") + " }}: waits for approval",
        "{{ event.payload.sentence }}. Nothing is bought before somebody approves it"
        "{% if event.payload.url %}: {{ event.payload.url }}{% endif %}",
    ),
    (
        "together-video budget reached",
        "together-video.budget.reached",
        "A budget is reached",
        "{{ " + _shown("reason") + " }}",
    ),
)


async def save_notifications(block: str) -> list[str]:
    """Make the automations on the Prefect server that is configured; gives their names.

    Raises:
        ConfigurationError: there is no server, it goes away meanwhile, or it has no such block.
    """
    server = await reach_configured("Automations are kept by a Prefect server: set PREFECT_API_URL.")
    with failing_clearly(server):
        await _save(block)
    return [name for name, *_ in _MESSAGES]


async def _save(block: str) -> None:
    document = await _document(block)
    for name, event, subject, body in _MESSAGES:
        async with get_client() as client:
            for earlier in await client.read_automations_by_name(name):
                await client.delete_automation(earlier.id)
        await Automation(
            name=name,
            description=f"Sends what the event {event} says by the block {block}.",
            trigger=EventTrigger(
                expect={event}, posture=Posture.Reactive, threshold=1, within=timedelta(seconds=0)
            ),
            actions=[SendNotification(block_document_id=document, subject=subject, body=body)],
        ).acreate()


async def _document(block: str) -> UUID:
    kind, _, name = block.partition("/")
    async with get_client() as client:
        try:
            return (await client.read_block_document_by_name(name, kind)).id
        except ObjectNotFound as error:
            raise ConfigurationError(
                f"This Prefect server has no block {block!r}. Make one in the UI under Blocks, such as a Slack "
                "Webhook, and name it by type and name: slack-webhook/videos."
            ) from error
