"""Decides before anything is bought which models may take over a request, with which changes and at what price."""

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
    """The models that can make the video instead of the requested one, and remarks about them."""

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
    """Fit the request to each of these models. A model that cannot make the video is left out, with the reason.

    Args:
        strict: leave out a model if the check would warn about it.
        price_usd: the highest price of a video if the catalogue has none.
        needs_price: there is a budget: leave out a model without a price.

    Raises:
        InputError: the catalogue has no model of this name.
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
            wrong = "it has no known price, which a budget needs."
        if wrong is not None:
            remarks.append(f"{name} will not take over: {printable(wrong, 300)}")
            continue
        fallbacks.append(Fallback(model=name, changes=fitted.changes, estimate_usd=price))
        remarks += [f"If {name} takes over: {printable(remark, 300)}" for remark in fitted.remarks]
    return Understudies(tuple(fallbacks), tuple(remarks))


def is_refused(request: VideoRequest, *, strict: bool = False) -> bool:
    """Whether the check refuses the model itself: unknown, or, if warnings are errors, no longer offered."""
    return any(
        found.level is Level.ERROR and found.rule in _MODEL_RULES for found in check(request, strict=strict)
    )


def first_made(request: VideoRequest, names: Sequence[str], *, strict: bool = False) -> VideoRequest:
    """The request to send first: the original, or, if the check refuses its model, the request for the first model that
    can take over.

    Raises:
        InputError: the catalogue has no fallback model of this name.
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
    """The plans with their attempts and fallback models, and remarks, each once.

    If the check refuses the requested model, the first one that can take over replaces it. The plan then has the same
    id as if the API had refused the first model.

    Raises:
        InputError: the catalogue has no fallback model of this name.
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
