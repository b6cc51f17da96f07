"""What the scripts of examples/ run against: the sandbox with the models' rules, moto, and the session's server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from together_video.catalogue import Catalogue


@pytest.fixture
def api(start_api: Callable[..., Any]) -> Any:
    """A sandbox that refuses what the models do not take: an example must work as it stands."""
    return start_api(model_rules=True)


@pytest.fixture
def quick_models(tmp_path: Path) -> str:
    """A catalogue in which each model takes half a second, so that nobody waits for what is done."""
    path = tmp_path / "models.json"
    names = [model.name for model in Catalogue.load().models]
    path.write_text(json.dumps({"models": [{"name": name, "typical_seconds": 0.5} for name in names]}))
    return str(path)
