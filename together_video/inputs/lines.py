"""The rows of a request file -> requests, and the problems of each row that makes none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from together_video.catalogue import Catalogue, check
from together_video.catalogue.findings import Finding
from together_video.errors import InputError
from together_video.inputs.filling import filled
from together_video.inputs.findings import finding_of, findings_of
from together_video.inputs.json_values import UnreadableText
from together_video.inputs.presets import expand
from together_video.inputs.row import Row
from together_video.inputs.rows import RowFormat, count_notes, read_rows
from together_video.inputs.sweeps import (
    MOST_COPIED,
    MOST_SWEPT,
    bytes_of,
    combinations,
    count_of,
    swept_fields,
)
from together_video.inputs.text_lists import Lines, paragraphs_in, wrapped_in
from together_video.labels import clean_labels
from together_video.ledger.records import Sweep
from together_video.requests import VideoRequest
from together_video.text import counted
from together_video.tries import TRIES_FIELDS, Tries
from together_video.validation_messages import explain

_SHOWN = 10

#: Most lines of a file, and the highest take of a line.
MOST_LINES, MOST_TAKES = 10_000, 10_000
#: Most combinations of one line that are explained if they are wrong.
_MOST_WRONG = 20


class SourcedRequest(BaseModel):
    """A request and the line (in a .json file: the item) that it came from, counted from 1.

    `sweep` is set if lists in the line made several requests; `chosen` says what its shorthand became; `tries` is what
    the line itself says about attempts and fallback models, `take` is the take that it requests.
    """

    model_config = ConfigDict(frozen=True)

    request: VideoRequest
    line: int
    sweep: Sweep | None = None
    chosen: tuple[Finding, ...] = ()
    tries: Tries = Tries()
    take: int | None = Field(default=None, ge=1, le=MOST_TAKES)


class RefusedLine(BaseModel):
    """A line that makes no request, and why: `problems` as sentences, `findings` with their rules.

    The findings also cover other problems of the line, as far as the rest shows them.
    """

    model_config = ConfigDict(frozen=True)

    line: int
    problems: tuple[str, ...]
    findings: tuple[Finding, ...]


class RequestLines(BaseModel):
    """The content of a file: its requests, and the lines that make none.

    `count` is the number of lines that should make requests; `notes` is the number of skipped lines that begin with #;
    `remarks` are sentences about how the file was read.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    unit: str
    count: int
    requests: tuple[SourcedRequest, ...]
    refused: tuple[RefusedLine, ...] = ()
    notes: int = 0
    remarks: tuple[str, ...] = ()

    def whole(self) -> list[SourcedRequest]:
        """The requests, if every line makes one.

        Raises:
            InputError: lists up to ten lines that make none, with all their problems.
        """
        if not self.refused:
            return list(self.requests)
        units = counted(self.count, self.unit)
        lines = [f"{self.name}: {len(self.refused)} of {units} cannot be used; nothing was sent."]
        lines += [f"  {self.unit} {bad.line}: {'; '.join(bad.problems)}" for bad in self.refused[:_SHOWN]]
        if len(self.refused) > _SHOWN:
            lines.append(f"  … and {len(self.refused) - _SHOWN} more")
        lines += self.remarks
        raise InputError("\n".join(lines))


def parse_lines(
    text: str,
    form: RowFormat,
    name: str,
    defaults: Mapping[str, Any] | None = None,
    default_model: str | None = None,
    lines: Lines = "checked",
) -> RequestLines:
    """The lines of a text. `name` is the text's name in messages, `lines` says how lines of plain text make prompts.

    Raises:
        InputError: the text is empty, does not have its format, or the defaults cannot be used.
    """
    given = {field: value for field, value in (defaults or {}).items() if value is not None}
    if default_model is not None:
        given.setdefault("model", default_model)
    _check_defaults(given)
    requests: list[SourcedRequest] = []
    refused: list[RefusedLine] = []
    count = swept = copied = 0
    notes = count_notes(text, form)
    remarked: Counter[str] = Counter()
    try:
        for row in read_rows(text, form, lines):
            count += 1
            remarked[row.remark or ""] += 1
            if count > MOST_LINES:
                raise InputError(
                    f"{name}: has more than {MOST_LINES:,} requests; nothing was sent. Split it."
                )
            swept += count_of(row.fields) if swept_fields(row.fields) else 0
            copied += bytes_of(row.fields)
            line = _Line(row, form.unit, given, swept, copied)
            if line.problems:
                refused.append(line.refused())
            else:
                requests += line.requests
    except UnreadableText as error:
        raise InputError(f"{name}: {error}; nothing was sent.") from error
    if not requests and not refused:
        raise InputError(f"{name}: contains no prompts or requests" + (", only notes (#)." if notes else "."))
    named = {label for found in requests for label in found.request.labels}
    labels = sorted(named - set(clean_labels(given.get("labels"))))
    return RequestLines(
        name=name,
        unit=form.unit,
        count=count,
        requests=tuple(requests),
        refused=tuple(refused),
        notes=notes,
        remarks=tuple(_remarks(remarked, text, form, lines, labels)),
    )


def _remarks(
    remarked: Counter[str], text: str, form: RowFormat, lines: Lines, labels: Collection[str]
) -> Iterator[str]:
    if labels and form in {RowFormat.CSV, RowFormat.TSV}:
        yield f"Kept as labels and not sent: {', '.join(labels)}."
    if numbered := remarked["numbered"] + remarked["continued"]:
        yield f"Numbers and bullets before {counted(numbered, 'prompt')} were removed."
    if continued := remarked["continued"]:
        yield f"Indented lines were joined to {counted(continued, 'prompt')}."
    if form is RowFormat.TEXT and lines != "paragraphs" and (several := paragraphs_in(text)):
        yield f"Blank lines divide the text into {several} paragraphs: --paragraphs makes each one a prompt."
    elif form is RowFormat.TEXT and lines != "paragraphs" and wrapped_in(text):
        yield "Some lines end with a comma. If prompts have several lines, put blank lines between them: --paragraphs."


def _check_defaults(defaults: Mapping[str, Any]) -> None:
    """Report problems of the defaults once instead of once per line."""
    problems = _Line(Row(0, {"model": "any"}), "line", defaults, 0).problems
    if problems:
        raise InputError(f"{'; '.join(problems)}; nothing was sent.")


class _Line:
    """What a row makes: one request, or one for each combination of its lists; and its problems.

    `swept` counts the requests made by lists so far, including this row's, and `copied` the bytes of their text.
    """

    def __init__(self, row: Row, unit: str, defaults: Mapping[str, Any], swept: int, copied: int = 0) -> None:
        self.row = row
        self.requests: list[SourcedRequest] = []
        self.problems: dict[str, Finding] = {}
        self._else: dict[str, Finding] = {}
        for problem in row.problems:
            self._note(problem, "line_is_read")
        empty = [name for name in swept_fields(row.fields) if not row.fields[name]]
        for name in empty:
            self._note(f"{name}: the list is empty", "list_has_values")
        if swept > MOST_SWEPT:
            words = f"its lists bring the file to {swept:,} requests; lists can make at most {MOST_SWEPT:,}"
            self._note(words, "sweep_is_bounded")
        if copied > MOST_COPIED:
            words = f"the lists of the file would repeat {copied / 1e6:,.0f} MB of text"
            self._note(f"{words}; at most {MOST_COPIED / 1e6:.0f} MB", "sweep_is_bounded")
        if empty or swept > MOST_SWEPT or copied > MOST_COPIED:
            return
        wrong = 0
        for fields, sweep in combinations(row.fields, f"{unit} {row.line}"):
            # Some of them are enough to show what is wrong with all.
            if (wrong := wrong + (not self._add(filled(fields, defaults), sweep))) >= _MOST_WRONG:
                return

    def refused(self) -> RefusedLine:
        findings = (*self.problems.values(), *self._else.values())
        return RefusedLine(line=self.row.line, problems=tuple(self.problems), findings=findings)

    def _note(self, problem: str, rule: str) -> None:
        self.problems[problem] = finding_of(problem, rule=rule)

    def _add(self, fields: dict[str, Any], sweep: Sweep | None) -> bool:
        """Add the request of these fields. Returns whether they make one."""
        said = {name: fields.pop(name) for name in TRIES_FIELDS if name in fields}
        try:
            tries = Tries.model_validate(said)
        except ValidationError as error:
            for problem in explain(error, Tries):
                self._note(problem, "tries_are_known")
            tries = Tries()
        take = fields.pop("take", None)
        if take is not None and (type(take) is not int or not 1 <= take <= MOST_TAKES):
            self._note(f"take: must be a whole number from 1 to {MOST_TAKES}", "take_is_a_number")
            take = None
        expansion = expand(fields, Catalogue.load())
        for problem in expansion.problems:
            self._note(problem, "shorthand_is_known")
        try:
            request = VideoRequest.model_validate(expansion.fields)
        except ValidationError as error:
            # If the row's form is wrong, that was reported already, and the gaps are a consequence.
            if self.row.fields or not self.problems:
                self.problems.update(zip(explain(error), findings_of(error), strict=True))
                self._else.update((str(found), found) for found in _else_found(expansion.fields, error))
            return False
        made = SourcedRequest(
            request=request, line=self.row.line, sweep=sweep, chosen=expansion.chosen, tries=tries, take=take
        )
        self.requests.append(made)
        return True


def _else_found(fields: Mapping[str, Any], error: ValidationError) -> list[Finding]:
    """What a check finds in the well-formed fields, so that you can fix everything at once."""
    errors = error.errors(include_url=False)
    wrong = {str(found["loc"][0]) for found in errors if found["loc"]}
    rest = {name: value for name, value in fields.items() if name not in wrong}
    try:
        request = VideoRequest.model_validate(rest)
    except ValidationError:
        return []
    # A missing field may be there under the unknown name.
    misnamed = any(found["type"] == "extra_forbidden" for found in errors)
    gaps = {"prompt_fits", "required_media"} if misnamed else set()
    return [
        found
        for found in check(request)
        if found.field.partition(".")[0] not in wrong and found.rule not in gaps
    ]
