"""Format the findings and prices of a check as lines for people."""

from __future__ import annotations

from rich.markup import escape

from together_video.catalogue.findings import Finding, Level
from together_video.catalogue.pricing import Estimate
from together_video.money import usd_range
from together_video.text import printable

_COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.ADVICE: "cyan", Level.NOTE: "blue"}
SOURCES_EXPLAINED = "In brackets: the rule and its source."


def finding_line(place: str, finding: Finding, *, none: str = "") -> str:
    """A finding with its place, rule and source, in Rich's markup. A field called `none` is left out."""
    because = _because(finding)
    where = "" if finding.field == none else f" {escape(finding.field)}"
    return (
        f"{place}: [{_COLOURS[finding.level]}]{finding.level}[/]{where}: {escape(printable(finding.message, 500))}"
        + (f" [dim]\\[{escape(because)}][/]" if because else "")
    )


def has_source(finding: Finding) -> bool:
    """Whether the line of this finding has brackets."""
    return bool(_because(finding))


def cost_line(cost: Estimate) -> str:
    """The price, how certain it is and why, and that nothing was spent."""
    if cost.usd is None:
        return f"Cost: unknown ({cost.words.rstrip('.')}). Nothing was spent."
    span = usd_range(cost.usd if cost.low_usd is None else cost.low_usd, cost.usd)
    return f"Cost: {span}, {cost.certainty} ({cost.words.rstrip('.')}). Nothing was spent."


def _because(finding: Finding) -> str:
    return ": ".join(part for part in (finding.rule, finding.source) if part)
