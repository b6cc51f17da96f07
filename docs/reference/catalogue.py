"""The models page, from the packaged catalogue: limits, prices, and what a nightly batch would cost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from importlib import resources

from docs.reference.rendering import breakable, table
from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.examples import example_request
from together_video.catalogue.models import Model
from together_video.catalogue.pricing import estimate
from together_video.catalogue.sheets import EXAMPLE, ModelRow, sheet, table_rows
from together_video.money import rounded, usd

#: How many clips the page's example makes each night.
CLIPS = 200
_LIMITS = (
    ("model", "model"),
    ("makes videos from", "tasks"),
    ("seconds", "seconds"),
    ("sizes, in pixels", "sizes"),
    ("frames per second", "fps"),
    ("keyframes", "keyframes"),
    ("sound", "audio"),
    ("prompt", "prompt"),
)


def packaged() -> Catalogue:
    """The package's catalogue, without the user's own file."""
    text = resources.files("together_video.catalogue").joinpath("catalogue.json").read_text(encoding="utf-8")
    return Catalogue.from_json(text)


def models_page() -> str:
    """The models on offer, in two tables and each in full, and those that are no longer offered."""
    known = packaged()
    rows = {row.model: row for row in table_rows(known)}
    offered = [model for model in known.models if model.offered]
    gone = [(breakable(model.name), rows[model.name].offered) for model in known.models if not model.offered]
    limits = [[_cell(rows[model.name], column) for _, column in _LIMITS] for model in offered]
    return "\n\n".join(
        (
            "# Models and prices",
            f"Generated from the catalogue of this package, as of {known.as_of}. `together-video models` prints the "
            "same, `together-video models --live` compares it with what the API lists today, and "
            "[`TOGETHER_VIDEO_CATALOGUE`](reference/configuration.md#environment-variables) names a file with your own "
            "models. A dash means that the documentation says nothing, so nothing is checked.",
            f"**{CLIPS} clips a night cost about {_night(known.default_model, known)}** with the default model, "
            f"`{known.default_model.name}`, at its usual length and size. "
            "Set `--budget-usd` for a run and a monthly limit for the archive before you schedule one.",
            "## Limits",
            table((head for head, _ in _LIMITS), limits),
            "## Prices",
            f"*One clip* is the highest estimate for the model's example request below. *{CLIPS} clips* is a night. "
            "What you pay is what the API reports for each job.",
            table(
                ("model", "price", "price is", "one clip, USD", f"{CLIPS} clips, USD"),
                _prices(offered, known, rows),
            ),
            "## Each model",
            *(_whole(model, known) for model in offered),
            "## No longer offered",
            "The check refuses requests for these models, unless your own file says that they are offered.",
            table(("model", "offered"), gone),
        )
    )


def _cell(row: ModelRow, column: str) -> str:
    text = str(getattr(row, column))
    return breakable(text) if column == "model" else text


def _prices(models: list[Model], known: Catalogue, rows: dict[str, ModelRow]) -> Iterator[tuple[str, ...]]:
    for model in models:
        row, cost = rows[model.name], estimate(example_request(model), known).usd
        amounts = ("–", "–") if cost is None else (f"{rounded(cost):f}", f"{rounded(cost * CLIPS):f}")
        yield (breakable(row.model), row.price, row.certainty, *amounts)


def _night(model: Model, known: Catalogue) -> str:
    cost = estimate(example_request(model), known).usd
    return "an unknown amount" if cost is None else usd(Decimal(CLIPS) * cost)


def _whole(model: Model, known: Catalogue) -> str:
    lines, example = [], ""
    for label, text in sheet(model, known):
        if label == EXAMPLE:
            example = "\n".join(f"    {line}" for line in text.splitlines())
        else:
            lines.append((label, text))
    written = "\n".join(f"    {line}" for line in table(("fact", "what is known"), lines).splitlines())
    return f'??? note "{model.name}"\n\n{written}\n\n    ```json\n{example}\n    ```'
