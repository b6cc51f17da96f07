"""The size of a clip: the requested pixels, or those of a tier and a ratio."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: The size if nothing is requested (the API's first documented default), in pixels.
DEFAULT_SIZE = (1366, 768)

#: Tiers of the Wan 2.7 models, written with a capital P as in their documentation.
_WAN = {
    "720P": {"16:9": (1280, 720), "9:16": (720, 1280), "1:1": (960, 960), "4:3": (1104, 832)},
    "1080P": {"16:9": (1920, 1080), "9:16": (1080, 1920), "1:1": (1440, 1440), "4:3": (1648, 1248)},
}
for _tier in _WAN.values():
    _tier["3:4"] = (_tier["4:3"][1], _tier["4:3"][0])


def frame_size(body: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height of this request's clip in pixels.

    Requested pixels take precedence and are exact. A side calculated from a ratio is even.

    Raises:
        ValueError: the tier or the ratio cannot be read.
    """
    width, height = body.get("width"), body.get("height")
    ratio = _ratio(body.get("ratio"))
    if width and height:
        return width, height
    if width or height:
        shape = ratio or DEFAULT_SIZE
        if width:
            return int(width), _even(float(width) * shape[1] / shape[0])
        return _even(float(height or 0) * shape[0] / shape[1]), int(height or 0)
    if body.get("resolution"):
        return _tier_size(str(body["resolution"]), str(body.get("ratio") or "16:9"), ratio or (16, 9))
    if ratio:
        return _fit(DEFAULT_SIZE[1], ratio)
    return DEFAULT_SIZE


def _tier_size(tier: str, ratio_text: str, ratio: tuple[int, int]) -> tuple[int, int]:
    if tabulated := _WAN.get(tier, {}).get(ratio_text):
        return tabulated
    if found := re.fullmatch(r"(\d{3,4})[pP]", tier):
        return _fit(int(found[1]), ratio)
    if found := re.fullmatch(r"([248])[kK]", tier):
        return _fit({"2": 1440, "4": 2160, "8": 4320}[found[1]], ratio)
    raise ValueError(f"resolution {tier!r} is not supported: use a tier such as 720p")


def _fit(short_side: int, ratio: tuple[int, int]) -> tuple[int, int]:
    across, down = ratio
    if across >= down:
        return _even(short_side * across / down), short_side
    return short_side, _even(short_side * down / across)


def _even(pixels: float) -> int:
    return max(2, int(pixels / 2 + 0.5) * 2)


def _ratio(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,2}):([1-9]\d{0,2})", text)
    if not found:
        raise ValueError(f"ratio {text!r} is not supported: write it as 16:9")
    return int(found[1]), int(found[2])
