"""The wheel and the sdist, built once, and a project of a user's in which the wheel is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.deployments.conftest import place, start

__all__ = ["place", "start"]

ROOT = Path(__file__).parents[2]
_BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


class Distributions(NamedTuple):
    """The two files, and the folder that the sdist unpacks to."""

    sdist: Path
    wheel: Path
    unpacked: Path


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """The sdist of what git knows, and the wheel of that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    source = folder / "source"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    if not source.exists():  # not a checkout but an unpacked sdist
        ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT, source, symlinks=True, ignore=ignored)
    built = folder / "built"
    built.mkdir()
    subprocess.run(
        [sys.executable, "-c", _BUILD, "build_sdist", built], cwd=source, check=True, capture_output=True
    )
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as tar:
        tar.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    subprocess.run(
        [sys.executable, "-c", _BUILD, "build_wheel", built], cwd=unpacked, check=True, capture_output=True
    )
    (wheel,) = built.glob("*.whl")
    return Distributions(sdist, wheel, unpacked)


class Project:
    """A user's folder, with a Python of its own that has the wheel and, from elsewhere, its dependencies."""

    def __init__(self, folder: Path, python: Path, environment: dict[str, str]) -> None:
        self.folder, self.python, self.environment = folder, python, environment

    def program(self, name: str) -> str:
        return str(self.python.with_name(name))

    def run(self, *words: str, code: int = 0) -> str:
        """A command in the folder; `python` is the project's own. Gives what it printed."""
        words = (str(self.python), *words[1:]) if words[0] == "python" else words
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the dependencies, and without anything of ours."""
    return _environment(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="session")
def installed(distributions: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel, and without our checkout."""
    python = _environment(tmp_path_factory.mktemp("environment"))
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index"),
            *("--disable-pip-version-check", distributions.wheel),
        ],
        check=True,
    )
    return python


def _environment(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    place = subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip()
    # As a line of a path file the folder is searched, and its own path files, such as that of our checkout, are not.
    here = sysconfig.get_path("purelib")
    (Path(place) / "dependencies.pth").write_text(f"{here}\n", encoding="utf-8")
    return python


_OWN = {
    "flows/mine.py": """
from prefect import flow
from prefect_together_video import generate_video
from tasks.etl import shout
from together_video.requests import VideoRequest


@flow
def mine(prompt: str) -> str:
    return shout(prompt)


@flow
async def film(prompt: str) -> str:
    request = VideoRequest(model="pixverse/pixverse-v5", prompt=shout(prompt), width=64, height=48, seconds="1", fps=8)
    return (await generate_video(request)).sentence


if __name__ == "__main__":
    import asyncio

    print(mine("kite"))
    print(asyncio.run(film("kite")))
""",
    "tasks/etl.py": "def shout(text: str) -> str:\n    return text.upper()\n",
    "blocks/own.py": "MARK = 'a block of the user'\n",
    "deployments/plan.py": "MARK = 'a plan of the user'\n",
    "tests/helpers.py": "MARK = 'a helper of the user'\n",
}


@pytest.fixture
def project(
    request: pytest.FixtureRequest, installed: Path, tmp_path: Path, prefect_api: str
) -> Callable[..., Project]:
    """A folder with flows/, tasks/, blocks/, deployments/ and tests/ of the user's own; `environment` is added.

    The folders have an `__init__.py` each, unless the test's parameter says otherwise.
    """

    def make(environment: dict[str, str] | None = None) -> Project:
        folder = tmp_path / "project"
        for name, text in _OWN.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text.lstrip(), encoding="utf-8")
            if getattr(request, "param", True):
                (folder / name).with_name("__init__.py").touch()
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return Project(
            folder,
            installed,
            {
                **inherited,
                **(environment or {}),
                "PATH": f"{installed.parent}:{os.environ['PATH']}",
                "PYTHONPATH": ".",
            },
        )

    return make
