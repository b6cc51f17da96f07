"""What `gallery` makes for people without access to the archive: a shared page, a ZIP file, pictures.

Prefect is not imported before the options are checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.cli.galleries import gallery_pictures, gallery_zip
from prefect_together_video.flows.cli.galleries.chosen import Chosen
from prefect_together_video.flows.cli.screen.steps import Steps
from prefect_together_video.flows.cli.written_files import checked_file
from prefect_together_video.flows.reporting import shared_page
from together_video.errors import InputError
from together_video.gallery.page import page_names
from together_video.text import counted

_SHEETS, _PREVIEWS = (".jpg", ".jpeg"), (".gif", ".webp")


@dataclass
class Sent:
    """What was made and where, notes for people, and the keys that the archive lacks."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {**self.document, "missing": self.missing}


@dataclass(frozen=True)
class Sending:
    """What to make."""

    seconds: int | None
    zip_file: Path | None
    contact_sheet: Path | None
    preview: Path | None

    @classmethod
    def of(
        cls, share: float | None, zip_file: Path | None, contact_sheet: Path | None, gif: Path | None
    ) -> Sending:
        """Raises:
        InputError: the days are out of range, or a file name has the wrong ending.
        """
        return cls(
            seconds=None if share is None else shared_page.check_days(share),
            zip_file=_file(zip_file, "--zip", (".zip",)),
            contact_sheet=_file(contact_sheet, "--contact-sheet", _SHEETS),
            preview=_file(gif, "--gif", _PREVIEWS),
        )

    @property
    def any(self) -> bool:
        return self.seconds is not None or bool(self.zip_file or self.contact_sheet or self.preview)

    def check(self, ledger: Ledger) -> None:
        """Raises:
        InputError: a page should be shared, but the archive is a folder.
        """
        shared_page.check_can_share(ledger, self.seconds)

    async def send(self, ledger: Ledger, chosen: Chosen, steps: Steps) -> Sent:
        """Make all of it.

        Raises:
            InputError: there is nothing to show.
            ArchiveError: the archive cannot be read or written.
            DownloadError: a file cannot be written.
        """

        sent = Sent(document={"videos": len(chosen.rows)})
        if self.zip_file is not None:
            sent.missing = await gallery_zip.write_zip(ledger, chosen, self.zip_file, steps)
            self._made(sent, "zip", "ZIP file", self.zip_file)
        if self.contact_sheet is not None:
            shown = await gallery_pictures.contact_sheet(ledger, chosen, self.contact_sheet, steps)
            self._made(sent, "contact_sheet", "Contact sheet", self.contact_sheet)
            if (left := len(chosen.pictured) - shown) > 0:
                videos = counted(left, "more video is", "more videos are")
                sent.notes.append(f"The contact sheet shows {shown} videos; {videos} not on it.")
        if self.preview is not None:
            clips = await gallery_pictures.preview(ledger, chosen, self.preview, steps)
            self._made(sent, "preview", "Preview", self.preview)
            if clips < len(chosen.pictured):
                sent.notes.append(f"The preview shows {clips} of {counted(len(chosen.pictured), 'video')}.")
            sent.document["preview_clips"] = clips
        if self.seconds is not None:
            pages = len(page_names("index.html", len(chosen.rows)))
            steps.begin("Sharing the page", pages, "page")
            shared = await shared_page.share_page(
                ledger,
                chosen.name,
                chosen.title,
                chosen.rows,
                chosen.summary,
                chosen.sentence,
                seconds=self.seconds,
                about=chosen.about,
                film=chosen.film,
                written=steps.advance,
            )
            sent.lines.append(("Shared page", shared.url))
            sent.notes.append(
                f"The link and the videos on the page work until {shared.ends_at:%Y-%m-%d %H:%M} UTC, unless the keys "
                "that signed them expire first."
            )
            sent.document |= {
                "link": shared.url,
                "ends_at": shared.ends_at.isoformat(),
                "page": shared.page_uri,
                "pages": shared.pages,
            }
        return sent

    @staticmethod
    def _made(sent: Sent, name: str, title: str, file: Path) -> None:
        sent.lines.append((title, str(file)))
        sent.document[name] = str(file)


def _file(file: Path | None, option: str, endings: tuple[str, ...]) -> Path | None:
    """The file, if its name has the right ending.

    Raises:
        InputError: it has not; or see `checked_file`.
    """
    if file is not None and file.suffix.lower() not in endings:
        raise InputError(
            f"{option} takes a file name that ends in {' or '.join(endings)}, not {file.name!r}."
        )
    return checked_file(file, option)
