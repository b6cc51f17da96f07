"""Files of a folder that are written once: completely or not at all, by exactly one of several writers.

All of this blocks, and raises `OSError`s besides its own errors: `FolderStore` runs it in threads and translates them.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from prefect_together_video.blocks.folder.errors import (
    NO_HARD_LINKS,
    NO_LOCKS,
    linked,
    missing,
    replaced,
    unmakeable,
)
from together_video.errors import ArchiveError, StoreUnavailable, StoreUnsafe
from together_video.ledger.place import ArchivePlace

#: Where files are written before they get their names, and where the lock is. No key starts with a dot.
OWN = ".together-video"
#: Bytes that are read at a time.
PIECE = 1 << 20
#: Others may remove an empty folder after it is made and before it is used.
_TRIES = 100
#: Seconds after which the half-written files of killed processes are removed.
_LEFT_BEHIND = 86_400
#: How long to wait for the lock, which nothing holds for more than a moment, and the pause between checks, in seconds.
_LOCK_SECONDS, _LOCK_PAUSE = 30.0, 0.005
#: Seconds for which a reading of the file system's clock stays valid.
_CLOCK_SECONDS = 5.0


class Files:
    """The files below one folder. Only `make` creates the folder itself: without it nothing is written or read.

    If a disk is not mounted, its mount point is an empty folder, and everything would be bought again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.place = ArchivePlace(folder=os.path.abspath(folder.expanduser()))
        self.shown = self.place.location
        self._root = Path(os.path.realpath(self.shown))
        self._own = self._root / OWN
        self._clock, self._monotonic = clock, monotonic
        self._identity: tuple[int, int] | None = None
        #: The file system's time, and our monotonic clock at that moment.
        self._time_seen: tuple[float, float] | None = None

    def make(self) -> bool:
        """Create the folder and its parents, unless it exists. True if it is new."""
        try:
            self._root.mkdir(parents=True)
        except FileExistsError:
            made = False
        except OSError as error:
            raise unmakeable(self.shown, error) from error
        else:
            made = True
            _sync_folder(self._root.parent)
        self.check()
        return made

    def check(self) -> None:
        """Check that the folder exists and is still the same one.

        Raises:
            BucketRefused: it does not exist, or is another folder.
        """
        try:
            found = os.stat(self._root)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise missing(self.shown) from error
        if not stat.S_ISDIR(found.st_mode):
            raise missing(self.shown)
        identity = (found.st_dev, found.st_ino)
        if self._identity is None:
            self._identity = identity
        elif identity != self._identity:
            raise replaced(self.shown)

    def path(self, key: str) -> Path:
        """The file of a key.

        Raises:
            ArchiveError: it would be outside the folder, in our own part of it, or behind a symbolic link.
        """
        pieces = key.split("/")
        if "\0" in key or any(not piece or piece.startswith(".") for piece in pieces):
            raise ArchiveError(f"{key!r} does not name a file of the archive in {self.shown}.")
        path = self._root.joinpath(*pieces)
        if os.path.realpath(path) != str(path):
            raise linked(self.shown, key)
        return path

    @contextmanager
    def opened(self, key: str) -> Iterator[BinaryIO]:
        """A file for reading.

        Raises:
            FileNotFoundError: it does not exist.
        """
        self.check()
        # Without waiting for a writer, because it may be a pipe.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        with open(os.open(self.path(key), flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ArchiveError(f"{key} in the folder {self.shown} is not a regular file.")
            yield file

    def put(self, key: str, source: BinaryIO | bytes, sha256: bytes | None = None) -> bool:
        """Write a file once, durably. False if the key is taken.

        Raises:
            StoreUnavailable: the bytes do not match this SHA-256; nothing was written.
        """
        self.check()
        path = self.path(key)
        if os.path.lexists(path):
            return False
        with self._part() as part:
            with part.open("xb") as out:
                digest = _written(source, out)
                os.fsync(out.fileno())
            if sha256 is not None and digest != sha256:
                raise StoreUnavailable(
                    f"What was read for {key} does not match its checksum; nothing was stored."
                )
            return self.named(part, path)

    @contextmanager
    def _part(self) -> Iterator[Path]:
        """A name that nothing else writes to, on the same file system."""
        self._own.mkdir(exist_ok=True)
        part = self._own / f"{uuid4().hex}.part"
        try:
            yield part
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def named(self, part: Path, path: Path) -> bool:
        """Give a part its name, unless the name is taken. Durable on return."""
        for _ in range(_TRIES):
            self.check()
            with suppress(FileNotFoundError):
                self._make_folders(path.parent)
                # The age of a fact counts from here: writing a large file takes time.
                os.utime(part)
                try:
                    self._named_once(part, path)
                except FileExistsError:
                    # A file server's answer may have been lost, and the repeated call refused.
                    with suppress(FileNotFoundError):
                        return os.path.samestat(os.lstat(part), os.lstat(path))
                    return False
                _sync_folder(path.parent)
                return True
        raise StoreUnavailable(
            f"The folder {self.shown} keeps losing {path.parent.name}: another process removes it.",
            remedy="Run again later.",
        )

    def _named_once(self, part: Path, path: Path) -> None:
        """Raises FileExistsError if the name is taken. Exactly one of several writers succeeds."""
        try:
            os.link(part, path)
        except OSError as error:
            if error.errno not in NO_HARD_LINKS:
                raise
        else:
            return
        # A lock ends with its process, however that ends.
        with self._locked() as is_locked:
            if not is_locked:
                raise StoreUnsafe(
                    f"The file system of the folder {self.shown} has neither hard links nor locks, so two runs could "
                    "pay for the same video.",
                    remedy="Choose a folder on another file system.",
                )
            if os.path.lexists(path):
                raise FileExistsError(path)
            os.rename(part, path)

    def _make_folders(self, folder: Path) -> None:
        needed = []
        while folder != self._root and not folder.is_dir():
            needed.append(folder)
            folder = folder.parent
        for folder in reversed(needed):
            with suppress(FileExistsError):
                folder.mkdir()
                _sync_folder(folder.parent)

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """One process at a time of all that use this folder; False if the file system has no locks."""
        self._own.mkdir(exist_ok=True)
        path = self._own / "lock"
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        with open(os.open(path, flags, 0o666), "rb") as lock:
            yield self._take(lock, path)

    def _take(self, lock: BinaryIO, path: Path) -> bool:
        end = self._monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if self._monotonic() > end:
                    raise StoreUnavailable(
                        f"Another process has held {path} for {_LOCK_SECONDS:.0f} seconds.",
                        remedy="Find that process (`fuser` names it), and run again.",
                    ) from error
                time.sleep(_LOCK_PAUSE)
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
                return False
            else:
                return True

    def remove(self, key: str, version: str | None = None) -> bool:
        """Remove a file if it has this version, and then folders that are empty. False if it has another version.

        Every removal holds the lock: between the check and the removal nothing else can make room for another file.
        """
        self.check()
        path = self.path(key)
        with self._locked():
            try:
                if version is not None and version_of(os.lstat(path)) != version:
                    return False
                path.unlink()
            except FileNotFoundError:
                return True
        folder = path.parent
        with suppress(OSError):
            while folder != self._root:
                folder.rmdir()
                folder = folder.parent
        return True

    def walk(self, prefix: str, after: str = "") -> Iterator[tuple[str, os.stat_result]]:
        """Every regular file whose key starts with `prefix` and is greater than `after`, in the order of keys, except
        names that start with a dot. Only one folder's names at a time are in memory.
        """
        folder = prefix.rpartition("/")[0]
        start = self.path(folder) if folder else self._root
        stem = f"{folder}/" if folder else ""
        # Not by recursion: anyone with write access can nest thousands of folders.
        waiting = [(str(start), stem, iter(_names(start)))]
        while waiting:
            place, stem, names = waiting[-1]
            for name in names:
                key = stem + name
                if name[-1] == "/":
                    if (key.startswith(prefix) or prefix.startswith(key)) and not _is_before(key, after):
                        inner = f"{place}/{name[:-1]}"
                        waiting.append((inner, key, iter(_names(inner))))
                        break
                elif key > after and key.startswith(prefix):
                    with suppress(FileNotFoundError, NotADirectoryError):
                        found = os.lstat(f"{place}/{name}")
                        if stat.S_ISREG(found.st_mode):
                            yield key, found
            else:
                waiting.pop()
        self.check()

    def time(self) -> float:
        """The time by the file system's own clock: for a shared one, its server's clock.

        If nothing can be written, our own clock is used.
        """
        now = self._monotonic()
        if self._time_seen is None or now - self._time_seen[1] > _CLOCK_SECONDS:
            try:
                with self._part() as probe, probe.open("xb") as file:
                    self._time_seen = (os.fstat(file.fileno()).st_mtime, now)
            except OSError:
                if self._time_seen is None:
                    return self._clock()
        seen, at = self._time_seen
        return seen + now - at

    def prove_exclusive(self) -> None:
        """Check that the second of two files with the same name is refused.

        Raises:
            StoreUnsafe: it is not refused.
        """
        path = self._own / f"{uuid4().hex}.probe"
        with self._part() as first, self._part() as second:
            for part in (first, second):
                part.write_bytes(b"probe")
            try:
                if self.named(first, path) and self.named(second, path):
                    raise StoreUnsafe(
                        f"The file system of the folder {self.shown} overwrites existing files, so two runs "
                        "could pay for the same video.",
                        remedy="Choose a folder on another file system.",
                    )
            finally:
                path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the half-written files of processes that were killed long ago."""
        old = self.time() - _LEFT_BEHIND
        with suppress(OSError):
            for part in self._own.glob("*.part"):
                with suppress(OSError):
                    if part.stat().st_mtime < old:
                        part.unlink()


def version_of(found: os.stat_result) -> str:
    """Names one content of a file that is never overwritten: another file has another number, or is younger."""
    return f"{found.st_ino}-{found.st_mtime_ns}"


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """The rest of a file, piece by piece."""
    while piece := file.read(PIECE):
        yield piece


def _written(source: BinaryIO | bytes, out: BinaryIO) -> bytes:
    """Copy all of it; returns its SHA-256."""
    digest = hashlib.sha256()
    if isinstance(source, bytes):
        out.write(source)
        digest.update(source)
    else:
        for piece in pieces_of(source):
            out.write(piece)
            digest.update(piece)
    out.flush()
    return digest.digest()


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    except OSError as error:
        # Some file systems cannot sync folders, and keep their names without it.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF}:
            raise
    finally:
        os.close(opened)


def _names(place: str | Path) -> list[str]:
    """The names in a folder, those of folders with a slash, in the order of the keys that they lead to."""
    names: list[str] = []
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(place) as entries:
        for entry in entries:
            name = entry.name
            # A name that is not text is not ours, and cannot be written as JSON.
            if name[0] == "." or not _is_text(name):
                continue
            if entry.is_file(follow_symlinks=False):
                names.append(name)
            elif entry.is_dir(follow_symlinks=False):
                names.append(f"{name}/")
    names.sort()
    return names


def _is_before(folder: str, after: str) -> bool:
    """Whether every key in a folder comes before this one."""
    return folder < after and not after.startswith(folder)


def _is_text(name: str) -> bool:
    """Whether a name is UTF-8: other bytes come from the system as lone surrogates."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)
