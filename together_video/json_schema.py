"""JSON schemas for forms: an optional field is a plain field, not a choice of types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def plain_fields(schema: dict[str, Any]) -> None:
    """Turn `X or null, by default null` into an optional X; for pydantic's `json_schema_extra`.

    Prefect's form shows the former as two buttons, "str" and "None", with no input until one is pressed. Its server
    accepts null for a field that is not required and has no default, so every value that was accepted still is. Choices
    and objects keep their two buttons because null would be refused there. So does a field that can be true, false or
    neither: a switch has two positions.
    """
    for name, field in schema.get("properties", {}).items():
        kinds = field.get("anyOf", [])
        if "type" in field and field.get("default", "") is None:
            del field["default"]
        if len(kinds) != 2 or kinds[1] != {"type": "null"} or field.get("default", "") is not None:
            continue
        if "enum" in kinds[0]:
            kinds[0]["title"] = "choose"
        elif kinds[0].get("type", "boolean") not in ("boolean", "object") and name not in schema.get(
            "required", ()
        ):
            del field["anyOf"], field["default"]
            field.update(kinds[0])


def in_order(schema: dict[str, Any], names: Sequence[str], *, only: bool = False) -> None:
    """Show these fields first, in this order. With `only`, hide the others; they are still accepted."""
    fields = schema["properties"]
    rest = () if only else tuple(name for name in fields if name not in names)
    schema["properties"] = {name: fields[name] for name in (*names, *rest) if name in fields}
