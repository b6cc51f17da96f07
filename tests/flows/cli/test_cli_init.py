"""`together-video init`: all of a project or nothing of it, with the user's own names."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
import yaml

from prefect_together_video.flows.cli import init as module
from prefect_together_video.flows.cli.init import init
from together_video.errors import InputError
from together_video.inputs.files import read_requests


def test_the_project_names_the_users_own_pool_and_blocks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the deployments, in their first lines, and in what is printed."""
    folder = tmp_path / "my videos"
    assert init(folder, pool="gpu pool", blocks="team-1") == 0
    text = (folder / "prefect.yaml").read_text()
    written = yaml.safe_load(text)
    assert {entry["work_pool"]["name"] for entry in written["deployments"]} == {"gpu pool"}
    slugs = {
        value["$ref"]["block_document_slug"]
        for entry in written["deployments"]
        for value in entry["parameters"].values()
        if isinstance(value, dict) and "$ref" in value
    }
    assert slugs == {"together-credentials/team-1", "video-archive/team-1"}
    said = capsys.readouterr().out
    for words in ('work-pool create "gpu pool"', "save-blocks team-1", 'worker start --pool "gpu pool"'):
        assert words in text
        assert words in said


def test_the_batch_file_can_be_used(tmp_path: Path) -> None:
    """It is read as any other; the example .env names no value, and git leaves the real one out."""
    init(tmp_path)
    assert len(read_requests(str(tmp_path / "batch.csv"), {}, "pixverse/pixverse-v5")) == 2
    values = [line for line in (tmp_path / ".env.example").read_text().splitlines() if "KEY=" in line]
    assert values
    assert all(line.endswith("=") for line in values)
    assert (tmp_path / ".gitignore").read_text() == ".env\n"


def test_a_gitignore_stays_as_it_is(tmp_path: Path) -> None:
    """Every repository has one."""
    (tmp_path / ".gitignore").write_text(".venv\n")
    assert init(tmp_path) == 0
    assert (tmp_path / ".gitignore").read_text() == ".venv\n"


@pytest.mark.parametrize("name", ["prefect.yaml", "batch.csv", ".env.example"])
def test_what_is_there_is_left_alone(tmp_path: Path, name: str) -> None:
    """Nothing is written, a link to nowhere included."""
    (tmp_path / name).symlink_to("nowhere")
    with pytest.raises(InputError, match=f"already has {name}: nothing was written"):
        init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next try is not refused because of half of the first."""
    write = module.write_whole

    def fill(path: Path, data: bytes) -> None:
        if path.name == ".env.example":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr(module, "write_whole", fill)
    with pytest.raises(InputError, match=r"\.env\.example cannot be written: No space left .* Nothing was"):
        init(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "option"),
    [
        ({"pool": ""}, "--pool"),
        ({"pool": "pool "}, "--pool"),
        ({"pool": "a/b"}, "--pool"),
        ({"pool": "Prefect-x"}, "--pool"),
        ({"pool": 'a"b'}, "--pool"),
        ({"blocks": "Team"}, "--blocks"),
        ({"blocks": "a b"}, "--blocks"),
        ({"blocks": ""}, "--blocks"),
    ],
)
def test_names_that_prefect_does_not_take_are_refused(
    tmp_path: Path, names: dict[str, Any], option: str
) -> None:
    """Before anything is written."""
    with pytest.raises(InputError, match=f"^{option} must"):
        init(tmp_path, **names)
    assert list(tmp_path.iterdir()) == []
