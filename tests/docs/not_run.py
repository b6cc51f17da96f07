"""Commands of the documentation that no test runs as they stand there: how each begins, and why it cannot run."""

from __future__ import annotations

import re
from functools import cache

_SERVES = "serves until it is stopped; other tests start it"

NOT_RUN = {
    # Programs of others, which need accounts, a daemon, a cluster or a registry.
    r"(?:python3 -m venv .* && )?pip install ": "installs from a package index",
    r"docker (?:build|push|run|compose|buildx) ": "needs a Docker daemon and images from a registry",
    r"kubectl ": "needs a cluster",
    r"helm ": "needs a cluster and a chart repository",
    r"aws s3(?:api)? ": "the AWS command line is not among the tests' packages",
    r"prefect cloud login": "needs an account at Prefect Cloud",
    # The project's own tools: the tests would start themselves.
    r"make ": "builds, tests or releases this project",
    r"\.ci/run$": "runs all tests",
    r"\.venv/bin/": "tools of a release, or tests",
    r"PATH=\S+ uv ": "builds or installs the package with packages from an index",
    r"rm -rf dist$|dist/try/": "the files of a release, which another command builds",
    r"git ": "reads or changes the repository of a release",
    r"version=\$": "the version that a tag is named after",
    r"together-video list .*--parquet": "needs pyarrow, which this package does not install",
    r"together-video collect --reconcile": "a bill that differs is exit code 1; tests/flows/cli/test_cli_doubts.py",
    # Servers.
    r"prefect server start$": _SERVES,
    r"prefect worker start ": _SERVES,
    r"together-video serve\b": _SERVES,
    r"together-video sandbox\b": _SERVES,
    # What needs a run or an object of one moment.
    r"together-video approve (?:RUN|[0-9a-f-]{36})\b": "needs a run that waits; tests/deployments/test_approval.py",
    r"prefect work-pool (?:pause|resume) ": "needs the work pool that another page makes",
    r"prefect deployment run ": "needs deployments that are served; tests/deployments/test_approval.py",
    r"prefect deployment schedule resume ": "needs the id of a schedule; tests/deployments/test_paused_nightly.py",
}


@cache
def why_not(command: str) -> tuple[str, str] | None:
    """The entry for a command, with its reason; None if the command runs."""
    return next(
        ((pattern, reason) for pattern, reason in NOT_RUN.items() if re.match(pattern, command)), None
    )
