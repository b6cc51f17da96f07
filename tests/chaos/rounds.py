"""One round: start, kill, restart until it is done, collect, audit, compare the bill with the archive."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.chaos import folder_kills
from tests.chaos.fates import later, stand_still
from tests.chaos.plans import Act, Actor, RoundPlan
from tests.chaos.proxy import Proxy, Strike
from tests.chaos.results import Result
from tests.chaos.starting import Started, Starter
from tests.chaos.storyboards import storyboard
from tests.chaos.verdict import Evidence, Verdict, judge, judge_film
from tests.chaos.world import World

#: Small and short, so that rendering takes a few hundredths of a second. The check warns about it.
_REQUEST = {"model": "pixverse/pixverse-v5", "width": 96, "height": 64, "seconds": "1", "fps": 8}
#: A command that takes longer than this hangs, in seconds.
_PATIENCE = 120.0
#: How often the batch may be restarted at the end until it is done.
_LAST_STARTS = 4
_INTERRUPTED = 130
#: Seconds after which the bill of a create is final, with the settings of `World.environment`.
_BILLED = 14.0
_LAST = Actor("batch")
_DONE = {"archived", "reused", "ambiguous"}


class Round:
    """Plays a plan in its own prefix, with its evidence in `folder`."""

    def __init__(self, world: World, starter: Starter, plan: RoundPlan, folder: Path) -> None:
        self.world = world
        self.starter = starter
        self.plan = plan
        self.folder = folder
        self.prefix = f"round-{plan.number:05}"
        self.result = Result(plan, Verdict())
        self._surprises: list[str] = []
        #: Open until the end of the round, because the provider fetches first frames by links that name them.
        self._proxies: list[Proxy] = []
        self._doubts = 0
        #: Creates without an answer, and one for each process that may have died right before it sent one.
        self._unanswered = 0

    async def play(self) -> Result:
        try:
            return await self._played()
        finally:
            for proxy in self._proxies:
                await proxy.close()

    async def _played(self) -> Result:
        began, crashes = time.monotonic(), self.world.disturbances
        self.folder.mkdir(parents=True)
        (self.folder / "plan.json").write_text(json.dumps(asdict(self.plan), indent=1, default=str))
        self._write_prompts()
        for act in self.plan.acts:
            self._doubts += self.plan.doubts_of(act)
            await self._perform(act)
        document = await self._finish()
        if self.world.disturbances != crashes:
            # A crash in another round counts too: all rounds share the servers.
            self._doubts = self.plan.total
        await self._judge(document)
        self.result.seconds = time.monotonic() - began
        return self.result

    def _write_prompts(self) -> None:
        lines = [
            json.dumps({**_REQUEST, "prompt": self.plan.prompt(number)}) + "\n"
            for number, takes in enumerate(self.plan.takes, start=1)
            for _ in range(takes)
        ]
        (self.folder / "prompts.jsonl").write_text("".join(lines))
        (self.folder / "story.json").write_text(json.dumps(storyboard(self.plan, _REQUEST)))

    def _words(self, actor: Actor) -> list[str]:
        if actor.who == "collect":
            return ["collect", "--json", "--wait", "20"]
        how = ["--json", "--poll-interval", "0.2", "--in-flight", str(self.plan.in_flight)]
        if self.plan.resubmit and actor == _LAST:
            how += ["--on-ambiguous", "resubmit"]
        if self.plan.resolve and actor == _LAST:
            how += ["--on-ambiguous", "resolve"]
        if self.plan.source == "film":
            # The provider may have requested a first frame while a server was down.
            again = ["--retry-failed"] if actor == _LAST else []
            return ["film", str(self.folder / "story.json"), *how, *again]
        if self.plan.source == "file":
            return ["batch", str(self.folder / "prompts.jsonl"), *how]
        fields = [word for name, value in _REQUEST.items() for word in (f"--{name}", str(value))]
        return ["batch", "--brief", self.plan.tag, "--count", str(self.plan.total), *fields, *how]

    async def _perform(self, act: Act) -> None:
        """All actors of an act at once. Each dies as planned, or ends."""
        runs = [self._run(actor) for actor in act.actors]
        if act.crash:
            runs.append(self._crash(act.crash.side, act.crash.after, act.crash.away))
        await asyncio.gather(*runs)

    async def _crash(self, side: Any, after: float, away: float) -> None:
        await asyncio.sleep(after)
        await self.world.crash(side, away)
        self.result.crashes += 1

    async def _run(self, actor: Actor, words: list[str] | None = None) -> dict[str, Any] | None:
        """Start a command, and kill it if planned. Returns what it printed, if it ended by itself."""
        await asyncio.sleep(actor.late)
        self.result.starts += 1
        crashes = self.world.disturbances
        log = self.folder / f"{self.result.starts:02}-{words[0] if words else actor.who}"
        spool = self.folder / ("spool" if self.plan.same_machine else f"{log.name}-spool")
        strike = Strike(*actor.death) if isinstance(actor.death, tuple) else None
        started: Started | None = None

        def kill() -> None:
            if started is not None:
                started.send(signal.SIGTERM if actor.gently else signal.SIGKILL)

        in_folder = strike is not None and self.plan.archive == "folder" and strike.point.is_of_the_archive
        proxy = Proxy(self.world.address, kill, strike=None if in_folder else strike, lag=0.02)
        await proxy.open()
        fates: list[asyncio.Task[None]] = []
        try:
            environment = self.world.environment(proxy.urls, self.prefix, spool, self.plan.archive)
            if in_folder and strike is not None:
                environment[folder_kills.VARIABLE] = folder_kills.word_of(strike)
            start = self.starter.cold if actor.cold and not in_folder else self.starter.warm
            started = await start(words or self._words(actor), environment, log)
            if isinstance(actor.death, float):
                fates.append(asyncio.create_task(later(proxy, actor.death, kill)))
            if actor.still is not None:
                fates.append(asyncio.create_task(stand_still(proxy, actor.still, started)))
            code = await started.code(_PATIENCE)
        except TimeoutError:
            self._surprises.append(f"{log.name} does not end")
            if started:
                started.send(signal.SIGKILL)
            return None
        finally:
            for fate in fates:
                fate.cancel()
            proxy.disarm()
            self._proxies.append(proxy)
            self._unanswered += proxy.open_creates + (0 if isinstance(actor.death, tuple) else 1)
            Path(f"{log}.calls").write_text("\n".join(proxy.trace) + "\n")
        if actor.death is not None:
            name = actor.death[0].name if isinstance(actor.death, tuple) else "at random"
            name = "interrupted (SIGTERM)" if actor.gently else name
            died = code in (-signal.SIGKILL, _INTERRUPTED)
            (self.result.kills if died else self.result.missed)[name] += 1
        return self._read(log, code, calm=self.world.disturbances == crashes)

    def _read(self, log: Path, code: int, *, calm: bool) -> dict[str, Any] | None:
        said = Path(f"{log}.err").read_text(errors="replace")
        if "Traceback" in said or "Unexpected" in said:
            self._surprises.append(f"{log.name} ends with a traceback: {said[-2000:]}")
        if code in (-signal.SIGKILL, -signal.SIGTERM, _INTERRUPTED):
            return None
        text = Path(f"{log}.out").read_text(errors="replace")
        try:
            document: dict[str, Any] = json.loads(text)
        except ValueError:
            # While a server is down, the output can only say so.
            if calm or not said:
                self._surprises.append(f"{log.name} exits {code} without a document: {said[-500:]}")
            return None
        return document

    async def _finish(self) -> dict[str, Any]:
        """Restart the batch undisturbed until everything is archived or ambiguous."""
        document: dict[str, Any] | None = None
        for _ in range(_LAST_STARTS):
            await self.world.is_up()
            document = await self._run(_LAST)
            if document and self._is_done(document):
                return await self._resolved(document) if self.plan.resolve else document
        self._surprises.append(f"not done after {_LAST_STARTS} undisturbed starts")
        return document or {"videos": []}

    def _is_done(self, document: dict[str, Any]) -> bool:
        if self.plan.source == "film":
            return document["film"] is not None
        return all(video["state"] in _DONE for video in document["videos"])

    async def _resolved(self, document: dict[str, Any]) -> dict[str, Any]:
        """Restart the batch once the bill is complete, which buys what was not charged."""
        held = [video["id"] for video in document["videos"] if video["state"] == "ambiguous"]
        if not held:
            return document
        await asyncio.sleep(_BILLED)
        await self.world.is_up()
        again = await self._run(_LAST) or document
        left = [video["id"] for video in again["videos"] if video["state"] == "ambiguous"]
        self.result.resolved += len(held) - len(left)
        return again

    async def _calmly(self, words: list[str]) -> dict[str, Any] | None:
        """Run a command while all servers are up. A server that is down for another round is not its fault."""
        while True:
            await self.world.is_up()
            crashes = self.world.disturbances
            document = await self._run(Actor("collect"), words)
            if self.world.disturbances == crashes:
                return document

    async def _undisturbed(self) -> str | None:
        """The film that the same storyboard gives in another archive. Call it after the bill was read."""
        own, self.prefix = self.prefix, f"{self.prefix}-calm"
        try:
            document = await self._calmly(self._words(_LAST))
        finally:
            self.prefix = own
        return document and document["film"] and document["film"]["id"]

    async def _judge(self, document: dict[str, Any]) -> None:
        collected = await self._calmly(["collect", "--json", "--wait", "20"]) or {"videos": []}
        audited = await self._calmly(["audit", "--deep", "--json"]) or {"findings": []}
        billed = [job for job in await self.world.bill() if self.plan.tag in job["prompt"]]
        # Not before: a request can outlive the killed process that sent it.
        self.result.creates = sum(proxy.creates for proxy in self._proxies)
        wanted = Counter({self.plan.prompt(video): n for video, n in enumerate(self.plan.takes, start=1)})
        if self.plan.source == "brief":
            wanted = Counter(video["prompt"] for video in document["videos"])
        evidence = Evidence(
            wanted=wanted,
            billed=billed,
            kept=await self.world.kept(self.prefix, self.plan.archive),
            held={video["id"] for video in collected["videos"] if video["state"] == "ambiguous"},
            findings=audited["findings"],
            doubts=self._doubts,
            unanswered=self._unanswered if self.plan.same_machine else None,
            buys_failed_again=self.plan.source == "film",
        )
        told = {**vars(evidence), "kept": vars(evidence.kept)}
        (self.folder / "evidence.json").write_text(json.dumps(told, indent=1, default=list))
        verdict = judge(evidence)
        if self.plan.source == "film":
            verdict.surprises += judge_film(evidence.kept, await self._undisturbed())
        if len(document["videos"]) != self.plan.total:
            verdict.surprises.append(f"{len(document['videos'])} videos, {self.plan.total} wanted")
        if self.result.creates < len(billed):
            verdict.surprises.append(f"{len(billed)} billed, only {self.result.creates} creates were seen")
        verdict.surprises += self._surprises
        self.result.verdict, self.result.billed = verdict, len(billed)
        words = [*verdict.duplicates, *verdict.losses, *verdict.surprises]
        (self.folder / "verdict.txt").write_text("\n".join([self.result.line, *words]) + "\n")
