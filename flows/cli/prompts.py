"""`together-video prompts`: write the prompts of a brief without making videos."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from prefect_together_video.flows.cli.options import of_field
from prefect_together_video.flows.cli.preamble import prepare
from prefect_together_video.flows.cli.screen.encoding import can_show
from prefect_together_video.flows.cli.screen.json_output import json_text
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.catalogue import Catalogue
from together_video.errors import TogetherError
from together_video.prompts import PromptSet, PromptWriting, make_brief
from together_video.prompts.briefs import Brief
from together_video.prompts.limits import negative_limit, prompt_limit, refuse_promptless, without_negative
from together_video.text import counted, printable_lines

#: Seconds before each retry of a chat request with a temporary error.
_PAUSES = (2, 5, 10)


def prompts(
    *,
    brief: str,
    count: int = 4,
    style: Annotated[str | None, of_field(Brief, "style")] = None,
    language: Annotated[str, of_field(Brief, "language")] = "English",
    negative_prompts: Annotated[bool, Parameter(negative=()), of_field(Brief, "negative_prompts")] = False,
    model: str | None = None,
    seconds: Annotated[str | None, of_field(Brief, "seconds")] = None,
    chat_model: Annotated[str | None, of_field(Brief, "chat_model")] = None,
    json_: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Write prompts for a --brief and print them, one per line. Makes no videos and needs no archive.

    Each call writes new prompts. You can edit the output and pass it to `batch` as a file.

    Parameters
    ----------
    brief
        What the videos are about.
    count
        How many different prompts to write.
    model
        API name of the video model that the prompts are for. Its limits apply.
    json_
        Print one JSON document on stdout and nothing else.
    """
    # These import httpx, which takes a while.
    from together_video.api.client import TogetherClient
    from together_video.api.settings import api_from_env, timeouts_from_env

    wanted = brief_of_options(
        subject=brief,
        count=count,
        style=style,
        language=language,
        negative_prompts=negative_prompts,
        model=model,
        seconds=seconds,
        chat_model=chat_model,
    )
    catalogue = Catalogue.load()
    video_model = catalogue.get(wanted.model) if wanted.model else catalogue.default_model
    refuse_promptless(video_model)
    key, address = api_from_env()
    terminal = Terminal(quiet=json_)
    prepare(terminal, prefect=False)
    if remark := without_negative(wanted, video_model):
        terminal.complain(remark)

    async def write() -> PromptSet:
        async with TogetherClient(key, address, timeouts=timeouts_from_env()) as client:
            limit = negative_limit(wanted, video_model)
            writing = PromptWriting(wanted, prompt_limit(video_model), negative_limit=limit)
            for pause in _PAUSES:
                try:
                    await writing.drive(client.chat)
                    break
                except TogetherError as error:
                    if not error.retryable:
                        raise
                    await asyncio.sleep(pause)
            else:
                await writing.drive(client.chat)
            return writing.result(datetime.now(UTC))

    with terminal.waiting(f"Writing {counted(wanted.count, 'prompt')} with the chat model …"):
        written = asyncio.run(write())
    if json_:
        terminal.document(_document(written, video_model.name))
    elif any(negative for _, negative in written.pairs):
        # A line of text cannot contain both. JSON lines can, and batch accepts them as they are.
        for prompt, negative in written.pairs:
            terminal.out.file.write(json_text(_fields(prompt, negative), indent=None) + "\n")
    else:
        for prompt in written.prompts:
            terminal.out.file.write(printable_lines(prompt) + "\n")
        if not all(can_show(terminal.out.file, prompt) for prompt in written.prompts):
            terminal.complain(
                f"Some characters became question marks because the output is {terminal.out.encoding}: "
                "set PYTHONIOENCODING=utf-8, or use --json."
            )
    return 0


def brief_of_options(**options: Any) -> Brief:
    """A brief from options; None means the default. Raises InputError, see `make_brief`."""
    return make_brief({name: value for name, value in options.items() if value is not None})


def _document(written: PromptSet, model: str) -> dict[str, Any]:
    return {
        "prompts": [_fields(prompt, negative) for prompt, negative in written.pairs],
        "chat_model": written.chat_model,
        "model": model,
        "brief": written.brief.model_dump(mode="json", exclude_none=True),
    }


def _fields(prompt: str, negative: str | None) -> dict[str, str]:
    return {"prompt": prompt, **({"negative_prompt": negative} if negative else {})}
