"""What system errors mean for an archive in a folder."""

from __future__ import annotations

import errno

from together_video.errors import ArchiveError, BucketRefused, FolderReplaced, StoreUnavailable

#: How a file system says that it has no hard links. The first also means a missing permission.
NO_HARD_LINKS = frozenset(
    {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EMLINK}
)
#: How it says that it has no locks.
NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
#: A missing permission, whatever the key.
_REFUSED = frozenset({errno.EACCES, errno.EPERM})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def missing(folder: str) -> BucketRefused:
    return BucketRefused(
        f"There is no folder {folder}.", remedy="Check its path, and that its disk is mounted, and run again."
    )


def unmakeable(folder: str, error: OSError) -> BucketRefused:
    return BucketRefused(
        f"The folder {folder} cannot be created ({error.strerror or error}).",
        remedy="Create it, or choose another folder.",
    )


def replaced(folder: str) -> FolderReplaced:
    return FolderReplaced(
        f"{folder} is no longer the folder that this run started with.",
        remedy="Check that its disk is mounted, and run again: it resumes where it stopped.",
    )


def linked(folder: str, key: str) -> ArchiveError:
    return ArchiveError(
        f"{key} in the folder {folder} is a symbolic link or behind one, which an archive does not allow.",
        remedy="Replace the link with the folder or the file itself, and run again.",
    )


def translated(error: OSError, folder: str, key: str) -> ArchiveError:
    """The archive error for a system error at this key. The folder itself exists."""
    why = error.strerror or str(error)
    if error.errno in _REFUSED:
        return BucketRefused(
            f"This user may not read or write {key} in the folder {folder} ({why}).",
            remedy="Change the permissions, or choose another folder.",
        )
    if error.errno == errno.EROFS:
        return BucketRefused(
            f"The folder {folder} cannot be written: its file system is read-only.",
            remedy="Mount it for writing, or choose another folder.",
        )
    if error.errno in _FULL:
        return StoreUnavailable(
            f"The folder {folder} has no room for {key} ({why}).", remedy="Make room and run again."
        )
    if error.errno == errno.ELOOP:
        return linked(folder, key)
    if error.errno in {errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}:
        return ArchiveError(
            f"{key} cannot be a file in the folder {folder} ({why}).",
            remedy="Move away what is in its place, or choose another folder.",
        )
    return StoreUnavailable(
        f"The file system of the folder {folder} failed at {key} ({why}).",
        remedy="Check its disk, or the connection to it, and run again.",
    )
