"""Parameters that several flows share, with the texts that the Prefect UI's form shows."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from inspect import cleandoc
from typing import Annotated, Any, ParamSpec, TypeVar, cast, get_type_hints

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field, WithJsonSchema
from pydantic.fields import FieldInfo

from prefect_together_video.blocks.credentials import TogetherCredentials
from prefect_together_video.flows.forms.fields import Archive as Archive
from prefect_together_video.flows.forms.fields import Settings as Settings
from prefect_together_video.tasks.session.run_policy import MEANING, OnAmbiguous
from together_video.polling.policy import PollPolicy
from together_video.tries import MOST_ATTEMPTS, MOST_FALLBACKS, Tries

Edition = Annotated[
    str,
    Field(description=MEANING["edition"]),
]
#: US dollars: a number in forms. By itself pydantic would offer a number or text.
Usd = Annotated[Decimal, Field(gt=0), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
Budget = Annotated[
    Usd | None,
    Field(description=MEANING["budget_usd"]),
]
Price = Annotated[
    Usd | None,
    Field(description=MEANING["price_usd"]),
]
InFlight = Annotated[int, Field(ge=1, le=1000, description=MEANING["in_flight"])]
Approve = Annotated[bool, Field(description=MEANING["approve"])]
ApproveHours = Annotated[float, Field(gt=0, le=8760, description=MEANING["approve_hours"])]
ShareDays = Annotated[Annotated[float, Field(gt=0, le=7)] | None, Field(description=MEANING["share_days"])]
Workers = Annotated[int, Field(ge=1, le=100, description=MEANING["workers"])]
Polling = Annotated[PollPolicy | None, Field(description="When to poll a job, and for how long.")]
RetryFailed = Annotated[bool, Field(description=MEANING["retry_failed"])]
Attempts = Annotated[int, Field(ge=1, le=MOST_ATTEMPTS, description=MEANING["attempts"])]
NewSeed = Annotated[bool, Field(description=MEANING["new_seed"])]
FallbackModels = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200)]] | None,
    Field(max_length=MOST_FALLBACKS, description=MEANING["fallback_models"]),
]
TriesOfEach = Annotated[list[Tries | None] | None, Field(description=MEANING["tries"])]
Ambiguous = Annotated[
    OnAmbiguous,
    Field(description=MEANING["on_ambiguous"]),
]
LocalFiles = Annotated[bool, Field(description=MEANING["local_files"])]
Strict = Annotated[bool, Field(description=MEANING["strict"])]
Together = Annotated[
    TogetherCredentials | None, Field(description="Access to the API; by default from the environment.")
]

P = ParamSpec("P")
R = TypeVar("R")


def run_name(what: str) -> Callable[[], str]:
    """Names runs by what they do and when they were scheduled: `collect 2026-11-21 03:30`."""

    def name() -> str:
        moment = flow_run.scheduled_start_time or datetime.now(UTC)
        return f"{what} {moment.astimezone(UTC):%Y-%m-%d %H:%M}"

    return name


def documented(
    result: type[R],
) -> Callable[[Callable[P, Coroutine[Any, Any, State[Any]]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Add the parameters' descriptions to the docstring, where Prefect's form reads them.

    Args:
        result: The type that awaiting the flow returns. Prefect resolves the returned state, which type checkers
            cannot see.
    """

    def document(
        function: Callable[P, Coroutine[Any, Any, State[Any]]],
    ) -> Callable[P, Coroutine[Any, Any, R]]:
        lines = []
        for name, hint in get_type_hints(function, include_extras=True).items():
            for extra in getattr(hint, "__metadata__", ()):
                if isinstance(extra, FieldInfo) and extra.description:
                    lines.append(f"    {name}: {extra.description}")
        function.__doc__ = "\n".join([cleandoc(function.__doc__ or ""), "", "Args:", *lines])
        return cast("Callable[P, Coroutine[Any, Any, R]]", function)

    return document
