"""The prompts of a brief as stored in the archive."""

from __future__ import annotations

import json
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from together_video.ledger.records import Origin
from together_video.prompts.briefs import Brief


class PromptSet(BaseModel):
    """`briefs/<id>.json`: the prompts of a brief in one edition, stored before the first is used.

    `negative_prompts` is empty, or has an entry for each prompt. `usage` has each answer's token counts, unchanged;
    `answers` has the answers' ids.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    brief: Brief
    edition: str = "once"
    chat_model: str
    prompts: tuple[str, ...] = Field(min_length=1)
    negative_prompts: tuple[str | None, ...] = ()
    created_at: datetime
    answers: tuple[str, ...] = ()
    usage: tuple[dict[str, JsonValue], ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def pairs(self) -> list[tuple[str, str | None]]:
        """Each prompt with its negative prompt, if it has one."""
        return list(zip(self.prompts, self.negative_prompts or [None] * len(self.prompts), strict=True))

    @property
    def origin(self) -> Origin:
        """The origin of the prompts for the record of each video."""
        return Origin(brief_id=self.id, chat_model=self.chat_model)

    def as_json(self) -> str:
        """The stored document: equal sets give equal text. `model_validate_json` reads it."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=2, ensure_ascii=False) + "\n"
