"""The least rights that an archive needs: enough, nothing too much, on a server that enforces them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from prefect_aws.credentials import AwsCredentials

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.audit import audit_archive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.cli.servers.local_servers import S3Server
from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.flows.inbox import watch_inbox
from prefect_together_video.flows.reporting.results import result_of
from prefect_together_video.flows.video import generate_video
from together_video.inputs.inbox import InboxReport
from together_video.ledger.audit import AuditReport
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary
from together_video.prompts import Brief

# One S3 server with all users for all.
pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("policy")]

Make = Callable[..., Any]
POLICY = Path(__file__).parents[2] / "deployments" / "iam-policy.json"
STATEMENTS = [statement["Sid"] for statement in json.loads(POLICY.read_text())["Statement"]]
BUCKET = "videos"


#: The condition that lets nobody write over anything. SeaweedFS does not know its key, and would refuse every write.
ONLY_ONCE = {"Null": {"s3:if-none-match": "false"}}


def policy(prefix: str, *, without: str | None = None) -> dict[str, Any]:
    """The policy with its placeholders filled in, perhaps without one of its statements."""
    filled = json.loads(POLICY.read_text().replace("BUCKET", BUCKET).replace("PREFIX", prefix))
    for statement in filled["Statement"]:
        if statement.get("Condition") == ONLY_ONCE:
            del statement["Condition"]
    filled["Statement"] = [statement for statement in filled["Statement"] if statement["Sid"] != without]
    return filled


def identity(name: str) -> dict[str, Any]:
    keys = {"accessKey": f"key-{name}", "secretKey": f"secret-{name}"}
    return {"name": name, "credentials": [keys]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """SeaweedFS with a user `whole` that has the policy, and for each statement one who lacks it. Each has a
    prefix of its own name.
    """
    folder = tmp_path_factory.mktemp("policed")
    policies = {"whole": policy("whole")} | {name: policy(name, without=name) for name in STATEMENTS}
    everything = ["Admin", "Read", "Write", "List", "Tagging"]
    settings = {
        "identities": [
            {**identity("admin"), "actions": everything},
            *({**identity(name), "policyNames": [name]} for name in policies),
        ],
        "policies": [{"name": name, "content": json.dumps(content)} for name, content in policies.items()],
    }
    (folder / "s3.json").write_text(json.dumps(settings))
    with S3Server(folder) as started:
        started.wait_ready()
        client(started, "admin").create_bucket(Bucket=BUCKET)
        yield started


def client(server: S3Server, name: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=f"key-{name}",
        aws_secret_access_key=f"secret-{name}",
    )


def archive_of(name: str, url: str) -> VideoArchive:
    credentials = AwsCredentials(
        aws_access_key_id=f"key-{name}",
        aws_secret_access_key=f"secret-{name}",
        region_name="us-east-1",
        aws_client_parameters={"endpoint_url": url},
    )
    return VideoArchive(bucket=BUCKET, prefix=name, credentials=credentials, monthly_limit_usd=100)


def allows(granted: dict[str, Any], action: str, key: str) -> bool:
    """What IAM would say of one call: actions, resources, and the prefix of a listing."""
    return any(action == one and matches(key) for _, one, matches in rights(granted))


def rights(granted: dict[str, Any]) -> Iterator[tuple[str, str, Callable[[str], bool]]]:
    """Each single right that a policy gives: its words, its action, and which keys or prefixes it covers."""
    for statement in granted["Statement"]:
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                pattern = resource.removeprefix(f"arn:aws:s3:::{BUCKET}").removeprefix("/")
                if action == "s3:ListBucket":
                    pattern = statement["Condition"]["StringLike"]["s3:prefix"]
                yield f"{action} {pattern}", action, lambda key, p=pattern: fnmatchcase(key, p)


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


async def test_the_policy_is_enough_and_nothing_in_it_is_too_much(
    server: S3Server, watch: Make, api: Any, poll: Any, small: Make, media_folder: Path
) -> None:
    """Under it every flow does its work: a video, the same once more, a brief with a picture, a refused create, a
    run that died, a doubt that is bought again, the inbox, the collector, the audit. And each of its rights is used.
    """
    seen = watch(server.url)
    archive = archive_of("whole", seen.url)
    usual = {"together": api.credentials(), "archive": archive, "poll": poll}

    async def states(flow: Any, **given: Any) -> list[str]:
        summary = result_of((await flow.fn(**{**usual, **given})).data)
        assert isinstance(summary, Summary), summary
        return [found.state.value for found in summary.videos]

    assert await states(generate_video, request=small("a fox")) == ["archived"]
    assert await states(generate_video, request=small("a fox")) == ["reused"]
    picture = {"reference_images": [str(media_folder / "red.png")]}
    fields = {**small("x").model_dump(exclude_none=True), "media": picture}
    settings = {name: value for name, value in fields.items() if name != "prompt"}
    brief = Brief(subject="a lighthouse", count=2)
    assert await states(generate_batch, brief=brief, settings=settings) == ["archived"] * 2

    api.faults({"on": "create", "kind": "status", "status": 400, "times": 1})
    assert await states(generate_video, request=small("a bear")) == ["refused"]

    async with archive.open() as ledger:
        plan = VideoPlan(request=small("an owl"), estimate_usd=Decimal(1))
        claim = await ledger.claim(plan, valid_seconds=250)
        assert claim is not None
        await ledger.ambiguous(claim, None)
    state = await collect_videos.fn(together=api.credentials(), archive=archive)
    assert state.is_failed()
    assert await states(generate_video, request=small("an owl"), on_ambiguous="resubmit") == ["archived"]

    row = small("a crane").model_dump_json(exclude_none=True)
    client(server, "admin").put_object(Bucket=BUCKET, Key="whole/inbox/more.jsonl", Body=row.encode())
    looked = result_of((await watch_inbox.fn(**usual)).data)
    assert isinstance(looked, InboxReport)
    assert [file.state for file in looked.files] == ["done"]

    state = await collect_videos.fn(together=api.credentials(), archive=archive)
    assert state.is_completed(), state.message
    report = result_of((await audit_archive.fn(deep=True, archive=archive)).data)
    assert isinstance(report, AuditReport)
    assert report.findings == ()

    calls, granted = seen.calls(BUCKET), policy("whole")
    assert [call for call in calls if not all(allows(granted, call.action, key) for key in call.keys)] == []
    used = {
        words
        for words, action, matches in rights(granted)
        if any(call.action == action and any(map(matches, call.keys)) for call in calls)
    }
    assert used == {words for words, _, _ in rights(granted)}
    assert len(used) == 8
    # What the policy's condition asks of each write, as it is on the wire.
    assert [call for call in calls if call.action == "s3:PutObject" and not call.is_once] == []


def test_the_policy_lets_nobody_write_over_a_record() -> None:
    """Not even who holds the keys: a write without If-None-Match has no statement that allows it."""
    statements = json.loads(POLICY.read_text())["Statement"]
    writing = [one for one in statements if "s3:PutObject" in listed(one["Action"])]
    assert [one["Condition"] for one in writing] == [ONLY_ONCE]


@pytest.mark.parametrize("name", STATEMENTS)
async def test_without_one_of_its_statements_nothing_is_bought(
    name: str, server: S3Server, api: Any, poll: Any, small: Make
) -> None:
    """Each is needed; where one is missing, that is said before anything is paid."""
    archive = archive_of(name, server.url)
    state = await generate_video.fn(
        request=small("a fox"), together=api.credentials(), archive=archive, poll=poll
    )
    assert state.is_failed()
    ended = result_of(state.data)
    rows = ended.videos if isinstance(ended, Summary) else ()
    assert "refuses these credentials" in " ".join([state.message or "", *(row.error or "" for row in rows)])
    assert api.posts == 0


async def test_the_policy_opens_nothing_else(server: S3Server) -> None:
    """Not what lies elsewhere in the bucket, and not the removal of a record, a video or kept media."""
    admin, user = client(server, "admin"), client(server, "whole")
    for key in (
        "other/a",
        "whole/records/a.json",
        "whole/videos/a.mp4",
        "whole/media/a.png",
        "whole/store.json",
    ):
        admin.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    refused: list[tuple[str, dict[str, Any]]] = [
        ("list_objects_v2", {"Prefix": "other/"}),
        ("list_objects_v2", {}),
        ("get_object", {"Key": "other/a"}),
        ("head_object", {"Key": "other/a"}),
        ("put_object", {"Key": "other/b", "Body": b"x"}),
        ("delete_object", {"Key": "other/a"}),
        *(
            ("delete_object", {"Key": f"whole/{key}"})
            for key in ("records/a.json", "videos/a.mp4", "media/a.png", "store.json")
        ),
        ("delete_bucket", {}),
    ]
    for method, given in refused:
        with pytest.raises(ClientError) as error:
            getattr(user, method)(Bucket=BUCKET, **given)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403, (method, given)
    for method, given in refused[:4]:
        assert getattr(admin, method)(Bucket=BUCKET, **given)
