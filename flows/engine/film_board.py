"""A checked storyboard before it is bought: its plan, its media, the purchases of its shots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.film_sounds import refuse_sounds
from prefect_together_video.flows.engine.shots import Given, Shots
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.media_upload import keep_media, looked_at, refuse_unsendable
from prefect_together_video.tasks.session.terms import Terms
from together_video.catalogue.findings import Finding, Level
from together_video.errors import InputError
from together_video.film.caption_checks import undrawn_captions
from together_video.film.plan import FilmPlan
from together_video.film.shot_requests import PENDING_CLIP, PENDING_FRAME
from together_video.film.storyboard import Storyboard
from together_video.inputs.lines import MOST_TAKES
from together_video.inputs.media import MediaIntake
from together_video.ledger.records import VideoPlan
from together_video.media.inline import why_not_inline
from together_video.media.sources import refuse_paths
from together_video.requests import VideoRequest

#: References to what is made on the way.
_AWAITED = (PENDING_FRAME, PENDING_CLIP)


@dataclass(frozen=True)
class FilmBoard:
    """A checked storyboard: its plan, the files that it names, what each shot may cost."""

    plan: FilmPlan
    intake: MediaIntake
    terms: Terms
    prices: Sequence[Decimal | None]
    edition: str
    needs_price: bool
    batch_id: str | None

    @classmethod
    async def of(
        cls,
        storyboard: Storyboard,
        *,
        edition: str,
        terms: Terms,
        needs_price: bool,
        local_files: bool,
        batch_id: str | None = None,
    ) -> FilmBoard:
        """Calls no server; reads the files that the storyboard names.

        Args:
            batch_id: a different one for each run of the same storyboard, because each pays for what it buys; None:
                nothing is bought.

        Raises:
            InputError: shots cannot be made, or lack a price that is needed.
        """
        plan = FilmPlan.of(storyboard, strict=terms.strict)
        plan.refuse_errors()
        requests = [one.request for one in plan.shots]
        if not local_files:
            refuse_paths(requests, "Shot")
        refuse_sounds(storyboard, local_files=local_files)
        intake = await looked_at(requests, _names(plan))
        prices = terms.check(
            requests,
            [terms.tries] * len(requests),
            needs_price=needs_price,
            again=True,
        )
        _say([*plan.all_findings, *((None, found) for found in undrawn_captions(storyboard))])
        return cls(plan, intake, terms, prices, edition, needs_price, batch_id)

    def check_retakes(self, retakes: Mapping[int, int | None]) -> None:
        """Raises InputError: there is no such shot or take."""
        for number, take in retakes.items():
            self.plan.shot(number)
            if take is not None and not 1 <= take <= MOST_TAKES:
                raise InputError(f"Take {take} of shot {number}: takes are numbered from 1 to {MOST_TAKES}.")

    async def shots(self, ledger: Ledger, retakes: Mapping[int, int | None]) -> Shots:
        """The shots in this archive, before their media are stored in it, unless those are in another bucket.

        Raises:
            MediaRefused: media cannot reach the provider from this archive.
        """
        if not ledger.store.gives_links:
            for one in self.plan.shots:
                if one.shot.extend and (why := why_not_inline(PENDING_CLIP, 0)):
                    raise InputError(f"Shot {one.number}: extend: {why}.")
        await refuse_unsendable(self.intake, ledger, _names(self.plan))
        requests = self.intake.requests
        if self.intake.elsewhere:
            requests = await keep_media(self.intake, ledger, _names(self.plan), awaited=_AWAITED)
        shots = Shots(self.plan, requests, self._plan_of, {})
        # Not the first free number: a command that was stopped and run again must request the same take.
        takes = {number: take or self.plan.shot(number).shot.take + 1 for number, take in retakes.items()}
        return shots.with_retakes(takes)

    def first_plans(self, shots: Shots) -> list[VideoPlan]:
        """The purchases of all shots; for shots that continue another, as far as they are known."""
        return [shots.plan(one.number, Given()) for one in self.plan.shots]

    async def kept(self, ledger: Ledger) -> None:
        """Store the media that the shots name in the archive."""
        await keep_media(self.intake, ledger, _names(self.plan), awaited=_AWAITED)

    def _plan_of(self, number: int, request: VideoRequest, take: int) -> VideoPlan:
        if not request.label_in_id:
            labels = {"film": self.plan.storyboard.title, "shot": str(number), **request.labels}
            request = request.model_copy(update={"labels": labels})
        made = VideoPlan(
            request=request,
            take=take,
            edition=self.edition,
            batch_id=self.batch_id,
            estimate_usd=self.prices[number - 1],
        )
        (plan,) = self.terms.with_tries([made], [self.terms.tries], needs_price=self.needs_price)
        return plan


def _say(findings: Iterable[tuple[int | None, Finding]]) -> None:
    """Log each warning once, with its shots."""
    about: dict[str, list[str]] = {}
    for number, finding in findings:
        if finding.level is Level.WARNING:
            about.setdefault(finding.message, []).append("the film" if number is None else str(number))
    for words, numbers in about.items():
        places = numbers[0] if numbers == ["the film"] else f"shot {', '.join(numbers)}"
        run_logger().warning("%s: %s", places, words)


def _names(plan: FilmPlan) -> list[str]:
    return [f"shot {one.number}" for one in plan.shots]
