"""The payload of an event, as the one text that a trigger passes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.utilities.schema_tools.hydration import HydrationContext, hydrate

from together_video.errors import InputError
from together_video.inputs.events import read_event

TOP = Path(__file__).parents[3]
TRICK = {"__prefect_kind": "jinja", "template": "{{ 7 * 7 }}"}


def test_a_brief_or_requests_and_what_stands_beside_them() -> None:
    order = read_event(json.dumps({"brief": {"subject": "kites", "count": 2}, "budget_usd": 3, "shop": "7"}))
    assert order.brief is not None
    assert (order.brief.subject, order.budget_usd, order.edition) == ("kites", 3, None)
    order = read_event(json.dumps({"requests": [{"prompt": "a kite"}], "edition": "order 7"}))
    assert order.requests is not None
    assert (order.requests[0].prompt, order.edition) == ("a kite", "order 7")


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("", "not a JSON object"),
        ("[1]", "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ('{"budget_usd": -1}', "budget_usd"),
        ('{"requests": [{"promt": "x"}]}', "promt"),
        ('{"requests": 3}', "requests"),
        (json.dumps({"requests": [{"prompt": TRICK}]}), "prompt"),
        ('{"a": "' + "x" * 2_000_001 + '"}', "more than 2 MB"),
    ],
    ids=range(8),
)
def test_what_cannot_be_used_is_named(payload: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_event(payload)


def test_what_a_sender_wrote_is_no_template() -> None:
    """The trigger makes one text of it, and Prefect's server leaves a text as it is."""
    deployments = yaml.safe_load((TOP / "deployments" / "prefect.yaml").read_text())["deployments"]
    (requested,) = [one for one in deployments if one["name"] == "requested"]
    (trigger,) = requested["triggers"]
    assert set(trigger["parameters"]) == {"payload"}
    text: Any = json.dumps({"requests": [{"prompt": TRICK}]})
    given = {**requested["parameters"], "payload": text}
    context = HydrationContext(render_jinja=True, render_workspace_variables=True)
    assert hydrate({"payload": text}, context)["payload"] == text
    assert given["local_files"] is False
