"""How a run ends: the final state, with a message about the outcome of the videos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import NotApproved, VideoError
from together_video.inputs.inbox import InboxReport
from together_video.ledger.audit import AuditReport
from together_video.ledger.spend import SpendReport
from together_video.ledger.summary import GOOD, Summary, VideoState

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

#: What a run can return.
Result = Summary | AuditReport | InboxReport | SpendReport


@dataclass(frozen=True)
class Ending:
    """How a run ends, with or without Prefect: the name of its final state, its message and its data."""

    name: str
    message: str
    data: object

    @property
    def is_completed(self) -> bool:
        return self.name == "Completed"

    @property
    def result(self) -> object:
        """See `result_of`."""
        return result_of(self.data)

    @property
    def state(self) -> State[Any]:
        """As a flow returns it to Prefect."""
        from prefect.states import Cancelled, Completed, Failed

        made = {"Completed": Completed, "Failed": Failed, "Cancelled": Cancelled}[self.name]
        return made(message=self.message, data=self.data)


_endings: ContextVar[list[Ending] | None] = ContextVar("endings", default=None)


@contextmanager
def keeping() -> Iterator[list[Ending]]:
    """Gives a list that gets the ending of a run as soon as it is known: Prefect's server may be gone when it should
    receive it.
    """
    endings: list[Ending] = []
    token = _endings.set(endings)
    try:
        yield endings
    finally:
        _endings.reset(token)


def _kept(ending: Ending) -> Ending:
    if (endings := _endings.get()) is not None:
        endings.append(ending)
    return ending


class RunIncomplete(VideoError):
    """Part of what the run was for is missing or wrong; `result` has all of it.

    It is the data of the Failed state. Code that awaits the flow without asking for its state gets this error, as users
    of Prefect expect.
    """

    def __init__(self, message: str, *, result: Result) -> None:
        super().__init__(message)
        self.result = result


def final_state(summary: Summary) -> Ending:
    """Completed if every video is in the archive, otherwise Failed. `result_of` gives the summary."""
    return final(summary, is_good=summary.is_good)


def collected(summary: Summary, *, troubles: int) -> Ending:
    """As `final_state`, but jobs that are still running at the provider are fine."""
    fine = all(found.state in GOOD or found.state is VideoState.SUBMITTED for found in summary.videos)
    return final(summary, is_good=fine and not troubles)


def final(result: Result, *, is_good: bool) -> Ending:
    """Completed with the result, or Failed with an error that contains it; the message is its sentence."""
    if is_good:
        return _kept(Ending("Completed", result.sentence, result))
    return _kept(Ending("Failed", result.sentence, RunIncomplete(result.sentence, result=result)))


def result_of(data: object) -> object:
    """What a run of this project returned, from the data of its final state: the `Summary`, the `AuditReport` or the
    `InboxReport` of a Completed or a Failed state, or the `VideoError` that stopped the run before it started.
    """
    return data.result if isinstance(data, RunIncomplete) else data


def refused(error: VideoError) -> Ending:
    """The run could not start: nothing was created. The error is the state's data."""
    run_logger().error(error.message)
    return _kept(Ending("Failed", error.message, error))


def not_approved(error: NotApproved) -> Ending:
    """A person was asked and did not agree: Cancelled, which is not a failure. The error is the state's data."""
    run_logger().warning(error.message, extra={"is_last_line": True})
    return _kept(Ending("Cancelled", error.message, error))


def interrupted(at_provider: int, creating: int = 0, *, parts: int = 0) -> str:
    """What keeps running after the run stops, and how to collect it.

    Args:
        parts: runs on other workers that stop with this one; their number of jobs is a few seconds old.
        at_provider: jobs whose ids are in the archive.
        creating: creates that were running; their outcomes are in the archive as well.
    """
    sentences = ["Interrupted."]
    if parts:
        stops = "1 part is" if parts == 1 else f"{parts} parts are"
        sentences.append(f"{stops} told to stop.")
    if at_provider:
        jobs = "1 job keeps" if at_provider == 1 else f"{at_provider} jobs keep"
        about = "About " if parts else ""
        sentences.append(
            f"{about}{jobs} running at the provider and will be billed; the job ids are in the archive."
        )
    elif parts:
        sentences.append(
            "Jobs that they have at the provider will be billed; the job ids are in the archive."
        )
    if creating:
        creates = "1 create was" if creating == 1 else f"{creating} creates were"
        sentences.append(f"{creates} running and may be billed; the outcome is in the archive.")
    if not at_provider and not creating and not parts:
        return "Interrupted. No job is running at the provider; run again to continue."
    sentences.append("Run the same again, or together-video collect, to collect them without paying twice.")
    return " ".join(sentences)
