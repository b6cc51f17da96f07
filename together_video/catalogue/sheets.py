"""Models as text for people: one row each for a table, or a full sheet for one model."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.examples import example_request
from together_video.catalogue.models import Model, Price, PromptRule, Sizing
from together_video.catalogue.pricing import estimate
from together_video.money import usd, usd_range

#: Shown for what is not documented.
UNKNOWN = "–"

#: The label of the line with a JSON object.
EXAMPLE = "Example request"

_SHORT_TASKS = {
    "text-to-video": "text",
    "image-to-video": "image",
    "reference-to-video": "reference",
    "video-to-video": "video",
}
_SOUND = {"none": "silent", "yes": "yes", "unless-switched-off": "yes, can be off", "always": "always"}


class ModelRow(BaseModel):
    """One model in a table; every column is text, ready to show."""

    model_config = ConfigDict(frozen=True)

    model: str
    organisation: str
    offered: str
    tasks: str
    seconds: str
    sizes: str
    fps: str
    keyframes: str
    audio: str
    prompt: str
    price: str
    certainty: str


def table_rows(catalogue: Catalogue | None = None) -> list[ModelRow]:
    """A row per model, available ones first, in the order of the catalogue."""
    known = catalogue or Catalogue.load()
    ordered = sorted(known.models, key=lambda model: not model.offered)
    return [_row(model) for model in ordered]


def sheet(model: Model, catalogue: Catalogue | None = None) -> list[tuple[str, str]]:
    """Everything known about one model, as pairs of a label and a text, in reading order."""
    known = catalogue or Catalogue.load()
    row = _row(model)
    example = example_request(model)
    cost = estimate(example, known)
    lines = [
        ("Model", model.name),
        ("Name", f"{model.title} ({model.organisation})"),
        ("Offered", f"{row.offered} (as of {known.as_of})"),
        ("Makes videos from", row.tasks),
        ("Seconds", _with(row.seconds, model.seconds.default, "{} by default")),
        ("Size", _all_sizes(model.size)),
        ("Ratios", _ratios(model.size)),
        ("Frames per second", row.fps),
        ("Keyframes", row.keyframes),
        ("Sound", row.audio),
        ("Prompt", row.prompt),
        ("Negative prompt", _negative_prompt(model)),
        ("Media", _media(model)),
        ("Steps", {None: UNKNOWN, True: "10-50", False: "not supported"}[model.takes_steps]),
        ("Price", row.price),
        ("Price note", f"{row.certainty}: {model.price.note}" if model.price else UNKNOWN),
    ]
    lines += [("Note", note) for note in model.notes]
    if model.own:
        lines.append(("Your own file", f"{known.own_file} sets: {', '.join(model.own)}"))
    lines += [
        ("Sources", "; ".join(known.sources[source].title for source in model.sources)),
        (EXAMPLE, json.dumps(example.payload(), indent=2, ensure_ascii=False)),
        (
            "Price of the example",
            f"at most {usd(cost.usd)} ({cost.words})" if cost.usd is not None else cost.words,
        ),
    ]
    return lines


def _row(model: Model) -> ModelRow:
    return ModelRow(
        model=model.name,
        organisation=model.organisation,
        offered=model.availability,
        tasks=", ".join(_SHORT_TASKS[task] for task in model.tasks or ()) or UNKNOWN,
        seconds=str(model.seconds) or UNKNOWN,
        sizes=_sizes(model.size),
        fps=", ".join(map(str, model.fps or ())) or UNKNOWN,
        keyframes=", ".join(model.keyframes or ()) or UNKNOWN,
        audio=_SOUND[model.sound.makes] if model.sound else UNKNOWN,
        prompt=_prompt(model.prompt),
        price=_price(model.price),
        certainty=model.price.certainty.value if model.price else "unknown",
    )


def _sizes(size: Sizing) -> str:
    """Short form: the tiers, or the smallest and the largest size of a list."""
    if size.tiers:
        return ", ".join(tier.name for tier in size.tiers)
    if not size.pixels:
        return UNKNOWN
    if len(size.pixels) <= 2:
        return ", ".join(map(str, size.pixels))
    ordered = sorted(size.pixels, key=lambda each: (each.area, each.width))
    return f"{ordered[0]} … {ordered[-1]} ({len(ordered)})"


def _all_sizes(size: Sizing) -> str:
    if size.pixels:
        return ", ".join(map(str, size.pixels))
    parts = []
    for tier in size.tiers or ():
        table = ", ".join(f"{ratio} {pixels}" for ratio, pixels in tier.sizes.items())
        parts.append(f"{tier.name} ({table})" if table else tier.name)
    return _with("; ".join(parts) or UNKNOWN, size.default_tier, "{} by default")


def _ratios(size: Sizing) -> str:
    if size.by == "pixels":
        return "none: give width and height" if size.certain else UNKNOWN
    if size.ratios is None:
        return UNKNOWN
    return _with(", ".join(size.ratios) or "not supported", size.default_ratio, "{} by default")


def _prompt(rule: PromptRule) -> str:
    if rule.use == "unsupported":
        return "not supported"
    if rule.maximum is None:
        return rule.use
    length = f"{rule.minimum or 1}-{rule.maximum} characters"
    return length if rule.use == "required" else f"{length}, optional"


def _negative_prompt(model: Model) -> str:
    if model.negative_prompt.fails:
        return "jobs with one have failed"
    limit = model.negative_prompt.maximum
    return f"at most {limit} characters" if limit else UNKNOWN


def _media(model: Model) -> str:
    rules = model.media
    parts = []
    for field, rule in (rules.accepted or {}).items():
        parts.append(f"{field} (at most {rule.maximum})" if rule.maximum else field.value)
    parts += [f"needs {' or '.join(group)}" for group in rules.required]
    parts += [f"{', '.join(one)} not with {', '.join(other)}" for one, other in rules.exclusive]
    parts += [f"{', '.join(one)} beside {' or '.join(other)}" for one, other in rules.paired]
    return "; ".join(parts) or UNKNOWN


def _price(price: Price | None) -> str:
    if price is None:
        return UNKNOWN
    unit = {"video": "video", "second": "s"}[price.unit] + ("" if price.unit_documented else "?")
    if price.tiers:
        least = min(rate.usd for rate in price.tiers.values())
        most = max(rate.usd for rate in [*price.tiers.values(), *price.tiers_with_video.values()])
        return f"{usd_range(least, most)}/{unit}"
    if price.unit == "video" and price.covers.seconds:
        unit = f"video of {price.covers.seconds} s"
    return f"{usd_range(price.usd if price.low_usd is None else price.low_usd, price.usd)}/{unit}"


def _with(text: str, extra: object, form: str) -> str:
    return f"{text}, {form.format(extra)}" if extra is not None else text
