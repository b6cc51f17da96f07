"""The generated pages of the website: which objects are on which page, and the text between them."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from types import ModuleType

import prefect_together_video as package
from docs.reference.catalogue import models_page
from docs.reference.commands import commands_page
from docs.reference.configuration import configuration_page
from docs.reference.rendering import (
    enum_part,
    error_part,
    flow_part,
    model_part,
    table,
    task_page,
)
from docs.reference.sandbox import sandbox_page
from docs.reference.schemas import schemas
from prefect_together_video.tasks.job_ref import JobState
from together_video import errors
from together_video.film import Audio, Cut, Look, Music, Shot, Storyboard, Transition
from together_video.film.summary import FilmOutcome, FilmSummary, Retake, ShownShot
from together_video.inputs.inbox import InboxReport, InboxRow
from together_video.inputs.presets import Presets
from together_video.ledger.audit import AuditFinding, AuditReport, SpentRow
from together_video.ledger.spend import MonthToDate, SpendReport, SpendRow
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.polling.policy import PollPolicy
from together_video.prompts import Brief, PromptSet
from together_video.requests import Media, VideoRequest

ROOT = Path(__file__).parents[2]

_VIDEO_STATES = {
    "archived": "Made and paid for in this run, and in the archive.",
    "reused": "It was already in the archive, and cost nothing in this run.",
    "failed": "The provider reported the job as failed.",
    "refused": "Nothing was created: the request, the account or a limit does not allow it.",
    "ambiguous": "The create had no clear answer and may have been charged. It is not bought again automatically.",
    "submitted": "The job keeps running at the provider and is billed. A later run archives it.",
    "skipped": "Not started, because the run stopped buying first.",
}
_JOB_STATES = {
    "submitted": "The provider has accepted the request, and the job id is in the archive.",
    "completed": "The video is ready to download.",
    "downloaded": "The file is on this machine.",
    "archived": "The video is in the archive. Nothing is left to do.",
}
_DOCUMENTS = {
    "summary": "Printed by `generate`, `batch`, `collect` and `demo` with `--json`.",
    "audit": "Printed by `audit --json`.",
    "spend": "Printed by `spend --json`.",
    "batch": "`batches/<id>/batch.json` in the archive.",
    "record": "`records/<id>.json` in the archive: how a purchase ended.",
    "claim": "`inflight/<id>/claim.json`: a process is about to pay for this request.",
    "job": "`inflight/<id>/job.json`: the provider accepted it.",
    "ambiguous": "`inflight/<id>/ambiguous.json`: the create had no clear answer.",
    "brief": "`briefs/<id>.json`: the prompts of a brief.",
}


def generated_pages() -> dict[str, str]:
    """Each page's path below docs/, with its Markdown."""
    return {
        "reference/blocks.md": _blocks(),
        "reference/tasks.md": _tasks(),
        "reference/flows.md": _flows(),
        "reference/requests.md": _requests(),
        "reference/results.md": _results(),
        "reference/errors.md": _errors(),
        "reference/schemas.md": _schemas(),
        "reference/commands.md": commands_page(),
        "reference/configuration.md": configuration_page(),
        "models.md": models_page(),
        "reference/sandbox.md": sandbox_page(),
        "examples.md": _examples(),
    }


def generated_files() -> dict[str, str]:
    """Each file's path with its content: the schemas, for download."""
    return {f"schemas/{name}.json": json.dumps(schema, indent=1) + "\n" for name, schema in schemas().items()}


def _blocks() -> str:
    return "\n\n".join(
        (
            "# Blocks",
            "Register both block types with `prefect block register -m prefect_together_video`. Every task and flow "
            "accepts them. Without them it reads the environment.",
            model_part(package.TogetherCredentials, methods=("from_env", "get_client")),
            model_part(package.VideoArchive, methods=("from_env", "open")),
        )
    )


def _tasks() -> str:
    names = (
        "create_video",
        "wait_for_video",
        "download_video",
        "archive_video",
        "make_video",
        "generate_prompts",
    )
    intro = (
        "# Tasks\n\nEach task has two names: call the first one in sync code, and await the second one, which starts "
        "with an `a`, in async code. `submit`, `map` and `with_options` work as on any Prefect task.\n\n"
        "The tasks retry calls that are safe to repeat. A create is never repeated unless the answer proves that "
        "nothing was created, so `with_options(retries=…)` cannot buy a video twice."
    )
    return f"{intro}\n\n{task_page((name, f'a{name}', getattr(package, name)) for name in names)}"


def _flows() -> str:
    flows = (
        ("generate_video", "Summary"),
        ("generate_batch", "Summary"),
        ("generate_film", "FilmSummary"),
        ("collect_videos", "Summary"),
        ("audit_archive", "AuditReport"),
        ("report_spend", "SpendReport"),
        ("watch_inbox", "InboxReport"),
    )
    intro = (
        "# Flows\n\nThe flows are async. Call them in your own flows, run them with `asyncio.run`, or deploy them. "
        "If something is missing at the end, the run ends as Failed, and awaiting the flow raises `RunIncomplete`. Its "
        "`result` is what the flow would have returned."
    )
    return "\n\n".join([intro, *(flow_part(name, getattr(package, name), result) for name, result in flows)])


def _requests() -> str:
    intro = (
        "# Requests and settings\n\nWhat tasks and flows take. Instead of a `VideoRequest` or a `Brief`, a task also "
        "accepts a mapping of its fields."
    )
    models = (
        VideoRequest,
        Media,
        Brief,
        PromptSet,
        PollPolicy,
        Presets,
        Storyboard,
        Look,
        Shot,
        Transition,
        Audio,
        Cut,
        Music,
    )
    return "\n\n".join([intro, *(model_part(model) for model in models)])


def _results() -> str:
    return "\n\n".join(
        (
            "# Results",
            "What tasks and flows return. None of these values contains a secret or a link, and you can pickle all of "
            "them and write them as JSON.",
            model_part(package.VideoJobRef),
            enum_part(JobState, _JOB_STATES),
            model_part(
                package.ArchivedVideo, methods=("presigned_url", "apresigned_url", "download", "adownload")
            ),
            model_part(Summary, methods=("counts", "cost_usd", "is_good", "sentence", "as_json")),
            model_part(VideoOutcome),
            model_part(FilmSummary, methods=("is_good", "sentence", "as_json")),
            model_part(FilmOutcome),
            model_part(ShownShot),
            model_part(Retake),
            enum_part(VideoState, _VIDEO_STATES),
            *(model_part(model) for model in (AuditReport, AuditFinding, SpentRow, InboxReport, InboxRow)),
            model_part(SpendReport, methods=("sentence", "as_json", "as_csv")),
            model_part(SpendRow, methods=("usd_per_clip",)),
            model_part(MonthToDate, methods=("left_usd", "sentence")),
        )
    )


def _errors() -> str:
    tree = inspect.cleandoc(errors.__doc__ or "").split("\n\n")
    drawing = next(part for part in tree if "VideoError" in part and "├" in part)
    intro = (
        "# Errors\n\nEvery error of this package is a `VideoError`, imported from `together_video.errors`. Its "
        "attributes say whether a retry can help (`retryable`), what the failed call has cost (`spent`: nothing, "
        "perhaps or yes) and what to do next (`remedy`). `message` is the whole text."
    )
    return "\n\n".join(
        (
            intro,
            f"```text\n{inspect.cleandoc(drawing)}\n```",
            "Flows raise one more: `RunIncomplete`.",
            *(error_part(kind) for kind in [*errors_of(errors), package.RunIncomplete]),
        )
    )


def errors_of(module: ModuleType) -> list[type[Exception]]:
    """The errors of a module, in source order."""
    found = [kind for kind in vars(module).values() if inspect.isclass(kind) and issubclass(kind, Exception)]
    return [kind for kind in found if kind.__module__ == module.__name__]


def _schemas() -> str:
    found = schemas()
    rows = [(f"[{name}](#{name})", _DOCUMENTS[name]) for name in found]
    parts = [
        "# JSON schemas",
        "Generated from the models. Fields may be added, so ignore unknown ones.",
        table(("schema", "document"), rows),
    ]
    for name, schema in found.items():
        code = json.dumps(schema, indent=1)
        parts += [
            f"## {name} {{ #{name} }}",
            f"{_DOCUMENTS[name]} [Download](../schemas/{name}.json).",
            f'??? note "Schema"\n\n    ```json\n{_indented(code)}\n    ```',
        ]
    return "\n\n".join(parts)


def _examples() -> str:
    parts = [
        "# Examples",
        "Each script runs as it is, with `TOGETHER_API_KEY`, `VIDEO_ARCHIVE_BUCKET` and AWS credentials in the "
        "environment. Run one twice: the second run buys nothing.",
    ]
    for path in sorted((ROOT / "examples").glob("*.py")):
        parts += [f"## {path.name} {{ #{path.stem} }}", f"```python\n{path.read_text(encoding='utf-8')}```"]
    return "\n\n".join(parts)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
