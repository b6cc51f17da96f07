"""A storyboard before it is made: its requests, how they depend on each other, their problems and their cost."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Self

from pydantic import BaseModel, ConfigDict

from together_video.catalogue import Catalogue, Review
from together_video.catalogue.expectations import expected_fps, expected_seconds, expected_size
from together_video.catalogue.findings import Finding, Level, sterner
from together_video.catalogue.pricing import Estimate, total
from together_video.errors import InputError
from together_video.film.fitting import FilmForm, findings_of_film, form_of_film, in_words_of_the_shot
from together_video.film.planned_shot import PlannedShot
from together_video.film.shot_requests import shot_request, with_shot_before
from together_video.film.storyboard import Storyboard
from together_video.requests import VideoRequest

_LISTED = 20


class FilmPlan(BaseModel):
    """All shots of a storyboard, checked and priced. `findings` are about the film as a whole."""

    model_config = ConfigDict(frozen=True)

    storyboard: Storyboard
    shots: tuple[PlannedShot, ...]
    form: FilmForm
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, storyboard: Storyboard, *, strict: bool = False, catalogue: Catalogue | None = None) -> Self:
        """Check and price each shot. `strict` makes warnings errors. Nothing is read, sent or bought.

        Raises:
            InputError: some shots do not make valid requests; names each, with all its problems.
        """
        known = catalogue or Catalogue.load()
        made = [shot_request(storyboard, shot, known) for shot in storyboard.shots]
        refused = [
            f"  Shot {number}: {problem}" for number, one in enumerate(made, 1) for problem in one.problems
        ]
        if refused:
            raise InputError("\n".join(["The storyboard cannot be used.", *_listed(refused)]))
        requests = [one.request for one in made if one.request is not None]
        review = Review.of(requests, strict=strict, catalogue=known, chosen=[one.chosen for one in made])
        shots: list[PlannedShot] = []
        first_of: dict[str, int] = {}
        for number, (shot, reviewed) in enumerate(zip(storyboard.shots, review.requests, strict=True), 1):
            before = shots[-1] if shot.is_chained else None
            key = _key(reviewed.request, shot.take, before.key if before else "")
            other = first_of.setdefault(key, number)
            request, model = reviewed.request, known.find(reviewed.request.model)
            shots.append(
                PlannedShot(
                    number=number,
                    shot=shot,
                    request=request,
                    findings=tuple(in_words_of_the_shot(reviewed.findings, request, shot, storyboard, known)),
                    estimate=reviewed.estimate,
                    chain=before.chain if before else (shots[-1].chain + 1 if shots else 1),
                    key=key,
                    same_as=other if other != number else None,
                    seconds=expected_seconds(request, model) if model else None,
                    size=expected_size(request, model) if model else None,
                    fps=expected_fps(request, model) if model else request.fps,
                )
            )
        form = form_of_film(storyboard.cut, shots)
        of_shots, of_film = findings_of_film(storyboard, shots, form)
        if strict:
            of_shots = {number: sterner(found) for number, found in of_shots.items()}
            of_film = sterner(of_film)
        whole = tuple(
            one.model_copy(update={"findings": (*one.findings, *of_shots.get(one.number, ()))})
            for one in shots
        )
        return cls(storyboard=storyboard, shots=whole, form=form, findings=tuple(of_film))

    @property
    def chains(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the shots in each chain, in order. Chains do not depend on each other."""
        found: dict[int, list[int]] = {}
        for one in self.shots:
            found.setdefault(one.chain, []).append(one.number)
        return tuple(map(tuple, found.values()))

    @cached_property
    def total(self) -> Estimate:
        """The price of all clips, each counted once."""
        return total(one.estimate for one in self.shots if one.same_as is None)

    @property
    def errors(self) -> list[tuple[int | None, Finding]]:
        """What cannot work, with the shot's number; None for the film."""
        return [(number, found) for number, found in self.all_findings if found.level is Level.ERROR]

    @property
    def all_findings(self) -> list[tuple[int | None, Finding]]:
        """All findings, shot by shot, and then those about the film."""
        return [
            *((one.number, found) for one in self.shots for found in one.findings),
            *((None, found) for found in self.findings),
        ]

    def shot(self, number: int) -> PlannedShot:
        """The shot with this number, counted from 1.

        Raises:
            InputError: there is no such shot.
        """
        if not 1 <= number <= len(self.shots):
            raise InputError(f"There is no shot {number}: the film has {len(self.shots)}.")
        return self.shots[number - 1]

    def request_of(
        self, number: int, *, first_frame: str | None = None, clip_before: str | None = None
    ) -> VideoRequest:
        """The request of a shot as it is sent.

        Args:
            first_frame: for a shot that continues: where the last frame of the shot before is, as text that `media`
                accepts.
            clip_before: for a shot that extends: where the clip of the shot before is.

        Raises:
            InputError: there is no such shot.
            ValueError: the shot is made from the one before, and the frame or clip that it needs is not given.
        """
        one = self.shot(number)
        for needed, given, name in (
            (one.shot.continues, first_frame, "first_frame"),
            (one.shot.extend, clip_before, "clip_before"),
        ):
            if needed and given is None:
                raise ValueError(f"shot {number} needs {name}")
        return with_shot_before(one.request, frame=first_frame, clip=clip_before)

    def refuse_errors(self) -> None:
        """Stop here if anything cannot work.

        Raises:
            InputError: names the shots and their problems.
        """
        if not self.errors:
            return
        said = [
            f"  Shot {number}: {found.message}" if number else f"  {found.message}"
            for number, found in self.errors
        ]
        raise InputError("\n".join(["The film cannot be made as it is. Nothing was sent.", *_listed(said)]))


def _listed(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _LISTED
    return [*lines[:_LISTED], *([f"  … and {more} more"] if more > 0 else [])]


def _key(request: VideoRequest, take: int, before: str) -> str:
    return hashlib.sha256(f"{request.fingerprint()}\n{take}\n{before}".encode()).hexdigest()
