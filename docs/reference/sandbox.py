"""The page about the sandbox's settings and faults, from the models that read its configuration."""

from __future__ import annotations

from docs.reference.rendering import model_part, table
from together_video.sandbox.config import OtherUsage, SandboxConfig
from together_video.sandbox.faults import ALLOWED, LASTING, FaultRule


def sandbox_page() -> str:
    """Every setting, every field of a fault, and which faults each call can have."""
    kinds = ((f"`{call}`", ", ".join(f"`{kind}`" for kind in sorted(ALLOWED[call]))) for call in ALLOWED)
    lasting = ", ".join(f"`{kind}`" for kind in sorted(LASTING))
    return "\n\n".join(
        (
            "# Settings of the sandbox",
            "The settings in the JSON file of `together-video sandbox --config FILE`. Unknown names are refused. "
            "[The sandbox](../sandbox.md) explains what it is.",
            model_part(SandboxConfig),
            model_part(FaultRule),
            "## Kinds of faults { #kinds-of-faults }",
            f"By the call, which is set by `on`. {lasting} stay with the created job.",
            table(("on", "kind"), kinds),
            model_part(OtherUsage),
        )
    )
