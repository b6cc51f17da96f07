"""What can go wrong, as one tree.

    VideoError
    ├── InputError                 what was given cannot work; nothing was sent
    │   ├── ConfigurationError     a key, an address, a bucket name is missing or broken
    │   ├── RequestInvalid         one request breaks a rule; carries the findings
    │   ├── NotInArchive           there is no video, or no batch, of the name that was given
    │   └── MediaRefused           an image, a video or audio is missing, unreachable or of the wrong kind
    ├── TogetherError              the API said no, or nothing, or something else
    │   ├── ApiUnreachable         no connection: the request never left
    │   ├── RateLimited            429; carries the server's hint
    │   │   └── CreatesShut        … of longer than a run waits
    │   ├── ApiOverloaded          503
    │   ├── RequestRefused         400, 404, 422, …: this request will never pass
    │   ├── AccountRefused         401, 402, 403: no request of this account will pass
    │   ├── CreateWithdrawn        another process took the claim over before the create left: nothing was sent
    │   └── NoClearAnswer          timeout, reset, broken answer, 5xx: it may have been done
    ├── JobError                   about one job; carries its id
    │   ├── JobFailed              the provider gave up on it, or cancelled it
    │   ├── JobDeadlinePassed      it keeps running at the provider, and is billed
    │   ├── JobWithoutVideo        completed, and no link to a file
    │   └── JobInDoubt             a day after it was made neither done nor failed, or not known any more
    ├── DownloadError
    │   ├── LinkForbidden          the link leads to an address that links may not lead to
    │   ├── LinkRefused            an HTTP error on the link: try again, or ask the job for a fresh one
    │   ├── DownloadBroken         cut short, wrong length, not a video
    │   │   └── DownloadInterrupted    the transfer broke off
    │   └── DownloadTooLarge
    ├── FilmError                  clips could not be joined
    │   ├── PieceRefused           one of them, or what goes with it, cannot be used; carries which
    │   └── NoRoomForFilm          the disk is full
    ├── PromptError                the chat model gave no usable prompts
    ├── BudgetReached              not started: it would pass a limit that was set
    ├── NotApproved                somebody was asked first, and did not say yes
    ├── CreateAmbiguous            it may have been paid for: held, never repeated by itself
    └── ArchiveError
        ├── BucketRefused          there is no such bucket or folder, or it is not ours to use
        │   ├── StoreFull          it is full, or its quota is used up
        │   └── FolderReplaced     it is another folder than at the beginning of this run
        ├── StoreUnavailable       S3 does not answer, or asks to slow down; a disk fails or is full
        ├── StoreUnsafe            the store writes over what is there: no claim would hold
        └── ObjectConflict         something else lies under the key

Each error says as data whether the same call may be made again (`retryable`), what was spent (`spent`), and what
to do next (`remedy`); an error of a create says whether a job may exist (`job_may_exist`). `message` joins them.
`may_pass` says whether the cause is the machine, the archive, the account or the API rather than what was asked for.
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


#: What is said of the money where an error is told.
SPENT_WORDS = {
    Spent.NOTHING: "Nothing was created.",
    Spent.PERHAPS: "It may have been charged.",
    Spent.YES: "It is billed.",
}


class VideoError(Exception):
    """Base of all errors of this project.

    Args:
        what: what happened, as a sentence.
        spent: given where the message is to say it, or where it differs from the class's own.
        remedy: what to do next, as a sentence.

    Attributes:
        retryable: whether making the same call again may help.
        may_pass: whether the same may work later, as it failed for no reason of its own: the archive, the account, the
            API or the disk had a problem.
        spent: what the failed call has cost; None where the error alone does not tell.
    """

    retryable: bool = False
    may_pass: ClassVar[bool] = False
    spent: Spent | None = None
    #: What the command line exits with: 2 for bad input, 1 for all else.
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, spent: Spent | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        #: What the message says of the money: nothing, where `what` does or nobody wonders.
        self.said_of_money = None if spent is None else SPENT_WORDS[spent]
        if spent is not None:
            self.spent = spent

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Prefect keeps errors with the states of runs: each survives a copy, whatever its arguments."""
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
    """There is no video, or no batch, of the name that was given. `place` is where it was looked for, as a URI."""

    def __init__(self, what: str, *, place: str) -> None:
        super().__init__(what)
        self.place = place


class MediaRefused(InputError):
    """An image, a video or an audio file cannot be used: missing, unreadable, of the wrong kind or size."""


class TogetherError(VideoError):
    """The API refused, failed, or did not answer.

    Attributes:
        status: HTTP status, or None where there was no answer.
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
        """Only for a create: True where a job may have been made (and billed) although no id came back.
        False means it is proven that nothing was created.
        """
        return self.spent is Spent.PERHAPS


class ApiUnreachable(TogetherError):
    """No connection could be made, so the request never left."""

    retryable = True


class RateLimited(TogetherError):
    """429. Nothing was created; every creator of the process should wait.

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
    """The API asked to wait for longer than a run does: nothing was created, a later run goes on."""

    retryable = False


class ApiOverloaded(TogetherError):
    """503: the request was turned away before any work began."""

    retryable = True


class RequestRefused(TogetherError):
    """The API will not take this request, however often it is sent."""

    may_pass = False


class AccountRefused(TogetherError):
    """401, 402 or 403: the key, the credit or the organisation's settings stand in the way."""


class CreateWithdrawn(TogetherError):
    """A create that was not sent, as another process had taken its claim over meanwhile."""


class NoClearAnswer(TogetherError):
    """The request was sent and its outcome is unknown.

    Reading may be repeated freely. A create must not be: `job_may_exist` is then True.

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
    """Long after it was made it is neither done nor failed, gives no file, or is not known any more (404). It may
    have been billed, and its video will hardly come.

    Attributes:
        may_come: whether the provider still knows the job, so that its video may turn up.
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
    """The link, or where it redirects to, is at a private address that nobody has named as trusted. Nothing was sent
    there.
    """


class LinkRefused(DownloadError):
    """The link answers with an HTTP error: it is not ready yet, has expired, or the file is gone. A fresh retrieve
    of the job gives another.

    Attributes:
        status: the HTTP status.
        is_lasting: whether the storage says that the file is not there or not for us, rather than not now.
    """

    def __init__(self, what: str, *, status: int) -> None:
        super().__init__(what)
        self.status = status
        self.is_lasting = 400 <= status < 500 and status not in {408, 425, 429}


class DownloadBroken(DownloadError):
    """The file came cut short, with another length than announced, or is no video."""

    retryable = True


class DownloadInterrupted(DownloadBroken):
    """The transfer ended before the file was whole. It says nothing about what the provider has."""


class DownloadTooLarge(DownloadError):
    """The file is larger than the bound that was set for it."""


class FilmError(VideoError):
    """The clips could not be joined. They are as they were, and no part of the film is left."""

    spent = Spent.NOTHING


class PieceRefused(FilmError):
    """A file of the cut cannot be used, or does not fit the others.

    Attributes:
        piece: its place in the cut, from 1; None where it is the music, or the cut as a whole.
    """

    exit_code = 2

    def __init__(self, what: str, *, piece: int | None = None, remedy: str | None = None) -> None:
        super().__init__(what, remedy=remedy)
        self.piece = piece


class NoRoomForFilm(FilmError):
    """The disk, or a quota on it, is full. The same call may pass when there is room."""

    may_pass = True


class PromptError(VideoError):
    """The chat model gave no usable prompts. Its answer is quoted."""


class BudgetReached(VideoError):
    """Another create could pass a limit that was set. Nothing was created."""

    may_pass = True
    spent = Spent.NOTHING


class NotApproved(VideoError):
    """Somebody was asked before anything was bought, and did not say yes, or not in time."""

    spent = Spent.NOTHING


class CreateAmbiguous(VideoError):
    """A create had no clear answer: it may have been charged. It is held, not repeated.

    Attributes:
        fresh: True where this very call sent the create; False where it was found in the ledger.
    """

    spent = Spent.PERHAPS

    def __init__(self, what: str, *, video_id: str, fresh: bool, remedy: str | None = None) -> None:
        super().__init__(what, remedy=remedy)
        self.video_id = video_id
        self.fresh = fresh


class ArchiveError(VideoError):
    """The bucket or the folder of an archive, or what is behind it."""

    may_pass = True


class BucketRefused(ArchiveError):
    """The bucket or folder does not exist, or these credentials, or this user, may not use it."""

    exit_code = 2


class StoreFull(BucketRefused):
    """The storage takes no more data: it is full, or its quota is used up."""


class FolderReplaced(BucketRefused):
    """The folder is no longer the one that this run began with: it was moved, remounted or restored."""


class StoreUnavailable(ArchiveError):
    """The S3 server does not answer, answers 5xx, or asks to slow down; the folder's disk fails, or is full."""

    retryable = True


class StoreUnsafe(ArchiveError):
    """The S3 server ignores `If-None-Match`, or the file system has no exclusive create: no claim would hold."""

    spent = Spent.NOTHING
    exit_code = 2


class ObjectConflict(ArchiveError):
    """Another object lies under this key, with other content."""
