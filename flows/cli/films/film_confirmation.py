"""Show what a film will cost, and ask whether to buy it."""

from __future__ import annotations

from typing import Any

from prefect_together_video.flows.cli.confirmation import Confirmation, document
from prefect_together_video.flows.engine.film_decision import FilmProspects
from prefect_together_video.tasks.session.prospects import Prospects


class FilmConfirmation(Confirmation):
    """Also shows each shot and whether it is bought, reused or skipped."""

    def introduce(self, prospects: Prospects, *, on_err: bool) -> None:
        if isinstance(prospects, FilmProspects):
            console = self._terminal.err if on_err else self._terminal.out
            for line in prospects.lines:
                console.print(line, markup=False, soft_wrap=True)
            console.print()

    def document(self, prospects: Prospects) -> dict[str, Any]:
        found = document(prospects)
        if isinstance(prospects, FilmProspects):
            found["film"] = prospects.document
        return found
