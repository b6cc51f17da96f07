"""Amounts of money are rounded and written in one place, `together_video.money`, and nowhere by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [
    path
    for folder in ("together_video", "blocks", "tasks", "flows")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != ROOT / "together_video" / "money.py"
]
#: Names of what holds an amount.
_AMOUNTS = ("usd", "cost", "price", "amount", "budget", "paid", "perhaps_paid", "estimate")
#: What the sandbox bills is another program's.
_FOREIGN = ("sandbox",)


def by_hand(source: str) -> Iterator[str]:
    """Places where an amount is formatted, rounded or made a float without `money`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield from _formatted(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            if any(_is_amount(ast.unparse(given)) for given in node.args):
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "%s USD" in node.value:
            yield f"line {node.lineno}: {node.value!r}"


def _formatted(text: ast.JoinedStr) -> Iterator[str]:
    parts = text.values
    for place, part in enumerate(parts):
        if not isinstance(part, ast.FormattedValue):
            continue
        said = ast.unparse(part.value)
        after = parts[place + 1] if place + 1 < len(parts) else None
        is_followed = (
            isinstance(after, ast.Constant)
            and isinstance(after.value, str)
            and after.value.startswith((" USD", "USD"))
        )
        is_spelt = part.format_spec is not None and _is_amount(said)
        if is_followed or is_spelt:
            yield f"line {part.value.lineno}: {ast.unparse(part)}"


def _is_amount(said: str) -> bool:
    name = said.rpartition(".")[2].strip("()").lower()
    return any(name == one or name.endswith(f"_{one}") for one in _AMOUNTS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_amount_is_written_by_hand(path: Path) -> None:
    """Neither in the terminal nor in logs, errors, pages, artifacts, events or JSON."""
    if any(part in _FOREIGN for part in path.parts):
        return
    assert list(by_hand(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        'f"{cost.normalize():f} USD"',
        'f"{row.cost_usd:.3f}"',
        'f"{limit} USD a month"',
        "float(found.cost_usd)",
        'log("charged %s USD", cost)',
    ],
)
def test_amounts_by_hand_are_found(source: str) -> None:
    """The search finds each of the ways in which it was done."""
    assert list(by_hand(source))


@pytest.mark.parametrize("source", ['f"{usd(cost)} paid"', 'f"{seconds:.1f} s"', "float(seconds)"])
def test_other_numbers_are_left_alone(source: str) -> None:
    """Lengths and the like have their own formats."""
    assert not list(by_hand(source))
