"""A storyboard, its shots, one film: the work of the flow `generate-film`, which also runs without Prefect."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.film_clips import fetch_clips
from prefect_together_video.flows.engine.film_decision import decide_film
from prefect_together_video.flows.engine.film_sounds import fetch_sounds, refuse_sounds
from prefect_together_video.flows.engine.pipeline import Pipeline, open_pipeline
from prefect_together_video.flows.engine.shots import Given, MadeShot, Shots, clip_of, make_shots
from prefect_together_video.flows.reporting import in_prefect
from prefect_together_video.flows.reporting.happenings import Phase, happens
from prefect_together_video.flows.reporting.results import Ending, final_state, not_approved, refused
from prefect_together_video.flows.reporting.run_names import name_run, tags_of
from prefect_together_video.tasks.running.runs import run_logger, step
from prefect_together_video.tasks.session.media_upload import keep_media, looked_at, refuse_unsendable
from prefect_together_video.tasks.session.planning import edition_now
from prefect_together_video.tasks.session.run_policy import OnAmbiguous, RunPolicy
from prefect_together_video.tasks.session.terms import Terms, tries_of
from prefect_together_video.tasks.steps.join_film import FilmJob, check_room, join_film
from together_video.catalogue.findings import Level
from together_video.errors import InputError, NotApproved, VideoError
from together_video.film.cutting import cut_of, film_id
from together_video.film.plan import FilmPlan
from together_video.film.record import FilmRecord, FilmShot
from together_video.film.shot_requests import PENDING_CLIP, PENDING_FRAME
from together_video.film.storyboard import Storyboard
from together_video.film.summary import FilmOutcome, FilmSummary, Retake
from together_video.inputs.lines import MOST_TAKES
from together_video.inputs.media import MediaIntake
from together_video.ledger.records import VideoPlan
from together_video.ledger.settings import ArchiveSettings
from together_video.ledger.summary import GOOD
from together_video.media.inline import why_not_inline
from together_video.media.sources import refuse_paths
from together_video.polling.policy import PollPolicy
from together_video.requests import VideoRequest
from together_video.temporary_folders import temporary_folder

if TYPE_CHECKING:
    from prefect_together_video.blocks.archive import VideoArchive
    from prefect_together_video.blocks.credentials import TogetherCredentials

#: References that stand for what is made on the way.
_AWAITED = (PENDING_FRAME, PENDING_CLIP)
#: How often a person hears how far a film is, in percent of its frames.
_PERCENT = 10


async def make_film(
    storyboard: Storyboard,
    *,
    edition: str,
    in_flight: int,
    poll: PollPolicy | None,
    budget_usd: Decimal | None,
    price_usd: Decimal | None,
    retry_failed: bool,
    attempts: int,
    new_seed: bool,
    fallback_models: Sequence[str] | None,
    on_ambiguous: OnAmbiguous,
    strict: bool,
    retakes: Mapping[int, int | None] | None = None,
    local_files: bool = True,
    together: TogetherCredentials | None = None,
    archive: VideoArchive | ArchiveSettings | None = None,
) -> Ending:
    """The parameters are those of the flow, where they are described. The result is a `FilmSummary`.

    Args:
        retakes: shots of which another take is made, by number; the take, or None for the one after that which the
            film is cut from.
    """
    try:
        terms = Terms(tries_of(attempts, new_seed, fallback_models), strict=strict, price_usd=price_usd)
        board = await FilmBoard.of(
            storyboard,
            edition=edition_now(edition),
            terms=terms,
            needs_price=budget_usd is not None,
            local_files=local_files,
        )
        board.check_retakes(retakes or {})
        policy = RunPolicy(poll, in_flight, budget_usd, retry_failed, on_ambiguous, local_files)
        async with open_pipeline(together, archive, policy) as pipeline:
            shots = await board.shots(pipeline.ledger, retakes or {})
            shots = await decide_film(pipeline.ledger, shots, policy, board.kept)
            plans = [shots.plan(one.number, Given()) for one in board.plan.shots]
            await pipeline.offers.warn({plan.request.model for plan in plans})
            await name_run("generate-film", f"film: {storyboard.title}", tags_of(plans, board.batch_id))
            made, again = await make_shots(pipeline, shots, in_flight=in_flight)
            summary = await _film_of(board.plan, made, again, pipeline)
            await in_prefect.show_artifacts(pipeline.ledger, pipeline.records, storyboard.title, summary)
            return final_state(summary)
    except NotApproved as error:
        return not_approved(error)
    except VideoError as error:
        return refused(error)


@dataclass(frozen=True)
class FilmBoard:
    """A storyboard that can work: its plan, the files that it names, what each shot may cost."""

    plan: FilmPlan
    intake: MediaIntake
    terms: Terms
    prices: Sequence[Decimal | None]
    edition: str
    needs_price: bool
    batch_id: str

    @classmethod
    async def of(
        cls, storyboard: Storyboard, *, edition: str, terms: Terms, needs_price: bool, local_files: bool
    ) -> FilmBoard:
        """Nothing is asked of anybody; files that the storyboard names are read.

        Raises:
            InputError: shots cannot work, or lack a price that is needed.
        """
        plan = FilmPlan.of(storyboard, strict=terms.strict)
        plan.refuse_errors()
        requests = [one.request for one in plan.shots]
        if not local_files:
            refuse_paths(requests)
        refuse_sounds(storyboard, local_files=local_files)
        intake = await looked_at(requests, _names(plan))
        prices = terms.check(
            requests,
            [terms.tries] * len(requests),
            needs_price=needs_price,
            again=True,
        )
        _say(plan)
        # For all runs of the same storyboard another one: each pays for what it buys.
        batch_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
        return cls(plan, intake, terms, prices, edition, needs_price, batch_id)

    def check_retakes(self, retakes: Mapping[int, int | None]) -> None:
        """Raises InputError: there is no such shot or take."""
        for number, take in retakes.items():
            self.plan.shot(number)
            if take is not None and not 1 <= take <= MOST_TAKES:
                raise InputError(f"Take {take} of shot {number}: takes are numbered from 1 to {MOST_TAKES}.")

    async def shots(self, ledger: Ledger, retakes: Mapping[int, int | None]) -> Shots:
        """The shots in this archive, before their media are kept in it, unless those lie in another bucket.

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
        # Not the first that is free: a command that was stopped and is run again asks for the same take.
        takes = {number: take or self.plan.shot(number).shot.take + 1 for number, take in retakes.items()}
        return shots.with_retakes(takes)

    async def kept(self, ledger: Ledger) -> None:
        """Keep the media that the shots name in the archive."""
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


async def _film_of(
    plan: FilmPlan, made: Sequence[MadeShot], again: Sequence[MadeShot], pipeline: Pipeline
) -> FilmSummary:
    """The shots that there are, and the film if all are there."""
    summary = FilmSummary(
        videos=tuple(one.outcome for one in (*_once(made), *again)),
        retakes=tuple(
            Retake(shot=one.number, take=one.take, id=one.outcome.id, uri=one.outcome.uri) for one in again
        ),
    )
    missing = [one.number for one in made if one.outcome.state not in GOOD]
    if missing:
        words = ", ".join(map(str, missing))
        verb = "is" if len(missing) == 1 else "are"
        return summary.model_copy(
            update={"problem": f"shot{'s' if len(missing) > 1 else ''} {words} {verb} not in the archive"}
        )
    try:
        record, is_new = await _joined(plan, made, pipeline.ledger)
    except VideoError as error:
        return summary.model_copy(update={"problem": error.message})
    film = FilmOutcome(
        id=record.id,
        title=record.title,
        key=record.video.key,
        uri=pipeline.ledger.store.uri(record.video.key),
        sha256=record.video.sha256,
        size=record.video.size,
        seconds=record.seconds,
        width=record.width,
        height=record.height,
        cost_usd=record.cost_usd,
        is_new=is_new,
        words=record.sentence,
        notes=record.notes,
    )
    return summary.model_copy(update={"film": film})


async def _joined(plan: FilmPlan, made: Sequence[MadeShot], ledger: Ledger) -> tuple[FilmRecord, bool]:
    """The film of these shots, and whether it was made now.

    Raises:
        FilmError: it cannot be joined.
        ArchiveError: the archive cannot be read or written.
    """
    clips = {one.number: clip_of(one.outcome) for one in made}
    with temporary_folder("film") as folder:
        sounds = await fetch_sounds(plan.storyboard, folder, ledger)
        cut = cut_of(plan, {number: clip.sha256 for number, clip in clips.items()}, sounds.digests)
        film = film_id(cut)
        if (record := await ledger.films.read(film)) is not None:
            return record, False
        await check_room(list(clips.values()), folder)
        happens(Phase("Copying the shots from the archive"))
        paths = await fetch_clips(clips.values(), folder, ledger)
        shots = [
            FilmShot(
                number=one.number,
                title=plan.shot(one.number).title,
                id=one.outcome.id,
                take=one.take,
                key=clips[one.number].key,
                sha256=clips[one.number].sha256,
                cost_usd=one.outcome.cost_usd,
                first_frame=one.given.first_frame,
                clip_before=one.given.clip_before,
                start=0,
                seconds=0,
                encoded=0,
            )
            for one in made
        ]
        files = {number: paths[clip.sha256] for number, clip in clips.items()}
        job = FilmJob(film, cut, plan, shots, files, sounds.paths)
        return await step(join_film, job, folder, ledger, _Joining()), True


class _Joining:
    """Says how far the film is, not more often than people read. Called from another thread."""

    def __init__(self) -> None:
        self._loop, self._context = asyncio.get_running_loop(), contextvars.copy_context()
        self._said = -1

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // total // _PERCENT * _PERCENT if total else 0
        if percent > self._said:
            self._said = percent
            words = f"Joining the film: {percent} %" if percent else "Joining the film"
            self._loop.call_soon_threadsafe(happens, Phase(words), context=self._context)


def _once(made: Sequence[MadeShot]) -> list[MadeShot]:
    """A clip that is shown twice is bought once, and counts once."""
    return list({one.outcome.id: one for one in reversed(made)}.values())[::-1]


def _say(plan: FilmPlan) -> None:
    """The warnings, each once, with the shots that it is about."""
    about: dict[str, list[str]] = {}
    for number, finding in plan.all_findings:
        if finding.level is Level.WARNING:
            about.setdefault(finding.message, []).append("the film" if number is None else str(number))
    for words, numbers in about.items():
        places = numbers[0] if numbers == ["the film"] else f"shot {', '.join(numbers)}"
        run_logger().warning("%s: %s", places, words)


def _names(plan: FilmPlan) -> list[str]:
    return [f"shot {one.number}" for one in plan.shots]
