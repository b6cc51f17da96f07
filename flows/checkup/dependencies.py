"""Check that the installed packages are the ones that this package requires, and that they work together."""

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
    """A requirement that is not met, and the installed version; None if none is installed."""

    requirement: Requirement
    installed: str | None

    @property
    def words(self) -> str:
        name = self.requirement.name
        if self.installed is None:
            return f"{name} is not installed."
        return f"{name} {self.installed} is installed, but {self.requirement.specifier} is needed."


def check_dependencies() -> CheckLine:
    """Check that each requirement in our metadata is met, and that no two packages are known to fail together."""
    try:
        needed = list(requirements_of(PACKAGE))
    except metadata.PackageNotFoundError:
        words = f"{PACKAGE} is not installed; only its source code is here."
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
            f"With SQLAlchemy {alchemy}, a Prefect {prefect} server never starts a scheduled run.",
            "Install an older SQLAlchemy (pip install 'sqlalchemy<2.1'), or upgrade Prefect:",
            "pip install --upgrade 'prefect>=3.9,<4'",
        )
    version = metadata.version(PACKAGE)
    return ok(
        DEPENDENCIES,
        f"{PACKAGE} {version} with Prefect {prefect}, all {counted(len(needed), 'requirement')} met.",
    )


def requirements_of(package: str, extras: frozenset[str] = frozenset()) -> Iterator[Requirement]:
    """What an installed package requires on this machine, with these extras.

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
            # For example, without httpx's SOCKS support a desktop's ALL_PROXY breaks every call.
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
