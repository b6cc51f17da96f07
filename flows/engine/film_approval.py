"""A film that waits for approval: its storyboard is shown with the price of each shot, and made as shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prefect.input import RunInput

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.approval import ApprovalRun, Case, limit_offered
from prefect_together_video.flows.engine.film_board import FilmBoard
from prefect_together_video.flows.engine.film_decision import FilmProspects, film_words, foresee_film
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.errors import InputError
from together_video.film.approval import FilmAnswer, FilmApproved, FilmProposal
from together_video.film.storyboard import Storyboard
from together_video.gallery.plan_markdown import plan_markdown
from together_video.ledger.forecast import Forecast
from together_video.text import counted


class FilmApprovalForm(RunInput, FilmAnswer):
    """The form that approves or declines a suspended film."""


@dataclass(frozen=True)
class FilmApproval(Case[FilmProposal, FilmApproved]):
    """`propose_board` gives the film, the first time; `board_of` gives the film of a storyboard that was shown."""

    ledger: Ledger
    propose_board: Callable[[], Awaitable[FilmBoard]]
    board_of: Callable[[Storyboard], Awaitable[FilmBoard]]
    retakes: Mapping[int, int | None]
    policy: RunPolicy

    proposal = FilmProposal
    approved = FilmApproved
    form = FilmApprovalForm

    async def propose(self, run: ApprovalRun, until: datetime) -> FilmProposal:
        board = await self.propose_board()
        shots = await board.shots(self.ledger, self.retakes)
        prospects = await foresee_film(self.ledger, shots, self.policy)
        # What is shown is what is made: an image that changed while the run waits would make a different shot.
        await board.kept(self.ledger)
        return FilmProposal(
            run=run.id,
            batch_id=run.batch_id,
            title=board.plan.storyboard.title,
            storyboard=board.plan.storyboard,
            plans=tuple(board.first_plans(shots)),
            budget_usd=limit_offered(self.policy, prospects.forecast),
            until=until,
        )

    async def shown(self, proposal: FilmProposal, problem: str) -> tuple[str, Forecast]:
        found = await self._prospects(proposal)
        text = plan_markdown(
            proposal.title,
            [one.plan for one in found.foreseen],
            [one.fate for one in found.foreseen],
            found.forecast,
            problem=problem,
            about=f"A film of {film_words(found.film)}.",
            words=found.words,
        )
        return text, found.forecast

    async def agreed(self, proposal: FilmProposal, given: dict[str, Any]) -> tuple[FilmApproved, str]:
        answer = FilmAnswer.read(given)
        unpriced = [plan.request.model for plan in proposal.plans if plan.estimate_usd is None]
        if answer.limit_usd is not None and unpriced:
            raise InputError(f"{unpriced[0]} has no known price, so a budget cannot be kept: leave it empty.")
        made = FilmApproved(
            run=proposal.run,
            batch_id=proposal.batch_id,
            title=proposal.title,
            storyboard=proposal.storyboard,
            plans=proposal.plans,
            budget_usd=answer.limit_usd,
        )
        return made, f"a film of {counted(len(proposal.plans), 'shot')}"

    async def _prospects(self, proposal: FilmProposal) -> FilmProspects:
        board = await self.board_of(proposal.storyboard)
        return await foresee_film(self.ledger, await board.shots(self.ledger, self.retakes), self.policy)
