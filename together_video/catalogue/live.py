"""The service's own lists of models, read with caution, compared with the catalogue.

The catalogue stays authoritative: nothing here changes a limit or an estimate. `GET /v1/models` lists what the key may
    use; video models have `type: "video"` and an example price. `GET /v2/supported-models` gives each a status. If an
    API has neither, or lists no video model, no difference is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.models import Certainty, Model, Price
from together_video.money import usd
from together_video.text import one_line

#: Most entries of an answer that are read, most video models that are kept, and the longest name and price description.
_MOST_ENTRIES, _MOST_MODELS, _LONGEST_NAME, _LONGEST_WORDS = 5_000, 500, 200, 200
#: The highest price that is believed, in USD: a larger number means something else.
_DEAREST = Decimal(100_000)


class Status(StrEnum):
    """A model's status in the list of supported models. Hidden: not for new users."""

    RECOMMENDED = "recommended"
    SUPPORTED = "supported"
    DEPRECATED = "deprecated"
    HIDDEN = "hidden"


def _plain(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("is not plain text")
    return text


PlainName = Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME), AfterValidator(_plain)]
PlainWords = Annotated[str, Field(max_length=_LONGEST_WORDS), AfterValidator(_plain)]
Dollars = Annotated[Decimal, Field(ge=0, le=_DEAREST, allow_inf_nan=False, max_digits=20)]


class LiveModel(BaseModel):
    """One video model as the service lists it: `price_usd` is an example price, for what `price_words` describe."""

    model_config = ConfigDict(frozen=True)

    name: PlainName
    status: Status | None = None
    price_usd: Dollars | None = None
    price_words: PlainWords | None = None


class LiveModels(BaseModel):
    """`models/<day>.json`: the video models that a key can use, as of a moment in UTC.

    `complete` means that the API listed video models, so a missing one is not available.
    """

    model_config = ConfigDict(frozen=True)

    read_at: datetime
    models: tuple[LiveModel, ...] = Field(default=(), max_length=_MOST_MODELS)
    complete: bool = False

    @cached_property
    def _by_name(self) -> dict[str, LiveModel]:
        return {model.name: model for model in self.models}

    def find(self, name: str) -> LiveModel | None:
        """The model with exactly this API name, if the service lists it."""
        return self._by_name.get(name)

    def offers(self, name: str) -> bool | None:
        """Whether a model is available; None if the service does not say."""
        if (found := self.find(name)) is not None:
            return found.status is not Status.HIDDEN
        return False if self.complete else None


class Difference(BaseModel):
    """One difference between the service and the catalogue, in one sentence."""

    model_config = ConfigDict(frozen=True)

    model: str
    kind: Literal["new", "not offered", "deprecated", "price"]
    message: str


def live_models(models: object, supported: object, read_at: datetime) -> LiveModels:
    """The models from both answers. Never raises: what cannot be read is left out.

    Args:
        models: the answer of `GET /v1/models`: a list, or an object whose `data` is one.
        supported: the answer of `GET /v2/supported-models`; None if the API has none.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in _entries(models):
        name = _name(entry, ("id", "name"))
        if name is not None and str(entry.get("type")).lower() == "video" and len(found) < _MOST_MODELS:
            price, words = _price(entry.get("pricing"))
            found[name] = {"name": name, "price_usd": price, "price_words": words}
    complete = bool(found)
    for entry in _entries(supported):
        # The id is for deployments; requests use the name.
        name, status = _name(entry, ("name", "id", "model")), _status(entry.get("status"))
        if name is None or status is None:
            continue
        if name in found or (len(found) < _MOST_MODELS and _makes_videos(entry)):
            found.setdefault(name, {"name": name})["status"] = status
    listed = tuple(LiveModel.model_validate(one) for one in found.values())
    return LiveModels(read_at=read_at, models=listed, complete=complete)


def differences(
    live: LiveModels, catalogue: Catalogue | None = None, *, among: Collection[str] | None = None
) -> list[Difference]:
    """All differences: models in the catalogue's order, then those that it does not know.

    Args:
        among: report only these models; a new model is not a difference if you named it.
    """
    known = catalogue or Catalogue.load()
    found = [
        difference
        for model in known.models
        if among is None or model.name in among
        for difference in _about(model, live)
    ]
    if among is None:
        for new in live.models:
            if known.find(new.name) is None and new.status is not Status.HIDDEN:
                price = f" for {_priced(new)}" if new.price_usd is not None else ""
                message = f"{new.name} is available{price}, but is not in the catalogue."
                found.append(Difference(model=new.name, kind="new", message=message))
    return found


def _about(model: Model, live: LiveModels) -> Iterator[Difference]:
    found = live.find(model.name)
    if live.offers(model.name) is False:
        if model.offered:
            message = f"The API does not list {model.name} as a video model: it may refuse it."
            yield Difference(model=model.name, kind="not offered", message=message)
        return
    if found is None:
        return
    if found.status is Status.DEPRECATED:
        message = f"The API lists {model.name} as deprecated: it will be retired."
        yield Difference(model=model.name, kind="deprecated", message=message)
    if not model.offered:
        message = f"{model.name} is available, but the catalogue says that it is not."
        yield Difference(model=model.name, kind="new", message=message)
    if (
        model.price is not None
        and found.price_usd is not None
        and not _is_known(found.price_usd, model.price)
    ):
        message = (
            f"The API lists {model.name} for {_priced(found)}, but the catalogue has {usd(model.price.usd)}"
        )
        message += f" per {model.price.unit}: the estimate may be wrong."
        yield Difference(model=model.name, kind="price", message=message)


def _is_known(price: Decimal, ours: Price) -> bool:
    """Whether the catalogue has this price for some tier or source. The user's own price is not doubted."""
    rates = [rate.usd for rate in (*ours.tiers.values(), *ours.tiers_with_video.values())]
    return ours.certainty is Certainty.OWN or price in {ours.usd, ours.disputed_usd, ours.low_usd, *rates}


def _priced(model: LiveModel) -> str:
    words = f" ({model.price_words})" if model.price_words else ""
    return "" if model.price_usd is None else usd(model.price_usd) + words


def _entries(answer: object) -> list[Mapping[str, Any]]:
    """The list in an answer: the answer itself, or its value under one of the usual names."""
    if isinstance(answer, Mapping):
        answer = next(
            (answer[name] for name in ("data", "models", "supported_models") if name in answer), None
        )
    if not isinstance(answer, list):
        return []
    return [entry for entry in answer[:_MOST_ENTRIES] if isinstance(entry, Mapping)]


def _name(entry: Mapping[str, Any], fields: tuple[str, ...]) -> str | None:
    for field in fields:
        name = entry.get(field)
        if isinstance(name, str):
            fits = 0 < len(name) <= _LONGEST_NAME and name.isprintable() and name == name.strip()
            return name if fits else None
    return None


def _makes_videos(entry: Mapping[str, Any]) -> bool:
    """The list is filtered by a modality, which may be the input: it may contain models that only watch videos."""
    for field in ("outputModalities", "output_modalities", "capabilities"):
        made = entry.get(field)
        if isinstance(made, list) and any(
            isinstance(one, str) and "VIDEO" in one.upper() for one in made[:100]
        ):
            return True
    return False


def _status(value: object) -> Status | None:
    """`SUPPORTED`, or with the enumeration's name as a prefix: `SUPPORTED_MODEL_STATUS_SUPPORTED`."""
    word = value[:100].rpartition("_")[2].lower() if isinstance(value, str) else ""
    return Status(word) if word in set(Status) else None


def _price(pricing: object) -> tuple[Decimal | None, str | None]:
    """`pricing.video`: a number, or an object with `example_price` and `example_description`."""
    video = pricing.get("video") if isinstance(pricing, Mapping) else None
    words = None
    if isinstance(video, Mapping):
        said = video.get("example_description")
        words = (one_line(said[:2_000], _LONGEST_WORDS) or None) if isinstance(said, str) else None
        video = video.get("example_price")
    amount = _amount(video)
    return amount, words if amount is not None else None


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)[:50]) > 40:
        return None
    try:
        amount = Decimal(str(value).strip().removeprefix("$"))
    except (InvalidOperation, ValueError):
        return None
    # A price of 0 is more likely a field that nobody filled in.
    if not amount.is_finite() or not 0 < amount <= _DEAREST or len(amount.as_tuple().digits) > 20:
        return None
    return amount
