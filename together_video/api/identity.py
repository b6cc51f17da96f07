"""The owner of an API key, from `GET /v1/whoami`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from together_video.text import one_line

_LONGEST = 200


class Identity(BaseModel):
    """Ids of an API key, its project and its organisation; None if the API does not give one."""

    model_config = ConfigDict(frozen=True)

    key_id: str | None = None
    project_id: str | None = None
    organization_id: str | None = None

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Identity:
        """Decode the answer. Never raises: what is not understood becomes None."""
        return cls(
            key_id=_id_of(answer.get("api_key")),
            project_id=_id_of(answer.get("project")),
            organization_id=_id_of(answer.get("organization")),
        )


def _id_of(part: object) -> str | None:
    found = part.get("id") if isinstance(part, Mapping) else None
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST or found != one_line(found):
        return None
    return found
