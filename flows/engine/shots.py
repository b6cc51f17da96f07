"""The shots of a film as purchases: a chained shot is bought once the shot before it is in the archive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.pipeline import Pipeline
from prefect_together_video.tasks.running.runs import step
from prefect_together_video.tasks.session.prospects import fates_of
from prefect_together_video.tasks.session.run_policy import RunPolicy
from prefect_together_video.tasks.session.standings import Standings
from prefect_together_video.tasks.steps.film import clip_reference, keep_clip, keep_last_frame
from together_video.errors import VideoError
from together_video.film.plan import FilmPlan
from together_video.film.shot_requests import with_shot_before
from together_video.ledger.forecast import Fate
from together_video.ledger.records import StoredObject, VideoPlan
from together_video.ledger.summary import GOOD, VideoOutcome, VideoState
from together_video.requests import VideoRequest

#: Makes the purchase of a shot from its number, its request as it is sent, and its take.
MakePlan = Callable[[int, VideoRequest, int], VideoPlan]


@dataclass(frozen=True)
class Given:
    """What a shot gets from the shot before, as references; nothing if it starts by itself."""

    first_frame: str | None = None
    clip_before: str | None = None


@dataclass(frozen=True)
class Shots:
    """The shots of a storyboard with requests whose media are in the archive, except what is made on the way.

    `retakes` are further takes, by the number of their shot.
    """

    film: FilmPlan
    requests: Sequence[VideoRequest]
    make_plan: MakePlan
    retakes: Mapping[int, int]

    def plan(self, number: int, given: Given, *, take: int | None = None) -> VideoPlan:
        """The purchase of a shot."""
        request = with_shot_before(self.requests[number - 1], frame=given.first_frame, clip=given.clip_before)
        return self.make_plan(number, request, self.film.shot(number).shot.take if take is None else take)

    def with_retakes(self, retakes: Mapping[int, int]) -> Shots:
        return replace(self, retakes=retakes)


@dataclass(frozen=True)
class MadeShot:
    """A shot, how it ended, and what it got from the shot before."""

    number: int
    take: int
    plan: VideoPlan
    outcome: VideoOutcome
    given: Given


@dataclass(frozen=True)
class Foreseen:
    """The fate of a shot. `clip` is the existing clip; `why` says why it is bought, if that is not obvious."""

    number: int
    plan: VideoPlan
    fate: Fate
    clip: StoredObject | None
    given: Given | None
    is_retake: bool = False
    same_as: int | None = None

    @property
    def follows_new(self) -> bool:
        """Whether it is bought because the shot before it is bought."""
        return self.given is None


async def foresee_shots(shots: Shots, ledger: Ledger, policy: RunPolicy) -> list[Foreseen]:
    """The fate of each shot, then of each retake. Reads facts, and writes none.

    Raises:
        ArchiveError: the archive does not answer.
    """
    standings = Standings(ledger, policy)
    found: dict[int, Foreseen] = {}

    async def foresee(number: int, take: int, given: Given | None) -> Foreseen:
        plan = shots.plan(number, given or Given(), take=take)
        if given is None:
            return Foreseen(number, plan, Fate.BUY, None, None)
        (fate,) = await fates_of(ledger, [plan], policy)
        clip = None
        if fate is Fate.REUSE:
            _, record = await standings.of(plan)
            clip = None if record is None else record.video
        return Foreseen(number, plan, fate, clip, given)

    async def given_to(number: int) -> Given | None:
        """None if it needs what does not exist yet, or was never sent with it."""
        shot = shots.film.shot(number).shot
        if not shot.is_chained:
            return Given()
        if (before := found[number - 1].clip) is None:
            return None
        if shot.extend:
            return Given(clip_before=clip_reference(before))
        frame = await ledger.films.last_frame(before.sha256)
        return None if frame is None else Given(first_frame=frame)

    for one in shots.film.shots:
        if one.same_as is not None:
            found[one.number] = replace(found[one.same_as], number=one.number, same_as=one.same_as)
        else:
            found[one.number] = await foresee(one.number, one.shot.take, await given_to(one.number))
    retakes = [
        replace(await foresee(number, take, await given_to(number)), is_retake=True)
        for number, take in shots.retakes.items()
    ]
    # Identical shots have the same takes: what another one buys or shows is not bought for this one.
    first: dict[str, int] = {}
    for known in (*(found[number] for number in sorted(found)), *retakes):
        if known.given is not None:
            first.setdefault(known.plan.id, known.number)
    retakes = [
        one
        if one.given is None or first[one.plan.id] == one.number
        else replace(one, same_as=first[one.plan.id])
        for one in retakes
    ]
    return [*(found[number] for number in sorted(found)), *retakes]


async def make_shots(
    pipeline: Pipeline, shots: Shots, *, in_flight: int
) -> tuple[list[MadeShot], list[MadeShot]]:
    """Make all shots, chains side by side, at most `in_flight` at a time, and the retakes. Returns each in order.

    Errors of one shot are not raised: shots that continue a shot that is not in the archive are not started.
    """
    places = asyncio.Semaphore(in_flight)
    loop = asyncio.get_running_loop()
    ends: dict[int, asyncio.Future[MadeShot]] = {one.number: loop.create_future() for one in shots.film.shots}
    bought: dict[str, asyncio.Future[VideoOutcome]] = {}
    making = pipeline.turns(_purchases(shots))

    async def outcome_of(plan: VideoPlan) -> VideoOutcome:
        """Takes of identical shots are one purchase."""
        if (known := bought.get(plan.id)) is not None:
            return await asyncio.shield(known)
        ours: asyncio.Future[VideoOutcome] = loop.create_future()
        bought[plan.id] = ours
        try:
            ours.set_result(await making.make(plan))
        finally:
            if not ours.done():
                ours.cancel()
        return await ours

    async def make(number: int, take: int) -> MadeShot:
        shot = shots.film.shot(number).shot
        before = await asyncio.shield(ends[number - 1]) if shot.is_chained else None
        plan, given = shots.plan(number, Given(), take=take), Given()
        if before is not None and before.outcome.state not in GOOD:
            words = f"Not started: shot {number - 1} is not in the archive, and this one is made from it."
            return MadeShot(number, take, plan, making.over(plan, VideoState.SKIPPED, words), given)
        async with places:
            if before is not None:
                try:
                    given = await _given(before, shots, number, pipeline.ledger)
                except VideoError as error:
                    return MadeShot(
                        number,
                        take,
                        plan,
                        making.over(plan, VideoState.SKIPPED, f"Not started: {error.message}"),
                        given,
                    )
            plan = shots.plan(number, given, take=take)
            return MadeShot(number, take, plan, await outcome_of(plan), given)

    async def end(number: int) -> MadeShot:
        one = shots.film.shot(number)
        if one.same_as is not None:
            made = replace(await asyncio.shield(ends[one.same_as]), number=number)
        else:
            made = await make(number, one.shot.take)
        ends[number].set_result(made)
        return made

    numbers = [one.number for one in shots.film.shots]
    works = [*map(end, numbers), *(make(number, take) for number, take in shots.retakes.items())]
    made = await making.all(works)
    return made[: len(numbers)], made[len(numbers) :]


def _purchases(shots: Shots) -> int:
    """How many videos the shots and retakes are; identical ones count once."""
    wanted = [(one.number, one.shot.take) for one in shots.film.shots if one.same_as is None]
    return len(
        {
            (
                shots.plan(number, Given(), take=take).id,
                number if shots.film.shot(number).shot.is_chained else 0,
            )
            for number, take in (*wanted, *shots.retakes.items())
        }
    )


async def _given(before: MadeShot, shots: Shots, number: int, ledger: Ledger) -> Given:
    clip = clip_of(before.outcome)
    title = f"shot {number - 1}"
    if shots.film.shot(number).shot.extend:
        kept = await step(keep_clip, clip, title, ledger)
        return Given(clip_before=kept)
    frame = await step(keep_last_frame, clip, title, ledger)
    return Given(first_frame=frame)


def clip_of(outcome: VideoOutcome) -> StoredObject:
    """The clip of an archived shot."""
    if outcome.key is None or outcome.size is None or outcome.sha256 is None:
        raise VideoError(f"{outcome.id} is archived without a file.")
    ending = "webm" if outcome.key.endswith(".webm") else "mp4"
    return StoredObject(
        key=outcome.key, size=outcome.size, sha256=outcome.sha256, content_type=f"video/{ending}"
    )


def cost_of_new(foreseen: Sequence[Foreseen]) -> Decimal | None:
    """The highest cost of the shots to buy, in US dollars; None if a price is unknown."""
    bought = [one for one in foreseen if one.fate is Fate.BUY and one.same_as is None]
    prices = [one.plan.most_usd for one in bought]
    known = [price for price in prices if price is not None]
    return sum(known, Decimal(0)) if len(known) == len(prices) else None
