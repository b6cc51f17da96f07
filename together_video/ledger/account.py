"""Money in four parts: paid, perhaps paid, in flight, left. Pure arithmetic, in US dollars.

Budgets, monthly limits and summaries all use it, with the same words.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from together_video.money import usd, usd_number

_ZERO = Decimal(0)


class Account(BaseModel):
    """The four parts. `left` is None if there is no limit.

    - paid: the provider has reported the cost.
    - perhaps paid: it is unknown whether it was charged, or how much; it counts at the highest estimate.
    - in flight: the job is running; it counts at the highest estimate until its cost is reported.
    - left: what a limit still allows.

    Example:
        ```python
        account = Account(paid=Decimal("0.56"), in_flight=Decimal("0.30")).within(Decimal(1))
        account.words  # 0.56 USD paid, 0.00 USD perhaps paid, 0.30 USD in flight, 0.14 USD left
        account.takes(Decimal("0.30"))  # False
        ```
    """

    model_config = ConfigDict(frozen=True)

    paid: Decimal = Field(default=_ZERO)
    perhaps_paid: Decimal = Field(default=_ZERO)
    in_flight: Decimal = Field(default=_ZERO)
    left: Decimal | None = None

    def __add__(self, other: Account) -> Account:
        """Both together, without a limit."""
        return Account(
            paid=self.paid + other.paid,
            perhaps_paid=self.perhaps_paid + other.perhaps_paid,
            in_flight=self.in_flight + other.in_flight,
        )

    @property
    def committed(self) -> Decimal:
        """What counts towards a limit: everything but what is left."""
        return self.paid + self.perhaps_paid + self.in_flight

    def within(self, limit: Decimal | None) -> Account:
        """The same account under this limit, with what is left of it: nothing if more was paid than estimated."""
        left = None if limit is None else max(limit - self.committed, _ZERO)
        return self.model_copy(update={"left": left})

    def takes(self, amount: Decimal) -> bool:
        """Whether this amount still fits. Without a limit everything does."""
        return self.left is None or amount <= self.left

    @property
    def words(self) -> str:
        """All parts, for the message that a limit is reached."""
        left = [] if self.left is None else [f"{usd(self.left)} left"]
        return ", ".join([_paid(self.paid), _perhaps(self.perhaps_paid), _in_flight(self.in_flight), *left])

    @property
    def spent(self) -> str:
        """What was paid, and the other parts that are not zero: `0.56 USD paid, 0.30 USD in flight`."""
        return self.sentence("")

    def sentence(self, when: str) -> str:
        """The same, with when it was paid: `0.56 USD paid in this run, 0.30 USD in flight`."""
        parts = [f"{_paid(self.paid)} {when}".rstrip()]
        parts += [_perhaps(self.perhaps_paid)] if self.perhaps_paid else []
        parts += [_in_flight(self.in_flight)] if self.in_flight else []
        return ", ".join(parts)

    def as_json(self) -> dict[str, float]:
        """Numbers for programs, rounded as people see them."""
        found = {
            "cost_usd": self.paid,
            "perhaps_paid_usd": self.perhaps_paid,
            "in_flight_usd": self.in_flight,
        }
        if self.left is not None:
            found["left_usd"] = self.left
        return {name: usd_number(amount) for name, amount in found.items()}


#: An empty account.
NOTHING = Account()


class _Paid(Protocol):
    @property
    def account(self) -> Account: ...


def account_of(many: Iterable[_Paid]) -> Account:
    """The sum of all accounts."""
    return sum((one.account for one in many), NOTHING)


def _paid(amount: Decimal) -> str:
    return f"{usd(amount)} paid"


def _perhaps(amount: Decimal) -> str:
    return f"{usd(amount)} perhaps paid"


def _in_flight(amount: Decimal) -> str:
    return f"{usd(amount)} in flight"
