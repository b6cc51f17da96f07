"""From a brief to prompts: what to ask a chat model, and what to make of its answers."""

from together_video.prompts.briefs import Brief, brief_id, make_brief, refuse_placeholder
from together_video.prompts.sets import PromptSet
from together_video.prompts.writing import PromptWriting

__all__ = ["Brief", "PromptSet", "PromptWriting", "brief_id", "make_brief", "refuse_placeholder"]
