"""The size of parameters that a Prefect server accepts for one run: checked before it is called.

The server itself answers with everything that it was sent, in an error of half a megabyte.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from prefect import Flow
from prefect.settings import get_current_settings

from together_video.errors import InputError, Spent

F = TypeVar("F", bound=Flow[..., Any])


def refusing_too_large(remedy: str) -> Callable[[F], F]:
    """Make a flow refuse parameters that no server accepts.

    Args:
        remedy: what to do instead.
    """

    def limit(flow: F) -> F:
        serialize = flow.serialize_parameters

        def serialize_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
            made = serialize(parameters)
            most = most_bytes()
            size = len(json.dumps(made, separators=(",", ":"), default=str)) if most else 0
            if size > most:
                raise InputError(
                    f"The parameters of this run have {size:,} bytes, but a Prefect server accepts at most {most:,}. "
                    "Nothing was created.",
                    spent=Spent.NOTHING,
                    remedy=remedy,
                )
            return made

        flow.serialize_parameters = serialize_parameters  # type: ignore[method-assign]
        return flow

    return limit


def most_bytes() -> int:
    """How large the parameters of a run may be, in bytes of JSON; 0 if there is no limit."""
    return int(getattr(get_current_settings().server.api, "max_parameter_size", 0))
