"""The key of each fact and each file under the archive's prefix."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TypeGuard

from pydantic import BaseModel, ConfigDict
from slugify import slugify

from together_video.errors import ConfigurationError, Spent
from together_video.labels import label_name
from together_video.ledger.names import is_own
from together_video.ledger.records import Sweep, VideoPlan
from together_video.ledger.titles import varied
from together_video.media.references import object_of
from together_video.requests import VideoRequest

#: The path of a video's files under `<prefix>/videos/`, without the ending.
DEFAULT_TEMPLATE = "{date}/{slug}-{id}"

#: The endings of videos' files.
_ENDINGS = (".mp4", ".webm", ".jpg")

#: Longest key of an object (S3's limit), in bytes.
MAX_KEY = 1024
#: Longest prefix, in bytes: all keys except those of videos fit behind it.
_MAX_PREFIX = 512

_TEMPLATE_FIELDS = frozenset({"date", "year", "month", "day", "slug", "id", "model", "edition"})


def slug_of(request: VideoRequest, sweep: Sweep | None = None) -> str:
    """The readable part of a file name: ASCII letters, digits and dashes.

    At most 48 characters, and 32 more for what varies in a sweep: `a-fox-in-the-snow-seed-2-9-16`.
    """
    slug = slugify(request.prompt or request.model, max_length=48, word_boundary=True, save_order=True)
    more = slugify(varied(sweep.values), max_length=32) if sweep else ""
    return "-".join(part for part in (slug or "video", more) if part)


@lru_cache(maxsize=1024)
def slug_of_name(name: str, otherwise: str) -> str:
    """A model's or an edition's name as a part of a key; `otherwise` if nothing of it is left.

    A name in another script can grow tenfold, or vanish.
    """
    return slugify(name, max_length=64) or otherwise


class _Labels:
    """The labels of a request for `{label.NAME}` in a template."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels

    def __getattr__(self, name: str) -> str:
        kept = label_name(name)
        return slug_of_name(self._labels.get(kept, ""), f"no-{slug_of_name(kept, 'label')}")


class Layout(BaseModel):
    """The keys of everything under the prefix."""

    model_config = ConfigDict(frozen=True)

    prefix: str = ""
    template: str = DEFAULT_TEMPLATE

    def key(self, *parts: str) -> str:
        return "/".join([*([self.prefix] if self.prefix else []), *parts])

    @property
    def inflight(self) -> str:
        """The prefix whose listing is the list of money at risk."""
        return self.key("inflight", "")

    def claim(self, video: str) -> str:
        return self.key("inflight", video, "claim.json")

    def job(self, video: str) -> str:
        return self.key("inflight", video, "job.json")

    def ambiguous(self, video: str) -> str:
        return self.key("inflight", video, "ambiguous.json")

    def record(self, video: str) -> str:
        return self.key("records", f"{video}.json")

    def late_record(self, video: str) -> str:
        """For a video that arrived after its purchase had been given up."""
        return self.key("records", f"{video}.late.json")

    def brief(self, brief: str) -> str:
        return self.key("briefs", f"{brief}.json")

    def spending(self, month: str, name: str) -> str:
        return self.key("spending", month, name)

    def statistics(self, model: str, name: str) -> str:
        """For the durations of a model's jobs; `model` is its name as a folder."""
        return self.key("statistics", model, name)

    def models(self, name: str) -> str:
        """For the API's list of models on a day."""
        return self.key("models", name)

    def batch(self, batch: str, name: str) -> str:
        return self.key("batches", batch, name)

    def film(self, film: str, name: str) -> str:
        """A film and what belongs to it."""
        return self.key("films", film, name)

    def last_frame(self, sha256: str) -> str:
        """The last frame's image for a clip with this content, so that it is the same each time."""
        return self.key("films", "frames", f"{sha256}.json")

    def alert(self, period: str, name: str) -> str:
        """For an alert that was sent in a month or on a day."""
        return self.key("alerts", period, name)

    def spend(self, name: str) -> str:
        """A page with what was spent."""
        return self.key("spend", name)

    def review(self, video: str, name: str = "") -> str:
        """One person's review of a video; without a name, the folder of all its reviews."""
        return self.key("reviews", video, name)

    def index(self, *parts: str) -> str:
        """A derived list of a month's videos, by month and name; without them, the folder of all lists."""
        return self.key("index", *(parts or ("",)))

    def shared(self, name: str, page: str) -> str:
        """A page for people without access. `name` is the batch's id, or another name for what it shows."""
        return self.key("shared", name, page)

    def part(self, batch: str, part: str) -> str:
        """The summary of one part of a split batch."""
        return self.batch(batch, f"parts/{part}.json")

    def is_own(self, folder: str, key: str) -> bool:
        """Whether this project writes such a key into one of `names.OWN_FOLDERS`."""
        start = self.key(folder, "")
        return key.startswith(start) and is_own(folder, key.removeprefix(start))

    def is_video_file(self, key: str | None) -> TypeGuard[str]:
        """Whether a key is that of a video or a poster. Other keys in a record are neither linked nor copied:
        the record's author could name any object that the archive's credentials can read.
        """
        start = self.key("videos", "")
        if key is None or not key.startswith(start) or not key.endswith(_ENDINGS):
            return False
        return all(piece and not piece.startswith(".") for piece in key[len(start) :].split("/"))

    def referenced(self, reference: str) -> str:
        """The key of content that a request refers to.

        Raises:
            InputError: it is not a reference.
        """
        return self.key(object_of(reference))

    def media(self, plan: VideoPlan, claimed_at: datetime) -> tuple[str, str]:
        """The keys of the video and of its poster, from the claim alone.

        Raises:
            ConfigurationError: a key has more bytes than S3 allows.
        """
        stem = self.template.format(
            date=claimed_at.strftime("%Y-%m-%d"),
            year=claimed_at.strftime("%Y"),
            month=claimed_at.strftime("%m"),
            day=claimed_at.strftime("%d"),
            slug=slug_of(plan.request, plan.sweep),
            id=plan.id,
            model=slug_of_name(plan.request.model, "model"),
            edition=slug_of_name(plan.edition, "edition"),
            label=_Labels(plan.request.labels),
        )
        ending = (plan.request.output_format or "MP4").lower()
        video, poster = self.key("videos", f"{stem}.{ending}"), self.key("videos", f"{stem}.jpg")
        if (longest := max(len(video.encode()), len(poster.encode()))) > MAX_KEY:
            raise ConfigurationError(
                f"The key of this video's file would have {longest} bytes, but S3 allows at most {MAX_KEY}.",
                spent=Spent.NOTHING,
                remedy="Shorten the prefix or the file name template.",
            )
        return video, poster


def check_prefix(prefix: str) -> str:
    """The prefix without leading and trailing slashes.

    Raises:
        ConfigurationError: it has empty, dotted or unprintable pieces, or is too long.
    """
    prefix = prefix.strip("/")
    if prefix and not _is_plain_path(prefix):
        raise ConfigurationError(f"The prefix {prefix!r} is not a plain path such as videos/production.")
    if (size := len(prefix.encode())) > _MAX_PREFIX:
        raise ConfigurationError(f"The prefix has {size} bytes; at most {_MAX_PREFIX} leave room for keys.")
    return prefix


def check_template(template: str) -> str:
    """The file name template, if it gives every video a unique name inside the prefix.

    Raises:
        ConfigurationError: {id} is missing, a field is unknown, or the path leaves the prefix.
    """
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigurationError(f"The file name template {template!r} is malformed: {error}.") from error
    fields = {name for _, name, _, _ in pieces if name is not None}
    labels = {name for name in fields if re.fullmatch(r"label\.[^\W_][\w-]*", name)}
    plain = all(not spec and not conversion for _, _, spec, conversion in pieces)
    if unknown := sorted(fields - _TEMPLATE_FIELDS - labels):
        raise ConfigurationError(
            f"The file name template has unknown fields: {', '.join(unknown)}. "
            f"The known fields are {', '.join(sorted(_TEMPLATE_FIELDS))} and label.NAME."
        )
    if "id" not in fields or not plain:
        raise ConfigurationError("The file name template needs {id}, so that no two videos share a name.")
    if not _is_plain_path(template):
        raise ConfigurationError(f"The file name template {template!r} is not a plain relative path.")
    return template


def _is_plain_path(path: str) -> bool:
    return path.isprintable() and all(piece not in {"", ".", ".."} for piece in path.split("/"))
