"""What a round does, drawn from a seed: which commands start, where each is killed, what else breaks."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Literal

from tests.chaos.points import POINTS, Moment, Point, Source, named
from tests.chaos.proxy import Side

#: How a command dies: at a named point when it passes it for the n-th time, after so many seconds of work, or not at
#: all.
Death = tuple[Point, int] | float | None
#: Where the ledger of a round is.
Archive = Literal["bucket", "folder"]


@dataclass(frozen=True)
class Actor:
    """One command that is started. `cold`: as a program, not forked from a warm process.

    `gently`: SIGTERM instead of SIGKILL. `still`: after so many seconds of work it is stopped (SIGSTOP) until its
    claims look abandoned, and then continues.
    """

    who: Literal["batch", "collect"]
    death: Death = None
    cold: bool = False
    gently: bool = False
    still: float | None = None
    #: Seconds after the others of its act.
    late: float = 0.0


@dataclass(frozen=True)
class Crash:
    """A server is killed after so many seconds of an act, and is down for some."""

    side: Side
    after: float
    away: float


@dataclass(frozen=True)
class Act:
    """Commands that run at the same time."""

    actors: tuple[Actor, ...]
    crash: Crash | None = None


@dataclass(frozen=True)
class RoundPlan:
    """`takes` says for each prompt how often it is wanted. Each machine has its own spool. A film has a shot for each
    prompt, and every second one continues the one before.

    `resubmit`: in the end, what is ambiguous is given up and bought again. `resolve`: in the end, only what the bill
    shows as not charged is bought again.
    """

    number: int
    tag: str
    source: Source
    takes: tuple[int, ...]
    in_flight: int
    same_machine: bool
    resubmit: bool = False
    resolve: bool = False
    archive: Archive = "bucket"
    acts: tuple[Act, ...] = field(default=())

    @property
    def total(self) -> int:
        return sum(self.takes)

    def prompt(self, video: int) -> str:
        """The prompt in the file. The chat model writes those of a brief."""
        return f"{self.tag}, video {video}"

    def doubts_of(self, act: Act) -> int:
        """How many videos this act can leave without a job id."""
        if act.crash:
            return self.total
        doubts = 0
        for actor in act.actors:
            # A command that gets SIGTERM stores the answers it is waiting for. A stopped one may miss them.
            calm = (actor.death is None or actor.gently) and actor.still is None
            if actor.who == "collect" or calm:
                continue
            # With only one in flight, a point that leaves no doubt leaves no other doubt either.
            sure = isinstance(actor.death, tuple) and not actor.death[0].in_doubt and self.in_flight == 1
            doubts += 0 if sure else self.in_flight
        return doubts


#: Numbers of the tour's rounds, and of those for points that it missed; drawn rounds have lower ones.
_FIRST_OF_TOUR, FIRST_AGAIN = 90_001, 90_101
#: Leaves jobs for a collector.
_BEGUN = Act((Actor("batch", death=(named("after job.json"), 2)),))


def draw(seed: int, number: int, *, point: Point | None = None, film: bool = False) -> RoundPlan:
    """The plan of a round, the same for the same seed and number. It starts with `point`, if given. `film`: it makes a
    film in any case.
    """
    chance = random.Random(f"{seed}/{number}")
    drawn: Source = chance.choice(["file", "file", "brief", "film"])
    source = "film" if film else point.source if point else drawn
    takes = [1] * chance.randint(2, 4)
    if source == "file" and chance.random() < 0.3:
        takes[0] = 2
    acts = [_first(point)] if point else []
    for _ in range(chance.choice([0, 0, 1]) if point else chance.randint(1, 3)):
        acts.append(_drawn(chance, source))
    if point and point.who == "collect":
        acts.insert(0, _BEGUN)
    return RoundPlan(
        number=number,
        tag=f"round {number} of {seed}",
        source=source,
        takes=tuple(takes),
        in_flight=chance.choice([1, 2, 4]),
        same_machine=chance.random() < 0.5,
        # Nothing follows an ambiguous shot: the film can only be finished if it is bought again.
        resubmit=(ending := chance.random()) < 0.2 or source == "film",
        resolve=ending >= 0.5 and source != "film",
        acts=tuple(acts),
    )


def in_folder(plan: RoundPlan) -> RoundPlan:
    """The same round with an archive in a folder. Instead of the S3 server, the API crashes."""
    acts = [replace(act, crash=replace(act.crash, side="api") if act.crash else None) for act in plan.acts]
    return replace(plan, archive="folder", acts=tuple(acts))


def tour(seed: int) -> list[RoundPlan]:
    """Rounds that reach every point once, several per round, which is faster than a round for each."""
    sure = [
        point for point in POINTS if not point.in_doubt and (point.source, point.who) == ("file", "batch")
    ]
    brief = [point for point in POINTS if point.source == "brief"]
    film = [point for point in POINTS if point.source == "film"]
    collector = [point for point in POINTS if point.who == "collect"]
    doubtful = [point for point in POINTS if point.in_doubt]
    courses = [
        # At some points the video is already done, so the next point needs another one.
        (sure[:7], 3),
        (sure[7:], 11),
        (brief, 2),
        (collector, 4),
        (film[::2], 4),
        (film[1::2], 4),
        # On a busy machine a kill makes everything in flight ambiguous.
        *((doubtful[first : first + 2], 6) for first in range(0, len(doubtful), 2)),
    ]
    return [
        _course(seed, number, points, videos)
        for number, (points, videos) in enumerate(courses, start=_FIRST_OF_TOUR)
    ]


def tour_again(seed: int, missed: list[Point]) -> list[RoundPlan]:
    """A round for each point that the tour missed: on a busy machine a kill may leave nothing for the next one."""
    return [_course(seed, number, [point], 4) for number, point in enumerate(missed, start=FIRST_AGAIN)]


def _course(seed: int, number: int, points: list[Point], videos: int) -> RoundPlan:
    """A round of the tour that is killed at these points, which are of one kind of run and one command."""
    source, who = points[0].source, points[0].who
    return RoundPlan(
        number=number,
        tag=f"round {number} of the tour, {seed}",
        source=source,
        takes=(1,) * videos,
        # A film is killed at its own points: with one shot at a time there are no other doubts.
        in_flight=1 if source == "film" else 2,
        same_machine=number % 2 == 0,
        resubmit=source == "film",
        acts=(*([_BEGUN] if who == "collect" else []), *map(_first, points)),
    )


def _first(point: Point) -> Act:
    return Act((Actor(point.who, death=(point, 1)),))


def _drawn(chance: random.Random, source: Source) -> Act:
    """One batch or two competing ones, perhaps with a collector, perhaps with a server that crashes."""
    death = _death(chance, "batch", source)
    gently = isinstance(death, float) and chance.random() < 0.2
    still = chance.uniform(0, 1) if chance.random() < 0.06 else None
    actors = [Actor("batch", death, cold=chance.random() < 0.04, gently=gently, still=still)]
    if chance.random() < 0.4:
        actors.append(Actor("batch", _death(chance, "batch", source), late=chance.uniform(0, 0.6)))
    if chance.random() < 0.4:
        actors.append(Actor("collect", _death(chance, "collect", source), late=chance.uniform(0, 2)))
    crash = None
    if chance.random() < 0.1:
        crash = Crash(chance.choice(("api", "s3")), after=chance.uniform(0, 2), away=chance.uniform(0, 3))
    return Act(tuple(actors), crash)


def _death(chance: random.Random, who: str, source: Source) -> Death:
    if chance.random() < 0.1:
        return None
    if chance.random() < 0.5:
        # A film takes longer: its shots follow each other.
        return chance.uniform(0, (8 if source == "film" else 3) if who == "batch" else 1.5)
    sources = {"file", source} - {"brief"}
    points = [point for point in POINTS if point.source in sources and who in (point.who, "collect")]
    if who == "collect":
        # A collector creates nothing and claims nothing.
        points = [
            p
            for p in points
            if p.method != "POST" and p.source == "file" and not p.in_doubt and p.moment is not Moment.DONE
        ]
    return chance.choice(points), chance.randint(1, 2)
