"""The sandbox's bill: windows, keys, delay and pages, as the service words them."""

from __future__ import annotations

from typing import Any

import pytest

from together_video.errors import ConfigurationError
from together_video.sandbox.billing import ORGANIZATION, usage_json
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.jobs import JobStore
from together_video.sandbox.refusal import Refusal

#: 2026-11-26 12:10 UTC.
NOW = 1_795_695_000.0
HOUR = 3600.0
BODY: dict[str, Any] = {"model": "minimax/hailuo-02", "prompt": "a fox"}


def sold(count: int = 1, **settings: Any) -> tuple[JobStore, SandboxConfig]:
    config = SandboxConfig(generation_seconds=10, model_rules=False, **settings)
    jobs = JobStore(config)
    for _ in range(count):
        jobs.accept(BODY, now=NOW, fate=None, key_id="key_a")
    return jobs, config


def asked(jobs: JobStore, config: SandboxConfig, now: float, **query: str) -> dict[str, Any]:
    return usage_json(jobs, config, {"granularity": "hour", "month": "2026-11", **query}, now=now)


def test_an_hour_is_shown_once_the_delay_is_over() -> None:
    """Videos of one model and key are one line, with their number and cost."""
    jobs, config = sold(2)
    start = NOW // HOUR * HOUR
    assert asked(jobs, config, start + 2 * HOUR - 1)["data"] == []
    (window,) = asked(jobs, config, start + 2 * HOUR)["data"]
    (line,) = window["line_items"]
    assert (line["quantity"], line["unit_price"], line["cost"]) == ("2", "0.28", "0.56")
    assert line["attributes"]["api_key_id"] == "key_a"
    assert line["pricing_dimensions"] == {"model": "minimax/hailuo-02"}


def test_what_failed_is_not_billed() -> None:
    """Neither is what hangs."""
    jobs, config = sold()
    (job,) = jobs
    jobs.fail(job, code="x", message="y")
    assert asked(jobs, config, NOW + 9 * HOUR)["data"] == []


def test_pages() -> None:
    """A cursor leads to the next windows, and none behind the last."""
    others = [{"at": NOW + n * HOUR, "cost": 1} for n in range(3)]
    jobs, config = sold(0, other_usage=others)
    first = asked(jobs, config, NOW + 9 * HOUR, limit="2")
    rest = asked(jobs, config, NOW + 9 * HOUR, limit="2", after=first["next_cursor"])
    assert [len(page["data"]) for page in (first, rest)] == [2, 1]
    assert rest["next_cursor"] is None
    assert first["latest_window_end"] == rest["data"][-1]["end_time"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"month": "2026-13"}, 400),
        ({"granularity": "week"}, 400),
        ({"limit": "0"}, 400),
        ({"limit": "x"}, 400),
        ({"organization_id": "org_other"}, 403),
    ],
)
def test_refused(query: dict[str, str], status: int) -> None:
    """As the service refuses it."""
    jobs, config = sold()
    with pytest.raises(Refusal) as caught:
        asked(jobs, config, NOW, **query)
    assert caught.value.status == status


def test_without_access() -> None:
    """404, and the own organisation is taken where there is access."""
    jobs, config = sold(billing=False)
    with pytest.raises(Refusal) as caught:
        asked(jobs, config, NOW)
    assert caught.value.status == 404
    jobs, config = sold()
    assert asked(jobs, config, NOW, organization_id=ORGANIZATION)["currency"] == "USD"


def test_the_configuration_of_others(tmp_path: Any) -> None:
    """Other people's usage is given in the configuration file; nonsense in it is an error."""
    path = tmp_path / "config.json"
    path.write_text('{"other_usage": [{"at": 1, "cost": 2, "key_id": "key_b"}]}')
    assert SandboxConfig.load(path).other_usage[0].key_id == "key_b"
    path.write_text('{"other_usage": [{"at": 1, "cost": -2}]}')
    with pytest.raises(ConfigurationError):
        SandboxConfig.load(path)
