"""The API's lists of models: read with distrust, and held beside the catalogue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.live import LiveModels, Status, differences, live_models
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.model_lists import models_json, supported_json

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HAILUO, LITE, WAN, VEO = (
    "minimax/hailuo-02",
    "ByteDance/Seedance-1.0-lite",
    "Wan-AI/wan2.7-t2v",
    "google/veo-2.0",
)
SEEDANCE2 = "ByteDance/Seedance-2.0"


def video(name: str, price: Any = None) -> dict[str, Any]:
    return {"id": name, "object": "model", "type": "video", "pricing": {"input": 0, "video": price}}


def read(models: object, supported: object = None) -> LiveModels:
    return live_models(models, supported, NOW)


def sandbox(**settings: Any) -> LiveModels:
    config = SandboxConfig(**settings)
    return read(models_json(config), supported_json(config))


def test_the_catalogue_and_the_sandbox_agree() -> None:
    """Whatever the catalogue has on offer is listed with its price, so nothing differs."""
    live = sandbox()
    offered = {model.name for model in Catalogue.load().models if model.offered}
    assert {model.name for model in live.models} == offered
    assert differences(live) == []
    assert live.find(LITE) is not None
    assert {model.status for model in live.models} == {Status.RECOMMENDED, Status.SUPPORTED}


@pytest.mark.parametrize(
    "wrap", [lambda entries: entries, lambda entries: {"object": "list", "data": entries}]
)
def test_a_list_may_be_bare_or_an_object(wrap: Any) -> None:
    """Only models of type video count; a price is a number, a text or an object with its words."""
    entries = [
        {"id": "openai/gpt", "type": "chat"},
        video("a/number", 0.3),
        video("a/text", "$0.25"),
        video("a/object", {"example_price": 0.49, "example_description": "10 s\nat 768p"}),
        video("a/none"),
    ]
    live = read(wrap(entries))
    assert [(model.name, model.price_usd, model.price_words) for model in live.models] == [
        ("a/number", Decimal("0.3"), None),
        ("a/text", Decimal("0.25"), None),
        ("a/object", Decimal("0.49"), "10 s at 768p"),
        ("a/none", None, None),
    ]
    assert (live.offers("a/none"), live.offers("openai/gpt")) == (True, False)


@pytest.mark.parametrize(
    "price", [0, -1, True, "free", "1e999", 1e300, "9" * 90, float("nan"), [1], {}, {"a": 1}]
)
def test_what_is_no_price_is_none(price: Any) -> None:
    (found,) = read([video("a/b", price)]).models
    assert found.price_usd is None


@pytest.mark.parametrize("name", ["", " a", "a\nb", "\x1b[31m", "x" * 201, None, 7, ["a"]])
def test_what_is_no_name_is_left_out(name: Any) -> None:
    assert read([{"id": name, "type": "video"}]).models == ()


def test_statuses_are_read_by_name_whatever_stands_before_them() -> None:
    """Of the supported models the name is the one of requests; their id is another."""
    supported = {
        "data": [
            {"id": "ml_1", "name": HAILUO, "status": "SUPPORTED_MODEL_STATUS_DEPRECATED"},
            {"name": LITE, "status": "RECOMMENDED"},
            {"name": WAN, "status": "SUPPORTED_MODEL_STATUS_HIDDEN"},
            {"name": "acme/sees", "status": "SUPPORTED", "capabilities": ["CAPABILITY_CHAT"]},
            {"name": "acme/makes", "status": "SUPPORTED", "outputModalities": ["MODALITY_VIDEO"]},
            {"name": "acme/odd", "status": "UNHEARD_OF", "outputModalities": ["MODALITY_VIDEO"]},
        ]
    }
    live = read([video(HAILUO), video(LITE), video(WAN)], supported)
    assert {model.name: model.status for model in live.models} == {
        HAILUO: Status.DEPRECATED,
        LITE: Status.RECOMMENDED,
        WAN: Status.HIDDEN,
        "acme/makes": Status.SUPPORTED,
    }
    assert live.offers(WAN) is False


def test_an_api_that_lists_no_video_models_says_nothing() -> None:
    """Then nothing is known to be missing: no model is called "not offered"."""
    for models in (None, [], {}, "<html>", [{"id": "a", "type": "chat"}], {"data": None}):
        live = read(models)
        assert (live.models, live.offers(HAILUO), differences(live)) == ((), None, [])
    partial = read(None, {"data": [{"name": LITE, "status": "SUPPORTED", "capabilities": ["X_VIDEO"]}]})
    assert (partial.offers(LITE), partial.offers(HAILUO)) == (True, None)


def test_differences_are_told_by_kind() -> None:
    """Not offered, deprecated, another price, on offer though retired, and new."""
    live = sandbox(
        hidden_models=[WAN],
        deprecated_models=[LITE],
        listed_prices={HAILUO: 0.5, "acme/new": 0.1, VEO: 2.5},
    )
    found = {one.model: (one.kind, one.message) for one in differences(live)}
    assert {name: kind for name, (kind, _) in found.items()} == {
        WAN: "not offered",
        LITE: "deprecated",
        HAILUO: "price",
        VEO: "new",
        "acme/new": "new",
    }
    assert "0.50 USD" in found[HAILUO][1]
    assert "the catalogue has 0.49 USD per video" in found[HAILUO][1]
    assert all(message.endswith(".") for _, message in found.values())
    assert [one.model for one in differences(live, among=[HAILUO, "minimax/video-01-director"])] == [HAILUO]
    assert differences(live, among=["acme/new"]) == []


@pytest.mark.parametrize(
    ("model", "price", "differs"),
    [
        (WAN, 0.1, False),
        (WAN, 0.02, False),
        (WAN, 0.3, True),
        (SEEDANCE2, 0.836, False),
        (SEEDANCE2, 1.05, False),
    ],
)
def test_a_figure_of_any_tier_or_source_is_no_difference(model: str, price: float, differs: bool) -> None:
    """An example price is for one tier or length, and the catalogue has several figures."""
    found = differences(sandbox(listed_prices={model: price}), among=[model])
    assert [one.kind for one in found] == ["price"] * differs


def test_a_price_of_ones_own_is_not_doubted() -> None:
    """Who gave a price in a file of models knows better than a list."""
    document = Catalogue.load().model_dump(by_alias=True)
    for model in document["models"]:
        if model["name"] == HAILUO:
            model["price"] |= {"usd": "0.3", "certainty": "own"}
    assert differences(sandbox(), Catalogue.model_validate(document), among=[HAILUO]) == []


def test_long_lists_are_cut() -> None:
    """A list of a million entries becomes five hundred models, and is stored in a small object."""
    live = read([video(f"acme/{number}", 1) for number in range(20_000)])
    assert len(live.models) == 500
    assert len(live.model_dump_json()) < 60_000
    assert LiveModels.model_validate_json(live.model_dump_json()) == live


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["data", "id", "name", "type", "status", "pricing", "video"]), inner
        )
    ),
    max_leaves=20,
)


@given(models=JSON | st.lists(JSON), supported=JSON)
def test_any_answer_is_read(models: Any, supported: Any) -> None:
    """Nothing raises, and what is kept can be stored and read again."""
    live = read([*models, video(LITE, models)] if isinstance(models, list) else models, supported)
    assert LiveModels.model_validate_json(live.model_dump_json()) == live
    for one in differences(live):
        assert one.message.isprintable()
    json.loads(live.model_dump_json())
