"""What a batch will make: read, checked, priced and planned before anything is bought."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from prefect_together_video.flows.engine.pipeline import Pipeline
from prefect_together_video.flows.engine.source import Source
from prefect_together_video.flows.reporting.happenings import Phase, happens
from prefect_together_video.tasks.running.runs import run_logger, step
from prefect_together_video.tasks.session.media_upload import keep_media, looked_at, refuse_unsendable
from prefect_together_video.tasks.session.terms import Terms
from prefect_together_video.tasks.steps.prompts import write_prompts
from together_video.catalogue import Catalogue
from together_video.catalogue.models import Model
from together_video.inputs.media import MediaIntake
from together_video.ledger.plans import plan_videos
from together_video.ledger.records import Origin, VideoPlan
from together_video.prompts import Brief, PromptSet
from together_video.prompts.limits import negative_limit, prompt_limit, without_negative
from together_video.requests import VideoRequest
from together_video.text import counted

#: Gets the plans before any of their media are stored; its errors end the run.
Decide = Callable[[Sequence[VideoPlan]], Awaitable[object]]


@dataclass(frozen=True)
class Preparation:
    """The checked requests of a batch, and what each may cost."""

    source: Source
    intake: MediaIntake
    terms: Terms
    prices: list[Decimal | None]
    edition: str
    needs_price: bool

    @classmethod
    async def of(cls, source: Source, edition: str, terms: Terms, *, needs_price: bool) -> Preparation:
        """Calls no server; reads the files that the requests name.

        Raises:
            InputError: some requests cannot be made, or lack a price that is needed.
        """
        intake = await looked_at(source.requests, source.names)
        tries = source.tries(terms.tries)
        prices = terms.check(intake.requests, tries, needs_price=needs_price, chosen=source.chosen)
        return cls(source, intake, terms, prices, edition, needs_price)

    async def plans(self, pipeline: Pipeline, batch_id: str, decide: Decide | None = None) -> list[VideoPlan]:
        """The plans of all videos, with their prices. A brief's prompts are written, unless they are stored already.
        Media are stored in the archive once `decide` has agreed, or before if they are in another bucket.

        Raises:
            VideoError: see `write_prompts`, `keep_media` and `decide`.
        """
        ledger, brief = pipeline.ledger, self.source.brief
        source, origin = self.source, None
        if brief is not None:
            # Before the chat model is paid for its prompts.
            await refuse_unsendable(self.intake, ledger, source.names)
            (tries,) = source.tries(self.terms.tries)
            first = self.terms.first_made(source.requests[0], tries)
            happens(Phase(f"Writing {counted(brief.count, 'prompt')} with the chat model"))
            written = await _prompts(brief, self.edition, Catalogue.load().get(first.model), pipeline)
            source, origin = source.written(written), written.origin
        if decide is None or self.intake.elsewhere:
            kept = await keep_media(self.intake, ledger, source.names)
            plans = await self._planned(source, kept, batch_id, origin, pipeline)
            if decide is not None:
                await decide(plans)
            return plans
        await refuse_unsendable(self.intake, ledger, source.names)
        plans = await self._planned(source, self.intake.requests, batch_id, origin, pipeline)
        await decide(plans)
        await keep_media(self.intake, ledger, source.names)
        return plans

    async def _planned(
        self,
        source: Source,
        made: Sequence[VideoRequest],
        batch_id: str,
        origin: Origin | None,
        pipeline: Pipeline,
    ) -> list[VideoPlan]:
        if source.brief is not None:
            # The settings' media, which all requests share, were inspected and stored once.
            made = [found.model_copy(update={"media": made[0].media}) for found in source.requests]
        prices, tries = self.prices, source.tries(self.terms.tries)
        if source.brief is not None or self.intake.elsewhere:
            prices = self.terms.check(
                made, tries, needs_price=self.needs_price, chosen=source.chosen, again=source.brief is None
            )
        plans = plan_videos(made, self.edition, batch_id, origin, source.sweeps, prices, source.takes)
        plans = self.terms.with_tries(plans, tries, needs_price=self.needs_price)
        await pipeline.offers.warn({plan.request.model for plan in plans})
        return plans


async def _prompts(brief: Brief, edition: str, model: Model, pipeline: Pipeline) -> PromptSet:
    if remark := without_negative(brief, model):
        run_logger().warning(remark)
    return await step(
        write_prompts,
        brief,
        edition,
        prompt_limit(model),
        pipeline.client,
        pipeline.ledger,
        negative_limit(brief, model),
    )
