"""Estimates what a request may cost, in USD. Estimates are high, so that a budget holds even if the documents are
vague.

- A price per video that covers a certain length and size grows with both.
- If no source says whether a price is per video or per second, the high estimate takes it per second and the low one
per video.
- Tiers have their own prices. A tier without one counts as the next larger priced tier. An unknown tier, or none if the
default is unknown, counts as the most expensive.
- A missing length counts as the model's default, or its longest, or the longest of all models.

The real cost is what the service reports as `outputs.cost`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from pydantic import BaseModel, ConfigDict

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.expectations import expected_seconds, expected_size, expected_tier
from together_video.catalogue.models import Certainty, MediaField, Model, Price, Rate, Tier
from together_video.catalogue.rules.media import given_media
from together_video.catalogue.sizes import wide_size
from together_video.money import usd
from together_video.requests import VideoRequest

_STEP = Decimal("0.0001")
#: No video is longer than a day; keeps absurd lengths out of the arithmetic.
_LONGEST = Decimal(86_400)
#: The documents call 1366x768 "720p" as well, so a size counts as larger only beyond this.
_SAME_SIZE = Decimal("1.25")
_VIDEO_FIELDS = frozenset({MediaField.FRAME_VIDEOS, MediaField.REFERENCE_VIDEOS, MediaField.SOURCE_VIDEO})


class Estimate(BaseModel):
    """A price in USD: `usd` is the high estimate, `low_usd` the low one, None if no price is known."""

    model_config = ConfigDict(frozen=True)

    usd: Decimal | None
    low_usd: Decimal | None
    certainty: Certainty
    words: str


class _Reading:
    """One reading of the documents, with its assumptions and its certainty."""

    def __init__(self, price: Price) -> None:
        self.certainty = price.certainty
        self.words: list[str] = []

    def assume(self, words: str) -> None:
        self.words.append(words)
        self.certainty = _weaker(self.certainty, Certainty.ASSUMED)


def estimate(request: VideoRequest, catalogue: Catalogue | None = None) -> Estimate:
    """What one video of this request costs. Never raises: an unknown model has an unknown price."""
    known = catalogue or Catalogue.load()
    model = known.find(request.model)
    if model is None or model.price is None:
        words = f"no price is known for {request.model[:80]}"
        return Estimate(usd=None, low_usd=None, certainty=Certainty.UNKNOWN, words=words)
    price, reading = model.price, _Reading(model.price)
    high, low = _rate(request, model, price, reading)
    rate = usd(high)
    high *= _enlargement(request, model, price, reading)
    if price.covers.sound is False and request.generate_audio is not False:
        reading.assume("the price is for videos without sound; with sound it is higher, but not documented")
    if price.unit == "second":
        seconds, fewest = _length(request, model, known, reading)
        if price.unit_documented:
            high *= seconds
            low *= fewest
            basis = f"{seconds:f} s at {rate}"
        else:
            high *= max(seconds, Decimal(1))
            basis = f"{seconds:f} s at {rate}, if the price is per second and not per video"
    else:
        high *= _extension(request, model, price, known, reading)
        basis = f"{rate} a video"
    words = "; ".join([basis, *dict.fromkeys(reading.words)])
    return Estimate(usd=_round(high), low_usd=_round(low), certainty=reading.certainty, words=words)


def total(estimates: Iterable[Estimate]) -> Estimate:
    """The sum over a batch, with the weakest certainty in it.

    With one unknown price the sum is unknown; the low sum then covers the other videos.
    """
    every = list(estimates)
    known = [one for one in every if one.usd is not None]
    certainty = max((one.certainty for one in every), key=lambda c: c.doubt, default=Certainty.DOCUMENTED)
    high = sum((one.usd for one in known if one.usd is not None), Decimal(0))
    low = sum((one.low_usd for one in known if one.low_usd is not None), Decimal(0))
    noun = "video" if len(every) == 1 else "videos"
    words = f"{len(every)} {noun}"
    if missing := len(every) - len(known):
        words += f", {missing} of them without a known price"
        words += f"; the others cost at most {usd(high)}" if known else ""
    return Estimate(usd=None if missing else high, low_usd=low, certainty=certainty, words=words)


def _rate(request: VideoRequest, model: Model, price: Price, reading: _Reading) -> tuple[Decimal, Decimal]:
    """USD per unit before length and size: the high and the low estimate."""
    if not price.tiers:
        if price.disputed_usd is not None and price.disputed_usd > price.usd:
            reading.words.append(f"another source says {usd(price.disputed_usd)} instead of {usd(price.usd)}")
            return price.disputed_usd, price.usd
        if price.low_usd is not None and price.low_usd < price.usd:
            reading.words.append(f"another source says {usd(price.low_usd)} instead of {usd(price.usd)}")
            return price.usd, price.low_usd
        return price.usd, price.usd
    plain = _tier_rate(request, model, price.tiers, reading)
    if not price.tiers_with_video or _VIDEO_FIELDS.isdisjoint(given_media(request)):
        return plain, min(plain, price.usd) if expected_tier(request, model) is None else plain
    reading.words.append("a video among the media costs more")
    dearer = _tier_rate(request, model, price.tiers_with_video, reading)
    return max(plain, dearer), min(plain, dearer)


def _tier_rate(request: VideoRequest, model: Model, rates: dict[str, Rate], reading: _Reading) -> Decimal:
    tier = expected_tier(request, model)
    if tier is None:
        name = max(rates, key=lambda each: rates[each].usd)
        asked = "no resolution is given" if request.resolution is None else "the resolution is not known"
        reading.assume(f"{asked}, so counted as {name}, the most expensive")
    elif tier.name in rates:
        name = tier.name
    else:
        name = _next_larger(tier, model, rates)
        reading.assume(f"{tier.name} has no listed price, so counted as {name}")
    if rates[name].starting_from:
        reading.assume(f"{usd(rates[name].usd)} is documented only as a starting price")
    return rates[name].usd


def _next_larger(tier: Tier, model: Model, rates: dict[str, Rate]) -> str:
    priced = [one for one in model.size.tiers or () if one.name in rates]
    larger = [one for one in priced if (one.lines or 0) >= (tier.lines or 0)]
    if larger and tier.lines:
        return min(larger, key=lambda one: one.lines or 0).name
    return max(rates, key=lambda each: rates[each].usd)


def _enlargement(request: VideoRequest, model: Model, price: Price, reading: _Reading) -> Decimal:
    """The size as a multiple of the pixels that the price covers."""
    size = expected_size(request, model)
    if price.covers.lines is None or size is None:
        return Decimal(1)
    factor = Decimal(size.area) / wide_size(price.covers.lines).area
    if factor <= _SAME_SIZE:
        return Decimal(1)
    reading.assume(f"the price is for {price.covers.lines}p, so {size} counts in proportion")
    return factor


def _extension(
    request: VideoRequest, model: Model, price: Price, catalogue: Catalogue, reading: _Reading
) -> Decimal:
    """The length as a multiple of the seconds that a price per video covers."""
    asked = expected_seconds(request, model)
    given = price.covers.seconds or model.seconds.default or model.seconds.longest
    given = given or catalogue.general.seconds.default
    if asked is None or given is None or asked <= given:
        return Decimal(1)
    reading.assume(f"the price is for {given} s, so a longer video counts in proportion")
    return min(asked, _LONGEST) / given


def _length(
    request: VideoRequest, model: Model, catalogue: Catalogue, reading: _Reading
) -> tuple[Decimal, Decimal]:
    """Seconds to be billed: the high and the low estimate."""
    if (asked := expected_seconds(request, model)) is not None:
        seconds = min(asked, _LONGEST)
        return seconds, seconds
    if longest := model.seconds.longest:
        reading.assume(f"no length is given, so counted as {longest} s, the model's longest")
        shortest = min(model.seconds.choices or (model.seconds.minimum or longest,))
        return Decimal(longest), Decimal(shortest)
    general = catalogue.general.seconds
    reading.assume(f"no length is given or documented, so counted as {general.maximum} s")
    return Decimal(general.maximum or 1), Decimal(general.minimum or 1)


def counted_seconds(request: VideoRequest, catalogue: Catalogue | None = None) -> Decimal | None:
    """The length in seconds that the high estimate counts; None if none is documented and the price is not per
    second.
    """
    known = catalogue or Catalogue.load()
    model = known.find(request.model)
    if model is None:
        return None
    if model.price is not None and model.price.unit == "second":
        return _length(request, model, known, _Reading(model.price))[0]
    return expected_seconds(request, model) or (
        Decimal(model.seconds.longest) if model.seconds.longest else None
    )


def _weaker(one: Certainty, other: Certainty) -> Certainty:
    return max(one, other, key=lambda certainty: certainty.doubt)


def _round(amount: Decimal) -> Decimal:
    """Rounded up to a hundredth of a cent, without trailing zeros."""
    rounded = amount.quantize(_STEP, ROUND_CEILING).normalize()
    return rounded.quantize(Decimal(1)) if rounded == rounded.to_integral_value() else rounded
