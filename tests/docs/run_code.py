"""Runs pieces of code from the documentation, each as its own module, in one process.

    python run_code.py FOLDER

Calls the flows of a piece that does not call them itself. Prints a JSON object with each piece's name and its error, or
null.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from prefect import Flow


def run(path: Path) -> None:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    source = path.read_text(encoding="utf-8")
    for name, made in vars(module).items():
        is_its_own = isinstance(made, Flow) and made.fn.__module__ == path.stem
        if is_its_own and source.count(f"{name}(") == 1:
            call(made)


def call(flow: Any) -> None:
    result = flow()
    if inspect.isawaitable(result):
        asyncio.run(_awaited(result))


async def _awaited(result: Any) -> Any:
    return await result


if __name__ == "__main__":
    ended: dict[str, str | None] = {}
    for piece in sorted(Path(sys.argv[1]).glob("*.py")):
        try:
            run(piece)
        except BaseException:  # noqa: BLE001 - the test that reads this reports it
            ended[piece.stem] = traceback.format_exc()
        else:
            ended[piece.stem] = None
    sys.stdout.write(f"\n{json.dumps(ended)}\n")
