"""The rule of the house: layers import only to the left, and the command line starts without Prefect."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("together_video", "blocks", "tasks", "flows")
#: What the domain does without, and what must not be imported for a mere `--help`.
HEAVY = frozenset({"prefect", "prefect_aws", "boto3", "botocore", "aiobotocore"})


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """Line and top-level name of every import, wherever it stands; a relative one is ``.``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." if node.level else (node.module or "").split(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"}:
                yield node.lineno, str(node.args[0].value).split(".")[0]


def breaches(layer: str, source: str) -> list[str]:
    forbidden = {*LAYERS[LAYERS.index(layer) + 1 :], "tests", "benchmarks", "deployments", "."}
    if layer == "together_video":
        forbidden |= HEAVY
    return [f"{line}: {name}" for line, name in imports_of(source) if name in forbidden]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_to_its_left(layer: str) -> None:
    """No file imports a layer to its right, not even inside a function; the domain knows neither Prefect nor S3."""
    files = sorted((ROOT / layer).rglob("*.py"))
    assert files
    found = {str(file): breaches(layer, file.read_text(encoding="utf-8")) for file in files}
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("together_video", "def f():\n    import prefect.runtime"),
        ("together_video", "from botocore import exceptions"),
        ("together_video", "from blocks.store import Storage"),
        ("blocks", "if TYPE_CHECKING:\n    from tasks import run"),
        ("tasks", "import importlib\nimportlib.import_module('flows.batch')"),
        ("flows", "from . import page"),
    ],
)
def test_the_rule_sees_a_breach(layer: str, source: str) -> None:
    """Lazy, conditional, dynamic and relative imports are seen."""
    assert breaches(layer, source)


def test_no_file_of_flows_bears_the_name_of_a_package() -> None:
    """A file entrypoint puts flows/ in front of sys.path, where such a file would hide the package."""
    names = {file.stem for file in (ROOT / "flows").iterdir() if file.stem != "__pycache__"}
    assert not names & {*LAYERS, *HEAVY, *sys.stdlib_module_names, "httpx", "pydantic", "rich", "av", "tests"}


def test_the_command_line_starts_without_prefect() -> None:
    """Help, models and checks answer at once: neither Prefect nor boto3 nor PyAV is loaded for them."""
    code = (
        "import sys, flows.__main__; "
        f"print(sorted(set(sys.modules) & {set(HEAVY) | {'av', 'starlette', 'uvicorn'}!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
