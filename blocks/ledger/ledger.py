"""The ledger: write-once facts about every purchase, stored in the archive together with the videos.

The order of writes keeps the promise: the claim is written before the POST, the job id is stored before anything else
happens, and the record is written before the facts in flight are removed. Each step may be killed at any instruction,
and anyone can repeat it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from prefect_together_video.blocks.ledger.coalescing import Coalesced
from prefect_together_video.blocks.ledger.films import Films
from prefect_together_video.blocks.ledger.index import Index
from prefect_together_video.blocks.ledger.media import MediaStore
from prefect_together_video.blocks.ledger.reviews import Kept, Reviews
from prefect_together_video.blocks.ledger.spending import MonthlySpending
from prefect_together_video.blocks.store.objects import ListedObject, StoredBytes
from prefect_together_video.blocks.store.store import Store
from together_video.errors import (
    ArchiveError,
    NoClearAnswer,
    ObjectConflict,
    Spent,
    StoreUnavailable,
    VideoError,
)
from together_video.film.writing.sets import WrittenStoryboard
from together_video.jobs import VideoJob
from together_video.ledger.index import Entry
from together_video.ledger.layout import Layout
from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import (
    Ambiguity,
    Claim,
    LedgerState,
    RunRef,
    Submission,
    VideoPlan,
    VideoRecord,
    state_of,
)
from together_video.ledger.reviews import Mark
from together_video.ledger.settings import LINK_HOURS
from together_video.prompts import PromptSet
from together_video.text import counted, printable

Model = TypeVar("Model", bound=BaseModel)

_log = logging.getLogger("together_video")

#: Seconds between two clean-ups: videos that end one after another share their requests, too.
_PAUSE = 0.25
#: How many records are read at the same time.
_AT_ONCE = 16


class Facts(BaseModel):
    """Everything that the archive knows about one purchase, and what follows from it."""

    model_config = ConfigDict(frozen=True)

    state: LedgerState
    claim: Claim | None = None
    claim_age: float | None = None
    submission: Submission | None = None
    ambiguity: Ambiguity | None = None
    record: VideoRecord | None = None


class InFlight(BaseModel):
    """One purchase in the listing of inflight/: since when (by the store's clock), and the names of its facts."""

    model_config = ConfigDict(frozen=True)

    since: datetime
    facts: frozenset[str]


class _Done(NamedTuple):
    """Keys of finished facts, and the line about the record that finished them."""

    keys: list[str]
    line: Entry | None = None


def _line(record: VideoRecord, *, is_late: bool = False) -> Entry:
    return Entry.of_record(record, f"{record.id}{'.late' if is_late else ''}.json")


class Ledger:
    """The facts of one archive. Raises `ArchiveError`s; see `store`."""

    def __init__(
        self,
        store: Store,
        layout: Layout,
        *,
        monthly_limit: Decimal | None = None,
        link_hours: float = LINK_HOURS,
    ) -> None:
        self.store = store
        #: How long links in artifacts work, in seconds; 0 for none.
        self.link_seconds = ceil(link_hours * 3600)
        self.layout = layout
        self.media = MediaStore(store, layout)
        self.reviews = Reviews(store, layout)
        self.films = Films(store, layout)
        self.index = Index(store, layout)
        self.spending = MonthlySpending(store, layout, monthly_limit, recorded=self.index.reader)
        self._clear = Coalesced(self._clear_all, pause=_PAUSE)
        #: Claims with no clear answer to their PUT, by plan id: the next attempt must know its own claim, and its age.
        self._unsure: dict[str, Claim] = {}

    @property
    def place(self) -> ArchivePlace:
        """Which bucket or folder it is in."""
        return self.store.place

    async def check(self) -> None:
        """Check that this bucket or folder can contain a ledger, before anything is paid. See `Store.probe`."""
        await self.store.probe(self.layout.key(""))

    async def claim(
        self,
        plan: VideoPlan,
        *,
        valid_seconds: float,
        run: RunRef | None = None,
        key_id: str | None = None,
        announce: Callable[[Claim], None] = lambda _: None,
    ) -> Claim | None:
        """Claim the right to pay for `plan`. None if another process holds it.

        Args:
            key_id: the provider's id of the API key that pays.
            announce: called with the claim right before it is written.

        Raises:
            BudgetReached: the archive's monthly limit has no room for it.
            ConfigurationError: its file's key would be longer than the store accepts.
        """
        claim = self._unsure.pop(plan.id, None)
        if claim is None:
            now = datetime.now(UTC)
            # First: a key that the store would refuse must be found before anything is reserved or paid.
            video_key, poster_key = self.layout.media(plan, now)
            self.store.check_key(video_key)
            reservation = await self.spending.reserve(plan.id, plan.estimate_usd)
            claim = Claim(
                id=plan.id,
                token=uuid4().hex,
                plan=plan,
                claimed_at=now,
                valid_seconds=valid_seconds,
                video_key=video_key,
                poster_key=poster_key,
                reservation=reservation,
                key_id=key_id,
                run=run or RunRef(host=socket.gethostname()),
            )
        announce(claim)
        try:
            if await self._write(self.layout.claim(plan.id), claim):
                return claim
            found = await self._read(self.layout.claim(plan.id), Claim)
        except VideoError:
            # It may still exist, with no process behind it: the next attempt must recognise it as its own.
            self._unsure[plan.id] = claim
            raise
        # The answer to our own PUT may have been lost, and the repeated PUT refused.
        if found is not None and found[0].token == claim.token:
            return found[0]
        await self.spending.withdraw(claim.reservation)
        return None

    async def release(self, claim: Claim) -> None:
        """Give up a claim for which it is proven that nothing was created."""
        found = await self._read(self.layout.ambiguous(claim.id), Ambiguity)
        if found is not None and found[0].token == claim.token:
            await self.store.delete([self.layout.ambiguous(claim.id)])
        await self._remove_own(claim)
        await self.spending.withdraw(claim.reservation)

    async def _remove_own(self, claim: Claim) -> None:
        """Remove exactly this claim, each time after reading it: by now it may be another process's, which is paying
        with it. If the store can compare, the removal applies only to what was read.
        """
        key, compares = self.layout.claim(claim.id), True
        for last in (False, False, True):
            stored = await self.store.get(key)
            if stored is None or self._decoded(key, Claim, stored).token != claim.token:
                return
            try:
                if await self.store.delete_version(key, stored.etag if compares else None):
                    return
                # Read as ours again: the store, which cannot compare, refused the removal.
                compares = False
            except StoreUnavailable:
                if last:
                    raise

    async def submitted(self, submission: Submission) -> Submission:
        """Store the job id. Nothing else may happen before this is durable."""
        return await self._settle(self.layout.job(submission.id), submission)

    async def ambiguous(
        self, claim: Claim, error: NoClearAnswer | None, *, sent_at: datetime | None = None
    ) -> Ambiguity:
        """Hold a purchase without a clear answer to its create, or with a claim that was left behind."""
        left = f"a process claimed it at {claim.claimed_at:%Y-%m-%d %H:%M:%S} UTC and has not reported back"
        ambiguity = Ambiguity(
            id=claim.id,
            token=claim.token,
            found_at=datetime.now(UTC),
            reason=str(error) if error else left,
            status=error.status if error else None,
            body=error.body if error else None,
            sent_at=sent_at,
            request_ids=error.request_ids if error else {},
        )
        return await self._settle(self.layout.ambiguous(claim.id), ambiguity)

    async def job(self, video: str) -> Submission | None:
        """The job id of a purchase in flight, if there is one."""
        found = await self._read(self.layout.job(video), Submission)
        return found[0] if found else None

    async def record(self, video: str) -> VideoRecord | None:
        """The final record, if there is one."""
        return await self.read_record(self.layout.record(video))

    async def last_record(self, video: str) -> VideoRecord | None:
        """The final record. For a purchase that was given up, the record of the video that came after all, if any."""
        record = await self.record(video)
        if record is not None and record.state == "abandoned":
            return await self._late_record(video) or record
        return record

    async def _late_record(self, video: str) -> VideoRecord | None:
        return await self.read_record(self.layout.late_record(video))

    async def unrecorded(self, videos: Collection[str]) -> set[str]:
        """Those that have no record now, as far as a few listings show: at most one listing for 50 videos.

        This saves reads but promises nothing for later: a process that claims one looks for its record again.
        """
        if (pages := len(videos) // 50) == 0:
            return set()
        start = self.layout.key("records", "")
        listed, whole = await self.store.list_first(start, pages=pages)
        names = [found.key.removeprefix(start) for found in listed]
        recorded = {name.partition(".")[0] for name in names}
        return {video for video in videos if video not in recorded and (whole or f"{video}.json" < names[-1])}

    async def read_record(self, key: str) -> VideoRecord | None:
        """The record under a key from the listing of records/."""
        found = await self._read(key, VideoRecord)
        return found[0] if found else None

    async def facts(self, video: str) -> Facts:
        """All facts about one purchase, the strongest first; once it is decided, weaker facts are not read."""
        record = await self.record(video)
        if record is not None:
            return Facts(state=state_of(record=record), record=record)
        found = await self.facts_in_flight(video)
        if found.submission is None:
            # Finishing writes the record first and then empties inflight: read again, in that order. A claim may have
            # been read just before, and its job have been gone a moment later.
            record = await self.record(video)
            if record is not None:
                return Facts(state=state_of(record=record), record=record)
        return found

    async def is_taken(self, video: str) -> bool:
        """Whether a process has claimed this purchase, or finished it."""
        found = await self.facts(video)
        return found.claim is not None or found.record is not None

    async def facts_in_flight(self, video: str) -> Facts:
        """The facts under inflight/<id>/, whatever the record says."""
        claimed = await self._read(self.layout.claim(video), Claim)
        claim, age = claimed if claimed else (None, None)
        job = await self._read(self.layout.job(video), Submission)
        doubt = None if job else await self._read(self.layout.ambiguous(video), Ambiguity)
        submission, ambiguity = job[0] if job else None, doubt[0] if doubt else None
        return Facts(
            state=state_of(claim=claim, submission=submission, ambiguity=ambiguity, claim_age=age),
            claim=claim,
            claim_age=age,
            submission=submission,
            ambiguity=ambiguity,
        )

    async def finish(self, record: VideoRecord, claim: Claim, *, is_over: bool = True) -> VideoRecord:
        """Write the final record, then empty inflight. Returns the record that counts, ours or an earlier one.

        A purchase that was given up but was made after all is recorded next to that decision. While it is not over,
        its facts stay in flight.
        """
        is_late = False
        if not await self._write(self.layout.record(record.id), record):
            existing = await self.record(record.id)
            if existing is None:
                raise ObjectConflict(f"records/{record.id}.json could neither be written nor read.")
            if existing.state == "abandoned" and record.state != "abandoned":
                await self._write(self.layout.late_record(record.id), record)
                is_late = True
            else:
                record = existing
        try:
            if record.claimed_at in (None, claim.claimed_at):
                settled = await self.spending.settle(claim.reservation, record.cost_usd)
            else:
                # A later claim that found the record afterwards: nothing was paid for it.
                settled = [claim.reservation] if claim.reservation else []
            if is_over:
                await self.clear(record.id, settled, line=_line(record, is_late=is_late))
            elif settled:
                await self._clear(_Done(settled))
        except VideoError as error:
            # The record is the commit, and counts. The collector removes what stays in flight.
            _log.warning("%s is recorded, but its facts in flight could not be removed: %s", record.id, error)
        return record

    async def abandon(
        self,
        claim: Claim,
        reason: str,
        *,
        job_id: str | None = None,
        job: VideoJob | None = None,
        may_come: bool = False,
        is_free: bool = False,
    ) -> VideoRecord:
        """Close an ambiguous purchase because somebody chose to buy the video again.

        Args:
            job_id: its job, if there ever was one.
            job: the job as last seen.
            may_come: the provider still knows the job: it stays in flight, and its video is archived if it comes.
            is_free: it is proven that nothing was charged.
        """
        cost: dict[str, Any] = {"cost_usd": Decimal(0)} if is_free else {}
        record = VideoRecord.of(claim, "abandoned", job=job, job_id=job_id, error=reason, **cost)
        return await self.finish(record, claim, is_over=not may_come)

    async def pass_on(self, claim: Claim, reason: str, *, to: str) -> VideoRecord:
        """Close a purchase that was never made, because its model did not accept the request: the purchase with the id
        `to`, from another model, replaces it. Nothing may have been sent under this claim.

        Nobody else can buy while the claim exists, and every process that claims it later finds this record, so a video
        is never bought from both.
        """
        record = VideoRecord.of(claim, "abandoned", error=reason, cost_usd=Decimal(0), followed_by=to)
        return await self.finish(record, claim)

    async def clear(self, video: str, settled: Iterable[str] = (), *, line: Entry | None = None) -> None:
        """Empty inflight/<id>/ once the record is there, and everything else that the record settled. The record counts
        more than all of it, so the order does not matter.

        Args:
            line: the index's line about the record.
        """
        layout = self.layout
        left = [layout.ambiguous(video), layout.job(video), layout.claim(video)]
        await self._clear(_Done([*left, *settled], line))

    async def tidy(self, video: str) -> None:
        """Empty inflight/<id>/ of a purchase whose clean-up was interrupted: its record is there."""
        await self.clear(video, line=await self.line(video))

    async def _clear_all(self, done: list[_Done]) -> None:
        # First: a record is in flight or in the index.
        await self.index.add(one.line for one in done if one.line is not None)
        await self.store.delete(key for one in done for key in one.keys)

    async def keep_marks(self, marks: Iterable[Mark]) -> Kept:
        """Write marks of videos that have a record, and add them to the index. See `Reviews.keep`."""
        kept = await self.reviews.keep(marks)
        places = asyncio.Semaphore(_AT_ONCE)

        async def line(mark: Mark) -> Entry | None:
            async with places:
                found = await self.line(mark.id)
            return None if found is None else found.marked(mark)

        # Also marks that already existed: the command that wrote them may have stopped before it got here.
        lines = await asyncio.gather(*map(line, (*kept.written, *kept.unchanged)))
        await self.index.add(one for one in lines if one is not None)
        return kept

    async def line(self, video: str) -> Entry | None:
        """The index's line about a video's last record; None if it has none."""
        record = await self.record(video)
        late = await self._late_record(video) if record is not None and record.state == "abandoned" else None
        return _line(late, is_late=True) if late else _line(record) if record else None

    async def in_flight(self) -> dict[str, InFlight]:
        """All purchases in flight, by id: which facts there are, and since when. One listing.

        What this project does not write there is skipped; an audit names it.
        """
        return self.in_flight_of(await self.store.list(self.layout.inflight))

    def in_flight_of(self, listed: Iterable[ListedObject]) -> dict[str, InFlight]:
        """As `in_flight`, from a listing of inflight/."""
        start = self.layout.inflight
        found: dict[str, InFlight] = {}
        for stored in listed:
            if not self.layout.is_own("inflight", stored.key):
                _log.warning("%s is not what this project writes there; it is ignored", printable(stored.key))
                continue
            video, _, name = stored.key.removeprefix(start).partition("/")
            known = found.get(video)
            found[video] = InFlight(
                since=min(stored.written_at, known.since) if known else stored.written_at,
                facts=frozenset({name, *(known.facts if known else ())}),
            )
        return found

    async def prompts(self, brief: str) -> PromptSet | None:
        """The prompts that were written for a brief earlier, if any."""
        found = await self._read(self.layout.brief(brief), PromptSet)
        return found[0] if found else None

    async def keep_prompts(self, prompts: PromptSet) -> PromptSet:
        """Store a brief's prompts before the first one is used. Returns those that count."""
        if await self._write(self.layout.brief(prompts.id), prompts):
            return prompts
        return await self.prompts(prompts.id) or prompts

    async def storyboard(self, brief: str) -> WrittenStoryboard | None:
        """The storyboard that was written for the brief of a film earlier, if any."""
        found = await self._read(self.layout.brief(brief), WrittenStoryboard)
        return found[0] if found else None

    async def keep_storyboard(self, written: WrittenStoryboard) -> WrittenStoryboard:
        """Store a storyboard before it is used. Returns the one that counts."""
        if await self._write(self.layout.brief(written.id), written):
            return written
        return await self.storyboard(written.id) or written

    async def _write(self, key: str, fact: BaseModel) -> bool:
        return await self.store.put_once(key, fact.model_dump_json(indent=1).encode())

    async def _settle(self, key: str, fact: Model) -> Model:
        """Write a fact that only its own purchase can write. An existing one counts."""
        if await self._write(key, fact):
            return fact
        found = await self._read(key, type(fact))
        return found[0] if found else fact

    async def _read(self, key: str, kind: type[Model]) -> tuple[Model, float] | None:
        found = await self.store.get(key)
        return None if found is None else (self._decoded(key, kind, found), found.age_seconds)

    def _decoded(self, key: str, kind: type[Model], stored: StoredBytes) -> Model:
        try:
            fact = kind.model_validate_json(stored.data)
        except ValidationError as error:
            raise self._foreign(key, f"{counted(error.error_count(), 'problem')} in it") from error
        # A fact under the name of another purchase would be used for that one.
        if isinstance(fact, Claim | Submission | Ambiguity | VideoRecord) and not _names(key, fact.id):
            raise self._foreign(key, f"it is about {fact.id}")
        return fact

    def _foreign(self, key: str, why: str) -> ArchiveError:
        return ArchiveError(
            f"{self.store.uri(key)} is not what this project wrote ({why}).",
            # It is not known what it was: perhaps a job id.
            spent=Spent.PERHAPS,
            remedy="Inspect it by hand.",
        )


def _names(key: str, video: str) -> bool:
    """Whether a key of inflight/ or records/ is one of this purchase."""
    *_, folder, name = ["", *key.split("/")]
    return folder == video or name.partition(".")[0] == video
