"""What `show` says of the request of a video: every field that was sent, so that the clip can be explained."""

from __future__ import annotations

import json
from typing import Any

from together_video.ledger.records import VideoPlan
from together_video.ledger.titles import varied
from together_video.text import one_line

#: Characters of a field. Data in place of an address would fill the terminal.
_LONGEST = 400


def request_rows(plan: VideoPlan) -> list[tuple[str, str]]:
    """Name and text of each field beside prompt and model, in the order of the API; what varies in its sweep, and what
    was asked for at first where that is another model or seed.
    """
    fields = plan.request.payload()
    width, height = fields.get("width"), fields.get("height")
    if width is not None and height is not None:
        # In the place of the first of them.
        fields = {
            "size" if name == "width" else name: value for name, value in fields.items() if name != "height"
        }
        fields["size"] = f"{width} × {height}"
    rows = [(name, _text(value)) for name, value in fields.items() if name not in {"prompt", "model"}]
    if plan.asked_model is not None:
        rows.append(("asked model", plan.asked_model))
    if plan.asked_seed is not None:
        rows.append(("asked seed", str(plan.asked_seed)))
    if plan.sweep is not None and (more := varied(plan.sweep.values)):
        rows.append(("varies", more))
    return rows


def _text(value: Any) -> str:
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), _LONGEST)
