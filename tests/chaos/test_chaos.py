"""A short run of the chaos harness: every named point once, and a few random rounds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.plans import FIRST_AGAIN

# The harness runs once for all tests.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chaos")]

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The harness, run as `make chaos` runs it."""
    folder = tmp_path_factory.mktemp("chaos") / "evidence"
    words = [
        "--tour",
        "--rounds",
        "4",
        "--first",
        "1001",
        "--archive",
        "both",
        "--seed",
        "7",
        "--jobs",
        "6",
        "--folder",
        str(folder),
    ]
    return subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words], cwd=_ROOT, capture_output=True, text=True, timeout=300
    )


def _count(told: str, name: str) -> int:
    found = re.search(rf"^ *(\d+)  {name}$", told, re.MULTILINE)
    assert found, told
    return int(found[1])


def test_no_kill_costs_a_video_twice_or_loses_one(played: subprocess.CompletedProcess[str]) -> None:
    """Kills happen at every named point and at random, and the bill agrees with the archive."""
    assert (played.returncode, played.stderr) == (0, ""), played.stdout + played.stderr
    assert _count(played.stdout, "duplicates") == _count(played.stdout, "losses") == 0
    assert _count(played.stdout, "kills") >= 15


def test_rounds_in_a_folder_are_played(played: subprocess.CompletedProcess[str]) -> None:
    """Half of the tour and half of the random rounds use a folder, and something is killed there."""
    rounds = re.findall(r"^round +(\d+)  folder  ok .*\((.*)\)$", played.stdout, re.MULTILINE)
    assert len([number for number, _ in rounds if int(number) < FIRST_AGAIN]) == 5 + 2, played.stdout
    assert any(killed != "no kill" for _, killed in rounds)


def test_what_was_billed_is_archived_or_held(played: subprocess.CompletedProcess[str]) -> None:
    """A run that made nothing, or left everything ambiguous, would prove nothing."""
    billed, archived = _count(played.stdout, "billed"), _count(played.stdout, "archived")
    assert 15 < archived <= billed <= archived + _count(played.stdout, "held as ambiguous")
