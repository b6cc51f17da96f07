"""Which models may take over a request, as what, and at what price; decided before anything is bought."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from together_video.catalogue import Catalogue, check
from together_video.catalogue.findings import Level
from together_video.catalogue.fitting import fit
from together_video.catalogue.pricing import estimate
from together_video.errors import InputError, RequestInvalid
from together_video.ledger.records import Fallback, VideoPlan
from together_video.requests import VideoRequest
from together_video.text import printable
from together_video.tries import Tries

_MODEL_RULES = frozenset({"model_is_known", "model_is_offered"})


class Understudies(NamedTuple):
    """The models that can make the video in place of the one that was asked for, and what is to be said of them."""

    fallbacks: tuple[Fallback, ...]
    remarks: tuple[str, ...] = ()


def understudies(
    request: VideoRequest,
    names: Sequence[str],
    *,
    strict: bool = False,
    price_usd: Decimal | None = None,
    needs_price: bool = False,
) -> Understudies:
    """What the request becomes for each of these models. One that cannot do what it asks for is left out, with the
    reason.

    Args:
        strict: leave out a model of which the check would warn.
        price_usd: the highest price of a video where the catalogue knows none.
        needs_price: there is a budget: leave out a model without a price.

    Raises:
        InputError: the catalogue knows no model of this name.
    """
    catalogue = Catalogue.load()
    fallbacks: list[Fallback] = []
    remarks: list[str] = []
    for name in names:
        if name == request.model:
            continue
        try:
            fitted = fit(request, name, catalogue)
        except RequestInvalid as error:
            raise InputError(f"Fallback model: {error.message} Nothing was sent.") from error
        made = request.model_copy(update={"model": name, **fitted.changes})
        price = estimate(made, catalogue).usd
        price = price_usd if price is None else price
        findings = check(made, catalogue, strict=strict)
        wrong = fitted.problem or next((one.message for one in findings if one.level is Level.ERROR), None)
        if wrong is None and needs_price and price is None:
            wrong = "it has no known price, and there is a budget."
        if wrong is not None:
            remarks.append(f"{name} will not take over: {printable(wrong, 300)}")
            continue
        fallbacks.append(Fallback(model=name, changes=fitted.changes, estimate_usd=price))
        remarks += [f"Should {name} take over: {printable(remark, 300)}" for remark in fitted.remarks]
    return Understudies(tuple(fallbacks), tuple(remarks))


def is_refused(request: VideoRequest, *, strict: bool = False) -> bool:
    """Whether the check refuses the model itself: unknown, or, where warnings are errors, not on offer any more."""
    return any(
        found.level is Level.ERROR and found.rule in _MODEL_RULES for found in check(request, strict=strict)
    )


def first_made(request: VideoRequest, names: Sequence[str], *, strict: bool = False) -> VideoRequest:
    """The request that is made first: the one that was asked for, or, where its model is refused by the check, what
    becomes of it for the first model that can take over.

    Raises:
        InputError: the catalogue knows no fallback model of this name.
    """
    if not names or not is_refused(request, strict=strict):
        return request
    found = understudies(request, names, strict=strict).fallbacks
    if not found:
        return request
    return request.model_copy(update={"model": found[0].model, **found[0].changes})


def with_tries(
    plans: Sequence[VideoPlan],
    tries: Sequence[Tries],
    *,
    strict: bool = False,
    price_usd: Decimal | None = None,
    needs_price: bool = False,
) -> tuple[list[VideoPlan], list[str]]:
    """The plans with their attempts and the models that take over, and what is to be said of it, each once.

    Where the check refuses the model that was asked for, the first that can take over is in its place. The plan's id
    is then the one that it has if the first model is refused by the API.

    Raises:
        InputError: the catalogue knows no fallback model of this name.
    """
    made: list[VideoPlan] = []
    remarks: dict[str, None] = {}
    for plan, one in zip(plans, tries, strict=True):
        names = one.fallback_models or ()
        found = understudies(plan.request, names, strict=strict, price_usd=price_usd, needs_price=needs_price)
        remarks |= dict.fromkeys(found.remarks)
        whole = plan.model_copy(
            update={
                "attempts": one.attempts or 1,
                "new_seed": bool(one.new_seed),
                "fallbacks": found.fallbacks,
            }
        )
        if found.fallbacks and is_refused(plan.request, strict=strict):
            whole = whole.chain[1]
            asked = printable(plan.request.model, 80)
            remarks[f"{asked} is not offered: {whole.request.model} takes its place."] = None
        made.append(whole)
    return made, list(remarks)
