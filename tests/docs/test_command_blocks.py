"""Every command of the README and the pages runs, in order, in a fresh folder, against the sandbox."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.blocks.notifications import SlackWebhook
from prefect.cli._app import _app as prefect_app
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_aws import AwsCredentials

from prefect_together_video import TogetherCredentials, VideoArchive
from prefect_together_video.flows.__main__ import app
from prefect_together_video.flows.cli.servers.local_servers import PrefectServer
from tests.docs.command_blocks import Block, Shown, blocks, commands, pages, refusal, steps
from tests.docs.markdown import ROOT
from tests.docs.not_run import NOT_RUN, why_not
from tests.docs.reader import BUCKET, Failed, Reader, environment
from together_video.catalogue import Catalogue
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.server import running_sandbox

#: Pages whose text blocks are what the commands before them print.
WITH_OUTPUT = {"docs/tutorial.md"}
#: Each server starts once.
pytestmark = pytest.mark.xdist_group("commands")


def run_of(page: str) -> list[str]:
    """The commands of a page that are run."""
    return [command for block in blocks(page) for command in block.commands if not why_not(command)]


def needs_prefect(page: str) -> bool:
    """Whether a command asks a Prefect server, for its blocks at least."""
    asks = r"prefect |together-video (?:save-|approve|.*--(?:together|archive) production)"
    return any(re.match(asks, command, re.DOTALL) for command in run_of(page))


ALL = [command for page in pages() for block in blocks(page) for command in block.commands]
RUN = [page for page in pages() if run_of(page)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    config = SandboxConfig(generation_seconds=0.1, render_workers=2, catalogue_prices=True, scale=0.1)
    with running_sandbox(config) as url:
        yield url


@pytest.fixture(scope="module")
def s3(s3_client: Any) -> Any:
    """A client; the bucket of the pages is there, and empty."""
    s3_client.create_bucket(Bucket=BUCKET)
    return s3_client


@pytest.fixture(scope="module")
def given(sandbox: str, s3: Any, moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a reader with a bucket in which a batch is archived."""
    folder = tmp_path_factory.mktemp("given")
    models = folder / "models.json"
    names = [model.name for model in Catalogue.load().models]
    models.write_text(json.dumps({"models": [{"name": name, "typical_seconds": 0.5} for name in names]}))
    made = {
        "TOGETHER_BASE_URL": sandbox,
        "TOGETHER_API_KEY": "key",
        "TOGETHER_VIDEO_CATALOGUE": str(models),
        "TOGETHER_VIDEO_SPOOL": str(folder / "spool"),
        "TOGETHER_VIDEO_TRUSTED_HOSTS": "127.0.0.1",
        "VIDEO_ARCHIVE_BUCKET": BUCKET,
        "VIDEO_ARCHIVE_PREFIX": "production",
        "AWS_ENDPOINT_URL_S3": moto_url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }
    reader = Reader("a batch to begin with", folder, environment(folder, **made), {}, folder, s3)
    reader.run(Block(reader.page, 0, ("together-video batch prompts.jsonl",), ""))
    return made


@pytest.fixture(scope="module")
def prefect(given: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a server for these pages alone, as what they deploy stays there; it has the blocks."""
    with PrefectServer(tmp_path_factory.mktemp("prefect")) as server:
        server.wait_ready(280)
        credentials = AwsCredentials(
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            region_name="us-east-1",
            aws_client_parameters={"endpoint_url": given["AWS_ENDPOINT_URL_S3"]},
        )
        with temporary_settings({PREFECT_API_URL: f"{server.url}/api"}):
            TogetherCredentials(api_key="key", base_url=given["TOGETHER_BASE_URL"]).save("production")
            VideoArchive(bucket=BUCKET, prefix="production", credentials=credentials).save("production")
            SlackWebhook(url="https://hooks.example.com/services/T/B/x").save("videos")
        yield server.environment()


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
def test_the_commands_of_a_page_run(
    page: str,
    given: dict[str, str],
    s3: Any,
    media_folder: Path,
    media_server: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """In order, each with what those before it have left; what a page says that they print, they print."""
    folder = tmp_path / "home"
    folder.mkdir()
    shell = {**given, "TOGETHER_VIDEO_SPOOL": str(folder / "spool")}
    written = "\n".join(run_of(page))
    replaced = {
        "http://127.0.0.1:8765": given["TOGETHER_BASE_URL"],
        "https://example.com/cat.jpg": f"{media_server}/blue.jpg",
    }
    if "VIDEO_ARCHIVE_FOLDER=" in written:
        del shell["VIDEO_ARCHIVE_BUCKET"], shell["VIDEO_ARCHIVE_PREFIX"]
    if needs_prefect(page):
        shell |= request.getfixturevalue("prefect")
        replaced["http://127.0.0.1:4200/api"] = shell["PREFECT_API_URL"]
        if "PREFECT_API_URL=" in written:
            del shell["PREFECT_API_URL"]
    s3.put_object(Bucket=BUCKET, Key="inbox/walk.mp4", Body=(media_folder / "clip.mp4").read_bytes())
    reader = Reader(page, folder, environment(folder, **shell), replaced, media_folder, s3)
    (folder / ".aws").mkdir()
    (folder / ".aws/credentials").write_text(
        "[videos]\naws_access_key_id = key\naws_secret_access_key = secret\n"
    )
    pools = f"{replaced.get('http://127.0.0.1:4200/api', '')}/work_pools/"
    for name in set(re.findall(r"set-concurrency-limit (\S+)", written)):
        # It has been made before.
        httpx.post(pools, json={"name": name, "type": "process"})
    for step in steps(page):
        if isinstance(step, Shown):
            reader.save(step)
            continue
        for name in re.findall(r"work-pool create (\S+)", "\n".join(step.commands)):
            # Other pages have made it too, on the same server.
            httpx.delete(f"{pools}{name}")
        printed = reader.run(step)
        if page in WITH_OUTPUT and step.printed:
            assert missing_lines(step.printed, printed) == [], f"{page}:{step.line} prints\n{printed}"


def missing_lines(shown: str, printed: str) -> list[str]:
    """Lines that a page shows and that were not printed in this order; `…` stands for anything."""
    lines, missing = iter(printed.splitlines()), []
    for line in filter(str.strip, shown.splitlines()):
        words = r"\s+".join(re.escape(word).replace("…", ".*") for word in line.split())
        if not any(re.fullmatch(rf"\s*{words}\s*", one) for one in lines):
            missing.append(line)
    return missing


def test_every_command_exists() -> None:
    """Those that do not run here too: the subcommand and its options, or the target of make."""
    targets = set(re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split())  # type: ignore[index]
    wrong = []
    for command in ALL:
        words = shlex.split(command.replace("\\\n", " ").partition("<<")[0].partition(" > ")[0])
        program = {"together-video": app, "prefect": prefect_app}.get(words[0])
        if words[0] == "make" and not targets.issuperset(word for word in words[1:] if "=" not in word):
            wrong.append(command)
        elif program is not None and (error := refusal(program, words[1:])):
            wrong.append(f"{command}: {error}")
    assert wrong == []
    assert refusal(app, ["collect", "--wiat", "600"])
    assert refusal(prefect_app, ["work-pol", "create"])


def test_the_configuration_of_the_sandbox_that_a_page_shows_is_one() -> None:
    """The command that reads it serves, so that it is not run."""
    (shown,) = [step for step in steps("docs/sandbox.md") if isinstance(step, Shown)]
    assert len(SandboxConfig.model_validate_json(shown.text).faults) == 4


def test_the_table_is_short_and_needed() -> None:
    """Each of its entries is the first that matches a command of a page; every other command runs."""
    used = {entry[0] for command in ALL if (entry := why_not(command))}
    assert set(NOT_RUN) == used
    assert len(ALL) - len([command for command in ALL if why_not(command)]) > 60


def test_commands_are_taken_as_a_shell_takes_them() -> None:
    """Further lines, here-documents, comments, and the prompts of a console."""
    text = "make it \\\n  --so  # why\ncat > x <<'END'\n# kept\nEND\n# only this\n\necho '#1'\n"
    assert list(commands(text)) == ["make it \\\n  --so", "cat > x <<'END'\n# kept\nEND", "echo '#1'"]
    assert list(commands("$ ls\nfile\n", "console")) == ["ls"]


def test_a_command_that_fails_is_named(tmp_path: Path) -> None:
    """With its page and line, also behind commands that work; a folder and a variable last from block to block."""
    reader = Reader("page.md", tmp_path, environment(tmp_path), {"PLACE": "here"}, tmp_path, None)  # type: ignore[arg-type]
    assert reader.run(Block("page.md", 1, ("mkdir sub", "cd sub", "export A='b c'", "make it"), "")) == ""
    assert reader.run(Block("page.md", 5, ('echo "$A" PLACE', "pwd"), "")) == f"b c here\n{tmp_path}/sub\n"
    with pytest.raises(Failed, match=r"page\.md:9: ls nothing\n"):
        reader.run(Block("page.md", 9, ("true", "ls nothing", "true"), ""))


def test_output_is_compared_line_by_line() -> None:
    """In order, with any blanks, and with … for what differs each time."""
    printed = "0:01  one\nid abc\ntwo   three\n"
    assert missing_lines("…  one\n\nid …\n two three", printed) == []
    assert missing_lines("two three\nid …\nfour", printed) == ["id …", "four"]
