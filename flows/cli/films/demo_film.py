"""`together-video demo --film`: a film of four shots on this machine, without an account.

The film is made, requested again, and planned with an edited shot, to show what is paid for and what is reused.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from prefect_together_video.flows.cli.films.demo_music import demo_music
from prefect_together_video.flows.cli.films.demo_story import STORY
from prefect_together_video.flows.cli.options import PlaceOptions, RunOptions
from prefect_together_video.flows.cli.preamble import prepare
from prefect_together_video.flows.cli.screen.output import copied_to
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.servers.demo_place import (
    BUCKET,
    ENV_FILE,
    first_port,
    forget_own_settings,
    keep_up,
    settings_of,
    shown_path,
)
from prefect_together_video.flows.cli.servers.local_servers import S3Server, SandboxServer
from prefect_together_video.tasks.session.prospects import Prospects
from together_video.errors import NotApproved, VideoError
from together_video.film.plan import FilmPlan
from together_video.film.reading import read_storyboard
from together_video.film.storyboard import Storyboard
from together_video.film.summary import FilmSummary
from together_video.ledger.forecast import Fate, Forecast
from together_video.money import usd
from together_video.text import counted, one_line

#: Quick, with drawn clips and the prices of the catalogue.
_SANDBOX = {
    "generation_seconds": [0.3, 0.8],
    "render_workers": 2,
    "catalogue_prices": True,
    "drawn_scenes": True,
}
_STORY_FILE = "story.yaml"
#: The shot that is edited, to show what an edit buys.
_EDITED = 3
#: Characters of a prompt in the list of shots.
_PROMPT = 56


def demo_film(terminal: Terminal, folder: Path, *, keep: bool, as_json: bool) -> int:
    """Make the film. Everything is kept in `folder`. Returns the exit code."""
    own = forget_own_settings()
    prepare(terminal)
    place = PlaceOptions(json=as_json)
    with ExitStack() as stack:
        terminal.say(f"Everything is kept in {shown_path(folder)}. Starting an S3 server and the sandbox …")
        try:
            (folder / ENV_FILE).unlink(missing_ok=True)
            first = first_port(folder)
            s3 = stack.enter_context(S3Server(folder / "s3", port=first + 1))
            sandbox = stack.enter_context(SandboxServer(folder / "sandbox", _SANDBOX, port=first + 2))
            story = _written(folder / "film")
            settings = settings_of(folder, s3, sandbox)
            os.environ.update(settings)
            # Imports boto3, which takes a while: the servers start in the meantime.
            from prefect_together_video.flows.cli.galleries import gallery_export

            s3.wait_ready()
            gallery_export.make_bucket(BUCKET)
            sandbox.wait_ready()
        except KeyboardInterrupt:
            terminal.complain("Interrupted before anything was created.")
            return 130
        _introduce(terminal, FilmPlan.of(story))
        code, summary = _run(story, place, terminal)
        if summary is None:
            return code
        if as_json:
            terminal.document(summary.as_json())
        if summary.film is None:
            terminal.complain(f"There is no film: {summary.problem}.")
            return code or 1
        try:
            copy = asyncio.run(copied_to(folder / "film" / Path(summary.film.key).name, summary.film, place))
        except VideoError as error:
            terminal.complain(error.message)
            return 1
        terminal.say(f"Film:   {shown_path(copy)}")
        terminal.say(f"        {summary.film.words}")
        _say_again(terminal, story, place)
        if keep:
            keep_up(
                terminal, folder, settings, own, f"film {shown_path(folder / 'film' / _STORY_FILE)}", "audit"
            )
    return code


def _written(folder: Path) -> Storyboard:
    """The storyboard, with its music. An existing one is kept: it may have been edited."""
    folder.mkdir(parents=True, exist_ok=True)
    file, music = folder / _STORY_FILE, folder / "music.wav"
    if not music.exists():
        music.write_bytes(demo_music())
    if not file.exists():
        file.write_text(STORY, encoding="utf-8")
    return read_storyboard(str(file))


def _introduce(terminal: Terminal, plan: FilmPlan) -> None:
    seconds = "" if plan.form.seconds is None else f", {plan.form.seconds:.0f} s"
    terminal.say(f'"{plan.storyboard.title}": {counted(len(plan.shots), "shot")}{seconds}.')
    price = "" if plan.total.usd is None else f". At the provider it would cost {usd(plan.total.usd)}"
    terminal.say(f"It costs nothing here{price}. Shots:")
    for one in plan.shots:
        begins = f"  (begins where {one.number - 1} ends)" if one.shot.is_chained else ""
        terminal.say(f"  {one.number}  {one_line(one.shot.prompt or '', _PROMPT - len(begins))}{begins}")


def _run(
    story: Storyboard, place: PlaceOptions, terminal: Terminal, asking: Any = None
) -> tuple[int, FilmSummary | None]:
    from prefect_together_video.flows.cli.execution import run_without_prefect
    from prefect_together_video.flows.engine.film_run import make_film

    parameters = {**RunOptions(poll_interval=1).parameters(), "storyboard": story, "in_flight": 20}
    code, summary = run_without_prefect(make_film, parameters, place, terminal, asking=asking)
    return code, summary if isinstance(summary, FilmSummary) else None


class _Listening:
    """Records what a run would buy, and stops it before it buys anything."""

    is_open = False
    is_shown = False

    def __init__(self) -> None:
        self.prospects: Prospects | None = None

    def cares(self, forecast: Forecast) -> bool:
        return True

    async def decide(self, prospects: Prospects) -> None:
        self.prospects, self.is_shown = prospects, True
        raise NotApproved("Nothing was bought.")


def _say_again(terminal: Terminal, story: Storyboard, place: PlaceOptions) -> None:
    """Say what the same storyboard buys now, and what it would buy with one shot edited."""
    if (same := _prospects(story, place)) is not None and not same.forecast.to_buy:
        terminal.say(f"Again:  the same command buys nothing: {_reused(same)}.")
    number = min(_EDITED, len(story.shots))
    other = _prospects(_edited(story, number), place)
    if other is not None and other.forecast.most_usd is not None:
        bought = [str(place) for place, fate in enumerate(other.fates, 1) if fate is Fate.BUY]
        price = usd(other.forecast.most_usd)
        terminal.say(
            f"Edit:   editing shot {number} buys {' and '.join(bought)} for {price}; {_reused(other)}."
        )


def _prospects(story: Storyboard, place: PlaceOptions) -> Prospects | None:
    heard = _Listening()
    _run(story, place, Terminal(quiet=True), heard)
    return heard.prospects


def _edited(story: Storyboard, number: int) -> Storyboard:
    """The storyboard with one prompt changed."""
    shots = list(story.shots)
    shot = shots[number - 1]
    shots[number - 1] = shot.model_copy(update={"prompt": f"{shot.prompt} It rains."})
    return story.model_copy(update={"shots": tuple(shots)})


def _reused(prospects: Prospects) -> str:
    numbers = [str(number) for number, fate in enumerate(prospects.fates, 1) if fate is Fate.REUSE]
    *most, last = numbers or ["none"]
    return f"{', '.join(most)} and {last} are reused" if most else f"{last} is reused"
