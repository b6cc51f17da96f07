"""From a storyboard through its shots to one film: the work of the flow `generate-film`, also without Prefect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import JsonValue

from prefect_together_video.flows.engine.film_board import FilmBoard
from prefect_together_video.flows.engine.film_decision import decide_film
from prefect_together_video.flows.engine.film_ending import film_of
from prefect_together_video.flows.engine.film_sounds import sounds_at_hand
from prefect_together_video.flows.engine.film_source import film_source, written_film
from prefect_together_video.flows.engine.pipeline import open_pipeline
from prefect_together_video.flows.engine.shots import make_shots
from prefect_together_video.flows.reporting import in_prefect
from prefect_together_video.flows.reporting.results import Ending, final_state, not_approved, refused
from prefect_together_video.flows.reporting.run_names import film_name, name_run, tags_of
from prefect_together_video.tasks.session.planning import edition_now
from prefect_together_video.tasks.session.run_policy import OnAmbiguous, RunPolicy
from prefect_together_video.tasks.session.terms import Terms, tries_of
from together_video.errors import NotApproved, VideoError
from together_video.film.storyboard import Storyboard
from together_video.film.writing.briefs import StoryBrief
from together_video.ledger.settings import ArchiveSettings
from together_video.polling.policy import PollPolicy

if TYPE_CHECKING:
    from prefect_together_video.blocks.archive import VideoArchive
    from prefect_together_video.blocks.credentials import TogetherCredentials
    from prefect_together_video.flows.engine.approval import ApprovalRun


async def make_film(
    storyboard: Storyboard | None = None,
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
    brief: StoryBrief | None = None,
    file: str | None = None,
    settings: Mapping[str, JsonValue] | None = None,
    retakes: Mapping[int, int | None] | None = None,
    local_files: bool = True,
    approve_hours: float | None = None,
    together: TogetherCredentials | None = None,
    archive: VideoArchive | ArchiveSettings | None = None,
) -> Ending:
    """The flow describes the parameters, except one. The result is a `FilmSummary`.

    Args:
        approve_hours: how long the run waits for a person to approve its plan; None: it asks nobody.
        retakes: shots to make another take of, by number; the take, or None for the one after the take that the film
            uses.
    """
    policy = RunPolicy(poll, in_flight, budget_usd, retry_failed, on_ambiguous, local_files)
    try:
        terms = Terms(tries_of(attempts, new_seed, fallback_models), strict=strict, price_usd=price_usd)
        now = edition_now(edition)
        run: ApprovalRun | None = None
        if approve_hours is not None:
            from prefect_together_video.flows.engine import approval

            run = approval.ApprovalRun.current()
        batch_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:6]}" if run is None else run.batch_id
        source = film_source(storyboard, brief, file, settings, local_files=local_files)

        async def board_of(found: Storyboard) -> FilmBoard:
            board = await FilmBoard.of(
                found,
                edition=now,
                terms=terms,
                needs_price=policy.budget_usd is not None,
                local_files=local_files,
                batch_id=batch_id,
            )
            board.check_retakes(retakes or {})
            return board

        # If there is a storyboard: before anything is opened or any server is called.
        board = await board_of(source) if isinstance(source, Storyboard) and run is None else None
        order = None
        if run is not None and approve_hours is not None:
            from prefect_together_video.flows.engine.approval import approved
            from prefect_together_video.flows.engine.film_approval import FilmApproval

            async with open_pipeline(together, archive, policy) as pipeline:

                async def propose() -> FilmBoard:
                    return await board_of(await written_film(source, settings, now, pipeline))

                case = FilmApproval(pipeline.ledger, propose, board_of, retakes or {}, policy)
                order = await approved(pipeline.ledger, run, case, hours=approve_hours)
            policy = replace(policy, budget_usd=order.budget_usd)
            source = order.storyboard
        async with AsyncExitStack() as stack:
            pipeline = await stack.enter_async_context(open_pipeline(together, archive, policy))
            if board is None:
                board = await board_of(await written_film(source, settings, now, pipeline))
            # Before anything is bought: a film whose music is not available is not started.
            sounds = await stack.enter_async_context(
                sounds_at_hand(
                    board.plan.storyboard,
                    pipeline.ledger,
                    pipeline.client.trusted_hosts,
                    trusts_requests=local_files,
                )
            )
            shots = await board.shots(pipeline.ledger, retakes or {})
            plans = board.first_plans(shots)
            if order is not None:
                order.refuse_others(plans)
            prospects = await decide_film(pipeline.ledger, shots, policy, board.kept)
            if order is not None and order.budget_usd is not None:
                # What this run paid before it was interrupted.
                await pipeline.buyer.charge_earlier(prospects.plans)
            await pipeline.offers.warn({plan.request.model for plan in plans})
            title = board.plan.storyboard.title
            await name_run("generate-film", film_name(title), tags_of(plans, batch_id, ["shot"]))
            made, again = await make_shots(pipeline, shots, in_flight=in_flight)
            summary = await film_of(board.plan, made, again, pipeline.ledger, sounds)
            await in_prefect.show_artifacts(pipeline.ledger, pipeline.records, title, summary)
            in_prefect.film_finished(batch_id, title, summary, pipeline.ledger.place.bucket)
            return final_state(summary)
    except NotApproved as error:
        return not_approved(error)
    except VideoError as error:
        return refused(error)
