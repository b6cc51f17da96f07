"""What a page says of a film, beside the takes of its shots: the film itself on top, and a heading for each shot."""

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

#: Largest captions that a page carries, in bytes.
LARGEST_CAPTIONS = 1_000_000


class InFilm(BaseModel):
    """Which take of which shot a video is, and whether the film is cut from it."""

    model_config = ConfigDict(frozen=True)

    shot: int
    take: int
    is_used: bool


@dataclass(frozen=True)
class FilmView:
    """A film as a page shows it.

    `takes` are the numbers of the takes that there are of each shot, by its number. `captions` is the content of its
    WebVTT file, which the player of the page shows. `storyboard` is the name of the file that commands on the page
    begin from; without one there are none. `is_for_team` tells whether the page links to what names places of the
    team: the storyboard and the edit list.
    """

    record: FilmRecord
    takes: Mapping[int, Sequence[int]]
    captions: bytes = b""
    storyboard: str | None = None
    is_for_team: bool = True

    @property
    def files(self) -> list[str]:
        """Keys of what the page links to, beside the shots."""
        return [
            self.record.video.key,
            *([self.record.poster.key] if self.record.poster else []),
            *self._linked,
        ]

    @property
    def for_others(self) -> FilmView:
        """Without commands, and without what names places of the team."""
        return replace(self, storyboard=None, is_for_team=False)

    @property
    def _linked(self) -> dict[str, str]:
        """What stands below the film, by key, in words."""
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
        """The command for the next cut, but for the name of the file of marks."""
        return None if self.storyboard is None else cut_of(self.storyboard)

    def links(self, link: Callable[[str], str | None]) -> list[tuple[str, str]]:
        """Words and addresses of what belongs to the film."""
        found = [("Film", self.record.video.key), *((words, key) for key, words in self._linked.items())]
        return [(words, address) for words, key in found if (address := safe_link(link(key)))]


@dataclass(frozen=True)
class FilmHead:
    """The film on top of its page, as finished text and addresses."""

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
    """The numbers of a film, as term, value and unit: with what the clips that it shows have cost, and other takes."""
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
        *price_figures(Summary.of(once.values())),
        *((f"Other takes: {term.lower()}", amount, unit) for term, amount, unit in _prices(beside.values())),
    ]


def _prices(outcomes: Iterable[VideoOutcome]) -> list[tuple[str, str, str]]:
    several = list(outcomes)
    return price_figures(Summary.of(several)) if several else []


@dataclass(frozen=True)
class ShotHead:
    """The heading of a shot: a few words, where in the film it begins (in seconds), and the command of a retake."""

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
    """How the shot before goes over into this one, as far as the cut says it."""
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
