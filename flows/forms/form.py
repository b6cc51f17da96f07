"""The form that Prefect's UIs show to start a run of a deployment: it has fewer fields than the flow has parameters.

When a deployment is saved (`prefect deploy`, `serve`, `Flow.serve`, `Flow.deploy`), Prefect makes the form and its
checks from the signature of the *flow*. A run calls the *function*. So a flow can have a separate signature for the
form. The server also accepts parameters that are not in the form: deployments, events and `run_deployment` can name any
parameter of the function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar

from prefect import Flow
from pydantic import BaseModel, Field, WithJsonSchema
from pydantic.json_schema import NoDefault

from together_video.errors import InputError, Spent

#: A number that may be left out, as a plain field.
Amount = Annotated[float | None, Field(gt=0), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
#: The same for US dollars.
Money = Annotated[Decimal | None, Field(gt=0), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
F = TypeVar("F", bound=Flow[..., Any])
#: The value of a choice if nothing is chosen.
USUAL = "default"


def entry(
    name: str, kind: Any, description: str, *, title: str | None = None, default: Any = None
) -> Parameter:
    """A field of a form. With a default of `...` it is required. Use None for a value that can be null."""
    more: dict[str, Any] = {"title": title} if title else {}
    return Parameter(
        name,
        Parameter.KEYWORD_ONLY,
        annotation=kind,
        default=Field(default, description=description, json_schema_extra=more),
    )


def shown_as(*entries: Parameter) -> Callable[[F], F]:
    """Show a flow's deployments as a form of these fields, in this order."""

    def show(flow: F) -> F:
        flow.__signature__ = Signature(entries)  # type: ignore[attr-defined]
        return flow

    return show


def said(more: BaseModel | None) -> dict[str, Any]:
    """The fields of a form's optional group that differ from their defaults."""
    if more is None:
        return {}
    offered = {
        name: field.get_default(call_default_factory=True) for name, field in type(more).model_fields.items()
    }
    given = {name: getattr(more, name) for name in offered}
    return {
        name: value for name, value in given.items() if value != offered[name] and value not in (None, "", ())
    }


def joined(given: Mapping[str, Any], more: BaseModel | None) -> dict[str, Any]:
    """The values of the optional group, which replace the parameters of the same names in `given`.

    Raises:
        InputError: a parameter that the form does not show, such as one that a deployment sets, contradicts the group.
            Neither may win silently.
    """
    if more is None:
        return {}
    for name in more.model_fields_set:
        shown, beside = getattr(more, name), given.get(name)
        unsaid = beside in (None, "", (), []) or beside == type(more).model_fields[name].default
        if not unsaid and _comparable(beside) != _comparable(shown):
            raise InputError(
                f"The parameter {name} is {beside!s:.100}, but under More it is {shown!s:.100}. Nothing was bought.",
                spent=Spent.NOTHING,
                remedy=f"Set {name} in one place: in a deployment as more.{name}.",
            )
    return said(more)


def chosen(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Request fields without the empty values that the first UI sends for fields that nobody touched."""
    return {
        name: value
        for name, value in fields.items()
        if value not in (None, {}) and (name != "label_in_id" or value)
    }


def _comparable(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def amount(name: str, description: str, *, title: str) -> Parameter:
    """A field for an optional positive number, without the buttons "float" and "None".

    If nothing was typed, the newer UI sends null. Prefect's server refuses null for a number with a default of null,
    and accepts it for a number without a default.
    """
    return entry(name, Amount, description, title=title, default=NoDefault)
