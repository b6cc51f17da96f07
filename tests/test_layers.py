"""The rule of the house: layers and rooms import only to the left, and the command line starts without Prefect."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import prefect_together_video

ROOT = Path(__file__).parents[1]
PACKAGE = "prefect_together_video"
LAYERS = ("together_video", "blocks", "tasks", "flows")
#: What the domain does without, and what must not be imported for a mere `--help`.
HEAVY = frozenset({"prefect", "prefect_aws", "boto3", "botocore", "aiobotocore"})
#: The rooms of each layer; the files that lie in the layer's own folder are the room "". Whatever is deeper belongs
#: to the room that it lies in.
ROOMS = {
    "together_video": (
        *("", "network", "media", "joining", "api", "polling", "catalogue"),
        *("ledger", "billing", "prompts", "inputs", "film", "gallery", "sandbox"),
    ),
    "blocks": ("store", "s3", "folder", "ledger", ""),
    "tasks": ("running", "steps", "session", ""),
    "flows": ("server", "reporting", "engine", "forms", "", "checkup", "cli", "__main__"),
}
#: Requests are what the catalogue checks, and their default model is what the catalogue says: imported when it is asked
#: for.
EXCEPTIONS = {("", "together_video.catalogue.Catalogue")}


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and full name of every import, wherever it stands; a relative one is ``.``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "."
            else:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"}:
                yield node.lineno, str(node.args[0].value)


def layer_of(name: str) -> str:
    """The layer, or the foreign package, that a full name belongs to."""
    if name == ".":
        return name
    top, *rest = name.split(".")
    return rest[0] if top == PACKAGE and rest else top


def breaches(layer: str, source: str) -> list[str]:
    forbidden = {*LAYERS[LAYERS.index(layer) + 1 :], "tests", "benchmarks", "deployments", ".", PACKAGE}
    if layer == "together_video":
        forbidden |= HEAVY
    return [f"{line}: {name}" for line, name in imports_of(source) if layer_of(name) in forbidden]


def room_of(layer: str, parts: list[str]) -> str:
    """The room of the module with these parts behind its layer."""
    if parts[:1] == ["__main__"]:
        return "__main__"
    rooms = ROOMS[layer]
    return parts[0] if parts and parts[0] in rooms and (ROOT / layer / parts[0]).is_dir() else ""


def climbs(layer: str, room: str, source: str) -> list[str]:
    """Imports of rooms to the right of this one, in the same layer."""
    found = []
    for line, name in imports_of(source):
        if layer_of(name) == layer and (room, name) not in EXCEPTIONS:
            parts = name.removeprefix(f"{PACKAGE}.").split(".")[1:]
            if ROOMS[layer].index(room_of(layer, parts)) > ROOMS[layer].index(room):
                found.append(f"{line}: {name}")
    return found


def files_of(layer: str) -> list[Path]:
    files = sorted((ROOT / layer).rglob("*.py"))
    assert files
    return files


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_to_its_left(layer: str) -> None:
    """No file imports a layer to its right, not even inside a function; the domain knows neither Prefect nor S3."""
    found = {str(file): breaches(layer, file.read_text(encoding="utf-8")) for file in files_of(layer)}
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_room_imports_only_to_its_left(layer: str) -> None:
    """Inside a layer too: each folder has its place, and no file stands outside of them."""
    folders = {
        file.relative_to(ROOT / layer).parts[0] for file in files_of(layer) if file.parent != ROOT / layer
    }
    assert folders == {room for room in ROOMS[layer] if room not in {"", "__main__"}}
    found = {}
    for file in files_of(layer):
        room = room_of(layer, list(file.relative_to(ROOT / layer).with_suffix("").parts))
        found[str(file)] = climbs(layer, room, file.read_text(encoding="utf-8"))
    assert {file: lines for file, lines in found.items() if lines} == {}


def test_a_module_has_one_name() -> None:
    """Its folder at the top level is not a package of ours: imported by that name it would be a second module."""
    tops = {"blocks", "tasks", "flows", "deployments"}
    places = ("together_video", *tops, PACKAGE, "tests", "benchmarks", "docs", "examples")
    found = [
        f"{file}:{line}: {name}"
        for place in places
        for file in (ROOT / place).rglob("*.py")
        for line, name in imports_of(file.read_text(encoding="utf-8"))
        if name.split(".")[0] in tops
    ]
    assert found == []


def private_imports(source: str) -> list[str]:
    """Imports of ours that are not among the names that `prefect_together_video` offers."""
    public = {f"{PACKAGE}.{name}" for name in prefect_together_video.__all__}
    return [
        f"{line}: {name}"
        for line, name in imports_of(source)
        if name.split(".")[0] in {PACKAGE, "together_video"} and name not in public
    ]


def test_examples_import_only_public_names() -> None:
    """What a user copies from them keeps working."""
    files = sorted((ROOT / "examples").glob("*.py"))
    assert files
    found = {file.name: private_imports(file.read_text(encoding="utf-8")) for file in files}
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert private_imports("from prefect_together_video.tasks.make import make_video")


def test_no_import_goes_in_a_circle() -> None:
    """Not even through an import inside a function."""
    modules = {}
    for layer in LAYERS:
        for file in files_of(layer):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            modules[name] = file
    graph = {
        name: {
            module
            for _, full in imports_of(file.read_text(encoding="utf-8"))
            if full not in {allowed for _, allowed in EXCEPTIONS} or name != "together_video.requests"
            for plain in [full.removeprefix(f"{PACKAGE}.")]
            for module in [plain if plain in modules else plain.rpartition(".")[0]]
            if module in modules and module != name
        }
        for name, file in modules.items()
    }
    while leaves := {name for name, needed in graph.items() if not needed}:
        graph = {name: needed - leaves for name, needed in graph.items() if name not in leaves}
    assert graph == {}


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("together_video", "def f():\n    import prefect.runtime"),
        ("together_video", "from botocore import exceptions"),
        ("together_video", "from prefect_together_video.blocks.s3.store import Storage"),
        ("blocks", "if TYPE_CHECKING:\n    from prefect_together_video.tasks import runs"),
        ("blocks", "from prefect_together_video import tasks"),
        ("tasks", "import importlib\nimportlib.import_module('prefect_together_video.flows.batch')"),
        ("flows", "from . import page"),
    ],
)
def test_the_rule_sees_a_breach(layer: str, source: str) -> None:
    """Lazy, conditional, dynamic and relative imports are seen."""
    assert breaches(layer, source)


@pytest.mark.parametrize(
    ("layer", "room", "source"),
    [
        ("together_video", "", "from together_video.api.client import TogetherClient"),
        ("together_video", "media", "from together_video import ledger"),
        ("flows", "reporting", "from prefect_together_video.flows.engine import pipeline"),
        ("flows", "", "import prefect_together_video.flows.cli.screen.terminal"),
        ("flows", "cli", "from prefect_together_video.flows.__main__ import main"),
    ],
)
def test_the_rule_of_rooms_sees_a_breach(layer: str, room: str, source: str) -> None:
    """Of a package, of a module, and of a name in it."""
    assert climbs(layer, room, source)


def test_no_file_of_flows_bears_the_name_of_a_package() -> None:
    """A file entrypoint puts flows/ in front of sys.path, where such a file would hide the package."""
    names = {file.stem for file in (ROOT / "flows").iterdir() if file.stem != "__pycache__"}
    others = {"together_video", PACKAGE, "httpx", "pydantic", "rich", "av"}
    assert not names & {*others, *HEAVY, *sys.stdlib_module_names}


@pytest.mark.parametrize(
    "module",
    [
        PACKAGE,
        f"{PACKAGE}.flows.__main__",
        f"{PACKAGE}.flows.__main__, {PACKAGE}.flows.cli.generate",
        f"{PACKAGE}.flows.__main__, {PACKAGE}.flows.cli.models",
    ],
)
def test_the_command_line_starts_without_prefect(module: str) -> None:
    """Help, models and checks answer at once, and a missing file is named: nothing that is slow is loaded for them."""
    code = (
        f"import sys, {module}; "
        f"print(sorted(set(sys.modules) & {set(HEAVY) | {'av', 'httpx', 'starlette', 'uvicorn'}!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
