"""A sandbox with the models' rules: what users copy must work as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def api(start_api: Callable[..., Any]) -> Any:
    """A sandbox that refuses what a model does not take."""
    return start_api(model_rules=True)
