"""The code of docstrings and pages, run as it is against the sandbox and moto."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from prefect.blocks.core import Block
from prefect_aws import AwsCredentials

import prefect_together_video as package
from docs.reference.docstrings import examples
from prefect_together_video import TogetherCredentials, VideoArchive
from tests.docs.markdown import blocks

ROOT = Path(__file__).parents[2]
#: The async names, which share the docstrings of the sync ones.
ASYNC = {name for name in package.__all__ if name.startswith("a") and name[1:] in package.__all__}
#: Public names with docstrings that show how to use them. `RunIncomplete` is raised, not used.
SHOWN = sorted(set(package.__all__) - ASYNC - {"RunIncomplete"})
#: Pages whose code is complete: it defines flows and calls them.
PAGES = ("README.md", "docs/index.md", "docs/quickstart.md", "docs/cloud.md", "docs/sandbox.md", "llms.txt")
#: Each takes a minute on a quiet machine, and no test may take five on a busy one.
_PARTS = 2
RUN_CODE = Path(__file__).with_name("run_code.py")


def docstring_of(name: str) -> str:
    public: Any = getattr(package, name)
    return (public if isinstance(public, type) else public.fn).__doc__ or ""


def pieces() -> dict[str, str]:
    """All code that is shown, by a name that says where it is."""
    found = {}
    for name in SHOWN:
        for number, code in enumerate(examples(docstring_of(name))):
            found[f"{name}_{number}"] = code
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for number, code in enumerate(blocks(text, "python")):
            found[f"{Path(page).stem}_{number}"] = code
    return found


def test_every_public_name_has_an_example() -> None:
    """Tasks, flows, blocks and values alike. The async names share the docstrings of the sync ones."""
    assert [name for name in SHOWN if not examples(docstring_of(name))] == []
    assert len(SHOWN) == 17
    assert len(ASYNC) == 6
    assert [name for name in ASYNC if docstring_of(name) != docstring_of(name[1:])] == []


@pytest.fixture
def saved_blocks(
    prefect_api: str, api: Any, moto_url: str, surroundings: dict[str, str | None]
) -> Iterator[None]:
    """Save the blocks that the code loads by name, and remove the blocks that it saves afterwards."""
    bucket = str(surroundings["VIDEO_ARCHIVE_BUCKET"])
    credentials = AwsCredentials(
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
        aws_client_parameters={"endpoint_url": moto_url},
    )
    kinds: tuple[type[Block], ...] = (TogetherCredentials, VideoArchive)
    api.credentials().save("block-name", overwrite=True)
    VideoArchive(bucket=bucket, credentials=credentials).save("block-name", overwrite=True)
    yield
    for kind, name in zip(kinds * 2, ("block-name", "block-name", "main", "production"), strict=True):
        # Only one part of the code saves the last two.
        with suppress(ValueError) if name != "block-name" else nullcontext():
            kind.delete(name)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.usefixtures("saved_blocks")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
def test_all_code_runs(
    api: Any, surroundings: dict[str, str | None], quick_models: str, moto_url: str, tmp_path: Path, part: int
) -> None:
    """Each process runs a part. Requests for the same video get the same one, so the bill has none twice."""
    chosen = dict(list(pieces().items())[part::_PARTS])
    folder = tmp_path / "code"
    folder.mkdir()
    for name, code in chosen.items():
        (folder / f"{name}.py").write_text(code.replace("BLOCK_NAME", "block-name"), encoding="utf-8")
    environment = {**os.environ, **surroundings, "TOGETHER_VIDEO_CATALOGUE": quick_models}
    environment["TOGETHER_VIDEO_SPOOL"] = str(tmp_path / "spool")
    done = subprocess.run(
        [sys.executable, str(RUN_CODE), str(folder)],
        env={name: value for name, value in environment.items() if value is not None},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout.splitlines()[-1])
    assert set(ended) == set(chosen)
    failed = {name: error for name, error in ended.items() if error is not None}
    assert not failed, "\n\n".join(f"{name}\n{error}" for name, error in failed.items())

    bill = api.bill()
    assert len(bill["jobs"]) > 5
    assert bill["duplicates"] == 0
    client = boto3.client(
        "s3",
        endpoint_url=moto_url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    bucket = str(surroundings["VIDEO_ARCHIVE_BUCKET"])
    records = client.list_objects_v2(Bucket=bucket, Prefix="records/")["KeyCount"]
    underway = client.list_objects_v2(Bucket=bucket, Prefix="inflight/").get("Contents", [])
    client.close()
    jobs = [entry["Key"] for entry in underway if entry["Key"].endswith("job.json")]
    assert records + len(jobs) == len(bill["jobs"])
