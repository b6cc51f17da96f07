"""Values from environment variables, read as pydantic-settings reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel

from together_video.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)


def from_environment(model: type[Model], prefix: str) -> Model:
    """`model` with each field from the variable `<PREFIX><FIELD>`, in capitals. A blank variable counts as not set.

    Raises:
        ConfigurationError: a variable contains bytes that are not text; its value is not shown.
        ValidationError: a variable does not fit its field; `loc` is its name.

    Example:
        `from_environment(Timeouts, "TOGETHER_VIDEO_")` reads TOGETHER_VIDEO_CREATE_SECONDS and so on.
    """
    read = _reader(model, prefix)().model_dump(exclude_unset=True)
    for field, value in read.items():
        # Bytes that are not UTF-8 come from the system as lone surrogates.
        if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
            raise ConfigurationError(
                f"{prefix}{field.upper()} contains bytes that are not text: set it again."
            )
    return model.model_validate(read)


@cache
def _reader(model: type[BaseModel], prefix: str) -> type[BaseModel]:
    """`model` as pydantic-settings reads it. Cached: making a class takes milliseconds, and each run needs it."""
    # Imported late: this takes longer than most commands without Prefect.
    from pydantic_settings import BaseSettings, SettingsConfigDict

    class Read(model, BaseSettings):  # type: ignore[misc, valid-type]
        # Case-sensitive: `set -a` in a script exports its own lower-case variables.
        model_config = SettingsConfigDict(
            alias_generator=lambda field: f"{prefix}{field.upper()}", case_sensitive=True, extra="ignore"
        )

        @classmethod
        def settings_customise_sources(  # type: ignore[override]
            cls, settings_cls: type[BaseSettings], **sources: Any
        ) -> tuple[Callable[[], dict[str, str]], ...]:
            return (
                lambda: {
                    name: text for name, said in sources["env_settings"]().items() if (text := said.strip())
                },
            )

    return Read
