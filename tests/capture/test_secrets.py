"""I7: no secret that stands in a `direct_url.json` gets into environment, context or findings."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.model.mapping import encode_mapping

SECRET = "hunter2"

URLS: dict[str, str] = {
    "a password": f"https://user:{SECRET}@example.org/delta.whl",
    "a token as the user": f"https://{SECRET}@example.org/delta.whl",
    "a query": f"https://example.org/delta.whl?X-Signature={SECRET}",
    "a fragment": f"https://example.org/delta.whl#token={SECRET}",
    "a query of a file": f"file:///delta.whl?token={SECRET}",
    "a password for ssh": f"ssh://git:{SECRET}@example.org/delta",
    "a password with an at sign": f"https://user:p@{SECRET}@example.org/delta.whl",
    "a scheme in capitals": f"HTTPS://user:{SECRET}@EXAMPLE.org/delta.whl?x={SECRET}",
    "no scheme": f"//user:{SECRET}@example.org/delta.whl",
    "neither scheme nor slashes": f"user:{SECRET}@example.org/delta.whl",
    "neither scheme nor slashes, and an at sign": f"user:p@{SECRET}@example.org/delta.whl",
    "neither scheme nor slashes, and a query": f"git@example.org:delta?token={SECRET}",
    "one slash too few": f"https:/user:{SECRET}@example.org/delta.whl",
    "a line break in it": f"https://user:{SECRET}\n@example.org/delta.whl",
    "a broken address": f"https://user:{SECRET}@[example.org/delta.whl",
    "a port that is none": f"https://user:{SECRET}@example.org:port/delta.whl",
}


def everything_recorded(captured) -> str:
    """Return all that is written down of a capture: values, findings, and the objects that are stored."""
    objects = [
        *encode_mapping(captured.environment).objects.values(),
        *encode_mapping(captured.context).objects.values(),
    ]
    findings = [finding.as_dict() for finding in captured.findings]
    texts = [json.dumps([captured.environment, captured.context, findings])]
    return "".join([*texts, *(blob.data.decode("utf-8", "replace") for blob in objects)])


def write(venv, document: object) -> None:
    (venv.info("beta") / "direct_url.json").write_text(json.dumps(document))


@pytest.mark.parametrize("url", URLS.values(), ids=URLS.keys())
def test_i7_a_url_is_recorded_without_its_secret_which_is_told(url, venv):
    write(venv, {"url": url, "archive_info": {}})
    captured = venv.capture()
    assert SECRET in (venv.info("beta") / "direct_url.json").read_text()
    assert "beta" in captured.context["python"]["sources"]
    assert SECRET not in everything_recorded(captured)
    assert "redacted" in {finding.code for finding in captured.findings}


def test_i7_what_pep_610_does_not_know_is_not_recorded(venv):
    vcs = {"vcs": "git", "commit_id": "0" * 40, "password": SECRET, "requested_revision": {"x": SECRET}}
    write(venv, {"url": "https://example.org/x", "vcs_info": vcs, "token": SECRET, "archive_info": [SECRET]})
    captured = venv.capture()
    assert captured.context["python"]["sources"]["beta"] == {
        "url": "https://example.org/x",
        "vcs_info": {"vcs": "git", "commit_id": "0" * 40},
    }
    assert SECRET not in everything_recorded(captured)


def test_a_url_without_a_secret_is_recorded_as_it_is(venv):
    for url in ("ssh://git@example.org/delta", "https://example.org/a%20b/delta.whl", "file:///a/b%C3%A4"):
        write(venv, {"url": url, "dir_info": {}})
        captured = venv.capture()
        assert captured.context["python"]["sources"]["beta"]["url"] == url
        assert captured.findings == ()


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "no JSON": lambda path: path.write_text("url = hunter2"),
    "empty": lambda path: path.write_text(""),
    "binary": lambda path: path.write_bytes(bytes(range(256))),
    "a list": lambda path: path.write_text('["hunter2"]'),
    "without a url": lambda path: path.write_text('{"archive_info": {"token": "hunter2"}}'),
    "a number for a url": lambda path: path.write_text('{"url": 1}'),
    "nested deeper than can be read": lambda path: path.write_text("[" * 100_000),
    "two million bytes": lambda path: path.write_text('{"url": "https://x/", "a": "' + "a" * 2_000_000 + '"}'),
    "a lone surrogate": lambda path: path.write_text('{"url": "https://x/\\ud800"}'),
    "a named pipe": fifo,
    "a directory": directory,
}


@pytest.mark.parametrize("damage", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_source_that_cannot_be_read_is_told_and_changes_nothing_else(damage, venv, small_digest):
    damage(venv.info("beta") / "direct_url.json")
    captured = venv.capture()
    assert {finding.code for finding in captured.findings} == {"source-unreadable"}
    assert "beta" not in captured.context["python"]["sources"]
    assert SECRET not in everything_recorded(captured)
    assert venv.digest() == small_digest
