"""Reviews many requests before money is spent: what cannot work, what may fail, what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.checks import check
from together_video.catalogue.findings import Finding, Level, sterner
from together_video.catalogue.pricing import Estimate, estimate, total
from together_video.errors import InputError
from together_video.requests import VideoRequest
from together_video.text import counted

#: More errors than this are counted, not listed.
_LISTED = 10


class Reviewed(BaseModel):
    """One request with its findings and its price."""

    model_config = ConfigDict(frozen=True)

    request: VideoRequest
    findings: tuple[Finding, ...]
    estimate: Estimate


class Review(BaseModel):
    """All requests with their findings, in the given order."""

    model_config = ConfigDict(frozen=True)

    requests: tuple[Reviewed, ...]

    @classmethod
    def of(
        cls,
        requests: Sequence[VideoRequest],
        *,
        strict: bool = False,
        catalogue: Catalogue | None = None,
        chosen: Sequence[Sequence[Finding]] | None = None,
    ) -> Review:
        """Check and estimate. `strict` turns warnings into errors.

        `chosen` has the earlier findings of each request, from reading its shorthand.
        """
        known = catalogue or Catalogue.load()
        told = chosen or [()] * len(requests)
        return cls(
            requests=tuple(
                Reviewed(
                    request=request,
                    findings=(
                        *(sterner(before) if strict else before),
                        *check(request, known, strict=strict),
                    ),
                    estimate=estimate(request, known),
                )
                for request, before in zip(requests, told, strict=True)
            )
        )

    @property
    def errors(self) -> list[tuple[int, VideoRequest, Finding]]:
        """All errors, with the request's number, counted from 1."""
        return [
            (number, reviewed.request, finding)
            for number, reviewed in enumerate(self.requests, 1)
            for finding in reviewed.findings
            if finding.level is Level.ERROR
        ]

    @property
    def remarks(self) -> list[str]:
        """Warnings, advice and notes in one line each; the same line for several requests is listed once."""
        found = Counter(
            f"{finding.level}: {reviewed.request.model}, {finding.field}: {finding.message}"
            for reviewed in self.requests
            for finding in reviewed.findings
            if finding.level is not Level.ERROR
        )
        return [line + (f" ({count} requests)" if count > 1 else "") for line, count in found.items()]

    @cached_property
    def total(self) -> Estimate:
        return total(reviewed.estimate for reviewed in self.requests)

    def refuse_errors(self) -> None:
        """Raise an error if any request cannot work.

        Raises:
            InputError: lists up to ten problems.
        """
        errors = self.errors
        if not errors:
            return
        if len(self.requests) == 1:
            raise InputError(" ".join([*(finding.message for _, _, finding in errors), "Nothing was sent."]))
        lines = [
            f"  request {number} ({request.title}): {finding.message}"
            for number, request, finding in errors[:_LISTED]
        ]
        if len(errors) > _LISTED:
            lines.append(f"  … and {len(errors) - _LISTED} more")
        head = f"{counted(len(errors), 'problem')} in {len(self.requests)} requests; nothing was sent."
        raise InputError("\n".join([head, *lines]))
