"""The page of the sandbox's settings and faults, from the models that read its configuration."""

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
            "What the JSON file of `together-video sandbox --config FILE` may hold. Unknown names are refused. "
            "See [the sandbox](../sandbox.md) for what it is.",
            model_part(SandboxConfig),
            model_part(FaultRule),
            "## Kinds of faults { #kinds-of-faults }",
            f"By the call, which is `on`. {lasting} stay with the job that the create makes.",
            table(("on", "kind"), kinds),
            model_part(OtherUsage),
        )
    )
