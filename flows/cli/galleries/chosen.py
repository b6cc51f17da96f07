"""The videos that a gallery shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from together_video.gallery import About, GalleryRow
from together_video.gallery.files import files_of
from together_video.gallery.film import FilmView
from together_video.gallery.for_others import ForOthers, about_for_others
from together_video.ledger.layout import Layout
from together_video.ledger.summary import Summary
from together_video.money import usd
from together_video.text import counted


@dataclass(frozen=True)
class Chosen:
    """The videos that a gallery shows, and its heading. `name` is the id of a batch or film, or `newest`."""

    name: str
    title: str
    rows: Sequence[GalleryRow]
    about: About = field(default_factory=About)
    film: FilmView | None = None

    @property
    def summary(self) -> Summary:
        return Summary.of(row.outcome for row in self.rows)

    @property
    def sentence(self) -> str:
        if self.film is not None:
            return self.film.record.sentence
        summary = self.summary
        cost = sum((found.cost_usd for found in summary.videos if found.cost_usd is not None), Decimal(0))
        return f"{counted(len(summary.videos), 'video')}, {usd(cost)} paid in all"

    @property
    def for_others(self) -> Chosen:
        """The same without details that are only for the team."""
        about = about_for_others(self.about) or self.about
        film = self.film and self.film.for_others
        return replace(self, rows=ForOthers(self.rows), about=about, film=film)

    @property
    def pictured(self) -> Sequence[GalleryRow]:
        """The videos for pictures. For a film, the shots in the cut, without other takes."""
        if self.film is None:
            return self.rows
        return [row for row in self.rows if row.in_film is None or row.in_film.is_used]

    def files(self, layout: Layout) -> list[str]:
        """Keys of the files that the page shows and links to."""
        of_film = self.film.files if self.film is not None else []
        return [*of_film, *(key for row in self.rows for key in files_of(row, layout))]
