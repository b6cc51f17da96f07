"""The output of `show` for a video's request: every field that was sent, to explain the clip."""

from __future__ import annotations

import json
from typing import Any

from together_video.ledger.records import VideoPlan
from together_video.ledger.titles import varied
from together_video.text import one_line

#: Most characters of a field: data in place of an address would fill the terminal.
_LONGEST = 400


def request_rows(plan: VideoPlan) -> list[tuple[str, str]]:
    """Name and text of each field but prompt and model, in the order of the API; then the requested model or seed, if
    another one was used, and the values of its sweep.
    """
    fields = plan.request.payload()
    width, height = fields.get("width"), fields.get("height")
    if width is not None and height is not None:
        # Put the size where the first of them was.
        fields = {
            "size" if name == "width" else name: value for name, value in fields.items() if name != "height"
        }
        fields["size"] = f"{width} × {height}"
    rows = [(name, _text(value)) for name, value in fields.items() if name not in {"prompt", "model"}]
    if plan.asked_model is not None:
        rows.append(("requested model", plan.asked_model))
    if plan.asked_seed is not None:
        rows.append(("requested seed", str(plan.asked_seed)))
    if plan.sweep is not None and (more := varied(plan.sweep.values)):
        rows.append(("varies", more))
    return rows


def _text(value: Any) -> str:
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), _LONGEST)
