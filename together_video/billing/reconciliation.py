"""A month of the ledger beside the same month of the bill.

The bill does not name jobs, so sums are compared: for each day and model, what was billed and what the records say was
paid. A video that was made around midnight may count for either day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from together_video.api.usage import UsageWindow
from together_video.billing.doubts import KnownPurchase
from together_video.billing.products import Products
from together_video.ledger.records import Usd
from together_video.money import usd, usd_number
from together_video.text import printable

#: The heading for videos if the bill's line names no model.
UNNAMED = "a model that the bill does not name"
#: A difference below this is rounding, in US dollars.
_NOTHING = Decimal("0.01")


class ReconciledRow(BaseModel):
    """One model on one day, or in the whole month if `day` is None. US dollars.

    `videos` is the number of archived videos in the recorded sum, `perhaps` how many more may have been charged.
    """

    model_config = ConfigDict(frozen=True)

    day: str | None
    model: str
    billed_usd: Usd = Decimal(0)
    recorded_usd: Usd = Decimal(0)
    videos: int = 0
    perhaps: int = 0

    @property
    def unknown_usd(self) -> Decimal:
        """Billed but not recorded."""
        return max(self.billed_usd - self.recorded_usd, Decimal(0))

    @property
    def unbilled_usd(self) -> Decimal:
        """Recorded but not billed."""
        return max(self.recorded_usd - self.billed_usd, Decimal(0))

    @property
    def agrees(self) -> bool:
        return abs(self.billed_usd - self.recorded_usd) < _NOTHING


class Reconciliation(BaseModel):
    """`models` compares the month, `days` has only days that differ. `others_usd` is what other API keys of the
    organisation were billed for videos.
    """

    model_config = ConfigDict(frozen=True)

    month: str
    models: tuple[ReconciledRow, ...]
    days: tuple[ReconciledRow, ...]
    others_usd: Usd = Decimal(0)

    @property
    def agrees(self) -> bool:
        return all(row.agrees for row in self.models)

    @property
    def sentence(self) -> str:
        billed = sum((row.billed_usd for row in self.models), Decimal(0))
        recorded = sum((row.recorded_usd for row in self.models), Decimal(0))
        unknown = sum((row.unknown_usd for row in self.models), Decimal(0))
        unbilled = sum((row.unbilled_usd for row in self.models), Decimal(0))
        if self.agrees:
            return f"{self.month}: the bill and the archive agree on {usd(billed)}"
        return (
            f"{self.month}: {usd(billed)} billed, {usd(recorded)} recorded as paid; {usd(unknown)} billed but not "
            f"recorded, {usd(unbilled)} recorded but not billed"
        )

    def as_json(self) -> dict[str, Any]:
        """The document of `--json`: plain numbers."""

        def row(one: ReconciledRow) -> dict[str, Any]:
            amounts = {
                "billed_usd": one.billed_usd,
                "recorded_usd": one.recorded_usd,
                "billed_and_unknown_usd": one.unknown_usd,
                "recorded_and_not_billed_usd": one.unbilled_usd,
            }
            named = {"model": one.model} if one.day is None else {"day": one.day, "model": one.model}
            numbers = {name: usd_number(amount) for name, amount in amounts.items()}
            return {**named, **numbers, "videos": one.videos, "perhaps_charged": one.perhaps}

        return {
            "month": self.month,
            "agrees": self.agrees,
            "models": [row(one) for one in self.models],
            "days": [row(one) for one in self.days],
            "other_keys_usd": usd_number(self.others_usd),
        }


def reconcile(
    month: str, known: Iterable[KnownPurchase], windows: Iterable[UsageWindow], *, key_id: str | None
) -> Reconciliation:
    """Compare a month (`2026-11`, in UTC).

    Args:
        known: the purchases of the ledger; those of other months and other keys are left out.
        windows: the month's bill, by hours or days.
        key_id: the key to compare. Lines without a key count too, and all lines count if none has this key.
    """
    windows = list(windows)
    purchases = [one for one in known if f"{_billed_at(one):%Y-%m}" == month]
    products = Products(model for one in purchases for model in one.models)
    named = any(line.key_id == key_id for window in windows for line in window.lines)
    sums: dict[tuple[str, str], ReconciledRow] = {}
    others = Decimal(0)

    def add(day: str, model: str, **more: Any) -> None:
        row = sums.get((day, model), ReconciledRow(day=day, model=model))
        sums[day, model] = row.model_copy(
            update={name: getattr(row, name) + amount for name, amount in more.items()}
        )

    for window in windows:
        for line in window.lines:
            if not products.may_be_video(line):
                continue
            if named and line.key_id not in {None, key_id}:
                others += line.cost_usd
                continue
            add(
                f"{window.start:%Y-%m-%d}",
                products.model_of(line) or f"{UNNAMED}: {printable(line.product, 80)}",
                billed_usd=line.cost_usd,
            )
    billed_models = {model for _, model in sums}
    for one in purchases:
        if one.key_id not in {None, key_id}:
            continue
        model = next((name for name in sorted(one.models) if name in billed_models), min(one.models))
        day = f"{_billed_at(one):%Y-%m-%d}"
        if one.cost_usd is None:
            add(day, model, perhaps=1)
        else:
            add(day, model, recorded_usd=one.cost_usd, videos=1)
    models: dict[str, ReconciledRow] = {}
    for row in sums.values():
        whole = models.get(row.model, ReconciledRow(day=None, model=row.model))
        models[row.model] = whole.model_copy(
            update={
                name: getattr(whole, name) + getattr(row, name)
                for name in ("billed_usd", "recorded_usd", "videos", "perhaps")
            }
        )
    return Reconciliation(
        month=month,
        models=tuple(models[name] for name in sorted(models)),
        days=tuple(row for _, row in sorted(sums.items()) if not row.agrees),
        others_usd=others,
    )


def _billed_at(one: KnownPurchase) -> datetime:
    return one.until or one.since
