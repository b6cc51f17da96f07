"""What is installed, and that it lives beside a user's own flows/, tasks/, blocks/, deployments/ and tests/."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prefect import get_client

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("wheel"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]
BIN = Path(sys.executable).parent
#: A user's folders are packages, or they are not.
either = pytest.mark.parametrize("project", [True, False], ids=["with-init", "without-init"], indirect=True)
without_init = pytest.mark.parametrize("project", [False], ids=["without-init"], indirect=True)
VIDEO = {
    "model": "pixverse/pixverse-v5",
    "prompt": "a fox",
    "width": 64,
    "height": 48,
    "seconds": "1",
    "fps": 8,
}


def names_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_has_two_names_at_its_top(distributions: Any) -> None:
    """And each file once."""
    names = names_of(distributions.wheel)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "prefect_together_video",
        "together_video",
    }
    assert len(names) == len(set(names))
    with zipfile.ZipFile(distributions.wheel) as archive:
        code = [
            archive.read(name) for name in names if name.endswith(".py") and len(archive.read(name)) > 200
        ]
    assert len(code) == len(set(code))


def test_the_wheel_has_the_data(distributions: Any) -> None:
    """What `init`, `serve` and the demo read, what operators copy, and the marks that there are types."""
    names = set(names_of(distributions.wheel))
    ours = "prefect_together_video"
    assert {
        f"{ours}/py.typed",
        "together_video/py.typed",
        "together_video/catalogue/catalogue.json",
        "together_video/gallery/templates/gallery.html.j2",
        "together_video/gallery/templates/gallery/marks.js",
        f"{ours}/tasks/session/tiny.mp4",
        f"{ours}/deployments/Dockerfile",
        f"{ours}/deployments/compose.yaml",
        f"{ours}/deployments/iam-policy.json",
        f"{ours}/deployments/prefect.yaml",
        f"{ours}/deployments/kubernetes/values-worker.yaml",
        f"{ours}/deployments/starter/batch.csv",
        f"{ours}/deployments/starter/env.example",
    } <= names


def test_the_sdist_is_complete(distributions: Any) -> None:
    """Changelog, documents, Makefile, locks and tests; and each file of the packages once."""
    with tarfile.open(distributions.sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    wanted = {
        *("CHANGELOG.md", "LICENSE", "Makefile", "README.md", "llms.txt", "mkdocs.yml", "pyproject.toml"),
        *("requirements.lock", "requirements-lowest.lock", "requirements-newest.lock"),
        *(
            "docs/deployments.md",
            "docs/reference/hooks.py",
            "examples/prompts.csv",
            "docs/screenshots/gallery.png",
            "tests/conftest.py",
            "tests/wheel/test_wheel.py",
        ),
        *("benchmarks/harness.py", ".ci/run", "prefect.yaml", "prefect_together_video/flows/batch.py"),
    }
    assert wanted <= set(names)
    assert not [name for name in names if name.split("/")[0] in {"flows", "tasks", "blocks", "deployments"}]
    assert len(names) == len(set(names))


def test_the_distributions_please_their_checkers(distributions: Any) -> None:
    """twine reads the metadata, check-wheel-contents the wheel."""
    for words in (
        [BIN / "twine", "check", "--strict", distributions.sdist, distributions.wheel],
        [BIN / "check-wheel-contents", distributions.wheel],
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@either
def test_both_have_their_own_modules(project: Callable[..., Any]) -> None:
    """A user's imports stay theirs, and ours are found beside them."""
    here = project()
    code = (
        "import tasks.etl, blocks.own, deployments.plan, tests.helpers, flows.mine\n"
        "from prefect_together_video import TogetherCredentials, VideoArchive, create_video, generate_batch\n"
        "import prefect_together_video.tasks.steps.create as ours\n"
        "print(tasks.etl.shout('kite'), ours.__file__)"
    )
    said = here.run("python", "-c", code)
    assert said.startswith("KITE ")
    assert str(here.python.parents[1]) in said
    version = here.run("together-video", "--version").strip()
    assert (
        version
        == here.run("python", "-c", "import prefect_together_video as p; print(p.__version__)").strip()
    )


def test_a_user_sees_types(project: Callable[..., Any]) -> None:
    """mypy knows the names of the package and of what they take."""
    here = project()
    (here.folder / "typed.py").write_text(
        "from prefect_together_video import TogetherCredentials, VideoArchive, create_video\n"
        "reveal_type(create_video)\n"
        "reveal_type(TogetherCredentials.from_env().get_client())\n"
        "VideoArchive(bucket=7)\n"
        "from prefect_together_video import generate_batch, genrate_batch\n"
        "async def say(file: str) -> str:\n"
        "    return (await generate_batch(file=file)).sentence\n"
    )
    done = subprocess.run(
        [BIN / "mypy", "--strict", "--python-executable", here.python, "typed.py"],
        cwd=here.folder,
        env={**here.environment, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "VideoJobRef" in done.stdout
    assert 'Revealed type is "together_video.api.client.TogetherClient"' in done.stdout
    assert "[arg-type]" in done.stdout
    assert "import-untyped" not in done.stdout
    assert 'has no attribute "genrate_batch"' in done.stdout
    assert done.stdout.count(": error:") == 2, done.stdout


def test_the_blocks_are_registered(project: Callable[..., Any], prefect_api: str) -> None:
    """By the name of the package; the user's own `blocks` are not."""
    said = project().run("python", "-m", "prefect", "block", "register", "-m", "prefect_together_video")
    assert "Together Credentials" in said
    assert "Video Archive" in said


@either
def test_a_users_flow_makes_a_video(project: Callable[..., Any], place: Any) -> None:
    """A script of theirs, run as scripts are."""
    here = project(place.environment)
    said = here.run("python", "flows/mine.py")
    lines = said.splitlines()
    assert "KITE" in lines
    assert lines[-1].startswith("1 video: 1 archived; ")


@pytest.mark.anyio
@without_init
async def test_serve_makes_a_video(
    project: Callable[..., Any], place: Any, start: Callable[..., tuple[subprocess.Popen[bytes], Path]]
) -> None:
    """From a project with folders of the same names."""
    here = project(place.environment)
    process, log = _begin(here, "together-video", "serve", "generate-video/on-demand")
    try:
        async with get_client() as client, asyncio.timeout(90):
            while True:
                try:
                    found = await client.read_deployment_by_name("generate-video/on-demand")
                    break
                except Exception:  # noqa: BLE001 - not there yet
                    assert process.poll() is None, log.read_text(errors="replace")
                    await asyncio.sleep(0.3)
            await client.create_flow_run_from_deployment(found.id, parameters={"request": VIDEO})
        made = place.ends("generate-video", process, log)[-1]
        assert made["state_type"] == "COMPLETED", made["state"]["message"]
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.anyio
async def test_init_deploy_and_a_worker_make_a_video(project: Callable[..., Any], place: Any) -> None:
    """What `init` writes and says is all that a project needs."""
    here = project(place.environment)
    said = here.run("together-video", "init", ".", "--pool", "my pool", "--blocks", "mine")
    assert 'prefect work-pool create "my pool" --type process' in said
    assert "together-video save-blocks mine" in said
    written = yaml.safe_load((here.folder / "prefect.yaml").read_text())
    assert {entry["work_pool"]["name"] for entry in written["deployments"]} == {"my pool"}
    here.run("together-video", "check", "batch.csv")
    here.run("python", "-m", "prefect", "work-pool", "create", "my pool", "--type", "process", "--overwrite")
    assert "saved video-archive/mine" in here.run("together-video", "save-blocks", "mine")
    here.run("python", "-m", "prefect", "--no-prompt", "deploy", "--all")
    async with get_client() as client:
        for deployment in await client.read_deployments():
            for schedule in deployment.schedules:
                await client.update_deployment_schedule(deployment.id, schedule.id, active=False)
        found = await client.read_deployment_by_name("generate-video/on-demand")
        assert found.entrypoint == "prefect_together_video.flows.video.generate_video"
        await client.create_flow_run_from_deployment(found.id, parameters={"request": VIDEO})
    bare = {n: v for n, v in here.environment.items() if not n.startswith(("TOGETHER_API", "AWS_", "VIDEO_"))}
    process, log = _begin(
        here,
        here.program("python"),
        "-m",
        "prefect",
        "worker",
        "start",
        "--pool",
        "my pool",
        environment=bare,
    )
    try:
        made = place.ends("generate-video", process, log)[-1]
        assert made["state_type"] == "COMPLETED", made["state"]["message"]
    finally:
        process.terminate()
        process.wait(60)
    bill = httpx.get(f"{place.environment['TOGETHER_BASE_URL']}/sandbox/bill", trust_env=False).json()  # noqa: ASYNC210
    assert len(bill["jobs"]) == 1


def test_init_leaves_what_is_there(project: Callable[..., Any]) -> None:
    """It writes all of it or nothing, and says what is in the way."""
    here = project()
    (here.folder / "batch.csv").write_text("mine")
    done = subprocess.run(
        [here.program("together-video"), "init", "."],
        cwd=here.folder,
        env=here.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "batch.csv" in done.stderr
    assert not (here.folder / "prefect.yaml").exists()
    assert (here.folder / "batch.csv").read_text() == "mine"


def _begin(
    here: Any, *words: str, environment: dict[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], Path]:
    log = here.folder / "program.log"
    program = words[0] if "/" in words[0] else here.program(words[0])
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program, *words[1:]],
            cwd=here.folder,
            env=environment or here.environment,
            stdout=out,
            stderr=out,
        )
    time.sleep(0.5)
    assert process.poll() is None, log.read_text(errors="replace")
    return process, log


@pytest.mark.parametrize(
    "entrypoint", ["flows/batch.py:generate_batch", "prefect_together_video.flows.batch.generate_batch"]
)
def test_a_checkout_needs_no_installation(bare: Path, entrypoint: str) -> None:
    """Both kinds of entrypoint lead to the flow, from the folder that git makes."""
    code = (
        "import sys; from prefect.flows import load_flow_from_entrypoint as load\n"
        "import prefect_together_video as ours\n"
        "print(load(sys.argv[1]).name, ours.__file__, 'flows' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [bare, "-c", code, entrypoint], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split() == [
        "generate-batch",
        str(root / "prefect_together_video" / "__init__.py"),
        "False",
    ], done.stderr


def test_plain_prefect_deploy_works_in_the_checkout() -> None:
    """`prefect.yaml` at the top is the one of `deployments/`."""
    root = Path(__file__).parents[2]
    assert (root / "prefect.yaml").read_bytes() == (root / "deployments" / "prefect.yaml").read_bytes()
    assert json.dumps(yaml.safe_load((root / "prefect.yaml").read_text()))
