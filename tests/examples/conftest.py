"""A sandbox that knows the models: what users copy must work as it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def api(start_api: Callable[..., Any]) -> Any:
    """Refuses what a model does not take."""
    return start_api(model_rules=True)
