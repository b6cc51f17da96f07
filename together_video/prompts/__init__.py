"""From a brief to prompts: the requests to a chat model, and how its answers are read.

Briefs, chat requests in several formats, tolerant reading, rounds until there are enough prompts, and the stored set.
Nothing here touches the network or the archive: `tasks` sends the requests and stores the prompts.
Storyboards by a chat model are in `film.writing`, which shares the rounds and the reading.
"""

from together_video.prompts.briefs import Brief, brief_id, make_brief, refuse_placeholder
from together_video.prompts.sets import PromptSet
from together_video.prompts.writing import PromptWriting

__all__ = ["Brief", "PromptSet", "PromptWriting", "brief_id", "make_brief", "refuse_placeholder"]
