"""Compares the provider's bill with the bucket: what was paid twice, and what was paid and lost.

Pure functions of what was wanted, what was billed, what is stored, and what the product reports.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Kept:
    """What is in the bucket: all keys, the records, the digests of the media, the claims in flight, the films."""

    keys: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    claims: list[dict[str, Any]] = field(default_factory=list)
    films: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Evidence:
    """Everything known at the end of a round.

    `wanted` counts the takes of each prompt, `billed` are the rows of the bill, `held` are the ids that the collector
    reports as ambiguous, `findings` is what the audit says, and `doubts` is how many videos the kills can have left
    without a job id. `unanswered` is how many creates can have been under way at a kill, if all commands ran on one
    machine: there, all other creates can be proven.
    """

    wanted: Counter[str]
    billed: list[dict[str, Any]]
    kept: Kept
    held: set[str]
    findings: list[dict[str, Any]]
    doubts: int
    unanswered: int | None = None
    #: Whether the round buys failed videos again. Each of those is billed.
    buys_failed_again: bool = False


@dataclass
class Verdict:
    """`surprises` are neither duplicates nor losses, but not as promised either."""

    duplicates: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    archived: int = 0
    ambiguous: int = 0
    #: Ambiguous, and not on the bill.
    unbilled: int = 0

    @property
    def is_good(self) -> bool:
        return not (self.duplicates or self.losses or self.surprises)


def judge(evidence: Evidence) -> Verdict:
    """Duplicates: billed more often than wanted and given up. Losses: billed, neither archived nor ambiguous."""
    kept, verdict = evidence.kept, Verdict(ambiguous=len(evidence.held))
    archived = [record for record in kept.records if record["state"] == "archived"]
    verdict.archived = len(archived)
    over = {"abandoned", "failed"} if evidence.buys_failed_again else {"abandoned"}
    given_up = Counter(_prompt(record) for record in kept.records if record["state"] in over)
    held = Counter(_prompt(claim) for claim in kept.claims if claim["id"] in evidence.held)
    homes = Counter(record["job_id"] for record in archived)

    away_of: Counter[str] = Counter()
    by_prompt: dict[str, list[dict[str, Any]]] = {}
    for job in evidence.billed:
        # Not by the request, because the link to a first frame differs each time.
        by_prompt.setdefault(job["prompt"], []).append(job)
    for prompt, jobs in by_prompt.items():
        allowed = evidence.wanted[prompt] + given_up[prompt]
        if len(jobs) > allowed:
            verdict.duplicates.append(f"{prompt!r}: billed {len(jobs)} times, {allowed} allowed")
        away = [job["id"] for job in jobs if job["id"] not in homes]
        away_of[prompt] += len(away)
        if len(away) > held[prompt] + given_up[prompt]:
            verdict.losses.append(f"{prompt!r}: billed and not archived: {', '.join(away)}")

    verdict.unbilled = sum(max(count - away_of[prompt], 0) for prompt, count in held.items())
    if evidence.unanswered is not None and verdict.unbilled > evidence.unanswered:
        verdict.surprises.append(
            f"{verdict.unbilled} are held and not billed, {evidence.unanswered} creates had no answer"
        )
    verdict.losses += _damaged(archived, kept)
    for job, count in homes.items():
        if count > 1:
            verdict.surprises.append(f"job {job} has {count} records")
        if job not in {row["id"] for row in evidence.billed}:
            verdict.surprises.append(f"job {job} is archived and was never billed")
    made = Counter(_prompt(record) for record in archived)
    for prompt, takes in evidence.wanted.items():
        # What was given up but collected after all exists twice, and was also billed twice.
        if not takes <= made[prompt] + held[prompt] <= takes + given_up[prompt]:
            words = f"{takes} wanted, {made[prompt]} archived, {held[prompt]} held"
            verdict.surprises.append(f"{prompt!r}: {words}")
    verdict.surprises += _untidy(evidence)
    return verdict


def judge_film(kept: Kept, expected: str | None) -> list[str]:
    """Check the film of a round: there is one, it equals that of an undisturbed run, and nothing else is left."""
    made = [film["id"] for film in kept.films]
    words = [] if made == [expected] else [f"the films {made} were made, an undisturbed run makes {expected}"]
    files = (value for film in kept.films for value in film.values() if isinstance(value, dict))
    named = {stored["key"] for stored in files if "key" in stored}
    of_films = [key for key in kept.keys if "/films/" in key and "/films/frames/" not in key]
    left = [key for key in of_films if key not in named and not key.endswith("/film.json")]
    return [*words, *(f"{key} lies beside the film" for key in left)]


def _damaged(archived: list[dict[str, Any]], kept: Kept) -> list[str]:
    objects = [stored for record in archived for stored in (record["video"], record["poster"])]
    return [
        f"{stored['key']} is not what its record says"
        for stored in objects
        if kept.digests.get(stored["key"]) != stored["sha256"]
    ]


def _untidy(evidence: Evidence) -> list[str]:
    """What is left in flight, what the audit finds, and whether the kills explain what is ambiguous."""
    in_flight = {
        key.split("/inflight/")[1].split("/")[0] for key in evidence.kept.keys if "/inflight/" in key
    }
    words = [f"{video} is in flight and not reported" for video in sorted(in_flight - evidence.held)]
    words += [f"{video} is reported and not in flight" for video in sorted(evidence.held - in_flight)]
    doubted = {
        finding["key"].rstrip("/").rpartition("/")[2]
        for finding in evidence.findings
        if finding["kind"] == "ambiguous"
    }
    words += [f"the audit says nothing of {video}" for video in sorted(evidence.held - doubted)]
    words += [f"the audit doubts {video}" for video in sorted(doubted - evidence.held)]
    words += [
        f"the audit finds {finding['kind']}: {finding['key']}: {finding['message']}"
        for finding in evidence.findings
        if finding["kind"] != "ambiguous"
    ]
    if len(evidence.held) > evidence.doubts:
        words.append(f"{len(evidence.held)} are held, {evidence.doubts} can be by what was killed")
    return words


def _prompt(fact: dict[str, Any]) -> str:
    prompt: str = fact["plan"]["request"]["prompt"]
    return prompt
