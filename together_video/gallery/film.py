"""The film on a page: the film itself on top, and a heading for each of its shots."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from together_video.film.record import FilmRecord, FilmShot
from together_video.film.shot_parts import Transition
from together_video.gallery.commands import Commands, cut_of, retake_of
from together_video.gallery.links import safe_link
from together_video.gallery.prices import price_figures
from together_video.gallery.public_text import public_text
from together_video.ledger.records import StoredObject
from together_video.ledger.summary import Summary, VideoOutcome
from together_video.text import clock, one_line

#: Largest captions file that a page includes, in bytes.
LARGEST_CAPTIONS = 1_000_000


class InFilm(BaseModel):
    """Which take of which shot a video is, and whether the film shows it."""

    model_config = ConfigDict(frozen=True)

    shot: int
    take: int
    is_used: bool


@dataclass(frozen=True)
class FilmView:
    """A film as a page shows it.

    `takes` are the numbers of the existing takes of each shot, by the shot's number. `captions` is the content of its
    WebVTT file, for the page's player. `storyboard` is the file name used in the page's commands. Without it there are
    no commands. `is_for_team` says whether the page links to the storyboard and the edit list, which name the team's
    storage places.
    """

    record: FilmRecord
    takes: Mapping[int, Sequence[int]]
    captions: bytes = b""
    storyboard: str | None = None
    is_for_team: bool = True

    @property
    def files(self) -> list[str]:
        """Keys of what the page links to, except the shots."""
        return [
            self.record.video.key,
            *([self.record.poster.key] if self.record.poster else []),
            *self._linked,
        ]

    @property
    def for_others(self) -> FilmView:
        """Without commands, and without links to files that name the team's storage places."""
        return replace(self, storyboard=None, is_for_team=False)

    @property
    def _linked(self) -> dict[str, str]:
        """The links below the film: their words, by key."""
        record = self.record
        several: list[tuple[str, StoredObject | None]] = [
            ("Contact sheet", record.contact_sheet),
            ("Captions (VTT)", record.captions),
        ]
        if self.is_for_team:
            several += [("Edit list (OTIO)", record.edit_list), ("Storyboard", record.storyboard)]
        return {stored.key: words for words, stored in several if stored is not None}

    def retake(self, shot: int) -> Commands | None:
        """The command for the next take of a shot."""
        if self.storyboard is None:
            return None
        return retake_of(self.storyboard, shot, max(self.takes[shot]) + 1)

    @property
    def next_cut(self) -> str | None:
        """The command for the next cut, without the name of the marks file."""
        return None if self.storyboard is None else cut_of(self.storyboard)

    def links(self, link: Callable[[str], str | None]) -> list[tuple[str, str]]:
        """Words and addresses of the film's files."""
        found = [("Film", self.record.video.key), *((words, key) for key, words in self._linked.items())]
        return [(words, address) for words, key in found if (address := safe_link(link(key)))]


@dataclass(frozen=True)
class FilmHead:
    """The film at the top of its page, as finished text and addresses."""

    title: str
    video: str | None
    poster: str | None
    captions: str | None
    width: int
    height: int
    links: list[tuple[str, str]]
    notes: list[str]

    @property
    def urls(self) -> list[str]:
        return [url for url in (self.video, self.poster) if url]


def head_of(film: FilmView, link: Callable[[str], str | None]) -> FilmHead:
    record = film.record
    is_burned = record.cut.get("captions") == "burned"
    captions = None if is_burned or not film.captions else base64.b64encode(film.captions).decode()
    return FilmHead(
        title=public_text(record.title),
        video=safe_link(link(record.video.key)),
        poster=safe_link(link(record.poster.key)) if record.poster else None,
        captions=captions and f"data:text/vtt;base64,{captions}",
        width=record.width,
        height=record.height,
        links=film.links(link),
        notes=[public_text(one_line(note, 500)) for note in record.notes],
    )


def film_figures(
    film: FilmView, shown: Iterable[VideoOutcome], others: Iterable[VideoOutcome]
) -> list[tuple[str, str, str]]:
    """The numbers of a film, as term, value and unit, with the cost of the takes that it shows and of its unused takes.

    If there are unused takes, the terms say which of the two they are about.
    """
    record = film.record
    in_minutes = round(record.seconds) >= 60
    length = f"{record.seconds:.1f}".removesuffix(".0")
    once = {one.id: one for one in shown}
    beside = {one.id: one for one in others if one.id not in once}
    return [
        ("Length", clock(record.seconds) if in_minutes else length, "min" if in_minutes else "s"),
        ("Shots", str(len(record.shots)), ""),
        ("Size", f"{record.width}×{record.height}", ""),
        ("Rate", record.fps, "fps"),
        *_prices(once.values(), " for the film" if beside else ""),
        *(_prices(beside.values(), " for unused takes") if beside else []),
    ]


def _prices(outcomes: Iterable[VideoOutcome], what: str) -> list[tuple[str, str, str]]:
    return [(f"{term}{what}", amount, unit) for term, amount, unit in price_figures(Summary.of(outcomes))]


@dataclass(frozen=True)
class ShotHead:
    """The heading of a shot: a few words, where in the film it starts (in seconds), and the command for a retake."""

    number: int
    title: str
    start: float
    at: str
    facts: tuple[str, ...]
    retake: str | None


def shot_head(film: FilmView, number: int) -> ShotHead:
    shot = film.record.shots[number - 1]
    facts = [f"{shot.seconds:.1f}".removesuffix(".0") + " s", *_joined(film.record, shot)]
    takes, retake = len(film.takes[number]), film.retake(number)
    facts.append(f"take {shot.take} of {takes}" if takes > 1 else f"take {shot.take}")
    return ShotHead(
        number=number,
        title=public_text(one_line(shot.title, 200)),
        start=round(shot.start, 3),
        at=clock(shot.start),
        facts=tuple(facts),
        retake=retake.another_take if retake else None,
    )


def _joined(record: FilmRecord, shot: FilmShot) -> list[str]:
    """The transition from the shot before, if the record of the cut has one."""
    shots = record.cut.get("shots")
    said = shots[shot.number - 1] if isinstance(shots, list) and shot.number <= len(shots) else None
    if not isinstance(said, dict) or shot.number == 1:
        return []
    words = []
    if said.get("continues") is True:
        words.append(f"continues {shot.number - 1}")
    transition = _transition(said.get("transition"))
    if transition is not None and transition.kind == "crossfade":
        words.append(f"crossfade {transition.seconds:g} s")
    return words or ["cut"]


def _transition(value: JsonValue) -> Transition | None:
    try:
        return Transition.model_validate(value)
    except ValidationError:
        return None
