"""`together-video models --live`: compare the models that the API offers to a key with the catalogue."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prefect_together_video.flows.cli.screen.json_output import json_text
from together_video.api.client import TogetherClient
from together_video.api.settings import api_from_env, timeouts_from_env
from together_video.catalogue import Catalogue
from together_video.catalogue.live import Difference, LiveModel, LiveModels, differences, live_models
from together_video.catalogue.models import Model
from together_video.catalogue.sheets import UNKNOWN, table_rows
from together_video.errors import InputError
from together_video.money import usd, usd_number_or_none
from together_video.text import one_line

_MARK = "!"
#: Narrower terminals leave out the words beside a live price, and then the column of the catalogue's offer. Names and
#: live columns are always complete.
_WIDE, _NARROW = 140, 100


def read_live() -> LiveModels:
    """Read both lists of models from the API. Free of charge.

    Raises:
        ConfigurationError: there is no key.
        TogetherError: the call to the API failed.
        InputError: the API lists no video model.
    """
    key, address = api_from_env()

    async def ask() -> LiveModels:
        async with TogetherClient(key, address, timeouts=timeouts_from_env()) as client:
            listed, supported = await asyncio.gather(client.models(), client.supported_models())
            return live_models(listed, supported, datetime.now(UTC))

    live = asyncio.run(ask())
    if not live.models:
        raise InputError(
            f"{address} lists no video models, so there is nothing to compare: see together-video models."
        )
    return live


def show_live(
    live: LiveModels, catalogue: Catalogue, *, name: str | None, every: bool, as_json: bool, console: Console
) -> int:
    """Print the models of the catalogue and the API side by side, and their differences."""
    found = [one for one in differences(live, catalogue) if name in (None, one.model)]
    ours = [
        model
        for model in catalogue.models
        if name in (None, model.name) and (name or every or model.offered or live.offers(model.name))
    ]
    new = [one for one in live.models if catalogue.find(one.name) is None and name in (None, one.name)]
    if as_json:
        print(json_text(_document(live, ours, new, found)))  # noqa: T201 - the result
        return 0
    marked = {one.model for one in found}
    table = Table(box=None, pad_edge=False, header_style="bold")
    has_words, has_catalogue = console.width >= _WIDE, console.width >= _NARROW or every
    for column in ("", "model", "catalogue", "price", "live", "live price"):
        if column != "catalogue" or has_catalogue:
            table.add_column(column, no_wrap=True, overflow="ellipsis")

    def add(mark: str, name: str, offered: str, price: str) -> None:
        offer = live.find(name)
        catalogued = (offered,) if has_catalogue else ()
        cells = (name, *catalogued, price, _said(live, name), _price(offer, has_words=has_words))
        table.add_row(mark, *map(escape, cells))

    rows = {row.model: row for row in table_rows(catalogue)}
    for model in ours:
        row = rows[model.name]
        add(_MARK if model.name in marked else "", model.name, row.offered, row.price)
    for offer in new:
        add(_MARK, offer.name, UNKNOWN, UNKNOWN)
    console.print(table)
    for one in found:
        console.print(f"{_MARK} {one.message}", soft_wrap=True, markup=False)
    console.print(
        f"\nThe API as of {live.read_at:%Y-%m-%d %H:%M} UTC, the catalogue as of {catalogue.as_of}. A live price is an "
        "example; limits and estimates are the catalogue's.",
        style="dim",
        soft_wrap=True,
    )
    return 0


def _said(live: LiveModels, name: str) -> str:
    offer = live.find(name)
    if offer is None:
        return {False: "not listed", None: UNKNOWN}.get(live.offers(name), UNKNOWN)
    return offer.status.value if offer.status else "listed"


def _price(offer: LiveModel | None, *, has_words: bool) -> str:
    if offer is None or offer.price_usd is None:
        return UNKNOWN
    return usd(offer.price_usd) + (
        f" ({one_line(offer.price_words, 40)})" if has_words and offer.price_words else ""
    )


def _document(
    live: LiveModels, ours: list[Model], new: list[LiveModel], found: list[Difference]
) -> dict[str, Any]:
    return {
        "read_at": live.read_at.isoformat(timespec="seconds"),
        "models": [
            {"name": model.name, "catalogue": model.availability, "live": _fields(live, model.name)}
            for model in ours
        ]
        + [{"name": offer.name, "catalogue": None, "live": _fields(live, offer.name)} for offer in new],
        "differences": [one.model_dump(mode="json") for one in found],
    }


def _fields(live: LiveModels, name: str) -> dict[str, Any]:
    offer = live.find(name)
    price = offer.price_usd if offer else None
    return {
        "offered": live.offers(name),
        "status": offer.status if offer else None,
        "price_usd": usd_number_or_none(price),
        "price_words": offer.price_words if offer else None,
    }
