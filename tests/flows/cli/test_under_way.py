"""What a command that is interrupted says of what keeps running."""

from __future__ import annotations

from prefect_together_video.flows.cli.screen.under_way import UnderWay
from prefect_together_video.flows.reporting.happenings import PartProgress, Planned
from prefect_together_video.flows.reporting.progress import Progress
from together_video.ledger.records import VideoPlan
from together_video.requests import VideoRequest

PLAN = VideoPlan(request=VideoRequest(model="minimax/hailuo-02", prompt="a fox"))


def test_of_its_own_videos() -> None:
    """A create and a job are told apart; what is archived keeps nothing running."""
    under_way = UnderWay()
    assert under_way.words == "Interrupted. No job is running at the provider; run again to continue."
    for stage, words in {
        "creating": "1 create was running and may be billed",
        "created": "1 job keeps running at the provider and will be billed",
        "archived": "No job is running at the provider",
    }.items():
        under_way.hear(Progress(PLAN, stage, ""))
        assert words in under_way.words


def test_of_parts_on_other_workers() -> None:
    """Their jobs are known by what they have last reported; before that nobody can say that there are none."""
    under_way = UnderWay()
    under_way.watch(Planned(200, parts=3))
    assert under_way.words.startswith(
        "Interrupted. 3 parts are told to stop. Jobs that they have at the provider"
    )
    under_way.watch(
        PartProgress(1, 3, 70, {"archived": 12, "at the provider": 9, "downloading": 1, "waiting": 40})
    )
    under_way.watch(PartProgress(2, 3, 70, {"at the provider": 10}))
    assert "3 parts are told to stop. About 20 jobs keep running at the provider" in under_way.words
    under_way.watch(PartProgress(1, 3, 70, is_over=True))
    assert "2 parts are told to stop. About 10 jobs keep running" in under_way.words
    for number in (2, 3):
        under_way.watch(PartProgress(number, 3, 70, is_over=True))
    assert under_way.words == "Interrupted. No job is running at the provider; run again to continue."
