"""What can go wrong, as one tree.

    VideoError
    ├── InputError                 what was given cannot work; nothing was sent
    │   ├── ConfigurationError     a key, an address, a bucket name is missing or broken
    │   ├── RequestInvalid         one request breaks a rule; carries the findings
    │   ├── NotInArchive           the archive has no video or batch of that name
    │   └── MediaRefused           an image, a video or audio is missing, unreachable or of the wrong kind
    ├── TogetherError              the API refused, failed, or did not answer
    │   ├── ApiUnreachable         no connection: the request never left
    │   ├── RateLimited            429; carries the server's hint
    │   │   └── CreatesShut        … longer than a run waits
    │   ├── ApiOverloaded          503
    │   ├── RequestRefused         400, 404, 422, …: this request will never be accepted
    │   ├── AccountRefused         401, 402, 403: no request of this account will be accepted
    │   ├── CreateWithdrawn        another process took over the claim before the create was sent
    │   └── NoClearAnswer          timeout, reset, broken answer, 5xx: the call may have worked
    ├── JobError                   about one job; carries its id
    │   ├── JobFailed              the provider gave up on it, or cancelled it
    │   ├── JobDeadlinePassed      it keeps running at the provider, and is billed
    │   ├── JobWithoutVideo        completed, but without a link to a file
    │   └── JobInDoubt             a day old and neither done nor failed, or no longer known
    ├── DownloadError
    │   ├── LinkForbidden          the link leads to an address that links may not lead to
    │   ├── LinkRefused            an HTTP error on the link: try again, or retrieve the job for a fresh one
    │   ├── DownloadBroken         cut short, wrong length, not a video
    │   │   └── DownloadInterrupted    the transfer broke off
    │   └── DownloadTooLarge
    ├── FilmError                  clips could not be joined
    │   ├── PieceRefused           one clip, or what goes with it, cannot be used; carries its place
    │   └── NoRoomForFilm          the disk is full
    ├── PromptError                the chat model gave no usable prompts
    ├── BudgetReached              not started: it would exceed a limit
    ├── NotApproved                approval was required and was not given
    ├── CreateAmbiguous            it may have been charged; never repeated automatically
    └── ArchiveError
        ├── BucketRefused          the bucket or folder does not exist, or access is denied
        │   ├── StoreFull          it is full, or its quota is used up
        │   └── FolderReplaced     it is not the folder that this run began with
        ├── StoreUnavailable       S3 does not answer, or asks to slow down; a disk fails or is full
        ├── StoreUnsafe            the store overwrites existing objects, so claims do not work
        └── ObjectConflict         the key already has other content

Each error carries, as data, whether the call can be retried (`retryable`), what it cost (`spent`), and what to do next
(`remedy`). An error of a create also says whether a job may exist (`job_may_exist`). `message` joins them. `may_pass`
is true if the cause is the machine, the archive, the account or the API rather than the request.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from together_video.masking import without_passwords
from together_video.text import sentences

if TYPE_CHECKING:
    from together_video.jobs import VideoJob


class Spent(StrEnum):
    """What the call that failed has cost."""

    NOTHING = "nothing"
    PERHAPS = "perhaps"
    YES = "yes"


#: What an error message says about the money.
SPENT_WORDS = {
    Spent.NOTHING: "Nothing was created.",
    Spent.PERHAPS: "It may have been charged.",
    Spent.YES: "It is billed.",
}


class VideoError(Exception):
    """Base of all errors of this project.

    Args:
        what: what happened, as a sentence.
        spent: give it if the message should say it, or if it differs from the class's default.
        remedy: what to do next, as a sentence.

    Attributes:
        retryable: whether repeating the same call may help.
        may_pass: whether the same call may work later: the archive, the account, the API or the disk had a problem, not
            the request.
        spent: what the failed call has cost; None if the error alone does not show it.
    """

    retryable: bool = False
    may_pass: ClassVar[bool] = False
    spent: Spent | None = None
    #: What the command line exits with: 2 for bad input, 1 for everything else.
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, spent: Spent | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        #: What the message says about the money: nothing if `what` already says it or nobody would ask.
        self.said_of_money = None if spent is None else SPENT_WORDS[spent]
        if spent is not None:
            self.spent = spent

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Prefect stores errors with run states, so each can be pickled, whatever its arguments."""
        return _again, (type(self), self.what), self.__dict__

    @property
    def message(self) -> str:
        """What happened, what it may have cost, what to do. Passwords in addresses are masked."""
        return without_passwords(sentences(self.what, self.said_of_money, self.remedy))


def _again(kind: type[VideoError], what: str) -> VideoError:
    error = kind.__new__(kind)
    error.args = (what,)
    return error


class InputError(VideoError):
    """What was given cannot work. Nothing was sent and nothing was paid."""

    spent = Spent.NOTHING
    exit_code = 2


class ConfigurationError(InputError):
    """A key, an address or a name is missing or malformed."""

    may_pass = True


class RequestInvalid(InputError):
    """One request breaks a rule of its model or of the API."""

    def __init__(self, what: str, *, field: str | None = None, instead: str | None = None) -> None:
        super().__init__(what)
        self.field = field
        self.instead = instead


class NotInArchive(InputError):
    """The archive has no video or batch of that name. `place` is the URI that was searched."""

    def __init__(self, what: str, *, place: str) -> None:
        super().__init__(what)
        self.place = place


class MediaRefused(InputError):
    """An image, a video or an audio file cannot be used: missing, unreadable, of the wrong kind or size."""


class TogetherError(VideoError):
    """The API refused, failed, or did not answer.

    Attributes:
        status: HTTP status, or None if there was no answer.
        code: the `error.code` or `error.type` of the body, if it has one.
    """

    may_pass = True
    spent = Spent.NOTHING

    def __init__(
        self,
        what: str,
        *,
        status: int | None = None,
        code: str | None = None,
        spent: Spent | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(what, spent=spent, remedy=remedy)
        self.status = status
        self.code = code

    @property
    def job_may_exist(self) -> bool:
        """Only for a create: True if a job may have been made (and billed) although no id came back. False means that
        nothing was created, for certain.
        """
        return self.spent is Spent.PERHAPS


class ApiUnreachable(TogetherError):
    """No connection could be made, so the request never left."""

    retryable = True


class RateLimited(TogetherError):
    """429. Nothing was created; every create of this process should wait.

    Attributes:
        wait_seconds: the server's own hint (`x-ratelimit-reset`, else `retry-after`), in seconds.
    """

    retryable = True

    def __init__(
        self,
        what: str,
        *,
        wait_seconds: float | None = None,
        code: str | None = None,
        spent: Spent | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(what, status=429, code=code, spent=spent, remedy=remedy)
        self.wait_seconds = wait_seconds


class CreatesShut(RateLimited):
    """The API asks to wait longer than a run does. Nothing was created; a later run continues."""

    retryable = False


class ApiOverloaded(TogetherError):
    """503: the request was turned away before any work began."""

    retryable = True


class RequestRefused(TogetherError):
    """The API will not take this request, however often it is sent."""

    may_pass = False


class AccountRefused(TogetherError):
    """401, 402 or 403: the key, the credit or the organisation's settings do not allow it."""


class CreateWithdrawn(TogetherError):
    """A create that was not sent, because another process had taken over its claim."""


class NoClearAnswer(TogetherError):
    """The request was sent and its outcome is unknown.

    Reads can be repeated freely. A create must not be: `job_may_exist` is then True.

    Attributes:
        body: what the answer said, if there was one.
        request_ids: what identifies the call for the provider's support, by header.
    """

    def __init__(
        self,
        what: str,
        *,
        creating: bool,
        status: int | None = None,
        code: str | None = None,
        body: str | None = None,
        remedy: str | None = None,
        request_ids: dict[str, str] | None = None,
    ) -> None:
        super().__init__(what, status=status, code=code, remedy=remedy)
        self.request_ids = request_ids or {}
        self.spent = Spent.PERHAPS if creating else Spent.NOTHING
        self.retryable = not creating
        self.body = body


class JobError(VideoError):
    """About one job at the provider. `job_id` is all that is needed to resume it."""

    spent = Spent.YES

    def __init__(self, what: str, *, job_id: str, remedy: str | None = None) -> None:
        super().__init__(what, remedy=remedy)
        self.job_id = job_id


class JobFailed(JobError):
    """The provider reports the job as failed or cancelled. Final.

    Attributes:
        job: the job as last seen, with the provider's reason and the raw answer.
    """

    spent = Spent.PERHAPS

    def __init__(self, what: str, *, job: VideoJob, remedy: str | None = None) -> None:
        super().__init__(what, job_id=job.id, remedy=remedy)
        self.job = job


class JobDeadlinePassed(JobError):
    """The wait is over, the job is not: it keeps running at the provider and is billed."""


class JobWithoutVideo(JobError):
    """The job is completed and still gives no link to its file."""


class JobInDoubt(JobError):
    """Long after it was created, the job is neither done nor failed, gives no file, or is no longer known (404). It may
    have been billed, and its video will probably never come.

    Attributes:
        may_come: whether the provider still knows the job, so its video may still turn up.
        job: the job as last seen, if it was.
    """

    spent = Spent.PERHAPS

    def __init__(
        self,
        what: str,
        *,
        job_id: str,
        remedy: str | None = None,
        may_come: bool = False,
        job: VideoJob | None = None,
    ) -> None:
        super().__init__(what, job_id=job_id, remedy=remedy)
        self.may_come = may_come
        self.job = job


class DownloadError(VideoError):
    """The file of a finished job could not be archived."""

    spent = Spent.YES


class LinkForbidden(DownloadError):
    """The link, or its redirect, points to a private address that is not listed as trusted. Nothing was sent there."""


class LinkRefused(DownloadError):
    """The link answers with an HTTP error: it is not ready yet, has expired, or the file is gone. Retrieve the job
    again for a fresh link.

    Attributes:
        status: the HTTP status.
        is_lasting: whether the storage says that the file is missing or forbidden, rather than unavailable for now.
    """

    def __init__(self, what: str, *, status: int) -> None:
        super().__init__(what)
        self.status = status
        self.is_lasting = 400 <= status < 500 and status not in {408, 425, 429}


class DownloadBroken(DownloadError):
    """The file was cut short, has another length than announced, or is not a video."""

    retryable = True


class DownloadInterrupted(DownloadBroken):
    """The transfer ended before the file was whole. This says nothing about the provider's own copy."""


class DownloadTooLarge(DownloadError):
    """The file is larger than its limit."""


class FilmError(VideoError):
    """The clips could not be joined. They are as they were, and no part of the film is left."""

    spent = Spent.NOTHING


class PieceRefused(FilmError):
    """A file of the cut cannot be used, or does not fit the others.

    Attributes:
        piece: its place in the cut, from 1; None for the music or the cut as a whole.
    """

    exit_code = 2

    def __init__(self, what: str, *, piece: int | None = None, remedy: str | None = None) -> None:
        super().__init__(what, remedy=remedy)
        self.piece = piece


class NoRoomForFilm(FilmError):
    """The disk, or a quota on it, is full. The same call may work once there is room."""

    may_pass = True


class PromptError(VideoError):
    """The chat model gave no usable prompts. Its answer is quoted."""


class BudgetReached(VideoError):
    """Another create could exceed a limit. Nothing was created."""

    may_pass = True
    spent = Spent.NOTHING


class NotApproved(VideoError):
    """Approval was required before anything was bought, and it was refused or did not come in time."""

    spent = Spent.NOTHING


class CreateAmbiguous(VideoError):
    """A create had no clear answer: it may have been charged. It is not repeated automatically.

    Attributes:
        fresh: True if this call sent the create; False if it was found in the ledger.
    """

    spent = Spent.PERHAPS

    def __init__(self, what: str, *, video_id: str, fresh: bool, remedy: str | None = None) -> None:
        super().__init__(what, remedy=remedy)
        self.video_id = video_id
        self.fresh = fresh


class ArchiveError(VideoError):
    """The archive's bucket or folder, or the storage behind it, failed."""

    may_pass = True


class BucketRefused(ArchiveError):
    """The bucket or folder does not exist, or these credentials or this user may not use it."""

    exit_code = 2


class StoreFull(BucketRefused):
    """The storage accepts no more data: it is full, or its quota is used up."""


class FolderReplaced(BucketRefused):
    """The folder is no longer the one that this run began with: it was moved, remounted or restored."""


class StoreUnavailable(ArchiveError):
    """The S3 server does not answer, answers 5xx, or asks to slow down; the folder's disk fails, or is full."""

    retryable = True


class StoreUnsafe(ArchiveError):
    """The S3 server ignores `If-None-Match`, or the file system has no exclusive create: claims would not work."""

    spent = Spent.NOTHING
    exit_code = 2


class ObjectConflict(ArchiveError):
    """The key already has an object with other content."""
