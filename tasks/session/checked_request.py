"""One request, checked and priced before anything is opened, and its plan in an archive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.session.media_upload import keep_media, looked_at
from prefect_together_video.tasks.session.planning import edition_now
from prefect_together_video.tasks.session.terms import Terms
from together_video.catalogue.findings import Finding
from together_video.errors import InputError
from together_video.inputs.media import MediaIntake
from together_video.inputs.presets import Presets, make_request, with_presets
from together_video.ledger.plans import plan_videos
from together_video.ledger.records import VideoPlan
from together_video.requests import VideoRequest
from together_video.text import one_line
from together_video.tries import Tries

#: What callers pass as a request: the model, its fields as a mapping, or just a prompt.
GivenRequest = VideoRequest | Mapping[str, Any] | str


@dataclass(frozen=True)
class CheckedRequest:
    """A request that can be made, the files that it names, and what it may cost."""

    intake: MediaIntake
    terms: Terms
    prices: list[Decimal | None]
    edition: str
    take: int
    needs_price: bool
    #: What its shorthand became.
    chosen: Sequence[Finding]

    @classmethod
    async def of(
        cls,
        request: GivenRequest,
        *,
        model: str | None = None,
        take: int = 1,
        edition: str = "once",
        presets: Presets | None = None,
        strict: bool = False,
        price_usd: Decimal | None = None,
        needs_price: bool = False,
        tries: Tries = Tries(),  # noqa: B008 - frozen
    ) -> CheckedRequest:
        """Calls no server; reads the files that the request names.

        Raises:
            InputError: it cannot be made, or lacks a price that is needed.
        """
        if isinstance(take, bool) or not isinstance(take, int) or take < 1:
            raise InputError(f"The take must be a number from 1, not {one_line(repr(take), 60)}.")
        now = edition_now(edition)
        asked, chosen = as_request(request, model=model, presets=presets)
        intake = await looked_at([asked])
        terms = Terms(tries, strict=strict, price_usd=price_usd)
        prices = terms.check(intake.requests, [tries], needs_price=needs_price, chosen=[chosen])
        return cls(intake, terms, prices, now, take, needs_price, chosen)

    async def plan(
        self, ledger: Ledger, decide: Callable[[Sequence[VideoPlan]], Awaitable[object]] | None = None
    ) -> VideoPlan:
        """The plan of the purchase in this archive, after its media are stored there.

        Args:
            decide: gets the plan before media are stored, unless they are in another bucket; its errors are raised.

        Raises:
            MediaRefused, ArchiveError: see `media_upload.keep_media`.
        """
        if decide is not None and not self.intake.elsewhere:
            await decide([self._planned(self.intake.requests, self.prices)])
        made = await keep_media(self.intake, ledger)
        plan = self._planned(made, self._prices(made) if self.intake.elsewhere else self.prices)
        if decide is not None and self.intake.elsewhere:
            await decide([plan])
        return plan

    def _prices(self, made: Sequence[VideoRequest]) -> list[Decimal | None]:
        return self.terms.check(
            made, [self.terms.tries], needs_price=self.needs_price, chosen=[self.chosen], again=True
        )

    def _planned(self, made: Sequence[VideoRequest], prices: Sequence[Decimal | None]) -> VideoPlan:
        (plan,) = plan_videos(made, self.edition, prices=prices)
        plan = plan.model_copy(update={"take": self.take})
        (plan,) = self.terms.with_tries([plan], [self.terms.tries], needs_price=self.needs_price)
        return plan


def as_request(
    given: GivenRequest, *, model: str | None = None, presets: Presets | None = None
) -> tuple[VideoRequest, Any]:
    """The request that the caller meant, and what its shorthand became.

    Args:
        model: for a request that names none.

    Raises:
        InputError: it is none of the three, or lacks or breaks a field.
    """
    if isinstance(given, VideoRequest):
        if model is not None and "model" not in given.model_fields_set:
            given = VideoRequest.model_validate({**given.model_dump(exclude_unset=True), "model": model})
        return with_presets(given, presets)
    if isinstance(given, str):
        given = {"prompt": given}
    if not isinstance(given, Mapping):
        raise InputError(
            f"{one_line(repr(given), 60)} is not a request: pass a prompt, a mapping of its fields, or a VideoRequest."
        )
    fields = {str(name): value for name, value in given.items()}
    if model is not None:
        fields.setdefault("model", model)
    request, chosen = make_request(fields)
    if presets is None:
        return request, chosen
    request, more = with_presets(request, presets)
    return request, (*chosen, *more)
