"""The README: short, with a price that the catalogue has, and with commands that exist."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from prefect_together_video.flows.__main__ import _COMMANDS
from together_video.catalogue import Catalogue

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_it_is_read_in_a_minute() -> None:
    """At most 120 lines. Longer explanations are on pages of docs/."""
    assert len(README.splitlines()) <= 120


def test_what_a_night_costs() -> None:
    """200 clips of the default model at its documented price."""
    found = re.search(r"200 clips a night with the default model are (\d+\.\d\d) USD", README)
    assert found
    price = Catalogue.load().default_model.price
    assert price is not None
    assert price.unit == "video"
    assert price.usd is not None
    assert Decimal(found[1]) == 200 * price.usd


def test_each_command_exists() -> None:
    """In code blocks and in tables."""
    named = set(re.findall(r"together-video ([a-z-]+)", README))
    assert len(named) > 10
    assert named <= {name for names in _COMMANDS.values() for name in names} | {"together-video"}
