"""What the forge runs and asks for, and what pre-commit runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import check_jsonschema.builtin_schemas
import jsonschema
import pytest
import yaml

from tests.test_supported_versions import SUPPORTED

ROOT = Path(__file__).parents[1]
FORGE = ROOT / ".github"

pytestmark = pytest.mark.skipif(not FORGE.exists(), reason="an sdist has no files of the forge")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_workflow_runs_what_ci_runs() -> None:
    """`.ci/run` is its only command, with every supported Python."""
    (job,) = read(FORGE / "workflows/ci.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    (pythons,) = [
        step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", "")
    ]
    assert set(pythons.split()) == set(SUPPORTED)


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("workflows/ci.yml", "github-workflows"),
        ("ISSUE_TEMPLATE/bug_report.yml", "github-issue-forms"),
        ("ISSUE_TEMPLATE/feature_request.yml", "github-issue-forms"),
        ("ISSUE_TEMPLATE/config.yml", "github-issue-config"),
    ],
)
def test_the_forge_understands_its_files(path: str, schema: str) -> None:
    """By its own schemas."""
    known = check_jsonschema.builtin_schemas.get_builtin_schema(f"vendor.{schema}")
    # "on" is true in YAML 1.1.
    document = {"on" if key is True else key: value for key, value in read(FORGE / path).items()}
    jsonschema.validate(document, known)


def test_a_report_needs_the_output_of_doctor() -> None:
    """The form cannot be sent without it."""
    fields = {field.get("id"): field for field in read(FORGE / "ISSUE_TEMPLATE/bug_report.yml")["body"]}
    assert "`together-video doctor`" in fields["doctor"]["attributes"]["label"]
    assert fields["doctor"]["validations"] == {"required": True}


def test_hooks_run_what_make_installs() -> None:
    """Their programs are in .venv, and their test files are there."""
    (repository,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    for hook in repository["hooks"]:
        program, *words = hook["entry"].split()
        assert program in {".venv/bin/ruff", ".venv/bin/pytest", ".venv/bin/mypy"}
        assert [word for word in words if word.startswith("tests/") and not (ROOT / word).is_file()] == []
