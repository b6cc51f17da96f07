"""The prompts of a brief as they lie in the bucket."""

from __future__ import annotations

import json
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from together_video.ledger.records import Origin
from together_video.prompts.briefs import Brief


class PromptSet(BaseModel):
    """`briefs/<id>.json`: the prompts that a brief gave in one edition, stored before the first is used.

    `negative_prompts` is empty, or has an entry for each prompt. `usage` holds what each answer says
    of its tokens, as it came; `answers` the answers' ids.
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
        """What the record of each video says of where its prompt came from."""
        return Origin(brief_id=self.id, chat_model=self.chat_model)

    def as_json(self) -> str:
        """The stored document: equal sets give equal text. `model_validate_json` reads it."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=2, ensure_ascii=False) + "\n"
