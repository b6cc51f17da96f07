"""Commands that a page offers: pasted into sh they make the same request, and nothing else happens."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest

from prefect_together_video.flows.cli.generate import generate
from together_video.gallery.commands import Commands, commands_of
from together_video.inputs.presets import make_request
from together_video.ledger.records import VideoPlan
from together_video.requests import VideoRequest


def plan(**fields: Any) -> VideoPlan:
    own = {name: fields.pop(name) for name in ("take", "edition") if name in fields}
    return VideoPlan(
        request=VideoRequest.model_validate({"model": "acme/dream-1", "prompt": "a fox", **fields}), **own
    )


def joined(commands: Commands, which: str) -> str:
    """As the page joins them."""
    return " ".join(filter(None, (commands.start, getattr(commands, which), commands.end)))


def parsed(command: str) -> tuple[VideoRequest, int, str]:
    """Request, take and edition that the program would be given by sh, by its own parser."""
    from cyclopts import App

    listed = subprocess.run(
        ["sh", "-c", f"printf '%s\\0' {command}"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")[:-1]
    assert listed[:2] == ["together-video", "generate"]
    app = App(result_action="return_value")
    app.default(generate)
    _, bound, _ = app.parse_args(listed[2:], exit_on_error=False, print_error=False)
    given = bound.arguments
    fields = given["request"].request_fields() if "request" in given else {}
    request, _ = make_request({**fields, "prompt": given.get("prompt")})
    run = given.get("run")
    return request, given.get("take", 1), run.edition if run else "once"


MANY: list[dict[str, Any]] = [
    {},
    {"prompt": 'it\'s a "fox"; rm -rf ~ $(id) `id` \\ !! %s\nand *'},
    {"prompt": "-v --take 9", "seed": 3},
    {"prompt": "élan 狐 \U0001f98a", "negative_prompt": "-blur", "seed": -1},
    {"width": 864, "height": 480, "seconds": "6", "fps": 24, "steps": 20, "guidance_scale": 7.5},
    {
        "guidance_scale": 8,
        "output_format": "WEBM",
        "output_quality": 0,
        "resolution": "720P",
        "ratio": "16:9",
    },
    {"generate_audio": True},
    {"generate_audio": False, "edition": "2026-03-04", "take": 4},
    {"labels": {"campaign": "spring; echo", "shot": "-3"}, "label_in_id": True},
    {"extra": {"camera": {"pan": [1, "'"]}}},
    {"prompt": None, "media": {"frame_images": [{"input_image": "https://a.test/b@2.png", "frame": "last"}]}},
    {"media": {"source_video": "s3://b/x y.mp4", "reference_images": ["-x.png"]}},
]


@pytest.mark.parametrize("fields", MANY)
def test_a_command_makes_the_request_again(fields: dict[str, Any]) -> None:
    """Another take, a new seed, and the request as it is: nothing else differs, whatever the texts hold."""
    made = plan(**fields)
    commands = commands_of(made, take=made.take + 1)
    assert commands is not None
    request, take, edition = parsed(joined(commands, "take"))
    labelled = {**made.request.labels, "redo_of": made.id}
    assert (request, take, edition) == (
        made.request.model_copy(update={"labels": labelled}),
        made.take + 1,
        made.edition,
    )
    assert parsed(joined(commands, "edit")) == (made.request, 1, made.edition)
    request, take, edition = parsed(joined(commands, "seed"))
    assert request.seed not in {None, made.request.seed}
    assert (request.model_copy(update={"seed": made.request.seed}), take, edition) == (
        made.request,
        1,
        made.edition,
    )


def test_the_new_seed_is_the_same_each_time() -> None:
    """A command that is pasted twice is paid for once."""
    assert commands_of(plan(), take=2) == commands_of(plan(), take=2)
    assert commands_of(plan(), take=2).seed != commands_of(plan(prompt="an owl"), take=2).seed  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "a\x1b[201~\rrm -rf ~"},
        {"prompt": "a\ttab"},
        {"prompt": "half a line\x85"},
        {"labels": {"a": "b"}, "extra": {"x": "\x9b2J"}, "prompt": "c\x9b"},
        {"media": {"frame_images": [{"input_image": "data:image/png;base64,QUJD"}]}},
        {"media": {"reference_images": ["https://s3.test/a.png?X-Amz-Signature=s3cret"]}},
    ],
)
def test_what_a_terminal_or_a_page_cannot_carry_gives_no_command(fields: dict[str, Any]) -> None:
    """Control characters, files within the request, and signed addresses."""
    assert commands_of(plan(**fields), take=2) is None


def test_a_command_reads_well() -> None:
    """The prompt comes first, then the options that were set, and what is quoted needs it."""
    made = plan(seed=7, seconds=6, width=864, height=480)
    commands = commands_of(made, take=2)
    assert commands is not None
    assert joined(commands, "take") == (
        "together-video generate 'a fox' --model acme/dream-1 --width 864 --height 480 --seconds 6 --seed 7 --take 2 "
        f"--label redo_of={made.id}"
    )
    assert shlex.split(joined(commands, "edit"))[-2:] == ["--seed", "7"]
