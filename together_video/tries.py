"""How often a video is bought again if the provider's job fails, and which models take over."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from together_video.json_schema import plain_fields

#: Most purchases of one video from one model, and most models that may take over.
MOST_ATTEMPTS, MOST_FALLBACKS = 10, 5
#: Seeds are drawn from 0 to this, the only range in the documents (Wan 2.7).
_HIGHEST_SEED = 2**31 - 1


def _listed(value: Any) -> Any:
    """A list, or text with commas, as in a cell or an option."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return value


class Tries(BaseModel):
    """What one video may need beyond its first purchase. None means that it was not chosen.

    None of this is sent or is part of the request's id.

    Example:
        ```python
        Tries(attempts=3, fallback_models="pixverse/pixverse-v6, vidu/vidu-q3").fallback_models
        # ('pixverse/pixverse-v6', 'vidu/vidu-q3')
        ```
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=plain_fields)

    attempts: int | None = Field(
        default=None,
        ge=1,
        le=MOST_ATTEMPTS,
        title="Attempts",
        description="How often to buy the video from one model if the provider's jobs fail.",
    )
    new_seed: bool | None = Field(
        default=None,
        title="New Seed",
        description="Buy a failed video again with another seed, if the request has one.",
    )
    fallback_models: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] | None, BeforeValidator(_listed)
    ] = Field(
        default=None,
        max_length=MOST_FALLBACKS,
        title="Fallback Models",
        description="Models that take over, in this order, if one is refused, retired, overloaded or fails.",
    )

    @field_validator("fallback_models")
    @classmethod
    def _each_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else tuple(dict.fromkeys(names))

    def over(self, other: Tries) -> Tries:
        """The values set here, and those of `other` for the rest."""
        return other.model_copy(update=self.model_dump(exclude_none=True))


#: The names that are allowed beside the request fields in a line of a file.
TRIES_FIELDS = tuple(Tries.model_fields)


def new_seed(asked: int, attempt: int) -> int:
    """The seed of a later attempt. It depends only on the requested seed and the attempt's number, so a run that is
    repeated after a crash uses the same one.
    """
    drawn = hashlib.sha256(f"{asked}\nattempt {attempt}".encode()).digest()
    seed = int.from_bytes(drawn[:8], "big") % (_HIGHEST_SEED + 1)
    return seed if seed != asked else (seed + 1) % (_HIGHEST_SEED + 1)
