"""Which Pythons are supported is said in many places, and they all say the same."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SUPPORTED = [
    version
    for classifier in PROJECT["project"]["classifiers"]
    if (version := classifier.removeprefix("Programming Language :: Python :: ")) != classifier
]


def in_words(versions: list[str]) -> str:
    return f"{', '.join(versions[:-1])} {{}} {versions[-1]}"


def test_readme_and_dockerfile_name_the_same_pythons() -> None:
    """The classifiers are what CI reads."""
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"Python {in_words(SUPPORTED).format('or')}" in readme
    dockerfile = (ROOT / "deployments/Dockerfile").read_text(encoding="utf-8")
    assert f"Any supported Python: {in_words(SUPPORTED).format('or')}." in dockerfile
    (image,) = re.findall(r"^ARG PYTHON_IMAGE=python:(3\.\d+)-slim$", dockerfile, re.MULTILINE)
    assert image in SUPPORTED


def test_the_oldest_python_is_what_tools_and_installers_are_told() -> None:
    """Nothing newer is used by accident, and nothing older is let in."""
    oldest = SUPPORTED[0]
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-lowest.lock", "requirements-newest.lock"]
)
def test_a_lock_pins_everything_and_names_no_index(name: str) -> None:
    """A fresh machine installs the same anywhere, from whatever index it uses."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert len(lines) > 80
    assert [line for line in lines if not re.match(r"^[a-z0-9][a-z0-9._-]*==[^ ]+( ; .+)?$", line)] == []


def test_the_lowest_lock_has_what_pyproject_asks_for() -> None:
    """The lower bounds themselves are tested, not some release above them."""
    pins = dict(
        line.split("==")
        for line in (ROOT / "requirements-lowest.lock").read_text(encoding="utf-8").splitlines()
    )
    for requirement in PROJECT["project"]["dependencies"]:
        name, bound = re.match(r"^([a-z0-9-]+)(?:\[.*\])?>=([0-9.]+)", requirement).groups()  # type: ignore[union-attr]
        pinned = pins[name]
        wanted = bound.split(".")
        assert pinned.split(".")[: len(wanted)] == wanted, (name, pinned, bound)


def test_ci_finds_interpreters_by_the_classifiers() -> None:
    """Its script is valid, and takes the list of Pythons from pyproject.toml."""
    script = ROOT / ".ci/run"
    subprocess.run(["bash", "-n", str(script)], check=True)
    command = next(
        line for line in script.read_text(encoding="utf-8").splitlines() if line.startswith("releases=")
    )
    found = subprocess.run(
        ["bash", "-c", f'{command}; echo "$releases"'], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert found.stdout.split() == SUPPORTED
