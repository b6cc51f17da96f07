"""Whether the packages that are installed are those that this package asks for, and work with each other."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from importlib import metadata
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.version import Version

from prefect_together_video.flows.checkup.line import DEPENDENCIES, CheckLine, failed, ok
from together_video.text import counted

PACKAGE = "prefect-together-video"


class Unmet(NamedTuple):
    """A requirement, and the version that is installed in its place; None where there is none."""

    requirement: Requirement
    installed: str | None

    @property
    def words(self) -> str:
        name = self.requirement.name
        if self.installed is None:
            return f"{name} is not installed."
        return f"{name} {self.installed} is installed, {self.requirement.specifier} is needed."


def check_dependencies() -> CheckLine:
    """Whether each requirement of our own metadata is met, and no two packages are known to fail together."""
    try:
        needed = list(requirements_of(PACKAGE))
    except metadata.PackageNotFoundError:
        words = f"{PACKAGE} is not installed, only its source is here."
        return failed(DEPENDENCIES, words, "To install it:", "pip install .")
    if unmet := list(dict.fromkeys(_unmet(needed))):
        wanted = (
            f"{found.requirement.name}{_extras(found.requirement)}{found.requirement.specifier}"
            for found in unmet
        )
        return failed(
            DEPENDENCIES,
            " ".join(found.words for found in unmet),
            "To install what is needed:",
            f"pip install {' '.join(map(shlex.quote, wanted))}",
        )
    prefect = Version(metadata.version("prefect"))
    if (
        prefect < Version("3.9")
        and (alchemy := _version("sqlalchemy"))
        and Version(alchemy) >= Version("2.1")
    ):
        return failed(
            DEPENDENCIES,
            f"With SQLAlchemy {alchemy} a server of Prefect {prefect} never starts a scheduled run.",
            "Install an older SQLAlchemy (pip install 'sqlalchemy<2.1'), or upgrade Prefect:",
            "pip install --upgrade 'prefect>=3.9,<4'",
        )
    version = metadata.version(PACKAGE)
    return ok(
        DEPENDENCIES,
        f"{PACKAGE} {version} with Prefect {prefect}, all {counted(len(needed), 'requirement')} met.",
    )


def requirements_of(package: str, extras: frozenset[str] = frozenset()) -> Iterator[Requirement]:
    """What a package that is installed asks for on this machine, with these of its extras.

    Raises:
        importlib.metadata.PackageNotFoundError: it is not installed.
    """
    for line in metadata.requires(package) or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def _unmet(needed: list[Requirement]) -> Iterator[Unmet]:
    for requirement in needed:
        installed = _version(requirement.name)
        if installed is None or not requirement.specifier.contains(installed, prereleases=True):
            yield Unmet(requirement, installed)
        elif requirement.extras:
            # Such as the SOCKS support of httpx, without which a desktop's ALL_PROXY stops every call.
            plain = {str(one) for one in requirements_of(requirement.name)}
            extra = requirements_of(requirement.name, frozenset(requirement.extras))
            yield from _unmet([one for one in extra if str(one) not in plain])


def _extras(requirement: Requirement) -> str:
    return f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
