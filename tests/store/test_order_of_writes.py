"""I3 and I4, seen in the system calls: objects are durable before the ref that needs them, the ref before the answer.

strace (where there is one) writes down what a process asks of the kernel, in order.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from capsulestore.store import Store

WRITER = Path(__file__).with_name("writer.py")


@dataclass(frozen=True)
class Call:
    """A system call that succeeded: its name, and the paths it was about."""

    name: str
    paths: tuple[str, ...]

    @property
    def directory(self) -> str:
        return os.path.dirname(self.paths[-1])


def calls(text: str) -> Iterator[Call]:
    for line in text.splitlines():
        found = re.match(r"(?:\d+ +)?(\w+)\((.*)\) += (\d+)", line)
        if not found:
            continue
        name, arguments, _ = found.groups()
        name = re.sub(r"(at2?|at)$", "", name)
        paths = re.findall(r'"([^"]*)"', arguments) if name != "fsync" else []
        paths = paths or re.findall(r"^\d+<([^>]*)>", arguments)
        if name == "write":
            paths = re.findall(r"^(\d+)<", arguments)
        yield Call(name, tuple(paths))


@pytest.fixture(scope="module", params=[1, 12], ids=["loose", "packed"])
def traced(request, strace, tmp_path_factory) -> tuple[str, list[Call]]:
    """A new store, and what adding to it asks of the kernel, up to where the digest is printed."""
    project = str(tmp_path_factory.mktemp("project"))
    log = tmp_path_factory.mktemp("log") / "trace"
    with Store.init(project) as store:
        path = store.path
    watched = ["-f", "-y", "-s", "4096", "-o", str(log), "-e", "trace=/^(rename|link|mkdir|fsync$|write$)"]
    add = [sys.executable, str(WRITER), path, "0", "1", str(request.param)]
    subprocess.run([strace, *watched, *add], env={**os.environ, "HOME": project}, capture_output=True, check=True)
    found = list(calls(log.read_text()))
    return path, found[: found.index(Call("write", ("1",)))]


@pytest.fixture
def trace(traced) -> list[Call]:
    return traced[1]


@pytest.fixture
def path(traced) -> str:
    return traced[0]


@pytest.fixture
def objects(path) -> str:
    return os.path.join(path, "objects")


def the_ref_moves(trace: list[Call]) -> int:
    (place,) = (place for place, call in enumerate(trace) if call.name == "rename" and ends(call, "refs/heads/main"))
    return place


def ends(call: Call, path: str) -> bool:
    return call.paths[-1].endswith(path)


def renamed_objects(trace: list[Call], objects: str) -> list[tuple[int, Call]]:
    """Where objects, packs and indexes get their names. A `.keep` is for the living alone, and need not last."""
    found = [
        (place, call)
        for place, call in enumerate(trace)
        if call.name == "rename" and call.paths[-1].startswith(f"{objects}/") and not ends(call, ".keep")
    ]
    assert found
    return found


def test_every_object_is_on_disk_before_it_has_its_name(trace, objects):
    for place, call in renamed_objects(trace, objects):
        assert Call("fsync", call.paths[:1]) in trace[:place]


def test_every_objects_name_is_on_disk_before_the_ref_moves(trace, objects):
    for place, call in renamed_objects(trace, objects):
        assert Call("fsync", (call.directory,)) in trace[place : the_ref_moves(trace)]


def test_every_new_directory_of_objects_is_on_disk_before_the_ref_moves(trace, objects):
    made = [
        (place, call)
        for place, call in enumerate(trace)
        if call.name == "mkdir" and call.paths[-1].startswith(f"{objects}/")
    ]
    assert made
    for place, call in made:
        assert Call("fsync", (call.directory,)) in trace[place : the_ref_moves(trace)]


def test_no_object_is_written_after_the_ref_has_moved(trace, objects):
    assert renamed_objects(trace, objects)[-1][0] < the_ref_moves(trace)


def test_an_index_shows_a_pack_only_when_the_pack_is_in_place(trace, objects):
    ends_in = [os.path.splitext(call.paths[-1])[1] for _, call in renamed_objects(trace, objects)]
    assert [ending for ending in ends_in if ending] in ([], [".pack", ".idx"])


def test_the_refs_new_value_is_on_disk_before_the_ref_moves(trace, path):
    moved = the_ref_moves(trace)
    linked = next(call for call in trace if call.name == "link")
    assert linked.paths[1] == trace[moved].paths[0] == os.path.join(path, "refs/heads/main.lock")
    assert Call("fsync", linked.paths[:1]) in trace[:moved]


def test_the_move_of_the_ref_is_on_disk_before_the_answer(trace, path):
    assert Call("fsync", (os.path.join(path, "refs/heads"),)) in trace[the_ref_moves(trace) :]


def test_the_capsule_added_last_is_named_only_after_it_is_registered(trace):
    (place,) = (place for place, call in enumerate(trace) if call.name == "rename" and ends(call, "refs/capsules/last"))
    assert place > the_ref_moves(trace)
