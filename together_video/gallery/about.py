"""What a page says about its batch. It is kept in `batch.json`, so a page that is made again still has it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from together_video.gallery.links import safe_link
from together_video.gallery.public_text import public_text
from together_video.ledger.records import Moment
from together_video.text import one_line

#: Longest text of others, in characters. Longer ones are cut.
_LONGEST = 4_000


def _text(value: object) -> str | None:
    """Left out if it is empty or not text: a bad heading must not cost the page."""
    found = _name(value)
    return found and public_text(found)


def _name(value: object) -> str | None:
    """A name that this project or Prefect made up."""
    return (one_line(value, _LONGEST) or None) if isinstance(value, str) else None


def _address(value: object) -> str | None:
    found = safe_link(value) if isinstance(value, str) and len(value) <= _LONGEST else None
    return found if found and found.startswith(("http://", "https://")) else None


_Name = Annotated[str | None, BeforeValidator(_name)]
_Text = Annotated[str | None, BeforeValidator(_text)]


class About(BaseModel):
    """The heading of a page: what its videos are about, their style, and the run that made them.

    `brief` is the requested subject. `run_url` is the page of the Prefect run, if it had a server.
    Others may be able to write to the archive that this is read from, so texts are cut and addresses checked.
    """

    model_config = ConfigDict(frozen=True)

    batch_id: _Name = None
    title: _Text = None
    brief: _Text = None
    style: _Text = None
    run_name: _Name = None
    run_url: Annotated[str | None, BeforeValidator(_address)] = None
    made_at: Moment | None = None

    @classmethod
    def read(cls, document: dict[str, Any]) -> About:
        """What `batch.json` says, without a time if that cannot be read.

        Files of older versions have only a title and a time.
        """
        try:
            return cls.model_validate(document)
        except ValueError:
            return cls.model_validate({**document, "made_at": None})

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")
