"""Values from environment variables, read as pydantic-settings reads them."""

from __future__ import annotations

from typing import TypeVar, cast

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)


def from_environment(model: type[Model], prefix: str) -> Model:
    """`model` with each field from the variable `<prefix><FIELD>`; an empty one is as if it were not set.

    Raises:
        ValidationError: a variable does not fit its field.

    Example:
        `from_environment(Timeouts, "TOGETHER_VIDEO_")` reads TOGETHER_VIDEO_CREATE_SECONDS and its like.
    """
    # Its import takes longer than most commands without Prefect.
    from pydantic_settings import BaseSettings, SettingsConfigDict

    config = SettingsConfigDict(
        env_prefix=prefix, env_ignore_empty=True, str_strip_whitespace=True, extra="ignore"
    )
    read = type(model.__name__, (model, BaseSettings), {"model_config": config, "__module__": __name__})
    return model.model_validate(cast("type[BaseSettings]", read)().model_dump())
