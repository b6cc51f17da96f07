"""What a batch will make, from a brief, a list or a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from pydantic import JsonValue

from together_video.catalogue import Catalogue
from together_video.catalogue.findings import Finding
from together_video.errors import InputError
from together_video.inputs.files import read_requests
from together_video.inputs.lines import SourcedRequest
from together_video.inputs.presets import Presets, make_request, overlay, with_presets
from together_video.inputs.text_lists import Lines
from together_video.ledger.records import Sweep
from together_video.media.sources import refuse_paths
from together_video.prompts import Brief, PromptSet, refuse_placeholder
from together_video.prompts.limits import refuse_promptless
from together_video.requests import VideoRequest
from together_video.text import counted, one_line
from together_video.tries import Tries

#: Longest title, in characters.
_TITLE = 200


@dataclass(frozen=True)
class Source:
    """The requests of a batch. A brief has one request until its prompts are written."""

    sourced: Sequence[SourcedRequest]
    title: str
    #: What each request is called in messages, if it has a name.
    names: Sequence[str] | None = None
    brief: Brief | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def requests(self) -> list[VideoRequest]:
        return [found.request for found in self.sourced]

    @property
    def sweeps(self) -> list[Sweep | None]:
        return [found.sweep for found in self.sourced]

    @property
    def takes(self) -> list[int | None]:
        """The takes that requests set themselves."""
        return [found.take for found in self.sourced]

    def tries(self, usual: Tries) -> list[Tries]:
        """How each request is tried again: as its line says, otherwise as the run does."""
        return [found.tries.over(usual) for found in self.sourced]

    @property
    def chosen(self) -> list[Sequence[Finding]]:
        return [found.chosen for found in self.sourced]

    def written(self, prompts: PromptSet) -> Source:
        """A brief's source, with a request for each of its prompts."""
        assert self.brief is not None  # noqa: S101 - only a brief has prompts
        made = [_briefed(self.brief, self.settings, *pair) for pair in prompts.pairs]
        return replace(self, sourced=made)


def read_source(
    brief: Brief | None,
    requests: Sequence[VideoRequest] | None,
    file: str | None,
    *,
    lines: Lines = "checked",
    settings: dict[str, JsonValue] | None = None,
    presets: Presets | None = None,
    sweeps: Sequence[Sweep | None] | None = None,
    tries: Sequence[Tries | None] | None = None,
    takes: Sequence[int | None] | None = None,
    title: str | None = None,
    local_files: bool = True,
) -> Source:
    """Read the input of a batch. Calls no server.

    Args:
        lines: how the lines of a text file become prompts; see `text_lists`.
        settings: request fields for each prompt of the brief or each line of the file.
        presets: words for fields that the settings and requests do not set.
        sweeps: for each request, the sweep that it belongs to.
        tries: for each request, its own attempts and fallback models.
        takes: for each request, the number of its take.
        title: title of the gallery, such as the name of the file with the requests.
        local_files: whether `file` and media may be files of this machine.

    Raises:
        InputError: not exactly one of the three is given, it gives no requests, or the brief is a placeholder.
    """
    if sum(given is not None for given in (brief, requests, file)) != 1:
        raise InputError("Give one of brief, requests or file.")
    if file is not None and not local_files:
        raise InputError("This run may not read files of the machine that makes the videos. Give requests.")
    said = _with_presets(settings, presets)
    if brief is not None:
        refuse_placeholder(brief)
        # Before a chat model is called, the settings must make a valid request.
        one = _briefed(brief, said, "a prompt to come", None)
        if (known := Catalogue.load().find(one.request.model)) is not None:
            refuse_promptless(known)
        source = Source([one], brief.subject, brief=brief, settings=said)
    elif file is not None:
        read = read_requests(file, said, Catalogue.load().default_model.name, lines=lines)
        source = Source(read, PurePath(file).stem, [f"line {found.line}" for found in read])
    else:
        listed = _listed(requests or (), sweeps, tries, takes, presets)
        source = Source(listed, one_line(title or "", _TITLE) or counted(len(listed), "video"))
    if not local_files:
        refuse_paths(source.requests)
    return source


def _briefed(
    brief: Brief, settings: dict[str, Any], prompt: str, negative_prompt: str | None
) -> SourcedRequest:
    """One prompt of a brief as a request, with the settings that all its videos share."""
    fields: dict[str, Any] = {"model": brief.model or Catalogue.load().default_model.name}
    if brief.seconds is not None:
        fields["seconds"] = brief.seconds
    if negative_prompt is not None:
        fields["negative_prompt"] = negative_prompt
    try:
        request, chosen = make_request({**fields, **settings, "prompt": prompt})
    except InputError as error:
        raise InputError(f"The settings cannot be used. {error.message}") from error
    return SourcedRequest(request=request, line=1, chosen=chosen)


def _listed(
    requests: Sequence[VideoRequest],
    sweeps: Sequence[Sweep | None] | None,
    tries: Sequence[Tries | None] | None,
    takes: Sequence[int | None] | None,
    presets: Presets | None,
) -> list[SourcedRequest]:
    for name, given in (("sweeps", sweeps), ("tries", tries), ("takes", takes)):
        if given and len(given) != len(requests):
            raise InputError(
                f"There are {len(given)} {name} for {len(requests)} requests: give one for each."
            )
    made = [with_presets(request, presets) for request in requests]
    none = [None] * len(made)
    return [
        SourcedRequest(
            request=request, line=number, sweep=sweep, chosen=chosen, tries=one or Tries(), take=take
        )
        for number, ((request, chosen), sweep, one, take) in enumerate(
            zip(made, sweeps or none, tries or none, takes or none, strict=True), 1
        )
    ]


def _with_presets(settings: dict[str, JsonValue] | None, presets: Presets | None) -> dict[str, Any]:
    """The settings, completed by the presets."""
    said = settings or {}
    words = presets.model_dump(exclude_none=True) if presets is not None else {}
    return {**overlay(said, words), **said}
