"""The lists of models as the service gives them, made from the catalogue and the configuration."""

from __future__ import annotations

import hashlib
from typing import Any

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.models import Model
from together_video.sandbox.config import SandboxConfig

#: The date of the models in the lists, in unix seconds.
_CREATED = 1_760_000_000
#: Prices for other kinds of models, which the schema requires in every entry.
_NO_PRICES = {"hourly": 0, "input": 0, "output": 0, "base": 0, "finetune": 0}


def _is_hidden(name: str, config: SandboxConfig) -> bool:
    return name in config.hidden_models


def models_json(config: SandboxConfig) -> list[dict[str, Any]]:
    """`GET /v1/models`: a chat model, and the video models on offer with their example prices."""
    chat = {
        "id": "openai/gpt-oss-120b",
        "object": "model",
        "created": _CREATED,
        "type": "chat",
        "display_name": "GPT-OSS 120B",
        "organization": "OpenAI",
        "context_length": 131_072,
        "pricing": {**_NO_PRICES, "input": 0.15, "output": 0.6},
    }
    return [chat, *(_entry(name, config) for name in _offered(config) if not _is_hidden(name, config))]


def supported_json(config: SandboxConfig) -> dict[str, Any]:
    """`GET /v2/supported-models` of serverless video models, with the fields that the Python SDK 3 requires."""
    default = Catalogue.load().default_name
    rows = []
    for name in _offered(config):
        status = "RECOMMENDED" if name == default else "SUPPORTED"
        status = "DEPRECATED" if name in config.deprecated_models else status
        status = "HIDDEN" if _is_hidden(name, config) else status
        rows.append(
            {
                "id": f"ml_{hashlib.sha256(name.encode()).hexdigest()[:16]}",
                # Requests use the name as their model, not the id.
                "name": name,
                "status": f"SUPPORTED_MODEL_STATUS_{status}",
                "displayName": name.rpartition("/")[2],
                "displayType": "video",
                "publisher": name.partition("/")[0],
                "products": ["PRODUCT_SERVERLESS"],
                "capabilities": ["CAPABILITY_VIDEO_GENERATION"],
                "inputModalities": ["MODALITY_TEXT"],
                "outputModalities": ["MODALITY_VIDEO"],
                "baseModel": "",
                "baseModelId": "",
                "deploymentProfiles": [],
                "createdAt": "2026-05-01T00:00:00Z",
                "updatedAt": "2026-10-07T00:00:00Z",
            }
        )
    return {"object": "list", "data": rows}


def _offered(config: SandboxConfig) -> list[str]:
    """The models in the configuration, by default those that the catalogue has on offer; and new ones."""
    known = [model.name for model in Catalogue.load().models if model.offered]
    return list(dict.fromkeys([*(config.models or known), *config.listed_prices]))


def _entry(name: str, config: SandboxConfig) -> dict[str, Any]:
    model = Catalogue.load().find(name)
    entry: dict[str, Any] = {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "type": "video",
        "display_name": model.title if model else name.rpartition("/")[2],
        "organization": model.organisation if model else name.partition("/")[0],
        "pricing": _NO_PRICES,
    }
    price = _price(name, model, config)
    return entry if price is None else {**entry, "pricing": {**_NO_PRICES, "video": price}}


def _price(name: str, model: Model | None, config: SandboxConfig) -> dict[str, Any] | None:
    ours = model.price if model else None
    if name in config.listed_prices:
        return {"example_price": config.listed_prices[name], "example_description": "as configured"}
    if ours is None:
        return None
    return {"example_price": float(ours.usd), "example_description": ours.note}
