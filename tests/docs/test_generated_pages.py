"""The pages on commands, configuration, models and the sandbox agree with the code and are complete."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from docs.reference.catalogue import CLIPS, models_page, packaged
from docs.reference.commands import commands_page
from docs.reference.configuration import configuration_page, variables
from docs.reference.rendering import breakable
from docs.reference.sandbox import sandbox_page
from prefect_together_video import TogetherCredentials, VideoArchive
from prefect_together_video.flows.__main__ import app
from together_video.api.settings import Timeouts
from together_video.catalogue.examples import example_request
from together_video.catalogue.pricing import estimate
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.faults import ALLOWED, FaultRule

ROOT = Path(__file__).parents[2]
PACKAGES = ("together_video", "blocks", "tasks", "flows")
#: Names of variables in code, as whole strings.
VARIABLE = re.compile(
    r"(?:TOGETHER|VIDEO_ARCHIVE|AWS|PREFECT|SSL|REQUESTS|HTTPS?|ALL|XDG|NO)_[A-Z][A-Z0-9_]*[A-Z0-9]"
)
#: Not settings for users: the demo sets them for its own servers, or removes them (the last two are prefixes).
OF_THE_DEMO = {
    "AWS_CONFIG_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_SHARED_CREDENTIALS_FILE",
    "PREFECT_UI_API_URL",
    "PREFECT_UI_ENABLED",
    "PREFECT_PROFILE",
    "PREFECT_API",
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Each module of the packages, by its path."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def module_of(path: str) -> str:
    dotted = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return dotted if dotted.startswith("together_video") else f"prefect_together_video.{dotted}"


def read_by_name(tree: ast.Module) -> Iterator[str]:
    """The names that are read from `os.environ` and its copies, as text or as a constant of the module."""
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        asked: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args and re.search(r"environ|getenv", ast.unparse(node.func)):
            asked = node.args[0]
        elif isinstance(node, ast.Subscript) and "environ" in ast.unparse(node.value):
            asked = node.slice
        elif isinstance(node, ast.Compare) and "environ" in ast.unparse(node.comparators[0]):
            asked = node.left
        if isinstance(asked, ast.Name):
            asked = ast.Constant(constants.get(asked.id))
        if isinstance(asked, ast.Constant) and isinstance(asked.value, str) and asked.value.isupper():
            yield asked.value


def read_by_model(path: str, tree: ast.Module) -> Iterator[str]:
    """The names that `from_environment(Model, "PREFIX_")` reads: one for each field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "from_environment":
            model, prefix = node.args
            assert isinstance(prefix, ast.Constant)
            found: type[BaseModel] = getattr(importlib.import_module(module_of(path)), ast.unparse(model))
            yield from (f"{prefix.value}{field.upper()}" for field in found.model_fields)


def named(tree: ast.Module) -> Iterator[str]:
    """Whole strings that are the name of a variable, however they are used."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VARIABLE.fullmatch(node.value):
            yield node.value


def test_every_variable_that_the_code_reads_is_in_the_table() -> None:
    """By its text, by a constant, or as a field of settings."""
    listed = {one.name for one in variables()} | OF_THE_DEMO
    read = {
        name
        for path, tree in sources()
        for name in (*read_by_name(tree), *read_by_model(path, tree), *named(tree))
    }
    assert {
        "TOGETHER_VIDEO_SPOOL",
        "TOGETHER_VIDEO_TRUSTED_HOSTS",
        "VIDEO_ARCHIVE_FOLDER",
        "NO_COLOR",
    } <= read
    assert read - listed == set()
    assert read >= OF_THE_DEMO


def test_every_variable_that_a_page_names_is_in_the_table() -> None:
    """`PREFECT_PASSWORD` and similar ones are excepted: they belong to the container files."""
    listed = {one.name for one in variables()}
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        found = set(re.findall(rf"\b{VARIABLE.pattern}\b", page.read_text(encoding="utf-8")))
        assert found - listed == set(), page.name


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.environ.get('A_NAME')",
        "import os\nos.getenv('A_NAME', '')",
        "import os\nNAME = 'A_NAME'\nx = os.environ[NAME]",
        "import os\nx = 'A_NAME' in os.environ",
        "def f(environment):\n    return environment.get('A_NAME')",
    ],
)
def test_a_read_is_seen(code: str) -> None:
    """However it is written."""
    assert list(read_by_name(ast.parse(code))) == ["A_NAME"]


def test_every_variable_is_explained() -> None:
    """Once, with a meaning, and a number with its unit."""
    names = [one.name for one in variables()]
    assert len(names) == len(set(names))
    assert [one.name for one in variables() if len(one.meaning) < 15] == []
    assert [
        one.name for one in variables() if one.name.endswith(("_SECONDS", "_USD", "_HOURS")) and not one.unit
    ] == []


def test_the_page_has_every_field_of_the_blocks() -> None:
    """With its description in the block."""
    page = configuration_page()
    for model in (TogetherCredentials, Timeouts, VideoArchive):
        for name, field in model.model_fields.items():
            row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
            assert (field.description or "no description") in row


def test_the_page_does_not_depend_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of this machine are not shown as defaults."""
    before = configuration_page()
    monkeypatch.setenv("TOGETHER_API_KEY", "secret-of-this-machine")
    monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", "bucket-of-this-machine")
    assert configuration_page() == before
    assert "of-this-machine" not in before
    assert str(Path.home()) not in before


def help_of(command: str) -> str:
    """What `--help` prints, without its frame, on one line."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect_together_video.flows", command, "--help"],
        env={**os.environ, "COLUMNS": "400", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return " ".join(re.sub("[│─╭╮╰╯]", " ", done.stdout).split())


def part_of(command: str) -> str:
    """The command's part of the page."""
    return commands_page().split(f"{{ #together-video-{command} }}", 1)[1].split("\n## ", 1)[0]


def test_the_page_has_every_command_and_option() -> None:
    """As the command line accepts them."""
    for command in (name for name in app if not name.startswith("-")):
        part = part_of(command)
        for argument in app[command].assemble_argument_collection():
            if argument.show:
                shown = [name for name in argument.names if not name.startswith("--no-")] or argument.names
                assert all(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", part) for name in shown), (
                    command,
                    shown,
                )


@pytest.mark.parametrize("command", ["spend", "save-notifications", "sandbox"])
def test_the_texts_are_those_of_the_help(command: str) -> None:
    """Each description, word for word."""
    printed, items = (
        help_of(command),
        re.findall(r"^- `-.*?`: (.*?)(?: \*?\*?\[.*)?$", part_of(command), re.MULTILINE),
    )
    assert items
    assert [text for text in items if text.replace("&lt;", "<") not in printed] == []


def test_the_price_of_a_night_is_computed() -> None:
    """From the estimate of the default model's example, times the number of clips."""
    known = packaged()
    one = estimate(example_request(known.default_model), known).usd
    assert one is not None
    page = models_page()
    assert f"**{CLIPS} clips a night cost about {one * CLIPS:.2f} USD**" in page
    assert Decimal(CLIPS) == 200
    for model in known.models:
        assert page.count(f"| {breakable(model.name)} |") == (2 if model.offered else 1)


def test_the_page_of_models_is_the_packages_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user's file changes what the commands show, but not the website."""
    before = models_page()
    own = tmp_path / "models.json"
    own.write_text('{"models": [{"name": "minimax/hailuo-02", "offered": false}]}', encoding="utf-8")
    monkeypatch.setenv("TOGETHER_VIDEO_CATALOGUE", str(own))
    assert models_page() == before


def test_the_page_of_the_sandbox_has_every_setting_and_fault() -> None:
    """Each of them has an explanation."""
    page = sandbox_page()
    for model in (SandboxConfig, FaultRule):
        for name in model.model_fields:
            row = next((line for line in page.splitlines() if line.startswith(f"| `{name}` |")), "")
            assert len(row.rstrip(" |").rpartition("|")[2]) > 15, name
    for call, kinds in ALLOWED.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{call}` |"))
        assert {kind for kind in kinds if f"`{kind}`" in row} == kinds


def known_texts() -> str:
    """All strings of the packages; a value that is put into one is …"""
    found = []
    for _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(p.value if isinstance(p, ast.Constant) else "…" for p in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"\{\w+\}", "…", node.value))
    return "\n".join(found)


def test_the_messages_of_the_troubleshooting_page_are_in_the_code() -> None:
    """Piece by piece: … on the page stands for a value in the message."""
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    quoted = [
        line
        for block in re.findall(r"^```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
    ]
    assert len(quoted) > 25
    known = known_texts()
    pieces = [piece.strip(" …") for line in quoted for piece in re.split(r"…|(?<=\.) ", line)]
    assert [piece for piece in pieces if len(piece) > 3 and piece not in known] == []
