"""Public task: buy one video, once."""

from __future__ import annotations

from decimal import Decimal

from prefect_together_video.tasks.job_ref import VideoJobRef
from prefect_together_video.tasks.public_steps import GivenArchive, GivenTogether, place_of, run_name
from prefect_together_video.tasks.running.public_task import task_pair
from prefect_together_video.tasks.session.checked_request import CheckedRequest, GivenRequest
from prefect_together_video.tasks.session.run_policy import OnAmbiguous, RunPolicy


async def _create(
    request: GivenRequest,
    *,
    model: str | None = None,
    take: int = 1,
    edition: str = "once",
    price_usd: Decimal | None = None,
    retry_failed: bool = False,
    on_ambiguous: OnAmbiguous = "hold",
    together: GivenTogether = None,
    archive: GivenArchive = None,
) -> VideoJobRef:
    """Claim the request, send it once, and store the job id before anything else happens.

    Called again with the same request, take and edition, in any run, it buys nothing: it returns the job that is under
    way, or the archived video.

    Args:
        request: a prompt, a mapping of request fields, or a `VideoRequest`.
        model: the model of a request that names none; by default the catalogue's default.
        take: another number makes another video from the same request.
        edition: when an identical request may be bought again: once, daily, hourly, or a text of your own.
        price_usd: the highest price of the video, in US dollars, if the catalogue knows none.
        retry_failed: buy again what the provider reported as failed in an earlier run.
        on_ambiguous: what to do with a create of an earlier run that may have been charged: hold, resolve or resubmit.
        together: a `TogetherCredentials` block or the name of a saved one; by default from the environment.
        archive: a `VideoArchive` block or the name of a saved one; by default from the environment.

    Returns:
        The job to wait for. In state `archived` the video is already in the archive.

    Raises:
        InputError: the request cannot be made; nothing was sent.
        BudgetReached: the archive's monthly limit cannot cover it.
        CreateAmbiguous: it may have been charged, so it is held and never repeated automatically.
        JobFailed: it failed in an earlier run, and `retry_failed` is not set.
        TogetherError: it was refused or never sent; nothing was created.
        ArchiveError: the archive cannot be read or written.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import create_video

        @flow
        def buy():
            return create_video({"prompt": "a fox in the snow", "model": "minimax/hailuo-02"})
        ```
    """
    checked = await CheckedRequest.of(request, model=model, take=take, edition=edition, price_usd=price_usd)
    policy = RunPolicy(retry_failed=retry_failed, on_ambiguous=on_ambiguous)
    async with place_of(together, archive) as place:
        await place.session.check()
        plan = await checked.plan(place.session.ledger)
        await place.session.offers.warn([plan.request.model])
        return place.ref(await place.session.buyer(policy).obtain(plan))


create_video, acreate_video = task_pair(
    _create,
    names=("create_video", "acreate_video"),
    task_name="create-video",
    description="Claim the request, POST it once and store the job id before anything else.",
    run_name=lambda: run_name("create", "request"),
)
