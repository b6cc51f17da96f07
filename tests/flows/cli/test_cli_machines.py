"""The installed command on machines as people have them: proxies, certificates, code pages."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

Make = Callable[..., Any]


@pytest.fixture
def claims(ready_shell: Any, seaweed: Any) -> Callable[[], list[str]]:
    """Gives what is in flight in the shell's bucket."""
    pair = {"aws_access_key_id": seaweed.access_key, "aws_secret_access_key": seaweed.secret_key}
    client = boto3.client("s3", endpoint_url=seaweed.url, region_name="us-east-1", **pair)

    def list_them() -> list[str]:
        found = client.list_objects_v2(
            Bucket=ready_shell.environment["VIDEO_ARCHIVE_BUCKET"], Prefix="inflight/"
        )
        return [entry["Key"] for entry in found.get("Contents", [])]

    return list_them


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["socks5", "socks"])
def test_a_desktop_proxy_that_is_not_running(
    scheme: str, ready_shell: Any, small_file: Make, api: Any, claims: Callable[[], list[str]]
) -> None:
    """Exit code 2 before the first claim, and a sentence that names the variable."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = str(small_file("a fox", "an owl", "a bear"))
    done = ready_shell.run("batch", file, ALL_PROXY=f"{scheme}://127.0.0.1:{port}")
    assert done.returncode == 2, done.stderr
    (*_, last) = done.stderr.rstrip().splitlines()
    assert last.startswith(f"{api.url} cannot be reached through the proxy that ALL_PROXY names")
    assert "Traceback" not in done.stderr
    assert (api.posts, claims()) == (0, [])


@pytest.mark.slow
def test_brackets_in_no_proxy(ready_shell: Any, small_file: Make, api: Any, prefect_api: str) -> None:
    """Works, also with a Prefect server, whose own client reads the variable too; anything but a host is named once."""
    proxies = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,127.0.0.1,[::1],nonsense:port"}
    file = str(small_file("a fox"))
    done = ready_shell.run("batch", file, "--poll-interval", "0.2", PREFECT_API_URL=prefect_api, **proxies)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("NO_PROXY contains 'nonsense:port'") == 1
    assert api.charges == 1


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_certificates_that_do_not_exist(variable: str, ready_shell: Any, api: Any) -> None:
    """One sentence that names the variable; Prefect, which would print a traceback, is not even imported."""
    done = ready_shell.run("generate", "a fox", **{variable: "/no/such/bundle.pem"})
    assert (done.returncode, done.stdout) == (2, "")
    why = "which cannot be read (No such file or directory). Correct or unset it."
    assert done.stderr == f"{variable} names /no/such/bundle.pem, {why}\n"
    assert api.posts == 0


#: In no code page of Windows all at once.
PROMPT = "狐狸在雪中… ein Fuß, красный 🦊"


@pytest.mark.slow
def test_prompts_that_the_output_cannot_show(ready_shell: Any, small_file: Make) -> None:
    """Bought, archived and told, with the run's exit code; as JSON nothing is lost."""
    words = ("batch", str(small_file(PROMPT)), "--poll-interval", "0.2")
    made = ready_shell.run(*words, PYTHONIOENCODING="cp1252")
    assert made.returncode == 0, made.stderr
    assert "1 video: 1 archived" in made.stdout
    assert "?" in made.stdout
    assert "Traceback" not in made.stderr
    again = ready_shell.run(*words, "--json", PYTHONIOENCODING="cp1252")
    assert again.returncode == 0
    assert again.stdout.isascii()
    assert json.loads(again.stdout)["videos"][0]["prompt"] == PROMPT


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "utf-8", "utf-8:strict"])
def test_check_in_any_encoding(encoding: str, shell: Any, small_file: Make) -> None:
    """The same document, ASCII where the output holds nothing else, and never an error."""
    done = shell.run("check", str(small_file(PROMPT)), "--json", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["requests"][0]["prompt"] == PROMPT
    assert done.stdout.isascii() is not encoding.startswith("utf")


def test_an_error_as_json_in_a_code_page(shell: Any, tmp_path: Path) -> None:
    """What is refused is quoted in the error, in letters that cp1252 lacks."""
    file = tmp_path / "odd.jsonl"
    file.write_text(json.dumps({"prompt": "a fox", "狐": 1}) + "\n")
    done = shell.run("check", str(file), "--json", PYTHONIOENCODING="cp1252")
    assert done.returncode in {1, 2}
    assert done.stdout.isascii()
    json.loads(done.stdout)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value"),
    [("PREFECT_CLIENT_MAX_RETRIES", "abc"), ("PREFECT_API_TLS_INSECURE_SKIP_VERIFY", "perhaps")],
)
def test_a_setting_that_prefect_does_not_take(variable: str, value: str, ready_shell: Any, api: Any) -> None:
    """Prefect raises a validation error of many lines as soon as it is imported."""
    done = ready_shell.run("generate", "a fox", **{variable: value})
    assert done.returncode == 2
    assert done.stderr.startswith(f"Prefect cannot use its setting {variable}, which is '{value}': ")
    assert len(done.stderr.splitlines()) == 1
    assert api.posts == 0
