"""Objects of the package as Markdown: tasks, flows, models and errors, from their signatures and docstrings."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docs.reference.docstrings import arguments, as_markdown


def type_name(hint: Any) -> str:
    """A type as people write it: without modules, and without what only pydantic needs."""
    if get_origin(hint) is Annotated:
        return type_name(get_args(hint)[0])
    if hint is type(None):
        return "None"
    if (inner := get_args(hint)) and "Annotated" in str(hint):
        if get_origin(hint) in {list, tuple, dict}:
            return f"{get_origin(hint).__name__}[{', '.join(map(type_name, inner))}]"
        return " | ".join(map(type_name, inner))
    text = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
    text = re.sub(r"(?:Optional\[(.+)\])$", r"\1 | None", text.replace("typing.", ""))
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=\w)", "", text)


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The types of its parameters, read where it was written."""
    return get_type_hints(function, vars(sys.modules[function.__module__]), include_extras=True)


def signature(function: Callable[..., Any], name: str, *, is_awaited: bool = False) -> str:
    """How it is called, a parameter on each line; the table below it has the types."""
    parameters = inspect.signature(function).parameters.values()
    lines, keywords = [], False
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not keywords:
            lines.append("    *,")
            keywords = True
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        lines.append(f"    {parameter.name}{default},")
    returns = type_name(hints_of(function).get("return", type(None)))
    return "\n".join([f"{'await ' if is_awaited else ''}{name}(", *lines, f") -> {returns}"])


def parameter_table(function: Callable[..., Any]) -> str:
    """Each parameter with its type, its default, and what the docstring says of it."""
    said, hints = arguments(function.__doc__), hints_of(function)
    rows = [
        (
            f"`{parameter.name}`",
            f"`{type_name(hints[parameter.name])}`",
            "required" if parameter.default is parameter.empty else f"`{parameter.default!r}`",
            said.get(parameter.name, ""),
        )
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
    ]
    return table(("parameter", "type", "default", "meaning"), rows) if rows else ""


def task_page(pairs: Iterable[tuple[str, str, Any]]) -> str:
    """The tasks: the name for sync code, the one for async code, and the task."""
    parts = []
    for plain, awaited, task in pairs:
        function = task.fn
        code = "\n\n".join((signature(function, plain), signature(function, awaited, is_awaited=True)))
        parts += [
            f"## `{plain}`, `{awaited}` {{ #{plain} }}",
            f'<span id="{awaited}"></span>Task name in Prefect: `{task.name}`.',
            f"```python\n{code}\n```",
            as_markdown(function.__doc__),
            f"**Parameters**\n\n{parameter_table(function)}",
        ]
    return "\n\n".join(parts)


def flow_part(name: str, flow: Any, result: str) -> str:
    """A flow: what it does, how it is named in Prefect, what it takes and returns."""
    return "\n\n".join(
        (
            f"## `{name}` {{ #{name} }}",
            f"{flow.description}\n\nFlow name in Prefect: `{flow.name}`. Awaiting it returns `{result}`.",
            as_markdown(flow.fn.__doc__),
            f"**Parameters**\n\n{parameter_table(flow.fn)}",
        )
    )


def model_part(model: type[BaseModel], *, methods: Iterable[str] = (), note: str = "") -> str:
    """A pydantic model or a block: its docstring, its fields, and the methods that users call."""
    rows = [
        (
            f"`{field.alias or name}`",
            f"`{type_name(field.annotation)}`",
            _default(field),
            field.description or "",
        )
        for name, field in model.model_fields.items()
        if not name.startswith("_")
    ]
    name = model.__name__
    parts = [f"## `{name}` {{ #{name} }}", as_markdown(model.__doc__), note]
    if any(row[-1] for row in rows):
        parts.append(table(("field", "type", "default", "meaning"), rows))
    elif rows:
        parts.append(table(("field", "type", "default"), (row[:-1] for row in rows)))
    return "\n\n".join([*filter(None, parts), *(method_part(model, method) for method in methods)])


def method_part(owner: type, name: str) -> str:
    """A method or a property of a class."""
    found = inspect.getattr_static(owner, name)
    heading = f"### `{owner.__name__}.{name}` {{ #{owner.__name__}.{name} }}"
    if isinstance(found, property):
        return f"{heading}\n\n{as_markdown(found.__doc__)}"
    function = inspect.unwrap(getattr(found, "__func__", found))
    shown = inspect.signature(function)
    plain = [parameter for parameter in shown.parameters.values() if parameter.name not in {"self", "cls"}]
    words = ", ".join(_written(parameter) for parameter in plain)
    prefix = "await " if inspect.iscoroutinefunction(function) else ""
    if inspect.isasyncgenfunction(function):
        prefix = "async with "
    code = f"```python\n{prefix}{owner.__name__}.{name}({words})\n```"
    listed = "\n".join(f"- `{name}`: {said}" for name, said in arguments(function.__doc__).items())
    given = f"**Parameters**\n\n{listed}" if listed else ""
    return "\n\n".join(filter(None, (heading, code, as_markdown(function.__doc__), given)))


def _written(parameter: inspect.Parameter) -> str:
    star = "*, " if parameter.kind is parameter.KEYWORD_ONLY else ""
    default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
    return f"{star}{parameter.name}{default}"


def enum_part(states: type[Enum], meanings: Mapping[str, str]) -> str:
    """The values of an enumeration, each with its meaning."""
    rows = [(f"`{state.value}`", meanings[state.value]) for state in states]
    name = states.__name__
    return (
        f"## `{name}` {{ #{name} }}\n\n{as_markdown(states.__doc__)}\n\n{table(('value', 'meaning'), rows)}"
    )


def error_part(kind: type[Exception]) -> str:
    """An error: when it is raised, whether a retry can help, and what the failed call has cost."""
    facts = [f"Inherits from `{kind.__bases__[0].__name__}`."]
    if "creating" in inspect.signature(kind).parameters:
        facts.append(
            "After a create: a retry is not safe; spent: perhaps. After any other call: a retry may help."
        )
    else:
        spent = getattr(kind, "spent", None)
        facts.append(f"A retry {'may' if getattr(kind, 'retryable', False) else 'does not'} help.")
        facts.append("" if spent is None else f"Spent: {spent.value}.")
    name = kind.__name__
    return f"## `{name}` {{ #{name} }}\n\n{as_markdown(kind.__doc__)}\n\n{' '.join(facts).strip()}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in (head, *rows)]
    cells.insert(1, ["---"] * len(cells[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def breakable(name: str) -> str:
    """A long name as code that a narrow column may break after `_`, `/` and `-`."""
    return "<code>" + re.sub("([_/-])", r"\1<wbr>", name) + "</code>"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined:
        return (
            f"`{field.default_factory()}`"
            if field.default_factory in {dict, list, tuple}
            else "set by default"
        )
    return f"`{field.default!r}`"
