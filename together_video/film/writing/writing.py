"""Brief for a film -> chat requests -> storyboard: what to ask next, until every shot is written.

await writing.drive(client.chat)
written = writing.result(now)
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from together_video.catalogue import Catalogue
from together_video.catalogue.models import MediaField, Model
from together_video.errors import InputError, PromptError
from together_video.film.shots import Shot
from together_video.film.storyboard import Look, Storyboard
from together_video.film.writing.answers import StoryReading, read_story
from together_video.film.writing.briefs import StoryBrief, story_id
from together_video.film.writing.chat import SHOTS_PER_ANSWER, Asked, story_body
from together_video.film.writing.lengths import lengths_of
from together_video.film.writing.sets import WrittenStoryboard
from together_video.film.writing.story import LONGEST_TITLE, Setting, ToldShot, prompt_of
from together_video.prompts.briefs import refuse_placeholder
from together_video.prompts.limits import refuse_promptless
from together_video.prompts.rounds import Writing
from together_video.text import counted, one_line

#: Longest prompt to ask for, even if the video model takes more. It includes the descriptions of all characters.
_PROMPT_LENGTH = 2_400


class StoryWriting(Writing):
    """Writes one brief's storyboard: knows the next chat request, and what has been written so far.

    The first answer describes people and places. Each answer continues after the last written shot. `rounds` is the
    number of answers within which the shots of one request must be complete.

    Raises:
        InputError: the brief is a placeholder, its video model cannot make videos from text alone, or this many shots
            cannot have the requested length.
        RequestInvalid: the catalogue does not know the model.
    """

    def __init__(
        self,
        brief: StoryBrief,
        *,
        edition: str = "once",
        rounds: int = 4,
        catalogue: Catalogue | None = None,
    ) -> None:
        refuse_placeholder(brief.as_brief())
        known = catalogue or Catalogue.load()
        self.brief = brief
        self.edition = edition
        self.model = known.get(brief.model) if brief.model else known.default_model
        _refuse_without_text(self.model)
        self.lengths = lengths_of(brief, self.model, known)
        self.setting: Setting | None = None
        self.shots: tuple[ToldShot, ...] = ()
        self._last = StoryReading()
        super().__init__(len(self.lengths), SHOTS_PER_ANSWER, rounds)

    @property
    def missing(self) -> int:
        return len(self.lengths) - len(self.shots)

    @property
    def _asking(self) -> Asked:
        start = len(self.shots)
        return Asked(
            lengths=self.lengths[start : start + self._asked],
            chained=begins_with_a_frame(self.model),
            prompt_limit=min(self.model.prompt.maximum or _PROMPT_LENGTH, _PROMPT_LENGTH),
            setting=self.setting,
            already=self.shots,
            total=len(self.lengths),
        )

    def next_body(self) -> dict[str, Any] | None:
        """The next chat request, or None when every shot is written or no rounds are left.

        It stays the same until an answer or a refusal is reported, so repeating a call is safe.
        """
        if self.missing <= 0 or self._rounds_left <= 0:
            return None
        return story_body(
            self.brief,
            self._asking,
            answer_format=self._formats[0],
            thinking_tokens=self._thinking,
            problems=self._last.problems[:5],
        )

    def feed(self, answer: object) -> StoryReading:
        """Take in an answer. Never raises; problems are in the reading's `problems`."""
        reading = read_story(answer, self._asking, self.brief.style)
        self._last = reading
        self.setting = reading.setting or self.setting
        self.shots += reading.shots
        self._answered(
            answer,
            usable=len(reading.shots),
            found=reading.found,
            is_cut=reading.is_cut,
            problems=reading.problems,
        )
        return reading

    def result(self, now: datetime) -> WrittenStoryboard:
        """The finished storyboard, made at `now` (UTC).

        Raises:
            PromptError: there are too few shots. The message says why and quotes the last answer.
        """
        if self.missing > 0 or self.setting is None:
            raise PromptError(self._too_few())
        return WrittenStoryboard(
            id=story_id(self.brief, self.edition),
            brief=self.brief,
            edition=self.edition,
            chat_model=self.brief.chat_model,
            storyboard=self._storyboard(self.setting),
            created_at=now,
            answers=self.answers,
            usage=self.usage,
            problems=self.problems,
        )

    def _storyboard(self, setting: Setting) -> Storyboard:
        usual = Counter(self.lengths).most_common(1)[0][0]
        shots = tuple(
            Shot(
                prompt=prompt_of(shot, setting),
                seconds=None if seconds == usual else str(seconds),
                continues=shot.continues,
            )
            for shot, seconds in zip(self.shots, self.lengths, strict=True)
        )
        return Storyboard(
            title=setting.title or one_line(self.brief.subject, LONGEST_TITLE),
            look=Look(style=setting.style),
            defaults={"model": self.model.name, "seconds": usual},
            shots=shots,
        )

    def _too_few(self) -> str:
        found = (
            "no usable shot"
            if not self.shots
            else f"only {len(self.shots)} of {counted(len(self.lengths), 'shot')}"
        )
        sentences = [f"The chat model {self.brief.chat_model} gave {found}.", *self.problems[-3:]]
        sentences.append(
            "Try another chat model, fewer shots or a clearer subject. Or write the storyboard yourself."
        )
        if self._last.excerpt:
            sentences.append(f"Its last answer begins: {self._last.excerpt}")
        return " ".join(sentences)


def begins_with_a_frame(model: Model) -> bool:
    """Whether the model is documented to start a video with a given frame."""
    accepted = model.media.accepted
    return "first" in (model.keyframes or ()) and (accepted is None or MediaField.FRAME_IMAGES in accepted)


def _refuse_without_text(model: Model) -> None:
    """Refuse before a chat model is paid for shots that no video can be made from."""
    refuse_promptless(model)
    if model.media.required or (model.tasks and not model.knows_text):
        raise InputError(
            f"{model.name} cannot make a video from text alone, and the first shot of a generated storyboard has "
            "nothing else. Use a text-to-video model, or write the storyboard yourself, with from: in its shots. "
            "Nothing was sent."
        )
